/** The schemas of a bucket's configurations, in S3's own words. Those that S3 replaces as a whole are ours as a whole. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { arn } from "./schemas.ts";

const days = (doc: string, min = 1) => field(z.int().min(min).optional(), { doc });
const date = (doc: string) => field(z.iso.date().optional(), { doc });
const text = (doc: string) => field(z.string().min(1).optional(), { doc });
const off = (doc: string) => field(z.boolean().optional(), { doc, unset: false });
const on = (doc: string) => field(z.boolean().optional(), { doc, unset: true });
const switched = (doc: string) => field(z.enum(["Enabled", "Disabled"]), { doc });
/** Part of a filter: a key's beginning. */
export const prefix = () => field(z.string().optional(), { doc: "Objects whose keys begin so.", unset: "" });

/** Part of a filter: one tag. */
export const tag = () =>
  field(
    z
      .strictObject({
        key: field(z.string().min(1).max(128), { doc: "The tag's key." }),
        value: field(z.string().max(256), { doc: "The tag's value." }),
      })
      .optional(),
    { doc: "Objects with this tag." },
  );

/** Part of a filter: several tags. */
export const objectTags = () =>
  field(z.record(z.string().min(1).max(128), z.string().max(256)).optional(), { doc: "Objects with all these tags." });

/** All four are on for every new bucket, so that nothing in it can become public by accident. */
export const publicAccessBlock = () =>
  z.strictObject({
    blockPublicAcls: on("Whether ACLs that make something public are refused."),
    ignorePublicAcls: on("Whether such ACLs are ignored."),
    blockPublicPolicy: on("Whether a policy that makes the bucket public is refused."),
    restrictPublicBuckets: on("Whether a public policy lets only the account's own principals in."),
  });

/** What encrypts objects that do not say so themselves. */
export const encryption = () =>
  z.strictObject({
    applyServerSideEncryptionByDefault: field(
      z.strictObject({
        sseAlgorithm: field(z.enum(["AES256", "aws:kms", "aws:kms:dsse"]), { doc: "S3's own keys, a KMS key, or one twice." }),
        kmsMasterKeyId: field(arn("kms").optional(), { doc: "The ARN of the KMS key; the account's aws/s3 key when absent." }),
      }),
      { doc: "Encryption by default." },
    ),
    bucketKeyEnabled: off("Whether one key per bucket spares calls to KMS."),
    blockedEncryptionTypes: field(
      z
        .strictObject({
          encryptionType: field(z.array(z.enum(["NONE", "SSE-C"])), {
            doc: "SSE-C refuses keys that callers bring; NONE nothing.",
            compare: "set",
          }),
        })
        .optional(),
      { doc: "Encryption that is refused." },
    ),
  });

const STORAGE_CLASSES = ["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"] as const;

const size = (doc: string) => field(z.int().min(0).optional(), { doc });

const lifecycleFilter = () => ({
  prefix: prefix(),
  objectSizeGreaterThan: size("Objects of more bytes."),
  objectSizeLessThan: size("Objects of fewer bytes."),
});

const lifecycleRule = () =>
  z.strictObject({
    id: field(z.string().min(1).max(255), { doc: "Unique among the bucket's rules." }),
    status: switched("Whether the rule is in force."),
    filter: field(
      z
        .strictObject({
          ...lifecycleFilter(),
          tag: tag(),
          and: field(z.strictObject({ ...lifecycleFilter(), tags: objectTags() }).optional(), { doc: "Objects that meet all of these." }),
        })
        .optional(),
      { doc: "What it is for; everything when absent.", unset: {} },
    ),
    expiration: field(
      z
        .strictObject({
          days: days("Days after an object was made."),
          date: date("The day, in UTC."),
          expiredObjectDeleteMarker: off("Whether delete markers without versions go."),
        })
        .optional(),
      { doc: "When objects expire." },
    ),
    transitions: field(
      z
        .array(
          z.strictObject({
            days: days("Days after an object was made.", 0),
            date: date("The day, in UTC."),
            storageClass: field(z.enum(STORAGE_CLASSES), { doc: "Where it goes." }),
          }),
        )
        .optional(),
      { doc: "When objects move to other storage.", compare: "set", unset: [] },
    ),
    noncurrentVersionTransitions: field(
      z
        .array(
          z.strictObject({
            noncurrentDays: field(z.int().min(0), { doc: "Days after a newer version was made." }),
            newerNoncurrentVersions: field(z.int().min(1).max(100).optional(), { doc: "How many newer ones stay where they are." }),
            storageClass: field(z.enum(STORAGE_CLASSES), { doc: "Where it goes." }),
          }),
        )
        .optional(),
      { doc: "When older versions move to other storage.", compare: "set", unset: [] },
    ),
    noncurrentVersionExpiration: field(
      z
        .strictObject({
          noncurrentDays: field(z.int().min(1), { doc: "Days after a newer version was made." }),
          newerNoncurrentVersions: field(z.int().min(1).max(100).optional(), { doc: "How many older ones are kept." }),
        })
        .optional(),
      { doc: "When older versions go." },
    ),
    abortIncompleteMultipartUpload: field(
      z.strictObject({ daysAfterInitiation: field(z.int().min(1), { doc: "Days after it was begun." }) }).optional(),
      { doc: "When uploads that were never finished go." },
    ),
  });

