/**
 * The actor: one declared resource during one run, with what is known of its objects and how it looks, waits and reports.
 *
 * create.ts, keep.ts and succession.ts work on it; converge.ts says in which order.
 */

import type { z } from "zod";
import type { Reason } from "../core/condition.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Action, Change } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import { type Resource, stackName } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import { type AnyKind, type Effect, naturalKey, type Remote, scopeNames } from "../kind/kind.ts";
import { claimOf, type Decision, decide, type Subject } from "./decide.ts";
import { type Execution, Halt } from "./execution.ts";
import { candidates, RemoteIndex } from "./identify.ts";
import { newRecord, stalled } from "./records.ts";
import { followersIn, isPart } from "./sweep.ts";
import { takeDown } from "./takedown.ts";

const partials = new WeakMap<AnyKind, z.ZodType>();

// zod compiles each new schema anew, which costs a third of a millisecond per effect.
function partialSpec(kind: AnyKind): z.ZodType {
  const schema = partials.get(kind) ?? kind.specSchema.partial();
  partials.set(kind, schema);
  return schema;
}

/** See the file's header. */
export class Actor {
  readonly execution: Execution;
  readonly kind: AnyKind;
  readonly resource: Resource;
  readonly change: Change | undefined;
  /** When its work began, on the runtime's monotonic clock. */
  readonly since: number;
  /** Its objects, earlier generations among them, as looks and effects have told of them. */
  remotes: readonly Remote[];
  /** A person asked for a replacement, and it was not begun yet. */
  forceReplace: boolean;
  /** A create was opened here and not sent yet, or was definitely not executed: nothing needs to be looked for. */
  fresh = false;
  /** A create of the open intent may have been executed: an earlier run's, or one that had no clear answer. */
  mayExist = false;
  /** Since the last ambiguous answer, a look was made. The world this run started from was one. */
  looked = true;
  /** Who owns the name was read in this run: kinds whose create overwrites need it. */
  namesRead: boolean;
  /** Fields that follow objects which this run has changed: what they say was looked at since. */
  followed: readonly string[] = [];
  /** Fields that this run has sent an update of. */
  readonly sent = new Set<string>();
  /** Fields that were asked to let go of something, and what that left of them. */
  readonly released = new Map<string, { readonly id: string; readonly after: Json }>();
  /** When this run opened an intent, and when it bound an object, on its own clock. */
  openedMs: number | undefined;
  boundMs: number | undefined;
  /** Pauses so far, each longer than the one before. */
  waits = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(execution: Execution, kind: AnyKind, resource: Resource, change: Change | undefined, index: RemoteIndex) {
    this.execution = execution;
    this.kind = kind;
    this.resource = resource;
    this.change = change;
    this.since = execution.context.runtime.monotonic();
    this.forceReplace = execution.run.options.replace?.includes(resource.key) ?? false;
    // The look that this run began with asked for every name that is written down, unless an object was bound.
    this.namesRead = this.record?.id === undefined && naturalKey(kind, resource.spec) !== undefined;
    this.remotes = candidates(claimOf(this.subject(index)), index);
  }

  /** The remote object as last known. */
  get current(): Remote | undefined {
    return this.decide().current;
  }

  /** Called while AWS refuses to delete a predecessor that must go first: `letGo` of everything that uses this resource. */
  onBlocked: (remote: Remote) => Promise<void> = () => Promise.resolve();

  /** Takes what an effect brought about into what is known of the object. */
  took(id: string, effect: Effect): void {
    this.remotes = this.remotes.map((remote) => (remote.id === id ? withEffect(remote, effect) : remote));
  }

  /** Another resource may ask this one to let go while it is being updated: each sees what the other brought about. */
  oneAtATime<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Its objects of earlier generations that are still there. */
  predecessors(): readonly Remote[] {
    const ids = new Set(this.decide().identified.retiring.map(({ id }) => id));
    return this.remotes.filter(({ id }) => ids.has(id));
  }

