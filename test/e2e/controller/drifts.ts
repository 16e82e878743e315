/**
 * What outside hands do to the shop, one row each: by which call, and how the controller is to see it.
 *
 * Ids are looked up when a row begins, as an object that was made anew has another.
 */

import assert from "node:assert/strict";
import type { Json } from "../../../src/core/json.ts";
import type { Hands } from "./hands.ts";

/** A place to do it: the hands, and ids by resource key. */
export type Place = { readonly hands: Hands; readonly id: (key: string) => Promise<string> };

/** One outside change. */
export type Outside = {
  readonly what: string;
  /** The resource that drifts by it. */
  readonly key: string;
  /** The field that differs; empty where the object is gone. */
  readonly path: string;
  /** What it was, and what AWS has instead, where a single value can say so. */
  readonly from?: Json;
  readonly to?: Json;
  /** The call that is to be blamed for it. */
  readonly action: string;
  readonly change: (place: Place) => Promise<unknown>;
};

const ANYWHERE = "0.0.0.0/0";

/** The group's document as it is, for calls that replace the whole. */
async function lookedAt<T>(answer: Promise<{ readonly [name: string]: unknown }>, list: string): Promise<T> {
  const objects = (await answer)[list] as readonly T[] | undefined;
  return objects?.[0] ?? assert.fail(`no ${list}`);
}

