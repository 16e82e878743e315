/** What manifests mean: values, dependencies, groups, conditions, loops, and what stays an expression. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack, View } from "../../src/core/compiled.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Resource } from "../../src/core/resource.ts";
import { type CompileOptions, compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { evalExpression, render } from "../../src/manifest/render.ts";
import { type SourceSet, sourcesOf } from "../../src/manifest/source.ts";

const PROJECT = `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec:
  defaultTags: { Project: "\${project.name}" }
  locals:
    names: ["\${local.prefix}-a", b]
    prefix: \${project.name}-\${env.name}
    network: \${vpc.main}
  parameters:
    big: { type: boolean, default: false }
    tables:
      type: object
      additionalProperties: { type: object, required: [key], properties: { key: { type: string }, range: { type: string } } }
      default: { orders: { key: id }, "9": { key: a, range: b }, "10": { key: c } }
    limits: { type: object, properties: { low: { type: integer, default: 1 }, high: { type: integer } }, default: { high: 5 } }
  outputs:
    vpcId: { value: "\${vpc.main.vpcId}" }
    extra: { value: { a: "\${vpc.?extra.?cidrBlock}", b: "\${local.prefix}" } }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true, region: eu-west-1 }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: prod }
spec:
  parameters: { big: true, limits: { low: 2 }, tables: { only: { key: k } } }
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: { name: main }
spec: { cidrBlock: 10.0.0.0/16 }
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: { name: extra }
includeWhen: \${params.big}
spec: { cidrBlock: 10.9.0.0/16 }
`;

function compiled(text: string, options: Partial<CompileOptions> = {}): CompiledStack {
  return succeed(sourcesOf({ "project.yaml": PROJECT, ...(text === "" ? {} : { "test.yaml": text }) }), options);
}

function succeed(sources: SourceSet, options: Partial<CompileOptions> = {}): CompiledStack {
  const result = compile(sources, { kinds, ...options });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return result.stack;
}

function resource(stack: CompiledStack, key: string): Resource {
  const found = stack.resources.find((each) => each.key === key);
  assert.ok(found, `${key} is not among ${stack.resources.map((each) => each.key)}`);
  return found;
}

/** The spec of a group `x` (or the fields given) whose tags carry what is tested. */
const tagged = (tags: string, head = "") => `
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: x }
${head}
spec:
  tags:
${tags.replace(/^/gm, "    ")}
`;

test("what parameters, locals and other specs say is worked out", () => {
  const rows = [
    { expression: "${local.prefix}-${params.limits.high}", gives: "shop-dev-5", why: "interpolation makes text of numbers" },
    { expression: "${string(params.limits.low)}", gives: "1", why: "a property's own default is filled in" },
    { expression: '${local.names.join(",")}', gives: "shop-dev-a,b", why: "locals may use each other, in any order" },
    { expression: "${local.network.cidrBlock}", gives: "10.0.0.0/16", why: "a local may be a resource; what its spec says is known" },
    { expression: "${cidrSubnet(vpc.main.cidrBlock, 8, 3)}", gives: "10.0.3.0/24", why: "so are functions of it" },
    {
      expression: '${keys(params.tables).join(",")}',
      gives: "9,10,orders",
      why: "keys keep the manifest's order, but whole numbers come first",
    },
    {
      expression: '${params.big ? vpc.extra.cidrBlock : "none"}',
      gives: "none",
      why: "an excluded resource may stand where it is not reached",
    },
    { expression: '${vpc.?extra.cidrBlock.orValue("none")}', gives: "none", why: "or behind .?" },
    { expression: "$${aws:username}", gives: "${aws:username}", why: "$$ stands for $" },
    { expression: '${json({"a": 1, "b": [params.big]})}', gives: '{"a":1,"b":[false]}', why: "json writes text" },
    { expression: '${"a-b-c".replace("-", "$&")}', gives: "a$&b$&c", why: "replace takes texts, not patterns" },
    { expression: "${env.region}", gives: "eu-west-1", why: "env has the region" },
    { expression: '${mapValues({"a": 1}, v, v + 1).a == 2 ? "yes" : "no"}', gives: "yes", why: "mapValues binds its variable" },
    { expression: "${string([1, 2].map(vpc, vpc + 1)[1])}", gives: "3", why: "a macro's name hides a kind's" },
    { expression: '${flatten([["a"], ["b"]])[1]}', gives: "b", why: "flatten joins lists" },
  ];
  for (const { expression, gives, why } of rows) {
    const stack = compiled(tagged(`V: >-\n  ${expression}`));
    assert.equal((resource(stack, "EIP/x").spec.tags as JsonObject).V, gives, why);
  }
});

