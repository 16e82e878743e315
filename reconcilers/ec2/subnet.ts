import type { Filter, ModifySubnetAttributeRequest, Subnet } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { fromTagList } from "../../src/aws/tags.ts";
import { type Cidr, contains, parseCidr } from "../../src/core/cidr.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { ec2, ec2Finders, ec2Tags, filter, inChunks, interfaceInTheWay, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type StaticResource, type Updater } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { arn, cidrBlock } from "../../src/kind/schemas.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";

const flag = (doc: string) => field(z.boolean().optional(), { doc, unset: false });
const NEW_DNS_OPTIONS = { hostnameType: "ip-name", enableResourceNameDnsARecord: false, enableResourceNameDnsAAAARecord: false };

// "Netmask lengths are between /44 and /64 in increments of /4" (VPC user guide, "Subnet sizing for IPv6").
const ipv6Block = cidrBlock(6, 44, 64).refine(
  (text) => (parseCidr(text)?.prefix ?? 0) % 4 === 0,
  "must have a prefix length that is a multiple of 4",
);

const spec = z.strictObject({
  vpcId: field(z.string().min(1), { doc: "The VPC it is a part of.", immutable: true, ref: "ec2.aws/v1 VPC.vpcId" }),
  cidrBlock: field(cidrBlock(4, 16, 28), { doc: "Its IPv4 range, /16 to /28, within the VPC's.", immutable: true }),
  availabilityZone: field(z.string().min(1).optional(), { doc: "The name of its availability zone.", immutable: true }),
  availabilityZoneId: field(z.string().min(1).optional(), {
    doc: "The ID of its availability zone, the same in every account.",
    immutable: true,
  }),
  outpostArn: field(arn("outposts").optional(), { doc: "The Outpost it is on.", immutable: true }),
  ipv6CidrBlock: field(ipv6Block.optional(), { doc: "Its IPv6 range, within the VPC's.", unset: null }),
  mapPublicIpOnLaunch: flag("Whether instances get a public IPv4 address."),
  assignIpv6AddressOnCreation: flag("Whether network interfaces get an IPv6 address."),
  enableDns64: flag("Whether the DNS server answers with synthetic IPv6 addresses for IPv4-only names."),
  privateDnsNameOptionsOnLaunch: field(
    z
      .strictObject({
        hostnameType: field(z.enum(["ip-name", "resource-name"]).optional(), { doc: "What instance host names are made of." }),
        enableResourceNameDnsARecord: field(z.boolean().optional(), { doc: "Whether host names have A records." }),
        enableResourceNameDnsAAAARecord: field(z.boolean().optional(), { doc: "Whether host names have AAAA records." }),
      })
      .optional(),
    { doc: "The private DNS names of instances.", unset: NEW_DNS_OPTIONS },
  ),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  subnetId: field(z.string(), { doc: "The ID of the subnet." }),
  subnetArn: field(z.string(), { doc: "The ARN of the subnet." }),
  state: field(z.string(), { doc: "pending, available, unavailable or failed." }),
  ownerId: field(z.string(), { doc: "The account that owns the subnet." }),
  defaultForAz: field(z.boolean(), { doc: "Whether it is its zone's default subnet." }),
  ipv6CidrBlockAssociationId: field(z.string().optional(), { doc: "The ID of the IPv6 range's association." }),
  ipv6CidrBlockState: field(z.string().optional(), { doc: "associating or associated." }),
});

type Spec = z.infer<typeof spec>;

