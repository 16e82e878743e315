/**
 * The worker of one stack, for as long as this process holds its lease: waits for work, makes passes, one at a time.
 *
 * Triggers (a timer, news in the state table, an AWS event, a file) only put keys into the queue. A pass that fails is made
 * again after a while, longer each time; a lease that is lost ends the worker at once.
 */

import { backoffMs } from "../aws/runtime.ts";
import { BeaconError } from "../core/errors.ts";
import { equal, type Json } from "../core/json.ts";
import type { StackRequest } from "../core/record.ts";
import type { KindId, ResourceKey, Stack } from "../core/resource.ts";
import type { Lease, StackNews } from "../core/store.ts";
import { bringIntoForce, considerSource, heedApproval, needsPerson, withdraw } from "./acceptance.ts";
import type { Trigger } from "./events.ts";
import { Holding } from "./holding.ts";
import { type Passed, pass } from "./pass.ts";
import { statusOf } from "./standing.ts";
import type { SourceState, Tools } from "./tools.ts";
import { type Due, WorkQueue } from "./work-queue.ts";

/** `*`: the whole stack. */
type WorkKey = ResourceKey | "*";

/** Why a worker ended. */
export type Ending = "stopped" | "lost" | "yielded" | "gone";

// Keys that are due within a tenth of their interval are looked at together: one list of a kind serves them all.
const AHEAD_SHARE = 0.1;
// Twenty resources that were looked at together must not all be due in the same millisecond for ever.
const JITTER = 0.05;

/** See the file's header. */
export class StackWorker {
  readonly stack: Stack;
  readonly lease: Lease;
  readonly queue: WorkQueue<WorkKey>;
  readonly #tools: Tools;
  readonly #end = new AbortController();
  #holding: Holding | undefined;
  #news: StackNews | undefined;
  #failures = 0;
  #yielded = false;
  #gone = false;
  #stalled: string | undefined;
  #sourceProblem: string | undefined;
  #converged = 0;
  #revisionAtMs = 0;

  constructor(stack: Stack, lease: Lease, tools: Tools) {
    this.stack = stack;
    this.lease = lease;
    this.#tools = tools;
    this.queue = new WorkQueue(tools.runtime);
  }

  /** What it holds; undefined until the state is loaded. */
  get holding(): Holding | undefined {
    return this.#holding;
  }

  /** Something may have changed about these: they are looked at next. */
  notice(keys: Iterable<WorkKey>, trigger: Trigger): void {
    for (const key of keys) this.queue.add(key, 0, trigger);
  }

