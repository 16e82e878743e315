/**
 * What a replica sees of the others through the state table: the stacks there are, who shares them, and who holds which lease.
 *
 * Beats and heartbeats are watched on the replica's own monotonic clock. Each thing is read as often as it is needed: news of
 * stacks at the pace of news, its own beat and the members three times in a TTL, leases and members fifteen times in one, and
 * leases not at all while every stack is held here, as nobody else's can then run out.
 */

import { type Stack, stackName } from "../core/resource.ts";
import type { LeaseSight, Member, Reach, Runtime, StateStore } from "../core/store.ts";
import { type Pulse, type Replica, stillMs, watched } from "./share.ts";

/** What the replica is told of itself. */
export type SurroundingsOptions = {
  /** Unique among the replicas of a table. */
  readonly id: string;
  /** How long another's beat must stay still before it counts as dead. */
  readonly ttlMs: number;
  /** Between two looks for news of stacks. */
  readonly newsMs: number;
  /** What it may hold; asked for with each beat. */
  readonly reach: () => Reach;
};

/** A lease of another as it is watched. */
export type WatchedLease = { readonly sight: LeaseSight; readonly pulse: Pulse };

// Looks at the leases in one TTL: what has not beaten is found out within a fifteenth of it.
const LOOKS_PER_TTL = 15;
const BEATS_PER_TTL = 3;
const UNPROVEN_PER_TTL = 2;

const NOTHING: ReadonlyMap<string, Pulse> = new Map();

/** See the file's header. */
export class Surroundings {
  readonly #store: StateStore;
  readonly #runtime: Runtime;
  readonly #options: SurroundingsOptions;
  #marks: ReadonlyMap<string, string> = new Map();
  #stacks: ReadonlyMap<string, Stack> = new Map();
  #members: readonly Member[] = [];
  #beats = NOTHING;
  #sights: ReadonlyMap<string, LeaseSight> = new Map();
  #pulses = NOTHING;
  #unproven: ReadonlySet<string> = new Set();
  #beat = 0;
  /** When each was read last, on the monotonic clock. */
  readonly #readMs = { marks: Number.NEGATIVE_INFINITY, beat: Number.NEGATIVE_INFINITY, look: Number.NEGATIVE_INFINITY };

  constructor(store: StateStore, runtime: Runtime, options: SurroundingsOptions) {
    this.#store = store;
    this.#runtime = runtime;
    this.#options = options;
  }

  /** Every stack of the table, by name. */
  get stacks(): ReadonlyMap<string, Stack> {
    return this.#stacks;
  }

  /** For each of them, what changes with its news. */
  get marks(): ReadonlyMap<string, string> {
    return this.#marks;
  }

