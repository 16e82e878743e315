/**
 * `npm run bench`: what BEACON costs. Prints a table and writes bench/results/latest.json; judges nothing by time.
 *
 * Figures are of the built dist/ on node@26, whole processes, medians of several runs by CPU time. Calls are counted by a
 * proxy between beaconctl and the sandbox. `--sizes 100,1000`, `--runs 3` and `--only stacks` (or `controller`) choose less or more. Polls are not counted among the AWS calls.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import * as sandboxControl from "../sandbox/sandbox.ts";
import { type ControllerFigures, controllerFigures, controllerText } from "./controller.ts";
import { type Command, type Cost, measure, median, total } from "./measure.ts";
import { chainText, SLOW_MS, type Slow, slowApply } from "./slow.ts";
import { writeSynthetic } from "./synthetic.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** The larger stack that a controller is watched with. */
const AT_REST_SIZE = 1000;

type Manifests = { readonly folders: readonly string[]; readonly env: readonly string[]; readonly oneChange: readonly string[] };
type Row = { readonly stack: string; readonly what: string; readonly cost: Cost };

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000,5000" },
    runs: { type: "string", default: "3" },
    only: { type: "string", default: "stacks,controller" },
  },
});
const sizes = values.sizes.split(",").filter(Boolean).map(Number);
const runs = Number(values.runs);
const scratch = await mkdtemp(join(tmpdir(), "beacon-bench-"));
const sandbox = await sandboxControl.start({ dir: join(scratch, "sandbox"), onNote: console.error });
const proxy = spawn(process.execPath, [join(ROOT, "test/support/fault-proxy.ts"), "--upstream", sandbox.endpoint], {
  stdio: ["pipe", "pipe", "inherit"],
});
const rows: Row[] = [];
let chain: Slow | undefined;
let controller: ControllerFigures | undefined;
try {
  const endpoint = await proxyEndpoint(proxy);
  if (values.only.includes("stacks")) await measureStacks(endpoint);
  if (values.only.includes("controller")) controller = await measureController(endpoint);
} finally {
  proxy.kill();
  await sandboxControl.stop({ dir: join(scratch, "sandbox") });
}
await report(rows);
await rm(scratch, { recursive: true });

async function measureStacks(endpoint: string): Promise<void> {
  rows.push(...(await offline()));
  const prod = { folders: [join(ROOT, "manifests")], env: ["--env", "prod"], oneChange: ["--param", "logRetentionDays=14"] };
  rows.push(...(await stackRows("manifests, prod", prod, { endpoint, repeats: runs })));
  chain = await slowApply(["-f", join(ROOT, "manifests"), "--env", "prod"], { endpoint, scratch });
  for (const size of sizes) {
    const folder = join(scratch, String(size));
    await writeSynthetic(folder, size);
    const synthetic = { folders: [folder], env: [], oneChange: ["--param", "retention=14"] };
    rows.push(...(await stackRows(`${size} resources`, synthetic, { endpoint, repeats: size > 1000 ? 1 : runs })));
  }
}

async function measureController(endpoint: string): Promise<ControllerFigures> {
  const folder = join(scratch, "at-rest");
  await writeSynthetic(folder, AT_REST_SIZE);
  const prod = { name: "beacon/prod", args: ["-f", join(ROOT, "manifests"), "--env", "prod"], region: "ap-northeast-2" };
  const big = { name: `${AT_REST_SIZE} resources`, args: ["-f", folder], region: "eu-west-1" };
  return await controllerFigures(prod, big, { endpoint, scratch });
}

async function proxyEndpoint(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the proxy has no output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return (JSON.parse(line) as { endpoint: string }).endpoint;
}

async function repeated(stack: string, what: string, command: Omit<Command, "scratch">, times: number): Promise<Row> {
  const costs: Cost[] = [];
  for (let run = 0; run < times; run++) costs.push(await measure({ ...command, scratch }));
  console.error(`${stack}: ${what}`);
  return { stack, what, cost: median(costs) };
}

async function offline(): Promise<Row[]> {
  return [
    await repeated("-", "--help", { args: ["--help"], exitCode: 0 }, runs),
    await repeated("-", "version", { args: ["version"], exitCode: 0 }, runs),
    await repeated(
      "manifests",
      "validate",
      { args: ["validate", "-f", join(ROOT, "manifests"), "--sandbox", "--sandbox-dir", join(scratch, "sandbox")], exitCode: 0 },
      runs,
    ),
  ];
}

