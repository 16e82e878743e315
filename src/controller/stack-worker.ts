/**
 * The worker of one stack, for as long as this process holds its lease: waits for work, makes passes, one at a time.
 *
 * Triggers (a timer, news in the state table, an AWS event, a file) only put keys into the queue. A pass that fails is made
 * again after a while, longer each time; a lease that is lost ends the worker at once.
 */

import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { equal, type Json } from "../core/json.ts";
import { type Stack, stackName } from "../core/resource.ts";
import type { Lease } from "../core/store.ts";
import { Deposed, presentView } from "../engine/engine.ts";
import { bringIntoForce, considerSource, heedApproval, needsPerson, withdraw } from "./acceptance.ts";
import { noteResumed } from "./bookkeeping.ts";
import type { Trigger } from "./events.ts";
import { Holding } from "./holding.ts";
import { MonitorLoop } from "./monitor-loop.ts";
import { News } from "./news.ts";
import { type InTime, NOTHING_PASSED, type Passed, pass } from "./pass.ts";
import { report, reportFailure } from "./reporting.ts";
import { Schedule, type WorkKey } from "./schedule.ts";
import type { MonitorSnapshot } from "./snapshot.ts";
import { retryMs, type SourceState, type Tools } from "./tools.ts";
import { type Due, WorkQueue } from "./work-queue.ts";
import type { Yields } from "./yields.ts";

/** Why a worker ended. */
export type Ending = "stopped" | "lost" | "yielded" | "gone";

// Keys that are due within a tenth of their interval are looked at together: one list of a kind serves them all.
const AHEAD_SHARE = 0.1;
// Long enough for most of what AWS does at once, and short enough for a drift to be put right in seconds.
const UNDISTURBED_MS = 4000;
const URGENT: ReadonlySet<Trigger> = new Set(["event", "request", "revision"]);

/** See the file's header. */
export class StackWorker {
  readonly stack: Stack;
  readonly lease: Lease;
  readonly queue: WorkQueue<WorkKey>;
  readonly #tools: Tools;
  readonly #yields: Yields;
  readonly #schedule: Schedule;
  readonly #news: News;
  readonly #end = new AbortController();
  #holding: Holding | undefined;
  #failures = 0;
  #yielded = false;
  #monitors: MonitorLoop | undefined;
  #monitored: CompiledStack | undefined;
  #gone = false;
  #roleArn: string | undefined;
  #leftBehind = false;
  #stalled: string | undefined;
  #sourceProblem: string | undefined;
  #revisionAtMs = 0;
  #undisturbedMs = UNDISTURBED_MS;

  /** `yields`: the replica's, which has seen what was asked before. */
  constructor(stack: Stack, lease: Lease, { tools, yields }: { readonly tools: Tools; readonly yields: Yields }) {
    this.stack = stack;
    this.lease = lease;
    this.#tools = tools;
    this.#yields = yields;
    this.queue = new WorkQueue(tools.runtime);
    this.#schedule = new Schedule(this.queue, tools);
    this.#news = new News(stack, tools, { known: () => this.#holding?.state, heard: (trigger) => this.notice(["*"], trigger) });
  }

  /** What it holds; undefined until the state is loaded. */
  get holding(): Holding | undefined {
    return this.#holding;
  }

  /** How the stack's Monitors stand. */
  get monitors(): readonly MonitorSnapshot[] {
    return this.#monitors?.snapshot() ?? [];
  }

  /** Something may have changed about these: they are looked at next. */
  notice(keys: Iterable<WorkKey>, trigger: Trigger): void {
    for (const key of keys) this.queue.add(key, 0, trigger);
  }

  /** Revisions or requests may have come: they are read. */
  newsCame(): void {
    this.#news.came();
  }

