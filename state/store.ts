/** BEACON's memory over a table: reading without a lease, writing with one. See docs/architecture.md, "State". */

import type { LeaseView, StackEvent } from "../src/core/record.ts";
import type { ResourceKey, Stack } from "../src/core/resource.ts";
import type { AcquireOptions, Lease, Runtime, StackState, StateStore } from "../src/core/store.ts";
import { takeLease } from "./acquire.ts";
import { HeldLease } from "./held-lease.ts";
import { eventOf, eventsPartition, type LeaseItem, leaseKey, leaseView, STACKS_PARTITION, stackPartition, stateOf } from "./items.ts";
import { explained, isTableMissing, passes, patiently } from "./patience.ts";
import { ConditionFailed, type Item, type QueryOptions, type Table } from "./table.ts";

/** How long a heartbeat must stay still before its lease may be taken. */
const TTL_MS = 15_000;

/** How this process holds its leases. */
export type StoreOptions = {
  /** What its own leases ask for. Default: 15 s. */
  readonly ttlMs?: number;
  /** How long a commit waits for others, to share one transaction. Default: not at all. */
  readonly gatherMs?: number;
};

/** The store over `table`. */
export class TableStore implements StateStore {
  readonly #table: Table;
  readonly #runtime: Runtime;
  readonly #ttlMs: number;
  readonly #gatherMs: number;

  constructor(table: Table, runtime: Runtime, options: StoreOptions = {}) {
    this.#table = table;
    this.#runtime = runtime;
    this.#ttlMs = options.ttlMs ?? TTL_MS;
    this.#gatherMs = options.gatherMs ?? 0;
  }

  async load(stack: Stack): Promise<StackState> {
    return stateOf(await this.#query(stackPartition(stack)));
  }

  async events(stack: Stack, options: { resource?: ResourceKey; after?: string; limit?: number } = {}): Promise<readonly StackEvent[]> {
    const { resource, after, limit } = options;
    // Sort keys go on after the time, so "~" skips every event of that very moment.
    const query: QueryOptions = { newestFirst: true, ...(after ? { after: `${after}~` } : {}), ...(limit && !resource ? { limit } : {}) };
    const events = (await this.#query(eventsPartition(stack), query)).map(eventOf);
    return events
      .filter((event) => !resource || event.resource === resource)
      .slice(0, limit)
      .reverse();
  }

  async stacks(): Promise<readonly Stack[]> {
    const items = await this.#query(STACKS_PARTITION);
    return items.map(({ sk }) => {
      const slash = sk.indexOf("/");
      return { project: sk.slice(0, slash), environment: sk.slice(slash + 1) };
    });
  }

  async acquire(stack: Stack, options: AcquireOptions): Promise<Lease> {
    try {
      const taken = await takeLease(this.#table, this.#runtime, stack, { ...options, ttlMs: this.#ttlMs });
      return new HeldLease(this.#table, this.#runtime, stack, { ...taken, gatherMs: this.#gatherMs });
    } catch (error) {
      throw explained(error);
    }
  }

  async unlock(stack: Stack): Promise<LeaseView | undefined> {
    let freed: LeaseView | undefined;
    while (true) {
      const seen = (await this.#orMissing(() => this.#table.get(leaseKey(stack)))) as LeaseItem | undefined;
      if (!seen || seen.free) return freed;
      freed = leaseView(seen);
      try {
        const { owner, epoch, heartbeat } = seen;
        await this.#table.write([
          { put: { ...seen, owner: this.#runtime.uid(), epoch: epoch + 1, free: true }, when: [{ owner, epoch, heartbeat }] },
        ]);
        return freed;
      } catch (error) {
        // The holder renewed meanwhile, or there was no answer: the next look says.
        if (!(error instanceof ConditionFailed) && !passes(error)) throw explained(error);
        await this.#runtime.sleep(this.#ttlMs / 100);
      }
    }
  }

  /** A missing table holds nothing. */
  async #query(pk: string, options: QueryOptions = {}): Promise<readonly Item[]> {
    try {
      return await patiently(this.#runtime, () => this.#table.query(pk, options));
    } catch (error) {
      if (isTableMissing(error)) return [];
      throw explained(error);
    }
  }

  async #orMissing<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#runtime, operation);
    } catch (error) {
      throw explained(error);
    }
  }
}