test("default tags are merged under a resource's own", () => {
  const { spec } = resource(compiled(tagged("Project: mine\nName: x")), "EIP/x");
  assert.deepEqual(spec, { tags: { Project: "mine", Name: "x" } });
  assert.deepEqual(resource(compiled(""), "VPC/main").spec.tags, { Project: "shop" });
});

test("what only AWS knows stays an expression, with its dependency", () => {
  const stack = compiled(`
apiVersion: ec2.aws/v1
kind: InternetGateway
metadata: { name: main }
dependsOn: [VPC/main]
spec:
  vpcId: \${local.network.vpcId}
  tags: { Name: "gw-\${vpc.main.vpcId}" }
`);
  const gateway = resource(stack, "InternetGateway/main");
  assert.deepEqual(gateway.spec.vpcId, { $expr: "local.network.vpcId" });
  assert.deepEqual(gateway.dependencies, [{ on: "VPC/main", field: "vpcId" }, { on: "VPC/main", field: "tags" }, { on: "VPC/main" }]);
  const nothing = stack.resolve(gateway, () => undefined);
  assert.deepEqual(nothing.vpcId, { $unknown: "local.network.vpcId" });
  const view: View = (key) => (key === "VPC/main" ? { vpcId: "vpc-1" } : undefined);
  assert.deepEqual(stack.resolve(gateway, view), { vpcId: "vpc-1", tags: { Project: "shop", Name: "gw-vpc-1" } });
});

test("an expression travels as JSON and is evaluated by another stack of the same manifests", () => {
  const text = tagged("V: ${vpc.main.vpcId}-${each.key}", "forEach: [a, b]");
  const moved = JSON.parse(JSON.stringify(resource(compiled(text), "EIP/x-b"))) as Resource;
  const spec = compiled(text).resolve(moved, () => ({ vpcId: "vpc-1" }));
  assert.deepEqual(spec.tags, { Project: "shop", V: "vpc-1-b" });
});

test("what the manifests say outranks what was seen", () => {
  const stack = compiled(tagged("V: ${vpc.main.vpcId} ${vpc.main.cidrBlock}"));
  const seen = stack.resolve(resource(stack, "EIP/x"), () => ({ vpcId: "v", cidrBlock: "drifted" }));
  assert.deepEqual(seen.tags, { Project: "shop", V: "v 10.0.0.0/16" });
});

test("list elements that are null or empty are dropped", () => {
  const stack = compiled(`
apiVersion: ec2.aws/v1
kind: RouteTable
metadata: { name: x }
spec:
  vpcId: vpc-1
  routes: null
  subnetIds: [a, ~, "\${params.?tables.?nothing.?key}", "\${vpc.?extra.?vpcId}", "\${vpc.main.vpcId}"]
`);
  const table = resource(stack, "RouteTable/x");
  assert.deepEqual(table.spec, { vpcId: "vpc-1", subnetIds: ["a", { $expr: "vpc.main.vpcId" }], tags: { Project: "shop" } });
});

