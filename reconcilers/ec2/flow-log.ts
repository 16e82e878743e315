import type { FlowLog } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { AwsError } from "../../src/aws/errors.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { isUnknown } from "../../src/core/unknown.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type Readiness, type StaticResource } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { arn } from "../../src/kind/schemas.ts";

const TYPES = [
  ...["VPC", "Subnet", "NetworkInterface", "TransitGateway", "TransitGatewayAttachment", "RegionalNatGateway"],
  ...["CoreNetwork", "CoreNetworkEdge", "CoreNetworkAttachment"],
] as const;
// EC2 API Reference, CreateFlowLogs: a transit gateway's log has all traffic, in records of a minute.
const WITHOUT_TRAFFIC_TYPE: readonly unknown[] = ["TransitGateway", "TransitGatewayAttachment"];

const spec = z.strictObject({
  resourceId: field(z.string().min(1), { doc: "What is watched.", immutable: true, ref: "ec2.aws/v1 VPC.vpcId" }),
  resourceType: field(z.enum(TYPES as unknown as [(typeof TYPES)[number], ...(typeof TYPES)[number][]]), {
    doc: "What it is.",
    setting: true,
  }),
  trafficType: field(z.enum(["ACCEPT", "REJECT", "ALL"]).optional(), { doc: "Which traffic is logged.", immutable: true }),
  logDestinationType: field(z.enum(["cloud-watch-logs", "s3", "kinesis-data-firehose"]).optional(), {
    doc: "Where the log goes; cloud-watch-logs when absent.",
    immutable: true,
  }),
  // A successor with the same destination is refused while its predecessor is there.
  logDestination: field(
    z
      .string()
      .min(1)
      .regex(/^arn:aws[a-z-]*:(logs|s3|firehose):/, "must be the ARN of a log group, a bucket or a delivery stream")
      .regex(/(?<!:\*)$/, "must be written without :* at its end, as AWS answers")
      .optional(),
    {
      doc: "The ARN of the log group, the bucket (a folder may follow) or the stream.",
      immutable: true,
      exclusive: true,
      ref: "logs.aws/v1 LogGroup.logGroupArn",
    },
  ),
  logGroupName: field(z.string().min(1).max(512).optional(), {
    doc: "The log group's name, instead of its ARN.",
    immutable: true,
    exclusive: true,
    ref: "logs.aws/v1 LogGroup.logGroupName",
  }),
  deliverLogsPermissionArn: field(arn("iam").optional(), {
    doc: "The role that writes to the log group.",
    immutable: true,
    ref: "iam.aws/v1 Role.arn",
  }),
  deliverCrossAccountRole: field(arn("iam").optional(), {
    doc: "The role that reaches a log group or stream of another account.",
    immutable: true,
  }),
  logFormat: field(z.string().min(1).optional(), {
    doc: "The fields of a record, `$${srcaddr} $${dstaddr}`; AWS's default when absent.",
    immutable: true,
  }),
  maxAggregationInterval: field(z.literal([60, 600]).optional(), { doc: "Over how many seconds records are gathered.", immutable: true }),
  destinationOptions: field(
    z
      .strictObject({
        fileFormat: field(z.enum(["plain-text", "parquet"]).optional(), { doc: "The files' format." }),
        hiveCompatiblePartitions: field(z.boolean().optional(), { doc: "Whether folders are named as Hive names them." }),
        perHourPartition: field(z.boolean().optional(), { doc: "Whether each hour has a folder of its own." }),
      })
      .optional(),
    { doc: "Of files in a bucket.", immutable: true },
  ),
  tagFieldSpecifications: field(
    z
      .array(
        z.strictObject({
          resourceType: field(z.enum(["network-interface", "instance", "auto-scaling-group"]), { doc: "Whose tags." }),
          tagKeys: field(z.array(z.string().min(1).max(128)).min(1).max(2), { doc: "Which tags.", compare: "set" }),
        }),
      )
      .min(1)
      .max(3)
      .optional(),
    { doc: "Tags that records tell.", immutable: true, compare: { keyed: "resourceType" } },
  ),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  flowLogId: field(z.string(), { doc: "The ID of the flow log." }),
  flowLogStatus: field(z.string().optional(), { doc: "ACTIVE." }),
  deliverLogsStatus: field(z.string().optional(), { doc: "SUCCESS or FAILED, once something was delivered." }),
  deliverLogsErrorMessage: field(z.string().optional(), { doc: "Why nothing is delivered." }),
});

