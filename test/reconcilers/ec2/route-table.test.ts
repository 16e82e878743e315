import assert from "node:assert/strict";
import { test } from "node:test";
import { internetGateway } from "../../../reconcilers/ec2/internet-gateway.ts";
import { routeTable } from "../../../reconcilers/ec2/route-table.ts";
import { subnet } from "../../../reconcilers/ec2/subnet.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, recorder, removeAll, type Sent, seen, settle } from "../support.ts";

async function network() {
  const [networks, gateways, subnets, bench] = await Promise.all([
    benchFor(vpc),
    benchFor(internetGateway),
    benchFor(subnet),
    benchFor(routeTable),
  ]);
  const main = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const gateway = await settle(gateways, await make(gateways, {}), { vpcId: main.id });
  const [one, two] = [
    await make(subnets, { vpcId: main.id, cidrBlock: "10.0.1.0/24" }),
    await make(subnets, { vpcId: main.id, cidrBlock: "10.0.2.0/24" }),
  ];
  const remove = async () => {
    await removeAll(subnets, one, two);
    await removeAll(gateways, gateway);
    await removeAll(networks, main);
  };
  return { bench, vpcId: main.id, gatewayId: gateway.id, subnetIds: [one.id, two.id] as [string, string], remove };
}

test("routes and associations follow the manifest, route by route", async () => {
  const { bench, vpcId, gatewayId, subnetIds, remove } = await network();
  const made = await make(bench, { vpcId });
  await assertHolds(bench, made);
  assert.deepEqual(made.values.routes, [], "the local route is AWS's own");
  const first = {
    vpcId,
    routes: [
      { destinationCidrBlock: "0.0.0.0/0", gatewayId },
      { destinationCidrBlock: "192.0.2.0/24", gatewayId },
    ],
    subnetIds,
  };
  const full = await settle(bench, made, first);
  assert.equal(full.effects, 4);
  await assertHolds(bench, full);
  const second = { vpcId, routes: [{ destinationCidrBlock: "198.51.100.0/24", gatewayId }], subnetIds: [subnetIds[1]] };
  const changed = await settle(bench, full, second, first);
  await assertHolds(bench, changed);
  const edge = await settle(bench, changed, { vpcId, gatewayIds: [gatewayId], propagatingVgws: ["vgw-0123456789abcdef0"] }, second);
  await assertHolds(bench, edge);
  await assertHolds(bench, await settle(bench, edge, { vpcId, gatewayIds: [], propagatingVgws: [] }));
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, changed);
  await remove();
});

test("an association moves from another table in one step", async () => {
  const { bench, vpcId, subnetIds, remove } = await network();
  const [left, right] = [await make(bench, { vpcId }), await make(bench, { vpcId })];
  const from = await settle(bench, left, { vpcId, subnetIds });
  const to = await settle(bench, right, { vpcId, subnetIds: [subnetIds[0]] });
  assert.equal(to.effects, 1);
  await assertHolds(bench, to);
  const [rest] = await seen(bench, from.id);
  assert.deepEqual(rest?.values.subnetIds, [subnetIds[1]], "the table it came from has lost it");
  assert.equal(
    bench.session.calls().find(({ operation }) => operation === "ec2:DisassociateRouteTable"),
    undefined,
  );
  await removeAll(bench, from, to);
  await remove();
});

async function routeEffect(before: JsonObject[], added: JsonObject[], removed: JsonObject[]): Promise<{ sent: Sent[]; routes: unknown }> {
  const { sent, writer } = recorder();
  const [updater] = routeTable.updates;
  const changes = { routes: { before, after: [], added, removed, changed: [], set: {}, drop: [] } };
  const effect = await updater?.run(writer, { id: "rtb-1", desired: {}, observed: {}, changes });
  return { sent, routes: effect?.values.routes };
}

test("a new target for a destination replaces its route", async () => {
  const [old, wanted] = [
    { destinationCidrBlock: "0.0.0.0/0", natGatewayId: "nat-1" },
    { destinationCidrBlock: "0.0.0.0/0", natGatewayId: "nat-2" },
  ];
  const { sent, routes } = await routeEffect([old], [wanted], [old]);
  assert.deepEqual(sent, [
    { operation: "ReplaceRoute", input: { RouteTableId: "rtb-1", DestinationCidrBlock: "0.0.0.0/0", NatGatewayId: "nat-2" } },
  ]);
  assert.deepEqual(routes, [wanted]);
});

test("every destination and target has AWS's name in the request", async () => {
  const { sent } = await routeEffect([], [{ destinationIpv6CidrBlock: "::/0", egressOnlyInternetGatewayId: "eigw-1" }], []);
  assert.deepEqual(sent, [
    { operation: "CreateRoute", input: { RouteTableId: "rtb-1", DestinationIpv6CidrBlock: "::/0", EgressOnlyInternetGatewayId: "eigw-1" } },
  ]);
});

test("routes that AWS or an endpoint made are not listed, and an endpoint's own id is told from a gateway's", async () => {
  const Routes = [
    { DestinationCidrBlock: "10.0.0.0/16", GatewayId: "local", Origin: "CreateRouteTable" },
    { DestinationCidrBlock: "172.16.0.0/12", GatewayId: "vgw-1", Origin: "EnableVgwRoutePropagation" },
    { DestinationPrefixListId: "pl-1", GatewayId: "vpce-1", Origin: "CreateRoute" },
    { DestinationCidrBlock: "10.9.0.0/16", GatewayId: "vpce-2", Origin: "CreateRoute" },
    { DestinationCidrBlock: "0.0.0.0/0", InstanceId: "i-1", NetworkInterfaceId: "eni-1", Origin: "CreateRoute" },
  ];
  const reader = {
    pages: async () => [{ RouteTableId: "rtb-1", Routes, Associations: [{ Main: true, RouteTableAssociationId: "rtbassoc-1" }] }],
  };
  const [found] = await routeTable.list.run(reader as never, { ids: ["rtb-1"], names: [], fields: new Set() });
  assert.deepEqual(found?.values.routes, [
    { destinationCidrBlock: "10.9.0.0/16", vpcEndpointId: "vpce-2" },
    { destinationCidrBlock: "0.0.0.0/0", networkInterfaceId: "eni-1" },
  ]);
  assert.deepEqual(found?.values.associations, {}, "being the main table is not an association of ours");
});

const unknown = { $unknown: "natGateway.main.natGatewayId" };
const rows = [
  {
    why: "a route with a target that is not known yet is whole",
    routes: [{ destinationCidrBlock: "0.0.0.0/0", natGatewayId: unknown }],
    fields: [],
  },
  { why: "a route needs a target", routes: [{ destinationCidrBlock: "0.0.0.0/0" }], fields: ["routes.0"] },
  { why: "a route needs a destination", routes: [{ gatewayId: "igw-1" }], fields: ["routes.0"] },
  {
    why: "a destination has one route",
    routes: [
      { destinationCidrBlock: "0.0.0.0/0", gatewayId: "igw-1" },
      { destinationCidrBlock: "0.0.0.0/0", natGatewayId: unknown },
    ],
    fields: ["routes.1"],
  },
];

for (const { why, routes, fields } of rows) {
  const resource: StaticResource = { key: "RouteTable/a", spec: { routes }, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      routeTable.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}