/** One life of a stack: created, looked at, one thing drifted, corrected, deleted. Repeated lives give the medians. */
async function stackRows(stack: string, { folders, env, oneChange }: Manifests, at: { endpoint: string; repeats: number }): Promise<Row[]> {
  const source = [...folders.flatMap((folder) => ["-f", folder]), ...env];
  const steps: readonly [string, readonly string[], number][] = [
    ["cold apply", ["apply", ...source, "--yes", "--confirm", "yes"], 0],
    ["no-change diff", ["diff", ...source], 0],
    ["no-change apply", ["apply", ...source, "--yes", "--confirm", "yes"], 0],
    ["one-drift diff", ["diff", ...source], 1],
    ["one-drift apply", ["apply", ...source, "--yes", "--confirm", "yes"], 0],
    ["one-change apply", ["apply", ...source, ...oneChange, "--yes", "--confirm", "yes"], 0],
    ["delete", ["delete", ...source, "--yes", "--include-protected", "--confirm", "destroy-prod", "--allow", "delete=100000"], 0],
  ];
  const costs = new Map<string, Cost[]>(steps.map(([what]) => [what, []]));
  for (let life = 0; life < at.repeats; life++) {
    for (const [what, args, exitCode] of steps) {
      if (what === "one-drift diff") await driftOne(at.endpoint);
      costs.get(what)?.push(await measure({ args, exitCode, proxy: at.endpoint, scratch }));
    }
    console.error(`${stack}: life ${life + 1} of ${at.repeats}`);
  }
  return [...costs].map(([what, list]) => ({ stack, what, cost: median(list) }));
}

/** An outside hand: the VPCs lose the value of a default tag. */
async function driftOne(endpoint: string): Promise<void> {
  const { EC2 } = await import("@aws-sdk/client-ec2");
  for (const region of ["ap-northeast-2", "eu-west-1"]) {
    const ec2 = new EC2({ endpoint, region, credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
    const { Vpcs } = await ec2.describeVpcs({ Filters: [{ Name: "tag-key", Values: ["beacon:stack"] }] });
    for (const vpc of Vpcs ?? []) await ec2.createTags({ Resources: [vpc.VpcId ?? ""], Tags: [{ Key: "Project", Value: "drifted" }] });
    ec2.destroy();
  }
}

/** `ec2 14, dynamodb 12`: the most first. */
function servicesOf(calls: Cost["calls"]): string {
  const sums = new Map<string, number>();
  for (const [name, count] of Object.entries(calls)) {
    const service = name.slice(0, name.indexOf(":"));
    sums.set(service, (sums.get(service) ?? 0) + count);
  }
  return [...sums]
    .sort(([, left], [, right]) => right - left)
    .map(([service, count]) => `${service} ${count}`)
    .join(", ");
}

async function report(measured: readonly Row[]): Promise<void> {
  const header = ["stack", "what", "wall ms", "CPU ms", "RSS MB", "AWS calls", "polls", "state writes", "heartbeats", "state reads"];
  const cells = measured.map(({ stack, what, cost }) =>
    [
      ...[stack, what, cost.wallMs, cost.cpuMs, cost.peakRssMb],
      ...[total(cost.calls) - cost.polls, cost.polls, cost.stateWrites, cost.heartbeats, cost.stateReads],
    ].map(String),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  console.log([line(header), ...cells.map(line)].join("\n"));
  for (const { stack, what, cost } of measured.filter(({ stack: name }) => name.includes("prod"))) {
    console.log(`${stack}, ${what}: ${servicesOf(cost.calls)}`);
  }
  if (controller) console.log(controllerText(controller));
  if (chain) console.log(`manifests, prod, ${SLOW_MS} ms added to each mutating call: ${chainText(chain)}`);
  const folder = join(ROOT, "bench/results");
  await mkdir(folder, { recursive: true });
  const more = { ...(chain ? { chain } : {}), ...(controller ? { controller } : {}) };
  const facts = { at: new Date().toISOString(), cpus: cpus().length, cpu: cpus()[0]?.model, runs };
  await writeFile(join(folder, "latest.json"), `${JSON.stringify({ ...facts, rows: measured, ...more }, null, 2)}\n`);
}
