/** Whether a controller has looked since it was asked to. */

import type { StackRequest, StackStatus } from "../core/record.ts";

/** A heartbeat carries the status out, a third of a lease's 15 s; twice that is surely enough. */
const STATUS_LAG_MS = 10_000;

/** A look that is waited for. */
export type Awaited = {
  readonly asked: StackRequest;
  /** When the kinds were looked at before. */
  readonly before: StackStatus["checks"];
  readonly kinds: readonly string[];
  /** When the request was seen to be gone, on the monotonic clock: a controller takes it back once it has looked. */
  readonly heardMs: number | undefined;
};

/**
 * True when the status tells of a look that began after the request. A look that was under way when it came does not count; where
 * the controller's clock is behind ours, only time can tell them apart. Pure.
 */
export function wasLookedAt({ asked, before, kinds, heardMs }: Awaited, status: StackStatus | undefined, nowMs: number): boolean {
  if (heardMs === undefined || !status) return false;
  return kinds.every((kind) => {
    const at = status.checks[kind]?.at;
    const isAnother = at !== undefined && at !== before[kind]?.at;
    return isAnother && (at > asked.at || nowMs - heardMs > STATUS_LAG_MS);
  });
}
