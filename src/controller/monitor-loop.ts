/**
 * The Monitors of a held stack, each checked on its interval.
 *
 * Every Monitor has a loop of its own: look, judge, tell, sleep. One that hangs holds up no other, and is never checked twice at
 * once. Whoever runs the stack hands in the Monitors anew with each revision; what did not change goes on as if nothing had
 * happened. Standings are this process's own: who takes a stack over counts, and tells, anew.
 */

import { jittered } from "../aws/runtime.ts";
import type { CompiledMonitor, View } from "../core/compiled.ts";
import { equal, type JsonObject } from "../core/json.ts";
import { type ResourceKey, type Stack, splitKey } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";
import type { Tools } from "../monitor/check.ts";
import { scheduleOf } from "../monitor/monitor.ts";
import { type MonitorResult, runMonitor, unknownResult } from "../monitor/run.ts";
import { FIRST_STANDING, kept, nextStanding, type Standing, type Telling } from "../monitor/standing.ts";
import type { ControllerEvent, Listener } from "./events.ts";
import type { MonitorSnapshot } from "./snapshot.ts";

/** What a stack's Monitors are checked with. */
export type MonitorLoopOptions = {
  readonly stack: Stack;
  readonly tools: Tools;
  readonly runtime: Runtime;
  readonly listener: Listener;
  /** Ends every check at once; nothing is told afterwards. */
  readonly signal: AbortSignal;
};

/** The resources that Monitors name, as they are at present. Asked by those alone that need it; may reject. */
export type Present = () => Promise<View>;

// Names and ARNs of resources hardly ever change, and checks ask AWS by them: two looks a minute serve any number of Monitors.
const LOOK_FRESH_MS = 30_000;

const NOTHING: View = () => undefined;

type Watched = {
  monitor: CompiledMonitor;
  readonly stop: AbortController;
  standing: Standing;
  result?: MonitorResult;
  /** ISO 8601. */
  checkedAt?: string;
};

/** See the file's header. */
export class MonitorLoop {
  readonly #options: MonitorLoopOptions;
  readonly #watched = new Map<ResourceKey, Watched>();
  #present: Present = async () => NOTHING;
  #look: { readonly view: Promise<View>; readonly atMs: number } | undefined;

  constructor(options: MonitorLoopOptions) {
    this.#options = options;
  }

  /** These from now on: new and changed ones are checked at once, unchanged ones when their time comes, others never again. */
  watch(monitors: readonly CompiledMonitor[], present: Present): void {
    this.#present = present;
    this.#look = undefined;
    const keys = new Set(monitors.map(({ key }) => key));
    for (const [key, { stop }] of this.#watched) {
      if (keys.has(key)) continue;
      stop.abort();
      this.#watched.delete(key);
    }
    for (const monitor of monitors) this.#watchOne(monitor);
  }

  /** How each stands. */
  snapshot(): readonly MonitorSnapshot[] {
    return [...this.#watched.values()].map(({ monitor, standing, result, checkedAt }) => ({
      monitor: splitKey(monitor.key).name,
      check: monitor.check,
      subject: result?.subject ?? "",
      state: result?.state ?? "unknown",
      seen: result?.seen ?? "not checked yet",
      wanted: result?.wanted ?? "",
      failing: standing.alerted,
      ...(checkedAt === undefined ? {} : { checkedAt }),
    }));
  }

  #watchOne(monitor: CompiledMonitor): void {
    const before = this.#watched.get(monitor.key);
    if (before && equal(before.monitor.spec, monitor.spec)) {
      before.monitor = monitor;
      return;
    }
    before?.stop.abort();
    const watched: Watched = { monitor, stop: new AbortController(), standing: kept(before?.standing ?? FIRST_STANDING) };
    this.#watched.set(monitor.key, watched);
    void this.#run(watched);
  }

  async #run(watched: Watched): Promise<void> {
    const { runtime } = this.#options;
    const signal = AbortSignal.any([watched.stop.signal, this.#options.signal]);
    while (!signal.aborted) {
      const startedMs = runtime.monotonic();
      const spec = await this.#check(watched, signal);
      const { intervalMs } = scheduleOf(spec);
      const everyMs = jittered(runtime, intervalMs);
      // Rejects when it is over, which the loop's own condition sees.
      await runtime.sleep(Math.max(0, startedMs + everyMs - runtime.monotonic()), signal).catch(() => {});
    }
  }

  /** Checks it once and tells what follows. Resolves to its spec, as far as it could be resolved. */
  async #check(watched: Watched, signal: AbortSignal): Promise<JsonObject> {
    const { key, needs, spec, resolve } = watched.monitor;
    try {
      const resolved = resolve(needs.length === 0 ? NOTHING : await this.#view());
      this.#take(watched, await runMonitor(key, resolved, this.#options.tools, this.#until(signal)), signal);
      return resolved;
    } catch (error) {
      // Whatever it is, a bug among them: one Monitor that cannot be checked ends neither the others nor the controller.
      this.#take(watched, unknownResult(key, spec, error instanceof Error ? error.message : String(error)), signal);
      return spec;
    }
  }

  /** One look for all that come within a moment of each other; a look that failed is not kept. */
  #view(): Promise<View> {
    const nowMs = this.#options.runtime.monotonic();
    if (this.#look && nowMs - this.#look.atMs < LOOK_FRESH_MS) return this.#look.view;
    const look = { view: this.#present(), atMs: nowMs };
    this.#look = look;
    look.view.catch(() => {
      if (this.#look === look) this.#look = undefined;
    });
    return look.view;
  }

  #take(watched: Watched, result: MonitorResult, signal: AbortSignal): void {
    if (signal.aborted) return;
    const { runtime, stack, listener } = this.#options;
    const { failureThreshold } = scheduleOf(watched.monitor.spec);
    const { standing, tell } = nextStanding(watched.standing, { state: result.state, atMs: runtime.monotonic() }, failureThreshold);
    Object.assign(watched, { standing, result, checkedAt: new Date(runtime.now()).toISOString() } satisfies Partial<Watched>);
    if (tell) listener(eventOf(tell, stack, result));
  }

  /** The runtime, with sleeps that end with the signal: retries and timeouts of a check that is over are not waited for. */
  #until(signal: AbortSignal): Runtime {
    const { runtime } = this.#options;
    return {
      now: () => runtime.now(),
      monotonic: () => runtime.monotonic(),
      uid: () => runtime.uid(),
      sleep: (ms, own) => runtime.sleep(ms, own ? AbortSignal.any([own, signal]) : signal),
    };
  }
}

function eventOf(tell: Telling, stack: Stack, { key, subject, seen, wanted }: MonitorResult): ControllerEvent {
  const { name: monitor } = splitKey(key);
  switch (tell.type) {
    case "alert":
      return { type: "monitorFailed", stack, monitor, subject, message: `${seen}, wanted ${wanted}` };
    case "recovery":
      return { type: "monitorRecovered", stack, monitor, subject, afterMs: tell.afterMs };
  }
}