test("forEach makes a group", () => {
  const stack = compiled(`
apiVersion: ec2.aws/v1
kind: Subnet
metadata: { name: public }
forEach: [1, 2]
spec:
  vpcId: \${vpc.main.vpcId}
  cidrBlock: 10.0.\${each.value * 10 + each.index}.0/24
---
apiVersion: ec2.aws/v1
kind: RouteTable
metadata: { name: all }
spec:
  vpcId: \${vpc.main.vpcId}
  subnetIds: \${values(subnet.public).map(s, s.subnetId)}
---
apiVersion: ec2.aws/v1
kind: NatGateway
metadata: { name: each }
forEach: \${["1", "2"]}
spec:
  connectivityType: private
  subnetId: \${subnet.public[each.key].subnetId}
`);
  assert.equal(resource(stack, "Subnet/public-2").spec.cidrBlock, "10.0.21.0/24");
  assert.deepEqual(resource(stack, "Subnet/public-2").each, { key: "2", value: 2, index: 1 });
  const table = resource(stack, "RouteTable/all");
  assert.deepEqual(
    table.dependencies.filter(({ field }) => field === "subnetIds").map(({ on }) => on),
    ["Subnet/public-1", "Subnet/public-2"],
  );
  const half: View = (key) => (key === "Subnet/public-1" ? { subnetId: "s-1" } : undefined);
  assert.deepEqual(stack.resolve(table, half).subnetIds, { $unknown: "values(subnet.public).map(s, s.subnetId)" });
  const whole: View = (key) => ({ subnetId: key.slice(-1) });
  assert.deepEqual(stack.resolve(table, whole).subnetIds, ["1", "2"]);
  assert.deepEqual(resource(stack, "NatGateway/each-2").dependencies, [{ on: "Subnet/public-2", field: "subnetId" }]);
});

const TABLES = `
apiVersion: dynamodb.aws/v1
kind: Table
metadata: { name: all }
forEach: \${params.tables}
spec:
  tableName: shop-\${each.key}
  billingMode: PAY_PER_REQUEST
  keySchema: { hash: "\${each.value.key}", range: "\${each.value.?range}" }
  attributeDefinitions: \${mapValues({"x": 1}, v, "S")}
`;

test("an empty optional leaves its field out, and maps of an environment replace the default", () => {
  const names = (stack: CompiledStack) =>
    stack.resources.filter(({ key }) => key.startsWith("Table/")).map(({ key, spec }) => [key, spec.keySchema]);
  const loose = TABLES.replace(
    'attributeDefinitions: ${mapValues({"x": 1}, v, "S")}',
    "attributeDefinitions: { id: S, a: S, b: S, c: S, k: S }",
  );
  const sources = sourcesOf({ "project.yaml": PROJECT, "test.yaml": loose });
  const inspected = (environment: string) => {
    const result = compile(sources, { kinds: new Map([...kinds].map(([id, kind]) => [id, withoutCheck(kind)])), environment });
    assert.ok(result.ok, formatProblems(result.ok ? [] : result.problems, sources));
    return names(result.stack);
  };
  assert.deepEqual(inspected("dev"), [
    ["Table/all-9", { hash: "a", range: "b" }],
    ["Table/all-10", { hash: "c" }],
    ["Table/all-orders", { hash: "id" }],
  ]);
  assert.deepEqual(inspected("prod"), [["Table/all-only", { hash: "k" }]]);
});

/** The table kind checks that every attribute is used, which is not what is tested here. */
function withoutCheck<K extends object>(kind: K): K {
  const { check: _check, ...rest } = kind as K & { check?: unknown };
  return rest as K;
}

