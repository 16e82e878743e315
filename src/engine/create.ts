/** Create: from an open intent to a bound object, once (docs/architecture.md, "Exactly once"). */

import type { JsonObject } from "../core/json.ts";
import type { ResourceRecord } from "../core/record.ts";
import type { Effect, Remote } from "../kind/kind.ts";
import { type Actor, withTags } from "./actor.ts";
import type { Decision } from "./decide.ts";
import { type Failure, failureOf, type Touch } from "./execution.ts";
import { begun, bound, missed, superseded, withIntent, withoutIntent } from "./records.ts";
import { retire } from "./succession.ts";

/** Opens the intent of a create ahead of time, where a replay is safe: many intents then leave in one write. */
export function prepare(actor: Actor): void {
  const decision = actor.decide();
  const opens = decision.action === "create" && actor.kind.identity.by !== "tag" && !actor.record?.intent && !decision.failed;
  const clear = decision.identified.vanished === undefined && decision.identified.retiring.length === 0 && !decision.identified.current;
  if (opens && clear) openIntent(actor, decision);
}

/** One round of a resource that has no object: waits, resolves, opens an intent or sends the create. False: decide again. */
export async function bringUp(actor: Actor, decision: Decision): Promise<boolean> {
  const { identified } = decision;
  if (identified.current?.deleting) return actor.wait("Deleting", "its predecessor is still being deleted");
  if (decision.failed) return giveUpOn(actor, decision.failed, decision.generation);
  if (decision.order === "deleteFirst" && identified.retiring.length > 0) {
    await retire(actor);
    return false;
  }
  if (identified.vanished !== undefined && actor.mayStillShow())
    return actor.wait("Resolving", "not seen at AWS yet; looking again before it is re-created");
  if (identified.vanished !== undefined && actor.kind.stateful && actor.change?.vanished === undefined) {
    throw actor.stall("Missing", `${identified.vanished} is gone: run beaconctl apply and approve its re-creation`);
  }
  const open = actor.record?.intent?.generation === decision.generation;
  if (open && !actor.fresh && !(await resolved(actor, decision))) return false;
  if (!open || !actor.fresh) openIntent(actor, decision);
  return await sendCreate(actor, decision);
}

/** Whether the open intent may be sent (again). Each false has looked, or waited, once more. */
async function resolved(actor: Actor, { desired }: Decision): Promise<boolean> {
  if (!actor.looked) {
    await actor.wait("Resolving", "its create had no answer; looking for the object");
    actor.looked = true;
    return false;
  }
  const intent = actor.record?.intent;
  if (!intent || (actor.kind.identity.by !== "tag" && !isRenamed(actor, desired))) return true;
  const age = actor.ageMs(actor.openedMs, intent.openedAt);
  const { missesMin } = actor.execution.context.settings;
  const window = actor.execution.consistencyMs(actor.kind);
  if (intent.misses >= missesMin && age >= window) return true;
  const left = Math.max(0, Math.ceil((window - age) / 1000));
  await actor.wait("Resolving", `an earlier create had no answer; its object may show up for another ${left} s`);
  if (actor.record?.intent) actor.execution.put(missed(actor.record));
  return false;
}

// Under another name, a create would not collide with the one that had no answer.
function isRenamed(actor: Actor, desired: JsonObject): boolean {
  const { identity } = actor.kind;
  const before = actor.record?.name;
  return identity.by === "name" && identity.name !== undefined && before !== undefined && before !== desired[identity.name.field];
}

function openIntent(actor: Actor, decision: Decision): void {
  const record = actor.record ?? actor.newRecord(decision);
  actor.mayExist = record.intent?.generation === decision.generation;
  const { identity } = actor.kind;
  const name = identity.by === "name" && identity.name ? decision.desired[identity.name.field] : undefined;
  const now = actor.execution.context.runtime.now();
  const opened = withIntent(record, decision.generation, {
    now,
    revision: actor.execution.revision,
    ...(typeof name === "string" ? { name } : {}),
  });
  actor.put(begun(opened, actor.resource, decision.desired));
  actor.openedMs = actor.execution.context.runtime.monotonic();
  actor.fresh = true;
}