  /** Works until it is told to stop, the lease is lost, or somebody asks for it; gives the lease up then. Never rejects. */
  async run(stop: AbortSignal): Promise<Ending> {
    const { tell } = this.#tools;
    const signal = AbortSignal.any([stop, this.lease.signal, this.#end.signal]);
    const unwatch = this.#tools.source?.onChange(() => this.notice(["*"], "revision"));
    this.notice(["*"], "start");
    const news = this.#news.watch(signal);
    while (!signal.aborted) await this.#turn(signal);
    await news;
    unwatch?.();
    const lost = this.lease.signal.aborted;
    if (this.#leftBehind) await this.#askForLook();
    await this.lease.release().catch(() => {});
    tell(lost ? { type: "leaseLost", stack: this.stack, why: reasonOf(this.lease.signal) } : { type: "leaseReleased", stack: this.stack });
    return lost ? "lost" : this.#gone ? "gone" : this.#yielded ? "yielded" : "stopped";
  }

  async #askForLook(): Promise<void> {
    const { store, holder, runtime } = this.#tools;
    const at = new Date(runtime.now()).toISOString();
    // Where the table cannot be reached, the next holder's own first look is all there is.
    await store.ask(this.stack, { type: "check", target: "*", by: holder, at }).catch(() => {});
  }

  /** One pass, once something is due. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { runtime, pace, tell } = this.#tools;
    let due: ReadonlyMap<WorkKey, Due>;
    try {
      due = await this.queue.take(signal, pace.intervalMs * AHEAD_SHARE);
    } catch {
      return; // Told to stop.
    }
    const startedMs = runtime.monotonic();
    const triggers = [...new Set([...due.values()].flatMap((entry) => [...entry.triggers]))];
    try {
      const { looked, acted, results } = await this.#work(due, signal);
      this.#failures = 0;
      if (this.#stalled !== undefined) tell({ type: "recovered", stack: this.stack, message: "passes go through again" });
      this.#stalled = undefined;
      const outcome = results.some((result) => result.outcome === "failed") ? "failed" : acted.length > 0 ? "acted" : "quiet";
      tell({
        type: "passEnded",
        stack: this.stack,
        triggers,
        elapsedMs: runtime.monotonic() - startedMs,
        looked,
        acted: acted.length,
        outcome,
      });
    } catch (error) {
      this.#failed(error, due, signal);
    }
  }

  #failed(error: unknown, due: ReadonlyMap<WorkKey, Due>, signal: AbortSignal): void {
    // Calls that were on their way may take effect amid the next holder's work: it shall look at everything.
    if (error instanceof Deposed && error.touched.length > 0) this.#leftBehind = true;
    if (signal.aborted) return;
    if (!(error instanceof Error)) throw error;
    const { tell } = this.#tools;
    const retryInMs = Math.round(retryMs(this.#tools, this.#failures++));
    const message = error instanceof BeaconError ? error.message : `${error.name}: ${error.message}`;
    tell({ type: "passFailed", stack: this.stack, message, retryInMs });
    if (needsPerson(error) && this.#stalled !== message) tell({ type: "stalled", stack: this.stack, reason: error.code, message });
    this.#stalled = message;
    if (this.#holding) reportFailure(this.#holding, message);
    for (const key of due.keys()) this.queue.add(key, retryInMs, "retry");
    this.queue.add("*", retryInMs, "retry");
  }

  async #work(due: ReadonlyMap<WorkKey, Due>, signal: AbortSignal): Promise<Passed> {
    const holding = await this.#held();
    this.#takeNews(holding);
    if (this.#heedYield(holding)) return NOTHING_PASSED;
    noteResumed(holding);
    const { revision: before } = holding;
    this.#sourceProblem = await considerSource(holding, this.#source());
    if (holding.revision?.number !== before?.number) this.#revisionAtMs = this.#tools.runtime.monotonic();
    await bringIntoForce(holding, this.#source());
    this.#reportBegun(holding);
    const kinds = this.#schedule.take(holding, due);
    const inTime: InTime = (act) => this.#inTime(signal, act);
    let passed = await pass(holding, kinds, inTime);
    if (await heedApproval(holding)) passed = await pass(holding, new Set(), inTime);
    this.#schedule.passed(holding, kinds, passed);
    await this.#endRequests(holding);
    this.#report(holding);
    this.#watchMonitors(holding);
    return passed;
  }

  #report(holding: Holding): void {
    report(holding, { source: this.#source(), sourceProblem: this.#sourceProblem, revisionAtMs: this.#revisionAtMs });
  }

  /** A revision that is new may take its time: that it is worked on is said before it is done. */
  #reportBegun(holding: Holding): void {
    const { revision, converged, status } = holding;
    if (revision && converged < revision.number && status?.revision !== revision.number) this.#report(holding);
  }

  /**
   * Acting that waits for AWS is broken off when something else comes up, after a while, or its time is over: it goes on in the
   * next pass. One that was broken off is left undisturbed for twice as long, or steady events would never let it come to its end.
   */
  async #inTime<Report>(signal: AbortSignal, act: (until: AbortSignal) => Promise<Report>): Promise<Report> {
    const { runtime, settings } = this.#tools;
    const [hurry, over] = [new AbortController(), new AbortController()];
    const waiting = AbortSignal.any([signal, over.signal]);
    const urgent = runtime.sleep(this.#undisturbedMs, waiting).then(() => this.queue.whenDue(URGENT, waiting));
    // The executor keeps to its time by itself; what a throttled call waits for it does not see.
    const late = runtime.sleep(settings.timeoutMs + UNDISTURBED_MS, waiting);
    Promise.race([urgent, late]).then(
      () => hurry.abort(new Error("something else is to be done")),
      () => {},
    );
    try {
      return await act(AbortSignal.any([signal, hurry.signal]));
    } finally {
      over.abort();
      this.#undisturbedMs = hurry.signal.aborted ? Math.min(2 * this.#undisturbedMs, settings.timeoutMs) : UNDISTURBED_MS;
    }
  }

  /** The Monitors of the manifests in force, once these change, and once there is something to check. */
  #watchMonitors({ compiled, context, converged }: Holding): void {
    if (!compiled || compiled === this.#monitored || converged === 0) return;
    this.#monitored = compiled;
    const needs = [...new Set(compiled.monitors.flatMap((monitor) => monitor.needs))];
    this.#monitors?.watch(compiled.monitors, () => presentView(context, compiled, needs));
  }

  #source(): SourceState | undefined {
    return this.#tools.source?.current(this.stack);
  }

