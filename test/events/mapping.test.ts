import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { ResourceRecord } from "../../src/core/record.ts";
import type { ApiEvent } from "../../src/events/event.ts";
import { keysOf } from "../../src/events/mapping.ts";
import { call, OWN_AGENT, record } from "./scene.ts";

const ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const GROUP = "sg-0123456789abcdef0";
const OTHER = "sg-00000000000000000";
const VPC = "vpc-0123456789abcdef0";
const ZONE = "Z0123456789ABCDEFGHIJ";
const STACK: readonly ResourceRecord[] = [
  record("VPC/main", { id: VPC }),
  record("SecurityGroup/web", { id: GROUP, observed: { groupId: GROUP, groupName: "web", vpcId: VPC } }),
  record("RouteTable/public", { id: "rtb-0123456789abcdef0", observed: { associations: { "subnet-1": "rtbassoc-0123456789abcdef0" } } }),
  record("Role/app", { id: "app", observed: { roleName: "app", arn: "arn:aws:iam::123456789012:role/app" } }),
  record("Table/orders", { id: "orders" }),
  record("LogGroup/app", { id: "/app" }),
  record("Bucket/assets", { id: "assets" }),
  record("KeyPair/ops", { id: "key-0123456789abcdef0", observed: { keyPairId: "key-0123456789abcdef0", keyName: "ops" } }),
  record("HostedZone/main", { id: ZONE, observed: { hostedZoneId: ZONE, name: "example.com" } }),
  record("RecordSet/www", { id: `${ZONE} www.example.com A` }),
  record("RecordSet/api", { id: `${ZONE} api.example.com A` }),
  record("LoadBalancer/web", { id: `${ARN}:loadbalancer/app/web/1`, observed: { vpcId: VPC } }),
  record("TargetGroup/web", { id: `${ARN}:targetgroup/web/1` }),
  record("AutoScalingGroup/web", { id: "web", observed: { autoScalingGroupName: "web", instanceIds: ["i-0123456789abcdef0"] } }),
  record("Alarm/high", { id: "high cpu" }),
];
const records = new Map(STACK.map((one) => [one.key, one]));
const hits = (event: ApiEvent) => keysOf(event, { kinds, records }).map(({ key, by }) => `${key} ${by}`);

const change = (Name: string) => ({
  hostedZoneId: ZONE,
  changeBatch: { changes: [{ action: "UPSERT", resourceRecordSet: { name: Name, type: "A", tTL: 60 } }] },
});

