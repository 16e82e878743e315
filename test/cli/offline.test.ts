/** The offline commands, on a small project, in this process: what they print, and that they need no AWS. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { iamPolicy } from "../../src/aws/permissions.ts";
import type { AnyCommand, Invocation } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import type { Services } from "../../src/cli/services.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { fakeIo } from "./fake-io.ts";

const folder = mkdtempSync(join(tmpdir(), "beaconctl-offline-"));
after(() => rmSync(folder, { recursive: true }));
const good = join(folder, "good.yaml");
writeFileSync(
  good,
  `
apiVersion: beacon/v1
kind: Project
metadata: {name: small}
spec:
  parameters:
    days: {type: integer, default: 14, minimum: 1}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true, region: eu-west-1}
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
);
const blueprint = join(folder, "blueprint.yaml");
writeFileSync(
  blueprint,
  `
apiVersion: beacon/v1
kind: Blueprint
metadata: {name: network}
spec:
  kind: Network
  description: A VPC with subnets.
  parameters:
    zones: {type: integer, default: 2, minimum: 1, description: How many.}
    unused: {type: string, default: ""}
  resources:
    - apiVersion: ec2.aws/v1
      kind: VPC
      metadata: {name: own}
      spec: {cidrBlock: "10.\${string(params.zones)}.0.0/16"}
  outputs:
    vpcId: {value: "\${vpc.own.vpcId}", description: Its id.}
---
apiVersion: blueprint.beacon/v1
kind: Network
metadata: {name: office}
---
apiVersion: ec2.aws/v1
kind: Subnet
metadata: {name: office}
spec: {vpcId: "\${network.office.vpcId}", cidrBlock: 10.2.1.0/24}
`,
);
const withBlueprint = { file: [good, blueprint] };
const monitored = join(folder, "monitored.yaml");
writeFileSync(
  monitored,
  `
apiVersion: beacon/v1
kind: Monitor
metadata: {name: errors}
spec: {alarmState: {alarmName: "\${vpc.main.vpcId}-errors"}, retries: 1}
`,
);
const bad = join(folder, "bad.yaml");
writeFileSync(bad, "apiVersion: ec2.aws/v1\nkind: VPC\nmetadata: {name: other}\nspec: {cidrblock: 10.0.0.0/16}\n");

/** What the last command said aloud. */
const said: string[] = [];

/** Runs a command with services that know nothing of AWS; resolves to what it printed. */
async function printed(name: string, args: readonly string[], options: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  const command = (await entry?.load()) as AnyCommand;
  const out: string[] = [];
  said.length = 0;
  const services = {
    version: "1.2.3",
    kinds: async () => kinds,
    iamPolicy: async (operations: Parameters<Services["iamPolicy"]>[0]) => iamPolicy(operations, { stateTable: "beacon-state" }),
  } as unknown as Services;
  const io = fakeIo({ out: (text) => void out.push(text), err: (text) => void said.push(text) });
  const invocation: Invocation<{ file: readonly string[] }> = {
    args,
    options: { color: false, file: [good], ...options },
    io,
    services,
    log: () => {},
  };
  assert.equal(await command.run(invocation as Invocation<never>), 0);
  return out.join("\n");
}

