/** What the static checks find in a table's manifest, before any AWS call. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

/** Keys and types that do not fit each other, a capacity that is missing or too many, and members that AWS takes only together. */
export function* tableFindings(table: StaticResource): Generator<CheckFinding> {
  const { key, spec: declared } = table;
  const [types, indexes] = [
    declared.attributeDefinitions,
    [declared.globalSecondaryIndexes, declared.localSecondaryIndexes].flatMap(items),
  ];
  const keys = [declared.keySchema, ...indexes.map((index) => index.keySchema)].filter(isObject);
  const used = keys.flatMap(({ hash, range }) => [hash, range]).filter((name) => name !== undefined && name !== null);
  if (isObject(types) && used.every((name) => typeof name === "string")) yield* attributeFindings(key, types, new Set(used));
  yield* capacityFindings(table);
  yield* indexFindings(table);
  yield* SWITCHES.flatMap((one) => switchFindings(table, one));
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

/** Billing mode PROVISIONED wants a capacity of the table and of each index; PAY_PER_REQUEST refuses one, and alone takes limits. */
function* capacityFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const isOnDemand = declared.billingMode === "PAY_PER_REQUEST";
  const isProvisioned = declared.billingMode === undefined || declared.billingMode === "PROVISIONED";
  const indexes = items(declared.globalSecondaryIndexes).map((index, position) => ({
    at: `globalSecondaryIndexes.${position}`,
    part: index,
  }));
  for (const { at, part } of [{ at: "", part: declared }, ...indexes]) {
    const what = at === "" ? key : `the index ${indexName(part)} of ${key}`;
    const inside = (name: string) => (at === "" ? name : `${at}.${name}`);
    if (isProvisioned && part.provisionedThroughput === undefined) {
      const hint = "set `provisionedThroughput`, or `billingMode: PAY_PER_REQUEST`";
      const field = at === "" && declared.billingMode !== undefined ? "billingMode" : at;
      yield { resource: key, field, message: `${what} needs a capacity`, hint };
    }
    if (isOnDemand && part.provisionedThroughput !== undefined) {
      const field = inside("provisionedThroughput");
      yield { resource: key, field, message: `${what} is paid by request and has no provisioned capacity` };
    }
    if (isProvisioned && part.onDemandThroughput !== undefined) {
      yield { resource: key, field: inside("onDemandThroughput"), message: `${what} has a provisioned capacity, and no limits on demand` };
    }
  }
}

// "The total count of NonKeyAttributes summed across all of the secondary indexes must not exceed 100" (DynamoDB API
// Reference, Projection).
const NON_KEY_ATTRIBUTES_MAX = 100;

function* indexFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const tableKeys = isObject(declared.keySchema) ? declared.keySchema : {};
  yield* keyFindings(key, "keySchema", tableKeys);
  const names = new Set<Json>();
  let attributes = 0;
  for (const list of ["globalSecondaryIndexes", "localSecondaryIndexes"]) {
    for (const [position, index] of items(declared[list]).entries()) {
      const at = `${list}.${position}`;
      const keys = isObject(index.keySchema) ? index.keySchema : {};
      const again = typeof index.indexName === "string" && names.has(index.indexName);
      if (again) yield { resource: key, field: `${at}.indexName`, message: `${key} has two indexes named ${indexName(index)}` };
      names.add(index.indexName ?? null);
      yield* keyFindings(key, `${at}.keySchema`, keys);
      if (list === "localSecondaryIndexes") yield* localFindings(key, at, tableKeys, keys);
      yield* projectionFindings(key, at, index);
      attributes += includedOf(index).length;
    }
  }
  if (attributes > NON_KEY_ATTRIBUTES_MAX) {
    const message = `the indexes of ${key} name ${attributes} attributes that are no keys; AWS takes ${NON_KEY_ATTRIBUTES_MAX}`;
    yield { resource: key, field: "globalSecondaryIndexes", message };
  }
}

function* keyFindings(resource: StaticResource["key"], field: string, { hash, range }: JsonObject): Generator<CheckFinding> {
  if (typeof hash === "string" && hash === range) yield { resource, field, message: `\`${hash}\` cannot be both keys of ${resource}` };
}

function* localFindings(
  resource: StaticResource["key"],
  at: string,
  table: JsonObject,
  { hash, range }: JsonObject,
): Generator<CheckFinding> {
  if (table.range === undefined) yield { resource, field: at, message: `${resource} has no sort key, and local indexes need one` };
  if (range === undefined) yield { resource, field: `${at}.keySchema`, message: `a local index of ${resource} needs a sort key` };
  if (typeof hash !== "string" || typeof table.hash !== "string" || hash === table.hash) return;
  yield {
    resource,
    field: `${at}.keySchema.hash`,
    message: `a local index of ${resource} has the table's partition key, \`${table.hash}\``,
  };
}

function* projectionFindings(resource: StaticResource["key"], at: string, index: JsonObject): Generator<CheckFinding> {
  const { projectionType, nonKeyAttributes } = isObject(index.projection) ? index.projection : {};
  if (typeof projectionType !== "string" || (projectionType === "INCLUDE") === (nonKeyAttributes !== undefined)) return;
  const message = `the index ${indexName(index)} of ${resource} `;
  yield projectionType === "INCLUDE"
    ? { resource, field: `${at}.projection`, message: `${message}includes attributes, and names none`, hint: "set `nonKeyAttributes`" }
    : { resource, field: `${at}.projection.nonKeyAttributes`, message: `${message}takes \`nonKeyAttributes\` with INCLUDE only` };
}

function includedOf({ projection }: JsonObject): readonly Json[] {
  return isObject(projection) && Array.isArray(projection.nonKeyAttributes) ? projection.nonKeyAttributes : [];
}

function indexName({ indexName: name }: JsonObject): string {
  return typeof name === "string" ? name : "";
}

type Switch = { readonly field: string; readonly member: string; readonly needs?: string; readonly only: readonly string[] };

/** What is switched on and off: members that it needs while it is on, and those that AWS forgets, or refuses, while it is off. */
const SWITCHES: readonly Switch[] = [
  { field: "streamSpecification", member: "streamEnabled", needs: "streamViewType", only: ["streamViewType"] },
  { field: "timeToLiveSpecification", member: "enabled", needs: "attributeName", only: ["attributeName"] },
  { field: "pointInTimeRecoverySpecification", member: "pointInTimeRecoveryEnabled", only: ["recoveryPeriodInDays"] },
  { field: "sseSpecification", member: "enabled", only: ["sseType", "kmsMasterKeyId"] },
];

function switchFindings({ key, spec: declared }: StaticResource, { field, member, needs, only }: Switch): CheckFinding[] {
  const value = declared[field];
  if (!isObject(value)) return [];
  if (value[member] === true && needs !== undefined && value[needs] === undefined) {
    return [{ resource: key, field, message: `\`${field}\` of ${key} needs \`${needs}\` while it is on` }];
  }
  if (value[member] !== false) return [];
  return only
    .filter((name) => value[name] !== undefined)
    .map((name) => ({ resource: key, field: `${field}.${name}`, message: `\`${field}\` of ${key} is off, and takes no \`${name}\`` }));
}

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
