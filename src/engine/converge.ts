/**
 * Converge: one declared resource, brought to what the manifest says.
 *
 * Look, decide, act, record, and again, until the decision is that nothing is left to do. Every round starts from what
 * is known of the object; effects return what they brought about, so that a round seldom needs a look of its own.
 */

import { same } from "../core/compare.ts";
import type { Reason } from "../core/condition.ts";
import { type Diff, withoutSecrets } from "../core/diff.ts";
import { equal, isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Change } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import { type Resource, stackName } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import { type AnyKind, type Effect, naturalKey, type Remote } from "../kind/kind.ts";
import { claimOf, type Decision, decide, type Subject } from "./decide.ts";
import { type Execution, type Failure, failureOf, Halt, type Touch } from "./execution.ts";
import { candidates, RemoteIndex } from "./identify.ts";
import { begun, bound, contradicts, missed, newRecord, settled, stalled, superseded, withIntent, withoutIntent } from "./records.ts";
import { isBoundTo, releases } from "./release.ts";
import { knownOf } from "./sweep.ts";
import { everyOne, takeDown } from "./takedown.ts";

/** Effects on one resource in one run; the largest honest number is a table's indexes or a route table's routes. */
const ROUNDS_MAX = 1_000;

export class Converger {
  readonly #x: Execution;
  readonly #kind: AnyKind;
  readonly #resource: Resource;
  readonly #change: Change | undefined;
  readonly #since: number;
  #remotes: readonly Remote[];
  #forceReplace: boolean;
  /** A create was opened here and not sent yet, or was definitely not executed: nothing needs to be looked for. */
  #fresh = false;
  /** Since the last ambiguous answer, a look was made. The world this run started from was one. */
  #looked = true;
  #namesRead = false;
  /** Fields that this run has sent an update of. */
  readonly #sent = new Set<string>();
  /** Fields that were asked to let go of something, and what that left of them. */
  readonly #released = new Map<string, { readonly id: string; readonly after: Json }>();
  /** When this run opened an intent, and when it bound an object, on its own clock. */
  #openedMs: number | undefined;
  #boundMs: number | undefined;
  #waits = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(x: Execution, kind: AnyKind, resource: Resource, change: Change | undefined, index: RemoteIndex) {
    this.#x = x;
    this.#kind = kind;
    this.#resource = resource;
    this.#change = change;
    this.#since = x.context.runtime.monotonic();
    this.#forceReplace = x.run.options.replace?.includes(resource.key) ?? false;
    this.#remotes = candidates(claimOf(this.#subject(index)), index);
  }

  /** The remote object as last known. */
  get current(): Remote | undefined {
    return this.#decide().current;
  }

  /** Opens the intent of a create ahead of time, where a replay is safe: many intents then leave in one write. */
  prepare(): void {
    const decision = this.#decide();
    const opens = decision.action === "create" && this.#kind.identity.by !== "tag" && !this.#record?.intent && !decision.failed;
    const clear = decision.identified.vanished === undefined && decision.identified.retiring.length === 0 && !decision.identified.current;
    if (opens && clear) this.#open(decision);
  }

  /** Resolves when nothing is left to do, `late` fields only if asked. Throws a Halt. */
  async settle(late: boolean): Promise<void> {
    this.#takeBack(late);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.#x.checkStop();
      if (await this.#step(this.#decide(), late)) return;
    }
    throw new Halt("failed", "Refused", `does not settle after ${ROUNDS_MAX} changes: AWS keeps showing something else than it was sent`);
  }

  /** Predecessors that must be gone before the successor is created. */
  async clearTheWay(): Promise<void> {
    const decision = this.#decide();
    if (decision.action === "replace") this.#supersede(decision);
    await this.retire();
  }

  /** Called while AWS refuses to delete a predecessor that must go first: `letGo` of everything that uses this resource. */
  onBlocked: (remote: Remote) => Promise<void> = () => Promise.resolve();

  /**
   * Gives up what it uses of an object that must be gone before its successor can be made: members of lists that refer to
   * it. They come back with the successor. Earlier generations that live in it are deleted now rather than later. A call
   * without a clear answer is left to the next try.
   */
  async letGo(used: Remote): Promise<void> {
    const held = [this.current, ...this.#predecessors()].flatMap((remote) => (remote ? [remote.id] : []));
    for (const id of held) await this.#oneAtATime(() => this.#release(id, used));
    for (const remote of this.#predecessors()) if (isBoundTo(this.#kind, remote, used)) await this.#takeDown(remote);
  }

  async #release(id: string, used: Remote): Promise<void> {
    const remote = this.#remotes.find((one) => one.id === id);
    const old = this.#predecessors().some((one) => one.id === id);
    const mayChange = (field: string) => old || field in (this.#record?.applied ?? {}) || field in this.#resource.spec;
    for (const { updater, target, field } of remote ? releases(this.#kind, remote, used) : []) {
      if (!mayChange(field)) continue;
      const touch: Touch = { verb: "update", record: this.#record as ResourceRecord, sent: target.desired };
      this.#released.set(field, { id, after: target.desired[field] ?? null });
      try {
        this.#took(id, await this.#x.act(touch, () => updater.run(this.#x.run.authority.writer, target)));
      } catch (error) {
        if (failureOf(this.#kind, error).means === "stall") throw error;
      }
    }
  }

  // Whatever became of a release that had no clear answer: what was let go of is sent again, also where the successor has the
  // id of its predecessor and nothing would seem to differ.
  #takeBack(late: boolean): void {
    for (const [field, { id, after }] of this.#released) {
      if ((this.#kind.spec.fields[field]?.meta?.late === true) !== late) continue;
      this.#took(id, { values: { [field]: after } });
      this.#released.delete(field);
    }
  }

  #took(id: string, effect: Effect): void {
    this.#remotes = this.#remotes.map((remote) => (remote.id === id ? withEffect(remote, effect) : remote));
  }

  // Another resource may ask this one to let go while it is being updated: each sees what the other brought about.
  #oneAtATime<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Whether an object of an earlier generation is still there, or recorded as such. */
  get retires(): boolean {
    return this.#decide().identified.retiring.length > 0 || (this.#record?.retiring.length ?? 0) > 0;
  }

  /** Deletes the objects of earlier generations. */
  async retire(): Promise<void> {
    await everyOne(this.#predecessors(), (old) => this.#takeDown(old));
    for (const { id } of this.#record?.retiring ?? []) {
      const remote = await this.#reappearing(id);
      if (remote) await this.#takeDown(remote);
    }
    const record = this.#record;
    if (record && record.retiring.length > 0) this.#x.put({ ...record, retiring: [] });
  }

  #predecessors(): readonly Remote[] {
    const ids = new Set(this.#decide().identified.retiring.map(({ id }) => id));
    return this.#remotes.filter(({ id }) => ids.has(id));
  }

  // A predecessor that no look of this run has shown is gone, unless AWS may still hide it.
  async #reappearing(id: string): Promise<Remote | undefined> {
    const youngest = this.#record?.boundAt ?? this.#record?.intent?.openedAt ?? this.#x.context.runtime.now();
    while (id !== this.#record?.id && this.#x.certainAgeMs(youngest) < this.#x.consistencyMs(this.#kind)) {
      await this.#wait("Resolving", `looking whether ${id} is gone`);
      const remote = this.#predecessors().find((old) => old.id === id);
      if (remote) return remote;
    }
    return undefined;
  }

  get #record(): ResourceRecord | undefined {
    const { key, renamedFrom } = this.#resource;
    return this.#x.record(key) ?? (renamedFrom ? this.#x.record(renamedFrom) : undefined);
  }

  #subject(index: RemoteIndex): Subject {
    const { compiled } = this.#x.run.world;
    return {
      kind: this.#kind,
      stack: this.#x.context.stack,
      resource: this.#resource,
      spec: compiled?.resolve(this.#resource, this.#x.view) ?? {},
      record: this.#record,
      index,
      forceReplace: this.#forceReplace,
    };
  }

  #decide(): Decision {
    return decide(this.#subject(new RemoteIndex(this.#kind, stackName(this.#x.context.stack), this.#remotes)));
  }

  /** One round. True when nothing is left to do. */
  #step(decision: Decision, late: boolean): Promise<boolean> {
    switch (decision.action) {
      case "blocked":
        throw this.#stall(decision.blocked?.reason ?? "Conflict", decision.blocked?.message ?? "");
      case "create":
        return this.#bringUp(decision);
      case "replace":
        return this.#succeed(decision);
      case "update":
      case "adopt":
      case "move":
      case "none":
        return this.#keep(decision, late);
    }
  }

  async #bringUp(decision: Decision): Promise<boolean> {
    const { identified } = decision;
    if (identified.current?.deleting) return this.#wait("Deleting", "its predecessor is still being deleted");
    if (decision.failed) return this.#giveUpOn(decision.failed, decision.generation);
    if (decision.order === "deleteFirst" && identified.retiring.length > 0) {
      await this.retire();
      return false;
    }
    if (identified.vanished !== undefined && this.#mayStillShow())
      return this.#wait("Resolving", "not seen at AWS yet; looking again before it is re-created");
    if (identified.vanished !== undefined && this.#kind.stateful && this.#change?.vanished === undefined) {
      throw this.#stall("Missing", `${identified.vanished} is gone: run beaconctl apply and approve its re-creation`);
    }
    const open = this.#record?.intent?.generation === decision.generation;
    if (open && !this.#fresh && !(await this.#resolved(decision))) return false;
    if (!open || !this.#fresh) this.#open(decision);
    return await this.#create(decision);
  }

  // A bound object is not concluded missing while AWS may not show it yet.
  #mayStillShow(): boolean {
    return this.#ageMs(this.#boundMs, this.#record?.boundAt) < this.#x.consistencyMs(this.#kind);
  }

  #ageMs(hereMs: number | undefined, recordedAt = 0): number {
    return hereMs === undefined ? this.#x.certainAgeMs(recordedAt) : this.#x.context.runtime.monotonic() - hereMs;
  }

  /** Whether the open intent may be sent (again). Each false has looked, or waited, once more. */
  async #resolved({ desired }: Decision): Promise<boolean> {
    if (!this.#looked) {
      await this.#wait("Resolving", "its create had no answer; looking for the object");
      this.#looked = true;
      return false;
    }
    const intent = this.#record?.intent;
    if (!intent || (this.#kind.identity.by !== "tag" && !this.#isRenamed(desired))) return true;
    const age = this.#ageMs(this.#openedMs, intent.openedAt);
    const { missesMin } = this.#x.context.settings;
    const window = this.#x.consistencyMs(this.#kind);
    if (intent.misses >= missesMin && age >= window) return true;
    const left = Math.max(0, Math.ceil((window - age) / 1000));
    await this.#wait("Resolving", `an earlier create had no answer; its object may show up for another ${left} s`);
    if (this.#record?.intent) this.#x.put(missed(this.#record));
    return false;
  }

  // Under another name, a create would not collide with the one that had no answer.
  #isRenamed(desired: JsonObject): boolean {
    const { identity } = this.#kind;
    const before = this.#record?.name;
    return identity.by === "name" && identity.name !== undefined && before !== undefined && before !== desired[identity.name.field];
  }

  #open(decision: Decision): void {
    const record = this.#record ?? newRecord(this.#resource, this.#x.context.runtime.uid(), decision.generation, this.#x.revision);
    const { identity } = this.#kind;
    const name = identity.by === "name" && identity.name ? decision.desired[identity.name.field] : undefined;
    const now = this.#x.context.runtime.now();
    const opened = withIntent(record, decision.generation, {
      now,
      revision: this.#x.revision,
      ...(typeof name === "string" ? { name } : {}),
    });
    this.#rename(begun(opened, this.#resource, decision.desired));
    this.#openedMs = this.#x.context.runtime.monotonic();
    this.#fresh = true;
  }

  async #create(before: Decision): Promise<boolean> {
    await this.#x.commit();
    // The uid is chosen now, and with it the ownership tags.
    const decision = this.#decide();
    if (decision.action !== "create" || decision.generation !== before.generation) return false;
    const record = this.#record as ResourceRecord;
    if (this.#kind.identity.by === "name" && this.#kind.identity.upsert && !this.#namesRead) return this.#readNames(decision);
    const desired = this.#sendable(decision.desired);
    this.#report("acting", this.#change?.vanished === undefined ? "creating" : "re-creating");
    try {
      const context = { token: record.intent?.token ?? "" };
      const touch: Touch = { verb: "create", record, sent: desired };
      const effect = await this.#x.act(touch, () => this.#kind.create.run(this.#x.run.authority.writer, desired, context));
      this.#made(effect, desired, decision.generation);
    } catch (error) {
      this.#looked = false;
      await this.#afterCreate(failureOf(this.#kind, error), record);
    }
    return false;
  }

  #made(effect: Effect & { readonly id: string }, desired: JsonObject, generation: number): void {
    const { identity, taggable } = this.#kind;
    const tagged = taggable && !(identity.by === "name" && identity.tagsFollow);
    this.#remotes = [
      ...this.#remotes.filter(({ id }) => id !== effect.id),
      withTags({ id: effect.id, values: effect.values }, tagged ? desired.tags : undefined),
    ];
    this.#x.put(bound(this.#record as ResourceRecord, effect.id, generation, this.#x.context.runtime.now()));
    this.#boundMs = this.#x.context.runtime.monotonic();
    this.#x.event("Created", `created ${effect.id}`, this.#resource.key);
    this.#fresh = false;
    this.#looked = true;
  }

  async #afterCreate(failure: Failure, record: ResourceRecord): Promise<void> {
    switch (failure.means) {
      case "look":
        this.#fresh = false;
        // The window begins when it may have been executed, which is long after the intent where calls queue.
        this.#openedMs = this.#x.context.runtime.monotonic();
        return;
      case "exists":
        this.#fresh = false;
        await this.#collided(record);
        return;
      case "retry":
        this.#looked = true; // Not executed: nothing to look for.
        this.#report("waiting", failure.message);
        return await this.#x.pause(this.#x.pollMs(this.#waits++), failure.reason, failure.message);
      case "gone":
      case "stall":
        if (this.#fresh) this.#close(record);
        throw this.#stall("Refused", failure.means === "gone" ? "AWS does not find what it refers to" : failure.message);
    }
  }

  // Somebody has the name: we, in a send whose answer was lost, or another. AWS may know before it shows.
  async #collided(record: ResourceRecord): Promise<void> {
    await this.#wait("Resolving", "AWS says that it exists; looking whose it is");
    this.#looked = true;
    const decision = this.#decide();
    if (decision.action !== "create") return;
    const age = this.#ageMs(this.#openedMs, record.intent?.openedAt);
    if (age < this.#x.consistencyMs(this.#kind)) return;
    throw this.#stall("Conflict", "AWS says that an object of this name exists, and does not show it: check the name in the console");
  }

  // Definitely not executed, and nothing of it was sent before: there is nothing to find again.
  #close(record: ResourceRecord): void {
    const neverMade = record.generation === 1 && record.retiring.length === 0 && record.id === undefined;
    if (neverMade) this.#x.drop(record.key);
    else this.#x.put(withoutIntent(record));
  }

  async #readNames(decision: Decision): Promise<boolean> {
    this.#namesRead = true;
    await this.#look(this.#names(decision.desired), 0, "Creating", "reading who owns the name");
    return false;
  }

  async #giveUpOn(failed: Remote, generation: number): Promise<boolean> {
    const record = this.#record;
    // Also one that was not bound yet: its token and its generation are used up.
    const known = record && bound(record, failed.id, generation - 1, this.#x.context.runtime.now());
    if (known && record.generation < generation) this.#x.put(superseded(known, generation));
    await this.#takeDown(failed);
    return false;
  }

  async #succeed(decision: Decision): Promise<boolean> {
    if (this.#change?.action !== "replace") {
      const drifted = decision.diff.differences.filter(({ immutable }) => immutable).every(({ cause }) => cause === "drift");
      const fields = decision.diff.differences.filter(({ immutable }) => immutable).map(({ path }) => path);
      const message = `${fields.join(", ")} changed, and only a replacement could put that right: run beaconctl apply and approve it`;
      throw this.#stall(drifted ? "ImmutableDrift" : "ReplacementForbidden", message);
    }
    this.#supersede(decision);
    if (decision.order === "deleteFirst") await this.retire();
    return false;
  }

  #supersede(decision: Decision): void {
    const record = this.#record ?? this.#adopted(decision);
    this.#forceReplace = false;
    // One that was found by its tags is written down before it is superseded, or nobody would remember it.
    const { current, identified } = decision;
    const known = current ? bound(record, current.id, identified.generation, this.#x.context.runtime.now()) : record;
    this.#rename(superseded(known, decision.generation));
  }

  async #keep(decision: Decision, late: boolean): Promise<boolean> {
    const current = decision.current as Remote;
    if (!this.#resource.lifecycle.manage) return this.#known(decision);
    if (this.#bind(decision, current)) return false;
    const readiness = this.#kind.ready(current.values);
    if (readiness.state === "waiting") return this.#wait("Provisioning", readiness.why);
    if (readiness.state === "failed") throw this.#stall("Failed", readiness.why);
    if (await this.#removeSurplus(decision)) return false;
    const fields = Object.keys(decision.diff.changes).filter((name) => late || !this.#kind.spec.fields[name]?.meta?.late);
    if (fields.length > 0) return this.#update(decision, current, fields);
    this.#known(decision);
    const met = this.#x.run.world.compiled?.readyWhen(this.#resource, this.#x.view) ?? { met: true };
    if (!met.met) return this.#wait("Provisioning", `waiting for readyWhen: ${met.why}`);
    if (!late && this.#hasLate()) return true;
    if (this.#mayBeOutdated(decision)) return this.#wait("Resolving", "AWS shows what is wanted, though nothing was sent; looking again");
    this.#settled(decision, current);
    return true;
  }

  // What the previous run brought about may still show as it was before, which happens to be what is wanted now.
  #mayBeOutdated(decision: Decision): boolean {
    const record = this.#record;
    if (!record || this.#x.certainAgeMs(record.appliedAt ?? 0) >= this.#x.consistencyMs(this.#kind)) return false;
    const wanted = withoutSecrets(this.#kind.spec, decision.desired);
    return Object.entries(record.applied).some(([name, value]) => {
      const meta = this.#kind.spec.fields[name]?.meta;
      const ours = !this.#sent.has(name) && !meta?.setting && !meta?.createOnly && !this.#resource.lifecycle.ignoreFields.includes(name);
      return ours && !same(value, wanted[name], meta?.compare) && contradicts(value, wanted[name]);
    });
  }

  #hasLate(): boolean {
    return Object.values(this.#kind.spec.fields).some((shape) => shape.meta?.late);
  }

  #known(decision: Decision): true {
    this.#x.learn(this.#resource.key, knownOf(decision, decision.desired));
    return true;
  }

  /** Writes down which object it is. True when that was news. */
  #bind(decision: Decision, current: Remote): boolean {
    const record = this.#record;
    const known =
      record?.id === current.id && record.generation === decision.generation && record.key === this.#resource.key && !record.intent;
    if (known) return false;
    this.#rename(bound(record ?? this.#adopted(decision), current.id, decision.generation, this.#x.context.runtime.now()));
    this.#boundMs = this.#x.context.runtime.monotonic();
    return true;
  }

  #adopted(decision: Decision): ResourceRecord {
    const uid = decision.identified.uid ?? this.#x.context.runtime.uid();
    return newRecord(this.#resource, uid, decision.generation, this.#x.revision);
  }

  // The record lives under the resource's present key.
  #rename(record: ResourceRecord): void {
    if (record.key !== this.#resource.key) this.#x.drop(record.key);
    this.#x.put({ ...record, key: this.#resource.key });
  }

  async #removeSurplus(decision: Decision): Promise<boolean> {
    const { surplus } = decision.identified;
    if (surplus.length === 0) return false;
    const { identity } = this.#kind;
    const ids = surplus.map(({ id }) => id).join(", ");
    if (identity.by !== "tag" || !identity.surplusIsSafe) {
      throw this.#stall("Conflict", `${ids} carry this resource's tags, too: delete them, or remove their beacon:* tags`);
    }
    for (const remote of surplus) await this.#takeDown(remote);
    return true;
  }

  async #takeDown(remote: Remote): Promise<void> {
    const record = this.#record as ResourceRecord;
    const onWait = (message: string) => this.#report("waiting", `${message} ${remote.id}`);
    await takeDown(this.#x, {
      kind: this.#kind,
      record: { ...record, key: this.#resource.key },
      remote,
      onWait,
      onBlocked: () => this.onBlocked(remote),
    });
    this.#remotes = this.#remotes.filter(({ id }) => id !== remote.id);
    this.#x.event("Deleted", `deleted ${remote.id}, which was superseded`, this.#resource.key);
    const after = this.#record as ResourceRecord;
    this.#x.put({ ...after, retiring: after.retiring.filter(({ id }) => id !== remote.id) });
  }

  async #update(decision: Decision, current: Remote, fields: readonly string[]): Promise<boolean> {
    const updater = this.#kind.updates.find((candidate) => candidate.fields.some((name) => fields.includes(name)));
    const { changes, differences } = decision.diff;
    if (!updater) throw this.#stall("Refused", `${fields.join(", ")} cannot be changed`);
    const removed = Object.fromEntries(
      fields.filter((name) => decision.desired[name] === undefined).map((name) => [name, changes[name]?.after]),
    );
    const observed = seenOf(current);
    const desired = this.#sendable({ ...decision.desired, ...removed }, updater.fields);
    const sent = Object.fromEntries(Object.entries(desired).filter(([name]) => updater.fields.includes(name)));
    await this.#begin(sent);
    this.#report("acting", "updating");
    for (const name of updater.fields) this.#sent.add(name);
    try {
      const touch: Touch = { verb: "update", record: this.#record as ResourceRecord, sent };
      const target = { id: current.id, desired, observed, changes };
      const sentNow = await this.#oneAtATime(async () => {
        if (!this.#remotes.includes(current)) return false;
        this.#took(current.id, await this.#x.act(touch, () => updater.run(this.#x.run.authority.writer, target)));
        return true;
      });
      if (!sentNow) return false; // It changed meanwhile: decide again.
      const drifted = differences.some(({ field, cause }) => updater.fields.includes(field) && cause === "drift");
      this.#x.event(
        drifted ? "Corrected" : "Updated",
        `${drifted ? "corrected" : "updated"} ${updater.fields.filter((name) => changes[name]).join(", ")}`,
        this.#resource.key,
      );
      await this.#lookIfUnchanged(updater.fields, changes);
    } catch (error) {
      await this.#afterUpdate(failureOf(this.#kind, error));
    }
    return false;
  }

  // Sending the same again would bring no more about: what is known of the object is not what AWS has.
  async #lookIfUnchanged(fields: readonly string[], before: Diff["changes"]): Promise<void> {
    const after = this.#decide().diff.changes;
    const same = fields.every((name) => equal(before[name] as Json | undefined, after[name] as Json | undefined));
    if (same) await this.#wait("Updating", "an update changed nothing; looking again");
  }

  // Costs a write only where the update brings something that no record knows of.
  async #begin(desired: JsonObject): Promise<void> {
    const record = this.#record;
    if (!record) return;
    const next = begun(record, this.#resource, desired);
    if (equal(record as unknown as Json, next as unknown as Json)) return;
    this.#x.put(next);
    await this.#x.commit();
  }

  async #afterUpdate(failure: Failure): Promise<void> {
    switch (failure.means) {
      case "look":
      case "gone":
      case "exists":
        await this.#wait("Updating", "an update had no clear answer; looking again");
        return;
      case "retry":
        this.#report("waiting", failure.message);
        return await this.#x.pause(this.#x.pollMs(this.#waits++), failure.reason, failure.message);
      case "stall":
        throw this.#stall("Refused", failure.message);
    }
  }

  #settled(decision: Decision, current: Remote): void {
    const record = this.#record as ResourceRecord;
    const spec = this.#kind.spec;
    const observed = withoutSecrets(spec, seenOf(current));
    const applied = withoutSecrets(spec, decision.desired);
    this.#x.put(settled(record, { resource: this.#resource, applied, observed, revision: this.#x.revision }, this.#x.now()));
  }

  /** The declared fields in the form AWS is sent: known, valid, and without late ones unless they are what is sent. */
  #sendable(desired: JsonObject, sent?: readonly string[]): JsonObject {
    const late = (name: string) => this.#kind.spec.fields[name]?.meta?.late === true;
    // A field that has left the manifest and whose unset value is null has no value to send.
    const members = Object.entries(desired).filter(
      ([name, value]) => value !== undefined && value !== null && (sent ? sent.includes(name) || !holdsUnknown(value) : !late(name)),
    );
    const unknown = members.find(([, value]) => holdsUnknown(value));
    if (unknown)
      throw this.#stall("DependencyNotReady", `${unknown[0]} needs a value that AWS has not given: ${JSON.stringify(unknown[1])}`);
    const parsed = this.#kind.specSchema.partial().safeParse(Object.fromEntries(members));
    if (parsed.success) return Object.fromEntries(members);
    const issue = parsed.error.issues[0];
    throw this.#stall("Refused", `${issue?.path.join(".")}: ${issue?.message}; nothing was sent`);
  }

  async #wait(reason: Reason, message: string): Promise<false> {
    this.#report("waiting", message);
    const decision = this.#decide();
    await this.#look(this.#names(decision.desired), this.#x.pollMs(this.#waits++), reason, message);
    return false;
  }

  async #look(names: readonly JsonObject[], delayMs: number, reason: Reason, message: string): Promise<void> {
    const record = this.#record;
    const ids = [record?.id, ...(record?.retiring ?? []).map(({ id }) => id)].filter((id) => id !== undefined);
    const want = { byTags: record?.intent !== undefined || record === undefined, ids, names, fields: Object.keys(this.#resource.spec) };
    const index = await this.#x.look(this.#kind, want, { delayMs, reason, message });
    // A predecessor stays known until it is taken down: one look that misses it proves nothing.
    const old = this.#predecessors().filter(({ id }) => index.byId(id) === undefined);
    this.#remotes = [...candidates(claimOf(this.#subject(index)), index), ...old];
  }

  // The natural key, unless a bound id makes it needless.
  #names(desired: JsonObject): readonly JsonObject[] {
    const { identity } = this.#kind;
    if (identity.by !== "name" || this.#record?.id !== undefined || naturalKey(this.#kind, desired) === undefined) return [];
    return [Object.fromEntries(identity.key.map((name) => [name, desired[name]]))];
  }

  #report(phase: "acting" | "waiting", message: string): void {
    const { key } = this.#resource;
    const generation = this.#record?.generation ?? 1;
    this.#x.progress({ key, action: this.#change?.action ?? "none", phase, message, generation, since: this.#since });
  }

  #stall(reason: Reason, message: string): Halt {
    const record = this.#record;
    if (record) this.#x.put(stalled(record, reason, message, this.#x.now()));
    this.#x.event("Failed", `${reason}: ${message}`, this.#resource.key);
    return new Halt("failed", reason, message);
  }
}

/** Values and tags together, whether a look or an effect told of them. */
function seenOf({ values, tags }: Remote): JsonObject {
  return tags ? { ...values, tags } : values;
}

function withEffect(remote: Remote, { values }: Effect): Remote {
  return withTags({ ...remote, values: { ...remote.values, ...values } }, values.tags ?? remote.tags);
}

function withTags(remote: Remote, tags: unknown): Remote {
  return isObject(tags) ? { ...remote, tags: tags as Record<string, string> } : remote;
}
