/**
 * What the Terraform project brought about, attribute by attribute, in AWS's own words: written from the seed's text
 * (main.tf, variables.tf, prod.tfvars and the modules), never from BEACON's manifests or code.
 *
 * Where docs/parity.md says that the seed is wrong, what is right stands here, with a comment.
 */

import type { Held, World } from "../support/world.ts";

/** The values that a tfvars file gives. */
export type Variables = {
  readonly environment: string;
  readonly region: string;
  readonly rootDomain: string;
  readonly frontendDomain: string;
  readonly backendDomain: string;
  readonly corporateIpBlocks: readonly string[];
  readonly frontend: Sizes;
  readonly backend: Sizes;
  readonly logRetentionDays: number;
  readonly repositoryPrefix: string;
};

type Sizes = { readonly type: string; readonly min: number; readonly max: number; readonly desired: number };

/** One object that must be there: how it is told apart, and what must be true of it. */
export type Expected = { readonly kind: string; readonly what: string; readonly find: (object: Held) => boolean; readonly holds: Held };

const OPEN = "0.0.0.0/0";
const ACCOUNT = "123456789012";

/** environments/prod.tfvars */
export const PROD: Variables = {
  environment: "prod",
  region: "ap-northeast-2",
  rootDomain: "beacon.sk-shieldus.com",
  frontendDomain: "beacon.sk-shieldus.com",
  backendDomain: "api.beacon.sk-shieldus.com",
  corporateIpBlocks: ["203.0.113.0/24", "198.51.100.0/24"],
  frontend: { type: "t3.medium", min: 2, max: 10, desired: 3 },
  backend: { type: "t3.large", min: 2, max: 20, desired: 4 },
  logRetentionDays: 30,
  repositoryPrefix: "",
};

/** variables.tf's defaults, in the sizes that docs/parity.md says of dev. */
export const DEV: Variables = {
  environment: "dev",
  region: "ap-northeast-2",
  rootDomain: "beacon.example.com",
  frontendDomain: "beacon.example.com",
  backendDomain: "api.beacon.example.com",
  corporateIpBlocks: [OPEN],
  frontend: { type: "t3.small", min: 1, max: 2, desired: 1 },
  backend: { type: "t3.small", min: 1, max: 2, desired: 1 },
  logRetentionDays: 7,
  repositoryPrefix: "dev-",
};

/** variables.tf: dynamodb_tables */
const TABLES: Readonly<Record<string, { hash: string; range?: string; attributes: Record<string, "S" | "N">; index?: Held }>> = {
  vectors: {
    hash: "document_id",
    range: "chunk_id",
    attributes: { document_id: "S", chunk_id: "S", category_id: "N" },
    index: {
      IndexName: "CategoryIndex",
      KeySchema: [{ AttributeName: "category_id", KeyType: "HASH" }],
      Projection: { ProjectionType: "ALL" },
    },
  },
  sessions: { hash: "session_id", attributes: { session_id: "S" } },
  usage: { hash: "user_id", range: "timestamp", attributes: { user_id: "S", timestamp: "S" } },
};

/** Everything, for these values, in a world that is looked up for the ids that objects refer to each other by. */
export function seedOf(variables: Variables, world: World): readonly Expected[] {
  const look = new Lookup(variables, world);
  return [
    ...network(look),
    ...names(look),
    ...service(look, "backend", { port: 5000, path: "/api/health", sizes: variables.backend, domain: variables.backendDomain }),
    ...service(look, "frontend", { port: 80, path: "/health", sizes: variables.frontend, domain: variables.frontendDomain }),
    ...tables(look),
    ...security(look),
    ...registries(look),
    dashboard(look),
  ];
}

/** Finds what the others refer to. */
class Lookup {
  readonly variables: Variables;
  readonly #world: World;

  constructor(variables: Variables, world: World) {
    this.variables = variables;
    this.#world = world;
  }

  /** `beacon-prod`. */
  get prefix(): string {
    return `beacon-${this.variables.environment}`;
  }

