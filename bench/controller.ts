/**
 * What the controller costs and how fast it is: whole processes of the built beaconctl, on the sandbox, through the counting proxy.
 *
 * At rest it is watched for a while, and the hour is what that would make; the time from an outside change to its correction is
 * taken from the world itself, asked over and over by a plain SDK client.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EC2 } from "@aws-sdk/client-ec2";
import { bucketsOf } from "../src/aws/limits.ts";
import { type Calls, isState, measure, type Seen } from "./measure.ts";

const ROOT = resolve(import.meta.dirname, "..");
const NODE = join(ROOT, "node_modules/node/bin/node");
const MAIN = join(ROOT, "dist/main.js");
const CREDENTIALS = { accessKeyId: "outside", secretAccessKey: "outside" };
// Linux counts CPU time in hundredths of a second, whatever the machine.
const TICKS_PER_SECOND = 100;

/** Where the controllers run: the counting proxy, a scratch folder. */
export type Ground = { readonly endpoint: string; readonly scratch: string };

/** A stack as `beaconctl` is told of it. */
export type StackArgs = { readonly name: string; readonly args: readonly string[]; readonly region: string };

/** Per hour. `share`: the most that the calls take of one API's published rate, and which. */
export type AtRest = {
  readonly stack: string;
  readonly seconds: number;
  readonly callsPerHour: number;
  readonly stateCallsPerHour: number;
  readonly cpuSecondsPerHour: number;
  readonly corePercent: number;
  readonly share: { readonly operation: string; readonly percent: number };
  readonly rssMb: number;
};

/** Milliseconds. */
export type Times = { readonly what: string; readonly count: number; readonly p50: number; readonly p99: number };

/** Everything measured of the controller. */
export type ControllerFigures = {
  readonly atRest: readonly AtRest[];
  readonly corrections: readonly Times[];
  readonly takeoverMs: Times;
  readonly rss: readonly number[];
};

/** A controller process, and how it ends. */
class Running {
  readonly child: ChildProcess;

  constructor(args: readonly string[], { endpoint }: Ground, env: Record<string, string> = {}) {
    this.child = spawn(NODE, [MAIN, "controller", ...args, "--sandbox", "--endpoint", endpoint], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", NO_COLOR: "1", ...env },
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  rssMb(): number {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]) / 1024);
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await ended;
  }
}

/** Brings the stack up, and watches a controller that holds it and has nothing to do. */
export async function atRest(stack: StackArgs, ground: Ground, seconds: number): Promise<AtRest> {
  const controller = new Running(["--region", stack.region], ground);
  try {
    // Until the first look, and what it sets off, are over.
    await pause(15_000);
    await fetch(`${ground.endpoint}/__proxy/calls`, { method: "DELETE" });
    const cpuBefore = controller.cpuSeconds();
    await pause(seconds * 1000);
    const cpu = controller.cpuSeconds() - cpuBefore;
    const { calls, state } = await callsSince(ground.endpoint);
    const hours = 3600 / seconds;
    const sum = (counts: Calls) => Object.values(counts).reduce((total, count) => total + count, 0);
    return {
      stack: stack.name,
      seconds,
      callsPerHour: Math.round(sum(calls) * hours),
      stateCallsPerHour: Math.round(sum(state) * hours),
      cpuSecondsPerHour: Math.round(cpu * hours * 10) / 10,
      corePercent: Math.round((cpu / seconds) * 10_000) / 100,
      share: largestShare(calls, seconds),
      rssMb: controller.rssMb(),
    };
  } finally {
    await controller.end();
  }
}

function largestShare(calls: Calls, seconds: number): AtRest["share"] {
  const shares = Object.entries(calls).map(([operation, count]) => {
    const perSecond = Math.min(...bucketsOf(operation).map(({ limit }) => limit.refillPerSecond));
    return { operation, percent: Math.round((count / seconds / perSecond) * 10_000) / 100 };
  });
  return shares.sort((left, right) => right.percent - left.percent)[0] ?? { operation: "-", percent: 0 };
}

async function callsSince(endpoint: string): Promise<{ calls: Calls; state: Calls }> {
  const seen = (await (await fetch(`${endpoint}/__proxy/calls`)).json()) as readonly Seen[];
  const counted = (list: readonly Seen[]) =>
    Object.fromEntries([...Map.groupBy(list, ({ name }) => name)].map(([name, group]) => [name, group.length]));
  return { calls: counted(seen.filter((call) => !isState(call))), state: counted(seen.filter(isState)) };
}

/** How long outside changes of tags live, one after the other (events) or spread over time (polling). */
export async function corrections(
  stack: StackArgs,
  ground: Ground,
  how: { what: string; args: readonly string[]; times: number; spreadMs: number },
): Promise<Times> {
  const controller = new Running(["--region", stack.region, ...how.args], ground);
  const ec2 = new EC2({ endpoint: ground.endpoint, region: stack.region, credentials: CREDENTIALS });
  try {
    await pause(15_000);
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({ Filters: [{ Name: "tag-key", Values: ["beacon:stack"] }] });
    const ids = SecurityGroups.map(({ GroupId }) => GroupId as string);
    const lives = Array.from({ length: how.times }, async (_, index) => {
      await pause(index * how.spreadMs);
      return life(ec2, ids[index % ids.length] as string, `drift-${index}`);
    });
    return times(how.what, await Promise.all(lives));
  } finally {
    ec2.destroy();
    await controller.end();
  }
}