  /** Works until it is told to stop, the lease is lost, or somebody asks for it; gives the lease up then. Never rejects. */
  async run(stop: AbortSignal): Promise<Ending> {
    const { tell } = this.#tools;
    const signal = AbortSignal.any([stop, this.lease.signal, this.#end.signal]);
    const unwatch = this.#tools.source?.onChange(() => this.notice(["*"], "revision"));
    this.notice(["*"], "start");
    const news = this.#watchNews(signal);
    while (!signal.aborted) await this.#turn(signal);
    await news;
    unwatch?.();
    const lost = this.lease.signal.aborted;
    await this.lease.release().catch(() => {});
    tell(lost ? { type: "leaseLost", stack: this.stack, why: reasonOf(this.lease.signal) } : { type: "leaseReleased", stack: this.stack });
    return lost ? "lost" : this.#gone ? "gone" : this.#yielded ? "yielded" : "stopped";
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
    if (signal.aborted) return;
    if (!(error instanceof Error)) throw error;
    const { runtime, pace, tell } = this.#tools;
    const retryInMs = Math.round(pace.retryMinMs + backoffMs(runtime, this.#failures++, pace.retryMinMs, pace.retryMaxMs));
    const message = error instanceof BeaconError ? error.message : `${error.name}: ${error.message}`;
    tell({ type: "passFailed", stack: this.stack, message, retryInMs });
    if (needsPerson(error) && this.#stalled !== message) tell({ type: "stalled", stack: this.stack, reason: error.code, message });
    this.#stalled = message;
    this.#noteFailure(message);
    for (const key of due.keys()) this.queue.add(key, retryInMs, "retry");
    this.queue.add("*", retryInMs, "retry");
  }

  async #work(due: ReadonlyMap<WorkKey, Due>, signal: AbortSignal): Promise<Passed> {
    const holding = await this.#held();
    this.#takeNews(holding);
    if (await this.#heedYield(holding)) return { looked: 0, acted: [], results: [] };
    this.#sourceProblem = await considerSource(holding, this.#source());
    await bringIntoForce(holding, this.#source());
    const kinds = this.#kindsOf(holding, due);
    this.#reschedule(holding, kinds);
    let passed = await pass(holding, kinds, signal);
    if (await heedApproval(holding)) passed = await pass(holding, new Set(), signal);
    this.#afterPass(holding, kinds, passed);
    await this.#heedRequests(holding, due);
    this.#note(holding);
    return passed;
  }

  #source(): SourceState | undefined {
    return this.#tools.source?.current(this.stack);
  }

  async #held(): Promise<Holding> {
    if (this.#holding) return this.#holding;
    const { store, open } = this.#tools;
    const state = await store.load(this.stack);
    const way = await open(state.revision?.roleArn);
    this.#holding = new Holding({ stack: this.stack, lease: this.lease, tools: this.#tools, way, state });
    this.#converged = state.status?.converged ?? 0;
    return this.#holding;
  }

  /** Revisions and requests that came since: those are all that others write while the lease is held. */
  #takeNews(holding: Holding): void {
    const news = this.#news;
    this.#news = undefined;
    if (!news) return;
    this.#gone = holding.revision !== undefined && news.revision === undefined;
    if (this.#gone) this.#end.abort(new Error("the stack was deleted"));
    const isNewer = !equal(news.revision as unknown as Json, holding.revision as unknown as Json);
    if (isNewer && news.revision) this.#revisionAtMs = this.#tools.runtime.monotonic();
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

  async #heedYield({ state }: Holding): Promise<boolean> {
    this.#yielded = isYielded(state.requests, this.#tools.runtime.now());
    if (this.#yielded) this.#end.abort(new Error("somebody asked for the stack"));
    return this.#yielded;
  }

  #kindsOf(holding: Holding, due: ReadonlyMap<WorkKey, Due>): ReadonlySet<KindId> {
    const whole = due.get("*")?.triggers;
    const asked = holding.state.requests.filter((request) => request.type === "check").map(({ target }) => target);
    if (whole?.has("start") || whole?.has("retry") || asked.includes("*")) return holding.kindIds();
    const keys = [...due.keys(), ...asked].filter((key) => key !== "*");
    return new Set(keys.flatMap((key) => holding.kindOf(key) ?? []));
  }

  // Before the look, so that what is noticed during it stays in the queue.
  #reschedule(holding: Holding, kinds: ReadonlySet<KindId>): void {
    for (const [key, kind] of this.#keys(holding)) if (kinds.has(kind)) this.queue.drop(key);
  }

  #keys({ compiled, state }: Holding): ReadonlyMap<ResourceKey, KindId> {
    const recorded = [...state.records.values()].map(({ key, kind }) => [key, kind] as const);
    return new Map([...recorded, ...(compiled?.resources ?? []).map(({ key, kind }) => [key, kind] as const)]);
  }

  #afterPass(holding: Holding, looked: ReadonlySet<KindId>, { acted, results }: Passed): void {
    const { runtime, pace } = this.#tools;
    const intervals = this.#intervals(holding);
    for (const key of this.#keys(holding).keys()) {
      if (this.queue.dueMs(key) === undefined)
        this.queue.add(key, jittered(runtime.uid(), intervals.get(key) ?? pace.intervalMs), "interval");
    }
    for (const key of acted) this.queue.add(key, pace.verifyMs, "verify");
    for (const { key, outcome } of results)
      if (outcome === "waiting" || outcome === "skipped") this.queue.add(key, pace.retryMinMs, "retry");
    for (const [key, { untilMs, terminal }] of holding.setbacks) {
      if (!terminal) this.queue.add(key, Math.max(0, untilMs - runtime.monotonic()), "retry");
    }
    this.#noteChecks(holding, looked);
  }

  #intervals({ compiled }: Holding): ReadonlyMap<ResourceKey, number> {
    const { intervalMs } = this.#tools.pace;
    const own = compiled?.environment.drift.intervalMs ?? intervalMs;
    return new Map((compiled?.resources ?? []).map(({ key, lifecycle }) => [key, lifecycle.driftIntervalMs ?? own]));
  }

  #noteChecks(holding: Holding, looked: ReadonlySet<KindId>): void {
    const { runtime } = this.#tools;
    const [nowMs, now] = [runtime.monotonic(), runtime.now()];
    const nexts = new Map<KindId, number>();
    for (const [key, kind] of this.#keys(holding)) {
      nexts.set(kind, Math.min(nexts.get(kind) ?? Number.POSITIVE_INFINITY, this.queue.dueMs(key) ?? Number.POSITIVE_INFINITY));
    }
    for (const [kind, dueMs] of nexts) {
      const known = holding.checks.get(kind);
      if (!looked.has(kind) && known) continue;
      const next = new Date(now + Math.max(0, dueMs - nowMs)).toISOString();
      holding.checks.set(kind, { at: holding.now(), next });
    }
  }

  /** A check was made; a pause is over when its time is. */
  async #heedRequests(holding: Holding, due: ReadonlyMap<WorkKey, Due>): Promise<void> {
    const { runtime } = this.#tools;
    const checks = holding.state.requests.filter((request) => request.type === "check");
    for (const { target } of checks) {
      if (target === "*") holding.setbacks.clear();
      else holding.setbacks.delete(target);
    }
    // A check that came after the look began stays for the next one.
    await withdraw(holding, due.get("*")?.triggers.has("request") ? checks : []);
    const pauses = holding.state.requests.filter((request) => request.type === "pause");
    const over = pauses.filter(({ until }) => Date.parse(until) <= runtime.now());
    for (const { target } of over) this.#tools.tell({ type: "resumed", stack: this.stack, target });
    await withdraw(holding, over);
    for (const { until } of pauses) this.queue.add("*", Math.max(0, Date.parse(until) - runtime.now()), "request");
  }