export const subnet = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "Subnet",
  doc: "A range of a VPC's addresses in one availability zone.",
  spec,
  status,
  id: "subnetId",
  identity: { by: "name", key: ["vpcId", "cidrBlock"] },
  deviations: ["IPv6-only subnets, IPAM pools and customer-owned addresses are not supported."],
  errors: {
    notFound: ["InvalidSubnetID.NotFound"],
    exists: ["InvalidSubnet.Conflict"],
    wait: ["DependencyViolation"],
    propagating: ["InvalidVpcID.NotFound"],
  },
  list: {
    operations: ["ec2:DescribeSubnets"],
    run: async (aws, scope) => {
      const describe = (Filters: Filter[]) => aws.pages(ec2, "DescribeSubnets", { Filters, MaxResults: 1000 }, "Subnets");
      const found = await listInScope<Subnet>(scope, {
        ...ec2Finders<Subnet>(describe, "subnet-id", (object) => object.SubnetId),
        byNames: (names) => inChunks(names, NAMES_MAX, (some) => describe(nameFilters(some))),
        matches: (object, name) => object.VpcId === name.vpcId && object.CidrBlock === name.cidrBlock,
      });
      return found.map((object) => ({ id: String(object.SubnetId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:CreateSubnet"],
    run: async (aws, desired) => {
      const answer = await aws.write(ec2, "CreateSubnet", {
        VpcId: desired.vpcId,
        CidrBlock: desired.cidrBlock,
        AvailabilityZone: desired.availabilityZone,
        AvailabilityZoneId: desired.availabilityZoneId,
        OutpostArn: desired.outpostArn,
        Ipv6CidrBlock: desired.ipv6CidrBlock,
        TagSpecifications: tagSpecifications("subnet", desired.tags),
      });
      const created = answer.Subnet ?? {};
      return { id: String(created.SubnetId), values: { ...valuesOf(created), tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      fields: ["ipv6CidrBlock"],
      operations: ["ec2:AssociateSubnetCidrBlock", "ec2:DisassociateSubnetCidrBlock"],
      // A subnet has one IPv6 range: the old one goes first, and the new one comes on the next round.
      run: async (aws, { id, observed, changes }) => {
        const { before, after } = changes.ipv6CidrBlock ?? {};
        if (before !== undefined) {
          await aws.write(ec2, "DisassociateSubnetCidrBlock", { AssociationId: observed.ipv6CidrBlockAssociationId as string });
          return { values: ipv6Values(undefined) };
        }
        const answer = await aws.write(ec2, "AssociateSubnetCidrBlock", { SubnetId: id, Ipv6CidrBlock: after as string });
        return { values: ipv6Values(answer.Ipv6CidrBlockAssociation) };
      },
    },
    attributeUpdater("mapPublicIpOnLaunch", (Value) => ({ MapPublicIpOnLaunch: { Value } })),
    attributeUpdater("assignIpv6AddressOnCreation", (Value) => ({ AssignIpv6AddressOnCreation: { Value } })),
    attributeUpdater("enableDns64", (Value) => ({ EnableDns64: { Value } })),
    {
      fields: ["privateDnsNameOptionsOnLaunch"],
      operations: ["ec2:ModifySubnetAttribute"],
      run: async (aws, { id, changes }) => {
        const { before, after } = changes.privateDnsNameOptionsOnLaunch ?? {};
        const now = { ...NEW_DNS_OPTIONS, ...(isObject(before) ? before : {}) };
        const step = dnsOptionStep(now, isObject(after) ? after : NEW_DNS_OPTIONS);
        await aws.write(ec2, "ModifySubnetAttribute", { SubnetId: id, ...step.request });
        return { values: { privateDnsNameOptionsOnLaunch: { ...now, ...step.values } } };
      },
    },
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DeleteSubnet"],
    run: async (aws, { id }) => void (await aws.write(ec2, "DeleteSubnet", { SubnetId: id })),
  },
  ready: ({ state, ipv6CidrBlockState }) => {
    if (state === "pending") return { state: "waiting", why: "the subnet is pending" };
    if (state?.startsWith("failed")) return { state: "failed", why: `the subnet is ${state}`, recreate: true };
    return ipv6CidrBlockState === "associating" ? { state: "waiting", why: "the IPv6 range is being associated" } : { state: "ready" };
  },
  explainBlocked: {
    operations: ["ec2:DescribeNetworkInterfaces"],
    run: (aws, { id }) => interfaceInTheWay(aws, [filter("subnet-id", [id])]),
  },
  check: (resources) => [...resources.flatMap(twoZones), ...resources.flatMap(outsideVpc), ...overlapping(resources)],
});

// Two filters share EC2's 200 values.
const NAMES_MAX = 100;

function nameFilters(names: readonly JsonObject[]): Filter[] {
  const values = (member: string) => [...new Set(names.map((name) => String(name[member])))];
  return [filter("vpc-id", values("vpcId")), filter("cidr-block", values("cidrBlock"))];
}

function attributeUpdater(name: keyof Spec & string, member: (value: boolean) => object): Updater<Spec> {
  return fieldUpdater(name, ["ec2:ModifySubnetAttribute"], (aws, { id }, value) =>
    aws.write(ec2, "ModifySubnetAttribute", { SubnetId: id, ...member(value as boolean) }),
  );
}

// AWS takes one attribute a call: the first that differs goes first.
function dnsOptionStep(now: JsonObject, after: JsonObject): { request: Partial<ModifySubnetAttributeRequest>; values: JsonObject } {
  const { hostnameType, enableResourceNameDnsARecord: a, enableResourceNameDnsAAAARecord: aaaa } = after;
  if (hostnameType !== undefined && hostnameType !== now.hostnameType) {
    return { request: { PrivateDnsHostnameTypeOnLaunch: hostnameType as "ip-name" }, values: { hostnameType } };
  }
  if (a !== undefined && a !== now.enableResourceNameDnsARecord) {
    return { request: { EnableResourceNameDnsARecordOnLaunch: { Value: a as boolean } }, values: { enableResourceNameDnsARecord: a } };
  }
  return {
    request: { EnableResourceNameDnsAAAARecordOnLaunch: { Value: aaaa as boolean } },
    values: { enableResourceNameDnsAAAARecord: aaaa },
  };
}

function valuesOf(object: Subnet): JsonObject {
  const options = object.PrivateDnsNameOptionsOnLaunch;
  return defined({
    subnetId: object.SubnetId,
    subnetArn: object.SubnetArn,
    state: object.State,
    ownerId: object.OwnerId,
    defaultForAz: object.DefaultForAz,
    vpcId: object.VpcId,
    cidrBlock: object.CidrBlock,
    availabilityZone: object.AvailabilityZone,
    availabilityZoneId: object.AvailabilityZoneId,
    outpostArn: object.OutpostArn,
    mapPublicIpOnLaunch: object.MapPublicIpOnLaunch,
    assignIpv6AddressOnCreation: object.AssignIpv6AddressOnCreation,
    enableDns64: object.EnableDns64 ?? false,
    privateDnsNameOptionsOnLaunch: options && {
      hostnameType: options.HostnameType,
      enableResourceNameDnsARecord: options.EnableResourceNameDnsARecord,
      enableResourceNameDnsAAAARecord: options.EnableResourceNameDnsAAAARecord,
    },
    tags: fromTagList(object.Tags),
    ...ipv6Values(object.Ipv6CidrBlockAssociationSet?.find(isPresent)),
  });
}

type Ipv6Range = NonNullable<Subnet["Ipv6CidrBlockAssociationSet"]>[number];

// Ranges that were taken away, or never came, stay listed for a while.
function isPresent(range: Ipv6Range): boolean {
  return !/^(disassociat|fail)/.test(range.Ipv6CidrBlockState?.State ?? "");
}

function ipv6Values(range: Ipv6Range | undefined): JsonObject {
  return {
    ipv6CidrBlock: range?.Ipv6CidrBlock,
    ipv6CidrBlockAssociationId: range?.AssociationId,
    ipv6CidrBlockState: range?.Ipv6CidrBlockState?.State,
  };
}

// "Either AvailabilityZone or AvailabilityZoneId can be specified, but not both" (EC2 API Reference, CreateSubnet).
function twoZones({ key, spec: declared }: StaticResource): CheckFinding[] {
  if (declared.availabilityZone === undefined || declared.availabilityZoneId === undefined) return [];
  return [{ resource: key, field: "availabilityZoneId", message: `${key} names its availability zone twice`, hint: "leave one out" }];
}

function outsideVpc(resource: StaticResource): CheckFinding[] {
  const owner = resource.refersTo("vpcId");
  const [outer, inner] = [rangeOf(owner), rangeOf(resource)];
  if (!owner || !outer || !inner || contains(outer, inner)) return [];
  const message = `${nameOf(resource)} is outside ${nameOf(owner)}`;
  return [{ resource: resource.key, field: "cidrBlock", message }];
}

/** Ranges nest or are apart, so that after sorting each need only be compared with the last one that held its predecessors. */
function overlapping(resources: readonly StaticResource[]): CheckFinding[] {
  const byVpc = Map.groupBy(resources, (resource) => resource.refersTo("vpcId")?.key ?? JSON.stringify(resource.spec.vpcId));
  return [...byVpc.values()].flatMap((siblings) => {
    const ranges = siblings.flatMap((resource) => {
      const range = rangeOf(resource);
      return range ? [{ resource, range }] : [];
    });
    ranges.sort((left, right) => compare(left.range.network, right.range.network) || left.range.prefix - right.range.prefix);
    let outer = ranges[0];
    return ranges.slice(1).flatMap((inner) => {
      if (outer && contains(outer.range, inner.range)) return [overlap(outer.resource, inner.resource)];
      outer = inner;
      return [];
    });
  });
}

function overlap(first: StaticResource, second: StaticResource): CheckFinding {
  return { resource: second.key, field: "cidrBlock", message: `${nameOf(second)} overlaps ${nameOf(first)}` };
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function rangeOf(resource: StaticResource | undefined): Cidr | undefined {
  const text = resource?.spec.cidrBlock;
  return typeof text === "string" ? parseCidr(text) : undefined;
}

function nameOf(resource: StaticResource): string {
  return `${resource.key} (${String(resource.spec.cidrBlock)})`;
}
