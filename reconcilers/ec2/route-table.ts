import type { CreateRouteRequest, Filter, Route, RouteTable } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, filter, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type StaticResource, type Updater } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { cidrBlock } from "../../src/kind/schemas.ts";
import { upper } from "../../src/kind/words.ts";

const target = (doc: string) => field(z.string().min(1).optional(), { doc });

const route = z.strictObject({
  destinationCidrBlock: field(cidrBlock(4, 0, 32).optional(), { doc: "An IPv4 range." }),
  destinationIpv6CidrBlock: field(cidrBlock(6, 0, 128).optional(), { doc: "An IPv6 range." }),
  destinationPrefixListId: target("A prefix list."),
  gatewayId: target("An internet gateway or a virtual private gateway."),
  natGatewayId: target("A NAT gateway."),
  egressOnlyInternetGatewayId: target("An egress-only internet gateway (IPv6)."),
  transitGatewayId: target("A transit gateway."),
  vpcPeeringConnectionId: target("A VPC peering connection."),
  networkInterfaceId: target("A network interface, an instance's among them."),
  vpcEndpointId: target("A Gateway Load Balancer endpoint."),
  localGatewayId: target("A local gateway, on an Outpost."),
  carrierGatewayId: target("A carrier gateway, in a Wavelength Zone."),
  coreNetworkArn: target("A Cloud WAN core network."),
  odbNetworkArn: target("An Oracle Database network."),
});

const DESTINATIONS = ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"] as const;
const TARGETS = Object.keys(route.shape).filter((name) => !DESTINATIONS.some((destination) => destination === name));

const idSet = (doc: string, ref?: `${string} ${string}.${string}`) =>
  field(z.array(z.string().min(1)).optional(), { doc, compare: "set", unset: [], ...(ref ? { ref } : {}) });

const spec = z.strictObject({
  vpcId: field(z.string().min(1), { doc: "The VPC it is a part of.", immutable: true, ref: "ec2.aws/v1 VPC.vpcId" }),
  routes: field(z.array(route).optional(), {
    doc: "All routes but those AWS makes by itself: one destination and one target each.",
    compare: "set",
    unset: [],
    text: (member) => `${destinationOf(member)} via ${TARGETS.map((name) => member[name]).find(Boolean) ?? "nothing"}`,
  }),
  subnetIds: idSet("All subnets that use it.", "ec2.aws/v1 Subnet.subnetId"),
  gatewayIds: idSet("All gateways whose incoming traffic it routes."),
  propagatingVgws: idSet("All virtual private gateways that propagate routes to it."),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  routeTableId: field(z.string(), { doc: "The ID of the route table." }),
  ownerId: field(z.string(), { doc: "The account that owns it." }),
  associations: field(z.record(z.string(), z.string()), { doc: "Association IDs by subnet or gateway ID." }),
});

type Spec = z.infer<typeof spec>;