const ROWS: { why: string; event: ApiEvent; hit: readonly string[] }[] = [
  {
    why: "the kind's own call that names the object",
    event: call("ec2", "AuthorizeSecurityGroupIngress", { groupId: GROUP }),
    hit: ["SecurityGroup/web named"],
  },
  {
    why: "a call that BEACON never makes",
    event: call("ec2", "ModifySecurityGroupRules", { ModifySecurityGroupRulesRequest: { GroupId: GROUP } }),
    hit: ["SecurityGroup/web named"],
  },
  {
    why: "tags",
    event: call("ec2", "DeleteTags", { resourcesSet: { items: [{ resourceId: VPC }] } }),
    hit: ["VPC/main named", "LoadBalancer/web mentioned"],
  },
  { why: "somebody else's object", event: call("ec2", "AuthorizeSecurityGroupIngress", { groupId: OTHER }), hit: [] },
  {
    why: "somebody else's tags",
    event: call("ec2", "CreateTags", { resourcesSet: { items: [{ resourceId: "i-00000000000000000" }] } }),
    hit: [],
  },
  {
    why: "nothing that could be told apart: the whole kind",
    event: call("ec2", "RevokeSecurityGroupIngress", { groupName: "default" }),
    hit: ["SecurityGroup/web kind"],
  },
  {
    why: "an association, by its own id",
    event: call("ec2", "DisassociateRouteTable", { associationId: "rtbassoc-0123456789abcdef0" }),
    hit: ["RouteTable/public named"],
  },
  {
    why: "an instance of a group",
    event: call("ec2", "TerminateInstances", { instancesSet: { items: [{ instanceId: "i-0123456789abcdef0" }] } }),
    hit: ["AutoScalingGroup/web mentioned"],
  },
  { why: "a name", event: call("iam", "PutRolePolicy", { roleName: "app", policyName: "x" }), hit: ["Role/app named"] },
  { why: "another of that kind", event: call("iam", "PutRolePolicy", { roleName: "other", policyName: "x" }), hit: [] },
  { why: "a name in another service's call is another thing's", event: call("ecr", "TagResource", { resourceArn: "app" }), hit: [] },
  {
    why: "an ARN that the record does not have yet",
    event: call("dynamodb", "TagResource", { resourceArn: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders" }),
    hit: ["Table/orders named"],
  },
  {
    why: "an ARN with a star at its end",
    event: call("logs", "TagResource", { resourceArn: "arn:aws:logs:eu-west-1:123456789012:log-group:/app:*" }),
    hit: ["LogGroup/app named"],
  },
  { why: "S3's member for the bucket", event: call("s3", "PutBucketTagging", { bucketName: "assets" }), hit: ["Bucket/assets named"] },
  { why: "another bucket", event: call("s3", "PutBucketTagging", { bucketName: "other" }), hit: [] },
  { why: "a physical name beside the id", event: call("ec2", "DeleteKeyPair", { keyName: "ops" }), hit: ["KeyPair/ops named"] },
  {
    why: "every part of an id that has several",
    event: call("route53", "ChangeResourceRecordSets", change("www.example.com.")),
    hit: ["HostedZone/main named", "RecordSet/www named"],
  },
  {
    why: "a name as Route 53 escapes it, in another case",
    event: call("route53", "ChangeResourceRecordSets", change("API.example.com.")),
    hit: ["HostedZone/main named", "RecordSet/api named"],
  },
  {
    why: "a zone by its path",
    event: call("route53", "UpdateHostedZoneComment", { id: `/hostedzone/${ZONE}` }),
    hit: ["HostedZone/main named"],
  },
  { why: "names with spaces", event: call("monitoring", "DeleteAlarms", { alarmNames: ["high cpu"] }), hit: ["Alarm/high named"] },
  { why: "other alarms", event: call("monitoring", "DeleteAlarms", { alarmNames: ["low"] }), hit: [] },
  {
    why: "several resources",
    event: call("elasticloadbalancing", "AddTags", { resourceArns: [`${ARN}:loadbalancer/app/web/1`, `${ARN}:targetgroup/web/1`] }),
    hit: ["LoadBalancer/web named", "TargetGroup/web named"],
  },
  {
    why: "what AWS made of the call",
    event: call("ec2", "ReplaceRouteTableAssociation", {}, { responseElements: { newAssociationId: "rtbassoc-0123456789abcdef0" } }),
    hit: ["RouteTable/public named"],
  },
  { why: "BEACON's own call", event: call("ec2", "AuthorizeSecurityGroupIngress", { groupId: GROUP }, { userAgent: OWN_AGENT }), hit: [] },
  {
    why: "a call that was refused",
    event: call("ec2", "AuthorizeSecurityGroupIngress", { groupId: GROUP }, { errorCode: "Client.UnauthorizedOperation" }),
    hit: [],
  },
  {
    why: "a call that AWS failed at",
    event: call("ec2", "AuthorizeSecurityGroupIngress", { groupId: GROUP }, { errorCode: "Server.InternalError" }),
    hit: ["SecurityGroup/web named"],
  },
];

describe("a call hits", () => {
  for (const { why, event, hit } of ROWS) test(why, () => assert.deepEqual(hits(event).sort(), [...hit].sort()));
});

test("a record without an id is hit with its kind, and by its name", () => {
  const pending = record("Table/new", { name: "fresh" });
  const scope = { kinds, records: new Map([[pending.key, pending]]) };
  assert.deepEqual(keysOf(call("dynamodb", "CreateTable", { tableName: "fresh" }), scope), [{ key: "Table/new", by: "named" }]);
});

test("a record of a kind that nobody knows is passed over", () => {
  const strange = record("VPC/x", { kind: "none.aws/v1 None", id: VPC });
  assert.deepEqual(keysOf(call("ec2", "ModifyVpcAttribute", { vpcId: VPC }), { kinds, records: new Map([[strange.key, strange]]) }), []);
});
