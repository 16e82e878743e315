/**
 * Everything an account holds in one region, by kind, read with plain SDK calls that know nothing of BEACON's code.
 *
 * Objects are AWS's own answers, with `Tags` as a map and what AWS keeps beside an object (attributes, policies, versions)
 * joined to it. What AWS makes by itself is among them; {@link beyond} takes out what was there before.
 */

import { ACM } from "@aws-sdk/client-acm";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { EC2 } from "@aws-sdk/client-ec2";
import { ECR } from "@aws-sdk/client-ecr";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAM } from "@aws-sdk/client-iam";
import { Route53 } from "@aws-sdk/client-route-53";
import { S3 } from "@aws-sdk/client-s3";
import { WAFV2 } from "@aws-sdk/client-wafv2";

// biome-ignore lint/suspicious/noExplicitAny: AWS's answers, of a shape of their own for each kind, that tests look into.
export type Held = any;

/** Objects by kind; a kind without any is left out. */
export type World = Readonly<Record<string, readonly Held[]>>;

type Settings = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

/** Reads it all. `stateTable`: BEACON's own table, which is no part of it. */
export async function worldOf(settings: Settings, { stateTable = "beacon-state" } = {}): Promise<World> {
  const parts = await Promise.all([
    network(settings),
    computing(settings),
    balancing(settings),
    identities(settings),
    names(settings),
    firewalls(settings),
    storage(settings, stateTable),
    watching(settings),
  ]);
  const all = Object.assign({}, ...parts) as Record<string, readonly Held[]>;
  return Object.fromEntries(Object.entries(all).filter(([, objects]) => objects.length > 0));
}

/** What the world holds that an earlier look at it did not. */
export function beyond(world: World, earlier: World): World {
  const known = new Set(
    Object.entries(earlier).flatMap(([kind, objects]) => objects.map((object) => `${kind} ${identityOf(kind, object)}`)),
  );
  const added = Object.entries(world).map(
    ([kind, objects]) => [kind, objects.filter((object) => !known.has(`${kind} ${identityOf(kind, object)}`))] as const,
  );
  return Object.fromEntries(added.filter(([, objects]) => objects.length > 0));
}

/** How many objects of each kind. */
export function countsIn(world: World): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(world).map(([kind, objects]) => [kind, objects.length]));
}

/** The members by which AWS knows an object of each kind. */
const IDENTITY: Readonly<Record<string, readonly string[]>> = {
  VPC: ["VpcId"],
  InternetGateway: ["InternetGatewayId"],
  Subnet: ["SubnetId"],
  EIP: ["AllocationId"],
  NatGateway: ["NatGatewayId"],
  RouteTable: ["RouteTableId"],
  SecurityGroup: ["GroupId"],
  KeyPair: ["KeyPairId"],
  FlowLog: ["FlowLogId"],
  LaunchTemplate: ["LaunchTemplateId"],
  Instance: ["InstanceId"],
  AutoScalingGroup: ["AutoScalingGroupARN"],
  ScalingPolicy: ["AutoScalingGroupName", "PolicyName"],
  LoadBalancer: ["LoadBalancerArn"],
  TargetGroup: ["TargetGroupArn"],
  Listener: ["ListenerArn"],
  ListenerRule: ["RuleArn"],
  Role: ["Arn"],
  InstanceProfile: ["Arn"],
  HostedZone: ["Id"],
  RecordSet: ["ZoneId", "Name", "Type", "SetIdentifier"],
  Certificate: ["CertificateArn"],
  WebACL: ["ARN"],
  WebACLAssociation: ["ResourceArn"],
  Table: ["TableArn"],
  LogGroup: ["arn"],
  Bucket: ["Name"],
  Repository: ["repositoryArn"],
  Alarm: ["AlarmArn"],
  Dashboard: ["DashboardName"],
};

function identityOf(kind: string, object: Held): string {
  return (IDENTITY[kind] ?? []).map((member) => String(object[member] ?? "")).join(" ");
}

/**
 * The world with every id that AWS chose replaced by the name of what has it, and without what two runs cannot have in common:
 * two runs that came to the same give the same, whatever AWS called it.
 */
