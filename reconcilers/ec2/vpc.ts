import type { Vpc, VpcAttributeName } from "@aws-sdk/client-ec2";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, FEW, filter, interfaceInTheWay, tagSpecifications } from "../../src/kind/ec2.ts";
import { defineKind, type Remote, type Scope, type Updater } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { cidrBlock } from "../../src/kind/schemas.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";

const spec = z.strictObject({
  cidrBlock: field(cidrBlock(4, 16, 28), { doc: "The primary IPv4 range, /16 to /28.", immutable: true }),
  instanceTenancy: field(z.enum(["default", "dedicated"]).optional(), {
    doc: "Whether instances run on shared or on dedicated hardware.",
    immutable: true,
  }),
  amazonProvidedIpv6CidrBlock: field(z.boolean().optional(), { doc: "Whether Amazon provides an IPv6 /56 range.", unset: false }),
  enableDnsSupport: field(z.boolean().optional(), { doc: "Whether Amazon's DNS server answers in the VPC.", unset: true }),
  enableDnsHostnames: field(z.boolean().optional(), { doc: "Whether instances with public addresses get DNS names.", unset: false }),
  enableNetworkAddressUsageMetrics: field(z.boolean().optional(), {
    doc: "Whether the VPC's network address usage is measured.",
    unset: false,
  }),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  vpcId: field(z.string(), { doc: "The ID of the VPC." }),
  state: field(z.string(), { doc: "pending, available or deleting." }),
  ownerId: field(z.string(), { doc: "The account that owns the VPC." }),
  isDefault: field(z.boolean(), { doc: "Whether it is the region's default VPC." }),
  dhcpOptionsId: field(z.string(), { doc: "The DHCP options the VPC uses." }),
  ipv6CidrBlock: field(z.string().optional(), { doc: "The IPv6 range Amazon provided." }),
  ipv6CidrBlockState: field(z.string().optional(), { doc: "associating or associated." }),
  ipv6CidrBlockAssociationId: field(z.string().optional(), { doc: "The ID of the IPv6 range's association." }),
});

// What a new VPC has (AWS VPC user guide, "DNS attributes for your VPC").
const NEW_VPC_ATTRIBUTES = { enableDnsSupport: true, enableDnsHostnames: false, enableNetworkAddressUsageMetrics: false };
const ATTRIBUTES = Object.keys(NEW_VPC_ATTRIBUTES) as VpcAttributeName[];

export const vpc = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "VPC",
  doc: "A virtual network of one account in one region.",
  spec,
  status,
  id: "vpcId",
  identity: { by: "tag", consistencyMs: EC2_CONSISTENCY_MS, surplusIsSafe: true },
  deviations: [
    "Ranges from IPAM pools and secondary ranges are not supported.",
    "`instanceTenancy` is fixed: AWS allows only one way back.",
  ],
  errors: { notFound: ["InvalidVpcID.NotFound"], wait: ["DependencyViolation"] },
  list: { operations: ["ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"], run: list },
  create: {
    operations: ["ec2:CreateVpc"],
    run: async (aws, desired) => {
      const answer = await aws.write(ec2, "CreateVpc", {
        CidrBlock: desired.cidrBlock,
        InstanceTenancy: desired.instanceTenancy,
        AmazonProvidedIpv6CidrBlock: desired.amazonProvidedIpv6CidrBlock,
        TagSpecifications: tagSpecifications("vpc", desired.tags),
      });
      const values = { ...valuesOf(answer.Vpc ?? {}), tags: desired.tags ?? {} };
      return { id: String(answer.Vpc?.VpcId), values: { ...values, ...NEW_VPC_ATTRIBUTES } };
    },
  },
  updates: [
    attributeUpdater("enableDnsSupport", (Value) => ({ EnableDnsSupport: { Value } })),
    attributeUpdater("enableDnsHostnames", (Value) => ({ EnableDnsHostnames: { Value } })),
    attributeUpdater("enableNetworkAddressUsageMetrics", (Value) => ({ EnableNetworkAddressUsageMetrics: { Value } })),
    {
      fields: ["amazonProvidedIpv6CidrBlock"],
      operations: ["ec2:AssociateVpcCidrBlock", "ec2:DisassociateVpcCidrBlock"],
      run: async (aws, { id, observed, changes }) => {
        if (changes.amazonProvidedIpv6CidrBlock?.after === true) {
          const answer = await aws.write(ec2, "AssociateVpcCidrBlock", { VpcId: id, AmazonProvidedIpv6CidrBlock: true });
          return { values: ipv6Values(answer.Ipv6CidrBlockAssociation) };
        }
        await aws.write(ec2, "DisassociateVpcCidrBlock", { AssociationId: observed.ipv6CidrBlockAssociationId as string });
        return { values: ipv6Values(undefined) };
      },
    },
    ec2Tags(),
  ],
  delete: { operations: ["ec2:DeleteVpc"], run: async (aws, { id }) => void (await aws.write(ec2, "DeleteVpc", { VpcId: id })) },
  ready: ({ state, ipv6CidrBlockState }) => {
    if (state === "pending") return { state: "waiting", why: "the VPC is pending" };
    return ipv6CidrBlockState === "associating" ? { state: "waiting", why: "the IPv6 range is being associated" } : { state: "ready" };
  },
  explainBlocked: {
    operations: [
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeRouteTables",
    ],
    run: (aws, { id }) => inTheWay(aws, id),
  },
});

