/**
 * A lease that is held: its heartbeat, its deadline, and the transactions that renew it.
 *
 * The heartbeat is a counter in the lease item. Each renewal raises it by one and requires owner and counter to be as this
 * process left them, so that renewals take effect in order and once: one that comes late, or again, is refused by the table.
 * When the answer to a renewal is lost, the lease item says whether it took effect.
 *
 * The deadline is judged on this process's own monotonic clock, from the moment the last effective renewal was *sent*: another
 * process begins to watch at that moment at the earliest, and waits a whole TTL. The margin keeps the deadline before that,
 * for clocks of different speed and for the way from the check to the wire. Once passed, a deadline is never taken back.
 */

import type { AwsError } from "../src/aws/errors.ts";
import { BeaconError } from "../src/core/errors.ts";
import { type Stack, stackName } from "../src/core/resource.ts";
import type { Lease, Runtime } from "../src/core/store.ts";
import { type LeaseItem, leaseKey } from "./items.ts";
import { type Ending, type Renewer, TableJournal } from "./journal.ts";
import { explained, passes, pause } from "./patience.ts";
import { ConditionFailed, type Table, type Write } from "./table.ts";

// Three beats fit into a TTL: two may be lost before the deadline.
const BEATS_PER_TTL = 3;
// An eighth of the TTL, almost 2 s of 15: clocks differ by far less than 1 percent, and a stalled process by more than any margin.
const MARGIN = 1 / 8;

/** What an acquire got: the item as written, and when that was sent. */
export type Taken = { readonly item: LeaseItem; readonly sentMs: number };

type Renewal = { readonly next: LeaseItem; readonly writes: readonly Write[]; readonly token: string; readonly ending: Ending | undefined };

/** See the file's header. */
export class HeldLease implements Lease, Renewer {
  readonly holder: string;
  readonly epoch: number;
  readonly journal: TableJournal;
  readonly #table: Table;
  readonly #runtime: Runtime;
  readonly #stack: Stack;
  readonly #control = new AbortController();
  readonly #stop = new AbortController();
  #item: LeaseItem;
  #sentMs: number;
  #renewals = 0;
  #failure: BeaconError | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;

