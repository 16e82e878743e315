/** Buckets by chance, made such that their members fit each other. */

import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";

export function bucketOf(spec: JsonObject): JsonObject {
  const { objectLockConfiguration: lock, lifecycleConfiguration, replicationConfiguration, websiteConfiguration } = spec;
  const isLocked = spec.objectLockEnabledForBucket === true || lock !== undefined;
  const isVersioned = isLocked || replicationConfiguration !== undefined;
  return {
    ...spec,
    ...(isLocked ? { objectLockEnabledForBucket: true } : {}),
    ...(isVersioned ? { versioningConfiguration: { status: "Enabled" } } : {}),
    ...(isObject(lock) ? { objectLockConfiguration: { rule: { defaultRetention: { mode: "GOVERNANCE", days: 1 } } } } : {}),
    ...(isObject(spec.serverSideEncryptionConfiguration) ? encryptionOf(spec.serverSideEncryptionConfiguration) : {}),
    ...(isObject(lifecycleConfiguration) ? { lifecycleConfiguration: withRules(lifecycleConfiguration, ruleOf) } : {}),
    ...(isObject(replicationConfiguration) ? { replicationConfiguration: withRules(replicationConfiguration, (rule) => rule) } : {}),
    ...(isObject(websiteConfiguration) ? { websiteConfiguration: websiteOf(websiteConfiguration) } : {}),
  };
}

function encryptionOf(encryption: JsonObject): JsonObject {
  const by = encryption.applyServerSideEncryptionByDefault as JsonObject;
  const applyServerSideEncryptionByDefault = by.sseAlgorithm === "AES256" ? { sseAlgorithm: "AES256" } : by;
  return { serverSideEncryptionConfiguration: { ...encryption, applyServerSideEncryptionByDefault } };
}

function withRules(configuration: JsonObject, each: (rule: JsonObject) => JsonObject): JsonObject {
  const rules = new Map((configuration.rules as unknown as JsonObject[]).map((rule) => [rule.id, each(rule)]));
  return { ...configuration, rules: [...rules.values()] };
}

function ruleOf(rule: JsonObject): JsonObject {
  const { expiration, transitions, filter } = rule;
  return {
    ...rule,
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
    ...(isObject(expiration) ? { expiration: oneOf(expiration, ["days", "date", "expiredObjectDeleteMarker"], { days: 1 }) } : {}),
    ...(Array.isArray(transitions) ? { transitions: (transitions as unknown as JsonObject[]).map(transitionOf) } : {}),
    ...(isObject(filter) ? { filter: oneOf(filter, Object.keys(filter), {}) } : {}),
  };
}

function transitionOf(transition: JsonObject): JsonObject {
  return { storageClass: transition.storageClass as Json, ...oneOf(transition, ["days", "date"], { days: 0 }) };
}

function websiteOf({ redirectAllRequestsTo, ...website }: JsonObject): JsonObject {
  return redirectAllRequestsTo === undefined ? { indexDocument: { suffix: "i" }, ...website } : { redirectAllRequestsTo };
}

function oneOf(given: JsonObject, names: readonly string[], otherwise: JsonObject): JsonObject {
  const name = names.find((one) => given[one] !== undefined);
  return name === undefined ? otherwise : { [name]: given[name] as Json };
}