  /** provider "aws" default_tags; ManagedBy is beacon. */
  tags(own: Record<string, string>): Record<string, string> {
    return { Project: "beacon", Environment: this.variables.environment, ManagedBy: "beacon", Owner: "beacon-team", ...own };
  }

  named(kind: string, name: string): Held {
    return (this.#world[kind] ?? []).find((object) => isNamed(object, name)) ?? {};
  }

  all(kind: string): readonly Held[] {
    return this.#world[kind] ?? [];
  }

  get vpc(): string {
    return this.named("VPC", `${this.prefix}-vpc`).VpcId;
  }

  subnets(type: "public" | "private"): readonly string[] {
    return [1, 2].map((number) => this.named("Subnet", `${this.prefix}-${type}-${number}`).SubnetId);
  }
}

function isNamed(object: Held, name: string): boolean {
  return object.Tags?.Name === name || object.Name === name;
}

/** An object by its Name tag, or its name. */
function named(kind: string, name: string, holds: Held): Expected {
  return { kind, what: `${kind} ${name}`, find: (object) => isNamed(object, name), holds };
}

function network(look: Lookup): Expected[] {
  const { prefix, vpc } = look;
  const tags = (Name: string, more = {}) => ({ Tags: look.tags({ Name, ...more }) });
  const [publicSubnets, privateSubnets] = [look.subnets("public"), look.subnets("private")];
  const zone = (number: number) => `${look.variables.region}${"ab"[number - 1]}`;
  const gateway = look.named("InternetGateway", `${prefix}-igw`).InternetGatewayId;
  const nat = look.named("NatGateway", `${prefix}-nat`).NatGatewayId;
  const subnet = (type: "public" | "private", number: number, third: number, mapped: boolean) =>
    named("Subnet", `${prefix}-${type}-${number}`, {
      VpcId: vpc,
      CidrBlock: `10.0.${third}.0/24`,
      AvailabilityZone: zone(number),
      MapPublicIpOnLaunch: mapped,
      ...tags(`${prefix}-${type}-${number}`, { Type: type === "public" ? "Public" : "Private" }),
    });
  const table = (type: "public" | "private", target: object, subnets: readonly string[]) =>
    named("RouteTable", `${prefix}-${type}-rt`, {
      VpcId: vpc,
      Routes: { $contains: [{ DestinationCidrBlock: OPEN, ...target, State: "active" }] },
      Associations: { $members: subnets.map((SubnetId) => ({ SubnetId })) },
      ...tags(`${prefix}-${type}-rt`),
    });
  return [
    named("VPC", `${prefix}-vpc`, {
      CidrBlock: "10.0.0.0/16",
      EnableDnsHostnames: true,
      EnableDnsSupport: true,
      ...tags(`${prefix}-vpc`),
    }),
    named("InternetGateway", `${prefix}-igw`, { Attachments: { $members: [{ VpcId: vpc }] }, ...tags(`${prefix}-igw`) }),
    subnet("public", 1, 1, true),
    subnet("public", 2, 2, true),
    subnet("private", 1, 10, false),
    subnet("private", 2, 11, false),
    named("EIP", `${prefix}-nat-eip`, { Domain: "vpc", ...tags(`${prefix}-nat-eip`) }),
    named("NatGateway", `${prefix}-nat`, {
      SubnetId: publicSubnets[0],
      State: "available",
      NatGatewayAddresses: { $members: [{ AllocationId: look.named("EIP", `${prefix}-nat-eip`).AllocationId }] },
      ...tags(`${prefix}-nat`),
    }),
    table("public", { GatewayId: gateway }, publicSubnets),
    table("private", { NatGatewayId: nat }, privateSubnets),
    named("KeyPair", `${prefix}-key`, { KeyName: `${prefix}-key`, ...tags(`${prefix}-key`) }),
    balancerGroup(look, `${prefix}-alb-sg`),
  ];
}

const rule = (port: number, cidrs: readonly string[], description: string) => ({
  IpProtocol: "tcp",
  FromPort: port,
  ToPort: port,
  IpRanges: { $members: cidrs.map((CidrIp) => ({ CidrIp, Description: description })) },
});

const ALL_OUT = { $members: [{ IpProtocol: "-1", IpRanges: { $members: [{ CidrIp: OPEN }] } }] };

function balancerGroup(look: Lookup, name: string): Expected {
  return named("SecurityGroup", name, {
    VpcId: look.vpc,
    IpPermissions: { $members: [rule(80, [OPEN], "HTTP"), rule(443, [OPEN], "HTTPS")] },
    IpPermissionsEgress: ALL_OUT,
    Tags: look.tags({ Name: name }),
  });
}

function names(look: Lookup): Expected[] {
  const { prefix, variables } = look;
  const { rootDomain } = variables;
  const zone = look.named("HostedZone", `${prefix}-zone`);
  const certificate = look.named("Certificate", `${prefix}-cert`);
  const validations: readonly Held[] = certificate.DomainValidationOptions ?? [];
  const records = new Map(validations.map(({ ResourceRecord }) => [ResourceRecord?.Name, ResourceRecord]));
  return [
    named("HostedZone", `${prefix}-zone`, { Name: `${rootDomain}.`, Tags: look.tags({ Name: `${prefix}-zone` }) }),
    named("Certificate", `${prefix}-cert`, {
      DomainName: rootDomain,
      SubjectAlternativeNames: { $contains: [`*.${rootDomain}`] },
      Status: "ISSUED",
      Type: "AMAZON_ISSUED",
      Tags: look.tags({ Name: `${prefix}-cert` }),
    }),
    ...[...records].map(([name, record]) => ({
      kind: "RecordSet",
      what: `validation record ${name}`,
      find: (object: Held) => object.Name === name && object.ZoneId === zone.Id,
      holds: { Type: record?.Type, TTL: 60, ResourceRecords: [{ Value: record?.Value }] },
    })),
  ];
}

type Service = { readonly port: number; readonly path: string; readonly sizes: Sizes; readonly domain: string };

function service(look: Lookup, name: string, of: Service): Expected[] {
  return [...access(look, name, of), ...balancing(look, name, of), ...scaling(look, name, of)];
}

function access(look: Lookup, name: string, { port }: Service): Expected[] {
  const { prefix, variables } = look;
  const own = `${prefix}-${name}`;
  const balancers = look.named("SecurityGroup", `${own}-alb-sg`).GroupId;
  return [
    named("SecurityGroup", `${own}-sg`, {
      VpcId: look.vpc,
      IpPermissions: {
        $members: [
          {
            IpProtocol: "tcp",
            FromPort: port,
            ToPort: port,
            UserIdGroupPairs: { $members: [{ GroupId: balancers, Description: "HTTP from ALB" }] },
          },
          rule(22, variables.corporateIpBlocks, "SSH"),
        ],
      },
      IpPermissionsEgress: ALL_OUT,
      Tags: look.tags({ Name: `${own}-sg` }),
    }),
    balancerGroup(look, `${own}-alb-sg`),
    named("Role", `${own}-instance-role`, {
      AssumeRolePolicyDocument: trust("ec2.amazonaws.com"),
      Policies: { [`${own}-instance-policy`]: { Version: "2012-10-17", Statement: statements(look, name) } },
      Tags: look.tags({}),
    }),
    named("InstanceProfile", `${own}-instance-profile`, { Roles: [`${own}-instance-role`], Tags: look.tags({}) }),
  ];
}

const trust = (Service: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
});

