/** What AWS refuses without its models saying so, each with the page that does. Member facts are `service.Shape.Member`. */

import type { OperationName } from "../../src/aws/service.ts";
import { COMPUTING_FACTS, COMPUTING_RULES } from "./facts-computing.ts";
import { DNS_RULES } from "./facts-dns.ts";
import { ELBV2_FACTS, ELBV2_RULES } from "./facts-elbv2.ts";
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
  "ec2.CreateFlowLogsRequest.ClientToken": { max: 64 },
  "ec2.CreateFlowLogsRequest.MaxAggregationInterval": { values: [60, 600] },
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
  // Route 53 API Reference, Tag: no more than the other services' tags.
  "route53.Tag.Key": TAG_KEY,
  "route53.Tag.Value": TAG_VALUE,
  "acm.Tag.Key": TAG_KEY,
  // RequestCertificate, KeyAlgorithm: the others are for imported certificates only, or for a private authority's.
  "acm.RequestCertificateRequest.KeyAlgorithm": {
    enum: ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"],
  },
  // RequestCertificate, DomainName: "cannot exceed 64 octets".
  "acm.RequestCertificateRequest.DomainName": { max: 64 },
  // HTTP is CloudFront's own (DomainValidation, HttpRedirect).
  "acm.RequestCertificateRequest.ValidationMethod": { enum: ["DNS", "EMAIL"] },
  // Nameserver, GlueIps: "The list can contain only one IPv4 and one IPv6 address".
  "route53domains.GlueIpList": { max: 2 },
  "ecr.Tag.Key": TAG_KEY,
  "ecr.Tag.Value": TAG_VALUE,
  "ecr.TagList": TAGS,
  "iam.Tag.Key": TAG_KEY,
  ...ELBV2_FACTS,
  // S3 user guide, "General purpose bucket naming rules".
  "s3.CreateBucketRequest.Bucket": { min: 3, max: 63, pattern: "(?!xn--)[a-z0-9][a-z0-9.-]*[a-z0-9]" },
  "s3.CreateBucketConfiguration.Tags": TAGS,
  "s3.Tagging.TagSet": TAGS,
  "s3.Tag.Key": { min: 1, max: 128 },
  "s3.Tag.Value": { max: 256 },
  // "Each rule ... ID cannot be longer than 255 characters" (PutBucketLifecycleConfiguration).
  "s3.LifecycleRule.ID": { min: 1, max: 255 },
  "s3.LifecycleRules": { min: 1, max: 1000 },
  "s3.CORSRules": { min: 1, max: 100 },
  "s3.ReplicationRules": { min: 1, max: 1000 },
  "s3.ObjectIdentifierList": { min: 1, max: 1000 },
  "s3.ReplicationTimeValue.Minutes": { values: [15] },
  // CreateLogGroup: "Log group names can't start with the string aws/".
  "logs.CreateLogGroupRequest.logGroupName": { pattern: "(?!aws/).*" },
  "logs.Days": { values: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] },
  "wafv2.ByteMatchStatement.SearchString": { min: 1, max: 200 },
  // "Valid settings are 60, 120, 300, and 600" (RateBasedStatement).
  "wafv2.EvaluationWindowSec": { values: [60, 120, 300, 600] },
  // WAF developer guide, AND and OR rule statements: "This requires at least two nested statements".
  "wafv2.Statements": { min: 2 },
  "wafv2.Tag.Key": TAG_KEY,
  "wafv2.TagList": TAGS,
  "cloudwatch.Tag.Key": TAG_KEY,
  "cloudwatch.Tag.Value": TAG_VALUE,
  "cloudwatch.TagList": TAGS,
  // PutMetricAlarm: "The name must contain only UTF-8 characters, and can't contain ASCII control characters".
  "cloudwatch.AlarmName": { min: 1, max: 255, pattern: "[^\\u0000-\\u001f\\u007f]*" },
  "cloudwatch.TreatMissingData": { enum: ["breaching", "notBreaching", "ignore", "missing"] },
  "cloudwatch.EvaluateLowSampleCountPercentile": { enum: ["evaluate", "ignore"] },
  // Dimension: "must contain only ASCII characters, must include at least one non-whitespace character, and cannot start with a colon".
  "cloudwatch.DimensionName": { min: 1, max: 255, pattern: "(?!:)[ -~]*[!-~][ -~]*" },
  "cloudwatch.DimensionValue": { min: 1, max: 1024, pattern: "[ -~]*[!-~][ -~]*" },
  // MetricDataQuery: "letters, numbers, and underscore. The first character must be a lowercase letter".
  "cloudwatch.MetricId": { min: 1, max: 255, pattern: "[a-z][a-zA-Z0-9_]*" },
  // PutDashboard: "The maximum length is 255, and valid characters are A-Z, a-z, 0-9, \"-\", and \"_\"".
  "cloudwatch.PutDashboardInput.DashboardName": { min: 1, max: 255, pattern: "[A-Za-z0-9_-]+" },
  // "You can set ResourcesPerPage to a maximum of 100" (GetResources).
  "tag.ResourcesPerPage": { min: 1, max: 100 },
  ...COMPUTING_FACTS,
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

