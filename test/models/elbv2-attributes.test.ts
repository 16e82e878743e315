/** The attributes of load balancers, target groups and listeners are those that AWS's own models describe, by AWS's names. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { objectShape } from "../../src/core/shape.ts";
import { listenerAttributes, loadBalancerAttributes, targetGroupAttributes } from "../../src/kind/elbv2-attribute-schemas.ts";
import { attributesOf, initialAttributes, namesOf } from "../../src/kind/elbv2-attributes.ts";
import { loadModels, shapeNamed } from "./model.ts";

before(() => loadModels("elasticloadbalancing"));

// "Supported only by Gateway Load Balancers" (TargetGroupAttribute, ListenerAttribute).
const GATEWAYS = /^(target_failover|send_tcp_reset)\./;

const rows = [
  { shape: "LoadBalancerAttribute", schema: loadBalancerAttributes },
  { shape: "TargetGroupAttribute", schema: targetGroupAttributes },
  { shape: "ListenerAttribute", schema: listenerAttributes },
];

for (const { shape, schema } of rows) {
  test(`${shape}: every name that AWS describes, and no other`, () => {
    const { Key } = (shapeNamed("elasticloadbalancing", shape).members ?? {}) as Readonly<Record<string, { documentation?: string }>>;
    const described = [...String(Key?.documentation).matchAll(/<li>\s*<p>\s*<code>([a-z0-9_.]+)<\/code>\s*[-–]/g)].map(
      ([, name]) => name as string,
    );
    const names = described.filter((name) => name.includes(".") && !GATEWAYS.test(name));
    assert.deepEqual([...namesOf(objectShape(schema))].sort(), [...new Set(names)].sort());
  });
}

test("texts become what the schema says, and what AWS leaves out or leaves empty is absent", () => {
  const shape = objectShape(targetGroupAttributes);
  const list = [
    { Key: "stickiness.enabled", Value: "true" },
    { Key: "stickiness.app_cookie.cookie_name", Value: "" },
    { Key: "stickiness.lb_cookie.duration_seconds", Value: "86400" },
    { Key: "load_balancing.cross_zone.enabled", Value: "use_load_balancer_configuration" },
    { Key: "target_group_health.dns_failover.minimum_healthy_targets.count", Value: "off" },
    { Key: "target_group_health.dns_failover.minimum_healthy_targets.percentage", Value: "50" },
    { Key: "something.new", Value: "x" },
  ];
  assert.deepEqual(attributesOf(shape, list), {
    stickiness: { enabled: true, lbCookie: { durationSeconds: 86_400 } },
    loadBalancing: { crossZone: { enabled: "use_load_balancer_configuration" } },
    targetGroupHealth: { dnsFailover: { minimumHealthyTargets: { count: "off", percentage: 50 } } },
  });
  const crossZone = [{ Key: "load_balancing.cross_zone.enabled", Value: "false" }];
  assert.deepEqual(attributesOf(shape, crossZone), { loadBalancing: { crossZone: { enabled: false } } });
});

test("what AWS gives a new object fits the schemas", () => {
  for (const { schema } of rows) {
    const initial = initialAttributes(objectShape(schema), () => true);
    assert.deepEqual(schema.parse(initial), initial);
  }
});
