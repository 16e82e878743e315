/**
 * What happens in a controller, as values: metrics count it, the log says it, notifications tell it.
 *
 * Everything a controller does is told once, here; nothing that listens can hold it up.
 */

import type { Drift } from "../core/record.ts";
import type { ResourceKey, Stack } from "../core/resource.ts";

/** What made a pass look. */
export type Trigger = "interval" | "revision" | "request" | "event" | "retry" | "verify" | "start";

/** A closed set: switches over `type` have no default. */
export type ControllerEvent = { readonly stack: Stack } & (
  | { readonly type: "leaseTaken"; readonly epoch: number; readonly waitedMs: number }
  | { readonly type: "leaseLost"; readonly why: string }
  | { readonly type: "leaseReleased" }
  /** One pass. `looked`: kinds listed; `acted`: resources something was sent for. */
  | {
      readonly type: "passEnded";
      readonly triggers: readonly Trigger[];
      readonly elapsedMs: number;
      readonly looked: number;
      readonly acted: number;
      readonly outcome: "quiet" | "acted" | "failed";
    }
  | { readonly type: "passFailed"; readonly message: string; readonly retryInMs: number }
  | { readonly type: "driftFound"; readonly resource: ResourceKey; readonly drift: readonly Drift[]; readonly mode: "correct" | "report" }
  /** `afterMs`: since the change itself where AWS tells when that was, else since it was first seen. */
  | { readonly type: "driftCorrected"; readonly resource: ResourceKey; readonly drift: readonly Drift[]; readonly afterMs: number }
  /** It has gone by itself: somebody put it back, or it is the manifest's by now. */
  | { readonly type: "driftGone"; readonly resource: ResourceKey; readonly drift: readonly Drift[] }
  /** Who it was became known after the fact. */
  | { readonly type: "driftAttributed"; readonly resource: ResourceKey; readonly drift: readonly Drift[] }
  /** A resource, or without one the whole stack, goes on only with a person's word. */
  | { readonly type: "stalled"; readonly resource?: ResourceKey; readonly reason: string; readonly message: string }
  | { readonly type: "recovered"; readonly resource?: ResourceKey; readonly message: string }
  | { readonly type: "revisionAccepted"; readonly revision: number; readonly by: string; readonly message: string }
  | { readonly type: "revisionConverged"; readonly revision: number; readonly elapsedMs: number }
  | { readonly type: "approvalNeeded"; readonly digest: string; readonly message: string }
  /** The watched manifests are invalid: the accepted revision stays in force. */
  | { readonly type: "sourceInvalid"; readonly message: string }
  | { readonly type: "paused"; readonly target: string; readonly until: string; readonly reason: string; readonly by: string }
  | { readonly type: "resumed"; readonly target: string }
  | { readonly type: "monitorFailed"; readonly monitor: string; readonly subject: string; readonly message: string }
  | { readonly type: "monitorRecovered"; readonly monitor: string; readonly subject: string; readonly afterMs: number }
);

/** Told of everything; must not throw. */
export type Listener = (event: ControllerEvent) => void;
