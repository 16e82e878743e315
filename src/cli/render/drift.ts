/** Drift as a controller has seen it: since when, and by whom. */

import type { Attribution, Drift } from "../../core/record.ts";

/** `since 14:02 UTC by arn:... (AuthorizeSecurityGroupIngress)`; empty where nothing was seen. `now`: epoch milliseconds. */
export function driftSince(drift: readonly Drift[], now: number): string {
  const [first] = drift.map(({ firstSeenAt }) => firstSeenAt).sort();
  if (first === undefined) return "";
  return `since ${timeOf(first, now)}${byWhom(drift)}`;
}

// Of today, the time says it.
function timeOf(at: string, now: number): string {
  const [day, time] = [at.slice(0, 10), at.slice(11, 16)];
  return `${day === new Date(now).toISOString().slice(0, 10) ? "" : `${day} `}${time} UTC`;
}

function byWhom(drift: readonly Drift[]): string {
  const known = drift.flatMap(({ by }) => by ?? []);
  const [first] = known;
  if (!first) return "";
  const others = new Set(known.map(({ principal }) => principal)).size - 1;
  return ` by ${first.principal} (${actionOf(first)})${others > 0 ? ` and ${others} more` : ""}`;
}

function actionOf({ action }: Attribution): string {
  return action.slice(action.indexOf(":") + 1);
}
