/** What a controller answers to who watches it: a snapshot of itself, and of the stacks that it holds. */

import type { CallCount } from "../aws/calls.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ResourceRecord, StackEvent } from "../core/record.ts";
import { splitKey } from "../core/resource.ts";
import type { StateReader } from "../core/store.ts";
import type { Controller } from "./controller.ts";
import type { ControllerSnapshot, ControllerView, StackSnapshot } from "./snapshot.ts";
import type { StackWorker } from "./stack-worker.ts";

/** What is known from outside of the controller itself. */
export type ViewOptions = {
  readonly id: string;
  readonly version: string;
  readonly startedAt: string;
  readonly ttlMs: number;
  readonly store: StateReader;
  readonly calls: () => readonly CallCount[];
};

const EVENTS_MAX = 200;
// The loop comes round many times in one TTL: when it has not for two, it hangs, or the state table does.
const TTLS_UNTIL_UNHEALTHY = 2;

/** See the file's header. */
export function viewOf(controller: Controller, options: ViewOptions): ControllerView {
  const held = (stack: string) => controller.workers.get(stack)?.holding;
  return {
    snapshot: () => snapshotOf(controller, options),
    resources: (stack) => {
      const holding = held(stack);
      return holding && [...holding.state.records.values()].map((record) => resourceOf(record, holding.checks));
    },
    resource: (stack, key) => {
      const holding = held(stack);
      const record = holding?.state.records.get(key);
      return holding && record && resourceOf(record, holding.checks);
    },
    events: (stack): Promise<readonly StackEvent[]> => {
      const worker = controller.workers.get(stack);
      return worker ? options.store.events(worker.stack, { limit: EVENTS_MAX }) : Promise.resolve([]);
    },
    plan: (stack) => held(stack)?.plan as Json | undefined,
  };
}

function snapshotOf(controller: Controller, { id, version, startedAt, ttlMs, calls }: ViewOptions): ControllerSnapshot {
  const { ageMs, trouble, replicas } = controller;
  const hangs = ageMs !== undefined && ageMs > TTLS_UNTIL_UNHEALTHY * ttlMs;
  const unhealthy = hangs
    ? `the state table has not been read for ${Math.round(ageMs / 1000)} s${trouble ? `: ${trouble}` : ""}`
    : undefined;
  return {
    ...{ id, version, startedAt, replicas, ready: ageMs !== undefined },
    ...(unhealthy === undefined ? {} : { unhealthy }),
    stacks: [...controller.sights].map(([stack, sight]) => {
      const worker = controller.workers.get(stack);
      return stackOf(stack, worker, sight && !sight.free ? sight : undefined);
    }),
    calls: calls(),
  };
}

function stackOf(stack: string, worker: StackWorker | undefined, sight: { holder: string; epoch: number } | undefined): StackSnapshot {
  const holder = worker?.lease ?? sight;
  return {
    stack,
    held: worker !== undefined,
    ...(holder ? { holder: holder.holder, epoch: holder.epoch } : {}),
    ...(worker?.holding?.status ? { status: worker.holding.status } : {}),
    ...(worker ? { monitors: worker.monitors } : {}),
    queue: worker?.queue.backlog() ?? { depth: 0, oldestMs: 0 },
  };
}

function resourceOf(record: ResourceRecord, checks: ReadonlyMap<string, { readonly at: string; readonly next: string }>): JsonObject {
  const { key, kind, uid, generation, id, conditions, drift = [], rounds = [], lifecycle, revision } = record;
  const check = checks.get(kind);
  const { name } = splitKey(key);
  return {
    ...{ key, kind, metadata: { name, uid, generation }, lifecycle, revision },
    ...(id === undefined ? {} : { id }),
    ...{ conditions, drift, rounds },
    ...(check ? { observedAt: check.at, nextCheckAt: check.next } : {}),
  } as unknown as JsonObject;
}
