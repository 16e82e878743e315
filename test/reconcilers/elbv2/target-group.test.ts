import assert from "node:assert/strict";
import { test } from "node:test";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { listener } from "../../../reconcilers/elbv2/listener.ts";
import { listenerRule } from "../../../reconcilers/elbv2/listener-rule.ts";
import { targetGroup } from "../../../reconcilers/elbv2/target-group.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, removeAll, settle } from "../support.ts";
import { balancer, nameFor } from "./ground.ts";

async function ground() {
  const [vpcs, bench] = [await benchFor(vpc), await benchFor(targetGroup)];
  const main = await make(vpcs, { cidrBlock: "10.0.0.0/16" });
  return { bench, vpcId: main.id, remove: () => removeAll(vpcs, main) };
}

test("a target group's create says what AWS then holds, its attributes included, whatever its type", async () => {
  const { bench, vpcId, remove } = await ground();
  const specs: readonly JsonObject[] = [
    { protocol: "HTTP", port: 80, vpcId },
    { protocol: "HTTPS", port: 443, vpcId, protocolVersion: "GRPC", targetType: "ip", matcher: { grpcCode: "0-5" } },
    { protocol: "TCP", port: 22, vpcId, targetType: "ip" },
    { protocol: "UDP", port: 53, vpcId },
    { targetType: "lambda", healthCheckEnabled: true, healthCheckPath: "/health" },
  ];
  for (const [index, spec] of specs.entries()) {
    const made = await make(bench, { name: nameFor(bench, `g${index}`), ...spec });
    const found = await assertHolds(bench, made);
    assert.match(made.id, new RegExp(`:${found.values.targetGroupFullName}$`));
    assert.equal((await settle(bench, found, { ...spec })).effects, 0);
    await removeAll(bench, found);
  }
  await remove();
});

test("the health check changes in one call, attributes in another, and unset puts them back", async () => {
  const { bench, vpcId, remove } = await ground();
  const base = {
    name: nameFor(bench, "web"),
    protocol: "HTTP",
    port: 5000,
    vpcId,
    healthCheckPath: "/api/health",
    matcher: { httpCode: "200" },
  };
  const made = await make(bench, base);
  const wanted = {
    ...base,
    healthCheckPort: "8080",
    healthCheckIntervalSeconds: 20,
    healthCheckTimeoutSeconds: 15,
    healthyThresholdCount: 2,
    unhealthyThresholdCount: 3,
    matcher: { httpCode: "200-299,301" },
    attributes: {
      deregistrationDelay: { timeoutSeconds: 3600 },
      stickiness: { enabled: true, type: "app_cookie", appCookie: { cookieName: "session" } },
      slowStart: { durationSeconds: 30 },
      targetGroupHealth: { dnsFailover: { minimumHealthyTargets: { count: 2, percentage: 50 } } },
      loadBalancing: { crossZone: { enabled: false } },
    },
  };
  const changed = await settle(bench, made, wanted, base);
  assert.equal(changed.effects, 2);
  await assertHolds(bench, changed);
  const { stickiness } = wanted.attributes;
  const other = { ...wanted, attributes: { ...wanted.attributes, stickiness: { ...stickiness, type: "lb_cookie" } } };
  const cookies = await settle(bench, changed, other, wanted);
  await assertHolds(bench, cookies);
  const again = await settle(bench, cookies, wanted, other);
  assert.equal(again.effects, 1, "what belongs to it goes along: AWS wants the cookie's name with its type");
  await assertHolds(bench, again);
  const back = await settle(bench, again, { ...base, healthCheckTimeoutSeconds: 15 }, wanted);
  assert.equal(back.effects, 2);
  const { values } = await assertHolds(bench, back);
  const attributes = values.attributes as JsonObject;
  assert.deepEqual(
    [values.healthCheckPort, values.healthCheckIntervalSeconds, values.healthyThresholdCount, values.unhealthyThresholdCount],
    ["traffic-port", 30, 5, 2],
  );
  assert.deepEqual(
    [attributes.deregistrationDelay, attributes.slowStart, (attributes.targetGroupHealth as JsonObject).dnsFailover],
    [{ timeoutSeconds: 300 }, { durationSeconds: 0 }, { minimumHealthyTargets: { count: 1, percentage: "off" } }],
  );
  await removeAll(bench, back);
  await remove();
});

