/** What the launcher adds to moto's flow logs: log groups by ARN, roles that must be there, members that stay, and tokens. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { EC2 } from "@aws-sdk/client-ec2";
import type { IAM } from "@aws-sdk/client-iam";
import { clientSettings, freshProject } from "../support/sandbox.ts";

let ec2: EC2;
let iam: IAM;
before(async () => {
  const [{ EC2: Ec2 }, { IAM: Iam }] = await Promise.all([import("@aws-sdk/client-ec2"), import("@aws-sdk/client-iam")]);
  ec2 = new Ec2(await clientSettings());
  iam = new Iam(await clientSettings());
});

async function newVpc(): Promise<string> {
  return String((await ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
}

async function newRole(): Promise<string> {
  const Statement = { Effect: "Allow", Principal: { Service: "vpc-flow-logs.amazonaws.com" }, Action: "sts:AssumeRole" };
  const answer = await iam.createRole({ RoleName: freshProject("role"), AssumeRolePolicyDocument: JSON.stringify({ Statement }) });
  return String(answer.Role?.Arn);
}

const VPC = { ResourceType: "VPC", TrafficType: "ALL" } as const;
const refused = (name: string) => ({ name, $fault: "client" as const });

test("a log group that is named by ARN is told by name too, and the same destination is refused a second time", async () => {
  const { arn, group } = await newGroup();
  const request = { ...VPC, ResourceIds: [await newVpc()], LogDestination: arn, DeliverLogsPermissionArn: await newRole() };
  const { FlowLogIds = [] } = await ec2.createFlowLogs(request);
  const { FlowLogs = [] } = await ec2.describeFlowLogs({ FlowLogIds });
  assert.deepEqual([FlowLogs[0]?.LogGroupName, FlowLogs[0]?.DeliverLogsStatus], [group, "SUCCESS"]);
  await assert.rejects(ec2.createFlowLogs(request), refused("FlowLogAlreadyExists"));
  await assert.rejects(ec2.createFlowLogs({ ...request, LogDestination: undefined, LogGroupName: group }), refused("FlowLogAlreadyExists"));
});

async function newGroup(): Promise<{ group: string; arn: string }> {
  const { CloudWatchLogs } = await import("@aws-sdk/client-cloudwatch-logs");
  const logs = new CloudWatchLogs(await clientSettings());
  const group = `/${freshProject()}`;
  await logs.createLogGroup({ logGroupName: group });
  const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: group });
  return { group, arn: String(logGroups[0]?.arn) };
}

test("the same token gives the first flow log again", async () => {
  const request = {
    ...VPC,
    ResourceIds: [await newVpc()],
    LogGroupName: "anywhere",
    DeliverLogsPermissionArn: await newRole(),
    ClientToken: freshProject(),
  };
  const first = await ec2.createFlowLogs(request);
  assert.deepEqual((await ec2.createFlowLogs(request)).FlowLogIds, first.FlowLogIds);
  await assert.rejects(ec2.createFlowLogs({ ...request, TrafficType: "REJECT" }), refused("IdempotentParameterMismatch"));
});

test("a role that is not there cannot be taken on, and a log group that is not there gets nothing", async () => {
  const DeliverLogsPermissionArn = "arn:aws:iam::123456789012:role/nobody";
  const request = { ...VPC, ResourceIds: [await newVpc()], LogGroupName: "/imaginary" };
  await assert.rejects(ec2.createFlowLogs({ ...request, DeliverLogsPermissionArn }), refused("InvalidParameter"));
  const { FlowLogIds } = await ec2.createFlowLogs({ ...request, DeliverLogsPermissionArn: await newRole() });
  const { FlowLogs = [] } = await ec2.describeFlowLogs({ FlowLogIds: FlowLogIds ?? [] });
  assert.deepEqual([FlowLogs[0]?.DeliverLogsStatus, FlowLogs[0]?.DeliverLogsErrorMessage], ["FAILED", "Access error"]);
});

test("what a log says of its files and records is kept, and a bucket that is not there is told inside a success", async () => {
  const { S3 } = await import("@aws-sdk/client-s3");
  const Bucket = freshProject("bucket");
  const request = {
    ...VPC,
    ResourceIds: [await newVpc()],
    LogDestinationType: "s3" as const,
    LogDestination: `arn:aws:s3:::${Bucket}`,
    DestinationOptions: { FileFormat: "parquet" as const, HiveCompatiblePartitions: true, PerHourPartition: false },
    TagFieldSpecifications: [{ ResourceType: "instance" as const, TagKeys: ["Name"] }],
  };
  const { Unsuccessful = [], FlowLogIds: none } = await ec2.createFlowLogs(request);
  assert.match(String(Unsuccessful[0]?.Error?.Message), /does not exist/);
  assert.deepEqual(none ?? [], []);
  await new S3({ ...(await clientSettings()), forcePathStyle: true }).createBucket({ Bucket });
  const { FlowLogIds = [] } = await ec2.createFlowLogs(request);
  const [found] = (await ec2.describeFlowLogs({ FlowLogIds })).FlowLogs ?? [];
  assert.deepEqual(found?.DestinationOptions, request.DestinationOptions);
  assert.deepEqual(found?.TagFieldSpecifications, request.TagFieldSpecifications);
});
