/** Whether somebody must be told: alert and recovery, once each, from one result after the other. */

import type { MonitorState } from "./run.ts";

/** What is remembered of a Monitor between its checks. */
export type Standing = { readonly failures: number; readonly alerted: boolean };

export const FIRST_STANDING: Standing = Object.freeze({ failures: 0, alerted: false });

/** What follows from a further result. `tell` is there when somebody must hear of it. */
export type NextStanding = { readonly standing: Standing; readonly tell?: "alert" | "recovery" };

/** Pure. A check that nobody could make counts as failed: silence is no health. */
export function nextStanding(before: Standing, state: MonitorState, failureThreshold: number): NextStanding {
  if (state === "healthy") return { standing: FIRST_STANDING, ...(before.alerted ? { tell: "recovery" as const } : {}) };
  const failures = before.failures + 1;
  const due = !before.alerted && failures >= failureThreshold;
  return { standing: { failures, alerted: before.alerted || due }, ...(due ? { tell: "alert" as const } : {}) };
}
