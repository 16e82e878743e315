/** One resource as `get` and `describe` show it: the record joined with what AWS holds now, in Kubernetes' shape. */

import { type Tags, withoutOwnership } from "../aws/tags.ts";
import type { Reason } from "../core/condition.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import type { Drift, ResourceRecord } from "../core/record.ts";
import { type Lifecycle, type ResourceKey, splitKey } from "../core/resource.ts";
import type { StackState } from "../core/store.ts";
import type { World } from "../engine/types.ts";
import type { AnyKind, Kinds, Remote } from "../kind/kind.ts";
import { type Pause, pausesAt } from "./requests.ts";

/** `reason` is one of the conditions' reasons, or NotCreated for what was declared and never applied. */
export type ResourceStatus = {
  readonly id?: string;
  readonly ready: boolean;
  readonly reason: Reason | "NotCreated";
  readonly message: string;
  readonly conditions: ResourceRecord["conditions"];
  /** Status fields as AWS has them now. */
  readonly observed: JsonObject;
  /** What a controller has seen differ, and has not put back. */
  readonly drift?: readonly Drift[];
  /** When a controller last looked, and when it does next (ISO 8601). */
  readonly checkedAt?: string;
  readonly nextCheckAt?: string;
};

/** See the file's header. Its JSON is what `-o json` prints, so its members are an interface. */
export type ResourceView = {
  readonly key: ResourceKey;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid?: string; readonly generation?: number };
  /** What was last applied; secrets as hashes. */
  readonly spec: JsonObject;
  readonly lifecycle?: Lifecycle;
  /** By name; whether the whole stack is, the stack tells. */
  readonly paused?: Pick<Pause, "until" | "by" | "reason">;
  readonly status: ResourceStatus;
};

/** What the view is made with. `plan` knows the objects that no record names: others' that are only read, and ours after a loss of state. */
export type ViewOptions = { readonly kinds: Kinds; readonly plan: Plan | undefined; readonly now: number };

/** The view of one key, declared or recorded. */
export function viewOf(key: ResourceKey, world: World, { kinds, plan, now }: ViewOptions): ResourceView {
  const record = world.state.records.get(key);
  const resource = world.compiled?.resources.find((candidate) => candidate.key === key);
  const { kind, name } = splitKey(key);
  const definition = kinds.get(record?.kind ?? resource?.kind ?? (" " as const)) as AnyKind | undefined;
  const id = record?.id ?? plan?.changes.find((change) => change.key === key)?.id;
  const remote = definition && world.remotes.get(definition.id)?.find((candidate) => candidate.id === id);
  return {
    key,
    apiVersion: definition?.apiVersion ?? "",
    kind,
    metadata: { name, ...(record ? { uid: record.uid, generation: record.generation } : {}) },
    spec: shownSpec(record?.applied ?? {}, definition),
    ...(record ? { lifecycle: record.lifecycle } : {}),
    ...pauseOf(key, world.state, now),
    status: { ...statusOf(record, remote, definition), ...seenOf(record, world.state) },
  };
}

/** The view of a record alone, as whoever looked last wrote it. */
export function recordedView(record: ResourceRecord, state: StackState, { kinds, now }: Omit<ViewOptions, "plan">): ResourceView {
  const kind = kinds.get(record.kind) as AnyKind | undefined;
  const { kind: name, name: own } = splitKey(record.key);
  return {
    key: record.key,
    apiVersion: kind?.apiVersion ?? "",
    kind: name,
    metadata: { name: own, uid: record.uid, generation: record.generation },
    spec: shownSpec(record.applied, kind),
    lifecycle: record.lifecycle,
    ...pauseOf(record.key, state, now),
    status: {
      ...(record.id === undefined ? {} : { id: record.id }),
      ...recordedVerdict(record),
      conditions: record.conditions,
      observed: kind ? pick(record.observed, Object.keys(kind.status.fields)) : {},
      ...seenOf(record, state),
    },
  };
}

function recordedVerdict({ conditions, deleting, intent, id }: ResourceRecord): Verdict {
  if (deleting) return { ready: false, reason: "Deleting", message: "being deleted" };
  const stalled = conditions.find(({ type, status }) => type === "Stalled" && status);
  if (stalled) return { ready: false, reason: stalled.reason, message: stalled.message };
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready) return { ready: ready.status, reason: ready.reason, message: ready.message };
  return { ready: false, reason: id === undefined || intent ? "Creating" : "Provisioning", message: "not ready yet" };
}

function pauseOf(key: ResourceKey, { requests }: StackState, now: number): Pick<ResourceView, "paused"> {
  const pause = pausesAt(requests, now).find(({ target }) => target === key);
  return pause ? { paused: { until: pause.until, by: pause.by, reason: pause.reason } } : {};
}

function seenOf(record: ResourceRecord | undefined, { status }: StackState): Pick<ResourceStatus, "drift" | "checkedAt" | "nextCheckAt"> {
  const check = record && status?.checks[record.kind];
  return {
    ...(record?.drift ? { drift: record.drift } : {}),
    ...(check ? { checkedAt: check.at, nextCheckAt: check.next } : {}),
  };
}

type Verdict = Pick<ResourceStatus, "ready" | "reason" | "message">;

// Ownership tags are BEACON's own business: uid and generation stand in the metadata.
function shownSpec(applied: JsonObject, kind: AnyKind | undefined): JsonObject {
  if (!kind?.taggable || !isObject(applied.tags)) return applied;
  return { ...applied, tags: withoutOwnership(applied.tags as Tags) };
}

function statusOf(record: ResourceRecord | undefined, remote: Remote | undefined, kind: AnyKind | undefined): ResourceStatus {
  const base = {
    conditions: record?.conditions ?? [],
    observed: remote && kind ? pick(remote.values, Object.keys(kind.status.fields)) : {},
  };
  const id = record?.id ?? remote?.id;
  return { ...base, ...(id === undefined ? {} : { id }), ...(record ? verdict(record, remote, kind) : unrecorded(remote, kind)) };
}

function unrecorded(remote: Remote | undefined, kind: AnyKind | undefined): Verdict {
  return remote ? readiness(remote, kind) : { ready: false, reason: "NotCreated", message: "declared, and not applied yet" };
}

// What AWS says now comes before what the last pass said.
function verdict(record: ResourceRecord, remote: Remote | undefined, kind: AnyKind | undefined): Verdict {
  if (record.deleting) return { ready: false, reason: "Deleting", message: "being deleted" };
  if (!remote && record.id !== undefined) return { ready: false, reason: "Missing", message: `${record.id} is gone from AWS` };
  if (!remote && record.intent)
    return { ready: false, reason: "Resolving", message: "an earlier create without an answer is looked for by the next apply" };
  if (!remote) return { ready: false, reason: "Creating", message: "recorded, and not created yet" };
  const stalled = record.conditions.find((condition) => condition.type === "Stalled" && condition.status);
  if (stalled) return { ready: false, reason: stalled.reason, message: stalled.message };
  return readiness(remote, kind);
}

function readiness(remote: Remote, kind: AnyKind | undefined): Verdict {
  const found = kind?.ready({ ...remote.values }) ?? { state: "ready" };
  switch (found.state) {
    case "ready":
      return { ready: true, reason: "Synced", message: "ready" };
    case "waiting":
      return { ready: false, reason: "Provisioning", message: found.why };
    case "failed":
      return { ready: false, reason: "Failed", message: found.why };
  }
}

function pick(values: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]));
}
