/** What blueprints mean: the kinds they make, what is seen from inside and from outside, and which resources come of an instance. */

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
    prefix: \${project.name}-\${env.name}
  parameters:
    big: { type: boolean, default: false }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true, region: eu-west-1 }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: prod }
spec: { parameters: { big: true } }
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: { name: main }
spec: { cidrBlock: 10.0.0.0/16 }
---
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: { name: office }
spec: { vpcId: "\${vpc.main.vpcId}" }
`;

const BLUEPRINT = `
apiVersion: beacon/v1
kind: Blueprint
metadata: { name: web-service }
spec:
  kind: WebService
  parameters:
    vpcId: { type: string }
    port: { type: integer, default: 80 }
    rules: { typeOf: "ec2.aws/v1 SecurityGroup.spec.ingress", default: [] }
    tags: { type: object, additionalProperties: { type: string }, default: {} }
    range: { type: string, default: null }
    limits: { type: object, properties: { low: { type: integer, default: 1 }, high: { type: integer } }, default: { high: 5 } }
    zones: { type: array, items: { type: integer }, default: [] }
    logs: { type: boolean, default: true }
  resources:
    - apiVersion: ec2.aws/v1
      kind: SecurityGroup
      metadata: { name: main }
      spec:
        vpcId: \${params.vpcId}
        groupName: \${local.prefix}-\${self.name}
        ingress: \${params.rules}
        tags: \${params.tags}
    - apiVersion: logs.aws/v1
      kind: LogGroup
      metadata: { name: main }
      includeWhen: \${params.logs}
      spec:
        logGroupName: /\${env.name}/\${self.name}/\${params.port}
        retentionInDays: \${params.limits.low}
    - apiVersion: ec2.aws/v1
      kind: EIP
      metadata: { name: zone }
      forEach: \${params.zones}
      spec: { tags: { Name: "\${self.name}-\${each.key}", Group: "\${securityGroup.main.groupId}", Range: "\${params.?range}" } }
  outputs:
    groupId: \${securityGroup.main.groupId}
    logs: { value: "\${logGroup.?main.logGroupName}", description: Where it logs }
    addresses: \${values(eip.zone).map(e, e.publicIp)}
    all: { group: "\${securityGroup.main.groupId}", port: "\${string(params.port)}" }
`;

const instance = (name: string, spec: string, head = "") => `
---
apiVersion: blueprint.beacon/v1
kind: WebService
metadata: { name: ${name} }
${head}
spec:
${spec.replace(/^/gm, "  ")}
`;

/** An EIP named `x` whose tags carry what is tested. */
const tagged = (tags: string, head = "") => `
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: x }
${head}
spec:
  tags:
