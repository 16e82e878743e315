/** Monitors: what they come to in an environment, and that they touch nothing that a plan is made from. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack, View } from "../../src/core/compiled.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { sourcesOf } from "../../src/manifest/source.ts";

const PROJECT = `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec:
  parameters:
    domain: { type: string, default: shop.example.com }
    tables: { type: array, items: { type: string }, default: [carts, orders] }
    checked: { type: boolean, default: true }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true }
---
apiVersion: dynamodb.aws/v1
kind: Table
metadata: { name: main }
forEach: \${params.tables}
spec:
  tableName: \${env.name}-\${each.key}
  billingMode: PAY_PER_REQUEST
  keySchema: { hash: id }
  attributeDefinitions: { id: S }
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: { name: main }
spec: { cidrBlock: 10.0.0.0/16 }
---
`;

function compiled(text: string, params: readonly string[] = []): CompiledStack {
  const sources = sourcesOf({ "project.yaml": PROJECT, ...(text === "" ? {} : { "monitors.yaml": text }) });
  const result = compile(sources, { kinds, params });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return result.stack;
}

const monitor = (spec: string, head = "", name = "web"): string => `
apiVersion: beacon/v1
kind: Monitor
metadata: { name: ${name} }
${head}
spec: ${spec}
`;

test("what the manifests say is known at once, and nothing must be looked at for it", () => {
  const stack = compiled(monitor("{ http: { url: 'https://${params.domain}/health' }, interval: 5m }"));
  const [web] = stack.monitors;
  assert.deepEqual(web?.spec, { http: { url: "https://shop.example.com/health" }, interval: "5m" });
  assert.deepEqual([web?.key, web?.check, web?.needs], ["Monitor/web", "http", []]);
  assert.deepEqual(
    web?.resolve(() => undefined),
    web?.spec,
  );
});

test("forEach makes one for each, and includeWhen leaves them out", () => {
  const text = monitor(
    "{ tableStatus: { tableName: '${table.main[each.key].tableName}' } }",
    "forEach: ${params.tables}\nincludeWhen: ${params.checked}",
  );
  const keys = (stack: CompiledStack) => stack.monitors.map(({ key, spec }) => [key, spec]);
  assert.deepEqual(keys(compiled(text)), [
    ["Monitor/web-carts", { tableStatus: { tableName: "dev-carts" } }],
    ["Monitor/web-orders", { tableStatus: { tableName: "dev-orders" } }],
  ]);
  assert.deepEqual(keys(compiled(text, ["checked=false"])), []);
});

test("what only AWS knows stays an expression, and names what must be looked at", () => {
  const text = monitor(
    "{ targetHealth: { targetGroupArn: '${vpc.main.vpcId}/${each.value}', minimumHealthyTargets: '${each.index + 1}' } }",
    "forEach: [a, b]",
  );
  const [, second] = compiled(text).monitors;
  assert.deepEqual(second?.needs, ["VPC/main"]);
  const nothing = second?.resolve(() => undefined).targetHealth as Record<string, unknown>;
  assert.ok("$unknown" in (nothing.targetGroupArn as object));
  assert.equal(nothing.minimumHealthyTargets, 2);
  const view: View = (key) => (key === "VPC/main" ? { vpcId: "vpc-1" } : undefined);
  assert.deepEqual(second?.resolve(view), { targetHealth: { targetGroupArn: "vpc-1/b", minimumHealthyTargets: 2 } });
});

test("a Monitor is no resource: the stack has the same resources and lookups with it and without", () => {
  const [plain, monitored] = [compiled(""), compiled(monitor("{ http: { url: 'https://${vpc.main.vpcId}' } }"))];
  assert.deepEqual(monitored.resources, plain.resources);
  assert.deepEqual(monitored.lookups, plain.lookups);
  assert.notEqual(monitored.digest, plain.digest, "but a revision that the controller runs knows its Monitors");
});

const BLUEPRINT = `
apiVersion: beacon/v1
kind: Blueprint
metadata: { name: network }
spec:
  kind: Network
  parameters:
    range: { type: string }
  resources:
    - apiVersion: ec2.aws/v1
      kind: VPC
      metadata: { name: main }
      spec: { cidrBlock: "\${params.range}" }
    - apiVersion: beacon/v1
      kind: Monitor
      metadata: { name: inside }
      spec: { http: { url: "https://\${vpc.main.vpcId}/\${self.name}" } }
  outputs:
    vpcId: \${vpc.main.vpcId}
    range: \${vpc.main.cidrBlock}
---
apiVersion: blueprint.beacon/v1
kind: Network
metadata: { name: lab }
spec: { range: 10.9.0.0/16 }
---
`;

test("an instance's outputs are seen from outside, its resources from inside, and needed are the resources behind them", () => {
  const text =
    BLUEPRINT +
    monitor("{ http: { url: 'https://${network.lab.vpcId}' } }", "", "outside") +
    `---${monitor("{ alarmState: { alarmName: '${network.lab.range}' } }", "", "known")}`;
  const view: View = (key) => (key === "VPC/lab.main" ? { vpcId: "vpc-9" } : undefined);
  const found = compiled(text).monitors.map(({ key, needs, resolve }) => [key, needs, resolve(view)] as const);
  assert.deepEqual(found, [
    ["Monitor/outside", ["VPC/lab.main"], { http: { url: "https://vpc-9" } }],
    ["Monitor/known", [], { alarmState: { alarmName: "10.9.0.0/16" } }],
    ["Monitor/lab.inside", ["VPC/lab.main"], { http: { url: "https://vpc-9/lab" } }],
  ]);
});