export function comparable(world: World): World {
  const aliases = new Map<string, string>();
  for (const [kind, objects] of Object.entries(world)) {
    for (const object of objects) {
      const name = `<${object.Tags?.["beacon:resource"] ?? `${kind} ${object.Name ?? object.PolicyName ?? ""}`}>`;
      for (const id of ids(kind, object)) aliases.set(id, name);
    }
  }
  // Longest first: an ARN holds the name that is an id, too.
  const longest = [...aliases.keys()].sort((left, right) => right.length - left.length);
  const named = (text: string) =>
    longest.reduce((before, id) => before.replaceAll(id, aliases.get(id) as string), text).replaceAll(RANDOM, "<random>");
  const plain = (value: Held): Held => {
    if (typeof value === "string") return named(value);
    if (Array.isArray(value)) return value.map(plain).sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
    if (value instanceof Date || value instanceof Uint8Array) return undefined;
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).filter(([name]) => !VOLATILE.test(name));
    return Object.fromEntries(members.sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, member]) => [name, plain(member)]));
  };
  return plain(Object.fromEntries(Object.entries(world).filter(([kind]) => kind !== "Instance"))) as World;
}

// Chosen by AWS anew for every object, or a matter of the moment.
const VOLATILE =
  /^(beacon:uid|Association(Id)?|RouteTableAssociationId|AssociationId|NetworkInterfaceId|PublicIp|PrivateIp\w*|KeyPairId|KeyFingerprint|TableId|RoleId|InstanceProfileId|Id|LockToken|CallerReference|Serial|Instances|CreationTime|creationTime|createdAt|CreateDate|CreateTime|CreatedTime|\w*Timestamp|\w*UpdatedTimestamp|TableSizeBytes|ItemCount|storedBytes|StateReason\w*|StateValue|ResourceRecord\w*|NameServers|OwnerId|DNSName|ETag|VersionId|LabelNamespace|StatusReason|RequestId|DomainValidationOptions|NotBefore|NotAfter|IssuedAt|Subject|KeyId|KMSMasterKeyArn|InUseBy|TargetHealth)$/;

// Parts of names that AWS chooses: of policies' ARNs, and of load balancers' full names.
const RANDOM = /\b([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,17})\b/g;

function ids(kind: string, object: Held): readonly string[] {
  const chosen = (IDENTITY[kind] ?? []).filter((member) => /(Id|Arn|ARN|arn)$/.test(member));
  return [...chosen, ...(kind === "LoadBalancer" ? ["DNSName"] : [])].flatMap((member) => (object[member] ? [String(object[member])] : []));
}

type TagList = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;

const tagMap = (tags: TagList): Record<string, string> =>
  Object.fromEntries(
    (tags ?? []).map(({ Key, Value }) => [String(Key), String(Value)] as const).filter(([key]) => !key.startsWith("aws:")),
  );

const tagged = <T extends { Tags?: TagList }>(object: T): Held => ({ ...object, Tags: tagMap(object.Tags) });

async function network(settings: Settings): Promise<World> {
  const ec2 = new EC2(settings);
  const live = { Filter: [{ Name: "state", Values: ["pending", "available"] }] };
  const [vpcs, gateways, subnets, addresses, nats, tables, groups, keys, flowLogs] = await Promise.all([
    ec2.describeVpcs({}),
    ec2.describeInternetGateways({}),
    ec2.describeSubnets({}),
    ec2.describeAddresses({}),
    ec2.describeNatGateways(live),
    ec2.describeRouteTables({}),
    ec2.describeSecurityGroups({}),
    ec2.describeKeyPairs({}),
    ec2.describeFlowLogs({}),
  ]);
  const attribute = async (VpcId: string, Attribute: "enableDnsSupport" | "enableDnsHostnames") => {
    const answer = await ec2.describeVpcAttribute({ VpcId, Attribute });
    return (answer.EnableDnsSupport ?? answer.EnableDnsHostnames)?.Value;
  };
  const VPC = (vpcs.Vpcs ?? []).map(async (vpc) => ({
    ...tagged(vpc),
    EnableDnsSupport: await attribute(String(vpc.VpcId), "enableDnsSupport"),
    EnableDnsHostnames: await attribute(String(vpc.VpcId), "enableDnsHostnames"),
  }));
  return {
    VPC: await Promise.all(VPC),
    InternetGateway: (gateways.InternetGateways ?? []).map(tagged),
    Subnet: (subnets.Subnets ?? []).map(tagged),
    EIP: (addresses.Addresses ?? []).map(tagged),
    NatGateway: (nats.NatGateways ?? []).map(tagged),
    RouteTable: (tables.RouteTables ?? []).map(tagged),
    SecurityGroup: (groups.SecurityGroups ?? []).map(tagged),
    KeyPair: (keys.KeyPairs ?? []).map(tagged),
    FlowLog: (flowLogs.FlowLogs ?? []).map(tagged),
  };
}

