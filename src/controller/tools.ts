/** What a controller works with: the outside world behind ports, and the pace it keeps. */

import type { CallCount } from "../aws/calls.ts";
import { backoffMs } from "../aws/runtime.ts";
import type { Reader, Writer } from "../aws/service.ts";
import type { CompiledStack } from "../core/compiled.ts";
import type { SourceBundle } from "../core/record.ts";
import type { Stack } from "../core/resource.ts";
import type { Lease, Runtime, StateStore } from "../core/store.ts";
import type { Settings } from "../engine/types.ts";
import type { TrailLookup } from "../events/trail.ts";
import type { Kinds } from "../kind/kind.ts";
import type { Listener } from "./events.ts";
import type { Hearsay } from "./witness.ts";

/** How often, and how soon. */
export type Pace = {
  /** Between two looks at a resource, where neither it nor its environment says otherwise. */
  readonly intervalMs: number;
  /** The part of every API's published rate that looks may take: others have the same rates, and changes come on top. */
  readonly rateShare: number;
  /** Between two questions whether a revision or a request has come. */
  readonly newsMs: number;
  /** After something was sent for a resource, until it is looked at again. */
  readonly verifyMs: number;
  /** The first and the longest wait after a failure; it doubles in between. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
};

/** The wait after so many failures in a row. */
export function retryMs({ runtime, pace: { retryMinMs, retryMaxMs } }: Pick<Tools, "runtime" | "pace">, failures: number): number {
  return retryMinMs + backoffMs(runtime, failures, retryMinMs, retryMaxMs);
}

/** A way to AWS with the rights of one stack's role. */
export type StackWay = {
  readonly region: string;
  readonly accountId: string;
  readonly caller: string;
  readonly reader: Reader;
  /** `stop`: a write that still waits then, for its turn or to be sent again, is not sent any more. */
  readonly writer: (lease: Lease, stop?: AbortSignal) => Writer;
  /** CloudTrail, with these rights; absent where it is not to be asked. */
  readonly trail?: TrailLookup;
  /** Every call so far. */
  readonly calls: () => readonly CallCount[];
};

/** With whose rights, and in which account, where that is said. */
export type Whose = { readonly roleArn?: string; readonly accountId?: string };

/** What the watched manifests are by now. `digest`: of all their texts, whatever they say. */
export type SourceState =
  | {
      readonly ok: true;
      readonly digest: string;
      readonly compiled: CompiledStack;
      /** They were seen to change, and are no replica's that has not got the newer ones yet. */
      readonly hasChanged?: true;
      readonly bundle?: SourceBundle;
      /** What else was read for them. */
      readonly files: readonly string[];
      readonly commit?: string;
    }
  | { readonly ok: false; readonly digest: string; readonly problem: string };

/** Manifests that a controller watches. */
export interface WatchedSource {
  /** Whose they are; undefined until they were valid once. */
  readonly stack: Stack | undefined;
  /** What they are by now; undefined where they are another stack's. */
  current(stack: Stack): SourceState | undefined;
  /** Called after each change, valid or not, until the answer is called. */
  onChange(listener: () => void): () => void;
}

/** See the file's header. */
export type Tools = {
  readonly kinds: Kinds;
  readonly store: StateStore;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly pace: Pace;
  /** Who holds the leases: `beacon@host (pid 1)`. */
  readonly holder: string;
  readonly tell: Listener;
  /** Throws AccountMismatch. */
  readonly open: (whose: Whose) => Promise<StackWay>;
  readonly source?: WatchedSource;
  readonly hearsay: Hearsay;
};
