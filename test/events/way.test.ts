/** The whole way on the sandbox: somebody changes something, and a moment later BEACON knows what, who and where. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { EC2 } from "@aws-sdk/client-ec2";
import { IAM } from "@aws-sdk/client-iam";
import { Route53 } from "@aws-sdk/client-route-53";
import { S3 } from "@aws-sdk/client-s3";
import { kinds } from "../../reconcilers/index.ts";
import { type AwsSession, connect } from "../../src/aws/handle.ts";
import { EVENTS_BOOTSTRAP_OPERATIONS, QUEUE_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { Lease } from "../../src/core/store.ts";
import { attributionOf } from "../../src/events/attribution.ts";
import { bootstrapEvents } from "../../src/events/bootstrap.ts";
import type { ApiEvent } from "../../src/events/event.ts";
import { keysOf } from "../../src/events/mapping.ts";
import { EventQueue } from "../../src/events/queue.ts";
import { TrailLookup } from "../../src/events/trail.ts";
import { ec2 } from "../../src/kind/ec2.ts";
import { clientSettings, freshProject, startOwn, TEST_REGION } from "../support/sandbox.ts";
import { kindNamed, record } from "./scene.ts";

// The promise is a second, on a machine with nothing else to do.
const WITHIN_MS = 2000;
const POLL_MS = 10;
const OUTSIDER = "arn:aws:iam::123456789012:user/mallory";
const HELD = { assertHeld: () => undefined, signal: new AbortController().signal } as unknown as Lease;
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

let session: AwsSession;
let outside: Awaited<ReturnType<typeof clientSettings>>;
const events: ApiEvent[] = [];
const stop = new AbortController();
let reading: Promise<void>;

before(async () => {
  const { endpoint } = await startOwn();
  outside = { ...(await clientSettings(endpoint)), credentials: { accessKeyId: "mallory", secretAccessKey: "x" } };
  session = connect({
    endpoint,
    region: TEST_REGION,
    sandbox: true,
    readOperations: new Set(["cloudtrail:LookupEvents"]),
    operations: new Set(["ec2:CreateVpc"]),
  });
  const place = { region: TEST_REGION, accountId: "123456789012", queue: "beacon-events", kinds };
  await bootstrapEvents(session.caller(EVENTS_BOOTSTRAP_OPERATIONS), systemRuntime, place);
  const queue = new EventQueue({ caller: session.caller(QUEUE_OPERATIONS), queue: "beacon-events", runtime: systemRuntime });
  reading = queue.run((got) => void events.push(...got), stop.signal);
});

after(async () => {
  stop.abort();
  await reading;
  await session.close();
});

/** The first event of this action that names `name`, and how long it took to come. */
async function event(action: string, name: string): Promise<ApiEvent & { readonly tookMs: number }> {
  const beganMs = performance.now();
  while (performance.now() - beganMs < WITHIN_MS) {
    const found = events.find((one) => one.action === action && one.names.has(name));
    if (found) return { ...found, tookMs: performance.now() - beganMs };
    await pause(POLL_MS);
  }
  return assert.fail(`no ${action} of ${name} within ${WITHIN_MS} ms; there were ${events.map((one) => one.action).join(", ")}`);
}

const scopeOf = (...records: ReturnType<typeof record>[]) => ({ kinds, records: new Map(records.map((one) => [one.key, one])) });