/** What becomes of objects in time. */
export const lifecycle = () =>
  z.strictObject({
    rules: field(z.array(lifecycleRule()).min(1).max(1000), { doc: "The rules.", compare: { keyed: "id" }, whole: true }),
    transitionDefaultMinimumObjectSize: field(z.enum(["all_storage_classes_128K", "varies_by_storage_class"]).optional(), {
      doc: "Which small objects are not moved.",
      unset: "all_storage_classes_128K",
    }),
  });

const headers = (doc: string) => field(z.array(z.string().min(1)).optional(), { doc, compare: "set", unset: [] });

/** What web pages of other origins may do. */
export const cors = () =>
  z.strictObject({
    corsRules: field(
      z
        .array(
          z.strictObject({
            id: field(z.string().min(1).max(255).optional(), { doc: "A name for the rule." }),
            allowedOrigins: field(z.array(z.string().min(1)).min(1), { doc: "Origins, with one * at most.", compare: "set" }),
            allowedMethods: field(z.array(z.enum(["GET", "PUT", "POST", "DELETE", "HEAD"])).min(1), { doc: "Methods.", compare: "set" }),
            allowedHeaders: headers("Headers that may be sent."),
            exposeHeaders: headers("Headers that pages may read."),
            maxAgeSeconds: field(z.int().min(0).optional(), { doc: "How long a browser remembers the answer." }),
          }),
        )
        .min(1)
        .max(100),
      { doc: "The rules; the first that fits decides." },
    ),
  });

/** Where the bucket's access log goes. */
export const logging = () =>
  z.strictObject({
    targetBucket: field(z.string().min(3).max(63), {
      doc: "The bucket that gets the logs, in the same region.",
      ref: "s3.aws/v1 Bucket.bucket",
    }),
    targetPrefix: field(z.string().optional(), { doc: "What the logs' keys begin with.", unset: "" }),
    targetObjectKeyFormat: field(
      z
        .strictObject({
          simplePrefix: field(z.strictObject({}).optional(), { doc: "Keys of prefix and time." }),
          partitionedPrefix: field(
            z
              .strictObject({
                partitionDateSource: field(z.enum(["EventTime", "DeliveryTime"]), { doc: "Which time the key names." }),
              })
              .optional(),
            { doc: "Keys of prefix, account, region, bucket and date." },
          ),
        })
        .optional(),
      { doc: "How the logs' keys are made." },
    ),
  });

const redirect = () => ({
  hostName: text("The other host."),
  protocol: field(z.enum(["http", "https"]).optional(), { doc: "The protocol; the request's own when absent." }),
});

/** A web site made of the bucket's objects. */
export const website = () =>
  z.strictObject({
    indexDocument: field(z.strictObject({ suffix: field(z.string().min(1), { doc: "index.html" }) }).optional(), {
      doc: "What a folder shows.",
    }),
    errorDocument: field(z.strictObject({ key: field(z.string().min(1), { doc: "The object's key." }) }).optional(), {
      doc: "What is shown where nothing is found.",
    }),
    redirectAllRequestsTo: field(
      z.strictObject({ ...redirect(), hostName: field(z.string().min(1), { doc: "The other host." }) }).optional(),
      { doc: "Where every request is sent; instead of everything else." },
    ),
    routingRules: field(
      z
        .array(
          z.strictObject({
            condition: field(
              z
                .strictObject({
                  httpErrorCodeReturnedEquals: text("The error's HTTP status."),
                  keyPrefixEquals: text("What the key begins with."),
                })
                .optional(),
              { doc: "When it applies; always when absent." },
            ),
            redirect: field(
              z.strictObject({
                ...redirect(),
                httpRedirectCode: text("301 or another status."),
                replaceKeyPrefixWith: text("What the key begins with then."),
                replaceKeyWith: text("The key then."),
              }),
              { doc: "Where to." },
            ),
          }),
        )
        .optional(),
      { doc: "Redirects; the first that fits decides.", unset: [] },
    ),
  });

/** How long new objects are locked. */
export const objectLock = () =>
  z.strictObject({
    rule: field(
      z.strictObject({
        defaultRetention: field(
          z.strictObject({
            mode: field(z.enum(["GOVERNANCE", "COMPLIANCE"]), { doc: "Whether somebody with a permission of its own may unlock." }),
            days: days("How many days; or years."),
            years: field(z.int().min(1).optional(), { doc: "How many years." }),
          }),
          { doc: "For objects that do not say so themselves." },
        ),
      }),
      { doc: "The rule." },
    ),
  });
