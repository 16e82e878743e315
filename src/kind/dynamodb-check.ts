/** What the static checks find in a table's manifest, before any AWS call. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

/** Keys and types that do not fit each other, and a capacity that is missing or too many. */
export function* tableFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const [types, indexes] = [
    declared.attributeDefinitions,
    [declared.globalSecondaryIndexes, declared.localSecondaryIndexes].flatMap(items),
  ];
  const keys = [declared.keySchema, ...indexes.map((index) => index.keySchema)].filter(isObject);
  const used = keys.flatMap(({ hash, range }) => [hash, range]).filter((name) => name !== undefined && name !== null);
  if (isObject(types) && used.every((name) => typeof name === "string")) yield* attributeFindings(key, types, new Set(used));
  const isOnDemand = declared.billingMode === "PAY_PER_REQUEST";
  const isProvisioned = declared.billingMode === undefined || declared.billingMode === "PROVISIONED";
  if (isProvisioned && declared.provisionedThroughput === undefined) {
    const hint = "set `provisionedThroughput`, or `billingMode: PAY_PER_REQUEST`";
    yield { resource: key, field: declared.billingMode === undefined ? "" : "billingMode", message: `${key} needs a capacity`, hint };
  }
  if (isOnDemand && declared.provisionedThroughput !== undefined) {
    yield { resource: key, field: "provisionedThroughput", message: `${key} is paid by request and has no provisioned capacity` };
  }
}

function* attributeFindings(resource: StaticResource["key"], types: JsonObject, used: ReadonlySet<string>): Generator<CheckFinding> {
  const at = { resource, field: "attributeDefinitions" };
  for (const name of used) {
    if (types[name] === undefined) yield { ...at, message: `${resource} uses \`${name}\` as a key, and does not define its type` };
  }
  for (const name of Object.keys(types)) {
    if (!used.has(name))
      yield {
        ...at,
        field: `attributeDefinitions.${name}`,
        message: `${resource} defines \`${name}\`, which no key uses; AWS refuses that`,
      };
  }
}

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
