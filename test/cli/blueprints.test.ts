/** The real process with a blueprint on the sandbox: what is inside an instance is moved, changed, found and deleted like anything else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sdkClients } from "../support/sandbox.ts";
import { type Ended, run, workspace } from "./beaconctl.ts";

const PROJECT = (project: string) => `
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
`;

const FLAT = `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: backend}
spec: {description: one, vpcId: "\${vpc.main.vpcId}"}
`;

const BLUEPRINT = `
apiVersion: beacon/v1
kind: Blueprint
metadata: {name: service}
spec:
  kind: Service
  parameters:
    vpcId: {type: string}
    peers: {type: array, items: {type: string}, default: []}
  resources:
    - apiVersion: ec2.aws/v1
      kind: SecurityGroup
      metadata: {name: main, renamedFrom: "SecurityGroup/\${self.name}"}
      spec:
        description: one
        vpcId: \${params.vpcId}
        ingress:
          - $for: peer in \${params.peers}
            ipProtocol: tcp
            fromPort: 80
            toPort: 80
            referencedGroupId: \${peer}
    - apiVersion: ec2.aws/v1
      kind: EIP
      metadata: {name: main}
      spec: {tags: {Group: "\${securityGroup.main.groupId}"}}
  outputs: {groupId: "\${securityGroup.main.groupId}"}
`;

const instance = (name: string, spec = "", head = "") => `---
apiVersion: blueprint.beacon/v1
kind: Service
metadata: {name: ${name}${head}}
spec:
  vpcId: \${vpc.main.vpcId}
${spec}`;

function ended(run: Ended, exitCode: number, what: string): string {
  assert.equal(run.exitCode, exitCode, `${what}: ${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

test("a resource moves into a blueprint, its instance is renamed, and two of them refer to each other: the object stays", async () => {
  await using place = await workspace((project) => ({ "project.yaml": PROJECT(project), "use.yaml": FLAT }));
  const files = ["-f", "project.yaml", "-f", "use.yaml"];
  const beaconctl = (...args: string[]) => place.beaconctl(...args, ...files);
  const { ec2 } = await sdkClients();
  const groupOf = async (key: string) => {
    const tags = [
      { Name: "tag:beacon:stack", Values: [`${place.project}/dev`] },
      { Name: "tag:beacon:resource", Values: [key] },
    ];
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({ Filters: tags });
    return SecurityGroups[0];
  };
  ended(await beaconctl("apply", "--yes"), 0, "flat");
  const first = await groupOf("SecurityGroup/backend");
  assert.ok(first?.GroupId);

  place.write({ "use.yaml": BLUEPRINT + instance("backend") });
  const moved = ended(await beaconctl("diff"), 1, "into the blueprint");
  assert.match(moved, /SecurityGroup\/backend\.main +was SecurityGroup\/backend; the object stays/);
  assert.match(moved, /1 to create, 0 to update, 0 to replace, 0 to delete/);
  ended(await beaconctl("apply", "--yes"), 0, "move");
  assert.equal((await groupOf("SecurityGroup/backend.main"))?.GroupId, first.GroupId);
  ended(await beaconctl("diff"), 0, "after the move");

  const rule = "  peers: ['${service.web.groupId}']\n";
  const other = instance("web", "  peers: ['${service.api.groupId}']\n");
  place.write({ "use.yaml": BLUEPRINT + instance("api", rule, ", renamedFrom: Service/backend") + other });
  assert.equal((await groupOf("SecurityGroup/backend.main"))?.GroupId, first.GroupId);
  const renamed = ended(await beaconctl("diff", "-v"), 1, "renamed");
  assert.match(renamed, /SecurityGroup\/api\.main +was SecurityGroup\/backend\.main/);
  assert.match(renamed, /EIP\/api\.main +was EIP\/backend\.main/);
  ended(await beaconctl("apply", "--yes"), 0, "rename");
  const [api, web] = [await groupOf("SecurityGroup/api.main"), await groupOf("SecurityGroup/web.main")];
  assert.equal(api?.GroupId, first.GroupId);
  assert.deepEqual(
    [api, web].map((group) => group?.IpPermissions?.[0]?.UserIdGroupPairs?.[0]?.GroupId),
    [web?.GroupId, api?.GroupId],
  );
  ended(await beaconctl("diff"), 0, "after the rename");

  const names = ended(await beaconctl("get", "Service/web", "-o", "name"), 0, "get");
  assert.deepEqual(names.trim().split("\n").toSorted(), ["EIP/web.main", "SecurityGroup/web.main"]);
  const described = ended(await beaconctl("describe", "sg/api.main"), 0, "describe");
  assert.match(described, /Declared +use\.yaml:11:7, in Service\/api\n/);
  assert.match(described, /Depends on +VPC\/main, SecurityGroup\/web\.main/);
  assert.match(ended(await beaconctl("diff", "service"), 0, "diff of a kind"), /No differences/);

  place.write({ "use.yaml": BLUEPRINT + instance("api") });
  ended(await beaconctl("apply", "--yes", "--allow", "delete=2"), 0, "without the other");
  assert.equal(await groupOf("SecurityGroup/web.main"), undefined);
  assert.deepEqual((await groupOf("SecurityGroup/api.main"))?.IpPermissions, []);
  ended(await place.beaconctl("delete", "--stack", `${place.project}/dev`, "--yes", "--allow", "delete=3"), 0, "delete");
  assert.equal(await groupOf("SecurityGroup/api.main"), undefined);
});

test("an output that changes by itself is looked up, and makes no difference", async () => {
  const live = 'spec:\n  outputs: {now: {value: "${vpc.main.dhcpOptionsId}", live: true}}\n  id: ';
  await using place = await workspace((project) => ({ "m.yaml": PROJECT(project).replace(/spec: \{id: (\S+)\}/, `${live}$1`) }));
  const beaconctl = (...args: string[]) => place.beaconctl(...args, "-f", "m.yaml");
  const now = async (...args: string[]) => ended(await place.beaconctl("outputs", "now", ...args), 0, "outputs").trim();
  ended(await beaconctl("apply", "--yes"), 0, "apply");
  const first = await now("-f", "m.yaml");
  assert.match(ended(await beaconctl("apply", "--yes"), 0, "apply again"), new RegExp(`now +${first}`));
  const { ec2 } = await sdkClients();
  const tags = [{ Name: "tag:beacon:stack", Values: [`${place.project}/dev`] }];
  const VpcId = (await ec2.describeVpcs({ Filters: tags })).Vpcs?.[0]?.VpcId;
  const { DhcpOptions } = await ec2.createDhcpOptions({ DhcpConfigurations: [{ Key: "domain-name", Values: ["example.com"] }] });
  await ec2.associateDhcpOptions({ DhcpOptionsId: DhcpOptions?.DhcpOptionsId, VpcId });
  assert.equal(await now("-f", "m.yaml"), DhcpOptions?.DhcpOptionsId);
  ended(await beaconctl("diff"), 0, "diff");
  assert.equal(await now("--stack", `${place.project}/dev`), first, "without manifests, what the last apply saw");
});

test("a key file that is not there is replaced on the sandbox, and every command says so", async () => {
  const tag = "spec: {cidrBlock: 10.0.0.0/16, tags: {Key: \"${publicKey('~/.ssh/id_rsa.pub').substring(0, 11)}\"}}";
  await using place = await workspace((project) => ({ "m.yaml": PROJECT(project).replace("spec: {cidrBlock: 10.0.0.0/16}", tag) }));
  for (const command of ["validate", "render", "diff"]) {
    const args = [command, "-f", "m.yaml"];
    const { stderr, exitCode } = await (command === "diff"
      ? place.beaconctl(...args)
      : run([...args, "--sandbox"], place.folder, {}).ended);
    assert.match(
      stderr,
      /warning: the file ~\/\.ssh\/id_rsa\.pub does not exist: a throw-away key stands in for it on the sandbox/,
      command,
    );
    assert.equal(exitCode, command === "diff" ? 1 : 0, stderr);
  }
});
