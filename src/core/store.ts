/**
 * The store port: what the engine asks of BEACON's memory.
 *
 * Reading and writing are separate types, so that a command that must not write cannot: `diff` holds a
 * {@link StateReader}. Writing needs a {@link Lease}.
 */

import type { LeaseView, ResourceRecord, Revision, StackEvent } from "./record.ts";
import type { ResourceKey, Stack } from "./resource.ts";

/** Everything known of a stack at one moment, from one query. */
export type StackState = {
  readonly records: ReadonlyMap<ResourceKey, ResourceRecord>;
  /** The newest revision; absent before the first apply and when the state was lost. */
  readonly revision?: Revision;
  readonly lease?: LeaseView;
};

/** Looks, and cannot write. */
export interface StateReader {
  /** Strongly consistent. A missing table reads as an empty state (`diff` works before bootstrap). */
  load(stack: Stack): Promise<StackState>;
  /** Newest last. `after`: ISO time. */
  events(stack: Stack, options?: { resource?: ResourceKey; after?: string; limit?: number }): Promise<readonly StackEvent[]>;
  /** Every stack the table knows. */
  stacks(): Promise<readonly Stack[]>;
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
  /** Writes a new revision (number = previous + 1) or this one's outputs. Throws `StateConflict` when it moved meanwhile. */
  putRevision(revision: Revision): Promise<void>;
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
  /** Called about once a second while a heartbeat is watched or a holder waited for. */
  readonly onWatch?: (view: LeaseView, secondsLeft: number) => void;
  readonly signal?: AbortSignal;
};

/** A store that can also write. */
export interface StateStore extends StateReader {
  /** Throws `LeaseHeld` when the holder's heartbeat moves and `wait` is false; takes the lease over when it stays still for one TTL. */
  acquire(stack: Stack, options: AcquireOptions): Promise<Lease>;
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
