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
import type { Lease, LeaseSight, Reach } from "../core/store.ts";
import { assignment, stillMs } from "./share.ts";
import { StackWorker } from "./stack-worker.ts";
import { Surroundings, type WatchedLease } from "./surroundings.ts";
import type { Tools } from "./tools.ts";
import { Yields } from "./yields.ts";

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

// After a round that failed: a table in trouble is not made better by being asked without a pause.
const TROUBLE_PER_TTL = 15;
// Two calls to the state table take some 20 ms; where they do not, the workers are told to stop nonetheless.
const LEAVE_MS = 1000;

/** See the file's header. */
export class Controller {
  readonly #tools: Tools;
  readonly #options: ControllerOptions;
  readonly #surroundings: Surroundings;
  readonly #yields: Yields;
  readonly #held = new Map<string, Held>();
  readonly #taking = new Map<string, Promise<void>>();
  /** The news that each worker was told of last. */
  readonly #told = new Map<string, string | undefined>();
  #replicas = 0;
  #lookedAtMs: number | undefined;
  #trouble: string | undefined;

  constructor(tools: Tools, options: ControllerOptions) {
    const { id, ttlMs } = options;
    this.#tools = tools;
    this.#options = options;
    const reach = () => this.#reach();
    this.#surroundings = new Surroundings(tools.store, tools.runtime, { id, ttlMs, newsMs: tools.pace.newsMs, reach });
    this.#yields = new Yields(tools.runtime);
  }

