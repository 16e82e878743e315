import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRefused, parseMessage, parseRecord, parseTrailRecord } from "../../src/events/event.ts";
import { AT_MS, OUTSIDER, OWN_AGENT, trailRecord } from "./scene.ts";

const AUTHORIZE = trailRecord("ec2", "AuthorizeSecurityGroupIngress", {
  eventID: "e-1",
  requestParameters: {
    groupId: "sg-0123456789abcdef0",
    ipPermissions: { items: [{ ipProtocol: "tcp", fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: "0.0.0.0/0" }] } }] },
  },
  responseElements: { _return: true, securityGroupRuleSet: { items: [{ securityGroupRuleId: "sgr-0123456789abcdef0" }] } },
});

test("a message says who called what, where, when, and every name in it", () => {
  const event = parseMessage(JSON.stringify({ source: "aws.ec2", "detail-type": "AWS API Call via CloudTrail", detail: AUTHORIZE }));
  assert.deepEqual(event, {
    id: "e-1",
    at: AT_MS,
    service: "ec2",
    action: "ec2:AuthorizeSecurityGroupIngress",
    region: "eu-west-1",
    principal: OUTSIDER,
    sourceIp: "192.0.2.7",
    userAgent: "aws-cli/2.30",
    names: new Set(["sg-0123456789abcdef0", "0.0.0.0/0", "tcp", "sgr-0123456789abcdef0"]),
    members: new Set(["groupId", "cidrIp", "ipProtocol"]),
    own: false,
    via: "event",
  });
  assert.deepEqual(parseTrailRecord(JSON.stringify(AUTHORIZE)), { ...event, via: "trail" });
});

describe("services and operations are called as the SDK calls them", () => {
  const rows = [
    { source: "ec2", name: "CreateTags", action: "ec2:CreateTags", why: "the plain case" },
    { source: "monitoring", name: "PutMetricAlarm", action: "cloudwatch:PutMetricAlarm", why: "CloudWatch's source has another name" },
    { source: "tagging", name: "TagResources", action: "tag:TagResources", why: "so has the tagging API's" },
    { source: "s3", name: "PutBucketLifecycle", action: "s3:PutBucketLifecycleConfiguration", why: "S3 records permissions' names" },
    { source: "s3", name: "PutBucketTagging", action: "s3:PutBucketTagging", why: "and operations' own" },
  ];
  for (const { source, name, action, why } of rows)
    test(why, () => assert.equal(parseRecord(trailRecord(source, name), "event")?.action, action));
});

describe("the caller", () => {
  const session = "arn:aws:sts::123456789012:assumed-role/Admin/alice";
  const rows = [
    { why: "a role's session", identity: { type: "AssumedRole", arn: session }, principal: session },
    {
      why: "an AWS service",
      identity: { type: "AWSService", invokedBy: "autoscaling.amazonaws.com" },
      principal: "autoscaling.amazonaws.com",
    },
    { why: "an account, of which CloudTrail says no more", identity: { type: "AWSAccount", principalId: "AIDA1" }, principal: "AIDA1" },
    { why: "nobody named", identity: {}, principal: "unknown" },
    { why: "something else", identity: "root", principal: "unknown" },
    { why: "something that moves the cursor", identity: { arn: "arn:\u001b[2Jx\n" }, principal: "arn:[2Jx" },
  ];
  for (const { why, identity, principal } of rows)
    test(why, () => assert.equal(parseRecord(trailRecord("ec2", "CreateVpc", { userIdentity: identity }), "event")?.principal, principal));
});

describe("BEACON's own calls", () => {
  const rows = [
    { why: "its SDK's user agent", userAgent: OWN_AGENT, own: true },
    { why: "as CloudTrail brackets some", userAgent: `[${OWN_AGENT}]`, own: true },
    { why: "in brackets alone", userAgent: "[beaconctl/0.1.0]", own: true },
    { why: "another program", userAgent: "aws-cli/2.30 md/installer#exe", own: false },
    { why: "another program that speaks of it", userAgent: "not-beaconctl/1.0", own: false },
    { why: "none", userAgent: undefined, own: false },
  ];
  for (const { why, userAgent, own } of rows)
    test(why, () => assert.equal(parseRecord(trailRecord("ec2", "CreateVpc", { userAgent }), "event")?.own, own));
});

describe("what is no record makes no event", () => {
  const rows: { why: string; body: string | undefined }[] = [
    { why: "nothing", body: undefined },
    { why: "no JSON", body: "hello" },
    { why: "no object", body: "[1]" },
    { why: "another event", body: JSON.stringify({ source: "aws.ec2", detail: { state: "running" } }) },
    { why: "no detail", body: JSON.stringify({ source: "aws.ec2" }) },
    ...["eventID", "eventName", "eventTime", "eventSource"].map((member) => ({
      why: `no ${member}`,
      body: JSON.stringify({ detail: { ...AUTHORIZE, [member]: undefined } }),
    })),
    { why: "a time that is none", body: JSON.stringify({ detail: { ...AUTHORIZE, eventTime: "soon" } }) },
    { why: "a source that is no service's", body: JSON.stringify({ detail: { ...AUTHORIZE, eventSource: "evil.example.com" } }) },
    { why: "a name that is no operation's", body: JSON.stringify({ detail: { ...AUTHORIZE, eventName: "a b" } }) },
  ];
  for (const { why, body } of rows) test(why, () => assert.equal(parseMessage(body), undefined));
});

describe("what a caller may write into a record stays within limits", () => {
  const names = (requestParameters: unknown) => parseRecord({ ...AUTHORIZE, requestParameters }, "event")?.names ?? new Set();

  test("documents are no names", () => {
    assert.deepEqual(
      [...names({ policy: "x".repeat(513), a: "y".repeat(512) })].filter((name) => /^[xy]/.test(name)),
      ["y".repeat(512)],
    );
  });

  test("nesting, as deep as JSON can be read", () => {
    const depth = 20_000;
    let nested: unknown = "sg-deep";
    for (let level = 0; level < depth; level++) nested = { a: nested };
    assert.ok(names(nested).has("sg-deep"));
  });

  test("numbers of names", () => {
    assert.ok(names({ all: Array.from({ length: 50_000 }, (_, index) => `n-${index}`) }).size <= 2000);
  });

  test("lengths of texts", () => {
    const event = parseRecord({ ...AUTHORIZE, userAgent: "u".repeat(5000), sourceIPAddress: { a: 1 }, awsRegion: 7 }, "event");
    assert.deepEqual([event?.userAgent.length, event?.sourceIp, event?.region], [256, "", ""]);
  });
});

describe("a failed call", () => {
  const rows = [
    { why: "succeeded", errorCode: undefined, refused: false },
    { why: "was refused", errorCode: "Client.UnauthorizedOperation", refused: true },
    { why: "was refused by a JSON service", errorCode: "AccessDenied", refused: true },
    { why: "failed at AWS, and may have had its effect", errorCode: "Server.InternalError", refused: false },
    { why: "likewise, of a JSON service", errorCode: "InternalServerError", refused: false },
    { why: "likewise", errorCode: "ServiceUnavailable", refused: false },
  ];
  for (const { why, errorCode, refused } of rows) {
    test(why, () => {
      const event = parseRecord({ ...AUTHORIZE, errorCode }, "event");
      assert.ok(event);
      assert.deepEqual([event.errorCode, isRefused(event)], [errorCode, refused]);
    });
  }
});
