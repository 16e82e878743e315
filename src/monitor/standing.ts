/** Whether somebody must be told: alert and recovery, once each, from one result after the other. */

import type { MonitorState } from "./run.ts";

/** What is remembered of a Monitor between its checks. */
export type Standing = {
  /** Failed checks in a row; those that nobody could make stand between and count for nothing. */
  readonly failures: number;
  /** When the first of them ended, on whatever clock results have. */
  readonly badSinceMs?: number;
  /** Somebody was told, and has not heard of a recovery. */
  readonly alerted: boolean;
};

export const FIRST_STANDING: Standing = Object.freeze({ failures: 0, alerted: false });

/** What somebody must hear. `afterMs`: how long it was bad. */
export type Telling = { readonly type: "alert" } | { readonly type: "recovery"; readonly afterMs: number };

/** What follows from a further result. `tell` is there when somebody must hear of it. */
export type NextStanding = { readonly standing: Standing; readonly tell?: Telling };

/**
 * Pure. A check that nobody could make says nothing about what it looks at: it neither fails nor recovers. That it goes unseen is
 * shown beside, as a state of its own.
 */
export function nextStanding(
  before: Standing,
  { state, atMs }: { readonly state: MonitorState; readonly atMs: number },
  failureThreshold: number,
): NextStanding {
  const { alerted, badSinceMs = atMs } = before;
  switch (state) {
    case "unknown":
      return { standing: before };
    case "healthy":
      return { standing: FIRST_STANDING, ...(alerted ? { tell: { type: "recovery", afterMs: atMs - badSinceMs } } : {}) };
    case "unhealthy": {
      const failures = before.failures + 1;
      const due = !alerted && failures >= failureThreshold;
      return { standing: { failures, badSinceMs, alerted: alerted || due }, ...(due ? { tell: { type: "alert" } } : {}) };
    }
  }
}

/** What is kept where the Monitor was changed: an alert waits for its recovery; what was not told yet is counted anew. */
export function kept(before: Standing): Standing {
  return before.alerted ? before : FIRST_STANDING;
}
