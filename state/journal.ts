/**
 * The serial writer of a lease: waiting records leave together, in transactions that also check and renew the lease.
 *
 * One transaction is under way at a time (two on one lease item would conflict), so whatever is queued meanwhile leaves with
 * the next one. A commit made while others wait costs nothing of its own.
 */

import { BeaconError } from "../src/core/errors.ts";
import type { ResourceRecord, Revision, SourceBundle, StackEvent, StackStatus } from "../src/core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../src/core/resource.ts";
import type { Journal, Runtime } from "../src/core/store.ts";
import {
  eventItem,
  leaseKey,
  recordItem,
  recordKey,
  revisionsPartition,
  revisionWrites,
  STACKS_PARTITION,
  sourcesPartition,
  stackPartition,
  statusItem,
} from "./items.ts";
import { patiently } from "./patience.ts";
import { ConditionFailed, itemBytes, type Table, WRITE_BYTES_MAX, WRITES_MAX, type Write } from "./table.ts";

/** How a transaction leaves the lease: free for the next holder, or gone with the stack. */
export type Ending = "free" | "remove";

/** What the journal needs of its lease. */
export type Renewer = {
  readonly epoch: number;
  /** Runs tasks one after the other. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
  /** Sends the writes with a renewal, in one transaction. To be called from within {@link exclusive}. */
  renew(writes: readonly Write[], ending?: Ending): Promise<void>;
};

/** See the file's header. */
export class TableJournal implements Journal {
  readonly #table: Table;
  readonly #runtime: Runtime;
  readonly #stack: Stack;
  readonly #lease: Renewer;
  readonly #gatherMs: number;
  readonly #queue = new Map<string, Write>();
  #events = 0;
  #forgotten = false;

  /** `gatherMs`: how long a commit waits for others that come with it. */
  constructor(table: Table, runtime: Runtime, stack: Stack, { lease, gatherMs }: { lease: Renewer; gatherMs: number }) {
    this.#table = table;
    this.#runtime = runtime;
    this.#stack = stack;
    this.#lease = lease;
    this.#gatherMs = gatherMs;
  }

  /** True while something is queued that is not durable. */
  get waiting(): boolean {
    return this.#queue.size > 0;
  }

  put(record: ResourceRecord): void {
    this.#add({ put: recordItem(this.#stack, record, this.#lease.epoch) });
  }

  remove(key: ResourceKey): void {
    this.#add({ remove: recordKey(this.#stack, key) });
  }

  event(event: StackEvent): void {
    this.#add({ put: eventItem(this.#stack, event, this.#lease.epoch, this.#events++) });
  }

  status(status: StackStatus): void {
    this.#add({ put: statusItem(this.#stack, status, this.#lease.epoch) });
  }

  /** Renews the lease, with whatever is queued. To be called from within `exclusive`. */
  async beat(): Promise<void> {
    if (this.waiting) await this.#flush();
    else await this.#lease.renew([]);
  }

  commit(): Promise<void> {
    return this.#lease.exclusive(async () => {
      if (this.waiting && this.#gatherMs > 0) await this.#runtime.sleep(this.#gatherMs);
      await this.#flush();
    });
  }

  putRevision(revision: Revision, source?: SourceBundle): Promise<void> {
    return this.#lease.exclusive(async () => {
      await this.#flush();
      try {
        await this.#lease.renew(revisionWrites(this.#stack, { revision, source, mark: this.#runtime.uid() }));
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        const message = `${stackName(this.#stack)} got another revision ${revision.number} meanwhile`;
        throw new BeaconError("StateConflict", message, { next: "run the command again; nothing was lost", cause: error });
      }
    });
  }

  forget(): Promise<void> {
    return this.#lease.exclusive(async () => {
      this.#forgotten = true;
      await this.#flush();
      const lease = leaseKey(this.#stack);
      for (const partition of [stackPartition(this.#stack), revisionsPartition(this.#stack), sourcesPartition(this.#stack)]) {
        const items = await patiently(this.#runtime, () => this.#table.query(partition));
        for (const { pk, sk } of items) if (sk !== lease.sk) this.#add({ remove: { pk, sk } });
      }
      this.#add({ remove: { pk: STACKS_PARTITION, sk: stackName(this.#stack) } });
      await this.#flush();
    });
  }

  /** Sends what is queued, and gives the lease up with the last transaction. */
  close(): Promise<void> {
    return this.#lease.exclusive(() => this.#flush(this.#forgotten ? "remove" : "free"));
  }

  #add(write: Write): void {
    const { pk, sk } = "put" in write ? write.put : write.remove;
    this.#queue.set(`${pk} ${sk}`, write);
  }

  async #flush(ending?: Ending): Promise<void> {
    while (this.#queue.size > 0 || ending) {
      const batch = this.#take();
      const last = this.#queue.size === 0 ? ending : undefined;
      try {
        await this.#lease.renew(
          batch.map(([, write]) => write),
          last,
        );
      } catch (error) {
        for (const [key, write] of batch) if (!this.#queue.has(key)) this.#queue.set(key, write);
        throw error;
      }
      if (last) return;
    }
  }

  /** Takes as much from the queue as fits into one transaction beside the lease item. */
  #take(): [string, Write][] {
    const batch: [string, Write][] = [];
    let bytes = 0;
    for (const [key, write] of this.#queue) {
      bytes += "put" in write ? itemBytes(write.put) : key.length;
      if (batch.length === WRITES_MAX - 1 || (batch.length > 0 && bytes > WRITE_BYTES_MAX)) break;
      batch.push([key, write]);
      this.#queue.delete(key);
    }
    return batch;
  }
}
