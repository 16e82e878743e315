import type { Address, Filter } from "@aws-sdk/client-ec2";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, filter, interfaceInTheWay, tagSpecifications } from "../../src/kind/ec2.ts";
import { defineKind } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";

const spec = z.strictObject({
  domain: field(z.enum(["vpc"]).optional(), { doc: "Always vpc: the other domain, EC2-Classic, is retired.", immutable: true }),
  address: field(z.ipv4().optional(), { doc: "A certain address, to recover it or to take it from an own pool.", immutable: true }),
  publicIpv4Pool: field(z.string().min(1).optional(), { doc: "The address pool it is taken from.", immutable: true }),
  networkBorderGroup: field(z.string().min(1).optional(), { doc: "The zones it is advertised from.", immutable: true }),
  customerOwnedIpv4Pool: field(z.string().min(1).optional(), { doc: "The customer-owned pool it is taken from.", immutable: true }),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  allocationId: field(z.string(), { doc: "The ID of the allocation." }),
  publicIp: field(z.string().optional(), { doc: "The address." }),
  customerOwnedIp: field(z.string().optional(), { doc: "The customer-owned address." }),
  carrierIp: field(z.string().optional(), { doc: "The carrier address, in a Wavelength Zone." }),
  associationId: field(z.string().optional(), { doc: "The ID of its association, while it is in use." }),
  networkInterfaceId: field(z.string().optional(), { doc: "The network interface that uses it." }),
  instanceId: field(z.string().optional(), { doc: "The instance that uses it." }),
  privateIpAddress: field(z.string().optional(), { doc: "The private address it stands for." }),
});

export const eip = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "EIP",
  doc: "An Elastic IP address: a public IPv4 address that is kept until it is released.",
  spec,
  status,
  id: "allocationId",
  identity: { by: "tag", consistencyMs: EC2_CONSISTENCY_MS, surplusIsSafe: true },
  deviations: ["An address is put to use by what refers to it (a NatGateway's `allocationId`), not here."],
  errors: {
    notFound: ["InvalidAllocationID.NotFound", "InvalidAddress.NotFound"],
    wait: ["InvalidIPAddress.InUse", "InvalidAddress.Locked", "DependencyViolation"],
  },
  list: {
    operations: ["ec2:DescribeAddresses"],
    run: async (aws, scope) => {
      const finders = ec2Finders<Address>(
        (filters) => describe(aws, filters),
        "allocation-id",
        (object) => object.AllocationId,
      );
      const found = await listInScope(scope, finders);
      return found.map((object) => ({ id: String(object.AllocationId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:AllocateAddress"],
    run: async (aws, desired) => {
      const answer = await aws.write(ec2, "AllocateAddress", {
        Domain: desired.domain ?? "vpc",
        Address: desired.address,
        PublicIpv4Pool: desired.publicIpv4Pool,
        NetworkBorderGroup: desired.networkBorderGroup,
        CustomerOwnedIpv4Pool: desired.customerOwnedIpv4Pool,
        TagSpecifications: tagSpecifications("elastic-ip", desired.tags),
      });
      return { id: String(answer.AllocationId), values: { ...valuesOf(answer), tags: desired.tags ?? {} } };
    },
  },
  updates: [ec2Tags()],
  delete: {
    operations: ["ec2:ReleaseAddress"],
    run: async (aws, { id, observed }) => {
      const group = observed.networkBorderGroup as string | undefined;
      await aws.write(ec2, "ReleaseAddress", { AllocationId: id, NetworkBorderGroup: group });
    },
  },
  explainBlocked: {
    operations: ["ec2:DescribeAddresses", "ec2:DescribeNetworkInterfaces"],
    run: async (aws, { id }) => {
      const [address] = await describe(aws, [filter("allocation-id", [id])]);
      const user = address?.NetworkInterfaceId;
      return user ? interfaceInTheWay(aws, [filter("network-interface-id", [user])]) : undefined;
    },
  },
});

// DescribeAddresses has no pages.
async function describe(aws: Reader, Filters: Filter[]): Promise<Address[]> {
  return (await aws.read(ec2, "DescribeAddresses", { Filters })).Addresses ?? [];
}

function valuesOf(object: Address): JsonObject {
  return defined({
    allocationId: object.AllocationId,
    publicIp: object.PublicIp,
    address: object.PublicIp,
    domain: object.Domain,
    publicIpv4Pool: object.PublicIpv4Pool,
    networkBorderGroup: object.NetworkBorderGroup,
    customerOwnedIpv4Pool: object.CustomerOwnedIpv4Pool,
    customerOwnedIp: object.CustomerOwnedIp,
    carrierIp: object.CarrierIp,
    associationId: object.AssociationId,
    networkInterfaceId: object.NetworkInterfaceId,
    instanceId: object.InstanceId,
    privateIpAddress: object.PrivateIpAddress,
    tags: fromTagList(object.Tags),
  });
}
