/**
 * A bucket's configurations: each is read, written and taken away by calls of its own, which differ in their names only.
 *
 * What a manifest says is turned into S3's words and back along the field's shape.
 */

import { type Reader, service, type Writer } from "../aws/service.ts";
import { fromTagList, toTagList } from "../aws/tags.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ObjectShape, Shape } from "../core/shape.ts";
import type { OperationName, Target, Updater } from "./kind.ts";
import { unlessNamed } from "./listing.ts";
import { policyOf, policyOut } from "./policy.ts";
import { upper } from "./words.ts";

/** S3, loaded at its first call. A local AWS has no host name for each bucket. */
export const s3 = service("s3", "S3Client", () => import("@aws-sdk/client-s3"), { atOwnEndpoint: { forcePathStyle: true } });

/** What S3 says of a bucket that does not exist; the answer to HeadBucket has no body, and no name but its status. */
export const NOT_FOUND = ["NoSuchBucket", "NotFound"];

type Answer = Readonly<Record<string, unknown>>;

/** One configuration of a bucket. */
export type Part = {
  readonly field: string;
  readonly get: string;
  /** What S3 says where nothing is configured, and what then holds. */
  readonly none?: { readonly error?: string; readonly is?: Json };
  /** The field in an answer, in S3's words. */
  readonly read: (answer: Answer) => unknown;
  readonly put: string;
  /** The members of a request, from the field in S3's words; undefined where nothing shall be configured. */
  readonly write: (value: unknown) => object;
  /** The call that takes it away, where `put` does not. */
  readonly remove?: string;
  /** How S3 spells `id`. */
  readonly id?: "ID" | "Id";
};

type Members = { readonly [name: string]: unknown };

const inRules = (rule: unknown) => ({ Rules: [rule] });
const firstRule = (configuration: unknown) => ((configuration as Members | undefined)?.Rules as unknown[] | undefined)?.[0];
const same = (answer: Answer) => answer;

