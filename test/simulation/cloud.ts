/**
 * A small simulated cloud: objects of three types, with everything that makes AWS hard.
 *
 * Reads may be stale, each object by a lag of its own, but never by more than the window. Objects may be pending for a while,
 * or fail; deletions may take a while; what is used by another object cannot be deleted; what refers to something that was
 * just made may be refused. Writes act on the truth. Every engine write is held against what must never happen
 * ({@link Violation}): a foreign object touched, a protected one deleted.
 */

import { parseOwnership, TAG_DELETION, TAG_GENERATION, TAG_UID, type Tags } from "../../src/aws/tags.ts";
import { canonical, type Json, type JsonObject } from "../../src/core/json.ts";
import type { VirtualWorld } from "../support/virtual-runtime.ts";

/** One type of object per identity class. */
export type ObjectType = "named" | "token" | "tagged";

/** Something that must never happen did. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** The cloud's own refusals, by AWS-like error names. */
export class CloudError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

type Version = { readonly atMs: number; readonly values: JsonObject; readonly tags: Tags };

/** An object and its whole history. Times are virtual milliseconds. */
export type CloudObject = {
  readonly id: string;
  readonly type: ObjectType;
  /** Made by the outside hand: nobody else may touch it. */
  readonly foreign: boolean;
  readonly createdMs: number;
  readonly readyMs: number;
  readonly fails: boolean;
  readonly request: string;
  deletingMs: number;
  goneMs: number;
  readonly versions: Version[];
};

export type State = "absent" | "pending" | "available" | "failed" | "deleting" | "gone";

/** An object as one read saw it. */
export type Seen = { readonly id: string; readonly values: JsonObject; readonly tags: Tags; readonly state: State };

/** How hard this cloud is. */
export type CloudSettings = {
  /** Longest staleness of a read. */
  readonly lagMaxMs: number;
  readonly staleRate: number;
  readonly pendingRate: number;
  readonly failRate: number;
  readonly slowDeleteRate: number;
  readonly propagatingRate: number;
};

/** AWS forgets client tokens; certificates' are the shortest, one hour. Many windows, as there. */
const TOKEN_TTL_MS = 300_000;
const PENDING_MAX_MS = 8_000;

/** Whether the object is one that exists, for better or worse. */
export function isLive(state: State): boolean {
  return state === "pending" || state === "available" || state === "failed";
}

export class Cloud {
  readonly world: VirtualWorld;
  settings: CloudSettings;
  /** Effects of engines so far. */
  effects = 0;
  /** The first thing that must never happen, and did. */
  violation: Violation | undefined;
  readonly #objects = new Map<string, CloudObject[]>();
  readonly #tokens = new Map<string, { readonly object: CloudObject; readonly atMs: number }>();
  #ids = 0;

  constructor(world: VirtualWorld, settings: CloudSettings) {
    this.world = world;
    this.settings = settings;
  }

