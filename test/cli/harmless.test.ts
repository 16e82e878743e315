/** Bad input never costs data: what is invalid, fails or is refused leaves AWS and the state exactly as they were. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { sandboxEndpoint, sdkClients } from "../support/sandbox.ts";
import { workspace } from "./beaconctl.ts";

const project = (name: string, { id = name, confirm = "" } = {}): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${name}}
spec: {id: ${id}}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true${confirm}}
---
`;
const vpc = (cidrBlock: string, lifecycle = ""): string => `
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
lifecycle: {deletion: protect${lifecycle}}
spec: {cidrBlock: ${cidrBlock}}
---
`;
const logs = `
apiVersion: logs.aws/v1
kind: LogGroup
metadata: {name: app}
spec: {retentionInDays: 7}
---
`;

test("invalid manifests, failed validations and refused plans send no mutating call and write no state", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace((name) => ({ "m.yaml": project(name) + vpc("10.0.0.0/16") + logs }), {
    endpoint: proxy.endpoint,
    ownTable: true,
  });
  const applied = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(applied.exitCode, 0, applied.stderr);
  const name = place.project;
  const [state, calls] = [await everyItem(name), proxy.mutatingCalls.length];
  assert.ok(calls > 0 && state.length > 0, "what is compared is there");

  const stack = ["--stack", `${name}/dev`];
  const apply = ["apply", "-f", "m.yaml", "--yes"];
  const cases: readonly { why: string; manifests: string; args: readonly string[]; exitCode: number }[] = [
    { why: "YAML that cannot be read", manifests: "a: [", args: apply, exitCode: 2 },
    { why: "an empty file: nothing is declared, which is no wish to delete everything", manifests: "", args: apply, exitCode: 2 },
    { why: "a wrong value beside right changes", manifests: project(name) + vpc("10.0.0.0/99"), args: apply, exitCode: 2 },
    { why: "deletions without approval", manifests: project(name) + vpc("10.0.0.0/16"), args: apply, exitCode: 4 },
    {
      why: "a phrase that nobody gave",
      manifests: project(name, { confirm: ", confirm: {apply: ship it}" }) + vpc("10.0.0.0/16") + logs.replace("7", "14"),
      args: apply,
      exitCode: 4,
    },
    {
      why: "another plan than the expected one",
      manifests: project(name) + vpc("10.0.0.0/16") + logs.replace("7", "14"),
      args: [...apply, "--expect", "00000000"],
      exitCode: 4,
    },
    { why: "another project's manifests", manifests: project(name, { id: "elsewhere" }) + vpc("10.0.0.0/16"), args: apply, exitCode: 4 },
    { why: "a single resource that is still declared", manifests: "", args: ["delete", "LogGroup/app", "--yes", ...stack], exitCode: 4 },
    { why: "deleting with no answer", manifests: "", args: ["delete", ...stack], exitCode: 4 },
    {
      why: "a look",
      manifests: project(name) + vpc("10.0.0.0/16") + logs.replace("7", "14"),
      args: ["diff", "-f", "m.yaml"],
      exitCode: 1,
    },
  ];
  for (const { why, manifests, args, exitCode } of cases) {
    place.write({ "m.yaml": manifests });
    const ended = await place.beaconctl(...args);
    assert.equal(ended.exitCode, exitCode, `${why}: ${ended.stdout}\n${ended.stderr}`);
    assert.deepEqual(await everyItem(name), state, `${why}: the state`);
    assert.deepEqual(
      proxy.mutatingCalls.slice(calls).map((call) => call.name),
      [],
      `${why}: calls`,
    );
  }
});

const group = `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: app}
spec: {groupName: app, description: x, vpcId: "\${vpc.main.vpcId}"}
---
`;

test("a stranger of the name of something that vanished is refused before anything is sent", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  const manifests = (name: string) => ({ "m.yaml": project(name) + vpc("10.0.0.0/16").replace("protect", "delete") + group });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const applied = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(applied.exitCode, 0, applied.stderr);
  const { ec2 } = await sdkClients();
  const Filters = [{ Name: "tag:beacon:stack", Values: [`${place.project}/dev`] }];
  const ours = (await ec2.describeSecurityGroups({ Filters })).SecurityGroups?.[0];
  assert.ok(ours);
  await ec2.deleteSecurityGroup({ GroupId: ours.GroupId });
  await ec2.createSecurityGroup({ GroupName: "app", Description: "by hand", VpcId: ours.VpcId });

  proxy.clearCalls();
  const refused = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(refused.exitCode, 6, refused.stderr);
  assert.match(refused.stdout + refused.stderr, /SecurityGroup\/app {2}NotOwned: sg-/);
  assert.deepEqual(
    proxy.mutatingCalls.map(({ name }) => name).filter((name) => name.startsWith("ec2:")),
    [],
  );
});

/** Every item of a state table, as it is stored. */
async function everyItem(table: string): Promise<unknown[]> {
  const { dynamodb } = await sdkClients();
  const { Items = [] } = await dynamodb.scan({ TableName: table, ConsistentRead: true });
  return Items.toSorted((left, right) => JSON.stringify(left).localeCompare(JSON.stringify(right)));
}
