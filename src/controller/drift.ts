/** Drift over time, as pure functions: what is new, what goes on, what was put back, and how often. */

import { digest, equal, type Json } from "../core/json.ts";
import type { Attribution, Drift, ResourceRecord, Rounds } from "../core/record.ts";
import type { Found } from "./judge.ts";

// A program that insists does so within seconds; a person who tries again takes longer.
const AT_ONCE_MS = 15_000;
// A job that comes back every few minutes, or every hour, is a writer, too, though each correction holds for a while: five times as
// many rounds within the day show it.
const SLOW_FACTOR = 5;
const DAY_MS = 86_400_000;
// Many different changes are many slips; a record should not grow by all of them.
const ROUNDS_MAX = 20;

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

/** Names what AWS had of a path. */
function changeOf({ to }: Pick<Drift, "to">): string {
  return digest(to, 12);
}

/** When a correction is made (ISO 8601), and how late a look may be to see that it was undone. */
export type Correction = { readonly at: string; readonly lateMs: number };

/** One more correction of these changes. */
export function countRounds(rounds: readonly Rounds[], corrected: readonly Drift[], { at, lateMs }: Correction): readonly Rounds[] {
  const recent = rounds.filter(({ lastAt }) => Date.parse(at) - Date.parse(lastAt) < DAY_MS);
  const counted = corrected.map((drift): Rounds => {
    const { path, by, firstSeenAt } = drift;
    const change = changeOf(drift);
    const before = recent.find((round) => round.path === path && round.change === change);
    const heldMs = before ? Date.parse(by?.at ?? firstSeenAt) - Date.parse(before.lastAt) : Number.POSITIVE_INFINITY;
    const isAtOnce = heldMs <= AT_ONCE_MS + (by ? 0 : lateMs);
    const who = by ?? before?.by;
    return {
      ...{ path, change, count: (before?.count ?? 0) + 1, atOnce: isAtOnce ? (before?.atOnce ?? 0) + 1 : 1 },
      ...{ since: before?.since ?? at, lastAt: at },
      ...(who ? { by: who } : {}),
    };
  });
  const isCounted = (round: Rounds) => counted.some(({ path, change }) => path === round.path && change === round.change);
  return [...recent.filter((round) => !isCounted(round)), ...counted].slice(-ROUNDS_MAX);
}

/** The rounds of this very change, where they are a war. */
export function warOver(rounds: readonly Rounds[], found: Found, contestedAfter: number): Rounds | undefined {
  const change = changeOf(found);
  const same = rounds.find((round) => round.path === found.path && round.change === change);
  return same && (same.atOnce >= contestedAfter || same.count >= contestedAfter * SLOW_FACTOR) ? same : undefined;
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
