/** Keep: an object that is there is bound, waited for, updated field by field, and written down as settled. */

import { same } from "../core/compare.ts";
import { type Diff, withoutNulls, withoutSecrets } from "../core/diff.ts";
import { equal, type Json, type JsonObject } from "../core/json.ts";
import type { ResourceRecord } from "../core/record.ts";
import type { Readiness, Remote } from "../kind/kind.ts";
import { type Actor, seenOf } from "./actor.ts";
import type { Decision } from "./decide.ts";
import { type Failure, failureOf, type Touch } from "./execution.ts";
import { begun, bound, contradicts, settled } from "./records.ts";
import { isLate, knownOf, lateFields } from "./sweep.ts";

/** One round of a resource whose object is there. True when nothing is left to do. */
export async function keep(actor: Actor, decision: Decision, late: boolean): Promise<boolean> {
  const current = decision.current as Remote;
  if (!actor.resource.lifecycle.manage) {
    tellKnown(actor, decision);
    return true;
  }
  if (bindTo(actor, decision, current)) return false;
  const readiness = actor.kind.ready(current.values);
  if (readiness.state !== "ready" && !readiness.changeable) return standBy(actor, readiness);
  if (await removeSurplus(actor, decision)) return false;
  const fields = Object.keys(decision.diff.changes).filter((name) => late || !isLate(actor.kind, name));
  if (fields.length > 0) return sendUpdate(actor, decision, current, fields);
  if (readiness.state !== "ready") return standBy(actor, readiness);
  tellKnown(actor, decision);
  const met = actor.execution.run.world.compiled?.readyWhen(actor.resource, actor.execution.view) ?? { met: true };
  if (!met.met) return actor.wait("Provisioning", `waiting for readyWhen: ${met.why}`);
  if (!late && lateFields(actor.kind).length > 0) return true;
  if (mayBeOutdated(actor, decision)) return actor.wait("Resolving", "AWS shows what is wanted, though nothing was sent; looking again");
  writeSettled(actor, decision, current);
  return true;
}

function standBy(actor: Actor, readiness: Exclude<Readiness, { state: "ready" }>): Promise<false> {
  if (readiness.state === "failed") throw actor.stall("Failed", readiness.why);
  return actor.wait("Provisioning", readiness.why);
}

// What the previous run brought about may still show as it was before, which happens to be what is wanted now.
function mayBeOutdated(actor: Actor, decision: Decision): boolean {
  const record = actor.record;
  if (!record || actor.execution.certainAgeMs(record.appliedAt ?? 0) >= actor.execution.consistencyMs(actor.kind)) return false;
  const wanted = withoutSecrets(actor.kind.spec, decision.desired);
  return Object.entries(record.applied).some(([name, value]) => {
    const meta = actor.kind.spec.fields[name]?.meta;
    const ours = !actor.sent.has(name) && !meta?.setting && !meta?.createOnly && !actor.resource.lifecycle.ignoreFields.includes(name);
    return ours && !same(value, wanted[name], meta?.compare) && contradicts(value, wanted[name]);
  });
}

function tellKnown(actor: Actor, decision: Decision): void {
  actor.execution.learn(actor.resource.key, knownOf(actor.kind, decision, decision.desired));
}

/** Writes down which object it is. True when that was news. */
function bindTo(actor: Actor, decision: Decision, current: Remote): boolean {
  const record = actor.record;
  const known =
    record?.id === current.id && record.generation === decision.generation && record.key === actor.resource.key && !record.intent;
  if (known) return false;
  // A record older than the object is of another uid, and says nothing of it.
  const ours = record?.uid === (decision.identified.uid ?? record?.uid) ? record : undefined;
  actor.put(bound(ours ?? actor.newRecord(decision), current.id, decision.generation, actor.execution.context.runtime.now()));
  actor.boundMs = actor.execution.context.runtime.monotonic();
  return true;
}