${tags.replace(/^/gm, "    ")}
`;

function sourcesWith(text: string, blueprint = BLUEPRINT): SourceSet {
  return sourcesOf({ "project.yaml": PROJECT, "blueprints/web-service.yaml": blueprint, "test.yaml": text.replace(/^\s*---/, "") });
}

function succeed(sources: SourceSet, options: Partial<CompileOptions> = {}): CompiledStack {
  const result = compile(sources, { kinds, ...options });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return result.stack;
}

function compiled(text: string, options: Partial<CompileOptions> = {}): CompiledStack {
  return succeed(sourcesWith(text), options);
}

function refused(text: string, blueprint = BLUEPRINT): string {
  const sources = sourcesWith(text, blueprint);
  const result = compile(sources, { kinds });
  assert.ok(!result.ok, "it compiles");
  return formatProblems(result.problems, sources);
}

function resource(stack: CompiledStack, key: string): Resource {
  const found = stack.resources.find((each) => each.key === key);
  assert.ok(found, `${key} is not among ${stack.resources.map((each) => each.key)}`);
  return found;
}

const keysOf = (stack: CompiledStack) => stack.resources.map(({ key }) => key).filter((key) => key.includes("."));
const tagsOf = (stack: CompiledStack, key: string) => resource(stack, key).spec.tags as JsonObject;
const SPEC = "vpcId: ${vpc.main.vpcId}";

test("an instance is the resources inside, by its name and theirs", () => {
  const stack = compiled(instance("backend", `${SPEC}\nzones: [1, 2]`));
  assert.deepEqual(keysOf(stack), ["SecurityGroup/backend.main", "LogGroup/backend.main", "EIP/backend.zone-1", "EIP/backend.zone-2"]);
  assert.deepEqual(resource(stack, "SecurityGroup/backend.main").within, ["WebService/backend"]);
  assert.equal(resource(stack, "VPC/main").within, undefined);
});

test("inside, the instance's name, its parameters with their defaults, and the project's locals are seen", () => {
  const stack = compiled(
    instance("backend", `${SPEC}\nlimits: { high: 7 }`) + instance("frontend", `${SPEC}\nport: 8080\nlimits: { low: 3 }`),
  );
  assert.equal(resource(stack, "SecurityGroup/backend.main").spec.groupName, "shop-dev-backend");
  assert.deepEqual(
    ["backend", "frontend"].map((name) => resource(stack, `LogGroup/${name}.main`).spec),
    [
      { logGroupName: "/dev/backend/80", retentionInDays: 1, tags: { Project: "shop" } },
      { logGroupName: "/dev/frontend/8080", retentionInDays: 3, tags: { Project: "shop" } },
    ],
    "objects merge over the default",
  );
});

test("a parameter that AWS must tell is an expression inside, with the dependencies of its value, field by field", () => {
  const rules = 'rules:\n  - { ipProtocol: tcp, fromPort: 1, toPort: 1, referencedGroupId: "${securityGroup.office.groupId}" }';
  const stack = compiled(instance("backend", `${SPEC}\n${rules}\ntags: { A: b, Owner: "\${vpc.main.ownerId}" }`));
  const group = resource(stack, "SecurityGroup/backend.main");
  assert.deepEqual(group.dependencies, [
    { on: "VPC/main", field: "vpcId" },
    { on: "SecurityGroup/office", field: "ingress" },
    { on: "VPC/main", field: "tags" },
  ]);
  const view: View = (key) =>
    ({ "VPC/main": { vpcId: "vpc-1", ownerId: "me" }, "SecurityGroup/office": { groupId: "sg-1" } })[key as string];
  const { vpcId, ingress, tags } = stack.resolve(group, view);
  assert.deepEqual(
    [vpcId, ingress, tags],
    ["vpc-1", [{ ipProtocol: "tcp", fromPort: 1, toPort: 1, referencedGroupId: "sg-1" }], { Project: "shop", A: "b", Owner: "me" }],
  );
  const unknowns = stack.resolve(group, () => undefined);
  assert.deepEqual(unknowns.vpcId, { $unknown: "vpc.main.vpcId" }, "a person reads where the value comes from");
  assert.deepEqual(unknowns.tags, { Project: "shop", A: "b", Owner: { $unknown: "vpc.main.ownerId" } }, "and what is known of a map is");
});

test("groups that refer to each other through late fields make no circle, in whichever instance they are", () => {
  const rule = (other: string) => `rules:\n  - { ipProtocol: "-1", referencedGroupId: "\${webService.${other}.groupId}" }`;
  const stack = compiled(instance("a", `${SPEC}\n${rule("b")}`) + instance("b", `${SPEC}\n${rule("a")}`));
  assert.deepEqual(
    resource(stack, "SecurityGroup/a.main").dependencies.filter(({ field }) => field === "ingress"),
    [{ on: "SecurityGroup/b.main", field: "ingress" }],
  );
  const resolved = stack.resolve(resource(stack, "SecurityGroup/a.main"), (key) => ({ groupId: key, vpcId: "v" }));
  assert.deepEqual(resolved.ingress, [{ ipProtocol: "-1", referencedGroupId: "SecurityGroup/b.main" }]);
});

test("parameters that are made from each other in a circle are told", () => {
  const text = refused(instance("a", 'vpcId: "${webService.b.vpcId}"') + instance("b", 'vpcId: "${webService.a.vpcId}"'));
  assert.match(text, /`vpcId` of WebService\/a is made from itself/);
});

test("outside, an instance's outputs and parameters are attributes with types", () => {
  const stack = compiled(
    instance("backend", `${SPEC}\nzones: [1, 2]`) +
      tagged(
        "G: ${webService.backend.groupId}\nL: ${webService.backend.logs.orValue('none')}\nP: ${string(webService.backend.port + 1)}\nV: ${webService.backend.vpcId}\nM: ${webService.backend.all.port}",
      ),
  );
  assert.deepEqual(tagsOf(stack, "EIP/x"), {
    Project: "shop",
    G: { $expr: "webService.backend.groupId" },
    L: "/dev/backend/80",
    P: "81",
    V: { $expr: "webService.backend.vpcId" },
    M: "80",
  });
  assert.deepEqual(resource(stack, "EIP/x").dependencies, [
    { on: "SecurityGroup/backend.main", field: "tags" },
    { on: "LogGroup/backend.main", field: "tags" },
    { on: "VPC/main", field: "tags" },
  ]);
  const known: View = (key) => ({ groupId: `id of ${key}`, vpcId: "v", publicIp: key.slice(-1) });
  const tags = stack.resolve(resource(stack, "EIP/x"), known).tags as JsonObject;
  assert.equal(tags.G, "id of SecurityGroup/backend.main");
  assert.match(refused(instance("backend", SPEC) + tagged("A: ${webService.backend.port}")), /but the expression is a whole number/);
  assert.match(refused(instance("backend", SPEC) + tagged("A: ${webService.backend.grupId}")), /has no output or parameter `grupId`/);
  const whole = tagged("A: ${webService.backend}");
  assert.match(refused(instance("backend", SPEC) + whole), /but the expression is WebService/);
  assert.deepEqual(evalExpression(stack, "webService.backend.addresses", known), {
    ok: true,
    type: "a list of text",
    value: ["1", "2"],
  });
});

test("an excluded instance is allowed for with .?, and a group's members go by their keys", () => {
  const text =
    instance("lab", SPEC, "includeWhen: ${params.big}") +
    instance("api", "vpcId: v\nport: ${8000 + each.value}", "forEach: [1, 2]") +
    tagged(
      'A: ${webService.?lab.?groupId}\nB: ${webService.api["2"].logs.orValue("")}\nC: ${values(webService.api).map(w, string(w.port)).join(",")}',
    );
  assert.deepEqual(tagsOf(compiled(text), "EIP/x"), { Project: "shop", B: "/dev/api-2/8002", C: "8001,8002" });
  assert.deepEqual(tagsOf(compiled(text, { environment: "prod" }), "EIP/x").A, { $expr: "webService.?lab.?groupId" });
  assert.deepEqual(keysOf(compiled(text)), [
    "SecurityGroup/api-1.main",
    "LogGroup/api-1.main",
    "SecurityGroup/api-2.main",
    "LogGroup/api-2.main",
  ]);
  assert.match(refused(text.replace(".?lab", ".lab")), /WebService\/lab is excluded by `includeWhen: \$\{params\.big\}`/);
});

test("locals, tables of outputs and the instances themselves may use each other, in any order", () => {
  const project = PROJECT.replace("locals:", "locals:\n    group: ${webService.backend.groupId}\n    service: ${webService.backend}");
  const sources = sourcesOf({
    "project.yaml": project,
    "blueprint.yaml": BLUEPRINT.replace("logs: { value:", 'named: "${local.prefix}-${self.name}"\n    logs: { value:'),
    "test.yaml": instance("backend", SPEC).replace("---", "") + tagged("A: ${local.group}\nB: ${local.service.named}"),
  });
  const stack = succeed(sources);
  assert.deepEqual(tagsOf(stack, "EIP/x"), { Project: "shop", A: { $expr: "local.group" }, B: "shop-dev-backend" });
  assert.deepEqual(resource(stack, "EIP/x").dependencies[0], { on: "SecurityGroup/backend.main", field: "tags" });
});

test("$for and $if go over parameters of which parts are known later", () => {
  const blueprint = BLUEPRINT.replace(
    "ingress: ${params.rules}",
    `ingress:
          - $for: rule in \${params.rules}
            $if: \${rule.ipProtocol == "tcp"}
            ipProtocol: tcp
            fromPort: \${params.port}
            toPort: \${params.port}
            referencedGroupId: \${rule.?referencedGroupId}
            description: from \${rule.?description.orValue("nowhere")}`,
  );
  const rules = `rules:
  - { ipProtocol: tcp, fromPort: 1, toPort: 1, description: a, referencedGroupId: "\${securityGroup.office.groupId}" }
  - { ipProtocol: udp, fromPort: 1, toPort: 1, cidrIpv4: 10.0.0.0/8 }
  - $if: \${params.big}
    ipProtocol: tcp
    fromPort: 1
    toPort: 1
    cidrIpv4: 10.0.0.0/8`;
  const stack = succeed(sourcesWith(instance("backend", `${SPEC}\n${rules}`), blueprint));
  const group = resource(stack, "SecurityGroup/backend.main");
  const rule = { ipProtocol: "tcp", fromPort: 80, toPort: 80, description: "from a" };
  assert.deepEqual(stack.resolve(group, () => undefined).ingress, [
    { ...rule, referencedGroupId: { $unknown: "securityGroup.office.groupId" } },
  ]);
  assert.deepEqual(stack.resolve(group, () => ({ groupId: "sg-1", vpcId: "v" })).ingress, [{ ...rule, referencedGroupId: "sg-1" }]);
});

test("$for goes over a list whose elements AWS must tell, where its length is known", () => {
  const blueprint = BLUEPRINT.replace(
    "    logs: { type: boolean",
    "    peers: { type: array, items: { type: string } }\n    logs: { type: boolean",
  ).replace(
    "ingress: ${params.rules}",
    'ingress:\n          - { $for: "peer in ${params.peers}", ipProtocol: "-1", referencedGroupId: "${peer}" }',
  );
  const peers = (text: string) => instance("backend", `vpcId: v\npeers: ${text}`);
  const stack = succeed(sourcesWith(peers('["${securityGroup.office.groupId}", sg-1]'), blueprint));
  const group = resource(stack, "SecurityGroup/backend.main");
  assert.deepEqual(group.dependencies, [{ on: "SecurityGroup/office", field: "ingress" }]);
  const rule = (referencedGroupId: unknown) => ({ ipProtocol: "-1", referencedGroupId });
  assert.deepEqual(stack.resolve(group, () => undefined).ingress, [rule({ $unknown: "securityGroup.office.groupId" }), rule("sg-1")]);
  assert.deepEqual(stack.resolve(group, () => ({ groupId: "sg-2" })).ingress, [rule("sg-2"), rule("sg-1")]);
  const uncertain = peers('["${securityGroup.office.?groupName}"]');
  assert.match(refused(uncertain, blueprint), /`\$for` must be known before any AWS call/, "an optional may leave an element out");
});

test("one member of a parameter brings its own dependencies and no others", () => {
  const blueprint = BLUEPRINT.replace(
    "    logs: { type: boolean",
    "    net: { type: object, additionalProperties: { type: string } }\n    logs: { type: boolean",
  )
    .replace("vpcId: ${params.vpcId}", "vpcId: ${params.net.vpc}")
    .replace("groupName:", "description: ${params.net.group}\n        groupName:")
    .replace("includeWhen: ${params.logs}", 'includeWhen: ${params.net.logs == "yes"}');
  const spec = 'vpcId: v\nnet: { vpc: "${vpc.main.vpcId}", group: "${securityGroup.office.groupId}", logs: "yes" }';
  const stack = succeed(sourcesWith(instance("backend", spec), blueprint));
  assert.deepEqual(resource(stack, "SecurityGroup/backend.main").dependencies, [
    { on: "VPC/main", field: "vpcId" },
    { on: "SecurityGroup/office", field: "description" },
  ]);
});

test("an instance's dependsOn and lifecycle are those of the resources inside that say nothing themselves", () => {
  const blueprint = BLUEPRINT.replace("metadata: { name: zone }", "metadata: { name: zone }\n      lifecycle: { deletion: retain }");
  const head = "dependsOn: [SecurityGroup/office, WebService/base]\nlifecycle: { deletion: protect, replace: never, drift: report }";
  const text = instance("base", "vpcId: v") + instance("backend", "vpcId: v\nzones: [1]", head);
  const stack = succeed(sourcesWith(text, blueprint));
  const [group, logs, address] = ["SecurityGroup/backend.main", "LogGroup/backend.main", "EIP/backend.zone-1"].map((key) =>
    resource(stack, key),
  );
  assert.deepEqual(
    [group, logs, address].map((each) => each?.lifecycle.deletion),
    ["protect", "protect", "retain"],
  );
  assert.equal(group?.lifecycle.replace, "never");
  assert.equal(logs?.lifecycle.replace, "deleteFirst", "a kind's own rule is stronger than the instance's");
  assert.deepEqual(group?.dependencies, [{ on: "SecurityGroup/office" }, { on: "SecurityGroup/base.main" }, { on: "LogGroup/base.main" }]);
  assert.match(
    refused(instance("backend", SPEC, "lifecycle: { ignoreFields: [tags] }")),
    /unknown field `ignoreFields` in the lifecycle of WebService\/backend/,
  );
});

test("a resource that moves into a blueprint keeps its object, and so do those of a renamed instance", () => {
  const moving = BLUEPRINT.replaceAll(
    "metadata: { name: main }",
    'metadata: { name: main, renamedFrom: "SecurityGroup/old-${self.name}" }',
  );
  const from = (text: string, blueprint = BLUEPRINT) =>
    succeed(sourcesWith(text, blueprint)).resources.flatMap(({ key, renamedFrom }) => (renamedFrom ? [`${key} < ${renamedFrom}`] : []));
  const groupOnly = moving.replace(/(kind: LogGroup\n\s+metadata: )\{[^}]*\}[^}]*\}/, "$1{ name: main }");
  assert.deepEqual(from(instance("backend", SPEC), groupOnly), ["SecurityGroup/backend.main < SecurityGroup/old-backend"]);
  const renamed = instance("backend, renamedFrom: WebService/api", `${SPEC}\nzones: [1]`);
  assert.deepEqual(from(renamed, groupOnly), [
    "SecurityGroup/backend.main < SecurityGroup/api.main",
    "LogGroup/backend.main < LogGroup/api.main",
    "EIP/backend.zone-1 < EIP/api.zone-1",
  ]);
  const group = instance("backend, renamedFrom: WebService/api", "vpcId: v", "forEach: [1]");
  assert.deepEqual(from(group), [
    "SecurityGroup/backend-1.main < SecurityGroup/api-1.main",
    "LogGroup/backend-1.main < LogGroup/api-1.main",
  ]);
  const same = BLUEPRINT.replace("metadata: { name: main }", "metadata: { name: main, renamedFrom: SecurityGroup/old }");
  assert.match(
    refused(instance("a", "vpcId: v") + instance("b", "vpcId: v"), same),
    /a\.main and SecurityGroup\/b\.main were both renamed from/,
  );
  const still = BLUEPRINT.replace("metadata: { name: main }", "metadata: { name: main, renamedFrom: SecurityGroup/office }");
  assert.match(refused(instance("a", "vpcId: v"), still), /was renamed from SecurityGroup\/office, which is still declared/);
  const remote = BLUEPRINT.replace(
    "metadata: { name: main }",
    'metadata: { name: main, renamedFrom: "SecurityGroup/${securityGroup.main.groupId}" }',
  );
  assert.match(refused(instance("a", "vpcId: v"), remote), /`renamedFrom` must be known before any AWS call/);
});

test("files are read beside the blueprint where it names them, and beside the instance where that does", async () => {
  const directory = await mkdtemp(join(tmpdir(), "beacon-blueprint-"));
  try {
    await writeFile(join(directory, "here.txt"), "the instance's");
    const inside = join(directory, "blueprints");
    await (await import("node:fs/promises")).mkdir(inside);
    await writeFile(join(inside, "here.txt"), "the blueprint's");
    const blueprint = BLUEPRINT.replace("tags: ${params.tags}", 'tags: { Own: "${file(\'here.txt\')}", Given: "${params.tags.text}" }');
    const texts = {
      "project.yaml": PROJECT,
      "blueprints/b.yaml": blueprint,
      "use.yaml": instance("a", "vpcId: v\ntags: { text: \"${file('here.txt')}\" }").replace("---", ""),
    };
    const stack = succeed(sourcesOf(texts, directory));
    assert.deepEqual(tagsOf(stack, "SecurityGroup/a.main"), { Project: "shop", Own: "the blueprint's", Given: "the instance's" });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a blueprint may hold instances of another", () => {
  const outer = `
