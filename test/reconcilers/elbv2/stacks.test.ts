/** What several resources of one stack do to each other, by the whole engine: priorities that cross, and successors that need what is in use. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { kinds } from "../../../reconcilers/index.ts";
import type { CompiledStack } from "../../../src/core/compiled.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { AnyKind } from "../../../src/kind/kind.ts";
import { compile } from "../../../src/manifest/compile.ts";
import { formatProblems } from "../../../src/manifest/problems.ts";
import { sourcesOf } from "../../../src/manifest/source.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";

const REGION = "ap-northeast-2";

type Part = {
  readonly kind: string;
  readonly name: string;
  readonly spec: JsonObject;
  readonly apiVersion?: string;
  readonly more?: JsonObject;
};

function compiled(stand: Stand, parts: readonly Part[]): CompiledStack {
  const { project, environment } = stand.stack;
  const documents = [
    { apiVersion: "beacon/v1", kind: "Project", metadata: { name: project }, spec: { id: project } },
    { apiVersion: "beacon/v1", kind: "Environment", metadata: { name: environment }, spec: { region: REGION } },
    ...parts.map(({ kind, name, spec, apiVersion = "elbv2.aws/v1", more }) => ({ apiVersion, kind, metadata: { name }, ...more, spec })),
  ];
  const sources = sourcesOf({ "stack.yaml": documents.map((document) => stringify(document)).join("---\n") });
  const done = compile(sources, { kinds, environment, params: [], paramsFiles: [] });
  return done.ok ? done.stack : assert.fail(formatProblems(done.problems, sources));
}

const ec2 = (kind: string, name: string, spec: JsonObject): Part => ({ kind, name, spec, apiVersion: "ec2.aws/v1" });
const answer = { type: "fixed-response", fixedResponseConfig: { statusCode: "404" } };

const network: readonly Part[] = [
  ec2("VPC", "main", { cidrBlock: "10.0.0.0/16" }),
  ...["a", "b"].map((zone, index) =>
    ec2("Subnet", zone, { vpcId: "${vpc.main.vpcId}", cidrBlock: `10.0.${index}.0/24`, availabilityZone: `${REGION}${zone}` }),
  ),
];
const balancer = (more: JsonObject = {}): Part => ({
  kind: "LoadBalancer",
  name: "web",
  spec: { scheme: "internal", subnets: ["${subnet.a.subnetId}", "${subnet.b.subnetId}"], ...more },
});
const group = (port: number): Part => ({
  kind: "TargetGroup",
  name: "web",
  spec: { name: "${project.name}-web", protocol: "HTTP", port, vpcId: "${vpc.main.vpcId}" },
});
const listener: Part = {
  kind: "Listener",
  name: "web",
  spec: {
    loadBalancerArn: "${loadBalancer.web.loadBalancerArn}",
    port: 80,
    protocol: "HTTP",
    defaultActions: [{ type: "forward", targetGroupArn: "${targetGroup.web.targetGroupArn}" }],
  },
};
const rule = (name: string, priority: number, action: JsonObject = answer): Part => ({
  kind: "ListenerRule",
  name,
  spec: {
    listenerArn: "${listener.web.listenerArn}",
    priority,
    conditions: [{ field: "path-pattern", pathPatternConfig: { values: [`/${name}`] } }],
    actions: [action],
  },
});

describe("load balancers of one stack", { concurrency: 1 }, () => {
  let stand: Stand;
  before(async () => {
    stand = await newStand(kinds, "elb", REGION);
  });
  after(async () => {
    await stand.settle(undefined, { destroy: true }, "clearing up");
    await stand.close();
  });

  const settle = async (parts: readonly Part[], what: string) => {
    const stack = compiled(stand, [...network, ...parts]);
    await stand.settle(stack, {}, what);
    const { plan } = await stand.plan(stack);
    assert.deepEqual(
      plan.changes.filter(({ action }) => action !== "none").map(({ key, action }) => `${key}: ${action}`),
      [],
      `${what}: something is left to do`,
    );
  };
  const objects = (kind: string, name: string) =>
    stand.objects(kinds.get(`elbv2.aws/v1 ${kind}`) as AnyKind, `${kind}/${name}` as `${string}/${string}`);
  const priorities = async (...names: string[]) => {
    const found = await Promise.all(names.map((name) => objects("ListenerRule", name)));
    return found.map(([one, ...others]) => (others.length === 0 ? one?.values.priority : "several"));
  };
  const idOf = async (kind: string) => (await objects(kind, "web")).map(({ id }) => id).join();
  const standing = [balancer(), group(80), listener];

  it("swaps the priorities of rules that cross", async () => {
    await settle([...standing, rule("a", 1), rule("b", 2), rule("c", 3)], "creating");
    await settle([...standing, rule("a", 2), rule("b", 1), rule("c", 3)], "crossing two");
    assert.deepEqual(await priorities("a", "b", "c"), [2, 1, 3]);
    assert.equal(stand.proxy.mutatingCalls.filter(({ name }) => name.endsWith("SetRulePriorities")).length, 1);
    await settle([...standing, rule("a", 3), rule("b", 2), rule("c", 1)], "moving three in a circle");
    assert.deepEqual(await priorities("a", "b", "c"), [3, 2, 1]);
  });

  it("lets rules move on, one behind the other", async () => {
    await settle([...standing, rule("a", 1), rule("b", 2), rule("c", 3)], "creating");
    await settle([...standing, rule("a", 2), rule("b", 3), rule("c", 4)], "moving on");
    assert.deepEqual(await priorities("a", "b", "c"), [2, 3, 4]);
  });

  it("puts a new rule before the others, which move on", async () => {
    await settle([...standing, rule("a", 1), rule("b", 2)], "creating");
    await settle([...standing, rule("n", 1), rule("a", 2), rule("b", 3)], "one in front");
    assert.deepEqual(await priorities("n", "a", "b"), [1, 2, 3]);
  });

  it("puts a new rule in the place of one that is deleted", async () => {
    await settle([...standing, rule("a", 1), rule("b", 2)], "creating");
    await settle([...standing, rule("z", 1), rule("b", 2)], "another one");
    assert.deepEqual(await priorities("a", "z", "b"), [undefined, 1, 2]);
  });

  it("makes a successor of a target group that is in use, and deletes the old one when nothing forwards to it", async () => {
    await settle(standing, "creating");
    const before = await idOf("TargetGroup");
    await settle([balancer(), group(81), listener], "another port");
    assert.notEqual(await idOf("TargetGroup"), before);
  });

  it("replaces a load balancer whose target group, listener and rules go on with its successor", async () => {
    const forward = { type: "forward", targetGroupArn: "${targetGroup.web.targetGroupArn}" };
    const parts = (more: JsonObject) => [balancer(more), group(80), listener, rule("a", 1, forward)];
    await settle(parts({}), "creating");
    const [old, kept] = [await idOf("LoadBalancer"), await idOf("TargetGroup")];
    await settle(parts({ name: "${project.name}-new" }), "another name");
    assert.notEqual(await idOf("LoadBalancer"), old);
    assert.equal(await idOf("TargetGroup"), kept);
  });
});
