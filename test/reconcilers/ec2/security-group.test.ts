import assert from "node:assert/strict";
import { test } from "node:test";
import { securityGroup } from "../../../reconcilers/ec2/security-group.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";

async function groups() {
  const networks = await benchFor(vpc);
  const main = await make(networks, { cidrBlock: "10.0.0.0/16" });
  return { bench: await benchFor(securityGroup), vpcId: main.id, remove: () => removeAll(networks, main) };
}

const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443 };
const anyOut = { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" };

test("rules follow the manifest: one call each for new, renamed and revoked ones", async () => {
  const { bench, vpcId, remove } = await groups();
  const made = await make(bench, { groupName: "web", vpcId, ingress: [https] });
  assert.deepEqual((await assertHolds(bench, made)).values.egress, [anyOut], "a new group lets everything out");
  const other = await make(bench, { groupName: "clients", vpcId });

  const first = {
    groupName: "web",
    vpcId,
    ingress: [
      { ...https, cidrIpv4: "10.0.0.0/8", description: "inside" },
      { ...https, cidrIpv6: "::/0" },
      { ...https, referencedGroupId: other.id, description: "clients" },
      { ...https, referencedGroupId: made.id },
      { ipProtocol: "icmp", fromPort: -1, toPort: -1, cidrIpv4: "10.0.0.0/8" },
    ],
    egress: [anyOut],
  };
  const full = await settle(bench, made, first);
  assert.equal(full.effects, 1);
  await assertHolds(bench, full);

  const second = {
    groupName: "web",
    vpcId,
    ingress: [
      { ...https, cidrIpv4: "10.0.0.0/8", description: "all inside" },
      { ipProtocol: "udp", fromPort: 53, toPort: 53, cidrIpv4: "10.0.0.2/32" },
    ],
    egress: [{ ...https, cidrIpv4: "0.0.0.0/0" }],
  };
  const changed = await settle(bench, full, second, first);
  assert.equal(changed.effects, 5, "describe, authorize and revoke ingress; authorize and revoke egress");
  await assertHolds(bench, changed);
  assert.deepEqual((await ownedBy(bench)).map(({ id }) => id).sort(), [made.id, other.id].sort());

  const back = await settle(bench, changed, { groupName: "web", vpcId }, second);
  assert.deepEqual((await assertHolds(bench, back)).values.egress, [anyOut], "unset is AWS's own default");
  await removeAll(bench, back, other);
  await remove();
});

test("additive rules leave alone what nobody declared", async () => {
  const { bench, vpcId, remove } = await groups();
  const [theirs, ours] = [
    { ...https, cidrIpv4: "192.0.2.0/24" },
    { ...https, cidrIpv4: "10.0.0.0/8" },
  ];
  const shared = await settle(bench, await make(bench, { groupName: "shared", vpcId }), { vpcId, ingress: [theirs] });
  const additive = await settle(bench, shared, { vpcId, ingress: [ours], rules: "additive" }, {});
  assert.deepEqual((await assertHolds(bench, additive)).values.ingress, [theirs, ours]);
  const alone = await settle(bench, additive, { vpcId, ingress: [ours], rules: "authoritative" }, {});
  assert.deepEqual((await assertHolds(bench, alone)).values.ingress, [ours]);
  await removeAll(bench, alone);
  await remove();
});

test("groups that refer to each other are named as each other's blockers", async () => {
  const { bench, vpcId, remove } = await groups();
  const [left, right] = [await make(bench, { groupName: "left", vpcId }), await make(bench, { groupName: "right", vpcId })];
  const referring = await settle(bench, left, { vpcId, ingress: [{ ...https, referencedGroupId: right.id }] });
  const blocker = await securityGroup.explainBlocked?.run(bench.reader, { id: right.id, observed: {} });
  assert.equal(blocker, `a rule of security group ${left.id} (left)`);
  await removeAll(bench, await settle(bench, referring, { vpcId, ingress: [] }), right);
  await remove();
});

test("a group is found by VPC and name, whatever the case", async () => {
  const { bench, vpcId, remove } = await groups();
  const [made, other] = [await make(bench, { groupName: "Web", vpcId }), await make(bench, { groupName: "webs", vpcId })];
  const found = await securityGroup.list.run(bench.reader, { ids: [], names: [{ vpcId, groupName: "wEB" }], fields: new Set() });
  assert.deepEqual(
    found.map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, made, other);
  await remove();
});

test("a rule that is there already, or gone already, makes the kind look again", async () => {
  const { bench, vpcId, remove } = await groups();
  const made = await make(bench, { groupName: "web", vpcId });
  const rule = { ...https, cidrIpv4: "10.0.0.0/8" };
  await settle(bench, made, { vpcId, ingress: [rule] });
  const stale = await settle(bench, made, { vpcId, ingress: [rule, { ...https, cidrIpv6: "::/0" }] });
  assert.equal(stale.effects, 2, "refused, looked; then only the missing rule");
  assert.equal(((await assertHolds(bench, stale)).values.ingress as JsonObject[]).length, 2);
  const gone = { ...stale, values: { ...stale.values, ingress: [rule, { ...https, cidrIpv4: "192.0.2.0/24" }] } };
  const left = await settle(bench, gone, { vpcId, ingress: [rule] });
  assert.deepEqual((await assertHolds(bench, left)).values.ingress, [rule]);
  await removeAll(bench, left);
  await remove();
});

test("any other refusal of a rule is not swallowed", async () => {
  const { bench, vpcId, remove } = await groups();
  const made = await make(bench, { groupName: "web", vpcId });
  const missing = { ...https, referencedGroupId: "sg-0123456789abcdef0" };
  await assert.rejects(settle(bench, made, { vpcId, ingress: [missing] }), AwsError);
  assert.deepEqual((await seen(bench, made.id))[0]?.values.ingress, []);
  await removeAll(bench, made);
  await remove();
});

const rows = [
  { why: "a whole rule is fine", rules: [{ ...https, cidrIpv4: "10.0.0.0/8" }], messages: [] },
  { why: "a rule to a group that is not known yet is whole", rules: [{ ...https, referencedGroupId: { $unknown: "x" } }], messages: [] },
  {
    why: "a rule needs a peer",
    rules: [https],
    messages: ["a rule of SecurityGroup/a needs one of cidrIpv4, cidrIpv6, prefixListId, referencedGroupId, and has none"],
  },
  {
    why: "a rule has one peer",
    rules: [{ ...https, cidrIpv4: "10.0.0.0/8", cidrIpv6: "::/0" }],
    messages: ["a rule of SecurityGroup/a needs one of cidrIpv4, cidrIpv6, prefixListId, referencedGroupId, and has cidrIpv4 and cidrIpv6"],
  },
  {
    why: "tcp needs ports",
    rules: [{ ipProtocol: "tcp", cidrIpv4: "10.0.0.0/8" }],
    messages: ["a rule of SecurityGroup/a for tcp needs fromPort and toPort"],
  },
  {
    why: "all protocols have no ports",
    rules: [{ ...anyOut, fromPort: 0, toPort: 0 }],
    messages: ["a rule of SecurityGroup/a for protocol -1 has no ports: leave fromPort and toPort out"],
  },
  { why: "the same rule twice is one rule", rules: [anyOut, anyOut], messages: [] },
  {
    why: "a rule has one description",
    rules: [anyOut, { ...anyOut, description: "all" }],
    messages: ["SecurityGroup/a has this rule twice, with different descriptions"],
  },
  {
    why: "ports run from the lower to the higher, and begin at 0",
    rules: [
      { ipProtocol: "tcp", fromPort: 443, toPort: 80, cidrIpv4: "10.0.0.0/8" },
      { ipProtocol: "udp", fromPort: -1, toPort: -1, cidrIpv4: "10.0.0.0/8" },
      { ipProtocol: "tcp", fromPort: 0, toPort: 65535, cidrIpv4: "10.0.0.0/8" },
    ],
    messages: [
      "a rule of SecurityGroup/a has no port range: fromPort 443, toPort 80",
      "a rule of SecurityGroup/a has no port range: fromPort -1, toPort -1",
    ],
  },
  {
    why: "all ICMP types take all codes, and no type is above 255",
    rules: [
      { ipProtocol: "icmp", fromPort: -1, toPort: 0, cidrIpv4: "10.0.0.0/8" },
      { ipProtocol: "icmpv6", fromPort: 256, toPort: 0, cidrIpv6: "::/0" },
      { ipProtocol: "icmp", fromPort: 8, toPort: -1, cidrIpv4: "10.0.0.0/8" },
    ],
    messages: [
      "a rule of SecurityGroup/a has no ICMP type and code: fromPort -1, toPort 0 (-1 and -1 for all)",
      "a rule of SecurityGroup/a has no ICMP type and code: fromPort 256, toPort 0 (-1 and -1 for all)",
    ],
  },
];

for (const { why, rules, messages } of rows) {
  const resource: StaticResource = { key: "SecurityGroup/a", spec: { egress: rules }, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      securityGroup.check?.([resource]).map(({ message }) => message),
      messages,
    ),
  );
}

const names = [
  { why: "the default group's name is taken", groupName: "Default", fits: false },
  { why: "an id is no name", groupName: "sg-web", fits: false },
  { why: "a name may contain them", groupName: "my-sg-default", fits: true },
  { why: "an empty name is none", groupName: "", fits: false },
  { why: "a space at the end would be cut off", groupName: "web ", fits: false },
];

for (const { why, groupName, fits } of names) {
  test(why, () => assert.equal(securityGroup.specSchema.safeParse({ vpcId: "vpc-1", groupName }).success, fits));
}
