/** Knowledge: what expressions see of other resources, from the start, on the way, and in the end. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Change } from "../core/plan.ts";
import type { Resource, ResourceKey } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import type { Actor } from "./actor.ts";
import type { Execution } from "./execution.ts";
import { type Indexes, isLate, managedKind, recordOf } from "./sweep.ts";

/** What is already there is visible to expressions from the start; what is being replaced shows its successor later. */
export function learnPresent(
  execution: Execution,
  resources: readonly Resource[],
  changes: ReadonlyMap<ResourceKey, Change>,
  indexes: Indexes,
): void {
  for (const resource of resources) {
    const change = changes.get(resource.key);
    // By its binding or, where the records are lost, as the plan has found it.
    const id = recordOf(execution.run.world.state.records, resource)?.id ?? change?.id;
    const remote = id === undefined ? undefined : indexes.of(managedKind(execution.context.kinds, resource.kind)).byId(id);
    if (remote && change?.action !== "replace" && change?.action !== "create") execution.learn(resource.key, remote.values);
  }
}

// A look that misses what was just made is repeated, a poll apart, so often.
const LOOKS_MAX = 5;

/**
 * The answer to a create need not say everything that others want to know of the object (a log group's ARN): what the
 * resource's own fields still wait for is looked at.
 */
export async function learnMissing(actor: Actor): Promise<void> {
  for (let round = 0; round < LOOKS_MAX; round++) {
    const open = untold(actor);
    if (open.length === 0) return;
    const delayMs = round === 0 ? 0 : actor.execution.pollMs(round);
    await Promise.all(open.map((key) => lookAgain(actor, key, delayMs)));
  }
}

/** The resources whose values are missing where the resource refers to them. */
function untold({ execution, kind, resource }: Actor): readonly ResourceKey[] {
  const spec = execution.run.world.compiled?.resolve(resource, execution.view) ?? {};
  const waiting = resource.dependencies.filter(
    ({ on, field }) => on !== resource.key && field !== undefined && !isLate(kind, field) && holdsUnknown(spec[field]),
  );
  return [...new Set(waiting.map(({ on }) => on))].filter((key) => execution.record(key)?.id !== undefined);
}

async function lookAgain({ execution, resource }: Actor, key: ResourceKey, delayMs: number): Promise<void> {
  const record = execution.record(key);
  if (record?.id === undefined) return;
  const kind = managedKind(execution.context.kinds, record.kind);
  const message = `${resource.key} waits for what AWS says of ${key}`;
  const want = { byTags: false, ids: [record.id], names: [], fields: [] };
  const index = await execution.look(kind, want, { delayMs, reason: "DependencyNotReady", message });
  const found = index.byId(record.id);
  if (found) execution.learn(key, { ...found.values, ...execution.view(key) });
}

/** Outputs as they are kept: one whose value did not become known is null, as an excluded resource's is. */
export function knownOutputs(outputs: JsonObject): JsonObject {
  const known = (value: Json | undefined): Json => (value === undefined || holdsUnknown(value) ? null : value);
  return isObject(outputs) ? Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, known(value)])) : {};
}
