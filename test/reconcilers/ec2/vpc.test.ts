import assert from "node:assert/strict";
import { test } from "node:test";
import { subnet } from "../../../reconcilers/ec2/subnet.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { assertHolds, benchFor, make, ownedBy, removeAll, settle } from "../support.ts";

test("a VPC's create says what AWS then holds, its DNS attributes among it", async () => {
  const bench = await benchFor(vpc);
  const made = await make(bench, { cidrBlock: "10.0.0.0/16", amazonProvidedIpv6CidrBlock: true, tags: { Name: "a" } });
  const found = await assertHolds(bench, made);
  assert.equal(made.values.enableDnsSupport, true, "AWS's default needs no look and no call");
  assert.equal(found.values.amazonProvidedIpv6CidrBlock, true);
  assert.match(String(found.values.ipv6CidrBlock), /::\/56$/);
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, made);
});

test("each attribute of a VPC changes in place, and unset puts it back", async () => {
  const bench = await benchFor(vpc);
  const base = { cidrBlock: "10.0.0.0/16", tags: { Name: "a", Gone: "soon" } };
  const made = await make(bench, base);
  const wanted = {
    cidrBlock: "10.0.0.0/16",
    enableDnsSupport: false,
    enableDnsHostnames: true,
    enableNetworkAddressUsageMetrics: true,
    amazonProvidedIpv6CidrBlock: true,
    tags: { Name: "b" },
  };
  const changed = await settle(bench, made, wanted, base);
  assert.equal(changed.effects, 6, "four fields, one call to set tags and one to remove them");
  await assertHolds(bench, changed);
  const back = await settle(bench, changed, { cidrBlock: "10.0.0.0/16", tags: { Name: "b" } }, wanted);
  const found = await assertHolds(bench, back);
  assert.deepEqual(
    [found.values.enableDnsSupport, found.values.enableDnsHostnames, found.values.amazonProvidedIpv6CidrBlock],
    [true, false, false],
  );
  await removeAll(bench, back);
});

test("a look reads only the attributes that somebody declared", async () => {
  const bench = await benchFor(vpc);
  const made = await make(bench, { cidrBlock: "10.0.0.0/16" });
  const [found] = await ownedBy(bench, { fields: new Set(["enableDnsSupport"]) });
  assert.equal(found?.values.enableDnsSupport, true);
  assert.equal(found?.values.enableDnsHostnames, undefined);
  const calls = bench.session.calls().filter(({ operation }) => operation === "ec2:DescribeVpcAttribute");
  assert.equal(calls[0]?.calls, 1);
  await removeAll(bench, made);
});

test("what is in the way of a VPC's deletion is named", async () => {
  const bench = await benchFor(vpc);
  const made = await make(bench, { cidrBlock: "10.0.0.0/16" });
  const subnets = await benchFor(subnet);
  const child = await make(subnets, { vpcId: made.id, cidrBlock: "10.0.1.0/24" });
  assert.equal(await vpc.explainBlocked?.run(bench.reader, { id: made.id, observed: made.values }), `subnet ${child.id}`);
  await removeAll(subnets, child);
  assert.equal(await vpc.explainBlocked?.run(bench.reader, { id: made.id, observed: made.values }), undefined);
  await removeAll(bench, made);
});

test("a VPC waits while it, or its IPv6 range, is being prepared", () => {
  assert.equal(vpc.ready({ state: "pending" }).state, "waiting");
  assert.equal(vpc.ready({ state: "available", ipv6CidrBlockState: "associating" }).state, "waiting");
  assert.equal(vpc.ready({ state: "available", ipv6CidrBlockState: "associated" }).state, "ready");
});