  /** As this run last wrote it, under the former key where it was renamed. */
  get record(): ResourceRecord | undefined {
    const { key, renamedFrom } = this.resource;
    return this.execution.record(key) ?? (renamedFrom ? this.execution.record(renamedFrom) : undefined);
  }

  /** What {@link decide} decides from, the spec resolved against what is known of the other resources by now. */
  subject(index: RemoteIndex): Subject {
    const { compiled } = this.execution.run.world;
    return {
      kind: this.kind,
      stack: this.execution.context.stack,
      resource: this.resource,
      spec: compiled?.resolve(this.resource, this.execution.view) ?? {},
      record: this.record,
      index,
      isPart: isPart(this.kind, this.resource, compiled),
      forceReplace: this.forceReplace,
      ...this.#leaves(),
      followed: { fields: this.followed, seen: true },
    };
  }

  /** Looks again where what its fields follow was changed by this run, so that it is decided on from what holds now. */
  async follow(): Promise<void> {
    const fields = followersIn(this.kind, this.resource, this.execution.acted);
    if (fields.length === 0 || this.record?.id === undefined) return;
    this.followed = fields;
    await this.look([], 0, "Updating", `looking again, because what ${fields.join(", ")} follows has changed`);
  }

  /** Decides anew from what is known now. Pure: it looks at nothing. */
  decide(): Decision {
    const decision = decide(this.subject(new RemoteIndex(this.kind, stackName(this.execution.context.stack), this.remotes)));
    return this.execution.run.options.strict ? asPlanned(decision, this.change?.action ?? "none") : decision;
  }