/** Fields of objects that stay: corrected in place. */
export const CHANGED: readonly Outside[] = [
  {
    what: "a scalar is changed",
    key: "LogGroup/app",
    path: "retentionInDays",
    from: 14,
    to: 3,
    action: "logs:PutRetentionPolicy",
    change: ({ hands }) => hands.logs.putRetentionPolicy({ logGroupName: "/shop/live/app", retentionInDays: 3 }),
  },
  {
    what: "a scalar is removed",
    key: "LogGroup/flows",
    path: "retentionInDays",
    from: 7,
    action: "logs:DeleteRetentionPolicy",
    change: ({ hands }) => hands.logs.deleteRetentionPolicy({ logGroupName: "/shop/live/flows" }),
  },
  {
    what: "a nested field is changed",
    key: "LoadBalancer/web",
    path: "attributes.idleTimeout.timeoutSeconds",
    from: 60,
    to: 3600,
    action: "elasticloadbalancing:ModifyLoadBalancerAttributes",
    change: async ({ hands, id }) =>
      hands.elb.modifyLoadBalancerAttributes({
        LoadBalancerArn: await id("LoadBalancer/web"),
        Attributes: [{ Key: "idle_timeout.timeout_seconds", Value: "3600" }],
      }),
  },
  {
    what: "a switch is turned off",
    key: "VPC/main",
    path: "enableDnsHostnames",
    from: true,
    to: false,
    action: "ec2:ModifyVpcAttribute",
    change: async ({ hands, id }) => hands.ec2.modifyVpcAttribute({ VpcId: await id("VPC/main"), EnableDnsHostnames: { Value: false } }),
  },
  {
    what: "a private subnet is made public",
    key: "Subnet/private",
    path: "mapPublicIpOnLaunch",
    from: false,
    to: true,
    action: "ec2:ModifySubnetAttribute",
    change: async ({ hands, id }) =>
      hands.ec2.modifySubnetAttribute({ SubnetId: await id("Subnet/private"), MapPublicIpOnLaunch: { Value: true } }),
  },
  {
    what: "a rule is added to a security group",
    key: "SecurityGroup/back",
    path: "ingress",
    action: "ec2:AuthorizeSecurityGroupIngress",
    change: async ({ hands, id }) =>
      hands.ec2.authorizeSecurityGroupIngress({
        GroupId: await id("SecurityGroup/back"),
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: ANYWHERE }] }],
      }),
  },
  {
    what: "a rule is removed from a security group",
    key: "SecurityGroup/back",
    path: "egress",
    to: [],
    action: "ec2:RevokeSecurityGroupEgress",
    change: async ({ hands, id }) =>
      hands.ec2.revokeSecurityGroupEgress({
        GroupId: await id("SecurityGroup/back"),
        IpPermissions: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: ANYWHERE }] }],
      }),
  },
  {
    what: "a rule's description is changed",
    key: "SecurityGroup/front",
    path: "ingress",
    action: "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    change: async ({ hands, id }) =>
      hands.ec2.updateSecurityGroupRuleDescriptionsIngress({
        GroupId: await id("SecurityGroup/front"),
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: ANYWHERE, Description: "temporary" }] }],
      }),
  },
  {
    what: "a tag is changed",
    key: "NatGateway/main",
    path: "tags.Team",
    from: "platform",
    to: "sales",
    action: "ec2:CreateTags",
    change: async ({ hands, id }) =>
      hands.ec2.createTags({ Resources: [await id("NatGateway/main")], Tags: [{ Key: "Team", Value: "sales" }] }),
  },
  {
    what: "a tag is removed",
    key: "TargetGroup/web",
    path: "tags.Team",
    from: "platform",
    action: "elasticloadbalancing:RemoveTags",
    change: async ({ hands, id }) => hands.elb.removeTags({ ResourceArns: [await id("TargetGroup/web")], TagKeys: ["Team"] }),
  },
  {
    what: "an ownership tag is removed",
    key: "EIP/nat",
    path: "tags.beacon:uid",
    action: "ec2:DeleteTags",
    change: async ({ hands, id }) => hands.ec2.deleteTags({ Resources: [await id("EIP/nat")], Tags: [{ Key: "beacon:uid" }] }),
  },
  {
    what: "a route is deleted",
    key: "RouteTable/public",
    path: "routes",
    to: [],
    action: "ec2:DeleteRoute",
    change: async ({ hands, id }) => hands.ec2.deleteRoute({ RouteTableId: await id("RouteTable/public"), DestinationCidrBlock: ANYWHERE }),
  },
  {
    what: "the route through the NAT gateway is replaced",
    key: "RouteTable/private",
    path: "routes",
    action: "ec2:ReplaceRoute",
    change: async ({ hands, id }) =>
      hands.ec2.replaceRoute({
        RouteTableId: await id("RouteTable/private"),
        DestinationCidrBlock: ANYWHERE,
        GatewayId: await id("InternetGateway/main"),
      }),
  },
  {
    what: "a subnet is taken from its route table",
    key: "RouteTable/private",
    path: "subnetIds",
    to: [],
    action: "ec2:DisassociateRouteTable",
    change: async ({ hands, id }) => {
      const answer = hands.ec2.describeRouteTables({ RouteTableIds: [await id("RouteTable/private")] });
      const table = await lookedAt<{ Associations: readonly { RouteTableAssociationId: string; SubnetId?: string }[] }>(
        answer as never,
        "RouteTables",
      );
      const held = table.Associations.find(({ SubnetId }) => SubnetId !== undefined);
      return hands.ec2.disassociateRouteTable({ AssociationId: held?.RouteTableAssociationId });
    },
  },
  {
    what: "an internet gateway is attached to another network",
    key: "InternetGateway/spare",
    path: "vpcId",
    action: "ec2:AttachInternetGateway",
    change: async ({ hands, id }) => {
      const InternetGatewayId = await id("InternetGateway/spare");
      const { Vpcs = [] } = await hands.ec2.describeVpcs({ Filters: [{ Name: "tag:Name", Values: ["neighbours"] }] });
      await hands.ec2.detachInternetGateway({ InternetGatewayId, VpcId: await id("VPC/spare") });
      return hands.ec2.attachInternetGateway({ InternetGatewayId, VpcId: Vpcs[0]?.VpcId });
    },
  },
  {
    what: "a listener's default action is changed",
    key: "Listener/web",
    path: "defaultActions",
    action: "elasticloadbalancing:ModifyListener",
    change: async ({ hands, id }) =>
      hands.elb.modifyListener({
        ListenerArn: await id("Listener/web"),
        DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "503" } }],
      }),
  },
  {
    what: "a health check is changed",
    key: "TargetGroup/web",
    path: "healthCheckPath",
    from: "/health",
    to: "/",
    action: "elasticloadbalancing:ModifyTargetGroup",
    change: async ({ hands, id }) => hands.elb.modifyTargetGroup({ TargetGroupArn: await id("TargetGroup/web"), HealthCheckPath: "/" }),
  },
  {
    what: "the default version of a launch template is moved",
    key: "LaunchTemplate/web",
    path: "launchTemplateData",
    action: "ec2:ModifyLaunchTemplate",
    change: async ({ hands, id }) => {
      const LaunchTemplateId = await id("LaunchTemplate/web");
      const { LaunchTemplateVersion: version } = await hands.ec2.createLaunchTemplateVersion({
        LaunchTemplateId,
        SourceVersion: "1",
        LaunchTemplateData: { InstanceType: "m5.24xlarge" },
      });
      return hands.ec2.modifyLaunchTemplate({ LaunchTemplateId, DefaultVersion: String(version?.VersionNumber) });
    },
  },
  {
    what: "a group may grow larger",
    key: "AutoScalingGroup/web",
    path: "maxSize",
    from: 3,
    to: 30,
    action: "autoscaling:UpdateAutoScalingGroup",
    change: async ({ hands, id }) =>
      hands.autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: await id("AutoScalingGroup/web"), MaxSize: 30 }),
  },
  {
    what: "a role's own policy is changed",
    key: "Role/web",
    path: "policies",
    action: "iam:PutRolePolicy",
    change: async ({ hands, id }) =>
      hands.iam.putRolePolicy({
        RoleName: await id("Role/web"),
        PolicyName: "read",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } }),
      }),
  },
  {
    what: "a managed policy is attached to a role",
    key: "Role/web",
    path: "managedPolicyArns",
    action: "iam:AttachRolePolicy",
    change: async ({ hands, id }) =>
      hands.iam.attachRolePolicy({ RoleName: await id("Role/web"), PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }),
  },
  {
    what: "a bucket is opened to the public",
    key: "Bucket/uploads",
    path: "publicAccessBlockConfiguration.blockPublicPolicy",
    from: true,
    to: false,
    action: "s3:DeletePublicAccessBlock",
    change: ({ hands }) => hands.s3.deletePublicAccessBlock({ Bucket: "shop-live-uploads" }),
  },
  {
    what: "a bucket's versions are suspended",
    key: "Bucket/uploads",
    path: "versioningConfiguration.status",
    from: "Enabled",
    to: "Suspended",
    action: "s3:PutBucketVersioning",
    change: ({ hands }) => hands.s3.putBucketVersioning({ Bucket: "shop-live-uploads", VersioningConfiguration: { Status: "Suspended" } }),
  },
  {
    what: "a table's items do not expire any more",
    key: "Table/orders",
    path: "timeToLiveSpecification.enabled",
    from: true,
    to: false,
    action: "dynamodb:UpdateTimeToLive",
    change: async ({ hands, id }) =>
      hands.dynamodb.updateTimeToLive({
        TableName: await id("Table/orders"),
        TimeToLiveSpecification: { Enabled: false, AttributeName: "expiresAt" },
      }),
  },
  {
    what: "a table is not backed up any more",
    key: "Table/orders",
    path: "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled",
    from: true,
    to: false,
    action: "dynamodb:UpdateContinuousBackups",
    change: async ({ hands, id }) =>
      hands.dynamodb.updateContinuousBackups({
        TableName: await id("Table/orders"),
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      }),
  },
  {
    what: "a web ACL's rule is changed",
    key: "WebACL/main",
    path: "rules",
    action: "wafv2:UpdateWebACL",
    change: async ({ hands }) => {
      const { WebACLs = [] } = await hands.waf.listWebACLs({ Scope: "REGIONAL" });
      const found = WebACLs.find(({ Name }) => Name?.startsWith("shop-"));
      const { WebACL, LockToken } = await hands.waf.getWebACL({ Name: found?.Name, Id: found?.Id, Scope: "REGIONAL" });
      const { Name, Id, DefaultAction, VisibilityConfig, Rules = [] } = WebACL ?? assert.fail("no web ACL");
      const counting = Rules.map((rule) => ({ ...rule, Action: { Count: {} } }));
      return hands.waf.updateWebACL({ Scope: "REGIONAL", Name, Id, DefaultAction, VisibilityConfig, LockToken, Rules: counting });
    },
  },
  {
    what: "a record set points elsewhere",
    key: "RecordSet/www",
    path: "aliasTarget",
    action: "route53:ChangeResourceRecordSets",
    change: async ({ hands, id }) => {
      const HostedZoneId = await id("HostedZone/main");
      const { ResourceRecordSets = [] } = await hands.route53.listResourceRecordSets({ HostedZoneId });
      const www = ResourceRecordSets.find(({ Name }) => Name === "www.shop.example.com.");
      const AliasTarget = { ...(www?.AliasTarget ?? assert.fail("no alias")), EvaluateTargetHealth: false };
      return hands.route53.changeResourceRecordSets({
        HostedZoneId,
        ChangeBatch: { Changes: [{ Action: "UPSERT", ResourceRecordSet: { Name: www?.Name, Type: "A", AliasTarget } }] },
      });
    },
  },
  {
    what: "a hosted zone's comment is changed",
    key: "HostedZone/main",
    path: "comment",
    from: "The shop's names",
    to: "to be deleted",
    action: "route53:UpdateHostedZoneComment",
    change: async ({ hands, id }) => hands.route53.updateHostedZoneComment({ Id: await id("HostedZone/main"), Comment: "to be deleted" }),
  },
  {
    what: "an alarm is made deaf",
    key: "Alarm/idle",
    path: "threshold",
    from: 20,
    to: 0,
    action: "cloudwatch:PutMetricAlarm",
    change: async ({ hands, id }) => {
      const answer = hands.cloudwatch.describeAlarms({ AlarmNames: [await id("Alarm/idle")] });
      const alarm = await lookedAt<Parameters<Hands["cloudwatch"]["putMetricAlarm"]>[0]>(answer as never, "MetricAlarms");
      const { AlarmName, Namespace, MetricName, Dimensions, Statistic, Period, EvaluationPeriods, ComparisonOperator } = alarm;
      return hands.cloudwatch.putMetricAlarm({
        ...{ AlarmName, Namespace, MetricName, Dimensions, Statistic, Period, EvaluationPeriods, ComparisonOperator },
        Threshold: 0,
      });
    },
  },
  {
    what: "images are not scanned any more",
    key: "Repository/app",
    path: "imageScanningConfiguration.scanOnPush",
    from: true,
    to: false,
    action: "ecr:PutImageScanningConfiguration",
    change: ({ hands }) =>
      hands.ecr.putImageScanningConfiguration({ repositoryName: "shop-live-app", imageScanningConfiguration: { scanOnPush: false } }),
  },
  {
    what: "a profile's role is taken away",
    key: "InstanceProfile/web",
    path: "role",
    action: "iam:RemoveRoleFromInstanceProfile",
    change: async ({ hands, id }) =>
      hands.iam.removeRoleFromInstanceProfile({ InstanceProfileName: await id("InstanceProfile/web"), RoleName: await id("Role/web") }),
  },
];