async function sendCreate(actor: Actor, before: Decision): Promise<boolean> {
  await actor.execution.commit();
  // The uid is chosen now, and with it the ownership tags.
  const decision = actor.decide();
  if (decision.action !== "create" || decision.generation !== before.generation) return false;
  const record = actor.record as ResourceRecord;
  if (actor.kind.identity.by === "name" && actor.kind.identity.upsert && !actor.namesRead) return readNames(actor, decision);
  const desired = actor.sendable(decision.desired);
  actor.report("acting", actor.change?.vanished === undefined ? "creating" : "re-creating");
  try {
    const context = { token: record.intent?.token ?? "" };
    const touch: Touch = { verb: "create", record, sent: desired };
    const effect = await actor.execution.act(touch, () => actor.kind.create.run(actor.execution.run.authority.writer, desired, context));
    takeMade(actor, effect, desired, decision.generation);
  } catch (error) {
    actor.looked = false;
    await afterCreate(actor, failureOf(actor.kind, error), record);
  }
  return false;
}

function takeMade(actor: Actor, effect: Effect & { readonly id: string }, desired: JsonObject, generation: number): void {
  const { identity, taggable } = actor.kind;
  const tagged = taggable && !(identity.by === "name" && identity.tagsFollow);
  actor.remotes = [
    ...actor.remotes.filter(({ id }) => id !== effect.id),
    withTags({ id: effect.id, values: effect.values }, tagged ? desired.tags : undefined),
  ];
  actor.execution.put(bound(actor.record as ResourceRecord, effect.id, generation, actor.execution.context.runtime.now()));
  actor.boundMs = actor.execution.context.runtime.monotonic();
  actor.execution.event("Created", `created ${effect.id}`, actor.resource.key);
  actor.fresh = false;
  actor.looked = true;
}

async function afterCreate(actor: Actor, failure: Failure, record: ResourceRecord): Promise<void> {
  switch (failure.means) {
    case "look":
      actor.fresh = false;
      // The window begins when it may have been executed, which is long after the intent where calls queue.
      actor.openedMs = actor.execution.context.runtime.monotonic();
      return;
    case "exists":
      actor.fresh = false;
      await collided(actor, record);
      return;
    case "retry":
      actor.looked = true; // Not executed: nothing to look for.
      actor.report("waiting", failure.message);
      return await actor.execution.pause(actor.execution.pollMs(actor.waits++), failure.reason, failure.message);
    case "gone":
    case "stall":
      if (actor.fresh) closeIntent(actor, record);
      throw actor.stall("Refused", failure.means === "gone" ? "AWS does not find what it refers to" : failure.message);
  }
}

// Somebody has the name: we, in a send whose answer was lost, or another. AWS may know before it shows.
async function collided(actor: Actor, record: ResourceRecord): Promise<void> {
  await actor.wait("Resolving", "AWS says that it exists; looking whose it is");
  actor.looked = true;
  // Without tags, the open intent would make it ours; but nothing of ours was sent before the call that met it.
  if (!actor.mayExist && actor.decide().identified.via === "intent" && !actor.kind.taggable) closeIntent(actor, record);
  const decision = actor.decide();
  if (decision.action !== "create") return;
  const age = actor.ageMs(actor.openedMs, record.intent?.openedAt);
  if (age < actor.execution.consistencyMs(actor.kind)) return;
  throw actor.stall("Conflict", "AWS says that an object of this name exists, and does not show it: check the name in the console");
}

// Definitely not executed, and nothing of it was sent before: there is nothing to find again.
function closeIntent(actor: Actor, record: ResourceRecord): void {
  const neverMade = record.generation === 1 && record.retiring.length === 0 && record.id === undefined;
  if (neverMade) actor.execution.drop(record.key);
  else actor.execution.put(withoutIntent(record));
}

/** Takes back an intent that nothing was sent for, because what the resource needs did not come to be. */
export function withdrawIntent(actor: Actor): void {
  const { record } = actor;
  if (actor.fresh && record?.intent) closeIntent(actor, record);
}

async function readNames(actor: Actor, decision: Decision): Promise<boolean> {
  actor.namesRead = true;
  await actor.look(actor.names(decision.desired), 0, "Creating", "reading who owns the name");
  return false;
}

async function giveUpOn(actor: Actor, failed: Remote, generation: number): Promise<boolean> {
  const record = actor.record;
  // Also one that was not bound yet: its token and its generation are used up.
  const known = record && bound(record, failed.id, generation - 1, actor.execution.context.runtime.now());
  if (known && record.generation < generation) actor.execution.put(superseded(known, generation));
  await actor.takeDown(failed);
  return false;
}