  /** The workers of the stacks that are held here, by stack name. */
  get workers(): ReadonlyMap<string, StackWorker> {
    return new Map([...this.#held].map(([name, { worker }]) => [name, worker]));
  }

  /** Every stack of the table, with the lease as it was last seen. */
  get sights(): ReadonlyMap<string, LeaseSight | undefined> {
    return new Map([...this.#surroundings.stacks.keys()].map((name) => [name, this.#surroundings.lease(name)?.sight]));
  }

  /** Every stack of the table that is to be held; of one that a replica is told to hold alone, that one. */
  get stacks(): readonly Stack[] {
    const { only } = this.#options;
    return [...this.#surroundings.stacks.values()].filter((stack) => !only || stackName(stack) === stackName(only));
  }

  get replicas(): number {
    return Math.max(1, this.#replicas);
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
    const { runtime } = this.#tools;
    const rounds = this.#rounds(stop);
    await Promise.race([rounds, aborted(stop)]);
    // The others learn that it has gone before its leases are free: so they know at once whose each of them is.
    const left = rounds.then(() => this.#surroundings.leave()).catch(() => {});
    await Promise.race([left, runtime.sleep(LEAVE_MS)]);
    for (const { stop: end } of this.#held.values()) end.abort(stop.reason);
    while (this.#held.size + this.#taking.size > 0) {
      await Promise.all([...this.#taking.values(), ...[...this.#held.values()].map(({ done }) => done)]);
    }
    await left;
  }

  async #rounds(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#round(stop);
      const restMs = this.#surroundings.restMs(this.#heldHere(), this.#ownNew());
      const troubleMs = this.#options.ttlMs / TROUBLE_PER_TTL;
      await this.#tools.runtime.sleep(this.#trouble === undefined ? restMs : troubleMs, stop).catch(() => {});
    }
  }

  async #round(stop: AbortSignal): Promise<void> {
    try {
      await this.#surroundings.look(this.#heldHere(), this.#ownNew());
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof BeaconError)) throw error;
      if (this.#lookedAtMs === undefined && error.code === "StateTableMissing") throw error;
      this.#trouble = error.message;
      return;
    }
    this.#lookedAtMs = this.#tools.runtime.monotonic();
    if (stop.aborted) return;
    this.#noteReplicas();
    this.#passNewsOn();
    this.#share(stop);
  }

  #reach(): Reach {
    const { source } = this.#tools;
    const { only } = this.#options;
    return { ...(only ? { only: stackName(only) } : {}), ...(source?.stack ? { watches: stackName(source.stack) } : {}) };
  }

  #heldHere(): ReadonlySet<string> {
    return new Set(this.#held.keys());
  }

  /** The stack of the watched manifests, before the table knows it: whoever watches them takes it, and no other can see it. */
  #ownNew(): readonly Stack[] {
    const { only } = this.#options;
    const stack = this.#tools.source?.stack;
    if (!stack || this.#surroundings.stacks.has(stackName(stack))) return [];
    return only && stackName(only) !== stackName(stack) ? [] : [stack];
  }

  #noteReplicas(): void {
    const { count } = this.#surroundings;
    if (count !== this.#replicas) this.#options.onReplicas?.(count);
    this.#replicas = count;
  }

  #passNewsOn(): void {
    for (const [name, { worker }] of this.#held) {
      const mark = this.#surroundings.marks.get(name);
      // A stack that has no revision yet has no mark: its first may be waiting for an approval.
      if (mark === undefined || mark !== this.#told.get(name)) worker.newsCame();
      this.#told.set(name, mark);
    }
  }

  /** Takes what is its own to hold, and hands over what is another's. */
  #share(stop: AbortSignal): void {
    const { id } = this.#options;
    const { stacks, replicas } = this.#surroundings;
    const assigned = assignment([...stacks.keys()], replicas, this.#holders());
    const own = [...stacks.values()].filter((stack) => assigned.get(stackName(stack)) === id);
    const mine = new Map([...own, ...this.#ownNew()].map((stack) => [stackName(stack), stack]));
    for (const [name, { stop: end }] of this.#held) {
      if (!mine.has(name)) end.abort(new Error(stacks.has(name) ? "another replica is to hold it" : "the stack was deleted"));
    }
    for (const [name, stack] of mine) if (!this.#held.has(name) && !this.#taking.has(name)) this.#take(stack, stop);
  }

  /** Who holds each stack. Of what it holds itself, it need not ask the table. */
  #holders(): ReadonlyMap<string, string> {
    const { id } = this.#options;
    const others = [...this.#surroundings.stacks.keys()].flatMap((name) => {
      const sight = this.#surroundings.lease(name)?.sight;
      return sight?.replica !== undefined && !sight.free ? [[name, sight.replica] as const] : [];
    });
    const own = [...this.#held.keys(), ...this.#taking.keys()].map((name) => [name, id] as const);
    return new Map([...others, ...own]);
  }

  #take(stack: Stack, stop: AbortSignal): void {
    const name = stackName(stack);
    const lease = this.#surroundings.lease(name);
    if (lease && !lease.sight.free && stillMs(lease.pulse) < lease.sight.ttlMs) return;
    const taking = this.#acquire(stack, lease, stop).finally(() => this.#taking.delete(name));
    this.#taking.set(name, taking);
  }

  async #acquire(stack: Stack, watched: WatchedLease | undefined, stop: AbortSignal): Promise<void> {
    const { store, holder, runtime, tell } = this.#tools;
    const startedMs = runtime.monotonic();
    // What comes after this is news to the worker.
    const mark = this.#surroundings.marks.get(stackName(stack));
    let lease: Lease;
    try {
      // Whoever asked for it has it first.
      if (this.#yields.isOn(stack, (await store.news(stack)).requests)) return;
      const base = { holder, wait: false, controller: true, replica: this.#options.id, signal: stop } as const;
      lease = await store.acquire(stack, watched ? { ...base, watched: { ...watched.sight, ...watched.pulse } } : base);
    } catch {
      return; // Another was faster, or the table did not answer: the next round sees how it stands.
    }
    tell({ type: "leaseTaken", stack, epoch: lease.epoch, waitedMs: Math.round(runtime.monotonic() - startedMs) });
    this.#told.set(stackName(stack), mark);
    this.#begin(stack, lease, stop);
  }

  #begin(stack: Stack, lease: Lease, stop: AbortSignal): void {
    const worker = new StackWorker(stack, lease, { tools: this.#tools, yields: this.#yields });
    const end = new AbortController();
    if (stop.aborted) end.abort(stop.reason);
    const done = worker.run(end.signal).finally(() => this.#held.delete(stackName(stack)));
    this.#held.set(stackName(stack), { worker, stop: end, done });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
