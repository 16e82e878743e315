/** A DynamoDB table in the manifest's words and in AWS's, and the single steps that change one. */

import type {
  AttributeDefinition,
  GlobalSecondaryIndex,
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  LocalSecondaryIndexDescription,
  PointInTimeRecoveryDescription,
  ScalarAttributeType,
  SSESpecification,
  TableDescription,
  TimeToLiveDescription,
  UpdateTableInput,
} from "@aws-sdk/client-dynamodb";
import type { FieldChange } from "../core/diff.ts";
import { equal, isObject, type Json, type JsonObject } from "../core/json.ts";
import { defined } from "./listing.ts";
import { upper } from "./words.ts";

/** One UpdateTable, and what holds once AWS has taken it. */
export type TableStep = { readonly request: Omit<UpdateTableInput, "TableName">; readonly values: JsonObject };

/** A field that does not differ. */
export const NO_CHANGE: FieldChange = { before: undefined, after: undefined, added: [], removed: [], changed: [], set: {}, drop: [] };

type Keys = { readonly hash: string; readonly range?: string | undefined };
type Capacity = { readonly readCapacityUnits: number; readonly writeCapacityUnits: number };
type Limits = { readonly maxReadRequestUnits?: number | undefined; readonly maxWriteRequestUnits?: number | undefined };
type Index = {
  readonly indexName: string;
  readonly keySchema: Keys;
  readonly projection: { readonly projectionType: "ALL" | "KEYS_ONLY" | "INCLUDE"; readonly nonKeyAttributes?: string[] | undefined };
  readonly provisionedThroughput?: Capacity | undefined;
  readonly onDemandThroughput?: Limits | undefined;
};
type Types = Readonly<Record<string, ScalarAttributeType>>;
type Throughput = {
  readonly billingMode?: "PROVISIONED" | "PAY_PER_REQUEST" | undefined;
  readonly provisionedThroughput?: Capacity | undefined;
  readonly onDemandThroughput?: Limits | undefined;
  readonly globalSecondaryIndexes?: readonly Index[] | undefined;
};

// What follows turns the manifest's words into AWS's.

/** A key schema: the hash key first, as AWS wants it. */
export function keysOut({ hash, range }: Keys): KeySchemaElement[] {
  const key = { AttributeName: hash, KeyType: "HASH" as const };
  return range === undefined ? [key] : [key, { AttributeName: range, KeyType: "RANGE" }];
}

/** The key attributes' types as AWS's list. */
export function attributesOut(types: Types): AttributeDefinition[] {
  return Object.entries(types).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}

/** A global secondary index as a create or an update wants it. */
export function indexOut(index: Index): GlobalSecondaryIndex {
  return {
    IndexName: index.indexName,
    KeySchema: keysOut(index.keySchema),
    Projection: { ProjectionType: index.projection.projectionType, NonKeyAttributes: index.projection.nonKeyAttributes },
    ...(index.provisionedThroughput ? { ProvisionedThroughput: capitalized(index.provisionedThroughput) } : {}),
    ...(index.onDemandThroughput ? { OnDemandThroughput: capitalized(index.onDemandThroughput) } : {}),
  };
}

/** AWS takes no key along with a `false`. */
export function sseOut(sse: JsonObject | undefined): SSESpecification | undefined {
  return sse?.enabled === false ? { Enabled: false } : (renamed(sse, SSE_NAMES) as SSESpecification | undefined);
}

const SSE_NAMES = { enabled: "Enabled", sseType: "SSEType", kmsMasterKeyId: "KMSMasterKeyId" };

function renamed(members: JsonObject | undefined, names: Readonly<Record<string, string>>): object | undefined {
  return members && Object.fromEntries(Object.entries(members).map(([name, value]) => [names[name], value]));
}

type Capitalized<T> = { [Name in keyof T as Name extends string ? Capitalize<Name> : never]: T[Name] };

/** The members with a capital first letter: how AWS spells what the manifest says. */
export function capitalized<T extends object>(members: T): Capitalized<T>;
export function capitalized<T extends object>(members: T | undefined): Capitalized<T> | undefined;
export function capitalized(members: object | undefined): object | undefined {
  return members && Object.fromEntries(Object.entries(members).map(([name, value]) => [upper(name), value]));
}

/** AWS refuses empty lists where it takes none at all. */
export function nonEmpty<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

// What follows turns AWS's words into the manifest's.