function attributeUpdater(name: VpcAttributeName, member: (value: boolean) => object): Updater<z.infer<typeof spec>> {
  return fieldUpdater(name, ["ec2:ModifyVpcAttribute"], (aws, { id }, value) =>
    aws.write(ec2, "ModifyVpcAttribute", { VpcId: id, ...member(value as boolean) }),
  );
}

async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const describe = (Filters: ReturnType<typeof filter>[]) => aws.pages(ec2, "DescribeVpcs", { Filters, MaxResults: 1000 }, "Vpcs");
  const found = await listInScope(
    scope,
    ec2Finders(describe, "vpc-id", (object) => object.VpcId),
  );
  const wanted = ATTRIBUTES.filter((name) => scope.fields.has(name));
  return Promise.all(found.map((object) => remote(aws, object, wanted)));
}

async function remote(aws: Reader, object: Vpc, wanted: readonly VpcAttributeName[]): Promise<Remote> {
  const id = String(object.VpcId);
  const attributes = await Promise.all(wanted.map(async (name) => [name, await attribute(aws, id, name)] as const));
  return {
    id,
    values: { ...valuesOf(object), ...defined(Object.fromEntries(attributes)) },
    tags: fromTagList(object.Tags),
    ...(String(object.State) === "deleting" ? { deleting: true as const } : {}),
  };
}

async function attribute(aws: Reader, id: string, name: VpcAttributeName): Promise<Json | undefined> {
  const answer = await aws.read(ec2, "DescribeVpcAttribute", { VpcId: id, Attribute: name });
  return (answer.EnableDnsSupport ?? answer.EnableDnsHostnames ?? answer.EnableNetworkAddressUsageMetrics)?.Value;
}

function valuesOf(object: Vpc): JsonObject {
  const range = object.Ipv6CidrBlockAssociationSet?.find(isPresent);
  return defined({
    vpcId: object.VpcId,
    cidrBlock: object.CidrBlock,
    instanceTenancy: object.InstanceTenancy,
    tags: fromTagList(object.Tags),
    state: object.State,
    ownerId: object.OwnerId,
    isDefault: object.IsDefault,
    dhcpOptionsId: object.DhcpOptionsId,
    ...ipv6Values(range),
  });
}

type Ipv6Range = NonNullable<Vpc["Ipv6CidrBlockAssociationSet"]>[number];

// AWS names the pool of ranges it provides "Amazon"; a customer's own pools have ids. Ranges that were taken away, or never
// came, stay listed for a while.
function isPresent(range: Ipv6Range): boolean {
  return range.Ipv6Pool === "Amazon" && !/^(disassociat|fail)/.test(range.Ipv6CidrBlockState?.State ?? "");
}

function ipv6Values(range: Ipv6Range | undefined): JsonObject {
  return {
    amazonProvidedIpv6CidrBlock: range !== undefined,
    ipv6CidrBlock: range?.Ipv6CidrBlock,
    ipv6CidrBlockState: range?.Ipv6CidrBlockState?.State,
    ipv6CidrBlockAssociationId: range?.AssociationId,
  };
}

async function inTheWay(aws: Reader, id: string): Promise<string | undefined> {
  const query = { Filters: [filter("vpc-id", [id])], MaxResults: FEW };
  const [networkInterface, subnets, gateways, groups, tables] = await Promise.all([
    interfaceInTheWay(aws, query.Filters),
    aws.read(ec2, "DescribeSubnets", query),
    aws.read(ec2, "DescribeInternetGateways", { Filters: [filter("attachment.vpc-id", [id])], MaxResults: FEW }),
    aws.read(ec2, "DescribeSecurityGroups", query),
    aws.read(ec2, "DescribeRouteTables", query),
  ]);
  const group = groups.SecurityGroups?.find((found) => found.GroupName !== "default");
  const table = tables.RouteTables?.find((found) => !found.Associations?.some((association) => association.Main));
  return (
    networkInterface ??
    text("subnet", subnets.Subnets?.[0]?.SubnetId) ??
    text("internet gateway", gateways.InternetGateways?.[0]?.InternetGatewayId) ??
    text("security group", group?.GroupId) ??
    text("route table", table?.RouteTableId)
  );
}

function text(what: string, id: string | undefined): string | undefined {
  return id === undefined ? undefined : `${what} ${id}`;
}
