/** The real process through a stack's whole life on the sandbox. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sdkClients } from "../support/sandbox.ts";
import { type Ended, workspace } from "./beaconctl.ts";

const head = (project: string, confirm = ""): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec:
  id: ${project}
  outputs:
    vpcId: {value: "\${vpc.main.vpcId}"}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true${confirm}}
---
`;
const vpc = `
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
---
`;
const WEB_ID = 'outputs:\n    webId: {value: "${securityGroup.web.groupId}"}\n';
const group = (port: number): string => `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: web}
spec:
  description: web
  vpcId: \${vpc.main.vpcId}
  ingress: [{ipProtocol: tcp, fromPort: ${port}, toPort: ${port}, cidrIpv4: 0.0.0.0/0}]
`;

function ended(run: Ended, exitCode: number, what: string): string {
  assert.equal(run.exitCode, exitCode, `${what}: ${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

test("a stack's life: apply, no difference, drift with its cause, correction, pruning, deletion", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project).replace("outputs:\n", WEB_ID) + vpc + group(443) }));
  const beaconctl = (...args: string[]) => place.beaconctl(...args, "-f", "m.yaml");
  assert.match(ended(await beaconctl("diff"), 1, "first diff"), /2 to create, 0 to update/);
  const applied = await beaconctl("apply", "--yes");
  const vpcId = /vpcId +(vpc-\w+)/.exec(ended(applied, 0, "apply"))?.[1];
  assert.match(applied.stderr, /✓ VPC\/main +created/);
  assert.match(ended(await beaconctl("diff"), 0, "second diff"), /No differences/);

  const { ec2 } = await sdkClients();
  const found = await ec2.describeSecurityGroups({ Filters: [{ Name: "vpc-id", Values: [vpcId ?? ""] }] });
  const web = found.SecurityGroups?.find(({ GroupName }) => GroupName?.includes("web"));
  const ssh = { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  await ec2.authorizeSecurityGroupIngress({ GroupId: web?.GroupId, IpPermissions: [ssh] });

  const drift = ended(await beaconctl("diff"), 1, "diff after an outside hand");
  assert.match(drift, /~ SecurityGroup\/web +drift\n +ingress +- tcp 22 from 0\.0\.0\.0\/0 +not in the manifest: will be removed/);
  assert.match(drift, /1 to update.*1 drifted/);
  ended(await beaconctl("apply", "--yes"), 0, "correction");
  assert.match(ended(await beaconctl("get"), 0, "get"), /SecurityGroup\/web +Ready +sg-/);
  assert.match(ended(await beaconctl("describe", "sg/web"), 0, "describe"), /Depends on +VPC\/main/);
  assert.equal(ended(await beaconctl("outputs", "vpcId"), 0, "outputs"), `${vpcId}\n`);

  ended(await beaconctl("diff", "sg/web"), 0, "a part of it: what is not selected still has its values");
  ended(await beaconctl("apply", "VPC/main", "--yes"), 0, "a part of it");
  assert.match(ended(await beaconctl("outputs", "webId"), 0, "outputs after a part"), /^sg-/);

  place.write({ "m.yaml": head(place.project) + vpc });
  const refused = await beaconctl("apply", "--yes");
  ended(refused, 4, "--yes does not cover a deletion");
  assert.match(refused.stderr, /next: .*--allow delete=1/);
  ended(await beaconctl("apply", "--yes", "--allow", "delete=1"), 0, "pruning");
  assert.match((await beaconctl("delete", "VPC/main", "--yes")).stderr, /still declared/);
  ended(await place.beaconctl("delete", "--stack", `${place.project}/dev`, "--yes"), 0, "delete without manifests");
  assert.deepEqual((await ec2.describeVpcs({ Filters: [{ Name: "vpc-id", Values: [vpcId ?? ""] }] })).Vpcs, []);
});

test("a refused plan changes nothing: no terminal, a wrong digest, a wrong phrase", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project, ", confirm: {apply: ship it, delete: burn it}") + vpc }));
  const refusals: readonly (readonly [args: readonly string[], next: RegExp])[] = [
    [["apply"], /--confirm "ship it"/],
    [["apply", "--yes"], /--confirm "ship it"/],
    [["apply", "--confirm", "ship"], /spec\.confirm/],
    [["apply", "--confirm", "ship it", "--expect", "00000000"], /pass its digest/],
  ];
  for (const [args, next] of refusals) {
    const run = await place.beaconctl(...args, "-f", "m.yaml");
    ended(run, 4, args.join(" "));
    assert.match(run.stderr, next);
  }
  assert.match(ended(await place.beaconctl("diff", "-f", "m.yaml", "-o", "json"), 1, "diff"), /"action": "create"/);
});