/** Every configuration, in the order in which one may depend on another. */
export const PARTS: readonly Part[] = [
  {
    field: "objectOwnership",
    get: "GetBucketOwnershipControls",
    none: { error: "OwnershipControlsNotFoundError", is: "ObjectWriter" },
    read: ({ OwnershipControls }) => (firstRule(OwnershipControls) as Members | undefined)?.ObjectOwnership,
    put: "PutBucketOwnershipControls",
    write: (ObjectOwnership) => ({ OwnershipControls: inRules({ ObjectOwnership }) }),
  },
  {
    field: "publicAccessBlockConfiguration",
    get: "GetPublicAccessBlock",
    none: {
      error: "NoSuchPublicAccessBlockConfiguration",
      is: { blockPublicAcls: false, ignorePublicAcls: false, blockPublicPolicy: false, restrictPublicBuckets: false },
    },
    read: ({ PublicAccessBlockConfiguration }) => PublicAccessBlockConfiguration,
    put: "PutPublicAccessBlock",
    write: (PublicAccessBlockConfiguration) => ({ PublicAccessBlockConfiguration }),
  },
  {
    field: "policy",
    get: "GetBucketPolicy",
    none: { error: "NoSuchBucketPolicy" },
    read: ({ Policy }) => Policy,
    put: "PutBucketPolicy",
    write: (Policy) => ({ Policy }),
    remove: "DeleteBucketPolicy",
  },
  {
    field: "serverSideEncryptionConfiguration",
    get: "GetBucketEncryption",
    none: { error: "ServerSideEncryptionConfigurationNotFoundError" },
    read: ({ ServerSideEncryptionConfiguration }) => firstRule(ServerSideEncryptionConfiguration),
    put: "PutBucketEncryption",
    write: (rule) => ({ ServerSideEncryptionConfiguration: inRules(rule) }),
  },
  // A bucket that was never versioned keeps no versions, like one whose versioning is suspended; and so with acceleration.
  {
    field: "versioningConfiguration",
    get: "GetBucketVersioning",
    read: ({ Status }) => ({ Status: Status ?? "Suspended" }),
    put: "PutBucketVersioning",
    write: (VersioningConfiguration) => ({ VersioningConfiguration }),
  },
  {
    field: "accelerateConfiguration",
    get: "GetBucketAccelerateConfiguration",
    read: ({ Status }) => ({ Status: Status ?? "Suspended" }),
    put: "PutBucketAccelerateConfiguration",
    write: (AccelerateConfiguration) => ({ AccelerateConfiguration }),
  },
  {
    field: "requestPaymentConfiguration",
    get: "GetBucketRequestPayment",
    read: ({ Payer }) => ({ Payer: Payer ?? "BucketOwner" }),
    put: "PutBucketRequestPayment",
    write: (RequestPaymentConfiguration) => ({ RequestPaymentConfiguration }),
  },
  {
    field: "objectLockConfiguration",
    get: "GetObjectLockConfiguration",
    none: { error: "ObjectLockConfigurationNotFoundError" },
    read: ({ ObjectLockConfiguration }) => withRule(ObjectLockConfiguration as Members | undefined),
    put: "PutObjectLockConfiguration",
    write: (value) => ({ ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", ...(value as object | undefined) } }),
  },
  {
    field: "lifecycleConfiguration",
    get: "GetBucketLifecycleConfiguration",
    none: { error: "NoSuchLifecycleConfiguration" },
    read: ({ Rules = [], TransitionDefaultMinimumObjectSize }) => ({
      Rules: (Rules as Members[]).map(withFilter),
      TransitionDefaultMinimumObjectSize,
    }),
    put: "PutBucketLifecycleConfiguration",
    write: (value) => {
      const { Rules, TransitionDefaultMinimumObjectSize } = value as { Rules: Members[]; TransitionDefaultMinimumObjectSize?: string };
      // S3 takes a rule for everything only where it says so.
      return { LifecycleConfiguration: { Rules: Rules.map((rule) => ({ Filter: {}, ...rule })) }, TransitionDefaultMinimumObjectSize };
    },
    remove: "DeleteBucketLifecycle",
    id: "ID",
  },
  {
    field: "corsConfiguration",
    get: "GetBucketCors",
    none: { error: "NoSuchCORSConfiguration" },
    read: same,
    put: "PutBucketCors",
    write: (CORSConfiguration) => ({ CORSConfiguration }),
    remove: "DeleteBucketCors",
    id: "ID",
  },
  {
    field: "websiteConfiguration",
    get: "GetBucketWebsite",
    none: { error: "NoSuchWebsiteConfiguration" },
    read: same,
    put: "PutBucketWebsite",
    write: (WebsiteConfiguration) => ({ WebsiteConfiguration }),
    remove: "DeleteBucketWebsite",
  },
  {
    field: "loggingConfiguration",
    get: "GetBucketLogging",
    read: ({ LoggingEnabled }) => LoggingEnabled,
    put: "PutBucketLogging",
    write: (LoggingEnabled) => ({
      BucketLoggingStatus: LoggingEnabled ? { LoggingEnabled: { TargetPrefix: "", ...(LoggingEnabled as object) } } : {},
    }),
  },
  {
    field: "notificationConfiguration",
    get: "GetBucketNotificationConfiguration",
    read: (answer) => (Object.keys(NOTIFICATIONS).some((name) => answer[name] !== undefined) ? answer : undefined),
    put: "PutBucketNotificationConfiguration",
    write: (value) => ({ NotificationConfiguration: value ?? {} }),
    id: "Id",
  },
  {
    field: "replicationConfiguration",
    get: "GetBucketReplication",
    none: { error: "ReplicationConfigurationNotFoundError" },
    read: ({ ReplicationConfiguration }) => ReplicationConfiguration,
    put: "PutBucketReplication",
    write: (value) => {
      const { Rules, ...rest } = value as { Rules: Members[] };
      const whole = (rule: Members) => ({ Filter: {}, DeleteMarkerReplication: { Status: "Disabled" }, ...rule });
      return { ReplicationConfiguration: { ...rest, Rules: Rules.map(whole) } };
    },
    remove: "DeleteBucketReplication",
    id: "ID",
  },
];

const NOTIFICATIONS = {
  TopicConfigurations: true,
  QueueConfigurations: true,
  LambdaFunctionConfigurations: true,
  EventBridgeConfiguration: true,
};

// Buckets from before filters have rules with a prefix beside them.
function withFilter(rule: Members): Members {
  return rule.Filter === undefined && rule.Prefix !== undefined ? { ...rule, Filter: { Prefix: rule.Prefix } } : rule;
}

function withRule(configuration: Members | undefined): Members | undefined {
  return configuration?.Rule === undefined ? undefined : configuration;
}

// The parts name their operations in data, where the SDK's types cannot follow.
type Untyped = {
  read(service: unknown, operation: string, input: object): Promise<Answer | undefined>;
  write(service: unknown, operation: string, input: object): Promise<Answer | undefined>;
};

/** The field's value; undefined where nothing is configured, or the bucket is gone. Sends one read. */
export async function readPart(aws: Reader, Bucket: string, part: Part, shape: ObjectShape): Promise<Json | undefined> {
  const { error, is } = part.none ?? {};
  const read = (aws as unknown as Untyped).read(s3, part.get, { Bucket });
  const answer = await unlessNamed([...NOT_FOUND, ...(error === undefined ? [] : [error])], read);
  if (answer === undefined) return is;
  return fromAws(part.read(answer), shape.fields[part.field] as Shape, part.id);
}

/** Sends the field's value, or takes the configuration away where there is none. */
export async function writePart(
  aws: Writer,
  Bucket: string,
  part: Part,
  { value, shape }: { value: Json; shape: ObjectShape },
): Promise<void> {
  const writer = aws as unknown as Untyped;
  const wanted = value === null ? undefined : toAws(value, shape.fields[part.field] as Shape, part.id);
  if (wanted === undefined && part.remove !== undefined) await writer.write(s3, part.remove, { Bucket });
  else await writer.write(s3, part.put, { Bucket, ...part.write(wanted) });
}

/** What the calls of a part are named. */
export function operationsOfPart({ put, remove }: Part): readonly OperationName[] {
  return [`s3:${put}`, ...(remove === undefined ? [] : [`s3:${remove}` as const])];
}

/** The updater of one configuration. `settled`: the value as S3 takes it. */
export function partUpdater<Spec>(part: Part, shape: () => ObjectShape, settled: (value: Json) => Json = (value) => value): Updater<Spec> {
  return {
    fields: [part.field],
    operations: operationsOfPart(part),
    run: async (aws: Writer, { id, changes }: Target<Spec> & { readonly changes: JsonChanges }) => {
      const value = settled(changes[part.field]?.after ?? null);
      await writePart(aws, id, part, { value, shape: shape() });
      return { values: { [part.field]: value ?? undefined } };
    },
  };
}

type JsonChanges = Readonly<Record<string, { readonly after?: Json | undefined }>>;

// Where S3's spelling is not the manifest's with a capital.
const IRREGULAR: Readonly<Record<string, string>> = {
  sseAlgorithm: "SSEAlgorithm",
  kmsMasterKeyId: "KMSMasterKeyID",
  corsRules: "CORSRules",
  replicaKmsKeyId: "ReplicaKmsKeyID",
};

function awsName(name: string, id: string): string {
  return name === "id" ? id : (IRREGULAR[name] ?? upper(name));
}

/** A manifest's value in S3's words: maps are tags, days are moments. What is absent stays so. */
export function toAws(value: Json | undefined, shape: Shape, id = "ID"): unknown {
  if (value === undefined || value === null) return undefined;
  if (shape.type === "any") return policyOut(value);
  if (shape.type === "map" && isObject(value)) return toTagList(value as Record<string, string>);
  if (shape.type === "array" && Array.isArray(value)) return value.map((element) => toAws(element, shape.element, id));
  if (shape.type === "string" && shape.format === "date") return new Date(`${String(value)}T00:00:00Z`);
  if (shape.type !== "object" || !isObject(value)) return value;
  const members = Object.entries(shape.fields).map(([name, member]) => [awsName(name, id), toAws(value[name], member, id)]);
  return Object.fromEntries(members.filter(([, inner]) => inner !== undefined));
}

/** S3's value in the manifest's words: the members that the shape has. */
export function fromAws(value: unknown, shape: Shape, id = "ID"): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (shape.type === "any") return policyOf(String(value));
  if (shape.type === "map") return fromTagList(value as { Key: string; Value: string }[]);
  if (shape.type === "array") return (value as unknown[]).map((element) => fromAws(element, shape.element, id) ?? null);
  if (shape.type === "string" && shape.format === "date") return (value as Date).toISOString().slice(0, 10);
  if (shape.type !== "object") return value as Json;
  const given = value as Members;
  const members = Object.entries(shape.fields).map(([name, member]) => [name, fromAws(given[awsName(name, id)], member, id)]);
  return Object.fromEntries(members.filter(([, inner]) => inner !== undefined)) as JsonObject;
}