  /** The stack's status, for everybody who has no lease. */
  #note(holding: Holding): void {
    const { revision, state, results, judgement, awaiting } = holding;
    if (!revision) return;
    this.#noteConverged(holding);
    const source = this.#source();
    const hold = state.requests.find((request) => request.type === "hold");
    const status = statusOf({
      ...{ revision: revision.number, converged: this.#converged, records: state.records, results },
      ...(judgement ? { judgement } : {}),
      ...(awaiting ? { awaiting } : {}),
      pauses: holding.pauses(),
      ...(this.#sourceProblem === undefined ? {} : { sourceProblem: this.#sourceProblem }),
      ...(source === undefined ? {} : { sourceDigest: source.digest }),
      ...(hold ? { held: `the watched manifests are held: ${hold.reason}` } : {}),
      checks: Object.fromEntries(holding.checks),
      now: holding.now(),
    });
    holding.status = status;
    this.lease.journal.status(status);
  }

  #noteFailure(message: string): void {
    const { revision, status } = this.#holding ?? {};
    if (!revision || !this.#holding) return;
    const empty = statusOf({
      ...{ revision: revision.number, converged: this.#converged, records: this.#holding.state.records, results: [], pauses: [] },
      ...{ checks: status?.checks ?? {}, now: this.#holding.now() },
    });
    this.lease.journal.status({
      ...(status ?? empty),
      revision: revision.number,
      phase: "Stalled",
      message,
      updatedAt: this.#holding.now(),
    });
  }

  #noteConverged(holding: Holding): void {
    const { revision, judgement, results } = holding;
    if (!revision || !judgement || this.#converged >= revision.number) return;
    const isLeft =
      judgement.massMissing ||
      results.length > 0 ||
      judgement.act.some(({ key }) => !judgement.drift.has(key) && holding.setbacks.has(key));
    const isStalled = [...judgement.stalls.keys()].some((key) => !judgement.drift.has(key));
    if (isLeft || isStalled) return;
    this.#converged = revision.number;
    const { runtime, tell } = this.#tools;
    tell({ type: "revisionConverged", stack: this.stack, revision: revision.number, elapsedMs: runtime.monotonic() - this.#revisionAtMs });
    holding.event({ type: "RevisionConverged", message: `revision ${revision.number} is brought about` });
    // Who waits for it should not wait for the next heartbeat.
    void this.lease.journal.commit().catch(() => {});
  }

  /** Asks the state table for revisions and requests, until it is told to stop. */
  async #watchNews(signal: AbortSignal): Promise<void> {
    const { store, runtime, pace, tell } = this.#tools;
    while (!signal.aborted) {
      try {
        const news = await store.news(this.stack);
        const known = this.#news ?? this.#holding?.state;
        if (known && !equal(relevant(news), relevant(known))) {
          this.#news = news;
          this.notice(["*"], equal(known.revision as unknown as Json, news.revision as unknown as Json) ? "request" : "revision");
        }
      } catch (error) {
        tell({ type: "passFailed", stack: this.stack, message: `the state table: ${(error as Error).message}`, retryInMs: pace.newsMs });
      }
      await runtime.sleep(pace.newsMs, signal).catch(() => {});
    }
  }
}

/** Somebody asked to have the stack for a while. */
export function isYielded(requests: readonly StackRequest[], now: number): boolean {
  return requests.some((request) => request.type === "yield" && Date.parse(request.until) > now);
}

function relevant({ revision, requests }: StackNews): Json {
  return { revision, requests } as unknown as Json;
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : "it passed to another";
}

/** The interval, up to 5 percent shorter or longer; the chance comes from the runtime's ids. */
function jittered(uid: string, intervalMs: number): number {
  const fraction = Number.parseInt(uid.slice(-4), 36) / 36 ** 4;
  return intervalMs * (1 + JITTER * (2 * fraction - 1));
}
