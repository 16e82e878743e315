import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import { onceALook } from "../../src/aws/look.ts";
import { type Reader, service, type Writer } from "../../src/aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { objectShape, type Shape } from "../../src/core/shape.ts";
import { type Condemned, defineKind, type Remote, type Scope, type Updater } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { policyDocument } from "../../src/kind/policy.ts";
import { fromAws, NOT_FOUND, operationsOfPart, PARTS, type Part, partUpdater, readPart, s3, writePart } from "../../src/kind/s3.ts";
import { bucketFindings, bucketName } from "../../src/kind/s3-check.ts";
import { cors, encryption, lifecycle, logging, objectLock, publicAccessBlock, website } from "../../src/kind/s3-schemas.ts";
import { notifications, replication } from "../../src/kind/s3-targets.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { tagsUpdater } from "../../src/kind/updaters.ts";

const sts = service("sts", "STSClient", () => import("@aws-sdk/client-sts"));

// "DeleteObjects: up to 1000 keys", and as many in a page of ListObjectVersions (S3 API Reference).
const OBJECTS_MAX = 1000;

const ALL_BLOCKED = { blockPublicAcls: true, ignorePublicAcls: true, blockPublicPolicy: true, restrictPublicBuckets: true };
const BY_S3 = { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: false };