async function life(ec2: EC2, id: string, tag: string): Promise<number> {
  const startedMs = performance.now();
  // A rule nobody declared, told from others by its port range.
  const port = 20_000 + Number(tag.slice("drift-".length));
  const rule = { IpProtocol: "tcp", FromPort: port, ToPort: port, IpRanges: [{ CidrIp: "203.0.113.0/24" }] };
  await ec2.authorizeSecurityGroupIngress({ GroupId: id, IpPermissions: [rule] });
  for (;;) {
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({ GroupIds: [id] });
    if (!SecurityGroups[0]?.IpPermissions?.some(({ FromPort }) => FromPort === port)) return performance.now() - startedMs;
    await pause(50);
  }
}

function times(what: string, lived: readonly number[]): Times {
  const sorted = lived.toSorted((left, right) => left - right);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return { what, count: lived.length, p50: at(0.5), p99: at(0.99) };
}

/** From a holder's `kill -9` to the next one's lease, as the lease item tells. */
export async function takeover(stack: StackArgs, ground: Ground, rounds: number): Promise<Times> {
  const lived: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = new Running(["--region", stack.region], ground, { BEACON_HOLDER: "first" });
    await holds(ground, stack, "first");
    const second = new Running(["--region", stack.region], ground, { BEACON_HOLDER: "second" });
    await pause(5000);
    const holder = await holderOf(ground, stack);
    const [dying, heir] = holder.startsWith("first") ? [first, "second"] : [second, "first"];
    const startedMs = performance.now();
    await dying.end("SIGKILL");
    await holds(ground, stack, heir);
    lived.push(performance.now() - startedMs);
    await Promise.all([first.end(), second.end()]);
  }
  return times("takeover after kill -9", lived);
}

async function holds(ground: Ground, stack: StackArgs, holder: string): Promise<void> {
  while (!(await holderOf(ground, stack)).startsWith(holder)) await pause(100);
}

async function holderOf({ endpoint }: Ground, { region, name }: StackArgs): Promise<string> {
  const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
  const dynamodb = new DynamoDB({ endpoint, region, credentials: CREDENTIALS });
  try {
    const Key = { pk: { S: `stack#${name}` }, sk: { S: "lease" } };
    const { Item } = await dynamodb.getItem({ TableName: "beacon-state", Key, ConsistentRead: true });
    return Item?.free?.BOOL ? "" : (Item?.holder?.S ?? "");
  } finally {
    dynamodb.destroy();
  }
}

/** RSS in MB before and after as many passes as an hour has. */
export async function memory(stack: StackArgs, ground: Ground): Promise<readonly number[]> {
  const controller = new Running(["--region", stack.region, "--interval", "1s"], ground);
  try {
    await pause(15_000);
    const before = controller.rssMb();
    await pause(90_000);
    return [before, controller.rssMb()];
  } finally {
    await controller.end();
  }
}

/** All of it, for a stack that is up already and one that `big` brings up. */
export async function controllerFigures(prod: StackArgs, big: StackArgs, ground: Ground): Promise<ControllerFigures> {
  const apply = (stack: StackArgs) =>
    measure({ args: ["apply", ...stack.args, "--yes", "--confirm", "yes"], exitCode: 0, proxy: ground.endpoint, scratch: ground.scratch });
  await apply(prod);
  await measure({ args: ["bootstrap", "--events", "--region", prod.region], exitCode: 0, proxy: ground.endpoint, scratch: ground.scratch });
  const rest = [await atRest(prod, ground, 180)];
  const throughEvents = await corrections(prod, ground, { what: "events", args: [], times: 50, spreadMs: 500 });
  const byPolling = await corrections(prod, ground, { what: "polling at 60 s", args: ["--no-events"], times: 40, spreadMs: 3000 });
  const takeoverMs = await takeover(prod, ground, 3);
  const rss = await memory(prod, ground);
  await apply(big);
  rest.push(await atRest(big, ground, 180));
  return { atRest: rest, corrections: [throughEvents, byPolling], takeoverMs, rss };
}

/** The figures in lines. */
export function controllerText({ atRest: rest, corrections: corrected, takeoverMs, rss }: ControllerFigures): string {
  const lines = rest.map(
    ({ stack, seconds, callsPerHour, stateCallsPerHour, corePercent, cpuSecondsPerHour, share, rssMb }) =>
      `controller at rest, ${stack} (${seconds} s): ${callsPerHour} AWS calls and ${stateCallsPerHour} state calls an hour, ${cpuSecondsPerHour} s CPU an hour (${corePercent} % of a core), ${share.percent} % of the rate of ${share.operation}, ${rssMb} MB`,
  );
  const spent = [...corrected, takeoverMs].map(
    ({ what, count, p50, p99 }) => `controller, ${what}: p50 ${p50} ms, p99 ${p99} ms (${count})`,
  );
  return [...lines, ...spent, `controller, RSS before and after 90 passes: ${rss.join(" and ")} MB`].join("\n");
}
