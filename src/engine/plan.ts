/** The plan: what an apply or a delete would do, from one look. Pure: makes no call and writes nothing. */

import { type Tags, withoutOwnership } from "../aws/tags.ts";
import type { CompiledStack } from "../core/compiled.ts";
import { withoutSecrets } from "../core/diff.ts";
import { equal, type Json, type JsonObject } from "../core/json.ts";
import { type Change, type Consents, type Plan, planDigest } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import { type Resource, type ResourceKey, stackName } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import { type AnyKind, staysBehind } from "../kind/kind.ts";
import type { Decision } from "./decide.ts";
import { Indexes, managedKind, recordOf, type Sweep, selected, sweep } from "./sweep.ts";
import type { Context, PlanOptions, World } from "./types.ts";

/** Drift correction may re-create this many, or {@link MASS_MISSING_SHARE} of the stack if that is more, before a person must approve. */
export const MASS_MISSING_MIN = 3;
/** A tenth of the stack's records. */
export const MASS_MISSING_SHARE = 0.1;

/** What an apply, or with `destroy` a delete, would do to the stack this look has seen. The same look gives the same digest. */
export function makePlan(context: Pick<Context, "kinds" | "stack">, world: World, options: PlanOptions): Plan {
  const indexes = new Indexes(stackName(context.stack), world.remotes);
  const swept = options.destroy ? undefined : sweepWorld(context, world, options, indexes);
  const declared = swept ? declaredChanges(context, world, options, swept) : [];
  const changes = [...declared, ...deletions(context, world, options, indexes)];
  // Of a stack whose state is lost nobody knows what its outputs were: alone, they are no difference.
  const comparable = world.state.revision !== undefined || changes.some(({ action }) => action !== "none");
  return {
    changes,
    outputs: swept && comparable ? outputChanges(world, swept) : [],
    newer: world.newer,
    consents: consentsFor(context, world, changes),
    digest: planDigest(changes),
  };
}

/** The sweep behind a plan; undefined where there are no manifests to sweep. */
export function sweepWorld(
  context: Pick<Context, "kinds" | "stack">,
  world: World,
  options: PlanOptions,
  indexes: Indexes,
): Sweep | undefined {
  const { compiled } = world;
  if (!compiled) return undefined;
  const input = {
    kinds: context.kinds,
    stack: context.stack,
    compiled,
    records: world.state.records,
    indexes,
    pins: world.pins,
    replace: new Set(options.replace),
  };
  // Also what is not selected: outputs and late fields refer to it.
  return sweep(input);
}

function declaredChanges(context: Pick<Context, "kinds">, world: World, options: PlanOptions, swept: Sweep): Change[] {
  const resources = selected(context.kinds, world.compiled?.resources ?? [], options.only);
  const changes = resources.flatMap((resource) => {
    const decision = swept.decisions.get(resource.key);
    return decision ? [changeOf(context, world, resource, decision)] : [];
  });
  return changes.map((change) => ({ ...change, dependents: dependentsOf(change, resources, changes) }));
}

function changeOf(context: Pick<Context, "kinds">, world: World, resource: Resource, decision: Decision): Change {
  const kind = managedKind(context.kinds, resource.kind);
  const record = recordOf(world.state.records, resource);
  const builds = decision.action === "create" || decision.action === "replace";
  const { identified } = decision;
  return {
    key: resource.key,
    kind: resource.kind,
    action: decision.action,
    ...(decision.current ? { id: decision.current.id } : {}),
    differences: decision.diff.differences,
    leftAlone: decision.diff.leftAlone,
    ...(builds ? { desired: shown(kind, decision.desired) } : {}),
    ...(identified.vanished === undefined ? {} : { vanished: identified.vanished }),
    ...(decision.order ? { order: decision.order } : {}),
    ...(decision.action === "move" && resource.renamedFrom ? { movedFrom: resource.renamedFrom } : {}),
    ...(decision.blocked ? { blocked: decision.blocked } : {}),
    dependents: [],
    retires: [
      ...identified.retiring.map(({ id }) => id),
      ...identified.surplus.map(({ id }) => id),
      ...(decision.failed ? [decision.failed.id] : []),
    ],
    resolves: record?.intent !== undefined,
  };
}

// Ownership tags of a new object are BEACON's own business, and its uid is not chosen yet.
function shown(kind: AnyKind, desired: JsonObject): JsonObject {
  const spec = withoutSecrets(kind.spec, desired);
  if (!kind.taggable) return spec;
  return { ...spec, tags: withoutOwnership((spec.tags ?? {}) as Tags) };
}