const spec = z.strictObject({
  bucket: field(bucketName().optional(), { doc: "The name, unique among all accounts; derived when absent.", immutable: true }),
  objectOwnership: field(z.enum(["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]).optional(), {
    doc: "Whose objects are that others write; with BucketOwnerEnforced there are no ACLs.",
    unset: "BucketOwnerEnforced",
  }),
  objectLockEnabledForBucket: field(z.boolean().optional(), {
    doc: "Whether objects can be locked against deletion; such a bucket is versioned.",
    immutable: true,
  }),
  versioningConfiguration: field(
    z.strictObject({ status: field(z.enum(["Enabled", "Suspended"]), { doc: "Whether older versions of objects are kept." }) }).optional(),
    { doc: "Versions of objects.", unset: { status: "Suspended" } },
  ),
  serverSideEncryptionConfiguration: field(encryption().optional(), { doc: "Encryption of new objects.", unset: BY_S3 }),
  publicAccessBlockConfiguration: field(publicAccessBlock().optional(), {
    doc: "What keeps everything private; all of it is on unless the manifest says otherwise.",
    unset: ALL_BLOCKED,
  }),
  // "Bucket policies are limited to 20 KB in size" (S3 user guide).
  policy: field(policyDocument({ of: "resource", bytesMax: 20 * 1024 }).optional(), {
    doc: "Who else may use the bucket: an IAM policy.",
    compare: "iam-policy",
    unset: null,
  }),
  lifecycleConfiguration: field(lifecycle().optional(), { doc: "What becomes of objects in time.", unset: null }),
  corsConfiguration: field(cors().optional(), { doc: "What web pages of other origins may do.", whole: true, unset: null }),
  loggingConfiguration: field(logging().optional(), { doc: "Where the access log goes.", whole: true, unset: null }),
  websiteConfiguration: field(website().optional(), { doc: "A web site made of the objects.", whole: true, unset: null }),
  notificationConfiguration: field(notifications().optional(), {
    doc: "Who is told what happens in the bucket.",
    whole: true,
    unset: null,
  }),
  replicationConfiguration: field(replication().optional(), { doc: "What is copied to other buckets.", whole: true, unset: null }),
  objectLockConfiguration: field(objectLock().optional(), { doc: "How long new objects are locked.", whole: true, unset: null }),
  accelerateConfiguration: field(
    z.strictObject({ status: field(z.enum(["Enabled", "Suspended"]), { doc: "Whether uploads may enter AWS at its edge." }) }).optional(),
    { doc: "Transfer acceleration.", unset: { status: "Suspended" } },
  ),
  requestPaymentConfiguration: field(
    z.strictObject({ payer: field(z.enum(["BucketOwner", "Requester"]), { doc: "Who pays for requests." }) }).optional(),
    { doc: "Who pays.", unset: { payer: "BucketOwner" } },
  ),
  tags: tags(),
});

type Spec = z.infer<typeof spec>;
const shape = objectShape(spec);

const status = z.strictObject({
  bucket: field(z.string(), { doc: "The name of the bucket." }),
  bucketArn: field(z.string(), { doc: "The ARN of the bucket." }),
  bucketRegion: field(z.string().optional(), { doc: "The region it is in." }),
});

const part = (name: string) => PARTS.find(({ field: own }) => own === name) as Part;
const updater = (name: string, settled?: (value: Json) => Json): Updater<Spec> => partUpdater(part(name), () => shape, settled);

export const bucket = defineKind({
  apiVersion: "s3.aws/v1",
  kind: "Bucket",
  doc: "A place for objects: files with keys, kept in one region.",
  spec,
  status,
  id: "bucket",
  identity: { by: "name", key: ["bucket"], name: { field: "bucket", maxLength: 63, lowerCase: true }, nameIsInterface: true, upsert: true },
  stateful: true,
  deviations: [
    "Configurations that are calls of their own at AWS are fields here; each is read only where somebody declared it.",
    "S3 has one rule of encryption; its members stand in `serverSideEncryptionConfiguration` without the list. Keys are named by their ARNs.",
    "`loggingConfiguration` is S3's `BucketLoggingStatus.LoggingEnabled`; grants on logs are not supported.",
    "A bucket whose name ends in -ACCOUNT-REGION-an is made in the account's own namespace.",
    "A bucket with objects is not deleted, unless `lifecycle.deletion` is `force`: then they go first, with all versions.",
    "ACLs, MFA deletion, directory buckets, metrics, analytics, inventories and intelligent tiering are not supported.",
  ],
  errors: {
    notFound: NOT_FOUND,
    exists: ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"],
    wait: ["OperationAborted"],
    // A principal that was just made is not known everywhere yet; nor is a role.
    propagating: ["MalformedPolicy: invalid principal", "InvalidArgument: unable to validate the following destination"],
  },
  list: {
    operations: [
      "tag:GetResources",
      "sts:GetCallerIdentity",
      "s3:HeadBucket",
      "s3:GetBucketTagging",
      ...PARTS.map(({ get }) => `s3:${get}` as const),
    ],
    run: list,
  },
  create: {
    operations: ["s3:CreateBucket"],
    run: async (aws, desired) => {
      const name = desired.bucket as string;
      const own = desired.tags ?? {};
      // The SDK itself adds the region that S3 wants to be told outside us-east-1.
      const answer = await aws.write(s3, "CreateBucket", {
        Bucket: name,
        ...(Object.keys(own).length > 0 ? { CreateBucketConfiguration: { Tags: toTagList(own) } } : {}),
        ...(desired.objectOwnership ? { ObjectOwnership: desired.objectOwnership } : {}),
        ...(desired.objectLockEnabledForBucket ? { ObjectLockEnabledForBucket: true } : {}),
        ...(ACCOUNT_REGIONAL.test(name) ? { BucketNamespace: "account-regional" as const } : {}),
      });
      const locked = desired.objectLockEnabledForBucket === true;
      return {
        id: name,
        values: {
          bucket: name,
          bucketArn: answer.BucketArn ?? arnOf(name),
          // What every new bucket has (S3 user guide, "Default settings for new S3 buckets").
          objectOwnership: desired.objectOwnership ?? "BucketOwnerEnforced",
          objectLockEnabledForBucket: locked,
          publicAccessBlockConfiguration: ALL_BLOCKED,
          serverSideEncryptionConfiguration: BY_S3,
          versioningConfiguration: { status: locked ? "Enabled" : "Suspended" },
          accelerateConfiguration: { status: "Suspended" },
          requestPaymentConfiguration: { payer: "BucketOwner" },
          tags: own,
        },
      };
    },
  },
  updates: [
    updater("objectOwnership"),
    // Before a policy that it would refuse.
    updater("publicAccessBlockConfiguration"),
    updater("policy"),
    updater("serverSideEncryptionConfiguration", withoutStrayKey),
    versionsUpdater(),
    updater("objectLockConfiguration"),
    updater("lifecycleConfiguration"),
    updater("corsConfiguration"),
    updater("websiteConfiguration"),
    updater("loggingConfiguration"),
    updater("notificationConfiguration"),
    updater("accelerateConfiguration"),
    updater("requestPaymentConfiguration"),
    bucketTags(),
  ],
  delete: { operations: ["s3:DeleteBucket", "s3:ListObjectVersions", "s3:DeleteObjects"], run: remove },
  check: (resources) => resources.flatMap((resource) => [...bucketFindings(resource)]),
});

// S3 user guide, "Namespaces for general purpose buckets".
const ACCOUNT_REGIONAL = /-\d{12}-[a-z]{2}(-[a-z]+)+-\d-an$/;

/** S3 keeps a key that nothing uses, and refuses it. */
function withoutStrayKey(value: Json): Json {
  const by = isObject(value) ? value.applyServerSideEncryptionByDefault : undefined;
  if (!isObject(value) || !isObject(by) || by.sseAlgorithm !== "AES256") return value;
  return { ...value, applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } };
}

