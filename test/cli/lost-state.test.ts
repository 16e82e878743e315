/** The state table is lost: apply finds everything again, and what no manifest names becomes an orphan that only an explicit delete takes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sdkClients } from "../support/sandbox.ts";
import { type Ended, workspace } from "./beaconctl.ts";

const project = (name: string): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${name}}
spec: {id: ${name}, outputs: {vpcId: {value: "\${vpc.main.vpcId}"}}}
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
const group = (name: string, lifecycle = ""): string => `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: ${name}}
${lifecycle}
spec: {description: x, vpcId: "\${vpc.main.vpcId}"}
---
`;
const RETAIN = "lifecycle: {deletion: retain}";
const PROTECT = "lifecycle: {deletion: protect}";

function succeeded(ended: Ended): string {
  assert.equal(ended.exitCode, 0, `${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}

test("after the loss of state apply changes nothing and rebuilds; orphans are listed, stay, and go when named; protection in a tag holds", async () => {
  const manifests = (name: string) => ({ "m.yaml": project(name) + group("left", RETAIN) + group("kept", PROTECT) });
  await using place = await workspace(manifests, { ownTable: true });
  succeeded(await place.beaconctl("apply", "-f", "m.yaml", "--yes"));
  const { dynamodb } = await sdkClients();
  await dynamodb.updateTable({ TableName: place.project, DeletionProtectionEnabled: false });
  await dynamodb.deleteTable({ TableName: place.project });

  place.write({ "m.yaml": project(place.project) });
  assert.match(succeeded(await place.beaconctl("diff", "-f", "m.yaml")), /No differences/, "what is known of the outputs is lost, too");
  const rebuilt = succeeded(await place.beaconctl("apply", "-f", "m.yaml", "--yes", "-o", "json"));
  const { plan } = JSON.parse(rebuilt) as { plan: { changes: { key: string; action: string }[] } };
  assert.deepEqual(
    plan.changes.filter(({ action }) => action !== "none"),
    [],
    "nothing is created or changed",
  );
  assert.equal(succeeded(await place.beaconctl("get", "-f", "m.yaml", "-o", "name")), "VPC/main\n");
  const names = succeeded(await place.beaconctl("get", "orphans", "-f", "m.yaml", "-o", "name"));
  assert.deepEqual(names.trim().split("\n").sort(), ["SecurityGroup/kept", "SecurityGroup/left"]);

  const stack = ["--stack", `${place.project}/dev`];
  succeeded(await place.beaconctl("delete", "SecurityGroup/left", "--yes", ...stack));
  assert.match(succeeded(await place.beaconctl("outputs", "vpcId", ...stack)), /^vpc-/, "the stack's outputs stay");
  const refused = await place.beaconctl("delete", "SecurityGroup/kept", "--yes", ...stack);
  assert.equal(refused.exitCode, 4, refused.stderr);
  assert.match(refused.stderr, /SecurityGroup\/kept: protected/);
  succeeded(await place.beaconctl("delete", "SecurityGroup/kept", "--include-protected", "--confirm", `${place.project}/dev`, ...stack));
  assert.equal(succeeded(await place.beaconctl("get", "orphans", "-o", "name", ...stack)), "");
  succeeded(await place.beaconctl("delete", "--yes", ...stack));
});

test("unprotect: refused while a manifest protects; then the resource can be deleted, and the events tell", async () => {
  await using place = await workspace((name) => ({ "m.yaml": project(name) + group("kept", PROTECT) }));
  const stack = ["--stack", `${place.project}/dev`];
  succeeded(await place.beaconctl("apply", "-f", "m.yaml", "--yes"));
  const declared = await place.beaconctl("unprotect", "sg/kept", "-f", "m.yaml", "--yes");
  assert.equal(declared.exitCode, 4, declared.stderr);
  assert.match(declared.stderr, /m\.yaml:\d+/, "it says where");
  assert.equal((await place.beaconctl("delete", "--yes", ...stack)).exitCode, 6, "a protected resource stays behind");
  assert.equal(await deletionTag(place.project), "protect");
  succeeded(await place.beaconctl("unprotect", "sg/kept", "--yes", ...stack));
  assert.equal(await deletionTag(place.project), undefined, "the tag would outlive the records");
  assert.match(succeeded(await place.beaconctl("unprotect", "sg/kept", "--yes", ...stack)), /is not protected/);
  succeeded(await place.beaconctl("delete", "--yes", ...stack));
  assert.match(succeeded(await place.beaconctl("events", ...stack, "-o", "json")), /"type":"Unprotected"/);
});

/** The beacon:deletion tag of the group `kept`. */
async function deletionTag(project: string): Promise<string | undefined> {
  const { ec2 } = await sdkClients();
  const Filters = [
    { Name: "tag:beacon:stack", Values: [`${project}/dev`] },
    { Name: "tag:beacon:resource", Values: ["SecurityGroup/kept"] },
  ];
  const { SecurityGroups } = await ec2.describeSecurityGroups({ Filters });
  return SecurityGroups?.[0]?.Tags?.find(({ Key }) => Key === "beacon:deletion")?.Value;
}
