/** What `npm run build` leaves out, nobody misses: the built files alone run, and can call whatever BEACON declares. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { kinds } from "../../reconcilers/index.ts";
import * as permissions from "../../src/aws/permissions.ts";
import type { OperationName } from "../../src/aws/service.ts";
import { SIMULATION_OPERATIONS } from "../../src/aws/simulation.ts";
import { operationsOf } from "../../src/kind/operations.ts";
import { monitorOperations } from "../../src/monitor/monitor.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

// Outside the repository, so that no node_modules is found from there.
const place = mkdtempSync(join(tmpdir(), "beacon-build-"));
const dist = join(place, "dist");
let files: readonly string[];

before(async () => {
  await run(process.execPath, [join(ROOT, "scripts/build.ts"), "--out", dist]);
  copyFileSync(join(ROOT, "package.json"), join(place, "package.json"));
  files = (await readdir(dist)).filter((name) => name.endsWith(".js"));
});
after(() => rmSync(place, { recursive: true }));

test("the command runs where nothing is installed", async () => {
  const where = ["--sandbox-dir", join(place, "sandbox")];
  const { stdout } = await run(process.execPath, [join(dist, "main.js"), "validate", "-f", join(ROOT, "manifests"), "--sandbox", ...where]);
  assert.match(stdout, /^Valid: /);
});

test("every declared operation can be called", async () => {
  const clients = files.filter((name) => name.startsWith("client-"));
  const modules = await Promise.all(clients.map((name) => import(join(dist, name)) as Promise<object>));
  const commands = new Set(modules.flatMap((module) => Object.keys(module)));
  const declared = new Set<OperationName>([
    ...[...kinds.values()].flatMap(operationsOf),
    ...monitorOperations(),
    ...SIMULATION_OPERATIONS,
    ...Object.entries(permissions).flatMap(([name, value]) => (name.endsWith("_OPERATIONS") ? (value as readonly OperationName[]) : [])),
    "sts:GetCallerIdentity",
  ]);
  const missing = [...declared].filter((operation) => !commands.has(`${operation.slice(operation.indexOf(":") + 1)}Command`));
  assert.deepEqual(missing, []);
});

test("a client has no command that nobody declares", async () => {
  const ec2 = files.find((name) => name.startsWith("client-ec2")) ?? "";
  const text = readFileSync(join(dist, ec2), "utf8");
  assert.match(text, /CreateVpc/);
  assert.doesNotMatch(text, /CreateVpnGateway/, "nor its schemas");
});

test("a place in a built file leads back to its source", () => {
  const main = readFileSync(join(dist, "main.js"), "utf8").split("\n");
  const line = main.findIndex((text) => text.includes("function packageVersion"));
  const map = new SourceMap(JSON.parse(readFileSync(join(dist, "main.js.map"), "utf8")));
  const entry = map.findEntry(line, main[line]?.indexOf("packageVersion") ?? 0);
  assert.match("originalSource" in entry ? entry.originalSource : "", /src\/main\.ts$/);
});

test("the licences of what is inside are shipped with it", () => {
  const licenses = readFileSync(join(dist, "LICENSES.txt"), "utf8");
  for (const dependency of ["@aws-sdk/client-ec2", "@smithy/core", "zod", "yaml", "commander"]) {
    assert.match(licenses, new RegExp(`^${dependency} \\d.*\\(.+\\)$`, "m"));
  }
  assert.match(licenses, /^Permission is hereby granted/m);
});
