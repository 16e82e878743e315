/** What the launcher adds to moto's CloudTrail and EventBridge: a record of every call that changes something, and events made of them. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CloudTrail, type LookupEventsCommandInput } from "@aws-sdk/client-cloudtrail";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { IAM } from "@aws-sdk/client-iam";
import { Route53 } from "@aws-sdk/client-route-53";
import { S3 } from "@aws-sdk/client-s3";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { clientSettings, freshProject, type SdkClients, sdkClients, startOwn, TEST_REGION } from "../support/sandbox.ts";

const ACCOUNT = "123456789012";
const GLOBAL_REGION = "us-east-1";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" }],
});
type Settings = Awaited<ReturnType<typeof clientSettings>>;
// biome-ignore lint/suspicious/noExplicitAny: records, of a shape of their own for each operation, that tests look into.
type Trailed = any;

let settings: Settings;
let clients: SdkClients;
before(async () => {
  const { endpoint } = await startOwn();
  settings = await clientSettings(endpoint);
  clients = await sdkClients(endpoint);
});

const trail = (region = TEST_REGION) => new CloudTrail({ ...settings, region });

/** The records that name `name`, oldest first. */
async function recordsOf(name: string, region = TEST_REGION): Promise<readonly Trailed[]> {
  const LookupAttributes = [{ AttributeKey: "ResourceName" as const, AttributeValue: name }];
  const { Events = [] } = await trail(region).lookupEvents({ LookupAttributes });
  return Events.map(({ CloudTrailEvent = "" }) => JSON.parse(CloudTrailEvent)).reverse();
}

async function newGroup(): Promise<{ GroupId: string; GroupName: string; VpcId: string }> {
  const { Vpc } = await clients.ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
  const [VpcId, GroupName] = [String(Vpc?.VpcId), freshProject()];
  const { GroupId } = await clients.ec2.createSecurityGroup({ VpcId, GroupName, Description: "x" });
  return { GroupId: String(GroupId), GroupName, VpcId };
}

