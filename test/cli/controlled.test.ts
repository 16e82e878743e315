/** The commands with the real process, while a controller holds the stack: what they ask of it, and what they make of its answers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StackRequest } from "../../src/core/record.ts";
import { record } from "../state/scene.ts";
import { sdkClients } from "../support/sandbox.ts";
import { type Ended, type Workspace, workspace } from "./beaconctl.ts";
import { type StandIn, standIn } from "./stand-in.ts";

const head = (project: string): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec: {id: ${project}}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
---
`;
const logs = (days: number): string => `
apiVersion: logs.aws/v1
kind: LogGroup
metadata: {name: app}
spec: {retentionInDays: ${days}}
`;

function ended(run: Ended, exitCode: number, what: string): string {
  assert.equal(run.exitCode, exitCode, `${what}: ${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

/** A stack at revision 1, and somebody who holds it. */
async function held(manifests: (project: string) => string): Promise<{ place: Workspace; controller: StandIn } & AsyncDisposable> {
  const place = await workspace((project) => ({ "m.yaml": manifests(project) }));
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes"), 0, "apply");
  const controller = await standIn(place.project);
  await controller.say({});
  const dispose = async () => {
    await controller[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, controller, [Symbol.asyncDispose]: dispose };
}

const has = (type: StackRequest["type"]) => (news: { readonly requests: readonly StackRequest[] }) =>
  news.requests.some((request) => request.type === type);

test("apply hands the revision over with its source and what was approved, follows until it is done, and does nothing itself", async () => {
  await using scene = await held((name) => head(name) + logs(7));
  const { place, controller } = scene;
  place.write({ "m.yaml": head(place.project) });
  const applying = place.start(["apply", "-f", "m.yaml", "--yes", "--allow", "delete=1", "-m", "no logs"]);
  const { revision } = await controller.until((news) => news.revision?.number === 2);
  assert.deepEqual(
    [revision?.grants, revision?.message, revision?.resources],
    [{ delete: ["LogGroup/app"], replace: [], missing: [] }, "no logs", ["VPC/main"]],
  );
  const stack = { project: place.project, environment: "dev" };
  assert.match((await controller.store.source(stack, 2))?.sources[0]?.text ?? "", /kind: VPC/);
  await controller.say({ phase: "Converging", message: "revision 2 is being brought about", revision: 2, converged: 1 });
  await applying.said(/Converging: revision 2 is being brought about/);
  const { logs: client } = await sdkClients();
  const { logGroups } = await client.describeLogGroups({ logGroupNamePrefix: `${place.project}-dev-app` });
  assert.equal(logGroups?.length, 1, "the deletion is the controller's");
  controller.lease().journal.remove("LogGroup/app");
  await controller.say({ revision: 2, converged: 2 });
  assert.match(ended(await applying.ended, 0, "apply"), /1 deleted\./);
});

test("what failed ends with 6, a time that is over with 7, a signal with 130; --no-wait leaves at once", async () => {
  await using scene = await held((name) => head(name) + logs(7));
  const { place, controller } = scene;
  const apply = (days: number, ...more: readonly string[]) => {
    place.write({ "m.yaml": head(place.project) + logs(days) });
    return place.start(["apply", "-f", "m.yaml", "--yes", ...more]);
  };
  const failing = apply(14);
  await controller.until((news) => news.revision?.number === 2);
  const unfinished = [{ key: "LogGroup/app", outcome: "failed", message: "not allowed" }] as const;
  await controller.say({ phase: "Stalled", message: "LogGroup/app: not allowed", revision: 2, converged: 1, unfinished });
  assert.match(ended(await failing.ended, 6, "failed"), /failed +LogGroup\/app +not allowed/);

  const leaving = await apply(30, "--no-wait").ended;
  ended(leaving, 0, "--no-wait");
  assert.match(leaving.stderr, /follow it with: beaconctl get -w/);
  assert.equal((await controller.until(() => true)).revision?.number, 3);

  const late = await apply(30, "--timeout", "1s").ended;
  assert.match(ended(late, 7, "late: the same again is no new revision, and is followed"), /waiting +LogGroup\/app/);
  assert.equal((await controller.until(() => true)).revision?.number, 3);

  const left = apply(30);
  await left.said(/brings revision 3 about/);
  left.child.kill("SIGINT");
  ended(await left.ended, 130, "left");
});

test("a rollback holds the watched manifests back before it is accepted", async () => {
  await using scene = await held((name) => head(name) + logs(7));
  const { place, controller } = scene;
  place.write({ "m.yaml": head(place.project) + logs(14) });
  const applying = place.start(["apply", "-f", "m.yaml", "--yes"]);
  await controller.until((news) => news.revision?.number === 2);
  await controller.say({ revision: 2, converged: 2, sourceDigest: "f00" });
  ended(await applying.ended, 0, "apply");
  const back = await place.beaconctl("rollback", "1", "--stack", `${place.project}/dev`, "--yes", "--no-wait");
  ended(back, 0, "rollback");
  const { requests, revision } = await controller.until(() => true);
  assert.deepEqual([revision?.number, revision?.rollbackOf], [3, 1]);
  const [hold] = requests;
  assert.ok(hold?.type === "hold" && hold.digest === "f00");
  assert.match(hold.reason, /rolled back to revision 1 by arn:/);
  ended(await place.beaconctl("resume", "--stack", `${place.project}/dev`), 0, "resume");
  assert.deepEqual(
    (await controller.until(() => true)).requests.map(({ type }) => type),
    ["check"],
    "it looks at once",
  );
});

test("what needs the lease asks for it, has it, and takes the request back", async () => {
  await using scene = await held(head);
  const { place, controller } = scene;
  const stack = ["--stack", `${place.project}/dev`];
  const interrupted = place.start(["delete", "--yes", ...stack]);
  await controller.until(has("yield"));
  await interrupted.said(/the controller holds .*; it was asked to hand it over/);
  interrupted.child.kill("SIGTERM");
  ended(await interrupted.ended, 143, "interrupted");
  assert.deepEqual((await controller.until(() => true)).requests, [], "the request goes with who made it");

  const deleting = place.start(["delete", "--yes", ...stack]);
  await controller.until(has("yield"));
  await controller.release();
  ended(await deleting.ended, 0, "delete");
  const { requests, revision } = await controller.until(() => true);
  assert.deepEqual([requests, revision], [[], undefined]);
});

test("drift that a controller leaves, and a paused stack, are a person's own to apply", async () => {
  await using scene = await held((name) => head(name) + logs(7));
  const { place, controller } = scene;
  const { logs: client } = await sdkClients();
  const logGroupName = `${place.project}-dev-app`;
  await client.putRetentionPolicy({ logGroupName, retentionInDays: 1 });
  const correcting = place.start(["apply", "-f", "m.yaml", "--yes"]);
  await controller.until(has("yield"));
  await controller.release();
  assert.match(ended(await correcting.ended, 0, "apply"), /1 updated/);
  assert.equal((await client.describeLogGroups({ logGroupNamePrefix: logGroupName })).logGroups?.[0]?.retentionInDays, 7);
  await controller.acquire();
  ended(await place.beaconctl("pause", "--for", "1h", "--reason", "why", "--stack", `${place.project}/dev`), 0, "pause");
  place.write({ "m.yaml": head(place.project) + logs(14) });
  const paused = place.start(["apply", "-f", "m.yaml", "--yes"]);
  await controller.until(has("yield"));
  await controller.release();
  ended(await paused.ended, 0, "apply on a paused stack");
  assert.equal((await controller.until(() => true)).revision?.number, 2);
});

test("approve shows what is awaited, approves exactly that, and follows", async () => {
  await using scene = await held((name) => head(name) + logs(7));
  const { place, controller } = scene;
  const stack = ["--stack", `${place.project}/dev`];
  const grants = { delete: ["LogGroup/app"], replace: [], missing: [] } as const;
  const awaiting = { digest: "7f3a91c2", what: "revision", grants, message: "a change of the watched manifests" } as const;
  await controller.say({ phase: "AwaitingApproval", awaiting });
  const refusals: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [["--yes"], /--allow delete=1/],
    [["--yes", "--expect", "00000000"], /what is awaited is 7f3a91c2, not 00000000/],
  ];
  for (const [args, said] of refusals) {
    const refused = await place.beaconctl("approve", ...args, ...stack);
    assert.match(ended(refused, 4, args.join(" ")), /LogGroup\/app +will be deleted/);
    assert.match(refused.stderr, said);
  }
  assert.deepEqual((await controller.until(() => true)).requests, []);
  const approving = place.start(["approve", "--yes", "--expect", "7f3a91c2", ...stack]);
  const { requests } = await controller.until(has("approve"));
  assert.ok(requests[0]?.type === "approve" && requests[0].digest === "7f3a91c2");
  await controller.say({ revision: 2, converged: 2, message: "" });
  assert.match(ended(await approving.ended, 0, "approve"), /Synced, revision 2/);
});

