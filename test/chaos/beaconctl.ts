/** The real command as a process of its own, which can be watched, stopped, frozen and killed. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Injection } from "../support/fault-rules.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILES = ["test/chaos/project.yaml", "manifests/network.yaml", "manifests/tables.yaml"];
const SLICE = [...FILES.flatMap((file) => ["-f", file]), "--env", "prod"];
/** How the slice of production is applied without a question. */
export const APPLY = ["apply", ...SLICE, "--confirm", "yes", "--yes"] as const;
export const DIFF = ["diff", ...SLICE] as const;
export const DELETE = ["delete", "--env", "prod", "--confirm", "destroy-prod", "--include-protected", "--yes"] as const;

/** A holder's heart must stay still for so long before its lease is taken over. Short, and long enough for a machine under load. */
export const LEASE_TTL = "2s";

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly output: string };

export class Beaconctl {
  readonly pid: number;
  /** How it ended, with everything it said. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #output = "";
  #heard: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    const take = (chunk: Buffer) => {
      this.#output += chunk;
      for (const listener of this.#heard) listener();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    this.ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, output: this.#output })));
  }

  /** What it has said so far. */
  get output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Resolves once it has said this; rejects when it ends without. */
  async says(text: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const listen = () => this.#output.includes(text) && resolve();
      this.#heard.push(listen);
      listen();
    });
    const ended = this.ended.then(({ output }) => {
      if (!output.includes(text)) throw new Error(`it never said "${text}":\n${output}`);
    });
    await Promise.race([heard, ended]);
  }

  /** Resolves once the fault has struck; rejects when the process ends without. */
  async meets({ struck }: Injection): Promise<void> {
    const ended = this.ended.then(({ output }) => Promise.reject(new Error(`it ended before the fault could strike:\n${output}`)));
    await Promise.race([struck, ended]);
  }

  /** Ends it, whatever it does; for tests that failed. */
  abandon(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
  }
}

/** Starts `beaconctl` from the sources against an endpoint that is taken to be a sandbox. */
export function beaconctl(args: readonly string[], options: { readonly endpoint: string; readonly env?: NodeJS.ProcessEnv }): Beaconctl {
  const { endpoint, env = {} } = options;
  const child = spawn(process.execPath, ["src/main.ts", ...args, "--sandbox", "--endpoint", endpoint], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Beaconctl(child);
}
