/**
 * Where an event goes: to the worker of the stack that it concerns, wherever that is held.
 *
 * Replicas share one queue, so an event may reach any of them. What is held here is noticed at once; of what is not, the records
 * are read, seldom, to see whom it concerns, and the holder is asked through the state table to look.
 */

import type { Attribution, ResourceRecord } from "../core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../core/resource.ts";
import type { Runtime, StateStore } from "../core/store.ts";
import { toldBy } from "../events/attribution.ts";
import type { ApiEvent } from "../events/event.ts";
import { keysOf } from "../events/mapping.ts";
import type { Kinds } from "../kind/kind.ts";
import type { Controller } from "./controller.ts";
import type { Hearsay } from "./witness.ts";

/** What it works with. */
export type RouterOptions = {
  readonly controller: Controller;
  readonly store: StateStore;
  readonly kinds: Kinds;
  readonly runtime: Runtime;
  readonly hearsay: Hearsay;
  readonly holder: string;
};

// Ids and names of another's resources hardly ever change: an event that is missed for that is found by the interval.
const RECORDS_FRESH_MS = 60_000;

type Records = ReadonlyMap<ResourceKey, ResourceRecord>;

/** See the file's header. */
export class Router {
  readonly #options: RouterOptions;
  readonly #foreign = new Map<string, { readonly records: Promise<Records>; readonly atMs: number }>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Hands the events on. Rejects where the state table does not answer: they come again. */
  async take(events: readonly ApiEvent[]): Promise<void> {
    const { controller, kinds, hearsay } = this.#options;
    const others = events.filter(({ own }) => !own);
    hearsay.heard(others);
    const workers = controller.workers;
    for (const worker of workers.values()) {
      const records = worker.holding?.state.records;
      if (!records) continue; // It has not looked yet, and will look at everything.
      const hits = others.flatMap((event) => keysOf(event, { kinds, records }));
      worker.notice(new Set(hits.map(({ key }) => key)), "event");
    }
    const elsewhere = controller.stacks.filter((stack) => !workers.has(stackName(stack)));
    for (const stack of elsewhere) await this.#passOn(stack, others);
  }

  async #passOn(stack: Stack, events: readonly ApiEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { kinds, store, holder, runtime } = this.#options;
    const records = await this.#recordsOf(stack);
    const causes = new Map<ResourceKey, Attribution>();
    for (const event of events) {
      for (const { key, by } of keysOf(event, { kinds, records })) if (by !== "kind" || !causes.has(key)) causes.set(key, toldBy(event));
    }
    const at = new Date(runtime.now()).toISOString();
    for (const [target, cause] of causes) await store.ask(stack, { type: "check", target, by: holder, at, cause });
  }

  async #recordsOf(stack: Stack): Promise<Records> {
    const { store, runtime } = this.#options;
    const name = stackName(stack);
    const known = this.#foreign.get(name);
    if (known && runtime.monotonic() - known.atMs < RECORDS_FRESH_MS) return known.records;
    const records = store.load(stack).then((state) => state.records);
    this.#foreign.set(name, { records, atMs: runtime.monotonic() });
    records.catch(() => this.#foreign.delete(name));
    return records;
  }
}