test("check waits for the look that it asked for, and tells what it found", async () => {
  await using scene = await held(head);
  const { place, controller } = scene;
  const stack = { project: place.project, environment: "dev" };
  const kind = "ec2.aws/v1 VPC";
  const checks = () => ({ [kind]: { at: new Date(Date.now() + 1000).toISOString(), next: new Date(Date.now() + 60_000).toISOString() } });
  const checking = place.start(["check", "vpc/main", "--stack", `${place.project}/dev`]);
  const { requests } = await controller.until(has("check"));
  assert.ok(requests[0]?.type === "check" && requests[0].target === "VPC/main");
  const { records } = await controller.store.load(stack);
  const by = { principal: "arn:ops", sourceIp: "", userAgent: "", action: "ec2:CreateTags", at: "", via: "event" } as const;
  const drift = [{ path: "tags.Name", from: "main", to: "other", firstSeenAt: new Date().toISOString(), by }] as const;
  controller.lease().journal.put({ ...(records.get("VPC/main") ?? record("VPC/main")), drift });
  await controller.store.withdraw(stack, requests);
  await controller.say({ phase: "Drifted", message: "VPC/main: tags.Name", checks: checks() });
  const found = ended(await checking.ended, 0, "check");
  assert.match(
    found,
    /~ VPC\/main {2}drift, since \d\d:\d\d UTC by arn:ops \(CreateTags\)\n +tags\.Name +main is other at AWS\n1 resource looked at, 1 drifted\./,
  );

  const row = ended(await place.beaconctl("get", "-f", "m.yaml"), 0, "get");
  assert.match(row, /NAME +STATUS +ID +CHECKED +NEXT\nVPC\/main +Drifted +vpc-\w+ +(\d+ s ago|in \d+ s) +in \d+ s/);
  const described = ended(await place.beaconctl("describe", "vpc/main", "-f", "m.yaml"), 0, "describe");
  assert.match(described, /checked .*, next in \d+ s\n/);
  assert.match(described, /Drift +since \d\d:\d\d UTC by arn:ops \(CreateTags\)\n +tags\.Name: main is other at AWS/);
  const stacks = ended(await place.beaconctl("get", "stacks"), 0, "get stacks");
  assert.match(stacks, new RegExp(`${place.project}/dev +Drifted +1 +the controller .* VPC/main: tags\\.Name`));
});