async function computing(settings: Settings): Promise<World> {
  const [ec2, autoscaling] = [new EC2(settings), new AutoScaling(settings)];
  const [templates, reservations, groups, policies] = await Promise.all([
    ec2.describeLaunchTemplates({ MaxResults: 200 }),
    ec2.describeInstances({ Filters: [{ Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] }] }),
    autoscaling.describeAutoScalingGroups({}),
    autoscaling.describePolicies({}),
  ]);
  const LaunchTemplate = (templates.LaunchTemplates ?? []).map(async (template) => {
    const request = { LaunchTemplateId: template.LaunchTemplateId, Versions: ["$Latest"] };
    const { LaunchTemplateVersions = [] } = await ec2.describeLaunchTemplateVersions(request);
    return { ...tagged(template), Data: LaunchTemplateVersions[0]?.LaunchTemplateData };
  });
  const AutoScalingGroup = (groups.AutoScalingGroups ?? []).map((group) => ({
    ...tagged(group),
    Propagated: (group.Tags ?? []).filter(({ PropagateAtLaunch }) => PropagateAtLaunch).map(({ Key }) => String(Key)),
  }));
  return {
    LaunchTemplate: await Promise.all(LaunchTemplate),
    Instance: (reservations.Reservations ?? []).flatMap(({ Instances = [] }) => Instances.map(tagged)),
    AutoScalingGroup,
    ScalingPolicy: policies.ScalingPolicies ?? [],
  };
}

async function balancing(settings: Settings): Promise<World> {
  const elb = new ElasticLoadBalancingV2(settings);
  const tagsOf = async (arn: string) => tagMap((await elb.describeTags({ ResourceArns: [arn] })).TagDescriptions?.[0]?.Tags);
  const attributesOf = (list: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined) => tagMap(list);
  const [{ LoadBalancers = [] }, { TargetGroups = [] }] = await Promise.all([elb.describeLoadBalancers({}), elb.describeTargetGroups({})]);
  const LoadBalancer = LoadBalancers.map(async (balancer) => {
    const LoadBalancerArn = String(balancer.LoadBalancerArn);
    const [Tags, { Attributes }] = await Promise.all([tagsOf(LoadBalancerArn), elb.describeLoadBalancerAttributes({ LoadBalancerArn })]);
    return { ...balancer, Name: balancer.LoadBalancerName, Tags, Attributes: attributesOf(Attributes) };
  });
  const TargetGroup = TargetGroups.map(async (group) => {
    const TargetGroupArn = String(group.TargetGroupArn);
    const [Tags, { Attributes }] = await Promise.all([tagsOf(TargetGroupArn), elb.describeTargetGroupAttributes({ TargetGroupArn })]);
    return { ...group, Name: group.TargetGroupName, Tags, Attributes: attributesOf(Attributes) };
  });
  const listeners = await Promise.all(LoadBalancers.map(({ LoadBalancerArn }) => elb.describeListeners({ LoadBalancerArn })));
  const all = listeners.flatMap(({ Listeners = [] }) => Listeners);
  const Listener = all.map(async (listener) => ({ ...listener, Tags: await tagsOf(String(listener.ListenerArn)) }));
  const rules = await Promise.all(all.map(({ ListenerArn }) => elb.describeRules({ ListenerArn })));
  const own = rules.flatMap(({ Rules = [] }) => Rules.filter(({ IsDefault }) => !IsDefault));
  const ListenerRule = own.map(async (rule) => ({ ...rule, Tags: await tagsOf(String(rule.RuleArn)) }));
  return {
    LoadBalancer: await Promise.all(LoadBalancer),
    TargetGroup: await Promise.all(TargetGroup),
    Listener: await Promise.all(Listener),
    ListenerRule: await Promise.all(ListenerRule),
  };
}