---
apiVersion: beacon/v1
kind: Blueprint
metadata: { name: pair }
spec:
  kind: Pair
  parameters: { vpcId: { type: string } }
  resources:
    - apiVersion: blueprint.beacon/v1
      kind: WebService
      metadata: { name: left }
      spec: { vpcId: "\${params.vpcId}", tags: { Of: "\${self.name}" } }
    - apiVersion: ec2.aws/v1
      kind: EIP
      metadata: { name: own }
      spec: { tags: { Group: "\${webService.left.groupId}", Port: "\${string(webService.left.port)}" } }
  outputs: { groupId: "\${webService.left.groupId}" }
---
apiVersion: blueprint.beacon/v1
kind: Pair
metadata: { name: both }
spec: { vpcId: "\${vpc.main.vpcId}" }
`;
  const stack = compiled(outer + tagged("A: ${pair.both.groupId}"));
  assert.deepEqual(keysOf(stack), ["SecurityGroup/both.left.main", "LogGroup/both.left.main", "EIP/both.own"]);
  const group = resource(stack, "SecurityGroup/both.left.main");
  assert.deepEqual(group.within, ["WebService/both.left", "Pair/both"]);
  assert.equal(group.spec.groupName, "shop-dev-both-left", "self.name has no dots, which few of AWS's names may hold");
  assert.equal((group.spec.tags as JsonObject).Of, "both");
  assert.deepEqual(group.dependencies, [{ on: "VPC/main", field: "vpcId" }]);
  assert.deepEqual(stack.resolve(group, () => undefined).vpcId, { $unknown: "vpc.main.vpcId" });
  assert.deepEqual(resource(stack, "EIP/x").dependencies, [{ on: "SecurityGroup/both.left.main", field: "tags" }]);
  assert.deepEqual(tagsOf(stack, "EIP/both.own").Port, "80");
  const circle = outer
    .replace("kind: WebService\n      metadata: { name: left }", "kind: Pair\n      metadata: { name: left }")
    .replaceAll("webService.left.port", "pair.left.vpcId")
    .replaceAll("webService.left", "pair.left")
    .replace(', tags: { Of: "${self.name}" }', "");
  assert.match(refused(circle), /blueprints hold each other in a circle: Pair → Pair/);
});

test("a blueprint's Monitors watch what is inside each instance", () => {
  const monitor = `
    - apiVersion: beacon/v1
      kind: Monitor
      metadata: { name: errors }
      includeWhen: \${params.logs}
      spec: { alarmState: { alarmName: "\${self.name}-\${securityGroup.main.groupId}" } }`;
  const blueprint = BLUEPRINT.replace("\n  outputs:", `${monitor}\n  outputs:`);
  const stack = succeed(sourcesWith(instance("a", "vpcId: v") + instance("b", "vpcId: v\nlogs: false"), blueprint));
  assert.deepEqual(
    stack.monitors.map(({ key, needs, resolve }) => [key, needs, resolve(() => ({ groupId: "sg-1" }))]),
    [["Monitor/a.errors", ["SecurityGroup/a.main"], { alarmState: { alarmName: "a-sg-1" } }]],
  );
});

test("inside, a resource goes by its own name: in late fields and in readyWhen", () => {
  const blueprint = BLUEPRINT.replace(
    "metadata: { name: main }",
    "metadata: { name: main }\n      readyWhen: ['${securityGroup.main.groupId != self.name}']",
  ).replace("ingress: ${params.rules}", 'ingress: [{ ipProtocol: "-1", referencedGroupId: "${securityGroup.main.groupId}" }]');
  const stack = succeed(sourcesWith(instance("a", "vpcId: v"), blueprint));
  const group = resource(stack, "SecurityGroup/a.main");
  assert.deepEqual(group.dependencies, []);
  assert.deepEqual(stack.resolve(group, () => ({ groupId: "sg-1" })).ingress, [{ ipProtocol: "-1", referencedGroupId: "sg-1" }]);
  assert.deepEqual(
    stack.readyWhen(group, () => ({ groupId: "sg-1" })),
    { met: true },
  );
  assert.equal(stack.readyWhen(group, () => ({ groupId: "a" })).met, false);
  const early = BLUEPRINT.replace("tags: ${params.tags}", 'tags: { Own: "${securityGroup.main.groupId}" }');
  assert.match(refused(instance("a", "vpcId: v"), early), /`tags` of SecurityGroup\/main needs its own `groupId`/);
});

test("a resource outside that is called as an instance is may use what is inside that one", () => {
  const outside = `
