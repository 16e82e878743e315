/** The real beaconctl as a process, against the shared sandbox, in a folder of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshProject, sandboxEndpoint, TEST_REGION } from "../support/sandbox.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** How a process ended. */
export type Ended = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string };

/** A process under way. `said` resolves when stderr holds the text, and rejects when the process ends without it. */
export type Running = { readonly child: ChildProcess; readonly ended: Promise<Ended>; readonly said: (text: RegExp) => Promise<void> };

/** A folder with manifests of a fresh project, and the command in it. */
export type Workspace = AsyncDisposable & {
  readonly project: string;
  readonly folder: string;
  readonly write: (files: Readonly<Record<string, string>>) => void;
  /** Runs the command with --sandbox to its end. */
  readonly beaconctl: (...args: readonly string[]) => Promise<Ended>;
  readonly start: (args: readonly string[]) => Running;
};

/** A workspace at `endpoint`, else at the shared sandbox. `manifests` gets the project's name. `ownTable`: a state table for it alone. */
export async function workspace(
  manifests: (project: string) => Readonly<Record<string, string>>,
  { endpoint, ownTable = false }: { endpoint?: string; ownTable?: boolean } = {},
): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), "beaconctl-test-"));
  const project = freshProject("cli");
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  write(manifests(project));
  const url = endpoint ?? (await sandboxEndpoint());
  const env = { AWS_REGION: TEST_REGION, ...(ownTable ? { BEACON_STATE_TABLE: project } : {}) };
  const start = (args: readonly string[]): Running => run([...args, "--sandbox", "--endpoint", url], folder, env);
  return {
    project,
    folder,
    write,
    start,
    beaconctl: (...args) => start(args).ended,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs the command in `folder` with a bare environment: nobody's credentials, no terminal. */
export function run(args: readonly string[], folder: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: "true", ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  const said = (text: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => void (text.test(stderr) && resolve());
      child.stderr.on("data", look);
      child.once("close", () => reject(new Error(`ended without saying ${text}: ${stderr}`)));
      look();
    });
  return { child, ended, said };
}
