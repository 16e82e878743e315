/** Neighbours: what others have in the shop's account, within its reach and looking much like its own. */

import type { Site } from "./site.ts";

const SHOP = { project: "shop", environment: "live" };
const OTHERS = [
  { Key: "beacon:stack", Value: "other/live" },
  { Key: "beacon:resource", Value: "SecurityGroup/front" },
  { Key: "beacon:uid", Value: "01jd00000000000000000other" },
  { Key: "beacon:generation", Value: "1" },
];

/** Makes them: untagged objects, another stack's, rules of others in the shop's listener and zone, tags of others on its objects. */
export async function settleAmong(site: Site): Promise<void> {
  const { cloudwatch, dynamodb, ec2, elb, iam, logs, route53, s3 } = site.hands;
  const vpcId = await site.id(SHOP, "VPC/main");
  const front = await site.id(SHOP, "SecurityGroup/front");
  const { Vpc } = await ec2.createVpc({
    CidrBlock: "10.0.0.0/16",
    TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "Name", Value: "neighbours" }] }],
  });
  const { GroupId } = await ec2.createSecurityGroup({ GroupName: "neighbours", Description: "not the shop's", VpcId: vpcId });
  const permission = { IpProtocol: "tcp", FromPort: 8080, ToPort: 8080, UserIdGroupPairs: [{ GroupId: front, Description: "theirs" }] };
  await ec2.authorizeSecurityGroupIngress({ GroupId, IpPermissions: [permission] });
  await ec2.createSecurityGroup({
    GroupName: "others-front",
    Description: "another stack's",
    VpcId: Vpc?.VpcId,
    TagSpecifications: [{ ResourceType: "security-group", Tags: OTHERS }],
  });
  await ec2.createTags({ Resources: [vpcId], Tags: [{ Key: "CostCentre", Value: "4711" }] });
  await elb.createRule({
    ListenerArn: await site.id(SHOP, "Listener/web"),
    Priority: 50,
    Conditions: [{ Field: "path-pattern", PathPatternConfig: { Values: ["/neighbours/*"] } }],
    Actions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "200" } }],
  });
  const txt = { Name: "neighbours.shop.example.com", Type: "TXT", TTL: 60, ResourceRecords: [{ Value: '"theirs"' }] } as const;
  await route53.changeResourceRecordSets({
    HostedZoneId: await site.id(SHOP, "HostedZone/main"),
    ChangeBatch: { Changes: [{ Action: "CREATE", ResourceRecordSet: { ...txt, ResourceRecords: [...txt.ResourceRecords] } }] },
  });
  await logs.createLogGroup({ logGroupName: "/shop/live/neighbours" });
  await cloudwatch.putMetricAlarm({
    AlarmName: "shop-live-neighbours",
    ...{ Namespace: "AWS/EC2", MetricName: "CPUUtilization", Statistic: "Average", Period: 60, EvaluationPeriods: 1 },
    ...{ Threshold: 1, ComparisonOperator: "GreaterThanThreshold" },
  });
  await s3.createBucket({ Bucket: "shop-live-neighbours", CreateBucketConfiguration: { LocationConstraint: "ap-northeast-2" } });
  await dynamodb.createTable({
    TableName: "shop-live-neighbours",
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  });
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
  };
  const reading = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] };
  await iam.createRole({ RoleName: "shop-live-neighbours", AssumeRolePolicyDocument: JSON.stringify(trust) });
  await iam.putRolePolicy({ RoleName: "shop-live-neighbours", PolicyName: "read", PolicyDocument: JSON.stringify(reading) });
}