/** Spec and status of a table, but for what other calls tell. */
export function valuesOf(table: TableDescription): JsonObject {
  const billingMode = table.BillingModeSummary?.BillingMode ?? "PROVISIONED";
  const isOnDemand = billingMode === "PAY_PER_REQUEST";
  return defined({
    tableName: table.TableName,
    tableArn: table.TableArn,
    tableId: table.TableId,
    billingMode,
    keySchema: keysOf(table.KeySchema),
    attributeDefinitions: Object.fromEntries((table.AttributeDefinitions ?? []).map((found) => [found.AttributeName, found.AttributeType])),
    provisionedThroughput: isOnDemand ? undefined : capacityOf(table.ProvisionedThroughput),
    onDemandThroughput: isOnDemand ? limitsOf(table.OnDemandThroughput) : undefined,
    globalSecondaryIndexes: (table.GlobalSecondaryIndexes ?? []).filter(({ IndexStatus }) => IndexStatus !== "DELETING").map(indexOf),
    localSecondaryIndexes: (table.LocalSecondaryIndexes ?? []).map(indexOf),
    streamSpecification: streamOf(table.StreamSpecification),
    sseSpecification: sseOf(table.SSEDescription),
    tableClass: table.TableClassSummary?.TableClass ?? "STANDARD",
    deletionProtectionEnabled: table.DeletionProtectionEnabled ?? false,
    ...statusOf(table),
  });
}

/** What an update may have left unfinished. */
export function statusOf(table: TableDescription): JsonObject {
  return defined({
    tableStatus: table.TableStatus,
    indexStatuses: Object.fromEntries((table.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index.IndexStatus])),
    latestStreamArn: table.LatestStreamArn,
    latestStreamLabel: table.LatestStreamLabel,
  });
}

/** Time to live as the manifest says it; a table that was never asked has none. */
export function timeToLiveOf(found: TimeToLiveDescription | undefined): JsonObject {
  const enabled = found?.TimeToLiveStatus === "ENABLED" || found?.TimeToLiveStatus === "ENABLING";
  return enabled ? { enabled, attributeName: found.AttributeName } : { enabled };
}

/** Point-in-time recovery as the manifest says it. */
export function backupsOf(found: PointInTimeRecoveryDescription | undefined): JsonObject {
  const pointInTimeRecoveryEnabled = found?.PointInTimeRecoveryStatus === "ENABLED";
  return pointInTimeRecoveryEnabled
    ? defined({ pointInTimeRecoveryEnabled, recoveryPeriodInDays: found.RecoveryPeriodInDays })
    : { pointInTimeRecoveryEnabled };
}

function keysOf(schema: readonly KeySchemaElement[] | undefined): JsonObject {
  const named = (type: string) => schema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  return defined({ hash: named("HASH"), range: named("RANGE") });
}

function indexOf(index: GlobalSecondaryIndexDescription | LocalSecondaryIndexDescription): JsonObject {
  const limits = "OnDemandThroughput" in index && index.OnDemandThroughput ? limitsOf(index.OnDemandThroughput) : undefined;
  return defined({
    indexName: index.IndexName,
    keySchema: keysOf(index.KeySchema),
    projection: defined({ projectionType: index.Projection?.ProjectionType, nonKeyAttributes: index.Projection?.NonKeyAttributes }),
    provisionedThroughput: "ProvisionedThroughput" in index ? capacityOf(index.ProvisionedThroughput) : undefined,
    onDemandThroughput: limits,
  });
}

// A table that is paid by request answers with a capacity of 0.
function capacityOf(found: { ReadCapacityUnits?: number | undefined; WriteCapacityUnits?: number | undefined } | undefined): Json {
  if (!found?.ReadCapacityUnits || !found.WriteCapacityUnits) return null;
  return { readCapacityUnits: found.ReadCapacityUnits, writeCapacityUnits: found.WriteCapacityUnits };
}

function limitsOf(found: { MaxReadRequestUnits?: number | undefined; MaxWriteRequestUnits?: number | undefined } | undefined): JsonObject {
  return { maxReadRequestUnits: found?.MaxReadRequestUnits ?? -1, maxWriteRequestUnits: found?.MaxWriteRequestUnits ?? -1 };
}

function streamOf(found: TableDescription["StreamSpecification"]): JsonObject {
  return found?.StreamEnabled ? defined({ streamEnabled: true, streamViewType: found.StreamViewType }) : { streamEnabled: false };
}

/** Encryption with a key of the account; without a description, AWS encrypts with a key of its own. */
export function sseOf(found: TableDescription["SSEDescription"]): JsonObject {
  const enabled = found?.Status === "ENABLED" || found?.Status === "ENABLING" || found?.Status === "UPDATING";
  return enabled ? defined({ enabled, sseType: found.SSEType, kmsMasterKeyId: found.KMSMasterKeyArn }) : { enabled };
}

// What follows are the single steps.

/** Billing mode and capacity go together; a table that becomes provisioned names the capacity of the indexes it has. */
export function throughputStep(desired: Throughput, observed: JsonObject): TableStep {
  const { billingMode, provisionedThroughput, onDemandThroughput } = desired;
  const isProvisioned = billingMode !== "PAY_PER_REQUEST";
  const becomesProvisioned = billingMode === "PROVISIONED" && observed.billingMode === "PAY_PER_REQUEST";
  return {
    request: {
      BillingMode: billingMode,
      ProvisionedThroughput: isProvisioned ? capitalized(provisionedThroughput) : undefined,
      OnDemandThroughput: isProvisioned ? undefined : capitalized(onDemandThroughput),
      GlobalSecondaryIndexUpdates: becomesProvisioned ? nonEmpty(indexCapacities(desired, observed)) : undefined,
    },
    values: {
      ...(billingMode ? { billingMode } : {}),
      provisionedThroughput: isProvisioned ? provisionedThroughput : undefined,
      onDemandThroughput: isProvisioned ? undefined : { maxReadRequestUnits: -1, maxWriteRequestUnits: -1, ...onDemandThroughput },
    },
  };
}