test("a security group's rule: seen, mapped, and laid to who made it", async () => {
  const client = new EC2(outside);
  const VpcId = String((await client.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
  const GroupId = String((await client.createSecurityGroup({ VpcId, GroupName: freshProject(), Description: "x" })).GroupId);
  await client.authorizeSecurityGroupIngress({ GroupId, IpProtocol: "tcp", FromPort: 22, ToPort: 22, CidrIp: "0.0.0.0/0" });
  const seen = await event("ec2:AuthorizeSecurityGroupIngress", GroupId);
  assert.deepEqual([seen.principal, seen.sourceIp, seen.region, seen.own], [OUTSIDER, "127.0.0.1", TEST_REGION, false]);
  const [group, other] = [record("SecurityGroup/web", { id: GroupId }), record("SecurityGroup/db", { id: "sg-00000000000000000" })];
  assert.deepEqual(keysOf(seen, scopeOf(group, other)), [{ key: "SecurityGroup/web", by: "named" }]);

  const subject = { kind: kindNamed("SecurityGroup"), record: group };
  const drift = { key: group.key, path: "ingress", since: Date.now() };
  const attribution = attributionOf(drift, subject, events);
  assert.deepEqual([attribution?.principal, attribution?.action, attribution?.via], [OUTSIDER, seen.action, "event"]);
  const finding = await new TrailLookup({ reader: session.reader, region: TEST_REGION, runtime: systemRuntime }).find(drift, subject);
  assert.deepEqual(finding, { state: "found", attribution: { ...attribution, via: "trail" } });
});

test("a role, which reports in us-east-1 alone", async () => {
  const [RoleName, iam] = [freshProject("role"), new IAM(outside)];
  await iam.createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
  await iam.tagRole({ RoleName, Tags: [{ Key: "Owner", Value: "mallory" }] });
  const seen = await event("iam:TagRole", RoleName);
  const [role, other] = [record("Role/app", { id: RoleName }), record("Role/other", { id: "other" })];
  assert.deepEqual(keysOf(seen, scopeOf(role, other)), [{ key: "Role/app", by: "named" }]);
  assert.deepEqual([seen.region, seen.principal], ["us-east-1", OUTSIDER]);
  const drift = { key: role.key, path: "tags", since: Date.now() };
  const lookup = new TrailLookup({ reader: session.reader, region: TEST_REGION, runtime: systemRuntime });
  const finding = await lookup.find(drift, { kind: kindNamed("Role"), record: role });
  assert.equal(finding.state === "found" && finding.attribution.action, "iam:TagRole");
});

test("a bucket's tags, under the name that S3 records", async () => {
  const [Bucket, s3] = [freshProject("bucket"), new S3({ ...outside, forcePathStyle: true })];
  await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: TEST_REGION } });
  await s3.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "Owner", Value: "mallory" }] } });
  await s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: false } });
  const bucket = record("Bucket/assets", { id: Bucket });
  for (const action of ["s3:PutBucketTagging", "s3:PutPublicAccessBlock"]) {
    const seen = await event(action, Bucket);
    assert.deepEqual(keysOf(seen, scopeOf(bucket)), [{ key: "Bucket/assets", by: "named" }]);
  }
  const drift = { key: bucket.key, path: "publicAccessBlockConfiguration", since: Date.now() };
  assert.equal(attributionOf(drift, { kind: kindNamed("Bucket"), record: bucket }, events)?.action, "s3:PutPublicAccessBlock");
});

test("a record set, and no other of its zone", async () => {
  const [Name, route53] = [`${freshProject()}.example.com`, new Route53(outside)];
  const zone = String((await route53.createHostedZone({ Name, CallerReference: Name })).HostedZone?.Id?.split("/").at(-1));
  const ResourceRecordSet = { Name: `www.${Name}`, Type: "A" as const, TTL: 60, ResourceRecords: [{ Value: "192.0.2.1" }] };
  await route53.changeResourceRecordSets({ HostedZoneId: zone, ChangeBatch: { Changes: [{ Action: "UPSERT", ResourceRecordSet }] } });
  const seen = await event("route53:ChangeResourceRecordSets", `www.${Name}`);
  const sets = ["www", "api"].map((name) => record(`RecordSet/${name}`, { id: `${zone} ${name}.${Name} A` }));
  assert.deepEqual(keysOf(seen, scopeOf(...sets)), [{ key: "RecordSet/www", by: "named" }]);
});

test("BEACON's own call is known as such, and hits nothing", async () => {
  const { Vpc } = await session.writer(HELD).write(ec2, "CreateVpc", { CidrBlock: "10.9.0.0/16" });
  const VpcId = String(Vpc?.VpcId);
  const seen = await event("ec2:CreateVpc", VpcId);
  assert.match(seen.userAgent, /beaconctl\//);
  assert.deepEqual([seen.own, keysOf(seen, scopeOf(record("VPC/main", { id: VpcId })))], [true, []]);
});

test("what is read comes to nobody", async () => {
  const client = new EC2(outside);
  await client.describeVpcs({});
  const VpcId = String((await client.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
  await event("ec2:CreateVpc", VpcId);
  assert.ok(!events.some(({ action }) => /:(Describe|List|Get)/.test(action)));
});