test("$if and $for make list items, and what stays of them stands by itself", () => {
  const stack = compiled(`
apiVersion: ec2.aws/v1
kind: Subnet
metadata: { name: private }
forEach: { a: 1, b: 2 }
spec: { vpcId: "\${vpc.main.vpcId}", cidrBlock: "10.0.\${each.value}.0/24" }
---
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: { name: x }
spec:
  vpcId: \${vpc.main.vpcId}
  ingress:
    - $if: \${params.big}
      ipProtocol: "-1"
      cidrIpv4: 10.0.0.0/8
    - $for: s in \${values(subnet.private)}
      $if: \${s.cidrBlock != "10.0.1.0/24"}
      ipProtocol: tcp
      fromPort: 80
      toPort: 80
      cidrIpv4: \${s.cidrBlock}
      description: \${s.subnetId}
    - $for: port in \${[1, 2]}
      ipProtocol: tcp
      fromPort: \${port}
      toPort: \${port}
      referencedGroupId: \${self.groupId}
      description: port \${port}-\${port} of \${vpc.main.vpcId}
`);
  const group = resource(stack, "SecurityGroup/x");
  const rule = { ipProtocol: "tcp", referencedGroupId: { $expr: "self.groupId" } };
  assert.deepEqual(group.spec.ingress, [
    { ipProtocol: "tcp", fromPort: 80, toPort: 80, cidrIpv4: "10.0.2.0/24", description: { $expr: 'subnet.private["b"].subnetId' } },
    { ...rule, fromPort: 1, toPort: 1, description: { $expr: '"port " + string(1) + "-" + string(1) + " of " + vpc.main.vpcId' } },
    { ...rule, fromPort: 2, toPort: 2, description: { $expr: '"port " + string(2) + "-" + string(2) + " of " + vpc.main.vpcId' } },
  ]);
  const resolved = stack.resolve(group, (key) => ({ groupId: "sg-1", subnetId: key, vpcId: "v" })).ingress as JsonObject[];
  assert.deepEqual(
    resolved.map(({ description }) => description),
    ["Subnet/private-b", "port 1-1 of v", "port 2-2 of v"],
  );
});

test("circles through late fields are none", () => {
  const group = (name: string, other: string) => `
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: { name: ${name} }
spec:
  vpcId: \${vpc.main.vpcId}
  ingress:
    - { ipProtocol: "-1", referencedGroupId: "\${securityGroup.${other}.groupId}" }
    - { ipProtocol: "-1", referencedGroupId: "\${securityGroup.${name}.groupId}" }
`;
  const stack = compiled(`${group("a", "b")}---${group("b", "a")}`);
  assert.deepEqual(resource(stack, "SecurityGroup/a").dependencies, [
    { on: "VPC/main", field: "vpcId" },
    { on: "SecurityGroup/b", field: "ingress" },
  ]);
});

test("excluded resources are not there, and outputs are null for them", () => {
  const [dev, prod] = [compiled(""), compiled("", { environment: "prod" })];
  assert.deepEqual(
    dev.resources.map(({ key }) => key),
    ["VPC/main"],
  );
  assert.deepEqual(
    prod.resources.map(({ key }) => key),
    ["VPC/main", "VPC/extra"],
  );
  assert.deepEqual(
    dev.outputs(() => ({ vpcId: "v" })),
    { vpcId: "v", extra: { a: null, b: "shop-dev" } },
  );
  assert.deepEqual(
    prod.outputs(() => undefined),
    { vpcId: { $unknown: "vpc.main.vpcId" }, extra: { a: "10.9.0.0/16", b: "shop-prod" } },
  );
});

test("lifecycle: the defaults, then the kind's, then the document's", () => {
  const log = (lifecycle: string) => `
apiVersion: logs.aws/v1
kind: LogGroup
metadata: { name: x, renamedFrom: LogGroup/old }
forEach: [a]
lifecycle: { ${lifecycle} }
`;
  const plain = resource(compiled(log("")), "LogGroup/x-a");
  assert.equal(plain.lifecycle.replace, "deleteFirst", "the kind's: its name is the interface");
  assert.equal(plain.renamedFrom, "LogGroup/old-a", "a group's members are renamed one by one");
  const changed = resource(
    compiled(log('replace: never, deletion: "${params.big ? \\"protect\\" : \\"retain\\"}", adopt: true')),
    "LogGroup/x-a",
  );
  assert.deepEqual(
    { ...changed.lifecycle },
    { deletion: "retain", replace: "never", drift: "correct", ignoreFields: [], adopt: true, manage: true },
  );
});