describe("a record", () => {
  test("says who did what, where and when, and what came of it", async () => {
    const beganMs = Date.now();
    const { GroupId, GroupName, VpcId } = await newGroup();
    const [record] = await recordsOf(GroupId);
    const { userIdentity, eventTime, userAgent, responseElements, eventID, requestID, ...rest } = record;
    assert.deepEqual(rest, {
      eventVersion: "1.11",
      eventSource: "ec2.amazonaws.com",
      eventName: "CreateSecurityGroup",
      awsRegion: TEST_REGION,
      sourceIPAddress: "127.0.0.1",
      requestParameters: { description: "x", groupName: GroupName, vpcId: VpcId },
      readOnly: false,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: "Management",
    });
    const arn = `arn:aws:iam::${ACCOUNT}:user/test`;
    assert.deepEqual(userIdentity, {
      type: "IAMUser",
      principalId: "test",
      arn,
      userName: "test",
      accountId: ACCOUNT,
      accessKeyId: "test",
    });
    assert.equal(responseElements.groupId, GroupId);
    assert.match(userAgent, /^aws-sdk-js\//);
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Math.abs(Date.parse(eventTime) - beganMs) < 30_000);
    assert.ok(eventID && requestID);
  });

  test("writes EC2's lists as AWS does", async () => {
    const { GroupId } = await newGroup();
    const IpPermissions = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "10.0.0.0/8" }, { CidrIp: "11.0.0.0/8" }] }];
    await clients.ec2.authorizeSecurityGroupIngress({ GroupId, IpPermissions });
    const [, { requestParameters }] = await recordsOf(GroupId);
    const ipRanges = { items: [{ cidrIp: "10.0.0.0/8" }, { cidrIp: "11.0.0.0/8" }] };
    assert.deepEqual(requestParameters, {
      groupId: GroupId,
      ipPermissions: { items: [{ ipProtocol: "tcp", fromPort: 22, toPort: 22, ipRanges }] },
    });
  });

  test("of EC2's tags says resourcesSet", async () => {
    const { GroupId } = await newGroup();
    await clients.ec2.createTags({ Resources: [GroupId], Tags: [{ Key: "Owner", Value: "me" }] });
    const [, { requestParameters }] = await recordsOf(GroupId);
    const tagSet = { items: [{ key: "Owner", value: "me" }] };
    assert.deepEqual(requestParameters, { resourcesSet: { items: [{ resourceId: GroupId }] }, tagSet });
  });

  test("of S3 names the bucket, and its operation as S3's records do", async () => {
    const [Bucket, s3] = [freshProject(), new S3({ ...settings, forcePathStyle: true })];
    await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: TEST_REGION } });
    await s3.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "Owner", Value: "me" }] } });
    await s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } });
    await s3.putObject({ Bucket, Key: "a/b", Body: "x" });
    await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "a/b" }] } });
    await s3.deletePublicAccessBlock({ Bucket });
    const records = await recordsOf(Bucket);
    const names = records.map(({ eventName, requestParameters }) => `${eventName} ${requestParameters.bucketName}`);
    const expected = ["CreateBucket", "PutBucketTagging", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"];
    assert.deepEqual(
      names,
      expected.map((name) => `${name} ${Bucket}`),
    );
    assert.deepEqual(records[1].requestParameters.Tagging, { TagSet: [{ Key: "Owner", Value: "me" }] });
  });

  test("of a global service is in us-east-1 alone, whatever region was signed for", async () => {
    const RoleName = freshProject("role");
    await new IAM(settings).createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
    const route53 = new Route53(settings);
    const Name = `${freshProject()}.example.com`;
    const { HostedZone } = await route53.createHostedZone({ Name, CallerReference: Name });
    const zone = String(HostedZone?.Id?.split("/").at(-1));
    const ResourceRecordSet = { Name: `www.${Name}`, Type: "A" as const, TTL: 60, ResourceRecords: [{ Value: "192.0.2.1" }] };
    await route53.changeResourceRecordSets({ HostedZoneId: zone, ChangeBatch: { Changes: [{ Action: "UPSERT", ResourceRecordSet }] } });
    await route53.listTagsForResources({ ResourceType: "hostedzone", ResourceIds: [zone] });
    const [[role], [change]] = [await recordsOf(RoleName, GLOBAL_REGION), await recordsOf(`www.${Name}`, GLOBAL_REGION)];
    assert.deepEqual([role.eventName, role.awsRegion, role.requestParameters.roleName], ["CreateRole", GLOBAL_REGION, RoleName]);
    assert.equal(change.requestParameters.hostedZoneId, zone);
    assert.deepEqual(change.requestParameters.changeBatch.changes[0].resourceRecordSet.resourceRecords, [{ value: "192.0.2.1" }]);
    assert.deepEqual(await recordsOf(RoleName), []);
    const { Events = [] } = await trail(GLOBAL_REGION).lookupEvents({
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "ListTagsForResources" }],
    });
    assert.deepEqual(Events, []);
  });

  test("is under the name that CloudTrail has for the service", async () => {
    const AlarmName = freshProject();
    const alarm = { AlarmName, Namespace: "N", MetricName: "M", Statistic: "Sum" as const, Period: 60, EvaluationPeriods: 1, Threshold: 1 };
    await new CloudWatch(settings).putMetricAlarm({ ...alarm, ComparisonOperator: "GreaterThanThreshold" });
    const [{ eventSource, requestParameters }] = await recordsOf(AlarmName);
    assert.deepEqual([eventSource, requestParameters.alarmName], ["monitoring.amazonaws.com", AlarmName]);
  });

  test("of a refused call says why", async () => {
    const GroupId = `sg-${"0".repeat(17)}`;
    await assert.rejects(clients.ec2.deleteSecurityGroup({ GroupId }));
    const [{ errorCode, errorMessage, requestParameters, responseElements }] = await recordsOf(GroupId);
    assert.deepEqual([errorCode, requestParameters, responseElements], ["Client.InvalidGroup.NotFound", { groupId: GroupId }, null]);
    assert.match(errorMessage, /does not exist/);
    const TableName = freshProject();
    await assert.rejects(clients.dynamodb.deleteTable({ TableName }));
    assert.equal((await recordsOf(TableName))[0].errorCode, "ResourceNotFoundException");
  });

  test("is not made of reads and of items", async () => {
    const TableName = freshProject();
    const AttributeDefinitions = [{ AttributeName: "k", AttributeType: "S" as const }];
    const KeySchema = [{ AttributeName: "k", KeyType: "HASH" as const }];
    await clients.dynamodb.createTable({ TableName, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions, KeySchema });
    await clients.dynamodb.describeTable({ TableName });
    await clients.dynamodb.putItem({ TableName, Item: { k: { S: "x" } } });
    await clients.dynamodb.transactWriteItems({ TransactItems: [{ Put: { TableName, Item: { k: { S: "y" } } } }] });
    await clients.dynamodb.scan({ TableName });
    assert.deepEqual(
      (await recordsOf(TableName)).map(({ eventName }) => eventName),
      ["CreateTable"],
    );
  });

  test("tells a user and a role's session that the sandbox made by their own names", async () => {
    const iam = new IAM(settings);
    const UserName = freshProject("user");
    await iam.createUser({ UserName });
    const { AccessKey } = await iam.createAccessKey({ UserName });
    const RoleName = freshProject("role");
    const { Role } = await iam.createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
    const { Credentials } = await new STS(settings).assumeRole({ RoleArn: Role?.Arn, RoleSessionName: "ops" });
    const keys = [
      { accessKeyId: String(AccessKey?.AccessKeyId), secretAccessKey: "x" },
      { accessKeyId: String(Credentials?.AccessKeyId), secretAccessKey: "x", sessionToken: String(Credentials?.SessionToken) },
    ];
    const identities = [];
    for (const credentials of keys) {
      const logGroupName = freshProject("/log");
      await new CloudWatchLogs({ ...settings, credentials }).createLogGroup({ logGroupName });
      identities.push((await recordsOf(logGroupName))[0].userIdentity);
    }
    assert.deepEqual(
      identities.map(({ type, arn }) => `${type} ${arn}`),
      [`IAMUser arn:aws:iam::${ACCOUNT}:user/${UserName}`, `AssumedRole arn:aws:sts::${ACCOUNT}:assumed-role/${RoleName}/ops`],
    );
    assert.equal(identities[1].sessionContext.sessionIssuer.arn, `arn:aws:iam::${ACCOUNT}:role/${RoleName}`);
  });
});