/** CreateFlowLogs: where a log goes says what else it needs; a transit gateway's has all traffic. */
function flowLogProblems({ LogDestinationType: type = "cloud-watch-logs", ...input }: Members): string[] {
  const [toLogs, isTransit] = [type === "cloud-watch-logs", String(input.ResourceType).startsWith("TransitGateway")];
  return [
    ...(toLogs && input.DeliverLogsPermissionArn === undefined ? ["a log group needs DeliverLogsPermissionArn"] : []),
    ...(!toLogs && input.LogGroupName !== undefined ? ["LogGroupName goes with cloud-watch-logs"] : []),
    ...(input.LogDestination === undefined && input.LogGroupName === undefined ? ["no destination"] : []),
    ...((input.TrafficType === undefined) === isTransit ? [] : ["TrafficType goes with everything but transit gateways"]),
    ...(type !== "s3" && input.DestinationOptions !== undefined ? ["DestinationOptions goes with s3"] : []),
  ];
}

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

// Structures that are one of their members (WAFV2 API Reference), by the members that hold them.
const ONE_OF = [
  "Statement",
  "ScopeDownStatement",
  "FieldToMatch",
  "MatchPattern",
  "Action",
  "OverrideAction",
  "ActionToUse",
  "DefaultAction",
];

function choiceProblems(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((element, index) => choiceProblems(element, `${path}[${index}]`));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const members = typeof inner === "object" && inner !== null ? Object.keys(inner).length : 1;
    const wrong = ONE_OF.includes(name) && typeof inner === "object" && members !== 1 ? [`${path}.${name} has ${members} members`] : [];
    return [...wrong, ...choiceProblems(inner, `${path}.${name}`)];
  });
}

type WafRule = {
  readonly Name: string;
  readonly Priority: number;
  readonly Action?: unknown;
  readonly OverrideAction?: unknown;
  readonly Statement: Members;
};

/** CreateWebACL: priorities and names that are all different, and an action or an override, as the statement has it. */
function aclProblems(acl: { readonly Rules?: readonly WafRule[] }): string[] {
  const rules = acl.Rules ?? [];
  const isGroup = ({ Statement }: WafRule) => "ManagedRuleGroupStatement" in Statement || "RuleGroupReferenceStatement" in Statement;
  const wrong = rules.filter(
    (rule) => (rule.OverrideAction !== undefined) !== isGroup(rule) || (rule.Action !== undefined) === isGroup(rule),
  );
  return [
    ...choiceProblems(acl, "WebACL"),
    ...(new Set(rules.map(({ Name }) => Name)).size < rules.length ? ["two rules of one name"] : []),
    ...(new Set(rules.map(({ Priority }) => Priority)).size < rules.length ? ["two rules of one priority"] : []),
    ...wrong.map(({ Name }) => `the rule ${Name} has an action that does not fit`),
  ];
}

const METRIC = ["MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"];
const JUDGED = ["Threshold", "ThresholdMetricId", "ComparisonOperator", "EvaluationPeriods", "DatapointsToAlarm"];

/** PutMetricAlarm: "you must specify either MetricName, a Metrics array, or an EvaluationCriteria", and what cannot stand beside each. */
function alarmProblems(alarm: Members): string[] {
  const has = (name: string) => alarm[name] !== undefined;
  const ways = ["MetricName", "Metrics", "EvaluationCriteria"].filter(has);
  const refused = has("EvaluationCriteria")
    ? [...METRIC, ...JUDGED, "Metrics", "TreatMissingData", "EvaluationWindow"]
    : has("Metrics")
      ? [...METRIC, "EvaluationInterval"]
      : ["EvaluationInterval"];
  const limits = ["Threshold", "ThresholdMetricId"].filter(has);
  const statistics = ["Statistic", "ExtendedStatistic"].filter(has);
  const periods = ["Period", "EvaluationInterval"].filter(
    (name) => has(name) && Number(alarm[name]) % 60 !== 0 && ![10, 20, 30].includes(Number(alarm[name])),
  );
  return [
    ...(ways.length === 1 ? [] : [`watches one thing, and not ${ways.join(", ") || "none"}`]),
    ...refused.filter((name) => ways.length === 1 && has(name) && name !== ways[0]).map((name) => `${name} beside ${ways[0]}`),
    ...(has("EvaluationCriteria") || limits.length === 1 ? [] : [`needs one limit, and has ${limits.join(", ") || "none"}`]),
    ...(has("MetricName") && statistics.length !== 1 ? [`needs one statistic, and has ${statistics.join(", ") || "none"}`] : []),
    ...periods.map((name) => `${name} is ${alarm[name]} s`),
  ];
}

/** What AWS says of several members together. */
export const RULES: Readonly<Record<OperationName, Rule>> = {
  "ec2:ModifyVpcAttribute": oneBeside("VpcId"),
  "ec2:ModifySubnetAttribute": oneBeside("SubnetId"),
  "ec2:CreateFlowLogs": flowLogProblems,
  "ec2:CreateRoute": oneRoute,
  "ec2:ReplaceRoute": oneRoute,
  "ec2:AuthorizeSecurityGroupIngress": permissionProblems,
  "ec2:AuthorizeSecurityGroupEgress": permissionProblems,
  // "Either AvailabilityZone or AvailabilityZoneId can be specified, but not both".
  "ec2:CreateSubnet": (input) =>
    input.AvailabilityZone !== undefined && input.AvailabilityZoneId !== undefined ? ["two availability zones"] : [],
  "wafv2:CreateWebACL": aclProblems as Rule,
  "wafv2:UpdateWebACL": aclProblems as Rule,
  "cloudwatch:PutMetricAlarm": alarmProblems,
  ...DNS_RULES,
  ...ELBV2_RULES,
  "dynamodb:CreateTable": tableProblems as Rule,
  "dynamodb:UpdateTable": tableUpdateProblems as Rule,
  ...COMPUTING_RULES,
};