export const routeTable = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "RouteTable",
  doc: "Where traffic goes: routes, and the subnets and gateways they hold for.",
  shortNames: ["rtb"],
  spec,
  status,
  id: "routeTableId",
  identity: { by: "token", consistencyMs: EC2_CONSISTENCY_MS },
  deviations: [
    "Associations are the fields `subnetIds` and `gatewayIds`.",
    "Local routes, propagated routes and those of gateway endpoints are AWS's own, and not listed.",
    "A route to an instance is written with its `networkInterfaceId`, which is what AWS keeps.",
  ],
  errors: {
    notFound: ["InvalidRouteTableID.NotFound"],
    wait: ["DependencyViolation"],
    propagating: [
      "InvalidVpcID.NotFound",
      "InvalidSubnetID.NotFound",
      "InvalidNatGatewayID.NotFound",
      "NatGatewayNotFound",
      "InvalidInternetGatewayID.NotFound",
      "InvalidGatewayID.NotFound",
    ],
  },
  list: {
    operations: ["ec2:DescribeRouteTables"],
    run: async (aws, scope) => {
      const describe = (Filters: Filter[]) => aws.pages(ec2, "DescribeRouteTables", { Filters, MaxResults: 100 }, "RouteTables");
      const finders = ec2Finders<RouteTable>(describe, "route-table-id", (object) => object.RouteTableId);
      const found = await listInScope(scope, finders);
      return found.map((object) => ({ id: String(object.RouteTableId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:CreateRouteTable"],
    run: async (aws, desired, { token }) => {
      const answer = await aws.write(ec2, "CreateRouteTable", {
        ClientToken: token,
        VpcId: desired.vpcId,
        TagSpecifications: tagSpecifications("route-table", desired.tags),
      });
      const created = answer.RouteTable ?? {};
      return { id: String(created.RouteTableId), values: { ...valuesOf(created), tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      fields: ["routes"],
      operations: ["ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"],
      run: async (aws, { id, changes }) => {
        const { before, added, removed } = changes.routes ?? { before: [], added: [], removed: [] };
        const [add] = added as JsonObject[];
        // Route by route: what is to be comes first, so that no destination is without its route for longer than AWS takes.
        const gone = add ? (removed as JsonObject[]).find((old) => destinationOf(old) === destinationOf(add)) : (removed[0] as JsonObject);
        if (add) await (gone ? replaceRoute(aws, id, add) : createRoute(aws, id, add));
        else if (gone) await deleteRoute(aws, id, gone);
        const kept = ((before ?? []) as JsonObject[]).filter((old) => !gone || destinationOf(old) !== destinationOf(gone));
        return { values: { routes: add ? [...kept, add] : kept } };
      },
    },
    associationUpdater("subnetIds", "association.subnet-id", (SubnetId) => ({ SubnetId })),
    associationUpdater("gatewayIds", "association.gateway-id", (GatewayId) => ({ GatewayId })),
    {
      fields: ["propagatingVgws"],
      operations: ["ec2:EnableVgwRoutePropagation", "ec2:DisableVgwRoutePropagation"],
      run: async (aws, { id, changes }) => {
        const { before, added, removed } = changes.propagatingVgws ?? { before: [], added: [], removed: [] };
        const [add, gone] = [added[0], removed[0]] as (string | undefined)[];
        if (add !== undefined) await aws.write(ec2, "EnableVgwRoutePropagation", { RouteTableId: id, GatewayId: add });
        else if (gone !== undefined) await aws.write(ec2, "DisableVgwRoutePropagation", { RouteTableId: id, GatewayId: gone });
        return { values: { propagatingVgws: step(before, add, gone) } };
      },
    },
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DisassociateRouteTable", "ec2:DeleteRouteTable"],
    run: async (aws, { id, observed }) => {
      // AWS refuses to delete an associated table; its subnets fall back to the VPC's main table.
      const associations = Object.values((observed.associations ?? {}) as Record<string, string>);
      await Promise.all(associations.map((association) => disassociate(aws, association)));
      await aws.write(ec2, "DeleteRouteTable", { RouteTableId: id });
    },
  },
  check: (resources) => resources.flatMap((resource) => [...routeFindings(resource)]),
});

/** One association a run: a new one, or one moved here from another table, then one taken away. */
function associationUpdater(
  name: "subnetIds" | "gatewayIds",
  filterName: string,
  member: (id: string) => { SubnetId?: string; GatewayId?: string },
): Updater<Spec> {
  return {
    fields: [name],
    operations: ["ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation", "ec2:DisassociateRouteTable", "ec2:DescribeRouteTables"],
    run: async (aws, { id, observed, changes }) => {
      const { before, added, removed } = changes[name] ?? { before: [], added: [], removed: [] };
      const [add, gone] = [added[0], removed[0]] as (string | undefined)[];
      const associations = { ...(observed.associations as Record<string, string> | undefined) };
      if (add !== undefined) associations[add] = await associate(aws, id, add, { filterName, member });
      else if (gone !== undefined) {
        if (associations[gone]) await disassociate(aws, associations[gone]);
        delete associations[gone];
      }
      return { values: { [name]: step(before, add, gone), associations } };
    },
  };
}

type AssociationWay = { filterName: string; member: (id: string) => { SubnetId?: string; GatewayId?: string } };

async function associate(aws: Writer, id: string, what: string, { filterName, member }: AssociationWay): Promise<string> {
  try {
    const answer = await aws.write(ec2, "AssociateRouteTable", { RouteTableId: id, ...member(what) });
    return String(answer.AssociationId);
  } catch (error) {
    if (!isNamed(error, ["Resource.AlreadyAssociated"])) throw error;
  }
  // It uses another table: the association is moved in one step, so that it is never without one.
  const tables = await aws.pages(ec2, "DescribeRouteTables", { Filters: [filter(filterName, [what])], MaxResults: 100 }, "RouteTables");
  const AssociationId = tables.map((table) => associationsOf(table)[what]).find((association) => association !== undefined);
  const answer = await aws.write(ec2, "ReplaceRouteTableAssociation", { AssociationId, RouteTableId: id });
  return String(answer.NewAssociationId);
}

async function disassociate(aws: Writer, AssociationId: string): Promise<void> {
  try {
    await aws.write(ec2, "DisassociateRouteTable", { AssociationId });
  } catch (error) {
    if (!isNamed(error, ["InvalidAssociationID.NotFound"])) throw error;
  }
}

async function createRoute(aws: Writer, id: string, wanted: JsonObject): Promise<void> {
  try {
    await aws.write(ec2, "CreateRoute", requestOf(id, wanted));
  } catch (error) {
    if (!isNamed(error, ["RouteAlreadyExists"])) throw error;
    await replaceRoute(aws, id, wanted); // Somebody was quicker, perhaps with another target.
  }
}

async function replaceRoute(aws: Writer, id: string, wanted: JsonObject): Promise<void> {
  await aws.write(ec2, "ReplaceRoute", requestOf(id, wanted));
}

async function deleteRoute(aws: Writer, id: string, gone: JsonObject): Promise<void> {
  const { DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId } = requestOf(id, gone);
  try {
    await aws.write(ec2, "DeleteRoute", { RouteTableId: id, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId });
  } catch (error) {
    if (!isNamed(error, ["InvalidRoute.NotFound"])) throw error;
  }
}

// The manifest's names are AWS's, with a lower first letter.
function requestOf(id: string, wanted: JsonObject): CreateRouteRequest {
  const members = Object.entries(wanted).map(([name, value]) => [upper(name), value]);
  return { RouteTableId: id, ...Object.fromEntries(members) };
}

function step(before: Json | undefined, add: string | undefined, gone: string | undefined): Json[] {
  const present = Array.isArray(before) ? (before as Json[]) : [];
  return add === undefined ? present.filter((member) => member !== gone) : [...present, add];
}

function destinationOf(declared: JsonObject): string {
  return String(DESTINATIONS.map((name) => declared[name]).find((value) => value !== undefined));
}

function valuesOf(object: RouteTable): JsonObject {
  const own = (object.Associations ?? []).filter((association) => !association.Main && isPresent(association.AssociationState?.State));
  return defined({
    routeTableId: object.RouteTableId,
    ownerId: object.OwnerId,
    vpcId: object.VpcId,
    routes: (object.Routes ?? []).filter(isOwn).map(routeOf),
    subnetIds: own.flatMap((association) => association.SubnetId ?? []),
    gatewayIds: own.flatMap((association) => association.GatewayId ?? []),
    propagatingVgws: (object.PropagatingVgws ?? []).flatMap((gateway) => gateway.GatewayId ?? []),
    associations: associationsOf(object),
    tags: fromTagList(object.Tags),
  });
}

function associationsOf(object: RouteTable): Record<string, string> {
  const own = (object.Associations ?? []).filter((association) => !association.Main && isPresent(association.AssociationState?.State));
  return Object.fromEntries(
    own.map((association) => [association.SubnetId ?? association.GatewayId ?? "", association.RouteTableAssociationId ?? ""]),
  );
}

function isPresent(state: string | undefined): boolean {
  return state !== "disassociating" && state !== "disassociated" && state !== "failed";
}

// Gateway endpoints put routes to prefix lists into the tables they are told of; those belong to the endpoint.
function isOwn(found: Route): boolean {
  if (found.GatewayId === "local" || (found.Origin !== undefined && found.Origin !== "CreateRoute")) return false;
  return !(found.DestinationPrefixListId && found.GatewayId?.startsWith("vpce-"));
}

function routeOf(found: Route): JsonObject {
  const isEndpoint = found.GatewayId?.startsWith("vpce-") === true;
  return defined({
    destinationCidrBlock: found.DestinationCidrBlock,
    destinationIpv6CidrBlock: found.DestinationIpv6CidrBlock,
    destinationPrefixListId: found.DestinationPrefixListId,
    gatewayId: isEndpoint ? undefined : found.GatewayId,
    vpcEndpointId: isEndpoint ? found.GatewayId : undefined,
    natGatewayId: found.NatGatewayId,
    egressOnlyInternetGatewayId: found.EgressOnlyInternetGatewayId,
    transitGatewayId: found.TransitGatewayId,
    vpcPeeringConnectionId: found.VpcPeeringConnectionId,
    networkInterfaceId: found.NetworkInterfaceId,
    localGatewayId: found.LocalGatewayId,
    carrierGatewayId: found.CarrierGatewayId,
    coreNetworkArn: found.CoreNetworkArn,
    odbNetworkArn: found.OdbNetworkArn,
  });
}

function* routeFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  if (!Array.isArray(declared.routes)) return;
  const seen = new Set<Json>();
  for (const [index, item] of (declared.routes as JsonObject[]).entries()) {
    const at = { resource: key, field: `routes.${index}` };
    const destinations = DESTINATIONS.filter((name) => item[name] !== undefined);
    const targets = TARGETS.filter((name) => item[name] !== undefined);
    if (destinations.length !== 1) yield { ...at, message: `a route of ${key} needs one destination, and has ${destinations.length}` };
    if (targets.length !== 1) yield { ...at, message: `a route of ${key} needs one target, and has ${targets.length}` };
    const destination = destinations[0] && item[destinations[0]];
    if (typeof destination !== "string") continue;
    if (seen.has(destination)) yield { ...at, message: `${key} has two routes to ${destination}` };
    seen.add(destination);
  }
}
