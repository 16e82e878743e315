import type { Filter, NatGateway, NatGatewayAddress } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { fromTagList } from "../../src/aws/tags.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, filter, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type Readiness, type StaticResource } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";

const spec = z.strictObject({
  subnetId: field(z.string().min(1), { doc: "The subnet it is in.", immutable: true, ref: "ec2.aws/v1 Subnet.subnetId" }),
  connectivityType: field(z.enum(["public", "private"]).optional(), {
    doc: "Whether it leads to the internet or to other networks only.",
    immutable: true,
  }),
  allocationId: field(z.string().min(1).optional(), {
    doc: "The Elastic IP address of a public gateway.",
    immutable: true,
    exclusive: true,
    ref: "ec2.aws/v1 EIP.allocationId",
  }),
  privateIpAddress: field(z.ipv4().optional(), { doc: "Its private address; AWS chooses one when absent.", immutable: true }),
  secondaryAllocationIds: field(z.array(z.string().min(1)).optional(), {
    doc: "More Elastic IP addresses of a public gateway.",
    compare: "set",
    unset: [],
    ref: "ec2.aws/v1 EIP.allocationId",
  }),
  secondaryPrivateIpAddresses: field(z.array(z.ipv4()).optional(), {
    doc: "More private addresses of a private gateway.",
    compare: "set",
    unset: [],
  }),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  natGatewayId: field(z.string(), { doc: "The ID of the NAT gateway." }),
  state: field(z.string(), { doc: "pending, available, failed or deleting." }),
  vpcId: field(z.string().optional(), { doc: "The VPC it is in." }),
  publicIp: field(z.string().optional(), { doc: "Its primary public address." }),
  networkInterfaceId: field(z.string().optional(), { doc: "Its network interface." }),
  failureMessage: field(z.string().optional(), { doc: "Why it could not be created." }),
  addressAssociations: field(z.record(z.string(), z.string()).optional(), { doc: "Association IDs by allocation ID." }),
});

export const natGateway = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "NatGateway",
  doc: "Lets instances without public addresses reach the internet, or other networks.",
  shortNames: ["nat"],
  spec,
  status,
  id: "natGatewayId",
  identity: { by: "token", consistencyMs: EC2_CONSISTENCY_MS },
  deviations: [
    "The primary Elastic IP address is `allocationId`, the others `secondaryAllocationIds`.",
    "Regional NAT gateways (`availabilityMode`) are not supported.",
  ],
  errors: {
    notFound: ["NatGatewayNotFound", "InvalidNatGatewayID.NotFound"],
    wait: ["DependencyViolation"],
    propagating: ["InvalidSubnetID.NotFound", "InvalidAllocationID.NotFound", "InvalidElasticIpID.NotFound"],
  },
  list: {
    operations: ["ec2:DescribeNatGateways"],
    run: async (aws, scope) => {
      // Deleted gateways stay listed for about an hour.
      const alive = filter("state", ["pending", "available", "failed", "deleting"]);
      const describe = (filters: Filter[]) =>
        aws.pages(ec2, "DescribeNatGateways", { Filter: [...filters, alive], MaxResults: 1000 }, "NatGateways");
      const finders = ec2Finders<NatGateway>(describe, "nat-gateway-id", (object) => object.NatGatewayId);
      const found = await listInScope(scope, finders);
      return found.map(remote);
    },
  },
  create: {
    operations: ["ec2:CreateNatGateway"],
    run: async (aws, desired, { token }) => {
      const answer = await aws.write(ec2, "CreateNatGateway", {
        ClientToken: token,
        SubnetId: desired.subnetId,
        ConnectivityType: desired.connectivityType,
        AllocationId: desired.allocationId,
        PrivateIpAddress: desired.privateIpAddress,
        SecondaryAllocationIds: nonEmpty(desired.secondaryAllocationIds),
        SecondaryPrivateIpAddresses: nonEmpty(desired.secondaryPrivateIpAddresses),
        TagSpecifications: tagSpecifications("natgateway", desired.tags),
      });
      const created = answer.NatGateway ?? {};
      return { id: String(created.NatGatewayId), values: { ...valuesOf(created), tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      // Added ones first; those removed go on the next round.
      fields: ["secondaryAllocationIds"],
      operations: ["ec2:AssociateNatGatewayAddress", "ec2:DisassociateNatGatewayAddress"],
      run: async (aws, { id, observed, changes }) => {
        const { present, added, removed } = texts(changes.secondaryAllocationIds);
        const associations = (observed.addressAssociations ?? {}) as Record<string, string>;
        if (added.length > 0) {
          const answer = await aws.write(ec2, "AssociateNatGatewayAddress", { NatGatewayId: id, AllocationIds: added });
          const touched = (answer.NatGatewayAddresses ?? []).filter(({ IsPrimary }) => !IsPrimary);
          const addressAssociations = { ...associations, ...associationsOf(touched) };
          return { values: { secondaryAllocationIds: [...present, ...added], addressAssociations } };
        }
        const AssociationIds = removed.flatMap((allocation) => associations[allocation] ?? []);
        await aws.write(ec2, "DisassociateNatGatewayAddress", { NatGatewayId: id, AssociationIds });
        const addressAssociations = Object.fromEntries(
          Object.entries(associations).filter(([allocation]) => !removed.includes(allocation)),
        );
        return { values: { secondaryAllocationIds: without(present, removed), addressAssociations } };
      },
    },
    {
      fields: ["secondaryPrivateIpAddresses"],
      operations: ["ec2:AssignPrivateNatGatewayAddress", "ec2:UnassignPrivateNatGatewayAddress"],
      run: async (aws, { id, changes }) => {
        const { present, added, removed } = texts(changes.secondaryPrivateIpAddresses);
        if (added.length > 0) {
          await aws.write(ec2, "AssignPrivateNatGatewayAddress", { NatGatewayId: id, PrivateIpAddresses: added });
          return { values: { secondaryPrivateIpAddresses: [...present, ...added] } };
        }
        await aws.write(ec2, "UnassignPrivateNatGatewayAddress", { NatGatewayId: id, PrivateIpAddresses: removed });
        return { values: { secondaryPrivateIpAddresses: without(present, removed) } };
      },
    },
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DeleteNatGateway"],
    run: async (aws, { id }) => void (await aws.write(ec2, "DeleteNatGateway", { NatGatewayId: id })),
  },
  ready: ({ state, failureMessage }): Readiness => {
    if (state === "pending") return { state: "waiting", why: "the NAT gateway is pending" };
    if (state !== "failed") return { state: "ready" };
    return { state: "failed", why: failureMessage ?? "the NAT gateway failed", recreate: true };
  },
  check: (resources) => resources.flatMap(addressFinding),
});

