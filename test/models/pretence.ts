/** As much of an AWS as the kinds need to go on: ids in answers, and specs whose members fit each other. */

import type { OperationName } from "../../src/aws/service.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import type { AnyKind } from "../../src/kind/kind.ts";

/** Status values that updates and deletions are made with. */
export const KNOWN: JsonObject = {
  tableArn: "arn:aws:dynamodb:eu-west-1:111122223333:table/t",
  logGroupArn: "arn:aws:logs:eu-west-1:111122223333:log-group:g",
  ipv6CidrBlockAssociationId: "vpc-cidr-assoc-1",
};

type Members = Readonly<Record<string, unknown>>;

const ANSWERS: Readonly<Record<OperationName, (input: Members) => object>> = {
  "ec2:AssociateRouteTable": ({ SubnetId, GatewayId }) => ({ AssociationId: `rtbassoc-${SubnetId ?? GatewayId}` }),
  "ec2:AssociateNatGatewayAddress": ({ AllocationIds }) => ({
    NatGatewayAddresses: (AllocationIds as string[]).map((AllocationId) => ({ AllocationId, AssociationId: `eipassoc-${AllocationId}` })),
  }),
  "ec2:CreateNatGateway": ({ SecondaryAllocationIds = [] }) => ({
    NatGateway: {
      NatGatewayAddresses: [
        { IsPrimary: true },
        ...(SecondaryAllocationIds as string[]).map((AllocationId) => ({ AllocationId, AssociationId: `eipassoc-${AllocationId}` })),
      ],
    },
  }),
  "ec2:AssociateVpcCidrBlock": () => ({ Ipv6CidrBlockAssociation: { Ipv6CidrBlock: "2001:db8::/56", Ipv6Pool: "Amazon" } }),
  "ec2:AssociateSubnetCidrBlock": ({ Ipv6CidrBlock }) => ({ Ipv6CidrBlockAssociation: { Ipv6CidrBlock } }),
};

export function answerOf(operation: OperationName, input: object): object {
  return ANSWERS[operation]?.(input as Members) ?? {};
}

/** The spec with members that chance alone would never make fit; by kind name. */
const REPAIRS: Readonly<Record<string, (spec: JsonObject) => JsonObject>> = {
  Table: (spec) => {
    const keys = spec.keySchema as JsonObject;
    const local = items(spec.localSecondaryIndexes).map((index) => ({ ...index, keySchema: { range: "r", ...(index.keySchema as JsonObject), hash: keys.hash as Json } }));
    const indexes = [...items(spec.globalSecondaryIndexes), ...local];
    const used = [keys, ...indexes.map((index) => index.keySchema as JsonObject)].flatMap(({ hash, range }) => [hash, range]);
    const attributeDefinitions = Object.fromEntries(used.filter((name) => typeof name === "string").map((name) => [name, "S"]));
    return { ...spec, attributeDefinitions, ...(spec.localSecondaryIndexes ? { localSecondaryIndexes: local } : {}) };
  },
  RouteTable: (spec) => (spec.routes ? { ...spec, routes: items(spec.routes).map(oneRoute) } : spec),
  SecurityGroup: (spec) => ({ ...spec, ...rulesOf(spec, "ingress"), ...rulesOf(spec, "egress") }),
};

export function repaired(kind: AnyKind, spec: JsonObject): JsonObject {
  return REPAIRS[kind.name]?.(spec) ?? spec;
}

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function first(members: JsonObject, names: readonly string[]): JsonObject {
  const name = names.find((found) => members[found] !== undefined);
  return name === undefined ? {} : { [name]: members[name] as Json };
}

function oneRoute(route: JsonObject): JsonObject {
  const names = Object.keys(route);
  const destinations = names.filter((name) => name.startsWith("destination"));
  return { ...first(route, destinations), ...first(route, names.filter((name) => !destinations.includes(name))) };
}

function rulesOf(spec: JsonObject, direction: string): JsonObject {
  if (!spec[direction]) return {};
  const rules = items(spec[direction]).map(({ ipProtocol, fromPort, toPort, description, ...peers }) => {
    const isPorted = /^(tcp|udp|icmp|icmpv6)$/.test(String(ipProtocol));
    const ports = isPorted ? { fromPort, toPort } : {};
    const peer = first(peers, Object.keys(peers));
    return Object.fromEntries(Object.entries({ ipProtocol, ...ports, ...peer, description }).filter(([, value]) => value !== undefined)) as JsonObject;
  });
  return { [direction]: rules };
}
