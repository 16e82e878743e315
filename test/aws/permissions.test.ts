import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsOf, iamPolicy } from "../../src/aws/permissions.ts";

test("an operation needs its own action, and those that AWS checks with it", () => {
  assert.deepEqual(actionsOf("ec2:DescribeVpcs"), ["ec2:DescribeVpcs"]);
  assert.deepEqual(actionsOf("ec2:CreateVpc"), ["ec2:CreateTags", "ec2:CreateVpc"]);
  assert.deepEqual(actionsOf("ec2:AllocateAddress"), ["ec2:AllocateAddress", "ec2:CreateTags"]);
  assert.deepEqual(actionsOf("ec2:CreateTags"), ["ec2:CreateTags"]);
  assert.deepEqual(actionsOf("ec2:CreateRoute"), ["ec2:CreateRoute"]);
  assert.deepEqual(actionsOf("ec2:CreateRouteTable"), ["ec2:CreateRouteTable", "ec2:CreateTags"]);
  assert.deepEqual(actionsOf("acm:RequestCertificate"), ["acm:AddTagsToCertificate", "acm:RequestCertificate"]);
  assert.deepEqual(actionsOf("sqs:DeleteMessageBatch"), ["sqs:DeleteMessage"]);
  assert.deepEqual(actionsOf("events:PutTargets"), ["events:PutTargets", "iam:PassRole"]);
  assert.deepEqual(actionsOf("dynamodb:TransactWriteItems"), ["dynamodb:DeleteItem", "dynamodb:PutItem"]);
});

test("the policy is sorted, names the state table, and limits keys to the services that use them", () => {
  const policy = iamPolicy(["ec2:CreateVpc", "dynamodb:CreateTable", "ec2:DescribeVpcs"], {
    stateTable: "beacon-state",
    accountId: "1",
    region: "r",
  });
  const bySid = Object.fromEntries(
    (policy.Statement as { Sid: string; Action: string[]; Resource: string; Condition?: object }[]).map((part) => [part.Sid, part]),
  );
  assert.deepEqual(bySid.BeaconResources?.Action, ["ec2:CreateTags", "ec2:CreateVpc", "ec2:DescribeVpcs"]);
  assert.deepEqual(bySid.BeaconResources?.Condition, { StringEquals: { "aws:RequestedRegion": "r" } });
  assert.deepEqual(bySid.BeaconDynamodb?.Action, ["dynamodb:CreateTable", "dynamodb:TagResource"]);
  assert.equal(bySid.BeaconDynamodb?.Resource, "arn:aws:dynamodb:r:1:table/*");
  assert.equal(bySid.BeaconState?.Resource, "arn:aws:dynamodb:r:1:table/beacon-state");
  assert.ok(bySid.BeaconState?.Action.every((action) => action.startsWith("dynamodb:")));
  assert.deepEqual(bySid.BeaconKeys?.Action, ["kms:CreateGrant", "kms:DescribeKey"]);
});

test("a policy for any region limits nothing to one, and other partitions have ARNs of their own", () => {
  const open = iamPolicy(["ec2:DescribeVpcs"], { stateTable: "t" }).Statement as { Condition?: object; Resource: string }[];
  assert.ok(open.every(({ Condition }) => Condition === undefined));
  const china = iamPolicy(["logs:CreateLogGroup"], { stateTable: "t", region: "cn-north-1" }).Statement as { Resource: string }[];
  assert.ok(china.some(({ Resource }) => Resource === "arn:aws-cn:logs:cn-north-1:*:log-group:*"));
});

test("what is in no region is asked for in another, with all it needs there", () => {
  const policy = iamPolicy(["route53:CreateHostedZone", "tag:GetResources", "ec2:CreateVpc"], { stateTable: "t", region: "r" });
  const statements = policy.Statement as { Sid: string; Action: string[]; Condition?: object }[];
  const elsewhere = statements.find(({ Sid }) => Sid === "BeaconElsewhere");
  assert.deepEqual(elsewhere?.Action, ["ec2:DescribeVpcs", "route53:CreateHostedZone", "tag:GetResources"]);
  assert.equal(elsewhere?.Condition, undefined);
  assert.deepEqual(statements.find(({ Sid }) => Sid === "BeaconResources")?.Action, ["ec2:CreateTags", "ec2:CreateVpc"]);
});

test("what is the same in every region is limited by account, and to no region", () => {
  const policy = iamPolicy(["iam:CreateRole", "iam:AddRoleToInstanceProfile"], { stateTable: "t", accountId: "1", region: "r" });
  const [own] = (policy.Statement as { Sid: string; Action: string[]; Resource: string[]; Condition?: object }[]).filter(
    ({ Sid }) => Sid === "BeaconIam",
  );
  assert.deepEqual(own?.Action, ["iam:AddRoleToInstanceProfile", "iam:CreateRole", "iam:PassRole", "iam:TagRole"]);
  assert.deepEqual(own?.Resource, ["arn:aws:iam::1:role/*", "arn:aws:iam::1:instance-profile/*"]);
  assert.equal(own?.Condition, undefined);
});

test("what a service's own statement cannot be limited to stands with the others", () => {
  const policy = iamPolicy(["ec2:CreateFlowLogs", "logs:CreateLogGroup", "s3:HeadBucket"], {
    stateTable: "t",
    accountId: "1",
    region: "r",
  });
  const bySid = new Map((policy.Statement as { Sid: string; Action: string[]; Resource: string }[]).map((one) => [one.Sid, one]));
  assert.deepEqual(bySid.get("BeaconResources")?.Action, ["ec2:CreateFlowLogs", "ec2:CreateTags", "logs:CreateLogDelivery"]);
  assert.deepEqual(bySid.get("BeaconLogs")?.Action, ["logs:CreateLogGroup", "logs:TagResource"]);
  assert.deepEqual([bySid.get("BeaconS3")?.Action, bySid.get("BeaconS3")?.Resource], [["s3:ListBucket"], "arn:aws:s3:::*"]);
});

test("a policy without keys has no statement about keys", () => {
  const policy = iamPolicy(["ec2:DescribeVpcs"], { stateTable: "t" });
  assert.ok(!(policy.Statement as { Sid: string }[]).some(({ Sid }) => Sid === "BeaconKeys"));
});
