/** The engine's own values: what a look found, what a run reports. */

import type { Reader, Writer } from "../aws/service.ts";
import type { CompiledStack } from "../core/compiled.ts";
import type { Reason } from "../core/condition.ts";
import type { JsonObject } from "../core/json.ts";
import type { Action, Plan } from "../core/plan.ts";
import type { Pin } from "../core/record.ts";
import type { ResourceKey, Stack } from "../core/resource.ts";
import type { Lease, Runtime, StackState, StateReader } from "../core/store.ts";
import type { Kinds, Remote } from "../kind/kind.ts";

/** Numbers a caller may change; the defaults are in settings.ts, each with its source. */
export type Settings = {
  /** Longest wait for the whole run; what is still waiting then is reported as such. */
  readonly timeoutMs: number;
  /** First and longest pause between looks at something AWS is preparing. */
  readonly pollMinMs: number;
  readonly pollMaxMs: number;
  /** Overrides every kind's consistency window (tests and the sandbox shorten it). */
  readonly consistencyMs?: number;
  /** Misses, at least a poll apart, before an object is concluded absent. */
  readonly missesMin: number;
  /** Effects in flight at once; what waits holds no slot. */
  readonly concurrency: number;
};

/** What every step needs, and cannot write with. */
export type Context = {
  readonly kinds: Kinds;
  readonly stack: Stack;
  readonly reader: Reader;
  readonly store: StateReader;
  readonly runtime: Runtime;
  readonly settings: Settings;
};

/** What a run may write with: an AWS handle that checks the lease before each call, and the lease itself. */
export type Authority = { readonly writer: Writer; readonly lease: Lease };

/** One look at the world: state, pins and remote objects, at one moment. */
export type World = {
  /** Absent for a delete from the records alone. */
  readonly compiled?: CompiledStack;
  readonly state: StackState;
  /** Lookup answers by key: carried over, or read now. */
  readonly pins: Readonly<Record<string, Pin>>;
  /** Lookups whose answer at AWS differs from the pin that is kept. */
  readonly newer: readonly { readonly key: ResourceKey; readonly message: string }[];
  /** Every remote object seen, by kind id. */
  readonly remotes: ReadonlyMap<string, readonly Remote[]>;
  /** Objects with our tags that neither a record nor a manifest names. */
  readonly orphans: readonly { readonly kind: string; readonly remote: Remote; readonly key: ResourceKey }[];
};

/** What a plan is asked for. */
export type PlanOptions = {
  /** Restrict to these resources (and, for apply, what they need); absent: the whole stack. */
  readonly only?: readonly ResourceKey[];
  /** Replace these though nothing forces it. */
  readonly replace?: readonly ResourceKey[];
  /** Delete everything (`beaconctl delete`), or the resources of `only`. */
  readonly destroy?: boolean;
  /** With `destroy`: delete protected resources too. */
  readonly includeProtected?: boolean;
  /**
   * Work on the resources alone whose change is in the plan, and do no more to any than its change says: what turns out to
   * need a replacement, or to have vanished, on the way is left to the next plan. For plans that nobody looks at.
   */
  readonly strict?: boolean;
  /** Drift that is left as it is, by resource and path. */
  readonly leave?: (key: ResourceKey, path: string) => boolean;
};

/** Live progress of one resource. */
export type Progress = {
  readonly key: ResourceKey;
  readonly action: Action;
  /** `after`: a dependency comes first. `acting`: a call is on its way. `waiting`: for AWS. The rest are final. */
  readonly phase: "after" | "acting" | "waiting" | "done" | "failed" | "skipped";
  /** "created", "provisioning", "after NatGateway/main", or the error with what to do. */
  readonly message: string;
  /** Since this resource was begun. */
  readonly elapsedMs: number;
  /** Shown as (g2) when above 1. */
  readonly generation: number;
};

/** How one resource ended. */
export type Result = {
  readonly key: ResourceKey;
  readonly action: Action;
  readonly outcome: "done" | "waiting" | "failed" | "skipped" | "interrupted";
  readonly reason?: Reason;
  readonly message: string;
};

/** How a run ended. */
export type RunReport = {
  readonly results: readonly Result[];
  readonly outputs: JsonObject;
  /** What the project says is to be done now. */
  readonly nextSteps: readonly string[];
  readonly interrupted: boolean;
};

/** What an execute is given beside the context. */
export type Run = {
  readonly world: World;
  readonly plan: Plan;
  readonly authority: Authority;
  readonly options: PlanOptions;
  readonly onProgress?: (progress: Progress) => void;
  /** Aborted: no new calls; those in flight are waited for. */
  readonly stop: AbortSignal;
};
