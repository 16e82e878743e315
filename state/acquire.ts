/**
 * Taking a stack's lease.
 *
 * A free lease is taken at once. Of a held one, only the heartbeat counts, watched on one's own monotonic clock: while it
 * moves, its holder lives; when it stays still for a whole TTL, the lease is taken with the next epoch. The times in the item
 * are for people. Every step requires the item it saw, so that of several that try, one succeeds; a try without an answer
 * shows in the next look.
 */

import { BeaconError } from "../src/core/errors.ts";
import { STATE_FORMAT } from "../src/core/record.ts";
import { type Stack, stackName } from "../src/core/resource.ts";
import type { AcquireOptions, Runtime } from "../src/core/store.ts";
import type { Taken } from "./held-lease.ts";
import { assertLease, type LeaseItem, leaseKey, leaseView } from "./items.ts";
import { passes, patiently } from "./patience.ts";
import { ConditionFailed, type Table } from "./table.ts";

// How often a person wants to see a countdown move.
const LOOK_EVERY_MS = 1000;

/** Waits for, watches or takes the lease. Throws `LeaseHeld` when its holder lives and `wait` is false. */
export async function takeLease(table: Table, runtime: Runtime, stack: Stack, options: AcquireOptions & { ttlMs: number }): Promise<Taken> {
  const attempt = new Attempt(table, runtime, stack, options);
  while (true) {
    options.signal?.throwIfAborted();
    const taken = await attempt.step();
    if (taken) return taken;
  }
}

class Attempt {
  readonly #table: Table;
  readonly #runtime: Runtime;
  readonly #stack: Stack;
  readonly #options: AcquireOptions & { ttlMs: number };
  readonly #owner: string;
  /** The heartbeat that is being watched, and since when it has not moved. */
  #watched: { readonly owner: string; readonly heartbeat: number; readonly sinceMs: number } | undefined;
  /** When our last try was sent: one without an answer shows in a later look, and no look before it showed it. */
  #sentMs: number | undefined;

  constructor(table: Table, runtime: Runtime, stack: Stack, options: AcquireOptions & { ttlMs: number }) {
    this.#table = table;
    this.#runtime = runtime;
    this.#stack = stack;
    this.#options = options;
    this.#owner = runtime.uid();
    this.#watched = options.watched;
  }

  /** One look, and what follows from it: a wait, a try, or the lease. */
  async step(): Promise<Taken | undefined> {
    const seen = (await patiently(this.#runtime, () => this.#table.get(leaseKey(this.#stack)))) as LeaseItem | undefined;
    if (seen) assertLease(seen);
    if (seen?.owner === this.#owner && this.#sentMs !== undefined) return { item: seen, sentMs: this.#sentMs };
    if (!seen || seen.free) return this.#try(seen);
    const stillMs = this.#stillMs(seen);
    if (stillMs >= seen.ttlMs) return this.#try(seen);
    await this.#watch(seen, seen.ttlMs - stillMs);
    return undefined;
  }

  /** How long the heartbeat has not moved; throws when it has, unless a live holder is waited for. */
  #stillMs(seen: LeaseItem): number {
    const nowMs = this.#runtime.monotonic();
    const before = this.#watched;
    if (before?.owner === seen.owner && before.heartbeat === seen.heartbeat) return nowMs - before.sinceMs;
    this.#watched = { owner: seen.owner, heartbeat: seen.heartbeat, sinceMs: nowMs };
    if (before && !this.#options.wait) throw held(this.#stack, seen);
    return 0;
  }

  async #watch(seen: LeaseItem, leftMs: number): Promise<void> {
    this.#options.onWatch?.(leaseView(seen), Math.ceil(leftMs / 1000));
    await this.#runtime.sleep(Math.min(LOOK_EVERY_MS, leftMs), this.#options.signal);
  }

  async #try(seen: LeaseItem | undefined): Promise<Taken | undefined> {
    const sentMs = this.#runtime.monotonic();
    const item = this.#next(seen);
    const when = seen ? [{ owner: seen.owner, epoch: seen.epoch, heartbeat: seen.heartbeat }] : (["absent"] as const);
    this.#sentMs = sentMs;
    try {
      await this.#table.write([{ put: item, when }]);
      return { item, sentMs };
    } catch (error) {
      if (error instanceof ConditionFailed) return undefined;
      if (!passes(error)) throw error;
      await this.#runtime.sleep(Math.min(LOOK_EVERY_MS, this.#options.ttlMs / 10), this.#options.signal);
      return undefined;
    }
  }

  #next(seen: LeaseItem | undefined): LeaseItem {
    const now = new Date(this.#runtime.now()).toISOString();
    return {
      ...leaseKey(this.#stack),
      format: STATE_FORMAT,
      owner: this.#owner,
      holder: this.#options.holder,
      epoch: (seen?.epoch ?? 0) + 1,
      heartbeat: 0,
      since: now,
      renewedAt: now,
      ttlMs: this.#options.ttlMs,
      free: false,
      ...(this.#options.controller ? { controller: true } : {}),
      ...(this.#options.replica === undefined ? {} : { replica: this.#options.replica }),
    };
  }
}

function held(stack: Stack, { holder, since }: LeaseItem): BeaconError {
  // The heartbeat moved between two looks, which are a second apart.
  const message = `${stackName(stack)} is being applied by ${holder} since ${since.slice(11, 19)} UTC (heartbeat 1 s ago)`;
  return new BeaconError("LeaseHeld", message, {
    next: `wait for it with --wait; if that process is surely gone: beaconctl unlock --env ${stack.environment}`,
  });
}
