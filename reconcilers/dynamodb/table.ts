import type { PointInTimeRecoverySpecification, TableClass } from "@aws-sdk/client-dynamodb";
import { z } from "zod";
import { type Reader, service, type Writer } from "../../src/aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../../src/aws/tags.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import {
  attributesOut,
  backupsOf,
  capitalized,
  indexOut,
  indexStep,
  keysOut,
  NO_CHANGE,
  nonEmpty,
  sseOf,
  sseOut,
  statusOf,
  streamStep,
  type TableStep,
  throughputStep,
  timeToLiveOf,
  timeToLiveStep,
  valuesOf,
} from "../../src/kind/dynamodb.ts";
import { tableFindings } from "../../src/kind/dynamodb-check.ts";
import {
  attributeName,
  globalIndex,
  indexMembers,
  keySchema,
  NAME,
  onDemandThroughput,
  provisionedThroughput,
} from "../../src/kind/dynamodb-schemas.ts";
import { defineKind, type Effect, type Readiness, type Remote, type Scope } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { policyDocument, policyOf, policyOut } from "../../src/kind/policy.ts";
import { arn } from "../../src/kind/schemas.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { fieldUpdater, tagsUpdater } from "../../src/kind/updaters.ts";

const dynamodb = service("dynamodb", "DynamoDBClient", () => import("@aws-sdk/client-dynamodb"));

const NO_LIMITS = { maxReadRequestUnits: -1, maxWriteRequestUnits: -1 };

const spec = z.strictObject({
  tableName: field(z.string().min(3).max(255).regex(NAME).optional(), {
    doc: "Unique in the account and region; derived when absent.",
    immutable: true,
  }),
  keySchema: field(keySchema(), { doc: "The table's keys.", immutable: true }),
  attributeDefinitions: field(z.record(attributeName(), z.enum(["S", "N", "B"])), {
    doc: "The types of all key attributes, by name: S (string), N (number) or B (binary).",
  }),
  billingMode: field(z.enum(["PROVISIONED", "PAY_PER_REQUEST"]).optional(), {
    doc: "Whether capacity is reserved, or paid by request; AWS's default is PROVISIONED.",
  }),
  provisionedThroughput: field(provisionedThroughput().optional(), { doc: "The capacity, with billing mode PROVISIONED." }),
  onDemandThroughput: field(onDemandThroughput().optional(), { doc: "Limits, with billing mode PAY_PER_REQUEST.", unset: NO_LIMITS }),
  globalSecondaryIndexes: field(z.array(globalIndex).max(20).optional(), {
    doc: "Indexes with keys of their own.",
    compare: { keyed: "indexName" },
    unset: [],
  }),
  localSecondaryIndexes: field(z.array(z.strictObject(indexMembers())).max(5).optional(), {
    doc: "Indexes with the table's partition key and another sort key.",
    compare: { keyed: "indexName" },
    immutable: true,
  }),
  streamSpecification: field(
    z
      .strictObject({
        streamEnabled: field(z.boolean(), { doc: "Whether changes are recorded in a stream." }),
        streamViewType: field(z.enum(["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"]).optional(), {
          doc: "What the stream records of a changed item.",
        }),
      })
      .optional(),
    { doc: "The table's stream.", unset: { streamEnabled: false } },
  ),
  sseSpecification: field(
    z
      .strictObject({
        enabled: field(z.boolean(), { doc: "Whether a KMS key encrypts the table, rather than one AWS owns." }),
        sseType: field(z.enum(["KMS"]).optional(), { doc: "Always KMS." }),
        kmsMasterKeyId: field(arn("kms").optional(), { doc: "The ARN of the key; the account's aws/dynamodb key when absent." }),
      })
      .optional(),
    { doc: "Encryption at rest.", unset: { enabled: false } },
  ),
  timeToLiveSpecification: field(
    z
      .strictObject({
        enabled: field(z.boolean(), { doc: "Whether expired items are deleted." }),
        attributeName: field(attributeName().optional(), { doc: "The attribute that holds an item's expiry, in epoch seconds." }),
      })
      .optional(),
    { doc: "Expiry of items.", unset: { enabled: false } },
  ),
  pointInTimeRecoverySpecification: field(
    z
      .strictObject({
        pointInTimeRecoveryEnabled: field(z.boolean(), { doc: "Whether the table can be restored to any second." }),
        recoveryPeriodInDays: field(z.int().min(1).max(35).optional(), { doc: "How far back; 35 days when absent." }),
      })
      .optional(),
    { doc: "Continuous backups.", unset: { pointInTimeRecoveryEnabled: false } },
  ),
  tableClass: field(z.enum(["STANDARD", "STANDARD_INFREQUENT_ACCESS"]).optional(), { doc: "What storage costs.", unset: "STANDARD" }),
  deletionProtectionEnabled: field(z.boolean().optional(), { doc: "Whether AWS refuses to delete the table.", unset: false }),
  // "The maximum size is 20 KB" (DynamoDB API Reference, PutResourcePolicy).
  resourcePolicy: field(policyDocument({ of: "resource", bytesMax: 20 * 1024 }).optional(), {
    doc: "Who else may use the table: an IAM policy.",
    compare: "iam-policy",
    unset: null,
  }),
  tags: tags(),
});