const policyOf = (text: string | undefined): Held => JSON.parse(decodeURIComponent(String(text)));

async function identities(settings: Settings): Promise<World> {
  const iam = new IAM(settings);
  const [{ Roles = [] }, { InstanceProfiles = [] }] = await Promise.all([iam.listRoles({}), iam.listInstanceProfiles({})]);
  const Role = Roles.map(async (listed) => {
    const RoleName = String(listed.RoleName);
    const [{ Role: role }, { PolicyNames = [] }, { AttachedPolicies = [] }] = await Promise.all([
      iam.getRole({ RoleName }),
      iam.listRolePolicies({ RoleName }),
      iam.listAttachedRolePolicies({ RoleName }),
    ]);
    const documents = PolicyNames.map(async (PolicyName) => {
      const { PolicyDocument } = await iam.getRolePolicy({ RoleName, PolicyName });
      return [PolicyName, policyOf(PolicyDocument)] as const;
    });
    return {
      ...role,
      Name: RoleName,
      Tags: tagMap(role?.Tags),
      AssumeRolePolicyDocument: policyOf(role?.AssumeRolePolicyDocument),
      Policies: Object.fromEntries(await Promise.all(documents)),
      Attached: AttachedPolicies.map(({ PolicyArn }) => PolicyArn),
    };
  });
  const InstanceProfile = InstanceProfiles.map(async ({ InstanceProfileName }) => {
    const answer = await iam.getInstanceProfile({ InstanceProfileName });
    const profile = answer.InstanceProfile;
    return { ...profile, Name: InstanceProfileName, Tags: tagMap(profile?.Tags), Roles: profile?.Roles?.map(({ RoleName }) => RoleName) };
  });
  return { Role: await Promise.all(Role), InstanceProfile: await Promise.all(InstanceProfile) };
}

async function names(settings: Settings): Promise<World> {
  const [route53, acm] = [new Route53(settings), new ACM(settings)];
  const [{ HostedZones = [] }, { CertificateSummaryList = [] }] = await Promise.all([
    route53.listHostedZones({}),
    acm.listCertificates({}),
  ]);
  const zones = HostedZones.map(async (zone) => {
    const Id = String(zone.Id);
    const ResourceId = Id.replace("/hostedzone/", "");
    const [{ ResourceTagSet }, { ResourceRecordSets = [] }] = await Promise.all([
      route53.listTagsForResource({ ResourceType: "hostedzone", ResourceId }),
      route53.listResourceRecordSets({ HostedZoneId: Id }),
    ]);
    const records = ResourceRecordSets.filter(({ Type, Name }) => !(Name === zone.Name && (Type === "NS" || Type === "SOA")));
    return {
      zone: { ...zone, Id: ResourceId, Tags: tagMap(ResourceTagSet?.Tags) },
      records: records.map((record) => ({ ...record, ZoneId: ResourceId, Zone: zone.Name })),
    };
  });
  const found = await Promise.all(zones);
  const Certificate = CertificateSummaryList.map(async ({ CertificateArn }) => {
    const [{ Certificate: certificate }, { Tags }] = await Promise.all([
      acm.describeCertificate({ CertificateArn }),
      acm.listTagsForCertificate({ CertificateArn }),
    ]);
    return { ...certificate, Tags: tagMap(Tags) };
  });
  return {
    HostedZone: found.map(({ zone }) => zone),
    RecordSet: found.flatMap(({ records }) => records),
    Certificate: await Promise.all(Certificate),
  };
}

