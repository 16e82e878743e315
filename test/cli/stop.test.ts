/** Leases and signals, with the real process. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { sandboxEndpoint, sdkClients } from "../support/sandbox.ts";
import { type Workspace, workspace } from "./beaconctl.ts";

const manifests = (project: string): Readonly<Record<string, string>> => ({
  "m.yaml": `
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
apiVersion: ec2.aws/v1
kind: Subnet
metadata: {name: a}
spec: {vpcId: "\${vpc.main.vpcId}", cidrBlock: 10.0.1.0/24}
`,
});

const APPLY = ["apply", "-f", "m.yaml", "--yes"];

test("SIGINT: the call in flight is waited for, no new one is made, the next run goes on; meanwhile a second apply is refused", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const { held, running: first } = await applyHeld(proxy, place);

  const second = await place.beaconctl(...APPLY);
  assert.equal(second.exitCode, 5, second.stderr);
  assert.match(second.stderr, /\(pid \d+\).*since/);

  first.child.kill("SIGINT");
  await first.said(/SIGINT: stopping/);
  held.release();
  const ended = await first.ended;
  assert.equal(ended.exitCode, 130, ended.stderr);
  assert.match(ended.stdout, /interrupted +Subnet\/a/);
  assert.deepEqual(calls(proxy.mutatingCalls), ["ec2:CreateVpc"]);

  assert.equal((await place.beaconctl(...APPLY)).exitCode, 0);
  assert.deepEqual(calls(proxy.mutatingCalls), ["ec2:CreateVpc", "ec2:CreateSubnet"]);
});

test("a second signal ends the process at once", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const { running } = await applyHeld(proxy, place);
  running.child.kill("SIGTERM");
  await running.said(/SIGTERM: stopping/);
  running.child.kill("SIGTERM");
  const ended = await running.ended;
  assert.equal(ended.exitCode, 143);
  assert.doesNotMatch(ended.stdout, /interrupted/, "no report: nothing was waited for");
});

test("a signal that comes twice in one breath, as timeout(1) sends it, is one", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const { held, running } = await applyHeld(proxy, place);
  running.child.kill("SIGTERM");
  running.child.kill("SIGTERM");
  await running.said(/SIGTERM: stopping/);
  held.release();
  const ended = await running.ended;
  assert.equal(ended.exitCode, 143);
  assert.match(ended.stdout, /interrupted +Subnet\/a/, "what was in flight was waited for");
});

test("--wait: says who holds the stack, then goes on; SIGTERM ends the wait with 143, and nothing is done", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const { held, running: first } = await applyHeld(proxy, place);

  const [patient, stopped] = [place.start([...APPLY, "--wait"]), place.start([...APPLY, "--wait"])];
  await Promise.all([patient.said(/\(pid \d+\) holds .* since/), stopped.said(/\(pid \d+\) holds .* since/)]);
  stopped.child.kill("SIGTERM");
  const { exitCode, stderr } = await stopped.ended;
  assert.equal(exitCode, 143, stderr);
  assert.match(stderr, /interrupted before anything was changed/);

  held.release();
  assert.equal((await first.ended).exitCode, 0);
  const waited = await patient.ended;
  assert.equal(waited.exitCode, 0, waited.stderr);
  assert.match(waited.stdout, /Nothing to do/, "the first has done it all");
  assert.deepEqual(calls(proxy.mutatingCalls), ["ec2:CreateVpc", "ec2:CreateSubnet"]);
});

test("--timeout: what still waits is named with its reason, and the exit code is 7", async () => {
  await using place = await workspace(manifests);
  assert.equal((await place.beaconctl(...APPLY)).exitCode, 0);
  const { ec2 } = await sdkClients();
  const { Vpcs } = await ec2.describeVpcs({ Filters: [{ Name: "tag:beacon:stack", Values: [`${place.project}/dev`] }] });
  const { Subnet } = await ec2.createSubnet({ VpcId: Vpcs?.[0]?.VpcId, CidrBlock: "10.0.9.0/24" });

  const ended = await place.beaconctl("delete", "--stack", `${place.project}/dev`, "--yes", "--timeout", "1s");
  assert.equal(ended.exitCode, 7, ended.stderr);
  assert.match(ended.stdout, new RegExp(`waiting +VPC/main +Blocked: .*${Subnet?.SubnetId}`));
  assert.match(ended.stdout, /1 deleted, 1 still waiting/);

  await ec2.deleteSubnet({ SubnetId: Subnet?.SubnetId });
  assert.equal((await place.beaconctl("delete", "--stack", `${place.project}/dev`, "--yes")).exitCode, 0);
});

/** An apply whose first call waits at the proxy until it is released. */
async function applyHeld(proxy: FaultProxy, place: Workspace) {
  const held = proxy.inject({ match: { operations: ["ec2:CreateVpc"] }, fault: { type: "hold", when: "before" } });
  const running = place.start(APPLY);
  await held.struck;
  return { held, running };
}

function calls(recorded: readonly { readonly name: string }[]): string[] {
  return recorded.map(({ name }) => name).filter((name) => name.startsWith("ec2:"));
}