test("what is read and not managed says only how it is found: no required fields, no default tags", () => {
  const shared = (lifecycle: string) => `---
apiVersion: ec2.aws/v1
kind: Subnet
metadata: { name: shared }
lifecycle: { ${lifecycle} }
spec: { tags: { Name: shared } }
`;
  assert.deepEqual(resource(compiled(shared("manage: false")), "Subnet/shared").spec, { tags: { Name: "shared" } });
  assert.throws(() => compiled(shared("manage: true")), /`vpcId` is missing/);
});

test("readyWhen looks at the resource itself", () => {
  const stack = compiled(tagged("A: b", 'readyWhen: ["${self.publicIp != \\"\\"}", "${self.allocationId.startsWith(\\"eip\\")}"]'));
  const address = resource(stack, "EIP/x");
  assert.deepEqual(
    stack.readyWhen(address, () => undefined),
    { met: false, why: 'self.publicIp != "" is not known yet' },
  );
  const wrong = stack.readyWhen(address, () => ({ publicIp: "1.2.3.4", allocationId: "x" }));
  assert.deepEqual(wrong, { met: false, why: 'self.allocationId.startsWith("eip") does not hold' });
  assert.deepEqual(
    stack.readyWhen(address, () => ({ publicIp: "1.2.3.4", allocationId: "eip-1" })),
    { met: true },
  );
});

test("lookups are asked for once, with a spec that is known", () => {
  const text = `
apiVersion: ec2.aws/v1
kind: AvailabilityZones
metadata: { name: zones }
spec: { groupNames: ["\${env.region}"] }
---
apiVersion: ec2.aws/v1
kind: Subnet
metadata: { name: x }
spec: { vpcId: "\${vpc.main.vpcId}", cidrBlock: 10.0.1.0/24, availabilityZone: "\${availabilityZones.zones.names[1]}" }
`;
  const stack = compiled(text);
  assert.deepEqual(
    stack.lookups.map(({ key, kind, spec }) => ({ key, kind, spec })),
    [{ key: "AvailabilityZones/zones", kind: "ec2.aws/v1 AvailabilityZones", spec: { groupNames: ["eu-west-1"] } }],
  );
  const subnet = resource(stack, "Subnet/x");
  assert.deepEqual(subnet.dependencies, [{ on: "VPC/main", field: "vpcId" }], "a lookup is resolved before any resource");
  const view: View = (key) => (key === "AvailabilityZones/zones" ? { names: ["a", "b"] } : undefined);
  assert.equal(stack.resolve(subnet, view).availabilityZone, "b");
  assert.throws(() => stack.resolve(subnet, () => ({ names: ["a"] })), { code: "ExpressionInvalid", where: "Subnet/x" });
});

test("the digest is the meaning's: it survives a moved document, and changes with a parameter", () => {
  const text = tagged("A: ${string(params.limits.high)}");
  const digests = [text, `# moved\n${text}`].map((each) => compiled(each).digest);
  assert.equal(digests[0], digests[1]);
  assert.notEqual(compiled(text, { params: ["limits={high: 6}"] }).digest, digests[0]);
  assert.notEqual(compiled(tagged("A: b")).digest, digests[0]);
  const later = tagged("A: ${vpc.main.vpcId}-${params.limits.high}");
  assert.notEqual(compiled(later, { params: ["limits={high: 6}"] }).digest, compiled(later).digest, "in an expression that stays");
});

