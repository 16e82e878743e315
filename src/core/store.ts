/**
 * The store port: what the engine asks of BEACON's memory.
 *
 * Reading and writing are separate types, so that a command that must not write cannot: `diff` holds a
 * {@link StateReader}. Writing needs a {@link Lease}.
 */

import type { LeaseView, ResourceRecord, Revision, SourceBundle, StackEvent, StackRequest, StackStatus } from "./record.ts";
import type { ResourceKey, Stack } from "./resource.ts";

/** Everything known of a stack at one moment, from one query. */
export type StackState = {
  readonly records: ReadonlyMap<ResourceKey, ResourceRecord>;
  /** The newest revision; absent before the first apply and when the state was lost. */
  readonly revision?: Revision;
  readonly lease?: LeaseView;
  readonly requests: readonly StackRequest[];
  /** Absent where no controller ever held the stack. */
  readonly status?: StackStatus;
};

/** What moves without the lease, from one small query. */
export type StackNews = Pick<StackState, "revision" | "requests" | "status">;

/** A lease as one sight of it. `owner` is random and new with each acquire. */
export type LeaseSight = LeaseView & {
  readonly owner: string;
  readonly ttlMs: number;
  readonly free: boolean;
  /** The {@link Member} that holds it, where it is one. */
  readonly replica?: string;
};

/** What a controller may hold, by stack name. `only`: nothing else. `watches`: it reads that stack's manifests. */
export type Reach = { readonly only?: string; readonly watches?: string };

/** A controller that shares the table's stacks. */
export type Member = Reach & { readonly id: string; readonly beat: number };

/** A stack that the table knows. `mark` is another one after each accepted revision, request, and request taken back. */
export type StackMark = { readonly stack: Stack; readonly mark: string };

/** Looks, and cannot write. */
export interface StateReader {
  /** Strongly consistent. A missing table reads as an empty state (`diff` works before bootstrap). */
  load(stack: Stack): Promise<StackState>;
  /** Newest last. `after`: ISO time. */
  events(stack: Stack, options?: { resource?: ResourceKey; after?: string; limit?: number }): Promise<readonly StackEvent[]>;
  /** Every stack the table knows. */
  stacks(): Promise<readonly Stack[]>;
  /** The same, and whether there is news of each; one query for all, cheap enough for every second. */
  marks(): Promise<readonly StackMark[]>;
  /** What moves without the lease. */
  news(stack: Stack): Promise<StackNews>;
  /** Accepted revisions, newest first. */
  history(stack: Stack, options?: { limit?: number }): Promise<readonly Revision[]>;
  /** What a revision was compiled from; undefined where it is not kept (a secret in it, or too old). */
  source(stack: Stack, number: number): Promise<SourceBundle | undefined>;
  /** The leases of these stacks, one call per hundred; a stack without one is left out. */
  leases(stacks: readonly Stack[]): Promise<ReadonlyMap<string, LeaseSight>>;
  /** The controllers that ever said they share this table; whether they live, their beats tell. */
  members(): Promise<readonly Member[]>;
}

/** The one way to change a stack's state: queued, and sent by one serial writer in transactions that check the lease. */
export interface Journal {
  /** Queues the record; of several versions of one record, the last is written. */
  put(record: ResourceRecord): void;
  /** Queues removal of the record. */
  remove(key: ResourceKey): void;
  /** Queues an event. */
  event(event: StackEvent): void;
  /** Resolves when everything queued so far is durable. Throws `LeaseLost` when the stack passed to another holder. */
  commit(): Promise<void>;
  /** Writes a new revision (number = previous + 1) with its source, or this one's outputs. Throws `StateConflict` when it moved meanwhile. */
  putRevision(revision: Revision, source?: SourceBundle): Promise<void>;
  /** Queues how the stack stands; what is queued leaves with the next commit or heartbeat. */
  status(status: StackStatus): void;
  /** Removes every item of the stack but its events, after a complete delete. */
  forget(): Promise<void>;
}

/** The right to change one stack, with a deadline on this process's own monotonic clock. */
export interface Lease {
  readonly holder: string;
  readonly epoch: number;
  /** Throws `LeaseLost` past the deadline. The last thing before every mutating call. */
  assertHeld(): void;
  /** Aborts when the deadline passes without a renewal. Mutating calls end with it. */
  readonly signal: AbortSignal;
  readonly journal: Journal;
  /** Stops the heartbeat, flushes the journal and gives the lease up. Idempotent. */
  release(): Promise<void>;
}

/** How a lease is asked for. */
export type AcquireOptions = {
  /** `ci@build-7 (pid 4121)`. */
  readonly holder: string;
  /** Wait for a live holder instead of refusing. */
  readonly wait: boolean;
  /** A controller asks: others then hand it what they want done. */
  readonly controller?: true;
  /** Which of the controllers that share the table. */
  readonly replica?: string;
  /** A heartbeat that was watched before: since when it has not moved, on the runtime's monotonic clock. */
  readonly watched?: { readonly owner: string; readonly heartbeat: number; readonly sinceMs: number };
  /** Called about once a second while a heartbeat is watched or a holder waited for. */
  readonly onWatch?: (view: LeaseView, secondsLeft: number) => void;
  readonly signal?: AbortSignal;
};

/** A store that can also write. */
export interface StateStore extends StateReader {
  /** Throws `LeaseHeld` when the holder's heartbeat moves and `wait` is false; takes the lease over when it stays still for one TTL. */
  acquire(stack: Stack, options: AcquireOptions): Promise<Lease>;
  /** Accepts a revision without the lease: whoever holds it brings it about. Throws `StateConflict` when another came first. */
  accept(stack: Stack, revision: Revision, source: SourceBundle | undefined): Promise<void>;
  /** Writes a request; one of the same type and target takes the place of an earlier one. */
  ask(stack: Stack, request: StackRequest): Promise<void>;
  /** Takes requests back. */
  withdraw(stack: Stack, requests: readonly StackRequest[]): Promise<void>;
  /** Says that a controller lives, and what it may hold; `undefined` as beat: that it has gone. */
  beat(id: string, beat: number | undefined, reach?: Reach): Promise<void>;
  /** Frees the lease whoever holds it (`beaconctl unlock`). Resolves to the holder that lost it, if any. */
  unlock(stack: Stack): Promise<LeaseView | undefined>;
}

/** Time and chance, handed in so that the simulation can own them. */
export interface Runtime {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A new random id: 26 characters, lower case. */
  uid(): string;
}