/** Only a versioned bucket is replicated: it is versioned before, and no longer replicated when that ends. */
function versionsUpdater(): Updater<Spec> {
  const [versioning, copies] = [part("versioningConfiguration"), part("replicationConfiguration")];
  return {
    fields: [versioning.field, copies.field],
    operations: [...operationsOfPart(versioning), ...operationsOfPart(copies)],
    run: async (aws, { id, changes }) => {
      const ends = changes[copies.field] !== undefined && (changes[copies.field]?.after ?? null) === null;
      const next = changes[versioning.field] === undefined || ends ? copies : versioning;
      const value = changes[next.field]?.after ?? null;
      await writePart(aws, id, next, { value, shape });
      return { values: { [next.field]: value ?? undefined } };
    },
  };
}

/** S3 replaces all tags at once: those of others, and AWS's own, are read right before, and sent along. */
function bucketTags(): Updater<Spec> {
  const change = async (aws: Writer, Bucket: string, to: (tags: Map<string, string>) => void) => {
    const answer = await unlessNamed(["NoSuchTagSet"], aws.read(s3, "GetBucketTagging", { Bucket }));
    const all = new Map((answer?.TagSet ?? []).map(({ Key, Value }) => [String(Key), Value ?? ""]));
    to(all);
    await aws.write(s3, "PutBucketTagging", { Bucket, Tagging: { TagSet: toTagList(Object.fromEntries(all)) } });
  };
  return tagsUpdater({
    operations: ["s3:GetBucketTagging", "s3:PutBucketTagging"],
    set: (aws, { id }, set) =>
      change(aws, id, (all) => {
        for (const [key, value] of Object.entries(set)) all.set(key, value);
      }),
    remove: (aws, { id }, keys) =>
      change(aws, id, (all) => {
        for (const key of keys) all.delete(key);
      }),
  });
}

function arnOf(name: string): string {
  return `arn:aws:s3:::${name}`;
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const seen = (names: readonly string[], known: ReadonlyMap<string, Tags> = new Map()) =>
    Promise.all([...new Set(names)].map((name) => look(aws, name, scope.fields, known.get(name))));
  return listInScope<Remote>(scope, {
    id: ({ id }) => id,
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "s3", wanted);
      // A bucket's ARN is nothing but its name; access points have longer ones.
      const known = new Map(
        [...tagged].flatMap(([arn, own]) => (/^arn:[^:]+:s3:::[^:/]+$/.test(arn) ? [[arn.slice(arn.lastIndexOf(":") + 1), own]] : [])),
      );
      return (await seen([...known.keys()], known)).filter((remote) => remote !== undefined);
    },
    byIds: async (ids) => (await seen(ids)).filter((remote) => remote !== undefined),
    byNames: async (names) => (await seen(names.map((name) => String(name.bucket)))).filter((remote) => remote !== undefined),
    matches: ({ id }, name) => id === name.bucket,
  });
}

/** One bucket. Names are the whole world's: only what the account is known to have, or S3 says that it owns, can be ours. */
async function look(aws: Reader, Bucket: string, fields: Scope["fields"], known: Tags | undefined): Promise<Remote | undefined> {
  const owner = known ? {} : { ExpectedBucketOwner: await accountOf(aws) };
  try {
    const head = await aws.read(s3, "HeadBucket", { Bucket, ...owner });
    const [own, ...values] = await Promise.all([
      known ?? tagsOf(aws, Bucket),
      locksOf(aws, Bucket, fields),
      ...partsOf(fields).map((one) => configurationOf(aws, Bucket, one)),
    ]);
    const facts = defined({ bucket: Bucket, bucketArn: head.BucketArn ?? arnOf(Bucket), bucketRegion: head.BucketRegion });
    return { id: Bucket, values: { ...facts, ...Object.assign({}, ...values), tags: own }, tags: own };
  } catch (error) {
    if (isNamed(error, NOT_FOUND)) return undefined;
    const foreign = error instanceof AwsError && error.operation === "s3:HeadBucket" ? FOREIGN[error.status ?? 0] : undefined;
    if (foreign === undefined) throw error;
    return { id: Bucket, values: { bucket: Bucket, bucketArn: arnOf(Bucket) }, foreign };
  }
}