  /**
   * The replicas that live, this one among them. One that was there before this one came may have died long ago: if it lives, it
   * is seen to beat within a third of a TTL, and is not waited for as long as one that was.
   */
  get replicas(): readonly Replica[] {
    const { id, ttlMs, reach } = this.#options;
    const patienceMs = ({ id: member }: Member) => (this.#unproven.has(member) ? ttlMs / UNPROVEN_PER_TTL : ttlMs);
    const others = this.#members.filter((member) => member.id !== id && this.#stillMs(member) < patienceMs(member));
    return [...others, { id, ...reach() }];
  }

  /** How many may use the account's rates: those that may yet turn out to live are counted. */
  get count(): number {
    const { id, ttlMs } = this.#options;
    return this.#members.filter((member) => member.id !== id && this.#stillMs(member) < ttlMs).length + 1;
  }

  /** The lease of a stack as it was last seen; undefined where there was none. */
  lease(name: string): WatchedLease | undefined {
    const [sight, pulse] = [this.#sights.get(name), this.#pulses.get(name)];
    return sight && pulse && { sight, pulse };
  }

  /** Reads what is due. `held`: the stacks that are held here; `more`: stacks to look at that the table does not know yet. */
  async look(held: ReadonlySet<string>, more: readonly Stack[]): Promise<void> {
    const nowMs = this.#runtime.monotonic();
    const [beats, looks] = [nowMs >= this.#beatDueMs(), nowMs >= this.#lookDueMs(held)];
    await all([
      ...(nowMs >= this.#marksDueMs() ? [this.#readMarks()] : []),
      ...(beats || (looks && this.#watches(held, more)) ? [this.#readMembers(beats)] : []),
    ]);
    if (looks && this.#watches(held, more)) await this.#readLeases([...this.#stacks.values(), ...more]);
  }

  /** Says that it has gone. */
  async leave(): Promise<void> {
    await this.#store.beat(this.#options.id, undefined);
  }

  /** How long until something is to be read: the next turn of anything, or the end of somebody's time. */
  restMs(held: ReadonlySet<string>, more: readonly Stack[]): number {
    const nowMs = this.#runtime.monotonic();
    const looks = this.#watches(held, more) ? [this.#lookDueMs(held)] : [];
    return Math.max(0, Math.min(this.#marksDueMs(), this.#beatDueMs(), ...looks) - nowMs);
  }

  #marksDueMs(): number {
    return this.#readMs.marks + this.#options.newsMs;
  }

  #beatDueMs(): number {
    return this.#readMs.beat + this.#options.ttlMs / BEATS_PER_TTL;
  }

  // The next look in turn, or the first moment since the last one at which somebody's time is over unless it beat.
  #lookDueMs(held: ReadonlySet<string>): number {
    const { ttlMs } = this.#options;
    const end = (pulse: Pulse, ownTtlMs: number) => (stillMs(pulse) >= ownTtlMs ? [] : [pulse.sinceMs + ownTtlMs]);
    const leases = [...this.#pulses].flatMap(([name, pulse]) => {
      const sight = this.#sights.get(name);
      return !sight || sight.free || held.has(name) ? [] : end(pulse, sight.ttlMs);
    });
    const members = [...this.#beats].flatMap(([member, pulse]) => (member === this.#options.id ? [] : end(pulse, ttlMs)));
    return Math.min(this.#readMs.look + ttlMs / LOOKS_PER_TTL, ...leases, ...members);
  }

  #watches(held: ReadonlySet<string>, more: readonly Stack[]): boolean {
    return [...this.#stacks.keys(), ...more.map(stackName)].some((name) => !held.has(name));
  }

  #stillMs({ id }: Member): number {
    const pulse = this.#beats.get(id);
    return pulse ? stillMs(pulse) : 0;
  }

  async #readMarks(): Promise<void> {
    const startedMs = this.#runtime.monotonic();
    const marks = await this.#store.marks();
    this.#stacks = new Map(marks.map(({ stack }) => [stackName(stack), stack]));
    this.#marks = new Map(marks.map(({ stack, mark }) => [stackName(stack), mark]));
    this.#readMs.marks = startedMs;
  }

  async #readMembers(beats: boolean): Promise<void> {
    const { id, reach } = this.#options;
    const startedMs = this.#runtime.monotonic();
    if (beats) await this.#store.beat(id, this.#beat++, reach());
    const members = await this.#store.members();
    const isFirst = this.#readMs.beat === Number.NEGATIVE_INFINITY;
    const before = this.#beats;
    this.#members = members;
    this.#beats = watched(before, new Map(members.map(({ id: member, beat }) => [member, String(beat)])), this.#runtime.monotonic());
    const hasMoved = (member: string) => this.#beats.get(member)?.beat !== before.get(member)?.beat;
    const strangers = isFirst ? members.map((member) => member.id) : [...this.#unproven].filter((member) => !hasMoved(member));
    this.#unproven = new Set(strangers.filter((member) => member !== id));
    if (beats) this.#readMs.beat = startedMs;
  }

  async #readLeases(stacks: readonly Stack[]): Promise<void> {
    const startedMs = this.#runtime.monotonic();
    this.#sights = await this.#store.leases(stacks);
    const beats = [...this.#sights].map(([name, { owner, heartbeat }]) => [name, `${owner} ${heartbeat}`] as const);
    this.#pulses = watched(this.#pulses, new Map(beats), this.#runtime.monotonic());
    this.#readMs.look = startedMs;
  }
}

// None is left running when the next round begins: a late answer would take the place of a newer one.
async function all(reads: readonly Promise<void>[]): Promise<void> {
  for (const read of await Promise.allSettled(reads)) if (read.status === "rejected") throw read.reason;
}