const cases: readonly { name: string; args?: readonly string[]; options?: Readonly<Record<string, unknown>>; expected: RegExp }[] = [
  { name: "validate", expected: /^Valid: 1 file, for dev\. Nothing was sent to AWS\.$/ },
  { name: "render", expected: /vpcId: <vpc\.main\.vpcId>/ },
  { name: "eval", args: ["${params.days * 2}"], expected: /28$/ },
  { name: "eval", args: ["params.days"], options: { param: ["days=30"], output: "json" }, expected: /"value": 30/ },
  { name: "graph", expected: /^VPC\/main\nSubnet\/a\n {2}└ VPC\/main \(vpcId\)$/ },
  {
    name: "graph",
    options: { output: "dot" },
    expected: /^digraph beacon \{[\s\S]*"Subnet\/a" -> "VPC\/main" \[label="vpcId"\];[\s\S]*\}$/,
  },
  { name: "schema", expected: /"cidrBlock"/ },
  { name: "iam-policy", expected: /"ec2:CreateSubnet"[\s\S]*"ec2:CreateVpc"/ },
  { name: "explain", expected: /^KIND +SHORT +APIVERSION +TYPE\n[\s\S]*SecurityGroup +sg/ },
  { name: "explain", expected: /\nMonitor +beacon\/v1 +check/ },
  {
    name: "explain",
    args: ["environment.approval"],
    expected: /^Environment\.spec\.approval +[\s\S]*allow +list of one of replace, delete/,
  },
  { name: "explain", args: ["Monitor"], expected: /^Monitor {3}beacon\/v1\n[\s\S]*tableStatus +object {2}A DynamoDB table is ACTIVE/ },
  {
    name: "explain",
    args: ["monitor.http.expectedstatus"],
    expected: /^Monitor\.spec\.http\.expectedStatus {3}integer or list of integer/,
  },
  { name: "schema", expected: /"Monitor"[\s\S]*"minimumHealthyTargets"/ },
  {
    name: "render",
    options: { file: [good, monitored] },
    expected: /kind: Monitor\nmetadata:\n {2}name: errors\nspec:\n {2}alarmState:\n {4}alarmName: <vpc\.main\.vpcId \+ "-errors">/,
  },
  { name: "iam-policy", options: { file: [good, monitored] }, expected: /"cloudwatch:DescribeAlarms"/ },
  { name: "explain", args: ["vpc"], expected: /cidrBlock +string[\s\S]*immutable/ },
  { name: "explain", args: ["Subnet.VpcId"], expected: /^Subnet\.spec\.vpcId +string/ },
  { name: "validate", options: withBlueprint, expected: /^Valid: 2 files/ },
  { name: "render", options: withBlueprint, expected: /name: office\.own\n[\s\S]*vpcId: <network\.office\.vpcId>/ },
  { name: "graph", options: withBlueprint, expected: /Subnet\/office\n {2}└ VPC\/office\.own \(vpcId\)/ },
  { name: "eval", args: ["network.office.zones * 2"], options: withBlueprint, expected: /a whole number: 4$/ },
  { name: "schema", options: withBlueprint, expected: /"const": "Network"/ },
  { name: "explain", options: withBlueprint, expected: /\nNetwork +blueprint\.beacon\/v1 +blueprint\n/ },
  {
    name: "explain",
    args: ["network"],
    options: withBlueprint,
    expected:
      /^Network {3}blueprint[\s\S]*A VPC with subnets\.[\s\S]*Blueprint\/network[\s\S]*zones +integer +How many\. Default: 2\.[\s\S]*vpcId +string +Its id\./,
  },
  { name: "explain", args: ["Network.zones"], options: withBlueprint, expected: /^Network\.spec\.zones +integer[\s\S]*from 1 to/ },
  { name: "completion", args: ["bash"], expected: /compgen -W "validate render [^"]*sandbox[\s\S]*complete -F _beaconctl beaconctl/ },
  { name: "completion", args: ["fish"], expected: /-a diff -d "show what an apply would change/ },
  { name: "version", expected: /^beaconctl 1\.2\.3 \(node / },
];

for (const { name, args = [], options, expected } of cases) {
  test(`${[name, ...args, JSON.stringify(options ?? {})].join(" ")} prints ${expected.source.slice(0, 40)}`, async () => {
    assert.match(await printed(name, args, options), expected);
  });
}

test("validate says what is declared and not used", async () => {
  await printed("validate", [], withBlueprint);
  assert.deepEqual(
    said.map((line) => line.replaceAll(`${folder}/`, "")),
    ["warning: the parameter `unused` of Blueprint/network is not used (blueprint.yaml:10:5)"],
  );
  await printed("validate", [], { file: [good] });
  assert.deepEqual(said, []);
});

test("the policy allows what the declared checks read, and nothing for others", async () => {
  assert.doesNotMatch(await printed("iam-policy", []), /cloudwatch:/);
  assert.doesNotMatch(await printed("iam-policy", [], { file: [good, monitored] }), /DescribeTargetHealth/);
});

test("a field that a Monitor does not have is told with the nearest", async () => {
  await assert.rejects(printed("explain", ["Monitor.http.ur"]), { code: "ResourceUnknown" });
});

test("invalid manifests: every problem with its place and a caret, and the number of them", async () => {
  await assert.rejects(printed("validate", [], { file: [good, bad] }), (error) => {
    assert.ok(error instanceof BeaconError && error.code === "ManifestInvalid");
    assert.match(error.message, /bad\.yaml:4:8[\s\S]*\^+[\s\S]*did you mean `cidrBlock`\?/);
    assert.match(error.message, /problems? in 2 files\. Nothing was sent to AWS\.$/);
    return true;
  });
});