// HeadBucket's answers have no body: the status says it all.
const FOREIGN: Readonly<Record<number, string>> = {
  301: "is in another region",
  403: "belongs to another account, or nobody here may look at it (s3:ListBucket)",
};

function accountOf(aws: Reader): Promise<string> {
  return onceALook(aws, "sts:GetCallerIdentity", async () => String((await aws.read(sts, "GetCallerIdentity", {})).Account));
}

async function tagsOf(aws: Reader, Bucket: string): Promise<Tags> {
  const answer = await unlessNamed([...NOT_FOUND, "NoSuchTagSet"], aws.read(s3, "GetBucketTagging", { Bucket }));
  return fromTagList(answer?.TagSet);
}

function partsOf(fields: Scope["fields"]): readonly Part[] {
  return PARTS.filter((one) => fields.has(one.field) && one.field !== "objectLockConfiguration");
}

async function configurationOf(aws: Reader, Bucket: string, one: Part): Promise<JsonObject> {
  return defined({ [one.field]: await readPart(aws, Bucket, one, shape) });
}

/** One call tells whether objects can be locked, and how long new ones are. */
async function locksOf(aws: Reader, Bucket: string, fields: Scope["fields"]): Promise<JsonObject> {
  if (!fields.has("objectLockConfiguration") && !fields.has("objectLockEnabledForBucket")) return {};
  const none = [...NOT_FOUND, "ObjectLockConfigurationNotFoundError"];
  const answer = await unlessNamed(none, aws.read(s3, "GetObjectLockConfiguration", { Bucket }));
  const { ObjectLockEnabled, Rule } = answer?.ObjectLockConfiguration ?? {};
  const objectLockConfiguration = Rule && fromAws({ Rule }, shape.fields.objectLockConfiguration as Shape);
  return defined({ objectLockEnabledForBucket: ObjectLockEnabled === "Enabled", objectLockConfiguration });
}

/** S3 deletes an empty bucket. What another holds goes first, page by page, if it is to be forced. */
async function remove(aws: Writer, { id: Bucket, force }: Condemned): Promise<void> {
  if (force) await empty(aws, Bucket);
  try {
    await aws.write(s3, "DeleteBucket", { Bucket });
  } catch (error) {
    if (!isNamed(error, ["BucketNotEmpty"])) throw error;
    const { length } = await versionsIn(aws, Bucket);
    const what = `${length < OBJECTS_MAX ? length : `${OBJECTS_MAX} and more`} objects, versions and delete markers`;
    const message = `${Bucket} holds ${what}: delete them, or set lifecycle.deletion: force, apply, and delete it again`;
    throw new AwsError(error.name, message, { operation: error.operation, verdict: "refused", cause: error });
  }
}

async function empty(aws: Writer, Bucket: string): Promise<void> {
  for (let page = await versionsIn(aws, Bucket); page.length > 0; page = await versionsIn(aws, Bucket)) {
    const answer = await aws.write(s3, "DeleteObjects", { Bucket, Delete: { Objects: page, Quiet: true } });
    const [kept] = answer.Errors ?? [];
    if (!kept) continue;
    const message = `${Bucket} cannot be emptied: ${kept.Key} (${kept.VersionId ?? "no version"}): ${kept.Message}`;
    throw new AwsError(String(kept.Code), message, { operation: "s3:DeleteObjects", verdict: "refused" });
  }
}

/** The first page of everything that keeps a bucket from being deleted; keys come encoded, because XML has no words for some. */
async function versionsIn(aws: Reader, Bucket: string): Promise<{ Key: string; VersionId?: string }[]> {
  const request = { Bucket, MaxKeys: OBJECTS_MAX, EncodingType: "url" as const };
  const answer = await unlessNamed(NOT_FOUND, aws.read(s3, "ListObjectVersions", request));
  const plain = (key: string) => (answer?.EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key);
  return [...(answer?.Versions ?? []), ...(answer?.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
    Key: plain(String(Key)),
    ...(VersionId === undefined ? {} : { VersionId }),
  }));
}