  #leaves(): Pick<Subject, "leaves"> {
    const { leave } = this.execution.run.options;
    return leave ? { leaves: (path) => leave(this.resource.key, path) } : {};
  }

  /** A bound object is not concluded missing while AWS may not show it yet. */
  mayStillShow(): boolean {
    return this.ageMs(this.boundMs, this.record?.boundAt) < this.execution.consistencyMs(this.kind);
  }

  /** Since something happened: on this run's own clock where it happened here, else what is certain of the recorded time. */
  ageMs(hereMs: number | undefined, recordedAt = 0): number {
    return hereMs === undefined ? this.execution.certainAgeMs(recordedAt) : this.execution.context.runtime.monotonic() - hereMs;
  }

  /** The first record of an object that was found without one. */
  newRecord(decision: Decision): ResourceRecord {
    const uid = decision.identified.uid ?? this.execution.context.runtime.uid();
    return newRecord(this.resource, uid, decision.generation, this.execution.revision);
  }

  /** Queues the record under the resource's present key, whatever key it had. */
  put(record: ResourceRecord): void {
    if (record.key !== this.resource.key) this.execution.rename(record.key, this.resource.key);
    this.execution.put({ ...record, key: this.resource.key });
  }

  /** Deletes one of its objects. Resolves when it is gone. Throws a Halt. */
  async takeDown(remote: Remote): Promise<void> {
    const record = this.record as ResourceRecord;
    const onWait = (message: string) => this.report("waiting", `${message} ${remote.id}`);
    await takeDown(this.execution, {
      kind: this.kind,
      record: { ...record, key: this.resource.key },
      remote,
      onWait,
      onBlocked: () => this.onBlocked(remote),
    });
    this.remotes = this.remotes.filter(({ id }) => id !== remote.id);
    // A successor may have the same id, and none of what was left of this one.
    for (const [field, { id }] of this.released) if (id === remote.id) this.released.delete(field);
    this.execution.event("Deleted", `deleted ${remote.id}, which was superseded`, this.resource.key);
    const after = this.record as ResourceRecord;
    this.execution.put({ ...after, retiring: after.retiring.filter(({ id }) => id !== remote.id) });
  }

  /** The declared fields in the form AWS is sent: known, valid, and without late ones unless they are what is sent. */
  sendable(desired: JsonObject, sent?: readonly string[]): JsonObject {
    const late = (name: string) => this.kind.spec.fields[name]?.meta?.late === true;
    // A field that has left the manifest and whose unset value is null has no value to send.
    const members = Object.entries(desired).filter(
      ([name, value]) => value !== undefined && value !== null && (sent ? sent.includes(name) || !holdsUnknown(value) : !late(name)),
    );
    const unknown = members.find(([, value]) => holdsUnknown(value));
    if (unknown)
      throw this.stall("DependencyNotReady", `${unknown[0]} needs a value that AWS has not given: ${JSON.stringify(unknown[1])}`);
    const parsed = partialSpec(this.kind).safeParse(Object.fromEntries(members));
    if (parsed.success) return Object.fromEntries(members);
    const issue = parsed.error.issues[0];
    throw this.stall("Refused", `${issue?.path.join(".")}: ${issue?.message}; nothing was sent`);
  }

  /** Pauses, looks, and says that there is more to do. */
  async wait(reason: Reason, message: string): Promise<false> {
    this.report("waiting", message);
    const decision = this.decide();
    await this.look(this.names(decision.desired), this.execution.pollMs(this.waits++), reason, message);
    return false;
  }

  /** Looks for its objects after `delayMs`, by id, by natural key, and by tags while it is not bound. Throws a Halt when the time is over. */
  async look(names: readonly JsonObject[], delayMs: number, reason: Reason, message: string): Promise<void> {
    const record = this.record;
    const ids = [record?.id, ...(record?.retiring ?? []).map(({ id }) => id)].filter((id) => id !== undefined);
    // Of a create that was never sent, no tags can tell.
    const unsent = this.fresh && !this.mayExist;
    const byTags = record === undefined || (record.intent !== undefined && !unsent);
    const want = { byTags, ids, names, fields: Object.keys(this.resource.spec) };
    const index = await this.execution.look(this.kind, want, { delayMs, reason, message });
    // A predecessor stays known until it is taken down: one look that misses it proves nothing.
    const old = this.predecessors().filter(({ id }) => index.byId(id) === undefined);
    this.remotes = [...candidates(claimOf(this.subject(index)), index), ...old];
  }

  /** The natural key, unless a bound id makes it needless. */
  names(desired: JsonObject): readonly JsonObject[] {
    return this.record?.id === undefined ? scopeNames(this.kind, desired) : [];
  }

  /** Tells whoever watches the run. */
  report(phase: "acting" | "waiting", message: string): void {
    const { key } = this.resource;
    const generation = this.record?.generation ?? 1;
    this.execution.progress({ key, action: this.change?.action ?? "none", phase, message, generation, since: this.since });
  }

  /** Writes down that a person is needed, and why; the caller throws the Halt. */
  stall(reason: Reason, message: string): Halt {
    const record = this.record;
    if (record) this.execution.put(stalled(record, reason, message, this.execution.now()));
    this.execution.event("Failed", `${reason}: ${message}`, this.resource.key);
    return new Halt("failed", reason, message);
  }
}

/** The decision, or a block where it does more than was planned. */
function asPlanned(decision: Decision, planned: Action): Decision {
  const builds = planned === "create" || planned === "replace";
  if (decision.action === "replace" && planned !== "replace") {
    return blocked(decision, "ImmutableDrift", "only a replacement could put it back, and none was planned");
  }
  if (decision.action === "create" && !builds) return blocked(decision, "Missing", "it vanished after the plan was made");
  return decision;
}

function blocked(decision: Decision, reason: Reason, message: string): Decision {
  return { ...decision, action: "blocked", blocked: { reason, message } };
}

/** Values and tags together, whether a look or an effect told of them. */
export function seenOf({ values, tags }: Remote): JsonObject {
  return tags ? { ...values, tags } : values;
}

function withEffect(remote: Remote, { values }: Effect): Remote {
  return withTags({ ...remote, values: { ...remote.values, ...values } }, values.tags ?? remote.tags);
}

/** The object with these tags, where they are any. */
export function withTags(remote: Remote, tags: unknown): Remote {
  return isObject(tags) ? { ...remote, tags: tags as Record<string, string> } : remote;
}
