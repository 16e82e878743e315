/**
 * The controller: one replica of any number that share the stacks of a state table.
 *
 * Each replica says that it lives by a beat in the table, watches the beats of the others and of every lease on its own
 * monotonic clock, and works out who should hold which stack. A free lease that is its own to hold it takes; one whose holder
 * has not beaten for a whole TTL, too; what another should hold, it hands over once that one lives. Wherever two replicas see
 * different worlds for a moment, the lease decides, so the worst is that a stack changes hands once more than needed.
 */

import { BeaconError } from "../core/errors.ts";
import { type Stack, stackName } from "../core/resource.ts";
import type { Lease, LeaseSight } from "../core/store.ts";
import { assignment, type Pulse, watched } from "./share.ts";
import { isYielded, StackWorker } from "./stack-worker.ts";
import type { Tools } from "./tools.ts";

/** What the replica is told beside its tools. */
export type ControllerOptions = {
  /** Unique among the replicas of a table. */
  readonly id: string;
  /** How long another's beat must stay still before it counts as dead. */
  readonly ttlMs: number;
  /** Only this stack, though the table knows others. */
  readonly only?: Stack;
  /** Called when the number of live replicas changes: each takes its part of AWS's rates. */
  readonly onReplicas?: (count: number) => void;
};

type Held = { readonly worker: StackWorker; readonly stop: AbortController; readonly done: Promise<unknown> };

// Looks at the leases in one TTL: what has not beaten is found out within a fifteenth of it.
const LOOKS_PER_TTL = 15;
const BEATS_PER_TTL = 3;
// Stacks and members come and go seldom: asked for with every beat.
const NOTHING: ReadonlyMap<string, Pulse> = new Map();

/** See the file's header. */
export class Controller {
  readonly #tools: Tools;
  readonly #options: ControllerOptions;
  readonly #held = new Map<string, Held>();
  readonly #taking = new Map<string, Promise<void>>();
  #stacks: ReadonlyMap<string, Stack> = new Map();
  #members = NOTHING;
  #leases = NOTHING;
  #sights: ReadonlyMap<string, LeaseSight> = new Map();
  #live: readonly string[] = [];
  #beat = 0;
  #beatAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs: number | undefined;
  #trouble: string | undefined;