  /** Everything that ever was. */
  objects(): readonly CloudObject[] {
    return [...this.#objects.values()].flat();
  }

  /** The truth about what exists now, those on their way out included. */
  present(): readonly (Seen & { readonly object: CloudObject })[] {
    return this.objects().flatMap((object) => {
      const seen = this.#seenAt(object, this.world.elapsedMs);
      return seen ? [{ ...seen, object }] : [];
    });
  }

  /** What a read shows: each object as it was some moment within the window ago. */
  describe(type: ObjectType): readonly Seen[] {
    const shown = new Map<string, Seen>();
    for (const object of this.objects()) {
      if (object.type !== type) continue;
      const seen = this.#seenAt(object, this.world.elapsedMs - this.#lag());
      if (seen) shown.set(seen.id, seen);
    }
    return [...shown.values()];
  }

  create(type: ObjectType, values: JsonObject, tags: Tags, token: string): Seen {
    const request = canonical({ ...values, tags });
    const sent = type === "token" ? this.#tokens.get(token) : undefined;
    if (sent && this.world.elapsedMs - sent.atMs < TOKEN_TTL_MS) return this.#replayed(sent.object, request);
    const id = type === "named" ? `name:${values.name}` : `${type}-${++this.#ids}`;
    if (this.#live(id)) throw new CloudError("AlreadyExists", `${id} exists`);
    this.#requireReferences(values);
    const object = this.#make(id, type, { values, tags, foreign: false, request });
    if (type === "token") this.#tokens.set(token, { object, atMs: this.world.elapsedMs });
    this.#effect(`created ${id} ${short(values)} ${short(tags)}`);
    return this.#seenAt(object, this.world.elapsedMs) as Seen;
  }

  update(id: string, values: JsonObject): void {
    const object = this.#owned(id, "updated");
    for (const value of Object.values(values)) this.#requireReferences({ links: Array.isArray(value) ? value : [] });
    this.#change(object, { ...this.#latest(object).values, ...values }, this.#latest(object).tags);
    this.#effect(`updated ${id} ${short(values)}`);
  }

  tag(id: string, set: Tags, drop: readonly string[]): void {
    const object = this.#owned(id, "tagged");
    const { values, tags } = this.#latest(object);
    this.#change(object, values, Object.fromEntries(Object.entries({ ...tags, ...set }).filter(([key]) => !drop.includes(key))));
    this.#effect(`tagged ${id} ${short(set)} without ${drop.join(",")}`);
  }

  delete(id: string): void {
    const object = this.#owned(id, "deleted");
    if (this.#stateAt(object, this.world.elapsedMs) === "deleting") return;
    this.#requireUnprotected(object);
    this.#requireUnused(id);
    this.#takeDown(object, this.world.chance(this.settings.slowDeleteRate) ? this.world.between(500, PENDING_MAX_MS) : 0);
    this.#effect(`deleted ${id}`);
  }

  // The outside hand: its acts are not held against anybody.

  handCreate(type: ObjectType, values: JsonObject, tags: Tags): void {
    const id = type === "named" ? `name:${values.name}` : `${type}-${++this.#ids}`;
    if (this.#live(id)) return;
    this.#make(id, type, { values, tags, foreign: true, request: "" });
    this.world.note(`HAND  made the foreign ${id}`);
  }

  handChange(id: string, values: JsonObject): void {
    const object = this.#live(id);
    if (!object || !isLive(this.#stateAt(object, this.world.elapsedMs))) return;
    this.#change(object, { ...this.#latest(object).values, ...values }, this.#latest(object).tags);
    this.world.note(`HAND  changed ${id} to ${short(values)}`);
  }

  handUntag(id: string): void {
    const object = this.#live(id);
    if (!object || object.foreign) return;
    this.#change(object, this.#latest(object).values, {});
    this.world.note(`HAND  removed the tags of ${id}`);
  }

  handDelete(id: string): void {
    const object = this.#live(id);
    if (!object || this.#users(id).length > 0) return;
    this.#takeDown(object, 0);
    this.world.note(`HAND  deleted ${id}`);
  }

  #make(id: string, type: ObjectType, from: { values: JsonObject; tags: Tags; foreign: boolean; request: string }): CloudObject {
    const { settings, world } = this;
    const createdMs = world.elapsedMs;
    const pending = !from.foreign && type !== "named" && world.chance(settings.pendingRate);
    const object: CloudObject = {
      id,
      type,
      foreign: from.foreign,
      createdMs,
      readyMs: createdMs + (pending ? world.between(500, PENDING_MAX_MS) : 0),
      fails: pending && world.chance(settings.failRate),
      request: from.request,
      deletingMs: Number.POSITIVE_INFINITY,
      goneMs: Number.POSITIVE_INFINITY,
      versions: [{ atMs: createdMs, values: from.values, tags: from.tags }],
    };
    this.#objects.set(id, [...(this.#objects.get(id) ?? []), object]);
    return object;
  }

  #replayed(object: CloudObject, request: string): Seen {
    if (object.request !== request) throw new CloudError("ParameterMismatch", `the token was used for ${object.id} with other parameters`);
    this.world.note(`CLOUD replayed the create of ${object.id}`);
    const seen = this.#seenAt(object, this.world.elapsedMs);
    return seen ?? { id: object.id, values: this.#latest(object).values, tags: this.#latest(object).tags, state: "gone" };
  }

  #stateAt(object: CloudObject, atMs: number): State {
    if (atMs < object.createdMs) return "absent";
    if (atMs >= object.goneMs) return "gone";
    if (atMs >= object.deletingMs) return "deleting";
    if (atMs < object.readyMs) return "pending";
    return object.fails ? "failed" : "available";
  }

  #seenAt(object: CloudObject, atMs: number): Seen | undefined {
    const state = this.#stateAt(object, atMs);
    const version = object.versions.findLast((one) => one.atMs <= atMs);
    if (!version || state === "absent" || state === "gone") return undefined;
    return { id: object.id, values: version.values, tags: version.tags, state };
  }

  #lag(): number {
    return this.world.chance(this.settings.staleRate) ? this.world.between(0, this.settings.lagMaxMs) : 0;
  }

  #latest(object: CloudObject): Version {
    return object.versions.at(-1) as Version;
  }

  #live(id: string): CloudObject | undefined {
    return this.#objects.get(id)?.findLast((object) => !["absent", "gone"].includes(this.#stateAt(object, this.world.elapsedMs)));
  }

  #owned(id: string, verb: string): CloudObject {
    const object = this.#live(id);
    if (!object) throw new CloudError("ObjectNotFound", `${id} does not exist`);
    if (object.foreign) throw new Violation(`the foreign object ${id} was ${verb}`);
    return object;
  }

