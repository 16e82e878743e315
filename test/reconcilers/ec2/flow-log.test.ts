import assert from "node:assert/strict";
import { test } from "node:test";
import { flowLog } from "../../../reconcilers/ec2/flow-log.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { role } from "../../../reconcilers/iam/role.ts";
import { logGroup } from "../../../reconcilers/logs/log-group.ts";
import type { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, recorder, removeAll, seen, settle } from "../support.ts";

const TRUST = {
  Statement: { Effect: "Allow", Principal: { Service: "vpc-flow-logs.amazonaws.com" }, Action: "sts:AssumeRole" },
};

test("a flow log goes to a log group by a role, is found by its tags, and is told from a second one", async () => {
  const [networks, groups, roles, bench] = await Promise.all([benchFor(vpc), benchFor(logGroup), benchFor(role), benchFor(flowLog)]);
  const network = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const group = await make(groups, { logGroupName: `/${bench.stack}/flows` });
  const [listed] = await seen(groups, group.id);
  const writer = await make(roles, { roleName: bench.stack.replace("/", "-"), assumeRolePolicyDocument: TRUST });
  const spec = {
    resourceId: network.id,
    resourceType: "VPC",
    trafficType: "ALL",
    logDestination: String(listed?.values.logGroupArn),
    deliverLogsPermissionArn: String(writer.values.arn),
    logFormat: "${srcaddr} ${dstaddr}",
    tags: { Name: "flows" },
  };
  const made = await make(bench, spec);
  const { values } = await assertHolds(bench, made);
  assert.deepEqual([values.logGroupName, values.logDestinationType], [group.id, "cloud-watch-logs"]);
  assert.equal(flowLog.ready(values).state, "ready");
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await assert.rejects(make(bench, spec), (error: AwsError) => {
    assert.equal(error.verdict, "refused");
    assert.match(error.name, /FlowLogAlreadyExists/);
    return true;
  });
  const tagged = await settle(bench, made, { ...spec, tags: { Name: "traffic" } }, spec);
  await assertHolds(bench, tagged);
  await removeAll(bench, tagged);
  await removeAll(groups, group);
  await removeAll(roles, writer);
  await removeAll(networks, network);
});

test("what AWS refuses inside an answer of 200 is refused", async () => {
  const Unsuccessful = [{ ResourceId: "vpc-1", Error: { Code: "FlowLogAlreadyExists", Message: "There is an existing Flow Log" } }];
  const { writer } = recorder({ FlowLogIds: [], Unsuccessful });
  const spec = { resourceId: "vpc-1", resourceType: "VPC", trafficType: "ALL", logDestination: "arn:aws:s3:::logs" };
  const is = (error: AwsError) => error.name === "FlowLogAlreadyExists" && error.verdict === "refused" && /existing/.test(error.message);
  await assert.rejects(flowLog.create.run(writer, spec, { token: "t" }), is);
  await assert.rejects(flowLog.delete.run(writer, { id: "fl-1", observed: {} }), is);
});

test("a role that was just made cannot be taken on yet: the create is sent again", async () => {
  const [networks, bench] = [await benchFor(vpc), await benchFor(flowLog)];
  const network = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const create = make(bench, {
    resourceId: network.id,
    resourceType: "VPC",
    trafficType: "ALL",
    logGroupName: "anywhere",
    deliverLogsPermissionArn: "arn:aws:iam::123456789012:role/not-yet-there",
  });
  await assert.rejects(create, (error: AwsError) => error.name === "InvalidParameter" && /unable to assume/i.test(error.message));
  assert.ok(flowLog.errors.propagating.some((name) => /^InvalidParameter: unable to assume/.test(name)));
  await removeAll(networks, network);
});

test("members of the request are AWS's, and the token is the create's", async () => {
  const { sent, writer } = recorder({ FlowLogIds: ["fl-1"] });
  const made = await flowLog.create.run(
    writer,
    {
      resourceId: "eni-1",
      resourceType: "NetworkInterface",
      trafficType: "REJECT",
      logDestinationType: "s3",
      logDestination: "arn:aws:s3:::logs/flows/",
      maxAggregationInterval: 60,
      destinationOptions: { fileFormat: "parquet", perHourPartition: true },
      tagFieldSpecifications: [{ resourceType: "instance", tagKeys: ["Name"] }],
      tags: { a: "b" },
    },
    { token: "0123" },
  );
  assert.equal(made.id, "fl-1");
  assert.deepEqual(JSON.parse(JSON.stringify(sent[0]?.input)), {
    ClientToken: "0123",
    ResourceIds: ["eni-1"],
    ResourceType: "NetworkInterface",
    TrafficType: "REJECT",
    LogDestinationType: "s3",
    LogDestination: "arn:aws:s3:::logs/flows/",
    MaxAggregationInterval: 60,
    DestinationOptions: { FileFormat: "parquet", PerHourPartition: true },
    TagFieldSpecifications: [{ ResourceType: "instance", TagKeys: ["Name"] }],
    TagSpecifications: [{ ResourceType: "vpc-flow-log", Tags: [{ Key: "a", Value: "b" }] }],
  });
});

test("a flow log that delivers nothing says why", () => {
  const failed = flowLog.ready({ flowLogStatus: "ACTIVE", deliverLogsStatus: "FAILED", deliverLogsErrorMessage: "Access error" });
  assert.deepEqual(failed, { state: "failed", why: "the flow log delivers nothing: Access error", recreate: false });
  assert.equal(flowLog.ready({ flowLogStatus: "ACTIVE" }).state, "ready");
});

test("a log group's ARN is written as AWS answers it", () => {
  const issues = (logDestination: string) => flowLog.specSchema.partial().safeParse({ logDestination }).error?.issues.length ?? 0;
  assert.deepEqual([issues("arn:aws:logs:r:1:log-group:g"), issues("arn:aws:logs:r:1:log-group:g:*")], [0, 1]);
});

const LOGS = { resourceType: "VPC", trafficType: "ALL", logDestination: "arn:aws:logs:r:1:log-group:g", deliverLogsPermissionArn: "arn:r" };
const S3 = { resourceType: "VPC", trafficType: "ALL", logDestinationType: "s3", logDestination: "arn:aws:s3:::b" };

const rows: readonly { readonly why: string; readonly spec: JsonObject; readonly fields: readonly string[] }[] = [
  { why: "a log group needs a role", spec: { ...LOGS, deliverLogsPermissionArn: undefined }, fields: [""] },
  { why: "a bucket needs none", spec: S3, fields: [] },
  { why: "a flow log goes somewhere", spec: { ...LOGS, logDestination: undefined }, fields: [""] },
  { why: "and to one place", spec: { ...LOGS, logGroupName: "g" }, fields: ["logGroupName"] },
  { why: "a bucket is no log group", spec: { ...S3, logDestination: undefined, logGroupName: "g" }, fields: ["logGroupName"] },
  { why: "only a bucket has files", spec: { ...LOGS, destinationOptions: {} }, fields: ["destinationOptions"] },
  { why: "a VPC's traffic is of a type", spec: { ...S3, trafficType: undefined }, fields: [""] },
  { why: "a transit gateway's is not", spec: { ...S3, resourceType: "TransitGateway" }, fields: ["trafficType"] },
  {
    why: "and it is told every minute",
    spec: { ...S3, resourceType: "TransitGateway", trafficType: undefined, maxAggregationInterval: 600 },
    fields: ["maxAggregationInterval"],
  },
  { why: "what is not known yet is passed over", spec: { ...LOGS, logDestination: { $unknown: "logGroup.g.logGroupArn" } }, fields: [] },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "FlowLog/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      flowLog.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}
