import type { LogGroup } from "@aws-sdk/client-cloudwatch-logs";
import { z } from "zod";
import { type Reader, service } from "../../src/aws/service.ts";
import { type Tags, withoutAwsTags } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { chunks, defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { arn } from "../../src/kind/schemas.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { fieldUpdater, tagsUpdater } from "../../src/kind/updaters.ts";

const logs = service("logs", "CloudWatchLogsClient", () => import("@aws-sdk/client-cloudwatch-logs"));

// CloudWatch Logs API Reference, PutRetentionPolicy.
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;

const NOT_FOUND = ["ResourceNotFoundException"];

const spec = z.strictObject({
  logGroupName: field(
    z
      .string()
      .min(1)
      .max(512)
      .regex(/^[.\-_/#A-Za-z0-9]+$/)
      .regex(/^(?!aws\/)/, "must not begin with aws/")
      .optional(),
    { doc: "Unique in the region; derived when absent.", immutable: true },
  ),
  logGroupClass: field(z.enum(["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]).optional(), {
    doc: "What the group can do, and costs.",
    immutable: true,
  }),
  retentionInDays: field(z.literal(RETENTION_DAYS).optional(), { doc: "How long events are kept; for ever when absent.", unset: null }),
  kmsKeyId: field(arn("kms").max(256).optional(), { doc: "The ARN of the KMS key that encrypts it.", unset: null }),
  deletionProtectionEnabled: field(z.boolean().optional(), { doc: "Whether AWS refuses to delete it.", unset: false }),
  tags: tags(),
});

const status = z.strictObject({
  logGroupName: field(z.string(), { doc: "The name of the log group." }),
  logGroupArn: field(z.string(), { doc: "The ARN of the log group." }),
});

export const logGroup = defineKind({
  apiVersion: "logs.aws/v1",
  kind: "LogGroup",
  doc: "Where log streams are kept, and for how long.",
  shortNames: ["lg"],
  spec,
  status,
  id: "logGroupName",
  identity: { by: "name", key: ["logGroupName"], name: { field: "logGroupName", maxLength: 512 }, nameIsInterface: true },
  deviations: ["`retentionInDays`, a call of its own at AWS, is a field here."],
  errors: {
    notFound: NOT_FOUND,
    exists: ["ResourceAlreadyExistsException"],
    wait: ["OperationAbortedException"],
  },
  list: { operations: ["tag:GetResources", "logs:DescribeLogGroups", "logs:ListTagsForResource"], run: list },
  create: {
    operations: ["logs:CreateLogGroup"],
    run: async (aws, desired) => {
      const name = desired.logGroupName as string;
      const [logGroupClass, deletionProtectionEnabled] = [desired.logGroupClass, desired.deletionProtectionEnabled];
      const own = desired.tags ?? {};
      const request = { logGroupName: name, kmsKeyId: desired.kmsKeyId, logGroupClass, deletionProtectionEnabled };
      await aws.write(logs, "CreateLogGroup", { ...request, ...(Object.keys(own).length > 0 ? { tags: own } : {}) });
      const known = {
        ...request,
        logGroupClass: logGroupClass ?? "STANDARD",
        deletionProtectionEnabled: deletionProtectionEnabled ?? false,
      };
      return { id: name, values: { ...defined(known), tags: own } };
    },
  },
  updates: [
    fieldUpdater("retentionInDays", ["logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"], (aws, { id }, days) =>
      days === null
        ? aws.write(logs, "DeleteRetentionPolicy", { logGroupName: id })
        : aws.write(logs, "PutRetentionPolicy", { logGroupName: id, retentionInDays: days as number }),
    ),
    fieldUpdater("kmsKeyId", ["logs:AssociateKmsKey", "logs:DisassociateKmsKey"], (aws, { id }, key) =>
      key === null
        ? aws.write(logs, "DisassociateKmsKey", { logGroupName: id })
        : aws.write(logs, "AssociateKmsKey", { logGroupName: id, kmsKeyId: key as string }),
    ),
    fieldUpdater("deletionProtectionEnabled", ["logs:PutLogGroupDeletionProtection"], (aws, { id }, enabled) =>
      aws.write(logs, "PutLogGroupDeletionProtection", { logGroupIdentifier: id, deletionProtectionEnabled: enabled as boolean }),
    ),
    tagsUpdater({
      operations: ["logs:TagResource", "logs:UntagResource"],
      set: (aws, { observed }, set) => aws.write(logs, "TagResource", { resourceArn: observed.logGroupArn as string, tags: { ...set } }),
      remove: (aws, { observed }, tagKeys) => aws.write(logs, "UntagResource", { resourceArn: observed.logGroupArn as string, tagKeys }),
    }),
  ],
  delete: {
    operations: ["logs:DeleteLogGroup"],
    run: async (aws, { id }) => void (await aws.write(logs, "DeleteLogGroup", { logGroupName: id })),
  },
});

/** The API filters neither by tag nor by several prefixes: tags say which groups are ours, and details come in batches of names. */
async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const known = new Map<string, Tags>();
  const found = await listInScope<LogGroup>(scope, {
    id: (group) => group.logGroupName,
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "logs", wanted);
      for (const [resource, own] of tagged) {
        const name = nameOf(resource);
        if (name !== undefined) known.set(name, own);
      }
      return describe(
        aws,
        [...tagged.keys()].flatMap((resource) => nameOf(resource) ?? []),
      );
    },
    byIds: (ids) => describe(aws, ids),
    byNames: (names) =>
      describe(
        aws,
        names.map(({ logGroupName }) => String(logGroupName)),
      ),
    matches: (group, name) => group.logGroupName === name.logGroupName,
  });
  return Promise.all(found.map((group) => remote(aws, group, known.get(String(group.logGroupName)))));
}

/** `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, with or without `:*`; other resources of the service have no such name. */
function nameOf(resource: string): string | undefined {
  return /:log-group:([^:]+)/.exec(resource)?.[1];
}

// "logGroupIdentifiers: at most 50" (CloudWatch Logs API Reference, DescribeLogGroups).
const IDENTIFIERS_MAX = 50;

async function describe(aws: Reader, names: readonly string[]): Promise<LogGroup[]> {
  const wanted = new Set(names);
  const batches = chunks([...wanted], IDENTIFIERS_MAX);
  const pages = await Promise.all(
    batches.map((logGroupIdentifiers) => aws.pages(logs, "DescribeLogGroups", { logGroupIdentifiers }, "logGroups")),
  );
  return pages.flat().filter((group) => wanted.has(String(group.logGroupName)));
}

// A group that was just made is not yet among the tagged resources: it is asked itself.
async function remote(aws: Reader, group: LogGroup, known: Tags | undefined): Promise<Remote> {
  const values = valuesOf(group);
  const own = known ?? (await tagsOf(aws, values.logGroupArn as string));
  return { id: String(group.logGroupName), values: { ...values, tags: own }, tags: own };
}

async function tagsOf(aws: Reader, resourceArn: string): Promise<Tags> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(logs, "ListTagsForResource", { resourceArn }));
  return withoutAwsTags(answer?.tags ?? {});
}

function valuesOf(group: LogGroup): JsonObject {
  return defined({
    logGroupName: group.logGroupName,
    logGroupArn: group.logGroupArn ?? group.arn?.replace(/:\*$/, ""),
    logGroupClass: group.logGroupClass ?? "STANDARD",
    retentionInDays: group.retentionInDays,
    kmsKeyId: group.kmsKeyId,
    deletionProtectionEnabled: group.deletionProtectionEnabled ?? false,
  });
}