async function firewalls(settings: Settings): Promise<World> {
  const waf = new WAFV2(settings);
  const { WebACLs = [] } = await waf.listWebACLs({ Scope: "REGIONAL" });
  const found = WebACLs.map(async ({ Name, Id, ARN }) => {
    const [{ WebACL }, { TagInfoForResource }, { ResourceArns = [] }] = await Promise.all([
      waf.getWebACL({ Name, Id, Scope: "REGIONAL" }),
      waf.listTagsForResource({ ResourceARN: ARN }),
      waf.listResourcesForWebACL({ WebACLArn: ARN, ResourceType: "APPLICATION_LOAD_BALANCER" }),
    ]);
    return {
      acl: { ...WebACL, Tags: tagMap(TagInfoForResource?.TagList) },
      associations: ResourceArns.map((ResourceArn) => ({ ResourceArn, WebACLArn: ARN, WebACLName: Name })),
    };
  });
  const all = await Promise.all(found);
  return { WebACL: all.map(({ acl }) => acl), WebACLAssociation: all.flatMap(({ associations }) => associations) };
}

async function storage(settings: Settings, stateTable: string): Promise<World> {
  const [dynamodb, s3, ecr] = [new DynamoDB(settings), new S3({ ...settings, forcePathStyle: true }), new ECR(settings)];
  const [{ TableNames = [] }, { Buckets = [] }, { repositories = [] }] = await Promise.all([
    dynamodb.listTables({}),
    s3.listBuckets({}),
    ecr.describeRepositories({}),
  ]);
  const Table = TableNames.filter((name) => name !== stateTable).map(async (TableName) => {
    const [{ Table: table }, { ContinuousBackupsDescription: backups }] = await Promise.all([
      dynamodb.describeTable({ TableName }),
      dynamodb.describeContinuousBackups({ TableName }),
    ]);
    const { Tags } = await dynamodb.listTagsOfResource({ ResourceArn: table?.TableArn });
    const recovery = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    return { ...table, Tags: tagMap(Tags), PointInTimeRecovery: recovery };
  });
  const Bucket = Buckets.map(async ({ Name }) => {
    const absent = () => undefined; // S3 answers with an error where nothing is configured.
    const [tagging, versioning, encryption, access] = await Promise.all([
      s3.getBucketTagging({ Bucket: Name }).catch(absent),
      s3.getBucketVersioning({ Bucket: Name }),
      s3.getBucketEncryption({ Bucket: Name }).catch(absent),
      s3.getPublicAccessBlock({ Bucket: Name }).catch(absent),
    ]);
    return {
      Name,
      Tags: tagMap(tagging?.TagSet),
      Versioning: versioning.Status,
      Encryption: encryption?.ServerSideEncryptionConfiguration?.Rules,
      PublicAccessBlock: access?.PublicAccessBlockConfiguration,
    };
  });
  const Repository = repositories.map(async (repository) => {
    const { tags } = await ecr.listTagsForResource({ resourceArn: repository.repositoryArn });
    return { ...repository, Tags: tagMap(tags) };
  });
  return { Table: await Promise.all(Table), Bucket: await Promise.all(Bucket), Repository: await Promise.all(Repository) };
}

async function watching(settings: Settings): Promise<World> {
  const [cloudwatch, logs] = [new CloudWatch(settings), new CloudWatchLogs(settings)];
  const [{ MetricAlarms = [] }, { DashboardEntries = [] }, { logGroups = [] }] = await Promise.all([
    cloudwatch.describeAlarms({}),
    cloudwatch.listDashboards({}),
    logs.describeLogGroups({}),
  ]);
  const Alarm = MetricAlarms.map(async (alarm) => {
    const { Tags } = await cloudwatch.listTagsForResource({ ResourceARN: alarm.AlarmArn });
    return { ...alarm, Tags: tagMap(Tags) };
  });
  const Dashboard = DashboardEntries.map(async ({ DashboardName }) => {
    const { DashboardBody } = await cloudwatch.getDashboard({ DashboardName });
    return { DashboardName, Name: DashboardName, Body: JSON.parse(String(DashboardBody)) };
  });
  const LogGroup = logGroups.map(async (group) => {
    const { tags } = await logs.listTagsForResource({ resourceArn: String(group.arn).replace(/:\*$/, "") });
    return { ...group, Tags: tagMap(Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))) };
  });
  return { Alarm: await Promise.all(Alarm), Dashboard: await Promise.all(Dashboard), LogGroup: await Promise.all(LogGroup) };
}
