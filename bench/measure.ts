/** One measured run of the built beaconctl: whole process, on node@26, not through npm; its calls counted by a proxy. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const NODE = join(ROOT, "node_modules/node/bin/node");
const MAIN = join(ROOT, "dist/src/main.js");
const run = promisify(execFile);

/** What one process cost. `calls`: AWS calls by `service:operation`, those to the state table apart. */
export type Cost = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly stateCalls: Readonly<Record<string, number>>;
};

/** Where to run and what is expected of it. */
export type Command = {
  readonly args: readonly string[];
  readonly exitCode: number;
  /** Of the fault proxy that counts; absent for commands that stay offline. */
  readonly proxy?: string;
  readonly scratch: string;
};

/** Throws with the command's output when it exits otherwise than expected. */
export async function measure(command: Command): Promise<Cost> {
  const output = join(command.scratch, "output.txt");
  if (command.proxy) await fetch(`${command.proxy}/__proxy/calls`, { method: "DELETE" });
  const endpoint = command.proxy ? ["--sandbox", "--endpoint", command.proxy] : [];
  const { stdout } = await run("python3", [join(import.meta.dirname, "measure.py"), output, NODE, MAIN, ...command.args, ...endpoint], {
    cwd: ROOT,
    env: { ...process.env, AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", NO_COLOR: "1" },
  });
  const { exitCode, ...cost } = JSON.parse(stdout) as Omit<Cost, "calls" | "stateCalls"> & { exitCode: number };
  if (exitCode !== command.exitCode) {
    throw new Error(`beaconctl ${command.args.join(" ")} exited ${exitCode}, not ${command.exitCode}:\n${await readFile(output, "utf8")}`);
  }
  return { ...cost, ...(command.proxy ? await callsOf(command.proxy) : { calls: {}, stateCalls: {} }) };
}

type Call = { readonly service: string; readonly operation: string };

// The state table is spoken to with item operations, the tables of a stack with control operations.
const ITEM_OPERATIONS = /Item|Query|Scan|Transact/;

async function callsOf(proxy: string): Promise<Pick<Cost, "calls" | "stateCalls">> {
  const seen = (await (await fetch(`${proxy}/__proxy/calls`)).json()) as readonly Call[];
  const [calls, stateCalls]: [Record<string, number>, Record<string, number>] = [{}, {}];
  for (const { service, operation } of seen) {
    const into = service === "dynamodb" && ITEM_OPERATIONS.test(operation) ? stateCalls : calls;
    const name = `${service}:${operation}`;
    into[name] = (into[name] ?? 0) + 1;
  }
  return { calls, stateCalls };
}

/** The run whose CPU time is the median; the middle one of an odd number. */
export function median(costs: readonly Cost[]): Cost {
  const sorted = [...costs].sort((left, right) => left.cpuMs - right.cpuMs);
  return sorted[Math.floor(sorted.length / 2)] as Cost;
}

export function total(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}
