/** Succession: how a resource's objects of earlier generations make way, and how others let go of them. */

import type { ResourceRecord } from "../core/record.ts";
import type { Remote } from "../kind/kind.ts";
import type { Actor } from "./actor.ts";
import type { Decision } from "./decide.ts";
import { failureOf, type Touch } from "./execution.ts";
import { bound, superseded } from "./records.ts";
import { isBoundTo, releases } from "./release.ts";
import { isLate } from "./sweep.ts";
import { everyOne } from "./takedown.ts";

/** Begins an approved replacement: the present object becomes a predecessor. False: decide again. Throws a Halt where none was approved. */
export async function replace(actor: Actor, decision: Decision): Promise<boolean> {
  if (actor.change?.action !== "replace") {
    const forcing = decision.diff.differences.filter(({ immutable }) => immutable);
    const drifted = forcing.every(({ cause }) => cause === "drift");
    const fields = forcing.map(({ path }) => path).join(", ");
    const message = `${fields} changed, and only a replacement could put that right: run beaconctl apply and approve it`;
    throw actor.stall(drifted ? "ImmutableDrift" : "ReplacementForbidden", message);
  }
  supersede(actor, decision);
  if (decision.order === "deleteFirst") await retire(actor);
  return false;
}

function supersede(actor: Actor, decision: Decision): void {
  const record = actor.record ?? actor.newRecord(decision);
  actor.forceReplace = false;
  // One that was found by its tags is written down before it is superseded, or nobody would remember it.
  const { current, identified } = decision;
  const known = current ? bound(record, current.id, identified.generation, actor.execution.context.runtime.now()) : record;
  actor.put(superseded(known, decision.generation));
}

/** Predecessors that must be gone before the successor is created. */
export async function clearTheWay(actor: Actor): Promise<void> {
  const decision = actor.decide();
  if (decision.action === "replace") supersede(actor, decision);
  await retire(actor);
}

/** Whether an object of an earlier generation is still there, or recorded as such. */
export function hasToRetire(actor: Actor): boolean {
  return actor.decide().identified.retiring.length > 0 || (actor.record?.retiring.length ?? 0) > 0;
}

/** Deletes the objects of earlier generations. */
export async function retire(actor: Actor): Promise<void> {
  await everyOne(actor.predecessors(), (old) => actor.takeDown(old));
  for (const { id } of actor.record?.retiring ?? []) {
    const remote = await reappearing(actor, id);
    if (remote) await actor.takeDown(remote);
  }
  const record = actor.record;
  if (record && record.retiring.length > 0) actor.execution.put({ ...record, retiring: [] });
}

// A predecessor that no look of this run has shown is gone, unless AWS may still hide it.
async function reappearing(actor: Actor, id: string): Promise<Remote | undefined> {
  const youngest = actor.record?.boundAt ?? actor.record?.intent?.openedAt ?? actor.execution.context.runtime.now();
  while (id !== actor.record?.id && actor.execution.certainAgeMs(youngest) < actor.execution.consistencyMs(actor.kind)) {
    await actor.wait("Resolving", `looking whether ${id} is gone`);
    const remote = actor.predecessors().find((old) => old.id === id);
    if (remote) return remote;
  }
  return undefined;
}

/**
 * Gives up what it uses of an object that must be gone before its successor can be made: members of lists, and values that
 * may be absent, that refer to it. They come back with the successor. Earlier generations that live in it are deleted now rather than later. A call
 * without a clear answer is left to the next try.
 */
export async function letGo(actor: Actor, used: Remote): Promise<void> {
  const held = [actor.current, ...actor.predecessors()].flatMap((remote) => (remote ? [remote.id] : []));
  for (const id of held) await actor.oneAtATime(() => releaseOne(actor, id, used));
  for (const remote of actor.predecessors()) if (isBoundTo(actor.kind, remote, used)) await actor.takeDown(remote);
}

async function releaseOne(actor: Actor, id: string, used: Remote): Promise<void> {
  const remote = actor.remotes.find((one) => one.id === id);
  const old = actor.predecessors().some((one) => one.id === id);
  const mayChange = (field: string) => old || field in (actor.record?.applied ?? {}) || field in actor.resource.spec;
  for (const { updater, target, field } of remote ? releases(actor.kind, remote, used) : []) {
    if (!mayChange(field)) continue;
    const touch: Touch = { verb: "update", record: actor.record as ResourceRecord, sent: target.desired };
    actor.released.set(field, { id, after: target.desired[field] ?? null });
    try {
      actor.took(id, await actor.execution.act(touch, () => updater.run(actor.execution.run.authority.writer, target)));
    } catch (error) {
      if (failureOf(actor.kind, error).means === "stall") throw error;
    }
  }
}

/**
 * Whatever became of a release that had no clear answer: what was let go of is sent again, also where the successor has the
 * id of its predecessor and nothing would seem to differ.
 */
export function takeBack(actor: Actor, late: boolean): void {
  for (const [field, { id, after }] of actor.released) {
    if (isLate(actor.kind, field) !== late) continue;
    actor.took(id, { values: { [field]: after } });
    actor.released.delete(field);
  }
}
