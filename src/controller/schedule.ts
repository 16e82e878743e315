/**
 * When what is looked at: the keys of a stack, put into the queue and taken out.
 *
 * A look lists whole kinds, so all resources of a kind are rescheduled together. None is looked at more often than its interval
 * says, nor so often that the reads of its kind would take more than their share of what AWS allows.
 */

import type { CallCount } from "../aws/calls.ts";
import { bucketsOf } from "../aws/limits.ts";
import { jittered } from "../aws/runtime.ts";
import type { KindId, ResourceKey } from "../core/resource.ts";
import { readOperationsOf } from "../kind/operations.ts";
import type { Holding } from "./holding.ts";
import type { Passed } from "./pass.ts";
import { retryMs, type Tools } from "./tools.ts";
import type { Due, WorkQueue } from "./work-queue.ts";

/** `*`: the whole stack. */
export type WorkKey = ResourceKey | "*";

type Keys = ReadonlyMap<ResourceKey, KindId>;
/** What there is to look at, and the kinds that this pass has looked at. */
type Looked = { readonly keys: Keys; readonly kinds: ReadonlySet<KindId> };

/** See the file's header. */
export class Schedule {
  readonly #queue: WorkQueue<WorkKey>;
  readonly #tools: Tools;
  readonly #unread = new Map<KindId, number>();
  /** When the last look began, ISO 8601. */
  #begunAt = "";
  /** What one look took of each read operation, as it was last measured. */
  readonly #reads = new Map<string, number>();

  constructor(queue: WorkQueue<WorkKey>, tools: Tools) {
    this.#queue = queue;
    this.#tools = tools;
  }

  /** The kinds that are to be listed for what is due, taken out of the queue: what is noticed from now on comes after the look. */
  take(holding: Holding, due: ReadonlyMap<WorkKey, Due>): ReadonlySet<KindId> {
    const keys = keysOf(holding);
    const kinds = kindsOf(holding, keys, due);
    this.#begunAt = holding.now();
    for (const [key, kind] of keys) if (kinds.has(kind)) this.#queue.drop(key);
    return kinds;
  }

  /** Everything is due again in its time. */
  passed(holding: Holding, kinds: ReadonlySet<KindId>, passed: Passed): void {
    const { runtime, pace } = this.#tools;
    for (const { operation, calls } of passed.reads) this.#reads.set(operation, calls);
    const keys = keysOf(holding);
    for (const [key, intervalMs] of this.#intervals(holding, keys)) {
      if (this.#queue.dueMs(key) === undefined) this.#queue.add(key, jittered(runtime, intervalMs), "interval");
    }
    for (const key of passed.acted) this.#queue.add(key, pace.verifyMs, "verify");
    for (const { key, outcome } of passed.results) {
      if (outcome !== "done" && outcome !== "failed") this.#queue.add(key, pace.retryMinMs, "retry");
    }
    for (const [key, { untilMs, terminal }] of holding.setbacks) {
      if (!terminal) this.#queue.add(key, Math.max(0, untilMs - runtime.monotonic()), "retry");
    }
    this.#noteUnread(holding, { keys, kinds }, passed);
    this.#noteChecks(holding, { keys, kinds });
  }

  #intervals({ compiled, tools }: Holding, keys: Keys): ReadonlyMap<ResourceKey, number> {
    const ownMs = compiled?.environment.drift.intervalMs ?? tools.pace.intervalMs;
    const lifecycles = new Map((compiled?.resources ?? []).map(({ key, lifecycle }) => [key, lifecycle]));
    const leastMs = new Map([...new Set(keys.values())].map((kind) => [kind, this.#leastMs(kind)]));
    return new Map([...keys].map(([key, kind]) => [key, Math.max(lifecycles.get(key)?.driftIntervalMs ?? ownMs, leastMs.get(kind) ?? 0)]));
  }

  /** How far apart two looks at a kind must be at least, for each of its reads to keep to its share. */
  #leastMs(id: KindId): number {
    const kind = this.#tools.kinds.get(id);
    const needs = (kind ? readOperationsOf(kind) : []).map((operation) => {
      const perSecond = Math.min(...bucketsOf(operation).map(({ limit }) => limit.refillPerSecond));
      return ((this.#reads.get(operation) ?? 0) / (perSecond * this.#tools.pace.rateShare)) * 1000;
    });
    return Math.max(0, ...needs);
  }

  /** A kind that AWS does not let be read is asked for again, less and less often; the others go on. */
  #noteUnread(holding: Holding, { keys, kinds }: Looked, { unread }: Passed): void {
    for (const kind of kinds) if (!unread.has(kind)) this.#unread.delete(kind);
    for (const [kind, { message }] of unread) {
      const failures = (this.#unread.get(kind) ?? 0) + 1;
      this.#unread.set(kind, failures);
      const retryInMs = Math.round(retryMs(this.#tools, failures));
      this.#tools.tell({ type: "passFailed", stack: holding.stack, message, retryInMs });
      const [key] = [...keys].find(([, id]) => id === kind) ?? [];
      if (key) this.#queue.add(key, retryInMs, "retry");
    }
  }

  #noteChecks(holding: Holding, { keys, kinds }: Looked): void {
    const { runtime } = this.#tools;
    const [nowMs, now] = [runtime.monotonic(), runtime.now()];
    const nexts = new Map<KindId, number>();
    for (const [key, kind] of keys) {
      nexts.set(kind, Math.min(nexts.get(kind) ?? Number.POSITIVE_INFINITY, this.#queue.dueMs(key) ?? Number.POSITIVE_INFINITY));
    }
    for (const kind of holding.checks.keys()) if (!nexts.has(kind)) holding.checks.delete(kind);
    for (const [kind, dueMs] of nexts) {
      if ((!kinds.has(kind) && holding.checks.has(kind)) || this.#unread.has(kind)) continue;
      // What was done while the pass acted, its look has not seen.
      holding.checks.set(kind, { at: this.#begunAt, next: new Date(now + Math.max(0, dueMs - nowMs)).toISOString() });
    }
  }
}

/** Calls of each operation between two counts. */
export function callsBetween(before: readonly CallCount[], after: readonly CallCount[]): readonly CallCount[] {
  const was = new Map(before.map(({ operation, calls }) => [operation, calls]));
  return after.map((count) => ({ ...count, calls: count.calls - (was.get(count.operation) ?? 0) })).filter(({ calls }) => calls > 0);
}

function kindsOf(holding: Holding, known: Keys, due: ReadonlyMap<WorkKey, Due>): ReadonlySet<KindId> {
  const whole = due.get("*")?.triggers;
  const asked = holding.state.requests.filter((request) => request.type === "check").map(({ target }) => target);
  if (whole?.has("start") || whole?.has("retry") || asked.includes("*")) return holding.kindIds();
  const keys = [...due.keys(), ...asked].filter((key) => key !== "*");
  return new Set(keys.flatMap((key) => known.get(key) ?? []));
}

/** Every resource, declared or only recorded, and its kind. */
function keysOf({ compiled, state }: Pick<Holding, "compiled" | "state">): Keys {
  const recorded = [...state.records.values()].map(({ key, kind }) => [key, kind] as const);
  return new Map([...recorded, ...(compiled?.resources ?? []).map(({ key, kind }) => [key, kind] as const)]);
}
