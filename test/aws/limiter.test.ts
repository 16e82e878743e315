import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, fullBucket, RateLimiter, refilled, reserved } from "../../src/aws/limiter.ts";
import { bucketsOf } from "../../src/aws/limits.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

/** How long `count` calls of `operation` take, in virtual seconds. */
async function secondsFor(count: number, operation: string, factor: number): Promise<number> {
  const world = new VirtualWorld();
  const limiter = new RateLimiter(world.process("a"), factor);
  await world.run(() => Promise.all(Array.from({ length: count }, () => limiter.take(operation))));
  return world.elapsedMs / 1000;
}

const ROWS = [
  { why: "half of the capacity is there at once", operation: "ec2:CreateNatGateway", count: 5, factor: 0.5, seconds: 0 },
  { why: "then half of one a second", operation: "ec2:CreateNatGateway", count: 10, factor: 0.5, seconds: 10 },
  { why: "the whole rate when asked for", operation: "ec2:CreateNatGateway", count: 12, factor: 1, seconds: 2 },
  {
    why: "ingress is resource-intensive: 50 and 5 a second",
    operation: "ec2:AuthorizeSecurityGroupIngress",
    count: 60,
    factor: 1,
    seconds: 2,
  },
  { why: "each EC2 API has a bucket of its own, larger for reads", operation: "ec2:DescribeVpcs", count: 120, factor: 1, seconds: 1 },
  { why: "a bucket below one still lets one call through", operation: "wafv2:AssociateWebACL", count: 2, factor: 0.5, seconds: 4 },
  { why: "no limit at all", operation: "ec2:CreateNatGateway", count: 1000, factor: Number.POSITIVE_INFINITY, seconds: 0 },
];
for (const { why, operation, count, factor, seconds } of ROWS) {
  test(`${why}: ${count} ${operation} at ${factor} take ${seconds} s`, async () => {
    assert.ok(Math.abs((await secondsFor(count, operation, factor)) - seconds) < 0.01);
  });
}

test("operations of one service may share a bucket, and draw from their own as well", () => {
  assert.deepEqual(
    bucketsOf("route53:CreateHostedZone").map(({ id }) => id),
    ["route53", "route53:CreateHostedZone"],
  );
  assert.deepEqual(bucketsOf("autoscaling:CreateAutoScalingGroup"), bucketsOf("autoscaling:DescribePolicies"));
  assert.equal(bucketsOf("ec2:CreateVpc").length, 1);
});

test("a throttle cuts the rate, once for calls that fail together, and a minute of quiet brings it back", () => {
  const limit = { capacity: 10, refillPerSecond: 1 };
  const once = cut(fullBucket(limit, 0.5, 0), 0.5);
  assert.deepEqual([once.factor, once.tokens], [0.35, 0]);
  assert.equal(Math.round(reserved(once).waitMs), 2857);
  assert.equal(refilled(once, 0.5, 60_000).factor, 0.5);
  assert.equal(refilled(once, 0.5, 1000).tokens, 0.35);
  let floor = once;
  for (let times = 0; times < 100; times++) floor = cut(floor, 0.5);
  assert.equal(floor.factor, 0.01);
});

test("many calls throttled together cut the rate once", async () => {
  const world = new VirtualWorld();
  const limiter = new RateLimiter(world.process("a"), 1);
  for (let times = 0; times < 20; times++) limiter.throttled("ec2:CreateNatGateway");
  await world.run(() => limiter.take("ec2:CreateNatGateway"));
  assert.equal(Math.round(world.elapsedMs), 1429);
});

test("an aborted wait gives its token back", async () => {
  const world = new VirtualWorld();
  const limiter = new RateLimiter(world.process("a"), 1);
  const control = new AbortController();
  await world.run(async () => {
    for (let times = 0; times < 10; times++) await limiter.take("ec2:CreateNatGateway");
    const waiting = limiter.take("ec2:CreateNatGateway", control.signal);
    control.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    await limiter.take("ec2:CreateNatGateway");
  });
  assert.equal(Math.round(world.elapsedMs), 1000);
});