function dependentsOf(change: Change, resources: readonly Resource[], changes: readonly Change[]): readonly ResourceKey[] {
  if (change.action !== "replace") return [];
  const acted = new Set(changes.filter((other) => other.action !== "none").map((other) => other.key));
  return resources
    .filter(({ key, dependencies }) => acted.has(key) && dependencies.some(({ on }) => on === change.key))
    .map(({ key }) => key);
}

function deletions(context: Pick<Context, "kinds">, world: World, options: PlanOptions, indexes: Indexes): Change[] {
  if (options.only && !options.destroy) return [];
  const kept = new Set(
    options.destroy
      ? []
      : (world.compiled?.resources ?? []).flatMap(({ key, renamedFrom }) => [key, ...(renamedFrom ? [renamedFrom] : [])]),
  );
  const wanted = options.destroy && options.only ? new Set(options.only) : undefined;
  return [...world.state.records.values()]
    .filter(({ key }) => !kept.has(key) && (!wanted || wanted.has(key)))
    .map((record) => deletion(managedKind(context.kinds, record.kind), record, options, indexes));
}

function deletion(kind: AnyKind, record: ResourceRecord, options: PlanOptions, indexes: Indexes): Change {
  const index = indexes.of(kind);
  const recorded = [record.id, ...record.retiring.map(({ id }) => id)];
  const ids = new Set([
    ...index.byUid(record.uid).map(({ id }) => id),
    ...recorded.flatMap((id) => (id !== undefined && index.byId(id) ? [id] : [])),
  ]);
  const id = record.id !== undefined && ids.has(record.id) ? record.id : [...ids][0];
  const base: Change = {
    key: record.key,
    kind: record.kind,
    action: "forget",
    differences: [],
    leftAlone: [],
    dependents: [],
    retires: [],
    resolves: record.intent !== undefined,
    ...(id === undefined ? {} : { id }),
  };
  // An open intent may still turn into an object: it is looked for, and deleted if it appears.
  if (id === undefined && !record.intent) return base;
  if (staysBehind(kind, record.lifecycle)) return base;
  if (record.lifecycle.deletion === "protect" && !options.includeProtected) {
    const message = options.destroy
      ? "protected: give --include-protected and the environment's phrase, or run beaconctl unprotect first"
      : `protected: run beaconctl unprotect ${record.key}, or declare it again`;
    return { ...base, action: "blocked", blocked: { reason: "Protected", message } };
  }
  return { ...base, action: "delete", retires: [...ids].filter((other) => other !== id) };
}

function consentsFor(context: Pick<Context, "kinds">, world: World, changes: readonly Change[]): Consents {
  const count = (action: Change["action"]) => changes.filter((change) => change.action === action).length;
  const vanished = changes.filter((change) => change.vanished !== undefined && change.action === "create");
  const limit = Math.max(MASS_MISSING_MIN, world.state.records.size * MASS_MISSING_SHARE);
  const stateful = vanished.filter(({ kind }) => managedKind(context.kinds, kind).stateful);
  return { delete: count("delete"), replace: count("replace"), missing: vanished.length > limit ? vanished.length : stateful.length };
}

/** What the outputs marked live are by this look, as far as it tells. */
export function liveOutputs(context: Pick<Context, "kinds" | "stack">, world: World): JsonObject {
  const { compiled } = world;
  const swept = sweepWorld(context, world, {}, new Indexes(stackName(context.stack), world.remotes));
  if (!compiled || !swept) return {};
  const known = Object.entries(compiled.outputs(swept.view)).filter(
    ([name, value]) => compiled.liveOutputs.has(name) && !holdsUnknown(value),
  );
  return Object.fromEntries(known);
}

/** An autoscaler changes what such an output says, which is nothing to apply; that it is declared at all is. */
function isLive(compiled: CompiledStack | undefined, name: string, before: JsonObject): boolean {
  return compiled?.liveOutputs.has(name) === true && name in before;
}

function outputChanges({ state, compiled }: World, swept: Sweep): Plan["outputs"] {
  const [before, after] = [state.revision?.outputs ?? {}, compiled?.outputs(swept.view) ?? {}];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const value = (member: "before" | "after", json: Json | undefined) => (json === undefined ? {} : { [member]: json });
  return names
    .filter((name) => !equal(before[name], after[name]) && !isLive(compiled, name, before))
    .map((name) => ({ name, ...value("before", before[name]), ...value("after", after[name]) }));
}
