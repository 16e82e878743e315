/** What AWS refuses without its models saying so, each with the page that does. Member facts are `service.Shape.Member`. */

import type { OperationName } from "../../src/aws/service.ts";
import type { Limits } from "./model.ts";

// EC2's wire format has no word for an empty list: one that is needed would be missing.
export const EMPTY_LISTS_REFUSED: ReadonlySet<string> = new Set(["ec2"]);

// EC2 API Reference: CreateSecurityGroup, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair.
const TEXT: Limits = { min: 1, max: 255, pattern: "[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]*" };
// AWS General Reference, "Tag naming limits and requirements": 128 and 256 characters, those that all services allow, and no aws: in front.
const TAG_KEY: Limits = { min: 1, max: 128, pattern: "(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+" };
const TAG_VALUE: Limits = { max: 256, pattern: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*" };
const TAGS: Limits = { max: 50 };
const TABLE_NAME: Limits = { min: 3, max: 255, pattern: "[a-zA-Z0-9_.-]+" };
// "greater than or equal to 1 ... To remove the maximum, set the value to -1" (DynamoDB API Reference, OnDemandThroughput).
const REQUEST_UNITS: Limits = { min: -1, not: [0] };

export const FACTS: Readonly<Record<string, Limits>> = {
  "ec2.CreateSecurityGroupRequest.GroupName": { ...TEXT, pattern: "(?!sg-)[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]*[^ ]" },
  "ec2.CreateSecurityGroupRequest.Description": TEXT,
  "ec2.IpRange.Description": TEXT,
  "ec2.Ipv6Range.Description": TEXT,
  "ec2.PrefixListId.Description": TEXT,
  "ec2.UserIdGroupPair.Description": TEXT,
  "ec2.IpPermission.IpProtocol": { pattern: "tcp|udp|icmp|icmpv6|-1|0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5]" },
  "ec2.IpPermission.FromPort": { min: -1, max: 65_535 },
  "ec2.IpPermission.ToPort": { min: -1, max: 65_535 },
  // EC2 user guide, "Tag your resources": EC2 allows for any character, though other services do not.
  "ec2.Tag.Key": { min: 1, max: 128, pattern: "(?!aws:)[^]*" },
  "ec2.Tag.Value": { max: 256 },
  "ec2.TagSpecification.Tags": TAGS,
  // "Constraint: Maximum 64 ASCII characters" (CreateNatGateway, CreateRouteTable).
  "ec2.CreateNatGatewayRequest.ClientToken": { max: 64 },
  "ec2.CreateRouteTableRequest.ClientToken": { max: 64 },
  // EC2 user guide, "List and filter": up to 50 filters, and up to 200 values.
  "ec2.FilterList": { max: 50 },
  "ec2.ValueStringList": { max: 200 },
  "ec2.CreateVpcRequest.InstanceTenancy": { enum: ["default", "dedicated"] },
  // VPC user guide, "Subnet sizing": /16 to /28, and /44 to /64 in steps of 4.
  "ec2.CreateVpcRequest.CidrBlock": { pattern: ".*/(1[6-9]|2[0-8])" },
  "ec2.CreateSubnetRequest.CidrBlock": { pattern: ".*/(1[6-9]|2[0-8])" },
  "ec2.CreateSubnetRequest.Ipv6CidrBlock": { pattern: ".*/(44|48|52|56|60|64)" },
  "ec2.AssociateSubnetCidrBlockRequest.Ipv6CidrBlock": { pattern: ".*/(44|48|52|56|60|64)" },
  "dynamodb.CreateTableInput.TableName": TABLE_NAME,
  "dynamodb.Tag.Key": TAG_KEY,
  "dynamodb.Tag.Value": TAG_VALUE,
  "dynamodb.TagList": TAGS,
  "dynamodb.OnDemandThroughput.MaxReadRequestUnits": REQUEST_UNITS,
  "dynamodb.OnDemandThroughput.MaxWriteRequestUnits": REQUEST_UNITS,
  "dynamodb.GlobalSecondaryIndexList": { min: 1, max: 20 },
  "dynamodb.LocalSecondaryIndexList": { min: 1, max: 5 },
  "dynamodb.SSESpecification.SSEType": { enum: ["KMS"] },
  // CreateLogGroup: "Log group names can't start with the string aws/".
  "logs.CreateLogGroupRequest.logGroupName": { pattern: "(?!aws/).*" },
  "logs.Days": { values: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] },
  // "You can set ResourcesPerPage to a maximum of 100" (GetResources).
  "tag.ResourcesPerPage": { min: 1, max: 100 },
};

type Members = Readonly<Record<string, unknown>>;
type Rule = (input: Members) => readonly string[];

/** "You can modify one attribute at a time" (ModifyVpcAttribute, ModifySubnetAttribute). */
function oneBeside(own: string): Rule {
  return (input) => {
    const names = Object.keys(input).filter((name) => name !== own && input[name] !== undefined);
    return names.length === 1 ? [] : [`one attribute a call, and not ${names.join(", ") || "none"}`];
  };
}

/** "You must specify one of the following targets", and one destination (CreateRoute, ReplaceRoute). */
function oneRoute(input: Members): string[] {
  const names = Object.keys(input).filter((name) => name !== "RouteTableId" && input[name] !== undefined);
  const destinations = names.filter((name) => name.startsWith("Destination"));
  return destinations.length === 1 && names.length === 2 ? [] : [`needs one destination and one target: ${names.join(", ")}`];
}

