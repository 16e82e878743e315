/** Drift over time, as pure functions: what is new, what goes on, what was put back, and how often. */

import { equal, type Json } from "../core/json.ts";
import type { Attribution, Drift, ResourceRecord, Rounds } from "../core/record.ts";
import type { Found } from "./judge.ts";

// A writer that comes back less often than hourly is no war: each correction holds long enough to be of use.
const ROUNDS_WINDOW_MS = 3_600_000;

/** The drift of a resource by this look: what goes on keeps when it was first seen, and by whom it was. `at`: ISO 8601. */
export function openDrift(before: readonly Drift[], found: readonly Found[], at: string): readonly Drift[] {
  return found.map((now) => {
    const known = before.find((drift) => drift.path === now.path && equal(drift.to as Json | undefined, now.to as Json | undefined));
    return known ? { ...known, ...now } : { ...now, firstSeenAt: at };
  });
}

/** Drift that one list has and the other has not: by path, and by what AWS has. */
export function without(drift: readonly Drift[], others: readonly Drift[]): readonly Drift[] {
  return drift.filter(
    ({ path, to }) => !others.some((other) => other.path === path && equal(other.to as Json | undefined, to as Json | undefined)),
  );
}

/** One more correction of these paths. `at`: ISO 8601. */
export function countRounds(rounds: readonly Rounds[], corrected: readonly Drift[], at: string): readonly Rounds[] {
  const recent = rounds.filter(({ since }) => Date.parse(at) - Date.parse(since) < ROUNDS_WINDOW_MS);
  const counted = corrected.map(({ path, by }): Rounds => {
    const before = recent.find((round) => round.path === path);
    const who = by ?? before?.by;
    return { path, count: (before?.count ?? 0) + 1, since: before?.since ?? at, ...(who ? { by: who } : {}) };
  });
  return [...recent.filter(({ path }) => !corrected.some((drift) => drift.path === path)), ...counted];
}

/** The drift with who it was, where that is known and nobody is named yet. */
export function attributed(drift: Drift, by: Attribution | undefined): Drift {
  return drift.by || !by ? drift : { ...drift, by };
}

/** The record with this drift, and these rounds; absent members where there are none. */
export function withDrift(
  record: ResourceRecord,
  drift: readonly Drift[],
  rounds: readonly Rounds[] = record.rounds ?? [],
): ResourceRecord {
  const { drift: _drift, rounds: _rounds, ...rest } = record;
  return { ...rest, ...(drift.length > 0 ? { drift } : {}), ...(rounds.length > 0 ? { rounds } : {}) };
}

/** `ingress - tcp 22, tags.Team`: what drifted, in one line. */
export function driftText(drift: readonly Drift[]): string {
  return drift.map(({ path }) => path || "the object is gone").join(", ");
}
