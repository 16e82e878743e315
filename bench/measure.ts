/** One measured run of the built beaconctl: whole process, on node@26, not through npm; its calls counted by a proxy. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const NODE = join(ROOT, "node_modules/node/bin/node");
const MAIN = join(ROOT, "dist/main.js");
const run = promisify(execFile);

/** Calls by `service:operation`. */
export type Calls = Readonly<Record<string, number>>;

/**
 * What one process cost. Of its AWS calls, `polls` are the reads that had been sent before word for word: it waits for
 * something. Those to the state table stand apart: `stateWrites` and `heartbeats` (renewals that carry nothing) of a stack's
 * state, `stateReads` the rest, the table's own creation among them.
 */
export type Cost = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
  readonly calls: Calls;
  readonly polls: number;
  readonly stateWrites: number;
  readonly heartbeats: number;
  readonly stateReads: number;
};

type Counts = Pick<Cost, "calls" | "polls" | "stateWrites" | "heartbeats" | "stateReads">;
const NO_CALLS: Counts = { calls: {}, polls: 0, stateWrites: 0, heartbeats: 0, stateReads: 0 };

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
  const { exitCode, ...cost } = JSON.parse(stdout) as Omit<Cost, keyof Counts> & { exitCode: number };
  if (exitCode !== command.exitCode) {
    throw new Error(`beaconctl ${command.args.join(" ")} exited ${exitCode}, not ${command.exitCode}:\n${await readFile(output, "utf8")}`);
  }
  return { ...cost, ...(command.proxy ? await callsOf(command.proxy) : NO_CALLS) };
}

/** A call as the proxy has recorded it. */
export type Seen = { readonly name: string; readonly mutating: boolean; readonly body: string };

const STATE_TABLE = '"beacon-state"';
const STATE_WRITES: ReadonlySet<string> = new Set(["dynamodb:TransactWriteItems", "dynamodb:PutItem", "dynamodb:DeleteItem"]);

async function callsOf(proxy: string): Promise<Counts> {
  const seen = (await (await fetch(`${proxy}/__proxy/calls`)).json()) as readonly Seen[];
  const [state, calls] = [seen.filter(isState), seen.filter((call) => !isState(call))];
  const writes = state.filter(({ name }) => STATE_WRITES.has(name));
  const heartbeats = writes.filter(({ body }) => body.split('"Put"').length === 2 && body.includes('"heartbeat"')).length;
  const reads = calls.filter(({ mutating }) => !mutating).map(({ name, body }) => `${name} ${body}`);
  return {
    calls: Object.fromEntries([...Map.groupBy(calls, ({ name }) => name)].map(([name, list]) => [name, list.length])),
    polls: reads.length - new Set(reads).size,
    stateWrites: writes.length - heartbeats,
    heartbeats,
    stateReads: state.length - writes.length,
  };
}

/** Of BEACON's own table. */
export function isState({ name, body }: Pick<Seen, "name" | "body">): boolean {
  return name.startsWith("dynamodb:") && body.includes(STATE_TABLE);
}

/** The run whose CPU time is the median; the middle one of an odd number. */
export function median(costs: readonly Cost[]): Cost {
  const sorted = [...costs].sort((left, right) => left.cpuMs - right.cpuMs);
  return sorted[Math.floor(sorted.length / 2)] as Cost;
}

export function total(calls: Calls): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}
