/** What the static checks find in a bucket's manifest, before any AWS call. */

import { z } from "zod";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { isUnknown } from "../core/unknown.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

// S3 user guide, "General purpose bucket naming rules".
const RESERVED_BEGINNING = /^(xn--|sthree-|amzn-s3-demo-)/;
const RESERVED_END = /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** A bucket's name. */
export const bucketName = () =>
  z
    .string()
    .min(3)
    .max(63)
    .regex(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/, "must have small letters, digits, dots and dashes only, a letter or digit at both ends")
    .regex(/^(?!.*\.\.)/, "must not have two dots beside each other")
    .regex(/^(?!\d+\.\d+\.\d+\.\d+$)/, "must not look like an IP address")
    .refine((name) => !RESERVED_BEGINNING.test(name) && !RESERVED_END.test(name), "has a beginning or an end that S3 keeps for itself");

/** Members that S3 takes only together, or never together. */
export function* bucketFindings(bucket: StaticResource): Generator<CheckFinding> {
  yield* encryptionFindings(bucket);
  yield* lockFindings(bucket);
  yield* replicationFindings(bucket);
  yield* websiteFindings(bucket);
  for (const [index, rule] of items(member(bucket.spec.lifecycleConfiguration, "rules")).entries()) {
    yield* ruleFindings(bucket, rule, `lifecycleConfiguration.rules.${index}`);
  }
  yield* twins(bucket, "lifecycleConfiguration.rules", items(member(bucket.spec.lifecycleConfiguration, "rules")));
  yield* twins(bucket, "replicationConfiguration.rules", items(member(bucket.spec.replicationConfiguration, "rules")));
}

function* encryptionFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const by = member(spec.serverSideEncryptionConfiguration, "applyServerSideEncryptionByDefault");
  if (member(by, "sseAlgorithm") !== "AES256" || member(by, "kmsMasterKeyId") === undefined) return;
  const field = "serverSideEncryptionConfiguration.applyServerSideEncryptionByDefault.kmsMasterKeyId";
  yield {
    resource: key,
    field,
    message: `${key} is encrypted by S3's own keys, and takes no KMS key`,
    hint: "set `sseAlgorithm: aws:kms`",
  };
}

function* lockFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { objectLockConfiguration: lock, objectLockEnabledForBucket: enabled } = spec;
  if (isObject(lock) && !isUnknown(lock) && (enabled === undefined || enabled === false)) {
    const message = `${key} locks objects, which needs \`objectLockEnabledForBucket\``;
    yield { resource: key, field: "objectLockConfiguration", message };
  }
  const retention = member(member(lock, "rule"), "defaultRetention");
  if (isObject(retention) && !isUnknown(retention)) {
    const at = { resource: key, field: "objectLockConfiguration.rule.defaultRetention" };
    yield* oneOf(retention, ["days", "years"], at, `the retention of ${key}`);
  }
  if (enabled === true && member(spec.versioningConfiguration, "status") === "Suspended") {
    yield { resource: key, field: "versioningConfiguration.status", message: `${key} locks objects, and so keeps versions` };
  }
}

function* replicationFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { versioningConfiguration: versioning, objectLockEnabledForBucket: locked } = spec;
  const known = !isUnknown(versioning) && !isUnknown(member(versioning, "status")) && !isUnknown(locked);
  const versioned = locked === true || member(versioning, "status") === "Enabled";
  if (spec.replicationConfiguration === undefined || versioned || !known) return;
  const message = `${key} is replicated, which needs versions of objects`;
  yield { resource: key, field: "replicationConfiguration", message, hint: "set `versioningConfiguration: { status: Enabled }`" };
}

function* websiteFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const website = spec.websiteConfiguration;
  if (!isObject(website) || isUnknown(website)) return;
  const at = { resource: key, field: "websiteConfiguration" };
  const redirects = website.redirectAllRequestsTo !== undefined;
  if (redirects && Object.keys(website).length > 1) yield { ...at, message: `${key} redirects every request, and shows nothing itself` };
  if (!redirects && website.indexDocument === undefined) yield { ...at, message: `the web site ${key} needs an \`indexDocument\`` };
}

const ACTIONS = [
  "expiration",
  "transitions",
  "noncurrentVersionTransitions",
  "noncurrentVersionExpiration",
  "abortIncompleteMultipartUpload",
];

function* ruleFindings({ key }: StaticResource, rule: JsonObject, field: string): Generator<CheckFinding> {
  const of = `a rule of ${key}`;
  if (ACTIONS.every((name) => rule[name] === undefined)) yield { resource: key, field, message: `${of} does nothing` };
  const { expiration, transitions, filter } = rule;
  if (isObject(expiration) && !isUnknown(expiration)) {
    const at = { resource: key, field: `${field}.expiration` };
    yield* oneOf(expiration, ["days", "date", "expiredObjectDeleteMarker"], at, `the expiration of ${of}`);
  }
  for (const [index, transition] of items(transitions).entries()) {
    yield* oneOf(transition, ["days", "date"], { resource: key, field: `${field}.transitions.${index}` }, `a transition of ${of}`);
  }
  const conditions = isObject(filter) && !isUnknown(filter) ? Object.keys(filter) : [];
  if (conditions.length > 1) {
    const message = `the filter of ${of} has ${conditions.join(" and ")}`;
    yield { resource: key, field: `${field}.filter`, message, hint: "put them into `and`" };
  }
}

function* oneOf(
  given: JsonObject,
  names: readonly string[],
  at: Pick<CheckFinding, "resource" | "field">,
  what: string,
): Generator<CheckFinding> {
  const found = names.filter((name) => given[name] !== undefined);
  if (found.length === 1) return;
  yield { ...at, message: `${what} needs one of ${names.join(", ")}, and has ${found.length === 0 ? "none" : found.join(" and ")}` };
}

function* twins({ key }: StaticResource, field: string, rules: readonly JsonObject[]): Generator<CheckFinding> {
  const seen = new Set<Json>();
  for (const [index, { id }] of rules.entries()) {
    if (typeof id === "string" && seen.has(id)) {
      yield { resource: key, field: `${field}.${index}.id`, message: `${key} has two rules named ${id}` };
    }
    seen.add(id ?? null);
  }
}

function member(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
