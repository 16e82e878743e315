/** The schemas of what a bucket tells others of, and copies to others: notifications and replication. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { objectTags, prefix, tag } from "./s3-schemas.ts";
import { arn } from "./schemas.ts";

const status = (doc: string) => z.strictObject({ status: field(z.enum(["Enabled", "Disabled"]), { doc }) });

const receiver = (member: string, service: string, what: string) =>
  field(
    z
      .array(
        z.strictObject({
          id: field(z.string().min(1), { doc: "Unique among the bucket's notifications." }),
          [member]: field(arn(service), { doc: `The ARN of the ${what}.` }),
          events: field(z.array(z.string().regex(/^s3:[A-Za-z:*]+$/)).min(1), {
            doc: "Events such as s3:ObjectCreated:*.",
            compare: "set",
          }),
          filter: field(
            z
              .strictObject({
                key: field(
                  z.strictObject({
                    filterRules: field(
                      z.array(
                        z.strictObject({
                          name: field(z.enum(["prefix", "suffix"]), { doc: "Which end of the key." }),
                          value: field(z.string().max(1024), { doc: "What is there." }),
                        }),
                      ),
                      { doc: "One rule for each end.", compare: "set" },
                    ),
                  }),
                  { doc: "By key." },
                ),
              })
              .optional(),
            { doc: "Which objects; all when absent." },
          ),
        }),
      )
      .optional(),
    { doc: `What goes to a ${what}.`, compare: { keyed: "id" }, unset: [] },
  );

/** Whom the bucket tells what happens in it. */
export const notifications = () =>
  z.strictObject({
    topicConfigurations: receiver("topicArn", "sns", "topic"),
    queueConfigurations: receiver("queueArn", "sqs", "queue"),
    lambdaFunctionConfigurations: receiver("lambdaFunctionArn", "lambda", "function"),
    eventBridgeConfiguration: field(z.strictObject({}).optional(), { doc: "{} sends everything to EventBridge." }),
  });

const minutes = () => z.strictObject({ minutes: field(z.int().min(15).max(15), { doc: "Always 15." }) });

const destination = () =>
  z.strictObject({
    bucket: field(arn("s3"), { doc: "The ARN of the other bucket." }),
    account: field(
      z
        .string()
        .regex(/^\d{12}$/)
        .optional(),
      { doc: "The account that owns it." },
    ),
    storageClass: field(
      z
        .enum([
          "STANDARD",
          "REDUCED_REDUNDANCY",
          "STANDARD_IA",
          "ONEZONE_IA",
          "INTELLIGENT_TIERING",
          "GLACIER",
          "DEEP_ARCHIVE",
          "GLACIER_IR",
        ])
        .optional(),
      { doc: "Its storage class; the object's own when absent." },
    ),
    accessControlTranslation: field(z.strictObject({ owner: field(z.enum(["Destination"]), { doc: "Always Destination." }) }).optional(), {
      doc: "Who owns the copies.",
    }),
    encryptionConfiguration: field(z.strictObject({ replicaKmsKeyId: field(arn("kms"), { doc: "The ARN of the KMS key." }) }).optional(), {
      doc: "What encrypts the copies.",
    }),
    replicationTime: field(
      status("Whether copies are made within a time.")
        .extend({ time: field(minutes(), { doc: "How soon." }) })
        .optional(),
      {
        doc: "How soon copies are made.",
      },
    ),
    metrics: field(
      status("Whether they are measured.")
        .extend({ eventThreshold: field(minutes().optional(), { doc: "When a copy is late." }) })
        .optional(),
      { doc: "Metrics of the replication." },
    ),
  });

/** What is copied to other buckets. */
export const replication = () =>
  z.strictObject({
    role: field(arn("iam"), { doc: "The role that S3 takes on.", ref: "iam.aws/v1 Role.arn" }),
    rules: field(
      z
        .array(
          z.strictObject({
            id: field(z.string().min(1).max(255), { doc: "Unique among the bucket's rules." }),
            priority: field(z.int().min(0), { doc: "Of two rules for one destination, the higher decides." }),
            status: field(z.enum(["Enabled", "Disabled"]), { doc: "Whether the rule is in force." }),
            filter: field(
              z
                .strictObject({
                  prefix: prefix(),
                  tag: tag(),
                  and: field(
                    z
                      .strictObject({
                        prefix: prefix(),
                        tags: objectTags(),
                      })
                      .optional(),
                    { doc: "Objects that meet all of these." },
                  ),
                })
                .optional(),
              { doc: "What it is for; everything when absent.", unset: {} },
            ),
            destination: field(destination(), { doc: "Where copies go." }),
            deleteMarkerReplication: field(status("Whether they are copied.").optional(), {
              doc: "Delete markers.",
              unset: { status: "Disabled" },
            }),
            existingObjectReplication: field(status("Whether they are copied.").optional(), { doc: "Objects from before the rule." }),
            sourceSelectionCriteria: field(
              z
                .strictObject({
                  sseKmsEncryptedObjects: field(status("Whether they are copied.").optional(), { doc: "What KMS keys encrypt." }),
                  replicaModifications: field(status("Whether they are copied.").optional(), { doc: "Changes of copies." }),
                })
                .optional(),
              { doc: "What else is copied." },
            ),
          }),
        )
        .min(1)
        .max(1000),
      { doc: "The rules.", compare: { keyed: "id" } },
    ),
  });