---
apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: { name: backend }
spec: { vpcId: v, description: "\${webService.backend.groupId}" }
`;
  const group = resource(compiled(instance("backend", "vpcId: v") + outside), "SecurityGroup/backend");
  assert.deepEqual(group.dependencies, [{ on: "SecurityGroup/backend.main", field: "description" }]);
});

test("an instance's own spec may use its name, and its each", () => {
  const stack = compiled(instance("api", 'vpcId: "${self.name}-${each.key}"', "forEach: { x: 1 }"));
  assert.equal(resource(stack, "SecurityGroup/api-x.main").spec.vpcId, "api-x-x");
});

test("the digest is the meaning's: of what is handed in, and of what outputs say", () => {
  const text = instance("backend", SPEC) + tagged("A: ${webService.backend.groupId}");
  const digest = compiled(text).digest;
  assert.equal(compiled(text.replace("apiVersion", "# moved\napiVersion")).digest, digest);
  assert.notEqual(compiled(text.replace("vpc.main.vpcId", "vpc.main.ownerId")).digest, digest);
  const changed = BLUEPRINT.replace("groupId: ${securityGroup.main.groupId}", "groupId: ${securityGroup.main.ownerId}");
  assert.notEqual(succeed(sourcesWith(text, changed)).digest, digest);
});

test("render shows what there is, and where its values come from", () => {
  const documents = render(compiled(instance("backend", `${SPEC}\nzones: [1]`)));
  const address = documents.find(({ kind }) => kind === "EIP");
  assert.deepEqual(address, {
    apiVersion: "ec2.aws/v1",
    kind: "EIP",
    metadata: { name: "backend.zone-1" },
    spec: { tags: { Project: "shop", Name: "backend-1", Group: "<securityGroup.backend.main.groupId>" } },
  });
});