test("targets come and go, and those of others are not looked at", async () => {
  const { bench, vpcId, remove } = await ground();
  const base = { name: nameFor(bench, "web"), protocol: "HTTP", port: 80, vpcId, targetType: "ip" };
  const made = await make(bench, base);
  const first = { ...base, targets: [{ id: "10.0.0.10" }, { id: "10.0.0.11", port: 8080 }] };
  const two = await settle(bench, made, first, base);
  assert.equal(two.effects, 1);
  const second = { ...base, targets: [{ id: "10.0.0.11", port: 8081 }, { id: "10.0.0.12" }] };
  const moved = await settle(bench, two, second, first);
  assert.equal(moved.effects, 4, "one comes, one leaves and comes back on another port, one goes");
  const [found] = await ownedBy(bench);
  assert.deepEqual(found?.values.targets, [
    { id: "10.0.0.12", port: 80 },
    { id: "10.0.0.11", port: 8081 },
  ]);
  assert.equal((await ownedBy(bench, { fields: new Set() }))[0]?.values.targets, undefined);
  const none = await settle(bench, moved, base, second);
  assert.deepEqual((await assertHolds(bench, none)).values.targets, []);
  await removeAll(bench, none);
  await remove();
});

test("a group in use is not deleted, and the listener or rule that uses it is named", async () => {
  const { vpcId, balancer: lb, remove } = await balancer();
  const [groups, listeners, rules] = [await benchFor(targetGroup), await benchFor(listener), await benchFor(listenerRule)];
  const group = await make(groups, { name: nameFor(groups, "web"), protocol: "HTTP", port: 80, vpcId });
  const forward = [{ type: "forward", targetGroupArn: group.id }];
  const plain = [{ type: "fixed-response", fixedResponseConfig: { statusCode: "404" } }];
  const one = await make(listeners, { loadBalancerArn: lb.id, port: 80, protocol: "HTTP", defaultActions: forward });
  const blocker = () => targetGroup.explainBlocked?.run(groups.reader, { id: group.id, observed: {} });
  await assert.rejects(removeAll(groups, group), { name: "ResourceInUseException" });
  assert.equal(await blocker(), `listener HTTP 80 of load balancer ${lb.values.name}`);
  const conditions = [{ field: "path-pattern", pathPatternConfig: { values: ["/"] } }];
  const rule = await make(rules, { listenerArn: one.id, priority: 7, conditions, actions: forward });
  const other = await settle(listeners, one, { loadBalancerArn: lb.id, port: 80, protocol: "HTTP", defaultActions: plain });
  await assert.rejects(removeAll(groups, group), { name: "ResourceInUseException" });
  assert.equal(await blocker(), `rule 7 of listener HTTP 80 of load balancer ${lb.values.name}`);
  await removeAll(rules, rule);
  assert.equal(await blocker(), undefined);
  await removeAll(groups, group);
  await removeAll(listeners, other);
  await remove();
});

const whole = { protocol: "HTTP", port: 80, vpcId: "vpc-1" };
const rows = [
  { why: "a whole group is fine", spec: whole, fields: [] },
  { why: "a type that is not known yet is fine", spec: { targetType: { $unknown: "x" } }, fields: [] },
  { why: "protocol, port and VPC are needed", spec: { vpcId: "vpc-1" }, fields: ["", ""] },
  { why: "but for a Lambda function", spec: { targetType: "lambda", healthCheckEnabled: false }, fields: [] },
  { why: "which has none of them", spec: { targetType: "lambda", port: 80 }, fields: ["port"] },
  { why: "targets are always checked", spec: { ...whole, healthCheckEnabled: false }, fields: ["healthCheckEnabled"] },
  { why: "versions are of HTTP", spec: { ...whole, protocol: "TCP", protocolVersion: "HTTP2" }, fields: ["protocolVersion"] },
  {
    why: "an answer is waited for no longer than until the next question",
    spec: { ...whole, healthCheckTimeoutSeconds: 30, healthCheckIntervalSeconds: 10 },
    fields: ["healthCheckTimeoutSeconds"],
  },
  { why: "codes are of one kind", spec: { ...whole, matcher: { httpCode: "200", grpcCode: "0" } }, fields: ["matcher"] },
  { why: "and there are some", spec: { ...whole, matcher: {} }, fields: ["matcher"] },
  { why: "a target has one port", spec: { ...whole, targets: [{ id: "i-1" }, { id: "i-1", port: 81 }] }, fields: ["targets"] },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "TargetGroup/a", spec: spec as JsonObject, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      targetGroup.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

const members = [
  { member: { name: "beacon-prod-backend-tg" }, fits: true },
  { member: { name: "a--b" }, fits: false },
  { member: { healthCheckPort: "traffic-port" }, fits: true },
  { member: { healthCheckPort: "http" }, fits: false },
  { member: { matcher: { httpCode: "200,202,300-399" } }, fits: true },
  { member: { matcher: { httpCode: "2xx" } }, fits: false },
  { member: { attributes: { slowStart: { durationSeconds: 0 } } }, fits: true },
  { member: { attributes: { slowStart: { durationSeconds: 29 } } }, fits: false },
  { member: { protocol: "GENEVE" }, fits: false },
];

for (const { member, fits } of members) {
  test(`${JSON.stringify(member)} ${fits ? "fits" : "does not fit"}`, () =>
    assert.equal(targetGroup.specSchema.safeParse({ ...whole, ...member }).success, fits));
}