  constructor(table: Table, runtime: Runtime, stack: Stack, { item, sentMs, gatherMs }: Taken & { readonly gatherMs: number }) {
    this.#table = table;
    this.#runtime = runtime;
    this.#stack = stack;
    this.#item = item;
    this.#sentMs = sentMs;
    this.holder = item.holder;
    this.epoch = item.epoch;
    this.journal = new TableJournal(table, runtime, stack, { lease: this, gatherMs });
    void this.#beat();
    void this.#watchDeadline();
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  assertHeld(): void {
    if (this.#runtime.monotonic() >= this.#deadlineMs()) this.#end(this.#lost("its deadline passed without a renewal"));
    this.#control.signal.throwIfAborted();
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  async renew(writes: readonly Write[], ending?: Ending): Promise<void> {
    const renewal = this.#renewal(writes, ending);
    let sentMs = this.#runtime.monotonic();
    let unanswered: AwsError | undefined;
    for (let attempt = 0; ; attempt++) {
      if (this.#failure) throw this.#failure;
      // Of several sends, the one that took effect may be the first that had no answer.
      if (unanswered?.verdict !== "ambiguous") sentMs = this.#runtime.monotonic();
      try {
        if (await this.#send(renewal)) return this.#renewed(renewal.next, sentMs);
      } catch (error) {
        if (!passes(error)) throw this.#refused(error);
        if (unanswered?.verdict !== "ambiguous") unanswered = error;
      }
      if (this.#runtime.monotonic() >= this.#deadlineMs())
        throw this.#fail(this.#lost("the state table did not answer in time", unanswered));
      await pause(this.#runtime, attempt);
    }
  }

  #deadlineMs(): number {
    return this.#sentMs + this.#item.ttlMs * (1 - MARGIN);
  }

  #renewal(writes: readonly Write[], ending: Ending | undefined): Renewal {
    this.#renewals += 1;
    const renewedAt = new Date(this.#runtime.now()).toISOString();
    const next = { ...this.#item, heartbeat: this.#item.heartbeat + 1, renewedAt, free: ending === "free" };
    // DynamoDB's limit is 36 characters: an owner has 26.
    return { next, writes, ending, token: `${this.#item.owner}-${this.#renewals.toString(36)}` };
  }

  /** True when the renewal took effect, now or by an earlier send. */
  async #send({ next, writes, ending, token }: Renewal): Promise<boolean> {
    const { owner, epoch, heartbeat } = this.#item;
    const when = [{ owner, epoch, heartbeat }];
    const lease: Write = ending === "remove" ? { remove: leaseKey(this.#stack), when } : { put: next, when };
    try {
      await this.#table.write([lease, ...writes], token);
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || !error.failed.includes(0)) throw error;
    }
    return this.#landed(next, ending);
  }

  /** Asks the lease item, after the table refused a renewal, whether an earlier send of it took effect. */
  async #landed(next: LeaseItem, ending: Ending | undefined): Promise<boolean> {
    const stored = (await this.#table.get(leaseKey(this.#stack))) as LeaseItem | undefined;
    if (!stored && ending === "remove") return true;
    // Only this renewal can have moved the heartbeat since the one before it: those come one after the other.
    if (stored?.owner === next.owner) return true;
    throw this.#fail(
      this.#lost(stored?.free === false ? `it passed to ${stored.holder} at ${stored.since}` : "it was freed by somebody else"),
    );
  }

  #renewed(next: LeaseItem, sentMs: number): void {
    this.#item = next;
    this.#sentMs = sentMs;
  }

  /** A failure that sending again would not change: the lease cannot be kept, unless only the caller's own requirement failed. */
  #refused(error: unknown): unknown {
    if (error instanceof ConditionFailed || error === this.#failure) return error;
    const known = explained(error);
    return this.#fail(known instanceof BeaconError ? known : this.#lost("it could not be renewed", error));
  }

  #fail(error: BeaconError): BeaconError {
    this.#failure ??= error;
    this.#end(error);
    return error;
  }

  #end(reason: BeaconError): void {
    if (!this.#control.signal.aborted) this.#control.abort(reason);
    this.#stop.abort();
  }

  #lost(why: string, cause?: unknown): BeaconError {
    return new BeaconError("LeaseLost", `${stackName(this.#stack)}: the lease is lost: ${why}`, {
      next: "run the command again: what was done is found, and nothing is done twice",
      cause,
    });
  }

  async #release(): Promise<void> {
    try {
      await this.journal.close();
    } catch (error) {
      // A lease that is lost needs no giving up; records that did not get out are the caller's business.
      if (this.journal.waiting) throw error;
    } finally {
      this.#end(this.#lost("it was given up"));
    }
  }

  /** Renews while nothing else does, until the lease ends. */
  async #beat(): Promise<void> {
    const everyMs = this.#item.ttlMs / BEATS_PER_TTL;
    const dueMs = (): number => this.#sentMs + everyMs - this.#runtime.monotonic();
    while (!this.#stop.signal.aborted) {
      await this.#pauseUntilStopped(dueMs());
      await this.exclusive(async () => {
        if (dueMs() <= 0 && !this.#stop.signal.aborted && !this.#released) await this.journal.beat();
      }).catch(() => {});
      if (this.#released) return;
    }
  }

  async #watchDeadline(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#pauseUntilStopped(this.#deadlineMs() - this.#runtime.monotonic());
      if (this.#runtime.monotonic() >= this.#deadlineMs()) this.#end(this.#lost("its deadline passed without a renewal"));
    }
  }

  async #pauseUntilStopped(ms: number): Promise<void> {
    if (ms > 0) await this.#runtime.sleep(ms, this.#stop.signal).catch(() => {});
  }
}
