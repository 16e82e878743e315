/** BEACON's memory over a table: reading without a lease, writing with one. See docs/architecture.md, "State". */

import { BeaconError } from "../src/core/errors.ts";
import { type LeaseView, type Revision, type SourceBundle, STATE_FORMAT, type StackEvent, type StackRequest } from "../src/core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../src/core/resource.ts";
import type {
  AcquireOptions,
  Lease,
  LeaseSight,
  Member,
  Reach,
  Runtime,
  StackMark,
  StackNews,
  StackState,
  StateStore,
} from "../src/core/store.ts";
import { takeLease } from "./acquire.ts";
import { HeldLease } from "./held-lease.ts";
import {
  eventOf,
  eventsPartition,
  type LeaseItem,
  leaseKey,
  leaseSight,
  leaseView,
  MEMBERS_PARTITION,
  memberItem,
  memberOf,
  NEWS_AFTER,
  newsOf,
  pastRevision,
  requestItem,
  requestKey,
  revisionsPartition,
  revisionWrites,
  STACKS_PARTITION,
  sourceKey,
  sourceOf,
  sourcesPartition,
  stackItem,
  stackMark,
  stackPartition,
  stateOf,
} from "./items.ts";
import { explained, isTableMissing, passes, patiently } from "./patience.ts";
import { ConditionFailed, type Item, KEYS_MAX, type QueryOptions, type Table, type Write } from "./table.ts";

/** How long a heartbeat must stay still before its lease may be taken. */
export const TTL_MS = 15_000;

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
    return (await this.marks()).map(({ stack }) => stack);
  }

  async marks(): Promise<readonly StackMark[]> {
    return (await this.#query(STACKS_PARTITION)).map(stackMark);
  }

  async news(stack: Stack): Promise<StackNews> {
    return newsOf(await this.#query(stackPartition(stack), { after: NEWS_AFTER }));
  }

  async history(stack: Stack, { limit }: { limit?: number } = {}): Promise<readonly Revision[]> {
    const items = await this.#query(revisionsPartition(stack), { newestFirst: true, ...(limit === undefined ? {} : { limit }) });
    return items.map(pastRevision);
  }

  async source(stack: Stack, number: number): Promise<SourceBundle | undefined> {
    const pk = sourcesPartition(stack);
    const first = await this.#orMissing(() => this.#table.get({ pk, sk: sourceKey(number, 0) }));
    const keys = Array.from({ length: Number(first?.chunks ?? 0) }, (_, n) => ({ pk, sk: sourceKey(number, n) }));
    if (!first || keys.length === 1) return sourceOf(first ? [first] : []);
    const items = await this.#orMissing(() => this.#table.getMany(keys));
    return sourceOf(items.toSorted((left, right) => (left.sk < right.sk ? -1 : 1)));
  }

  async leases(stacks: readonly Stack[]): Promise<ReadonlyMap<string, LeaseSight>> {
    const names = new Map(stacks.map((stack) => [stackPartition(stack), stackName(stack)]));
    const keys = stacks.map(leaseKey);
    const batches = Array.from({ length: Math.ceil(keys.length / KEYS_MAX) }, (_, n) => keys.slice(n * KEYS_MAX, (n + 1) * KEYS_MAX));
    const found = await Promise.all(batches.map((batch) => this.#orMissing(() => this.#table.getMany(batch))));
    return new Map(found.flat().map((item) => [names.get(item.pk) as string, leaseSight(item)]));
  }

  async members(): Promise<readonly Member[]> {
    return (await this.#query(MEMBERS_PARTITION)).map(memberOf);
  }

  async beat(id: string, beat: number | undefined, reach: Reach = {}): Promise<void> {
    const write: Write =
      beat === undefined ? { remove: { pk: MEMBERS_PARTITION, sk: id } } : { put: memberItem({ id, beat, ...reach }, this.#runtime.now()) };
    await this.#orMissing(() => this.#table.write([write]));
  }

  async accept(stack: Stack, revision: Revision, source: SourceBundle | undefined): Promise<void> {
    try {
      const writes = revisionWrites(stack, { revision, source, mark: this.#runtime.uid() });
      await patiently(this.#runtime, () => this.#table.write(writes));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw explained(error);
      const message = `${stackName(stack)} got another revision ${revision.number} meanwhile`;
      throw new BeaconError("StateConflict", message, { next: "run the command again; nothing was lost", cause: error });
    }
  }

  async ask(stack: Stack, request: StackRequest): Promise<void> {
    await this.#withMark(stack, { put: requestItem(stack, request) });
  }

  async withdraw(stack: Stack, requests: readonly StackRequest[]): Promise<void> {
    for (const request of requests) {
      try {
        // One that was asked anew meanwhile stays.
        await this.#withMark(stack, { remove: requestKey(stack, request), when: [{ at: request.at }, "absent"] });
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
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

  /** Makes news of the write, where the stack is one that the table knows. */
  async #withMark(stack: Stack, write: Write): Promise<void> {
    const mark: Write = { put: stackItem(stack, this.#runtime.uid()), when: [{ format: STATE_FORMAT }] };
    try {
      await this.#orMissing(() => this.#table.write([write, mark]));
    } catch (error) {
      if (!(error instanceof ConditionFailed && error.failed.includes(1))) throw error;
      await this.#orMissing(() => this.#table.write([write]));
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