test("files are read beside the manifest, and the digest covers them", async () => {
  const directory = await mkdtemp(join(tmpdir(), "beacon-files-"));
  const script = (text: string) => writeFile(join(directory, "start.sh"), text);
  const text = tagged(`V: >-\n  \${userData("start.sh", {"NAME": "it's", "ID": vpc.main.vpcId})}`);
  try {
    await script("#!/bin/bash\necho ${NAME}\n");
    const sources = sourcesOf({ "project.yaml": PROJECT, "test.yaml": text }, directory);
    const stack = succeed(sources);
    await script("#!/bin/bash\necho changed\n");
    const { tags } = stack.resolve(resource(stack, "EIP/x"), () => ({ vpcId: "v" })) as { tags: { V: string } };
    assert.equal(tags.V, "#!/bin/bash\nNAME='it'\\''s'\nID='v'\necho ${NAME}\n", "a stack keeps what it was compiled from");
    assert.notEqual(succeed(sources).digest, stack.digest);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("--param outranks the environment, and objects merge", () => {
  const stack = compiled(tagged('V: "${params.limits.low}/${params.limits.high}/${params.big}"'), {
    environment: "prod",
    params: ["limits={high: 7}", "big=false"],
  });
  assert.deepEqual(resource(stack, "EIP/x").spec.tags, { Project: "shop", V: "2/7/false" });
});

test("render shows everything expanded, and eval one expression", () => {
  const stack = compiled(tagged("V: ${vpc.main.vpcId}"));
  const address = render(stack).find(({ kind }) => kind === "EIP");
  assert.deepEqual(address, {
    apiVersion: "ec2.aws/v1",
    kind: "EIP",
    metadata: { name: "x" },
    spec: { tags: { Project: "shop", V: "<vpc.main.vpcId>" } },
  });
  assert.deepEqual(evalExpression(stack, "${params.limits.high * 2}"), { ok: true, type: "a whole number", value: 10 });
  assert.deepEqual(evalExpression(stack, "vpc.main.vpcId"), { ok: true, type: "text", value: "<vpc.main.vpcId>", remote: true });
  assert.deepEqual(evalExpression(stack, "vpc.main.?vpcid").ok, false);
  assert.match(JSON.stringify(evalExpression(stack, "vpc.main")), /a whole resource is not a value/);
});

test("next steps are texts for after an apply: conditions say which, and what is not known is left out", () => {
  const steps = `
    - 'Deploy the \${params.big ? "big" : "small"} one'
    - $if: \${params.big}
      text: Look at the second zone
    - $for: name in \${["a", "b"]}
      text: Start \${name} in \${vpc.main.vpcId}
    - \${vpc.?extra.?vpcId}
    - '\${[1, 2][size(vpc.main.vpcId)] == 2 ? "never" : "written"}'
`;
  const project = PROJECT.replace("  outputs:", `  nextSteps:${steps.trimEnd()}\n  outputs:`);
  const stack = succeed(sourcesOf({ "project.yaml": project }));
  assert.deepEqual(
    stack.nextSteps(() => undefined),
    ["Deploy the small one"],
  );
  const known = stack.nextSteps(() => ({ vpcId: "vpc-1" }));
  assert.deepEqual(
    known,
    ["Deploy the small one", "Start a in vpc-1", "Start b in vpc-1"],
    "a step that cannot be written spoils no apply",
  );
  const big = succeed(sourcesOf({ "project.yaml": project }), { params: ["big=true"] });
  assert.deepEqual(big.nextSteps(() => ({ vpcId: "vpc-1" })).slice(0, 2), ["Deploy the big one", "Look at the second zone"]);
});

test("the outputs of the summary are those that are marked, or all of them", () => {
  assert.deepEqual(compiled("").summary, ["vpcId", "extra"]);
  const marked = PROJECT.replace('vpcId: { value: "${vpc.main.vpcId}" }', 'vpcId: { value: "${vpc.main.vpcId}", summary: true }');
  assert.deepEqual(succeed(sourcesOf({ "project.yaml": marked })).summary, ["vpcId"]);
});
