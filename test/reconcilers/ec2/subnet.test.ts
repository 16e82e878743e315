import assert from "node:assert/strict";
import { test } from "node:test";
import { subnet } from "../../../reconcilers/ec2/subnet.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { cidrSubnet } from "../../../src/core/cidr.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { ResourceKey } from "../../../src/core/resource.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, recorder, removeAll, settle } from "../support.ts";

test("a subnet is created, changed in place, found by its natural key, and deleted", async () => {
  const networks = await benchFor(vpc);
  const network = await make(networks, { cidrBlock: "10.0.0.0/16", amazonProvidedIpv6CidrBlock: true });
  const bench = await benchFor(subnet);
  const base = { vpcId: network.id, cidrBlock: "10.0.1.0/24", availabilityZone: "eu-west-1b" };
  const made = await make(bench, base);
  await assertHolds(bench, made);
  const ipv6CidrBlock = cidrSubnet(String(network.values.ipv6CidrBlock), 8, 3);
  const options = {
    enableDns64: true,
    privateDnsNameOptionsOnLaunch: { hostnameType: "resource-name", enableResourceNameDnsARecord: true },
  };
  const wanted = { ...base, mapPublicIpOnLaunch: true, assignIpv6AddressOnCreation: true, ipv6CidrBlock, ...options };
  const changed = await settle(bench, made, wanted);
  assert.equal(changed.effects, 6);
  await assertHolds(bench, changed);
  const back = await settle(bench, changed, base, wanted);
  assert.equal((await assertHolds(bench, back)).values.ipv6CidrBlock, undefined);
  const names = [
    { vpcId: network.id, cidrBlock: "10.0.1.0/24" },
    { vpcId: network.id, cidrBlock: "10.0.9.0/24" },
  ];
  const byName = await subnet.list.run(bench.reader, { ids: [], names, fields: new Set() });
  assert.deepEqual(
    byName.map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, back);
  await removeAll(networks, network);
});

test("private DNS options go out one attribute a call", async () => {
  const { sent, writer } = recorder();
  const updater = subnet.updates.find(({ fields }) => fields.includes("privateDnsNameOptionsOnLaunch"));
  const after = { hostnameType: "resource-name", enableResourceNameDnsARecord: true, enableResourceNameDnsAAAARecord: true };
  let before: JsonObject | undefined;
  for (let round = 0; round < 3; round++) {
    const change = { before, after, added: [], removed: [], changed: [], set: {}, drop: [] };
    const target = { id: "subnet-1", desired: {}, observed: {}, changes: { privateDnsNameOptionsOnLaunch: change } };
    before = (await updater?.run(writer, target))?.values.privateDnsNameOptionsOnLaunch as JsonObject;
  }
  assert.deepEqual(before, after);
  assert.deepEqual(
    sent.map(({ input }) => input),
    [
      { SubnetId: "subnet-1", PrivateDnsHostnameTypeOnLaunch: "resource-name" },
      { SubnetId: "subnet-1", EnableResourceNameDnsARecordOnLaunch: { Value: true } },
      { SubnetId: "subnet-1", EnableResourceNameDnsAAAARecordOnLaunch: { Value: true } },
    ],
  );
});

test("another stack's subnets are not listed", async () => {
  const networks = await benchFor(vpc);
  const network = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const [ours, theirs] = [await benchFor(subnet), await benchFor(subnet)];
  const mine = await make(ours, { vpcId: network.id, cidrBlock: "10.0.1.0/24" });
  const foreign = await make(theirs, { vpcId: network.id, cidrBlock: "10.0.2.0/24" });
  assert.deepEqual(
    (await ownedBy(ours)).map(({ id }) => id),
    [mine.id],
  );
  await removeAll(ours, mine, foreign);
  await removeAll(networks, network);
});

function resource(key: ResourceKey, spec: JsonObject, vpcId?: StaticResource): StaticResource {
  return { key, spec, refersTo: (field) => (field === "vpcId" ? vpcId : undefined), spanOf: () => undefined };
}

const main = resource("VPC/main", { cidrBlock: "10.0.0.0/16" });
const other = resource("VPC/other", { cidrBlock: "10.0.0.0/16" });
const at = (name: string, cidrBlock: string, owner?: StaticResource) => resource(`Subnet/${name}`, { cidrBlock, vpcId: "vpc-1" }, owner);

const rows = [
  { why: "ranges side by side are fine", subnets: [at("a", "10.0.0.0/24", main), at("b", "10.0.1.0/24", main)], messages: [] },
  { why: "the same range in two VPCs is fine", subnets: [at("a", "10.0.0.0/24", main), at("b", "10.0.0.0/24", other)], messages: [] },
  {
    why: "a range outside its VPC is found",
    subnets: [at("a", "10.1.2.0/24", main)],
    messages: ["Subnet/a (10.1.2.0/24) is outside VPC/main (10.0.0.0/16)"],
  },
  {
    why: "every range within another is found, also behind one that is not next to it",
    subnets: [at("c", "10.0.3.0/24", main), at("a", "10.0.0.0/22", main), at("b", "10.0.1.0/24", main)],
    messages: ["Subnet/b (10.0.1.0/24) overlaps Subnet/a (10.0.0.0/22)", "Subnet/c (10.0.3.0/24) overlaps Subnet/a (10.0.0.0/22)"],
  },
  {
    why: "VPCs that are named by id are told apart too",
    subnets: [at("a", "10.0.0.0/24"), at("b", "10.0.0.0/25")],
    messages: ["Subnet/b (10.0.0.0/25) overlaps Subnet/a (10.0.0.0/24)"],
  },
];

for (const { why, subnets, messages } of rows) {
  test(why, () =>
    assert.deepEqual(
      subnet.check?.(subnets).map(({ message }) => message),
      messages,
    ),
  );
}

test("a zone is named once", () => {
  const zones = { ...at("a", "10.0.0.0/24").spec, availabilityZone: "eu-west-1a", availabilityZoneId: "euw1-az1" };
  assert.deepEqual(
    subnet.check?.([{ ...at("a", "10.0.0.0/24"), spec: zones }]).map(({ field }) => field),
    ["availabilityZoneId"],
  );
});

const lengths = [
  { ipv6CidrBlock: "2001:db8::/64", fits: true },
  { ipv6CidrBlock: "2001:db8::/44", fits: true },
  { ipv6CidrBlock: "2001:db8::/45", fits: false },
  { ipv6CidrBlock: "2001:db8::/40", fits: false },
];

for (const { ipv6CidrBlock, fits } of lengths) {
  test(`${ipv6CidrBlock} is ${fits ? "a" : "no"} range of a subnet`, () =>
    assert.equal(subnet.specSchema.safeParse({ vpcId: "vpc-1", cidrBlock: "10.0.0.0/24", ipv6CidrBlock }).success, fits));
}
