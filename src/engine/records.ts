/** How a record changes, as pure functions: each takes a record and gives the next. */

import type { Condition, ConditionType, Reason } from "../core/condition.ts";
import { digest, equal, isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Intent, ResourceRecord, Retiring } from "../core/record.ts";
import type { Resource, ResourceKey } from "../core/resource.ts";

/** The first record of a resource. */
export function newRecord(resource: Resource, uid: string, generation: number, revision: number): ResourceRecord {
  return {
    key: resource.key,
    kind: resource.kind,
    uid,
    generation,
    retiring: [],
    applied: {},
    observed: {},
    conditions: [],
    dependencies: dependenciesOf(resource),
    lifecycle: resource.lifecycle,
    revision,
  };
}

/** What the resource needs, each once, itself left out: groups may refer to themselves. */
export function dependenciesOf(resource: Resource): readonly ResourceKey[] {
  return [...new Set(resource.dependencies.map(({ on }) => on))].filter((on) => on !== resource.key);
}

/** Deterministic, so that every send of one create carries the same: 32 hex characters fit every AWS token limit. */
export function tokenFor(uid: string, generation: number): string {
  return digest([uid, generation], 32);
}

/** Stands in `applied` for a value that was begun to be brought about, and equals none: it makes the field ours. */
const BEGUN: JsonObject = Object.freeze({ $begun: true });

/** Whether `applied` says no more of a value than that it was begun. */
export function isBegun(value: Json | undefined): boolean {
  return isObject(value) && value.$begun !== undefined;
}

/**
 * Whether a look that shows what is wanted, though nothing was sent for it, contradicts what was brought about before: it may
 * be older than that.
 */
export function contradicts(applied: Json | undefined, desired: Json | undefined): boolean {
  if (applied === undefined || isBegun(applied)) return false;
  if (!isObject(applied) || !isObject(desired)) return !equal(applied, desired);
  return Object.keys(applied).some((name) => contradicts(applied[name], desired[name]));
}

/**
 * Before an effect is sent that nothing recorded speaks of: fields, tags and dependencies that are new with it. Else a crash
 * would leave them behind as a stranger's once they leave the manifest again.
 */
export function begun(record: ResourceRecord, resource: Resource, desired: JsonObject): ResourceRecord {
  const dependencies = [...new Set([...record.dependencies, ...dependenciesOf(resource)])];
  return { ...record, applied: begunIn(record.applied, desired) as JsonObject, dependencies };
}

function begunIn(applied: Json | undefined, desired: Json): Json {
  if (applied === undefined) return BEGUN;
  if (!isObject(applied) || !isObject(desired) || isBegun(applied)) return applied;
  const fresh = Object.entries(desired).flatMap(([name, value]) => (value === undefined ? [] : [[name, begunIn(applied[name], value)]]));
  return { ...applied, ...Object.fromEntries(fresh) };
}

/** Before a create is sent: what was bound is gone, and the generation's token is fixed. `at.now`: epoch milliseconds. */
export function withIntent(
  record: ResourceRecord,
  generation: number,
  at: { now: number; revision: number; name?: string },
): ResourceRecord {
  const intent: Intent = { generation, token: tokenFor(record.uid, generation), revision: at.revision, openedAt: at.now, misses: 0 };
  const { id: _id, boundAt: _boundAt, name: _name, deleting: _deleting, ...rest } = record;
  return { ...rest, generation, intent, ...(at.name === undefined ? {} : { name: at.name }) };
}

/** The current object becomes one of an earlier generation; the successor is not begun yet. */
export function superseded(record: ResourceRecord, generation: number): ResourceRecord {
  const { id, boundAt: _boundAt, name: _name, intent: _intent, ...rest } = record;
  const old: readonly Retiring[] = id === undefined ? [] : [{ generation: record.generation, id }];
  return { ...rest, generation, retiring: [...record.retiring, ...old], applied: {}, observed: {} };
}

/** One more look that did not find what an intent is open for. */
export function missed(record: ResourceRecord): ResourceRecord {
  return record.intent ? { ...record, intent: { ...record.intent, misses: record.intent.misses + 1 } } : record;
}

/** The create is bound, or was definitely not executed. */
export function withoutIntent(record: ResourceRecord): ResourceRecord {
  const { intent: _intent, ...rest } = record;
  return rest;
}

/** The object was found or made. */
export function bound(record: ResourceRecord, id: string, generation: number, now: number): ResourceRecord {
  const fresh = record.id !== id;
  // Where the name is the id, the successor has taken its predecessor's: that one is gone.
  const retiring = record.retiring.filter((old) => old.id !== id);
  return { ...withoutIntent(record), id, generation, retiring, ...(fresh ? { boundAt: now } : {}) };
}

/** What a settled resource is remembered as. */
export type Settled = {
  readonly resource: Resource;
  readonly applied: JsonObject;
  readonly observed: JsonObject;
  readonly revision: number;
};

/** Nothing is left to do: what now holds, and Ready. `now`: ISO 8601. */
export function settled(record: ResourceRecord, at: Settled, now: string): ResourceRecord {
  const { resource, applied, observed } = at;
  const changed = digest(record.applied) !== digest(applied);
  return {
    ...record,
    key: resource.key,
    applied,
    ...(changed ? { appliedAt: Date.parse(now) } : {}),
    observed,
    dependencies: dependenciesOf(resource),
    lifecycle: resource.lifecycle,
    // A revision that changes nothing here is no reason to write the record.
    revision: changed ? at.revision : record.revision,
    conditions: withCondition(withCondition(record.conditions, "Ready", true, "Synced", "", now), "Stalled", false, "Synced", "", now),
  };
}

/** Nothing goes on without a person; `message` says what to do. `now`: ISO 8601. */
export function stalled(record: ResourceRecord, reason: Reason, message: string, now: string): ResourceRecord {
  return {
    ...record,
    conditions: withCondition(
      withCondition(record.conditions, "Ready", false, reason, message, now),
      "Stalled",
      true,
      reason,
      message,
      now,
    ),
  };
}

/** Kubernetes' rule: `since` moves only when the status does. */
export function withCondition(
  conditions: readonly Condition[],
  type: ConditionType,
  status: boolean,
  reason: Reason,
  message: string,
  now: string,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === type);
  const since = before?.status === status ? before.since : now;
  return [...conditions.filter((condition) => condition.type !== type), { type, status, reason, message, since }];
}