async function removeSurplus(actor: Actor, decision: Decision): Promise<boolean> {
  const { surplus } = decision.identified;
  if (surplus.length === 0) return false;
  const { identity } = actor.kind;
  const ids = surplus.map(({ id }) => id).join(", ");
  if (identity.by !== "tag" || !identity.surplusIsSafe) {
    throw actor.stall("Conflict", `${ids} carry this resource's tags, too: delete them, or remove their beacon:* tags`);
  }
  for (const remote of surplus) await actor.takeDown(remote);
  return true;
}

async function sendUpdate(actor: Actor, decision: Decision, current: Remote, fields: readonly string[]): Promise<boolean> {
  const updater = actor.kind.updates.find((candidate) => candidate.fields.some((name) => fields.includes(name)));
  const { changes, differences } = decision.diff;
  if (!updater) throw actor.stall("Refused", `${fields.join(", ")} cannot be changed`);
  const removed = Object.fromEntries(
    fields.filter((name) => decision.desired[name] === undefined).map((name) => [name, withoutNulls(changes[name]?.after)]),
  );
  const observed = seenOf(current);
  const desired = actor.sendable({ ...decision.desired, ...removed }, updater.fields);
  const sent = Object.fromEntries(Object.entries(desired).filter(([name]) => updater.fields.includes(name)));
  await writeBegun(actor, sent);
  actor.report("acting", "updating");
  for (const name of updater.fields) actor.sent.add(name);
  try {
    const touch: Touch = { verb: "update", record: actor.record as ResourceRecord, sent };
    const target = { id: current.id, desired, observed, changes };
    const sentNow = await actor.oneAtATime(async () => {
      if (!actor.remotes.includes(current)) return false;
      actor.took(current.id, await actor.execution.act(touch, () => updater.run(actor.execution.run.authority.writer, target)));
      return true;
    });
    if (!sentNow) return false; // It changed meanwhile: decide again.
    const drifted = differences.some(({ field, cause }) => updater.fields.includes(field) && cause === "drift");
    actor.execution.event(
      drifted ? "Corrected" : "Updated",
      `${drifted ? "corrected" : "updated"} ${updater.fields.filter((name) => changes[name]).join(", ")}`,
      actor.resource.key,
    );
    await lookIfUnchanged(actor, updater.fields, changes);
  } catch (error) {
    await afterUpdate(actor, failureOf(actor.kind, error));
  }
  return false;
}

// Sending the same again would bring no more about: what is known of the object is not what AWS has.
async function lookIfUnchanged(actor: Actor, fields: readonly string[], before: Diff["changes"]): Promise<void> {
  const after = actor.decide().diff.changes;
  const unchanged = fields.every((name) => equal(before[name] as Json | undefined, after[name] as Json | undefined));
  if (unchanged) await actor.wait("Updating", "an update changed nothing; looking again");
}

// Costs a write only where the update brings something that no record knows of.
async function writeBegun(actor: Actor, desired: JsonObject): Promise<void> {
  const record = actor.record;
  if (!record) return;
  const next = begun(record, actor.resource, desired);
  if (equal(record as unknown as Json, next as unknown as Json)) return;
  actor.execution.put(next);
  await actor.execution.commit();
}

async function afterUpdate(actor: Actor, failure: Failure): Promise<void> {
  switch (failure.means) {
    case "look":
    case "gone":
    case "exists":
      await actor.wait("Updating", "an update had no clear answer; looking again");
      return;
    case "retry":
      actor.report("waiting", failure.message);
      return await actor.execution.pause(actor.execution.pollMs(actor.waits++), failure.reason, failure.message);
    case "stall":
      throw actor.stall("Refused", failure.message);
  }
}

function writeSettled(actor: Actor, decision: Decision, current: Remote): void {
  const record = actor.record as ResourceRecord;
  const spec = actor.kind.spec;
  const observed = withoutSecrets(spec, seenOf(current));
  const applied = withoutSecrets(spec, decision.desired);
  actor.execution.put(
    settled(record, { resource: actor.resource, applied, observed, revision: actor.execution.revision }, actor.execution.now()),
  );
}