/** Objects that vanish: made anew. */
export const DELETED: readonly Outside[] = [
  {
    what: "an alarm",
    key: "Alarm/busy",
    path: "",
    action: "cloudwatch:DeleteAlarms",
    change: async ({ hands, id }) => hands.cloudwatch.deleteAlarms({ AlarmNames: [await id("Alarm/busy")] }),
  },
  {
    what: "a log group",
    key: "LogGroup/app",
    path: "",
    action: "logs:DeleteLogGroup",
    change: ({ hands }) => hands.logs.deleteLogGroup({ logGroupName: "/shop/live/app" }),
  },
  {
    what: "a scaling policy, which an alarm follows by its ARN",
    key: "ScalingPolicy/up",
    path: "",
    action: "autoscaling:DeletePolicy",
    change: async ({ hands, id }) => {
      const AutoScalingGroupName = await id("AutoScalingGroup/web");
      const answer = hands.autoscaling.describePolicies({ AutoScalingGroupName });
      const { PolicyName } = await lookedAt<{ PolicyName: string }>(answer as never, "ScalingPolicies");
      return hands.autoscaling.deletePolicy({ AutoScalingGroupName, PolicyName });
    },
  },
  {
    what: "a record set",
    key: "RecordSet/mail",
    path: "",
    action: "route53:ChangeResourceRecordSets",
    change: async ({ hands, id }) => {
      const mail = { Name: "mail.shop.example.com", Type: "CNAME", TTL: 300, ResourceRecords: [{ Value: "mail.example.net" }] } as const;
      return hands.route53.changeResourceRecordSets({
        HostedZoneId: await id("HostedZone/main"),
        ChangeBatch: { Changes: [{ Action: "DELETE", ResourceRecordSet: { ...mail, ResourceRecords: [...mail.ResourceRecords] } }] },
      });
    },
  },
  {
    what: "a listener's rule",
    key: "ListenerRule/api",
    path: "",
    action: "elasticloadbalancing:DeleteRule",
    change: async ({ hands, id }) => hands.elb.deleteRule({ RuleArn: await id("ListenerRule/api") }),
  },
  {
    what: "a flow log",
    key: "FlowLog/main",
    path: "",
    action: "ec2:DeleteFlowLogs",
    change: async ({ hands, id }) => hands.ec2.deleteFlowLogs({ FlowLogIds: [await id("FlowLog/main")] }),
  },
  {
    what: "a dashboard",
    key: "Dashboard/main",
    path: "",
    action: "cloudwatch:DeleteDashboards",
    change: async ({ hands, id }) => hands.cloudwatch.deleteDashboards({ DashboardNames: [await id("Dashboard/main")] }),
  },
  {
    what: "a load balancer's firewall",
    key: "WebACLAssociation/web",
    path: "",
    action: "wafv2:DisassociateWebACL",
    change: async ({ hands, id }) => hands.waf.disassociateWebACL({ ResourceArn: await id("LoadBalancer/web") }),
  },
  {
    what: "a log group that a flow log writes to",
    key: "LogGroup/flows",
    path: "",
    action: "logs:DeleteLogGroup",
    change: ({ hands }) => hands.logs.deleteLogGroup({ logGroupName: "/shop/live/flows" }),
  },
];