describe("LookupEvents", () => {
  const look = (input: LookupEventsCommandInput) => trail().lookupEvents(input);

  test("answers newest first, page by page, in whole", async () => {
    const { GroupId } = await newGroup();
    for (const Key of ["a", "b", "c"]) await clients.ec2.createTags({ Resources: [GroupId], Tags: [{ Key, Value: GroupId }] });
    const LookupAttributes = [{ AttributeKey: "ResourceName" as const, AttributeValue: GroupId }];
    const names: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await look({ LookupAttributes, MaxResults: 2, ...(NextToken ? { NextToken } : {}) });
      assert.ok((page.Events?.length ?? 0) <= 2);
      names.push(...(page.Events ?? []).map(({ EventName }) => EventName));
      NextToken = page.NextToken;
    } while (NextToken);
    assert.deepEqual(names, ["CreateTags", "CreateTags", "CreateTags", "CreateSecurityGroup"]);
  });

  test("looks by attribute and by time", async () => {
    const { GroupId } = await newGroup();
    const of = (AttributeKey: "EventName" | "EventSource" | "Username" | "ReadOnly", AttributeValue: string) =>
      look({ LookupAttributes: [{ AttributeKey, AttributeValue }] }).then(({ Events = [] }) => Events);
    const [event] = await of("EventName", "CreateSecurityGroup");
    assert.deepEqual(
      [event?.EventSource, event?.Username, event?.ReadOnly, event?.AccessKeyId],
      ["ec2.amazonaws.com", "test", "false", "test"],
    );
    assert.ok(event?.Resources?.some(({ ResourceName }) => ResourceName === GroupId));
    assert.ok((await of("EventSource", "ec2.amazonaws.com")).length > 0);
    assert.ok((await of("Username", "test")).length > 0);
    assert.deepEqual([await of("ReadOnly", "true"), await of("Username", "nobody")], [[], []]);
    const LookupAttributes = [{ AttributeKey: "ResourceName" as const, AttributeValue: GroupId }];
    const hour = 3_600_000;
    assert.deepEqual((await look({ LookupAttributes, EndTime: new Date(Date.now() - hour) })).Events, []);
    assert.deepEqual((await look({ LookupAttributes, StartTime: new Date(Date.now() + hour) })).Events, []);
    assert.equal((await look({ LookupAttributes, StartTime: new Date(Date.now() - hour), EndTime: new Date() })).Events?.length, 1);
  });

  test("refuses what AWS refuses", async () => {
    await assert.rejects(look({ MaxResults: 51 }), { name: "InvalidMaxResultsException" });
    const two = ["EventName", "Username"].map((AttributeKey) => ({ AttributeKey: AttributeKey as "EventName", AttributeValue: "x" }));
    await assert.rejects(look({ LookupAttributes: two }), { name: "InvalidLookupAttributesException" });
  });

  test("there is a trail in every region, and it logs", async () => {
    for (const region of [TEST_REGION, GLOBAL_REGION, "ap-northeast-2"]) {
      const [found] = (await trail(region).describeTrails({})).trailList ?? [];
      assert.deepEqual([found?.IsMultiRegionTrail, found?.IncludeGlobalServiceEvents], [true, true]);
      assert.equal((await trail(region).getTrailStatus({ Name: found?.TrailARN })).IsLogging, true);
    }
  });
});