function permissionProblems({ IpPermissions = [] }: { readonly IpPermissions?: readonly Members[] }): string[] {
  return IpPermissions.flatMap((permission) => {
    const { IpProtocol: protocol, FromPort: from, ToPort: to } = permission as { IpProtocol: string; FromPort?: number; ToPort?: number };
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "icmp") return [];
    if (from === undefined || to === undefined) return [`${protocol} needs a port range`];
    // IpPermission: "If the start port is -1 (all ICMP types), then the end port must be -1".
    if (protocol === "icmp") return from > 255 || to > 255 || (from === -1 && to !== -1) ? [`no ICMP type and code: ${from}, ${to}`] : [];
    return from < 0 || from > to ? [`no port range: ${from} to ${to}`] : [];
  });
}

type Index = {
  readonly Projection: { readonly ProjectionType?: string; readonly NonKeyAttributes?: unknown };
  readonly ProvisionedThroughput?: unknown;
};

function indexProblems({ Projection }: Index): string[] {
  const { ProjectionType, NonKeyAttributes } = Projection;
  return (ProjectionType === "INCLUDE") === (NonKeyAttributes !== undefined)
    ? []
    : ["NonKeyAttributes go with INCLUDE, and with nothing else"];
}

function switchProblems({
  StreamSpecification: stream,
  SSESpecification: sse,
}: {
  readonly StreamSpecification?: Members;
  readonly SSESpecification?: Members;
}): string[] {
  return [
    ...(stream && (stream.StreamEnabled === true) !== (stream.StreamViewType !== undefined)
      ? ["StreamViewType goes with an enabled stream"]
      : []),
    ...(sse && sse.Enabled === false && Object.keys(sse).length > 1 ? ["a key goes with encryption"] : []),
  ];
}

type Table = {
  readonly BillingMode?: string;
  readonly ProvisionedThroughput?: unknown;
  readonly OnDemandThroughput?: unknown;
  readonly GlobalSecondaryIndexes?: readonly (Index & { readonly OnDemandThroughput?: unknown })[];
  readonly LocalSecondaryIndexes?: readonly Index[];
  readonly ResourcePolicy?: string;
} & Parameters<typeof switchProblems>[0];

/** CreateTable: capacities go with PROVISIONED, limits with PAY_PER_REQUEST, for the table and for each of its indexes. */
function tableProblems(table: Table): string[] {
  const [isProvisioned, indexes] = [table.BillingMode !== "PAY_PER_REQUEST", table.GlobalSecondaryIndexes ?? []];
  const wrong = [table, ...indexes].filter(
    (part) => (part.ProvisionedThroughput !== undefined) !== isProvisioned || (isProvisioned && part.OnDemandThroughput !== undefined),
  );
  return [
    ...wrong.map(() => `capacity and billing mode ${table.BillingMode} do not fit`),
    ...[...indexes, ...(table.LocalSecondaryIndexes ?? [])].flatMap(indexProblems),
    ...switchProblems(table),
  ];
}

/** UpdateTable: "You can only perform one of the following operations at once: ...". */
function tableUpdateProblems(input: Members & Parameters<typeof switchProblems>[0]): string[] {
  const parts = Object.keys(input).filter((name) => input[name] !== undefined && name !== "TableName" && name !== "AttributeDefinitions");
  const updates = (input.GlobalSecondaryIndexUpdates ?? []) as readonly {
    readonly Create?: Index;
    readonly Update?: Members;
    readonly Delete?: Members;
  }[];
  const capacity = ["BillingMode", "ProvisionedThroughput", "OnDemandThroughput", "GlobalSecondaryIndexUpdates"];
  const created = updates.flatMap(({ Create }) => (Create ? [Create] : []));
  return [
    ...(parts.length > 1 && !parts.every((name) => capacity.includes(name)) ? [`one change a call, and not ${parts.join(", ")}`] : []),
    ...(updates.filter(({ Update }) => !Update).length > 1 ? ["one index is made or deleted a call"] : []),
    ...updates
      .filter(({ Update }) => Update && Object.keys(Update).filter((name) => Update[name] !== undefined).length < 2)
      .map(() => "an index update without anything to update"),
    ...(parts.length === 0 ? ["nothing to update"] : []),
    ...created.flatMap(indexProblems),
    ...switchProblems(input),
  ];
}

/** What AWS says of several members together. */
export const RULES: Readonly<Record<OperationName, Rule>> = {
  "ec2:ModifyVpcAttribute": oneBeside("VpcId"),
  "ec2:ModifySubnetAttribute": oneBeside("SubnetId"),
  "ec2:CreateRoute": oneRoute,
  "ec2:ReplaceRoute": oneRoute,
  "ec2:AuthorizeSecurityGroupIngress": permissionProblems,
  "ec2:AuthorizeSecurityGroupEgress": permissionProblems,
  // "Either AvailabilityZone or AvailabilityZoneId can be specified, but not both".
  "ec2:CreateSubnet": (input) =>
    input.AvailabilityZone !== undefined && input.AvailabilityZoneId !== undefined ? ["two availability zones"] : [],
  "dynamodb:CreateTable": tableProblems as Rule,
  "dynamodb:UpdateTable": tableUpdateProblems as Rule,
};