// An index the manifest no longer names is about to go, and takes the table's capacity until then.
function indexCapacities(desired: Throughput, observed: JsonObject): IndexUpdate[] {
  const present = (observed.globalSecondaryIndexes ?? []) as unknown as Index[];
  return present.flatMap(({ indexName }) => {
    const wanted = desired.globalSecondaryIndexes?.find((index) => index.indexName === indexName);
    const capacity = wanted?.provisionedThroughput ?? desired.provisionedThroughput;
    return capacity ? [{ Update: { IndexName: indexName, ProvisionedThroughput: capitalized(capacity) } }] : [];
  });
}

/**
 * AWS changes one index a call. An index whose keys or projection change is deleted first, and comes back as a new one on
 * the next round. The attribute types that go along are exactly those the keys use, because AWS refuses any other.
 */
export function indexStep(desired: { attributeDefinitions: Types }, observed: JsonObject, change: FieldChange): TableStep {
  const present = (observed.globalSecondaryIndexes ?? []) as unknown as Index[];
  const types = { ...(observed.attributeDefinitions as Types | undefined), ...desired.attributeDefinitions };
  const [changed] = change.changed as unknown as { before: Index; after: Index }[];
  const [added] = change.added as unknown as Index[];
  const [removed] = change.removed as unknown as Index[];
  if (changed && hasSameKeys(changed.before, changed.after)) return capacityStep(present, changed.after);
  const gone = changed?.before ?? removed;
  if (gone) {
    const kept = present.filter((index) => index.indexName !== gone.indexName);
    return indexesStep(types, observed, kept, { Delete: { IndexName: gone.indexName } });
  }
  if (added) return indexesStep(types, observed, [...present, added], { Create: indexOut(added) });
  // Only the types differ: AWS says why that cannot be.
  return { request: { AttributeDefinitions: attributesOut(desired.attributeDefinitions) }, values: {} };
}

function hasSameKeys(before: Index, after: Index): boolean {
  const sorted = (index: Index) => ({ ...index.projection, nonKeyAttributes: index.projection.nonKeyAttributes?.toSorted() });
  return equal({ ...before.keySchema }, { ...after.keySchema }) && equal(sorted(before), sorted(after));
}

function capacityStep(present: readonly Index[], after: Index): TableStep {
  const update = {
    IndexName: after.indexName,
    ProvisionedThroughput: capitalized(after.provisionedThroughput),
    OnDemandThroughput: capitalized(after.onDemandThroughput),
  };
  const indexes = present.map((index) => (index.indexName === after.indexName ? { ...index, ...after } : index));
  return { request: { GlobalSecondaryIndexUpdates: [{ Update: update }] }, values: { globalSecondaryIndexes: indexes as unknown as Json } };
}

type IndexUpdate = NonNullable<UpdateTableInput["GlobalSecondaryIndexUpdates"]>[number];

function indexesStep(types: Types, observed: JsonObject, indexes: readonly Index[], update: IndexUpdate): TableStep {
  const local = (observed.localSecondaryIndexes ?? []) as unknown as Index[];
  const keys = [observed.keySchema as unknown as Keys, ...[...indexes, ...local].map((index) => index.keySchema)];
  const used = new Set(keys.flatMap(({ hash, range }) => [hash, range]));
  const attributeDefinitions = Object.fromEntries(Object.entries(types).filter(([name]) => used.has(name)));
  return {
    request: { AttributeDefinitions: attributesOut(attributeDefinitions), GlobalSecondaryIndexUpdates: [update] },
    values: { attributeDefinitions, globalSecondaryIndexes: indexes as unknown as Json },
  };
}

/** A stream that shall record something else is switched off first. */
export function streamStep(before: Json | undefined, after: Json | undefined): TableStep {
  const [from, to] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  const isOn = to.streamEnabled === true && from.streamEnabled !== true;
  const streamSpecification = isOn ? to : { streamEnabled: false };
  return {
    request: { StreamSpecification: capitalized(streamSpecification) as { StreamEnabled: boolean } },
    values: { streamSpecification },
  };
}

/** Expiry by another attribute is switched off first. */
export function timeToLiveStep(before: JsonObject, after: JsonObject): { enabled: boolean; attributeName: string } {
  const enabled = after.enabled === true && before.enabled !== true;
  return { enabled, attributeName: String(enabled ? after.attributeName : before.attributeName) };
}