function statements(look: Lookup, name: string): Held {
  const { environment, region } = look.variables;
  const arns = Object.keys(TABLES).map((table) => `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${environment}-beacon-${table}`);
  const data = [
    {
      Effect: "Allow",
      Action: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:ListFoundationModels"],
      Resource: "*",
    },
    {
      Effect: "Allow",
      Action: {
        $members: ["GetItem", "PutItem", "Query", "Scan", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem"].map(
          (action) => `dynamodb:${action}`,
        ),
      },
      Resource: { $members: arns },
    },
    { Effect: "Allow", Action: ["dynamodb:Query"], Resource: { $members: arns.map((arn) => `${arn}/index/*`) } },
  ];
  const everywhere = [
    {
      Effect: "Allow",
      Action: {
        $members: ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
      },
      Resource: "*",
    },
    {
      Effect: "Allow",
      Action: { $members: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"] },
      Resource: `arn:aws:logs:${region}:*:*`,
    },
  ];
  return { $members: name === "backend" ? [...data, ...everywhere] : everywhere };
}

function balancing(look: Lookup, name: string, { port, path, domain }: Service): Expected[] {
  const own = `${look.prefix}-${name}`;
  const balancer = look.named("LoadBalancer", `${own}-alb`);
  const group = look.named("TargetGroup", `${own}-tg`);
  const listener = (listens: number, holds: object): Expected => ({
    kind: "Listener",
    what: `listener ${listens} of ${own}-alb`,
    find: (object) => object.LoadBalancerArn === balancer.LoadBalancerArn && object.Port === listens,
    holds,
  });
  return [
    named("LoadBalancer", `${own}-alb`, {
      Scheme: "internet-facing",
      Type: "application",
      State: { Code: "active" },
      VpcId: look.vpc,
      SecurityGroups: [look.named("SecurityGroup", `${own}-alb-sg`).GroupId],
      AvailabilityZones: { $members: look.subnets("public").map((SubnetId) => ({ SubnetId })) },
      Attributes: { "deletion_protection.enabled": "false" },
      Tags: look.tags({ Name: `${own}-alb` }),
    }),
    named("TargetGroup", `${own}-tg`, {
      Port: port,
      Protocol: "HTTP",
      VpcId: look.vpc,
      HealthCheckEnabled: true,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthCheckPath: path,
      HealthCheckPort: "traffic-port",
      HealthCheckProtocol: "HTTP",
      Matcher: { HttpCode: "200" },
      Tags: look.tags({ Name: `${own}-tg` }),
    }),
    listener(443, {
      Protocol: "HTTPS",
      SslPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01",
      Certificates: { $members: [{ CertificateArn: look.named("Certificate", `${look.prefix}-cert`).CertificateArn }] },
      DefaultActions: [{ Type: "forward", TargetGroupArn: group.TargetGroupArn }],
    }),
    listener(80, {
      Protocol: "HTTP",
      DefaultActions: [{ Type: "redirect", RedirectConfig: { Port: "443", Protocol: "HTTPS", StatusCode: "HTTP_301" } }],
    }),
    {
      kind: "RecordSet",
      what: `record ${domain}`,
      find: (object) =>
        object.Name === `${domain}.` && object.Type === "A" && object.ZoneId === look.named("HostedZone", `${look.prefix}-zone`).Id,
      holds: {
        AliasTarget: {
          DNSName: { $matches: new RegExp(`^(dualstack\\.)?${balancer.DNSName}\\.?$`) },
          HostedZoneId: balancer.CanonicalHostedZoneId,
          EvaluateTargetHealth: true,
        },
      },
    },
  ];
}

function scaling(look: Lookup, name: string, { sizes }: Service): Expected[] {
  const own = `${look.prefix}-${name}`;
  const template = look.all("LaunchTemplate").find(({ LaunchTemplateName }) => LaunchTemplateName.startsWith(own)) ?? {};
  const policy = (direction: string) => policyOf(look, `${own}-scale-${direction}`).PolicyARN;
  const alarm = (level: "high" | "low", holds: object): Expected => ({
    kind: "Alarm",
    what: `alarm ${own}-${level}-cpu`,
    find: ({ AlarmName }) => AlarmName === `${own}-${level}-cpu`,
    holds: {
      EvaluationPeriods: 2,
      MetricName: "CPUUtilization",
      Namespace: "AWS/EC2",
      Period: 120,
      Statistic: "Average",
      AlarmDescription: `This metric monitors ${name} CPU utilization`,
      Dimensions: [{ Name: "AutoScalingGroupName", Value: `${own}-asg` }],
      ...holds,
    },
  });
  const scalingPolicy = (direction: "up" | "down", ScalingAdjustment: number): Expected => ({
    kind: "ScalingPolicy",
    what: `scaling policy ${own}-scale-${direction}`,
    find: ({ PolicyName }) => PolicyName === `${own}-scale-${direction}`,
    holds: { AutoScalingGroupName: `${own}-asg`, ScalingAdjustment, AdjustmentType: "ChangeInCapacity", Cooldown: 300 },
  });
  return [
    {
      kind: "LaunchTemplate",
      what: `launch template ${own}-…`,
      find: ({ LaunchTemplateName }) => LaunchTemplateName.startsWith(own),
      holds: {
        Data: {
          InstanceType: sizes.type,
          KeyName: `${look.prefix}-key`,
          SecurityGroupIds: [look.named("SecurityGroup", `${own}-sg`).GroupId],
          IamInstanceProfile: { Name: `${own}-instance-profile` },
          TagSpecifications: { $contains: [{ ResourceType: "instance", Tags: { $contains: [{ Key: "Name", Value: own }] } }] },
        },
      },
    },
    {
      kind: "AutoScalingGroup",
      what: `auto scaling group ${own}-asg`,
      find: ({ AutoScalingGroupName }) => AutoScalingGroupName === `${own}-asg`,
      holds: {
        MinSize: sizes.min,
        MaxSize: sizes.max,
        DesiredCapacity: sizes.desired,
        VPCZoneIdentifier: { $commas: look.subnets("private") },
        TargetGroupARNs: [look.named("TargetGroup", `${own}-tg`).TargetGroupArn],
        HealthCheckType: "ELB",
        HealthCheckGracePeriod: 300,
        LaunchTemplate: { LaunchTemplateId: template.LaunchTemplateId, Version: "$Latest" },
        Tags: { Name: own, Environment: look.variables.environment },
        Propagated: { $contains: ["Name", "Environment"] },
      },
    },
    scalingPolicy("up", 1),
    scalingPolicy("down", -1),
    alarm("high", { ComparisonOperator: "GreaterThanThreshold", Threshold: 70, AlarmActions: [policy("up")] }),
    alarm("low", { ComparisonOperator: "LessThanThreshold", Threshold: 20, AlarmActions: [policy("down")] }),
  ];
}

function policyOf(look: Lookup, name: string): Held {
  return look.all("ScalingPolicy").find(({ PolicyName }) => PolicyName === name) ?? {};
}

function tables(look: Lookup): Expected[] {
  const { environment, logRetentionDays } = look.variables;
  return Object.entries(TABLES).flatMap(([name, { hash, range, attributes, index }]) => {
    const keys = [{ AttributeName: hash, KeyType: "HASH" }, ...(range ? [{ AttributeName: range, KeyType: "RANGE" }] : [])];
    const table = (suffix: string, holds: object): Expected => ({
      kind: "Table",
      what: `table ${environment}-beacon-${name}${suffix}`,
      find: ({ TableName }) => TableName === `${environment}-beacon-${name}${suffix}`,
      holds: { KeySchema: keys, BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" }, PointInTimeRecovery: "ENABLED", ...holds },
    });
    const definitions = (names: readonly string[]) => ({
      AttributeDefinitions: { $members: names.map((AttributeName) => ({ AttributeName, AttributeType: attributes[AttributeName] })) },
    });
    return [
      table("", {
        ...definitions(Object.keys(attributes)),
        SSEDescription: { Status: "ENABLED" },
        ...(index ? { GlobalSecondaryIndexes: { $members: [index] } } : {}),
        Tags: look.tags({ Name: `${environment}-beacon-${name}` }),
      }),
      // The seed's backup tables declare no attributes, which AWS refuses: those of their keys are right.
      table("-backup", {
        ...definitions([hash, ...(range ? [range] : [])]),
        Tags: look.tags({ Name: `${environment}-beacon-${name}-backup`, Type: "Backup" }),
      }),
      {
        kind: "LogGroup",
        what: `log group of ${name}`,
        find: ({ logGroupName }) => logGroupName === `/aws/dynamodb/beacon/${environment}/${name}`,
        holds: { retentionInDays: logRetentionDays, Tags: look.tags({ Name: `beacon-${environment}-dynamodb-${name}-logs` }) },
      },
    ];
  });
}

function security(look: Lookup): Expected[] {
  const { prefix } = look;
  const visibility = (MetricName: string) => ({ CloudWatchMetricsEnabled: true, MetricName, SampledRequestsEnabled: true });
  const groups = look
    .all("LogGroup")
    .filter(({ logGroupName }) => /flow/i.test(logGroupName) && logGroupName.includes(look.variables.environment));
  const bucket = `${prefix}-backups`;
  return [
    named("WebACL", `${prefix}-waf`, {
      Name: `${prefix}-waf`,
      DefaultAction: { Allow: {} },
      Rules: {
        $members: [
          {
            Name: "RateLimitRule",
            Priority: 1,
            Action: { Block: {} },
            Statement: { RateBasedStatement: { Limit: 1000, AggregateKeyType: "IP" } },
            VisibilityConfig: visibility(`${prefix}-rate-limit`),
          },
          {
            Name: "AWSManagedRulesCommonRuleSet",
            Priority: 10,
            OverrideAction: { None: {} },
            Statement: { ManagedRuleGroupStatement: { Name: "AWSManagedRulesCommonRuleSet", VendorName: "AWS" } },
            VisibilityConfig: visibility(`${prefix}-common-rules`),
          },
        ],
      },
      Tags: look.tags({ Name: `${prefix}-waf` }),
    }),
    {
      kind: "WebACLAssociation",
      what: "the backend's load balancer behind the web ACL",
      find: ({ ResourceArn }) => ResourceArn === look.named("LoadBalancer", `${prefix}-backend-alb`).LoadBalancerArn,
      holds: { WebACLName: `${prefix}-waf` },
    },
    {
      kind: "FlowLog",
      what: "flow log of the VPC",
      find: ({ ResourceId }) => ResourceId === look.vpc,
      holds: {
        TrafficType: "ALL",
        LogGroupName: groups[0]?.logGroupName,
        // The seed names a role that it never defines.
        DeliverLogsPermissionArn: { $matches: new RegExp(`:role/${prefix}-`) },
      },
    },
    {
      kind: "Bucket",
      what: `bucket ${bucket}`,
      find: ({ Name }) => Name === bucket,
      holds: {
        Versioning: "Enabled",
        Encryption: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
        Tags: look.tags({ Name: bucket }),
      },
    },
  ];
}

function registries(look: Lookup): Expected[] {
  return ["backend", "frontend"].map((name) => ({
    kind: "Repository",
    what: `repository ${name}`,
    find: ({ repositoryName }: Held) => repositoryName === `${look.variables.repositoryPrefix}beacon-${name}`,
    holds: {},
  }));
}

function dashboard(look: Lookup): Expected {
  const { region, environment } = look.variables;
  const balancer = look.named("LoadBalancer", `${look.prefix}-backend-alb`);
  // The seed names the load balancer where CloudWatch wants `app/NAME/ID`.
  const full = String(balancer.LoadBalancerArn).replace(/^.*:loadbalancer\//, "");
  const widget = (title: string, namespace: string, metrics: readonly string[], dimension: readonly [string, string]) => ({
    type: "metric",
    properties: {
      metrics: metrics.map((metric) => [namespace, metric, ...dimension]),
      view: "timeSeries",
      stacked: false,
      region,
      title,
      period: 300,
    },
  });
  return {
    kind: "Dashboard",
    what: "dashboard",
    find: ({ DashboardName }) => String(DashboardName).startsWith(look.prefix),
    holds: {
      Body: {
        widgets: {
          $contains: [
            widget(
              "Backend Application Load Balancer",
              "AWS/ApplicationELB",
              ["TargetResponseTime", "RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_5XX_Count"],
              ["LoadBalancer", full],
            ),
            widget(
              "Backend EC2 Metrics",
              "AWS/EC2",
              ["CPUUtilization", "NetworkIn", "NetworkOut"],
              ["AutoScalingGroupName", `${look.prefix}-backend-asg`],
            ),
            widget(
              "DynamoDB Vectors Table",
              "AWS/DynamoDB",
              ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "UserErrors", "SystemErrors"],
              ["TableName", `${environment}-beacon-vectors`],
            ),
          ],
        },
      },
    },
  };
}