const status = z.strictObject({
  tableName: field(z.string(), { doc: "The name of the table." }),
  tableArn: field(z.string(), { doc: "The ARN of the table." }),
  tableId: field(z.string().optional(), { doc: "A unique ID: a table of the same name that is made later has another." }),
  tableStatus: field(z.string(), { doc: "CREATING, UPDATING, ACTIVE, DELETING or, when something is wrong, another." }),
  indexStatuses: field(z.record(z.string(), z.string()), { doc: "The global secondary indexes' statuses by name." }),
  latestStreamArn: field(z.string().optional(), { doc: "The ARN of the stream." }),
  latestStreamLabel: field(z.string().optional(), { doc: "When the stream was made: unique among the table's streams." }),
});

const NOT_FOUND = ["ResourceNotFoundException", "TableNotFoundException"];

export const table = defineKind({
  apiVersion: "dynamodb.aws/v1",
  kind: "Table",
  doc: "A DynamoDB table with its indexes, stream, expiry and backups.",
  spec,
  status,
  id: "tableName",
  identity: { by: "name", key: ["tableName"], name: { field: "tableName", maxLength: 255 }, nameIsInterface: true },
  stateful: true,
  deviations: [
    "Key schemas are `{hash, range}`, and `attributeDefinitions` is a map from name to type.",
    "Expiry and continuous backups, calls of their own at AWS, are fields here.",
    "Keys are named by their ARNs, because that is how AWS answers.",
    "Replicas (global tables), warm throughput and vector indexes are not supported.",
    "A table with `deletionProtectionEnabled` is not deleted before that is switched off.",
  ],
  errors: {
    notFound: NOT_FOUND,
    exists: ["ResourceInUseException", "TableAlreadyExistsException"],
    wait: ["ResourceInUseException", "TableInUseException", "LimitExceededException", "ContinuousBackupsUnavailableException"],
  },
  list: {
    operations: [
      "tag:GetResources",
      "dynamodb:DescribeTable",
      "dynamodb:ListTagsOfResource",
      "dynamodb:DescribeTimeToLive",
      "dynamodb:DescribeContinuousBackups",
      "dynamodb:GetResourcePolicy",
    ],
    run: list,
  },
  create: {
    operations: ["dynamodb:CreateTable"],
    run: async (aws, desired) => {
      const own = desired.tags ?? {};
      const answer = await aws.write(dynamodb, "CreateTable", {
        TableName: desired.tableName as string,
        KeySchema: keysOut(desired.keySchema),
        AttributeDefinitions: attributesOut(desired.attributeDefinitions),
        BillingMode: desired.billingMode,
        ProvisionedThroughput: capitalized(desired.provisionedThroughput),
        OnDemandThroughput: capitalized(desired.onDemandThroughput),
        GlobalSecondaryIndexes: nonEmpty(desired.globalSecondaryIndexes?.map(indexOut)),
        LocalSecondaryIndexes: nonEmpty(desired.localSecondaryIndexes?.map(indexOut)),
        StreamSpecification: capitalized(desired.streamSpecification),
        SSESpecification: sseOut(desired.sseSpecification),
        TableClass: desired.tableClass,
        DeletionProtectionEnabled: desired.deletionProtectionEnabled,
        ResourcePolicy: policyOut(desired.resourcePolicy),
        Tags: nonEmpty(toTagList(own)),
      });
      const created = answer.TableDescription ?? {};
      // A new table neither expires items nor keeps continuous backups.
      const values = {
        timeToLiveSpecification: { enabled: false },
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false },
      };
      const policy = desired.resourcePolicy === undefined ? {} : { resourcePolicy: desired.resourcePolicy as Json };
      return { id: String(created.TableName), values: { ...valuesOf(created), ...values, ...policy, tags: own } };
    },
  },
  // AWS takes one change of a table at a time; between two the table is looked at until it is ready again.
  updates: [
    {
      fields: ["deletionProtectionEnabled"],
      operations: ["dynamodb:UpdateTable"],
      run: (aws, { id, changes }) => {
        const deletionProtectionEnabled = changes.deletionProtectionEnabled?.after === true;
        const request = { DeletionProtectionEnabled: deletionProtectionEnabled };
        return updateTable(aws, id, { request, values: { deletionProtectionEnabled } });
      },
    },
    {
      fields: ["billingMode", "provisionedThroughput", "onDemandThroughput"],
      operations: ["dynamodb:UpdateTable"],
      run: (aws, { id, desired, observed, changes }) =>
        updateTable(aws, id, throughputStep({ ...desired, ...aftersOf(changes) }, observed)),
    },
    {
      fields: ["attributeDefinitions", "globalSecondaryIndexes"],
      operations: ["dynamodb:UpdateTable"],
      run: (aws, { id, desired, observed, changes }) =>
        updateTable(aws, id, indexStep({ ...desired, ...aftersOf(changes) }, observed, changes.globalSecondaryIndexes ?? NO_CHANGE)),
    },
    {
      fields: ["streamSpecification"],
      operations: ["dynamodb:UpdateTable"],
      run: (aws, { id, changes }) =>
        updateTable(aws, id, streamStep(changes.streamSpecification?.before, changes.streamSpecification?.after)),
    },
    {
      fields: ["sseSpecification"],
      operations: ["dynamodb:UpdateTable"],
      run: async (aws, { id, changes }) => {
        const { after } = changes.sseSpecification ?? {};
        const wanted = isObject(after) && after.enabled === true ? after : { enabled: false };
        const { TableDescription: found = {} } = await aws.write(dynamodb, "UpdateTable", {
          TableName: id,
          SSESpecification: sseOut(wanted),
        });
        const sseSpecification = wanted.enabled ? { ...sseOf(found.SSEDescription), ...wanted } : wanted;
        return { values: { sseSpecification, ...statusOf(found) } };
      },
    },
    {
      fields: ["tableClass"],
      operations: ["dynamodb:UpdateTable"],
      run: (aws, { id, changes }) => {
        const tableClass = (changes.tableClass?.after ?? "STANDARD") as TableClass;
        return updateTable(aws, id, { request: { TableClass: tableClass }, values: { tableClass } });
      },
    },
    {
      fields: ["timeToLiveSpecification"],
      operations: ["dynamodb:UpdateTimeToLive"],
      run: async (aws, { id, changes }) => {
        const { before, after } = changes.timeToLiveSpecification ?? {};
        const step = timeToLiveStep(isObject(before) ? before : {}, isObject(after) ? after : {});
        await aws.write(dynamodb, "UpdateTimeToLive", {
          TableName: id,
          TimeToLiveSpecification: { Enabled: step.enabled, AttributeName: step.attributeName },
        });
        return { values: { timeToLiveSpecification: step.enabled ? step : { enabled: false } } };
      },
    },
    {
      fields: ["pointInTimeRecoverySpecification"],
      operations: ["dynamodb:UpdateContinuousBackups"],
      run: async (aws, { id, changes }) => {
        const { after } = changes.pointInTimeRecoverySpecification ?? {};
        const wanted = isObject(after) && after.pointInTimeRecoveryEnabled === true ? after : { pointInTimeRecoveryEnabled: false };
        const answer = await aws.write(dynamodb, "UpdateContinuousBackups", {
          TableName: id,
          PointInTimeRecoverySpecification: capitalized(wanted) as unknown as PointInTimeRecoverySpecification,
        });
        const now = backupsOf(answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription);
        return { values: { pointInTimeRecoverySpecification: wanted.pointInTimeRecoveryEnabled ? { ...now, ...wanted } : wanted } };
      },
    },
    fieldUpdater("resourcePolicy", ["dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"], (aws, { observed }, policy) => {
      const ResourceArn = observed.tableArn as string;
      return policy === null
        ? aws.write(dynamodb, "DeleteResourcePolicy", { ResourceArn })
        : aws.write(dynamodb, "PutResourcePolicy", { ResourceArn, Policy: policyOut(policy) });
    }),
    tagsUpdater({
      operations: ["dynamodb:TagResource", "dynamodb:UntagResource"],
      set: (aws, { observed }, set) =>
        aws.write(dynamodb, "TagResource", { ResourceArn: observed.tableArn as string, Tags: toTagList(set) }),
      remove: (aws, { observed }, TagKeys) => aws.write(dynamodb, "UntagResource", { ResourceArn: observed.tableArn as string, TagKeys }),
    }),
  ],
  delete: {
    operations: ["dynamodb:DeleteTable"],
    run: async (aws, { id }) => void (await aws.write(dynamodb, "DeleteTable", { TableName: id })),
  },
  ready,
  check: (resources) => resources.flatMap((resource) => [...tableFindings(resource)]),
});

