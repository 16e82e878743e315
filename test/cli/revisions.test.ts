/** Revisions with the real process, while no controller is about: made, listed, compared, rolled back; pauses; live values. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sdkClients } from "../support/sandbox.ts";
import { type Ended, type Workspace, workspace } from "./beaconctl.ts";

const head = (project: string, more = ""): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec:
  id: ${project}
  defaultTags: {Owner: team}
  outputs:
    vpcId: {value: "\${vpc.main.vpcId}"}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true${more}}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec:
  cidrBlock: 10.0.0.0/16
  tags: {Name: main, Team: "\${project.name}"}
---
`;
const group = (port: number): string => `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: web}
spec:
  description: web
  vpcId: \${vpc.main.vpcId}
  ingress: [{ipProtocol: tcp, fromPort: ${port}, toPort: ${port}, cidrIpv4: 0.0.0.0/0}]
---
`;
const table = (name: string): string => `
apiVersion: dynamodb.aws/v1
kind: Table
metadata: {name: data}
lifecycle: {deletion: delete}
spec: {tableName: ${name}, billingMode: PAY_PER_REQUEST, keySchema: {hash: id}, attributeDefinitions: {id: S}}
---
`;

function ended(run: Ended, exitCode: number, what: string): string {
  assert.equal(run.exitCode, exitCode, `${what}: ${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

type Listed = {
  readonly number: number;
  readonly message?: string;
  readonly rollbackOf?: number;
  readonly accepted: boolean;
  readonly grants: Readonly<Record<string, readonly string[]>>;
  readonly declared?: { readonly added: number; readonly removed: number };
};

async function history(place: Workspace): Promise<readonly Listed[]> {
  return JSON.parse(ended(await place.beaconctl("history", "--stack", `${place.project}/dev`, "-o", "json"), 0, "history"));
}

test("each change is a revision, a second apply is none; diff against an earlier one, and back to it", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) + group(443) }));
  const stack = ["--stack", `${place.project}/dev`];
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes", "-m", "to begin with"), 0, "first apply");
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes", "-m", "nothing"), 0, "nothing to do");
  place.write({ "m.yaml": head(place.project) + group(8443) });
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes"), 0, "another port");
  place.write({ "m.yaml": head(place.project) });
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes", "--allow", "delete=1"), 0, "without the group");
  const revisions = await history(place);
  assert.deepEqual(
    revisions.map(({ number, message, accepted, declared }) => [number, message, accepted, declared?.added, declared?.removed]),
    [
      [3, undefined, true, 0, 1],
      [2, undefined, false, 0, 0],
      [1, "to begin with", false, undefined, undefined],
    ],
  );
  const unused = { delete: [], replace: [], missing: [] };
  assert.deepEqual(revisions[0]?.grants, unused, "what was approved and done is approved no more");
  const shown = ended(await place.beaconctl("history", ...stack), 0, "history as a table");
  assert.match(shown, /^\* 3 .* 1 \(-1\)$/m);
  assert.match(shown, /^ {2}1 .* to begin with$/m);

  const against = ended(await place.beaconctl("diff", "--revision", "1", ...stack), 1, "diff against the first");
  assert.match(against, /\+ SecurityGroup\/web/);
  assert.match(against, /rollback exactly this with: --expect/);
  assert.equal((await history(place)).length, 3, "a look accepts nothing");
  const refused = await place.beaconctl("rollback", "1", ...stack);
  ended(refused, 4, "nobody said yes");

  const back = ended(await place.beaconctl("rollback", "1", ...stack, "--yes", "-m", "8443 was wrong"), 0, "rollback");
  assert.match(back, /1 created/);
  const [newest] = await history(place);
  assert.deepEqual([newest?.number, newest?.rollbackOf, newest?.message], [4, 1, "8443 was wrong"]);
  const { ec2 } = await sdkClients();
  const Filters = [{ Name: "tag:beacon:stack", Values: [`${place.project}/dev`] }];
  const { SecurityGroups } = await ec2.describeSecurityGroups({ Filters });
  assert.deepEqual(
    SecurityGroups?.map(({ IpPermissions }) => IpPermissions?.[0]?.FromPort),
    [443],
  );
  assert.match(ended(await place.beaconctl("history", ...stack), 0, "history"), /rollback of 1, 8443 was wrong$/m);
  ended(await place.beaconctl("diff", "--revision", "4", ...stack), 0, "no difference");
});

test("a rollback deletes what came since, with approval, and says what comes back empty", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) + table(project) }));
  const stack = ["--stack", `${place.project}/dev`];
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes"), 0, "with a table");
  place.write({ "m.yaml": head(place.project) + group(443) });
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes", "--allow", "delete=1"), 0, "a group instead");
  const refused = await place.beaconctl("rollback", "1", ...stack, "--yes");
  ended(refused, 4, "the group's deletion is not covered");
  assert.match(refused.stderr, /warning: Table\/data: made anew and empty/);
  assert.match(refused.stderr, /--allow delete=1/);
  ended(await place.beaconctl("rollback", "1", ...stack, "--yes", "--allow", "delete=1"), 0, "rollback");
  assert.equal(ended(await place.beaconctl("get", ...stack, "-o", "name"), 0, "get").trim(), "Table/data\nVPC/main");
  assert.deepEqual(
    [await place.beaconctl("rollback", "3", ...stack, "--yes"), await place.beaconctl("rollback", "9", ...stack, "--yes")].map(
      ({ exitCode, stderr }) => [exitCode, /accepted one/.test(stderr), /no revision 9: kept are 1 to 3/.test(stderr)],
    ),
    [
      [2, true, false],
      [2, false, true],
    ],
  );
});

test("the environment's phrase of today guards a rollback to a time without one", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) }));
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes"), 0, "without a phrase");
  place.write({ "m.yaml": head(place.project, ", confirm: {apply: ship it}") + group(443) });
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--confirm", "ship it"), 0, "with one");
  const refused = await place.beaconctl("rollback", "1", "--stack", `${place.project}/dev`, "--yes", "--allow", "delete=1");
  ended(refused, 4, "without it");
  assert.match(refused.stderr, /--confirm "ship it"/);
});

test("a paused resource is changed by no apply until it is resumed; the pause is told everywhere", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) + group(443) }));
  const [stack, file] = [
    ["--stack", `${place.project}/dev`],
    ["-f", "m.yaml"],
  ];
  ended(await place.beaconctl("apply", ...file, "--yes"), 0, "apply");
  const unsaid: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [["--reason", "x"], /needs an end/],
    [["--for", "2h"], /needs a reason/],
    [["--for", "31d", "--reason", "x"], /30d at most/],
    [["sg/nobody", "--for", "1h", "--reason", "x"], /no resource is called SecurityGroup\/nobody/],
  ];
  for (const [args, said] of unsaid) {
    const refused = await place.beaconctl("pause", ...args, ...stack);
    ended(refused, 2, args.join(" "));
    assert.match(refused.stderr, said);
  }
  const paused = ended(await place.beaconctl("pause", "sg/web", "--for", "2h", "--reason", "audit", ...stack), 0, "pause");
  assert.match(paused, /^SecurityGroup\/web is paused until \d{4}-\d\d-\d\d \d\d:\d\d UTC by arn:.*: audit$/m);

  place.write({ "m.yaml": head(place.project) + group(8443) });
  const note = /SecurityGroup\/web is paused until .*: audit/;
  assert.match(ended(await place.beaconctl("diff", ...file), 1, "diff"), note);
  assert.match((await place.beaconctl("get", ...file)).stderr, note);
  assert.match(ended(await place.beaconctl("describe", "sg/web", ...file), 0, "describe"), note);
  const refused = await place.beaconctl("apply", ...file, "--yes");
  ended(refused, 4, "apply");
  assert.match(refused.stderr, /paused until .*\n.*beaconctl resume SecurityGroup\/web/);
  ended(await place.beaconctl("apply", "VPC/main", ...file, "--yes"), 0, "the others can be applied");
  ended(await place.beaconctl("pause", "--for", "1h", "--reason", "holiday", ...stack), 0, "pause the stack too");
  const resumed = await place.beaconctl("resume", "sg/web", ...stack);
  assert.equal(ended(resumed, 0, "resume"), "SecurityGroup/web is no longer paused.\n");
  assert.match(resumed.stderr, /the stack is still paused until .*: holiday/);
  ended(await place.beaconctl("apply", ...file, "--yes"), 0, "a person's apply works on a paused stack");
  assert.match(ended(await place.beaconctl("resume", ...stack), 0, "resume"), /no longer paused/);
  assert.match(ended(await place.beaconctl("resume", ...stack), 0, "resume again"), /was not paused/);
});

test("without a controller, check and approve say so", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) }));
  const stack = ["--stack", `${place.project}/dev`];
  ended(await place.beaconctl("apply", "-f", "m.yaml", "--yes"), 0, "apply");
  const [check, approve] = [await place.beaconctl("check", ...stack), await place.beaconctl("approve", ...stack, "--yes")];
  ended(check, 3, "check");
  assert.match(check.stderr, /no controller holds .*\n.*beaconctl diff/);
  ended(approve, 4, "approve");
  assert.match(approve.stderr, /awaits no approval/);
  const views = JSON.parse(ended(await place.beaconctl("get", "stacks", "-o", "json"), 0, "get stacks")) as { name: string }[];
  assert.deepEqual(
    views.find(({ name }) => name === stack[1]),
    { name: stack[1], revision: 1, controller: false },
  );
});

test("live values as manifests: what differs has AWS's value, the rest stays as it is written; they validate, and end the drift", async () => {
  const groups = `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: each}
forEach: [a, b]
spec: {description: "\${each.value}", vpcId: "\${vpc.main.vpcId}"}
---
`;
  const project = (name: string) => head(name);
  await using place = await workspace((name) => ({ "m.yaml": project(name) + group(443) + groups }));
  const file = ["-f", "m.yaml"];
  ended(await place.beaconctl("apply", ...file, "--yes"), 0, "apply");
  const { ec2 } = await sdkClients();
  const found = await ec2.describeSecurityGroups({
    Filters: [
      { Name: "tag:beacon:resource", Values: ["SecurityGroup/web"] },
      { Name: "tag:beacon:stack", Values: [`${place.project}/dev`] },
    ],
  });
  const web = found.SecurityGroups?.[0];
  const ssh = { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "10.0.0.0/8", Description: "a ${hole}" }] };
  await ec2.authorizeSecurityGroupIngress({ GroupId: web?.GroupId, IpPermissions: [ssh] });
  await ec2.createTags({
    Resources: [web?.VpcId ?? ""],
    Tags: [
      { Key: "Owner", Value: "ops" },
      { Key: "Name", Value: "new" },
      { Key: "Foreign", Value: "x" },
    ],
  });

  const live = ended(await place.beaconctl("get", "VPC/main", "sg/web", "-o", "manifest", ...file), 0, "manifest");
  const [vpcText = "", groupText = ""] = live.split("\n---\n");
  assert.match(vpcText, /^# VPC\/main, declared at m\.yaml:\d+:1; AWS's value: tags\.Owner, tags\.Name/m);
  assert.match(vpcText, /Name: new/);
  assert.match(vpcText, /Team: \$\{project\.name\}/, "what does not differ keeps its expression");
  assert.match(vpcText, /Owner: ops/, "a default tag that was changed is written out");
  assert.doesNotMatch(vpcText, /Foreign|beacon:/, "what is nobody's, or our own, is not");
  assert.match(groupText, /vpcId: \$\{vpc\.main\.vpcId\}/);
  assert.match(groupText, /description: a \$\$\{hole\}/, "AWS's text begins no expression");

  const taken = head(place.project).replace(/apiVersion: ec2.aws[\s\S]*/, "");
  place.write({ "m.yaml": `${taken}${live}\n---\n${groups}` });
  assert.match(ended(await place.beaconctl("diff", ...file), 0, "they are valid, and AWS is as they say"), /No differences/);

  const one = ended(await place.beaconctl("get", "sg/each-a", "-o", "manifest", ...file), 0, "one of a group");
  assert.match(one, /one of a group/);
  assert.match(one, /name: each-a\n[\s\S]*description: a\n/);
  assert.match(one, new RegExp(`vpcId: ${web?.VpcId}`));
  const byRecords = ended(
    await place.beaconctl("get", "VPC/main", "-o", "manifest", "--stack", `${place.project}/dev`),
    0,
    "by what was accepted",
  );
  assert.match(byRecords, /Team: \$\{project\.name\}/);
});