  constructor(tools: Tools, options: ControllerOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  /** The workers of the stacks that are held here, by stack name. */
  get workers(): ReadonlyMap<string, StackWorker> {
    return new Map([...this.#held].map(([name, { worker }]) => [name, worker]));
  }

  /** Every stack of the table, with the lease as it was last seen. */
  get sights(): ReadonlyMap<string, LeaseSight | undefined> {
    return new Map([...this.#stacks.keys()].map((name) => [name, this.#sights.get(name)]));
  }

  /** Every stack of the table that is to be held. */
  get stacks(): readonly Stack[] {
    return [...this.#stacks.values()];
  }

  get replicas(): number {
    return Math.max(1, this.#live.length);
  }

  /** How long ago the loop last came round; undefined before the first time. */
  get ageMs(): number | undefined {
    return this.#lookedAtMs === undefined ? undefined : this.#tools.runtime.monotonic() - this.#lookedAtMs;
  }

  /** Why the state table cannot be read now. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Works until it is told to stop; hands every stack over then. Rejects only where it could not even begin. */
  async run(stop: AbortSignal): Promise<void> {
    const { runtime, store } = this.#tools;
    const everyMs = this.#options.ttlMs / LOOKS_PER_TTL;
    while (!stop.aborted) {
      await this.#round(stop);
      await runtime.sleep(everyMs, stop).catch(() => {});
    }
    for (const { stop: end } of this.#held.values()) end.abort(stop.reason);
    await Promise.all([...this.#held.values()].map(({ done }) => done));
    await Promise.all(this.#taking.values());
    await store.beat(this.#options.id, undefined).catch(() => {});
  }

  async #round(stop: AbortSignal): Promise<void> {
    try {
      await this.#look();
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof BeaconError)) throw error;
      if (this.#lookedAtMs === undefined && error.code === "StateTableMissing") throw error;
      this.#trouble = error.message;
      return;
    }
    this.#lookedAtMs = this.#tools.runtime.monotonic();
    this.#share(stop);
  }

  /** Beats, and sees who else does. */
  async #look(): Promise<void> {
    const { runtime, store, source } = this.#tools;
    const { id, ttlMs, only } = this.#options;
    if (runtime.monotonic() - this.#beatAtMs >= ttlMs / BEATS_PER_TTL) {
      this.#beatAtMs = runtime.monotonic();
      await store.beat(id, this.#beat++);
      const [stacks, members] = await Promise.all([store.stacks(), store.members()]);
      const known = [...stacks, ...(source?.stack ? [source.stack] : [])].filter((stack) => !only || stackName(stack) === stackName(only));
      this.#stacks = new Map(known.map((stack) => [stackName(stack), stack]));
      this.#members = watched(this.#members, new Map(members.map(({ id: member, beat }) => [member, String(beat)])), runtime.monotonic());
    }
    this.#sights = await store.leases([...this.#stacks.values()]);
    const beats = [...this.#sights].map(([name, { owner, heartbeat }]) => [name, `${owner} ${heartbeat}`] as const);
    this.#leases = watched(this.#leases, new Map(beats), runtime.monotonic());
    this.#noteReplicas();
  }

  #noteReplicas(): void {
    const { id, ttlMs, onReplicas } = this.#options;
    const now = this.#tools.runtime.monotonic();
    const live = [...this.#members].filter(([member, { sinceMs }]) => member === id || now - sinceMs < ttlMs).map(([member]) => member);
    const all = [...new Set([...live, id])].sort();
    if (all.length !== this.#live.length) onReplicas?.(all.length);
    this.#live = all;
  }

  /** Takes what is its own to hold, and hands over what is another's. */
  #share(stop: AbortSignal): void {
    const { id } = this.#options;
    const mine = new Set(assignment([...this.#stacks.keys()], this.#live).get(id));
    for (const [name, { stop: end }] of this.#held)
      if (!mine.has(name) && this.#stacks.has(name)) end.abort(new Error("another replica is to hold it"));
    for (const name of mine) if (!this.#held.has(name) && !this.#taking.has(name)) this.#take(name, stop);
  }

  #take(name: string, stop: AbortSignal): void {
    const stack = this.#stacks.get(name);
    const sight = this.#sights.get(name);
    const pulse = this.#leases.get(name);
    const stillMs = pulse ? this.#tools.runtime.monotonic() - pulse.sinceMs : 0;
    if (!stack || (sight && !sight.free && stillMs < sight.ttlMs)) return;
    const watchedLease = sight && pulse ? { owner: sight.owner, heartbeat: sight.heartbeat, sinceMs: pulse.sinceMs } : undefined;
    const taking = this.#acquire(stack, watchedLease, stop).finally(() => this.#taking.delete(name));
    this.#taking.set(name, taking);
  }

  async #acquire(
    stack: Stack,
    watchedLease: { owner: string; heartbeat: number; sinceMs: number } | undefined,
    stop: AbortSignal,
  ): Promise<void> {
    const { store, holder, runtime, tell } = this.#tools;
    const startedMs = runtime.monotonic();
    let lease: Lease;
    try {
      // Whoever asked for it has it first.
      if (isYielded((await store.news(stack)).requests, runtime.now())) return;
      const base = { holder, wait: false, controller: true, signal: stop } as const;
      lease = await store.acquire(stack, watchedLease ? { ...base, watched: watchedLease } : base);
    } catch {
      return; // Another was faster, or the table did not answer: the next round sees how it stands.
    }
    tell({ type: "leaseTaken", stack, epoch: lease.epoch, waitedMs: Math.round(runtime.monotonic() - startedMs) });
    this.#begin(stack, lease, stop);
  }

  #begin(stack: Stack, lease: Lease, stop: AbortSignal): void {
    const worker = new StackWorker(stack, lease, this.#tools);
    const end = new AbortController();
    const done = worker.run(AbortSignal.any([stop, end.signal])).finally(() => this.#held.delete(stackName(stack)));
    this.#held.set(stackName(stack), { worker, stop: end, done });
  }
}