function remote(object: NatGateway): { id: string; values: JsonObject; tags: Record<string, string>; deleting?: true } {
  return {
    id: String(object.NatGatewayId),
    values: valuesOf(object),
    tags: { ...fromTagList(object.Tags) },
    ...(object.State === "deleting" ? { deleting: true } : {}),
  };
}

function valuesOf(object: NatGateway): JsonObject {
  const addresses = object.NatGatewayAddresses ?? [];
  const primary = addresses.find((address) => address.IsPrimary) ?? addresses[0];
  return defined({
    natGatewayId: object.NatGatewayId,
    state: object.State,
    vpcId: object.VpcId,
    subnetId: object.SubnetId,
    // Older answers leave the type out; only a public gateway has an Elastic IP address.
    connectivityType: object.ConnectivityType ?? (primary?.AllocationId ? "public" : "private"),
    allocationId: primary?.AllocationId,
    privateIpAddress: primary?.PrivateIp,
    publicIp: primary?.PublicIp,
    networkInterfaceId: primary?.NetworkInterfaceId,
    failureMessage: object.FailureMessage,
    tags: fromTagList(object.Tags),
    ...secondaryValues(addresses.filter((address) => address !== primary)),
  });
}

function secondaryValues(secondary: readonly NatGatewayAddress[]): JsonObject {
  const kept = secondary.filter(({ Status }) => Status !== "disassociating" && Status !== "unassigning" && Status !== "failed");
  return {
    secondaryAllocationIds: kept.flatMap((address) => address.AllocationId ?? []),
    // The private address behind an Elastic IP address is AWS's own choice.
    secondaryPrivateIpAddresses: kept.flatMap((address) => (address.AllocationId ? [] : (address.PrivateIp ?? []))),
    addressAssociations: associationsOf(kept),
  };
}

function associationsOf(addresses: readonly NatGatewayAddress[]): Record<string, string> {
  const pairs = addresses.flatMap(({ AllocationId, AssociationId }) =>
    AllocationId && AssociationId ? [[AllocationId, AssociationId]] : [],
  );
  return Object.fromEntries(pairs);
}

function texts(change: FieldChange | undefined): { present: string[]; added: string[]; removed: string[] } {
  const present = Array.isArray(change?.before) ? change.before.map(String) : [];
  return { present, added: (change?.added ?? []).map(String), removed: (change?.removed ?? []).map(String) };
}

function without(present: readonly string[], removed: readonly string[]): string[] {
  return present.filter((member) => !removed.includes(member));
}

function nonEmpty(list: string[] | undefined): string[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

function addressFinding({ key, spec: declared }: StaticResource): CheckFinding[] {
  const isPrivate = declared.connectivityType === "private";
  if (!isPrivate && declared.secondaryPrivateIpAddresses !== undefined) {
    const message = `${key} is public, and AWS chooses the private addresses behind its Elastic IP addresses`;
    return [{ resource: key, field: "secondaryPrivateIpAddresses", message }];
  }
  if (isPrivate && declared.allocationId !== undefined) {
    return [{ resource: key, field: "allocationId", message: `${key} is private, and a private NAT gateway has no Elastic IP address` }];
  }
  if (isPrivate || declared.allocationId !== undefined) return [];
  const message = `${key} is public and needs an Elastic IP address`;
  return [{ resource: key, field: "", message, hint: "set `allocationId`, or `connectivityType: private`" }];
}
