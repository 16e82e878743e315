/** What a controller shows of itself: the HTTP server serves it, and the metrics read it when they are scraped. */

import type { CallCount } from "../aws/calls.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { StackEvent, StackStatus } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { MonitorState } from "../monitor/run.ts";

/** One stack as this replica sees it. */
export type StackSnapshot = {
  /** `beacon/prod`. */
  readonly stack: string;
  readonly held: boolean;
  /** Who holds it, and by which epoch, where it is known. */
  readonly holder?: string;
  readonly epoch?: number;
  /** Of a held stack only. */
  readonly status?: StackStatus;
  readonly queue: { readonly depth: number; readonly oldestMs: number };
  /** Of a held stack only. */
  readonly monitors?: readonly MonitorSnapshot[];
};

/** One Monitor, as its last check left it. `unknown`: not checked yet, or nobody could look. */
export type MonitorSnapshot = {
  /** `backend`. */
  readonly monitor: string;
  readonly check: string;
  readonly subject: string;
  readonly state: MonitorState;
  readonly seen: string;
  readonly wanted: string;
  /** It was told of, and has not recovered. */
  readonly failing: boolean;
  /** ISO 8601. */
  readonly checkedAt?: string;
};

/** The whole replica at one moment. */
export type ControllerSnapshot = {
  readonly id: string;
  readonly version: string;
  readonly startedAt: string;
  /** Controllers of this table that live, this one among them. */
  readonly replicas: number;
  /** The first look around is done: stacks and members are known. */
  readonly ready: boolean;
  /** Why it is not healthy; absent when it is: the loop turns, and the state table answers. */
  readonly unhealthy?: string;
  readonly stacks: readonly StackSnapshot[];
  readonly calls: readonly CallCount[];
};

/** Read-only questions about one held stack; undefined where it is not held here, or unknown. */
export interface ControllerView {
  snapshot(): ControllerSnapshot;
  /** In the shape of `get -o json`: key, kind, conditions, drift, nextCheckAt. */
  resources(stack: string): readonly JsonObject[] | undefined;
  resource(stack: string, key: ResourceKey): JsonObject | undefined;
  events(stack: string): Promise<readonly StackEvent[]>;
  /** The last plan, as `diff -o json` prints it. */
  plan(stack: string): Json | undefined;
}
