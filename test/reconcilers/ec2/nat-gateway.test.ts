import assert from "node:assert/strict";
import { test } from "node:test";
import { eip } from "../../../reconcilers/ec2/eip.ts";
import { internetGateway } from "../../../reconcilers/ec2/internet-gateway.ts";
import { natGateway } from "../../../reconcilers/ec2/nat-gateway.ts";
import { subnet } from "../../../reconcilers/ec2/subnet.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, recorder, removeAll, type Sent, seen, settle } from "../support.ts";

test("an address and a NAT gateway live and go, and the blockers on the way are named", async () => {
  const [networks, gateways, subnets, addresses, bench] = await Promise.all([
    benchFor(vpc),
    benchFor(internetGateway),
    benchFor(subnet),
    benchFor(eip),
    benchFor(natGateway),
  ]);
  const network = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const gateway = await settle(gateways, await make(gateways, {}), { vpcId: network.id });
  const range = await make(subnets, { vpcId: network.id, cidrBlock: "10.0.1.0/24" });
  const address = await make(addresses, { domain: "vpc", tags: { Name: "nat" } });
  await assertHolds(addresses, address);

  const made = await make(bench, { subnetId: range.id, allocationId: address.id, connectivityType: "public" });
  await assertHolds(bench, made);
  assert.equal(made.values.publicIp, address.values.publicIp);
  const tagged = await settle(bench, made, { subnetId: range.id, tags: { Name: "b" } });
  const more = await make(addresses, {});
  const full = await settle(bench, tagged, { subnetId: range.id, secondaryAllocationIds: [more.id] });
  await assertHolds(bench, full);
  await assertHolds(bench, await settle(bench, full, { subnetId: range.id, secondaryAllocationIds: [] }));
  await removeAll(addresses, more);
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );

  const inUse = await seen(addresses, address.id);
  assert.match(String(await eip.explainBlocked?.run(addresses.reader, { id: address.id, observed: {} })), /^network interface eni-/);
  assert.ok(inUse[0]?.values.networkInterfaceId, "an address in use says by which interface");
  const blocker = await internetGateway.explainBlocked?.run(gateways.reader, { id: gateway.id, observed: gateway.values });
  assert.match(String(blocker), /^public address [\d.]+ of network interface eni-/);
  assert.match(String(await subnet.explainBlocked?.run(subnets.reader, { id: range.id, observed: {} })), /^network interface eni-/);

  await removeAll(bench, tagged);
  assert.deepEqual(await ownedBy(bench), [], "a deleted gateway is not listed, though AWS still lists it");
  await removeAll(addresses, address);
  await removeAll(gateways, gateway);
  await removeAll(subnets, range);
  await removeAll(networks, network);
});

test("a NAT gateway that failed says why, and is made anew", () => {
  assert.deepEqual(natGateway.ready({ state: "failed", failureMessage: "no gateway attached" }), {
    state: "failed",
    why: "no gateway attached",
    recreate: true,
  });
  assert.equal(natGateway.ready({ state: "pending" }).state, "waiting");
  assert.equal(natGateway.ready({ state: "available" }).state, "ready");
});

async function effectsOf(
  field: string,
  change: { added?: string[]; removed?: string[] },
  observed: JsonObject,
): Promise<{ sent: Sent[]; values: JsonObject }> {
  const answer = { NatGatewayAddresses: [{ AllocationId: "eipalloc-2", AssociationId: "eipassoc-2", Status: "associating" }] };
  const { sent, writer } = recorder(answer);
  const updater = natGateway.updates.find(({ fields }) => fields.includes(field));
  const changes = { [field]: { before: observed[field], after: [], added: [], removed: [], changed: [], set: {}, drop: [], ...change } };
  const effect = await updater?.run(writer, { id: "nat-1", desired: {}, observed, changes });
  return { sent, values: effect?.values ?? {} };
}

test("secondary addresses come first and go by their associations", async () => {
  const observed = { secondaryAllocationIds: ["eipalloc-1"], addressAssociations: { "eipalloc-1": "eipassoc-1" } };
  const adding = await effectsOf("secondaryAllocationIds", { added: ["eipalloc-2"], removed: ["eipalloc-1"] }, observed);
  assert.deepEqual(adding.sent, [
    { operation: "AssociateNatGatewayAddress", input: { NatGatewayId: "nat-1", AllocationIds: ["eipalloc-2"] } },
  ]);
  assert.deepEqual(adding.values.secondaryAllocationIds, ["eipalloc-1", "eipalloc-2"]);
  assert.deepEqual(adding.values.addressAssociations, { "eipalloc-1": "eipassoc-1", "eipalloc-2": "eipassoc-2" });
  const removing = await effectsOf("secondaryAllocationIds", { removed: ["eipalloc-1"] }, observed);
  assert.deepEqual(removing.sent, [
    { operation: "DisassociateNatGatewayAddress", input: { NatGatewayId: "nat-1", AssociationIds: ["eipassoc-1"] } },
  ]);
  assert.deepEqual(removing.values.secondaryAllocationIds, []);
});

test("secondary private addresses are assigned and unassigned", async () => {
  const adding = await effectsOf("secondaryPrivateIpAddresses", { added: ["10.0.0.9"] }, {});
  assert.deepEqual(adding.sent, [
    { operation: "AssignPrivateNatGatewayAddress", input: { NatGatewayId: "nat-1", PrivateIpAddresses: ["10.0.0.9"] } },
  ]);
  const removing = await effectsOf("secondaryPrivateIpAddresses", { removed: ["10.0.0.9"] }, { secondaryPrivateIpAddresses: ["10.0.0.9"] });
  assert.deepEqual(removing.sent, [
    { operation: "UnassignPrivateNatGatewayAddress", input: { NatGatewayId: "nat-1", PrivateIpAddresses: ["10.0.0.9"] } },
  ]);
  assert.deepEqual(removing.values.secondaryPrivateIpAddresses, []);
});

const rows = [
  { why: "a public gateway needs an address", spec: {}, fields: [""] },
  { why: "an address that is not known yet is one", spec: { allocationId: { $unknown: "eip.nat.allocationId" } }, fields: [] },
  {
    why: "a public gateway's further private addresses are AWS's choice",
    spec: { allocationId: "eipalloc-1", secondaryPrivateIpAddresses: ["10.0.0.9"] },
    fields: ["secondaryPrivateIpAddresses"],
  },
  { why: "a private gateway needs none", spec: { connectivityType: "private" }, fields: [] },
  { why: "a private gateway has none", spec: { connectivityType: "private", allocationId: "eipalloc-1" }, fields: ["allocationId"] },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "NatGateway/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      natGateway.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}
