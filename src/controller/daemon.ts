/** The daemon: a controller with everything around it, from the first look to the last lease given up. */

import type { CallCount } from "../aws/calls.ts";
import type { Caller } from "../aws/handle.ts";
import type { Log } from "../core/log.ts";
import type { Stack } from "../core/resource.ts";
import type { Runtime, StateStore } from "../core/store.ts";
import type { Settings } from "../engine/types.ts";
import { EventQueue } from "../events/queue.ts";
import { TrailLookup } from "../events/trail.ts";
import type { Kinds } from "../kind/kind.ts";
import { Controller } from "./controller.ts";
import type { Listener } from "./events.ts";
import { Router } from "./router.ts";
import type { ControllerView } from "./snapshot.ts";
import type { SourceWatch } from "./source-watch.ts";
import type { Pace, StackWay, Whose } from "./tools.ts";
import { viewOf } from "./view.ts";
import { Hearsay } from "./witness.ts";

/** Everything that a daemon is made of. */
export type DaemonOptions = {
  /** Unique among the replicas of a table. */
  readonly id: string;
  readonly version: string;
  /** Who holds the leases, for people. */
  readonly holder: string;
  readonly kinds: Kinds;
  readonly store: StateStore;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly pace: Pace;
  readonly ttlMs: number;
  readonly open: (whose: Whose) => Promise<Omit<StackWay, "trail">>;
  readonly calls: () => readonly CallCount[];
  readonly shareWith: (count: number) => void;
  /** Only this stack. */
  readonly only?: Stack;
  readonly source?: SourceWatch;
  /** AWS's events; absent: by the interval alone. */
  readonly events?: { readonly caller: Caller; readonly queue: string };
  readonly log: Log;
};

/** See the file's header. */
export class Daemon {
  readonly view: ControllerView;
  readonly #options: DaemonOptions;
  readonly #controller: Controller;
  readonly #hearsay: Hearsay;
  readonly #listeners = new Set<Listener>();

  constructor(options: DaemonOptions) {
    const { kinds, store, runtime, settings, pace, holder, source, id, ttlMs, only, shareWith, version, calls } = options;
    this.#options = options;
    this.#hearsay = new Hearsay(runtime);
    const tell: Listener = (event) => {
      for (const listener of this.#listeners) listener(event);
    };
    const tools = {
      kinds,
      store,
      runtime,
      settings,
      pace,
      holder,
      tell,
      hearsay: this.#hearsay,
      open: (whose: Whose) => this.#open(whose),
    };
    this.#controller = new Controller(
      { ...tools, ...(source ? { source } : {}) },
      { id, ttlMs, onReplicas: shareWith, ...(only ? { only } : {}) },
    );
    const startedAt = new Date(runtime.now()).toISOString();
    this.view = viewOf(this.#controller, { id, version, startedAt, ttlMs, store, calls });
  }

  /** Tells it, too, of everything that happens from now on. */
  listen(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** Works until it is told to stop. Rejects only where it could not even begin. */
  async run(stop: AbortSignal): Promise<void> {
    const { source } = this.#options;
    // Where the controller cannot begin, nothing else goes on.
    const end = new AbortController();
    const signal = AbortSignal.any([stop, end.signal]);
    const controller = this.#controller.run(signal).finally(() => end.abort());
    await Promise.all([controller, source?.run(signal), this.#followEvents(signal)]);
  }

  async #open(whose: Whose): Promise<StackWay> {
    const way = await this.#options.open(whose);
    return { ...way, trail: new TrailLookup({ reader: way.reader, region: way.region, runtime: this.#options.runtime }) };
  }

  async #followEvents(stop: AbortSignal): Promise<void> {
    const { events, store, kinds, runtime, holder, log } = this.#options;
    if (!events) return;
    const router = new Router({ controller: this.#controller, store, kinds, runtime, hearsay: this.#hearsay, holder });
    const queue = new EventQueue({
      ...events,
      runtime,
      onTrouble: ({ failures, error }) => {
        const why = error instanceof Error ? error.message : undefined;
        if (failures === 1)
          log("warn", "AWS events cannot be read; drift is found by the interval meanwhile", { queue: events.queue, error: why });
        if (failures === 0) log("info", "AWS events are read again", { queue: events.queue });
      },
      onMalformed: (count) => log("warn", "messages that are no AWS events were dropped", { count }),
    });
    await queue.run((received) => router.take(received), stop);
  }
}