export const flowLog = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "FlowLog",
  doc: "Records the traffic of a VPC, a subnet, a network interface or a transit gateway.",
  spec,
  status,
  id: "flowLogId",
  identity: { by: "token", consistencyMs: EC2_CONSISTENCY_MS },
  deviations: [
    "A flow log watches one resource, `resourceId`; AWS's call takes several.",
    "AWS does not tell `resourceType`, which follows from the ID: it is sent at the create, and never compared.",
    "In `logFormat`, as everywhere, AWS's own $" + "{...} is written $$" + "{...}.",
  ],
  errors: {
    notFound: ["InvalidFlowLogId.NotFound"],
    // A role that was just made cannot be taken on yet.
    propagating: [
      "InvalidParameter: unable to assume",
      "InvalidVpcID.NotFound",
      "InvalidSubnetID.NotFound",
      "InvalidNetworkInterfaceID.NotFound",
    ],
  },
  list: {
    operations: ["ec2:DescribeFlowLogs"],
    run: async (aws, scope) => {
      const finders = ec2Finders<FlowLog>(
        (Filter) => aws.pages(ec2, "DescribeFlowLogs", { Filter, MaxResults: 1000 }, "FlowLogs"),
        "flow-log-id",
        (object) => object.FlowLogId,
      );
      const found = await listInScope(scope, finders);
      return found.map((object) => ({ id: String(object.FlowLogId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:CreateFlowLogs"],
    run: async (aws, desired, { token }) => {
      const { destinationOptions, tagFieldSpecifications } = desired;
      const answer = await aws.write(ec2, "CreateFlowLogs", {
        ClientToken: token,
        ResourceIds: [desired.resourceId],
        ResourceType: desired.resourceType,
        TrafficType: desired.trafficType,
        LogDestinationType: desired.logDestinationType,
        LogDestination: desired.logDestination,
        LogGroupName: desired.logGroupName,
        DeliverLogsPermissionArn: desired.deliverLogsPermissionArn,
        DeliverCrossAccountRole: desired.deliverCrossAccountRole,
        LogFormat: desired.logFormat,
        MaxAggregationInterval: desired.maxAggregationInterval,
        DestinationOptions: destinationOptions && {
          FileFormat: destinationOptions.fileFormat,
          HiveCompatiblePartitions: destinationOptions.hiveCompatiblePartitions,
          PerHourPartition: destinationOptions.perHourPartition,
        },
        TagFieldSpecifications: tagFieldSpecifications?.map(({ resourceType, tagKeys }) => ({
          ResourceType: resourceType,
          TagKeys: tagKeys,
        })),
        TagSpecifications: tagSpecifications("vpc-flow-log", desired.tags),
      });
      throwUnsuccessful("ec2:CreateFlowLogs", answer.Unsuccessful);
      const { resourceType: _untold, ...declared } = desired;
      const own = desired.tags ?? {};
      return {
        id: String(answer.FlowLogIds?.[0]),
        values: { flowLogId: String(answer.FlowLogIds?.[0]), ...(declared as JsonObject), tags: own },
      };
    },
  },
  updates: [ec2Tags()],
  delete: {
    operations: ["ec2:DeleteFlowLogs"],
    run: async (aws, { id }) => {
      const answer = await aws.write(ec2, "DeleteFlowLogs", { FlowLogIds: [id] });
      throwUnsuccessful("ec2:DeleteFlowLogs", answer.Unsuccessful);
    },
  },
  ready: ({ deliverLogsStatus, deliverLogsErrorMessage }): Readiness => {
    if (deliverLogsStatus !== "FAILED") return { state: "ready" };
    const why = `the flow log delivers nothing: ${deliverLogsErrorMessage ?? "AWS does not say why"}`;
    return { state: "failed", why, recreate: false };
  },
  check: (resources) => resources.flatMap((resource) => [...findings(resource)]),
});

type Unsuccessful = readonly {
  readonly ResourceId?: string | undefined;
  readonly Error?: { readonly Code?: string | undefined; readonly Message?: string | undefined } | undefined;
}[];

/** These calls succeed even where they did nothing, and say so inside. */
function throwUnsuccessful(operation: string, unsuccessful: Unsuccessful = []): void {
  const [first] = unsuccessful;
  if (!first) return;
  const { Code = "Unknown", Message = "AWS does not say why" } = first.Error ?? {};
  throw new AwsError(Code, Message, { operation, verdict: "refused", status: 200 });
}

function valuesOf(object: FlowLog): JsonObject {
  const { DestinationOptions: options, TagFieldSpecifications: tagFields = [] } = object;
  return defined({
    flowLogId: object.FlowLogId,
    flowLogStatus: object.FlowLogStatus,
    deliverLogsStatus: object.DeliverLogsStatus,
    deliverLogsErrorMessage: object.DeliverLogsErrorMessage,
    resourceId: object.ResourceId,
    trafficType: object.TrafficType,
    logDestinationType: object.LogDestinationType,
    logDestination: object.LogDestination?.replace(/:\*$/, ""),
    logGroupName: object.LogGroupName,
    deliverLogsPermissionArn: object.DeliverLogsPermissionArn,
    deliverCrossAccountRole: object.DeliverCrossAccountRole,
    logFormat: object.LogFormat,
    maxAggregationInterval: object.MaxAggregationInterval,
    destinationOptions:
      options &&
      defined({
        fileFormat: options.FileFormat,
        hiveCompatiblePartitions: options.HiveCompatiblePartitions,
        perHourPartition: options.PerHourPartition,
      }),
    tagFieldSpecifications:
      tagFields.length > 0
        ? tagFields.map(({ ResourceType, TagKeys }) => defined({ resourceType: ResourceType, tagKeys: TagKeys }))
        : undefined,
    tags: fromTagList(object.Tags),
  });
}

function* findings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const { logDestination, logGroupName, logDestinationType: type, trafficType, resourceType } = declared;
  if (isUnknown(type)) return;
  const toLogs = type === undefined || type === "cloud-watch-logs";
  if (logDestination === undefined && logGroupName === undefined) {
    yield { resource: key, field: "", message: `${key} goes nowhere`, hint: "set `logDestination`" };
  }
  if (logDestination !== undefined && logGroupName !== undefined) {
    yield { resource: key, field: "logGroupName", message: `${key} has two destinations`, hint: "leave one of them out" };
  }
  if (!toLogs && logGroupName !== undefined) yield { resource: key, field: "logGroupName", message: `${key} goes to no log group` };
  if (toLogs && declared.deliverLogsPermissionArn === undefined) {
    const message = `${key} needs a role that writes to the log group`;
    yield { resource: key, field: "", message, hint: "set `deliverLogsPermissionArn`" };
  }
  if (type !== "s3" && declared.destinationOptions !== undefined) {
    yield { resource: key, field: "destinationOptions", message: `${key} goes to no bucket, and has no files` };
  }
  const isTransit = WITHOUT_TRAFFIC_TYPE.includes(resourceType);
  if (isTransit && trafficType !== undefined) {
    yield { resource: key, field: "trafficType", message: `a transit gateway's flow log has all traffic: leave \`trafficType\` out` };
  }
  if (!isTransit && trafficType === undefined && typeof resourceType === "string") {
    yield { resource: key, field: "", message: `${key} needs a \`trafficType\``, hint: "set `trafficType: ALL`" };
  }
  if (isTransit && declared.maxAggregationInterval === 600) {
    yield { resource: key, field: "maxAggregationInterval", message: "a transit gateway's flow log gathers records over 60 seconds" };
  }
}