  async #held(): Promise<Holding> {
    if (this.#holding) return this.#holding;
    const { store, open } = this.#tools;
    const state = await store.load(this.stack);
    const watched = this.#source();
    const environment = watched?.ok ? watched.compiled.environment : undefined;
    const way = await open(state.revision ?? environment ?? {});
    this.#roleArn = state.revision?.roleArn;
    this.#revisionAtMs = this.#tools.runtime.monotonic();
    this.#holding = new Holding({ stack: this.stack, lease: this.lease, tools: this.#tools, way, state });
    // What the last holder asked for is still asked for, and not told anew; a proposal, only where its manifests are watched.
    const awaiting = state.status?.awaiting;
    if (awaiting?.what !== "revision" || this.#source()) this.#holding.awaiting = awaiting;
    const { stack, lease } = this;
    const { runtime, tell } = this.#tools;
    const signal = AbortSignal.any([lease.signal, this.#end.signal]);
    this.#monitors = new MonitorLoop({ stack, runtime, signal, listener: tell, tools: { reader: way.reader, fetch } });
    return this.#holding;
  }

  /** Revisions and requests that came since: those are all that others write while the lease is held. */
  #takeNews(holding: Holding): void {
    const news = this.#news.take();
    if (!news) return;
    // Taken again, it is reached with the new one's rights.
    if (news.revision && news.revision.roleArn !== this.#roleArn) this.#end.abort(new Error("another role is to be used"));
    this.#gone = holding.revision !== undefined && news.revision === undefined;
    if (this.#gone) this.#end.abort(new Error("the stack was deleted"));
    const isNewer = !equal(news.revision as unknown as Json, holding.revision as unknown as Json);
    if (isNewer && news.revision) this.#revisionAtMs = this.#tools.runtime.monotonic();
    for (const request of news.requests) {
      if (request.type === "check" && request.cause && request.target !== "*")
        this.#tools.hearsay.told(stackName(this.stack), request.target, request.cause);
    }
    holding.state = { ...holding.state, requests: news.requests, ...(news.revision ? { revision: news.revision } : {}) };
    if (isNewer) {
      holding.plan = undefined;
      holding.setbacks.clear();
    }
    if (holding.world) {
      const pins = news.revision?.pins ?? holding.world.pins;
      holding.world = { ...holding.world, state: holding.state, pins };
    }
  }

  #heedYield({ state }: Holding): boolean {
    this.#yielded = this.#yields.isOn(this.stack, state.requests);
    if (this.#yielded) this.#end.abort(new Error("somebody asked for the stack"));
    return this.#yielded;
  }

  /** A check was made; a pause is over when its time is. */
  async #endRequests(holding: Holding): Promise<void> {
    const { runtime } = this.#tools;
    const checks = holding.state.requests.filter((request) => request.type === "check");
    // Those that came after the look began are not among them.
    await withdraw(holding, checks);
    const pauses = holding.state.requests.filter((request) => request.type === "pause");
    const over = pauses.filter(({ until }) => Date.parse(until) <= runtime.now());
    for (const { target } of over) this.#tools.tell({ type: "resumed", stack: this.stack, target });
    await withdraw(holding, over);
    for (const { until } of pauses) this.queue.add("*", Math.max(0, Date.parse(until) - runtime.now()), "request");
  }
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : "it passed to another";
}