/** The new values of what changes; what has left the manifest has none. */
function aftersOf(changes: Readonly<Record<string, FieldChange>>): object {
  return Object.fromEntries(Object.entries(changes).map(([name, { after }]) => [name, after ?? undefined]));
}

async function updateTable(aws: Writer, id: string, step: TableStep): Promise<Effect> {
  const answer = await aws.write(dynamodb, "UpdateTable", { TableName: id, ...step.request });
  return { values: { ...step.values, ...statusOf(answer.TableDescription ?? {}) } };
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  return listInScope<Remote>(scope, {
    id: (remote) => remote.id,
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "dynamodb:table", wanted);
      for (const [resource, own] of tagged) known.set(nameOf(resource), own);
      return describeAll(aws, [...tagged.keys()].map(nameOf), scope.fields, known);
    },
    byIds: (ids) => describeAll(aws, ids, scope.fields, known),
    byNames: (names) =>
      describeAll(
        aws,
        names.map(({ tableName }) => String(tableName)),
        scope.fields,
        known,
      ),
    matches: (remote, name) => remote.id === name.tableName,
  });
}

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`. */
function nameOf(resource: string): string {
  return resource.slice(resource.indexOf("/") + 1);
}

async function describeAll(aws: Reader, names: readonly string[], fields: Scope["fields"], known: ReadonlyMap<string, Tags>) {
  const found = await Promise.all([...new Set(names)].map((name) => describe(aws, name, fields, known.get(name))));
  return found.filter((remote) => remote !== undefined);
}

async function describe(aws: Reader, name: string, fields: Scope["fields"], known: Tags | undefined): Promise<Remote | undefined> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(dynamodb, "DescribeTable", { TableName: name }));
  const object = answer?.Table;
  if (!object) return undefined;
  const resource = String(object.TableArn);
  const [own, ...parts] = await Promise.all([
    known ?? tagsOf(aws, resource),
    fields.has("timeToLiveSpecification") ? expiry(aws, name) : {},
    fields.has("pointInTimeRecoverySpecification") ? backups(aws, name) : {},
    fields.has("resourcePolicy") ? policy(aws, resource) : {},
  ]);
  return {
    id: name,
    values: defined({ ...valuesOf(object), ...Object.assign({}, ...parts), tags: own }),
    tags: own,
    ...(object.TableStatus === "DELETING" ? { deleting: true as const } : {}),
  };
}

// A table that was just made is not yet among the tagged resources: it is asked itself.
async function tagsOf(aws: Reader, ResourceArn: string): Promise<Tags> {
  const found = await unlessNamed(NOT_FOUND, aws.pages(dynamodb, "ListTagsOfResource", { ResourceArn }, "Tags"));
  return fromTagList(found);
}

async function expiry(aws: Reader, TableName: string): Promise<JsonObject> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(dynamodb, "DescribeTimeToLive", { TableName }));
  return { timeToLiveSpecification: timeToLiveOf(answer?.TimeToLiveDescription) };
}

async function backups(aws: Reader, TableName: string): Promise<JsonObject> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(dynamodb, "DescribeContinuousBackups", { TableName }));
  return { pointInTimeRecoverySpecification: backupsOf(answer?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription) };
}

async function policy(aws: Reader, ResourceArn: string): Promise<JsonObject> {
  const none = [...NOT_FOUND, "PolicyNotFoundException"];
  const answer = await unlessNamed(none, aws.read(dynamodb, "GetResourcePolicy", { ResourceArn }));
  return answer?.Policy === undefined ? {} : { resourcePolicy: policyOf(answer.Policy) as Json };
}

function ready({
  tableStatus,
  indexStatuses,
}: {
  tableStatus?: string | undefined;
  indexStatuses?: Record<string, string> | undefined;
}): Readiness {
  if (tableStatus === "INACCESSIBLE_ENCRYPTION_CREDENTIALS") {
    return { state: "failed", why: "DynamoDB cannot use the table's KMS key", recreate: false };
  }
  if (tableStatus?.startsWith("ARCHIV")) return { state: "failed", why: `the table is ${tableStatus}`, recreate: false };
  if (tableStatus !== undefined && tableStatus !== "ACTIVE") return { state: "waiting", why: `the table is ${tableStatus}` };
  const busy = Object.entries(indexStatuses ?? {}).find(([, state]) => state !== "ACTIVE");
  return busy ? { state: "waiting", why: `the index ${busy[0]} is ${busy[1]}` } : { state: "ready" };
}