  #change(object: CloudObject, values: JsonObject, tags: Tags): void {
    object.versions.push({ atMs: this.world.elapsedMs, values, tags });
  }

  #takeDown(object: CloudObject, slowMs: number): void {
    object.deletingMs = this.world.elapsedMs;
    object.goneMs = this.world.elapsedMs + slowMs;
  }

  #requireReferences(values: JsonObject): void {
    for (const id of references(values)) {
      const object = this.#live(id);
      const state = object ? this.#stateAt(object, this.world.elapsedMs) : "gone";
      const young = object !== undefined && this.world.elapsedMs - object.createdMs < this.settings.lagMaxMs;
      const unseen = young && this.world.chance(this.settings.propagatingRate);
      if (!isLive(state) || unseen) throw new CloudError("ReferenceNotFound", `${id} is not there (yet)`);
    }
  }

  #users(id: string): readonly string[] {
    return this.present().flatMap((seen) => (references(seen.values).includes(id) && seen.id !== id ? [seen.id] : []));
  }

  #requireUnused(id: string): void {
    const [user] = this.#users(id);
    if (user !== undefined) throw new CloudError("InUse", `${id} is used by ${user}`);
  }

  // A failed object may go, and a surplus one: an object of the same resource stays.
  #requireUnprotected(object: CloudObject): void {
    const owner = parseOwnership(object.versions.map(({ tags }) => tags).find((tags) => tags[TAG_DELETION] === "protect"));
    if (!owner || this.#stateAt(object, this.world.elapsedMs) === "failed") return;
    const twins = this.present().filter(({ id, tags, state }) => {
      return id !== object.id && isLive(state) && tags[TAG_UID] === owner.uid && Number(tags[TAG_GENERATION]) >= owner.generation;
    });
    if (twins.length === 0) throw new Violation(`the protected object ${object.id} of ${owner.resource} was deleted`);
  }

  #effect(text: string): void {
    this.effects += 1;
    this.world.note(`CLOUD ${text}`);
  }
}

/** Ids of other objects that the values hold. */
export function references(values: JsonObject): readonly string[] {
  const lists = [values.parent, values.links, values.peers].flatMap((value): Json[] =>
    Array.isArray(value) ? [...value] : [value ?? null],
  );
  return lists.filter((value): value is string => typeof value === "string");
}

function short(value: unknown): string {
  return JSON.stringify(value)?.replaceAll("beacon:", "") ?? "";
}