describe("rules", () => {
  const pattern = (eventName: string) => JSON.stringify({ source: [{ prefix: "aws." }], detail: { eventName: [eventName] } });

  async function newQueue(open = true): Promise<{ QueueUrl: string; arn: string }> {
    const QueueName = freshProject("queue");
    const arn = `arn:aws:sqs:${TEST_REGION}:${ACCOUNT}:${QueueName}`;
    const Statement = [{ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource: arn }];
    const Attributes = open ? { Policy: JSON.stringify({ Version: "2012-10-17", Statement }) } : {};
    const { QueueUrl } = await new SQS(settings).createQueue({ QueueName, Attributes });
    return { QueueUrl: String(QueueUrl), arn };
  }

  async function newRule(Arn: string, more: { EventPattern: string; State?: "DISABLED" }, region = TEST_REGION): Promise<string> {
    const [Name, events] = [freshProject("rule"), new EventBridge({ ...settings, region })];
    await events.putRule({ Name, ...more });
    await events.putTargets({ Rule: Name, Targets: [{ Id: "t", Arn }] });
    return Name;
  }

  async function received(QueueUrl: string): Promise<readonly Trailed[]> {
    const { Messages = [] } = await new SQS(settings).receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    return Messages.map(({ Body = "" }) => JSON.parse(Body));
  }

  test("a queue gets what its rule matches, by the time the call is answered", async () => {
    const { QueueUrl, arn } = await newQueue();
    await newRule(arn, { EventPattern: pattern("CreateSecurityGroup") });
    const { GroupId } = await newGroup();
    const [event, ...others] = await received(QueueUrl);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [event.source, event["detail-type"], event.region, event.account],
      ["aws.ec2", "AWS API Call via CloudTrail", TEST_REGION, ACCOUNT],
    );
    assert.deepEqual(event.detail, (await recordsOf(GroupId))[0]);
  });

  test("a rule that is switched off, and a queue that lets no rule send, get nothing", async () => {
    const [{ QueueUrl: off, arn }, closed] = [await newQueue(), await newQueue(false)];
    await newRule(arn, { EventPattern: pattern("CreateSecurityGroup"), State: "DISABLED" });
    await newRule(closed.arn, { EventPattern: pattern("CreateSecurityGroup") });
    await newGroup();
    assert.deepEqual([await received(off), await received(closed.QueueUrl)], [[], []]);
  });

  test("a target that fails takes neither the call nor another rule with it", async () => {
    const { QueueUrl, arn } = await newQueue();
    await newRule(`arn:aws:lambda:${TEST_REGION}:${ACCOUNT}:function:none`, { EventPattern: pattern("CreateSecurityGroup") });
    await newRule(`arn:aws:sqs:${TEST_REGION}:${ACCOUNT}:no-such-queue`, { EventPattern: pattern("CreateSecurityGroup") });
    await newRule(arn, { EventPattern: pattern("CreateSecurityGroup") });
    await newGroup();
    assert.equal((await received(QueueUrl)).length, 1);
  });

  test("a rule in us-east-1 forwards what global services report to another region's bus", async () => {
    const { QueueUrl, arn } = await newQueue();
    await newRule(arn, { EventPattern: pattern("CreateRole") });
    const bus = `arn:aws:events:${TEST_REGION}:${ACCOUNT}:event-bus/default`;
    await newRule(bus, { EventPattern: pattern("CreateRole") }, GLOBAL_REGION);
    const RoleName = freshProject("role");
    await new IAM(settings).createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
    const [{ source, detail }] = await received(QueueUrl);
    assert.deepEqual([source, detail.awsRegion, detail.requestParameters.roleName], ["aws.iam", GLOBAL_REGION, RoleName]);
  });

  test("messages past their retention are gone, and hold nobody up", async () => {
    const { QueueUrl, arn } = await newQueue();
    const sqs = new SQS(settings);
    await sqs.sendMessage({ QueueUrl, MessageBody: "old" });
    // SQS takes 60 s at least; moto takes what it is given.
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { MessageRetentionPeriod: "0" } });
    assert.deepEqual((await sqs.receiveMessage({ QueueUrl })).Messages, undefined);
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { MessageRetentionPeriod: "3600" } });
    await newRule(arn, { EventPattern: pattern("CreateSecurityGroup") });
    await newGroup();
    assert.equal((await received(QueueUrl)).length, 1);
  });
});

test("an emptied sandbox has no records", async () => {
  const { endpoint } = await startOwn();
  const alone = await sdkClients(endpoint);
  await alone.ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
  const look = new CloudTrail(await clientSettings(endpoint));
  assert.equal((await look.lookupEvents({})).Events?.length, 1);
  await fetch(`${endpoint}/moto-api/reset`, { method: "POST" });
  assert.deepEqual((await look.lookupEvents({})).Events, []);
});
