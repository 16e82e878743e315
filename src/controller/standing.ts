/** How a resource and its stack stand after a pass, in words for people: conditions and the stack's status, as pure functions. */

import { digest, equal, type Json } from "../core/json.ts";
import type { Awaiting, Grants, ResourceRecord, StackRequest, StackStatus } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import { withCondition } from "../engine/records.ts";
import { isWithoutGrants } from "../engine/revision.ts";
import type { Result } from "../engine/types.ts";
import { driftText } from "./drift.ts";
import type { Judgement, Stall } from "./judge.ts";

/** The record with conditions that say what the judgement says. `now`: ISO 8601. */
export function withStanding(record: ResourceRecord, stall: Stall | undefined, now: string): ResourceRecord {
  const before = record.conditions;
  const drifted = (record.drift ?? []).length > 0;
  if (stall) {
    const ready = withCondition(before, "Ready", false, stall.reason, stall.message, now);
    return { ...record, conditions: withCondition(ready, "Stalled", true, stall.reason, stall.message, now) };
  }
  const message = drifted ? `AWS differs from the manifest: ${driftText(record.drift ?? [])}` : "";
  const ready = withCondition(before, "Ready", true, drifted ? "Drifted" : "Synced", message, now);
  return { ...record, conditions: withCondition(ready, "Stalled", false, "Synced", "", now) };
}

/** True where conditions tell something else; the times alone are no news. */
export function isNews(before: Pick<ResourceRecord, "conditions">, after: Pick<ResourceRecord, "conditions">): boolean {
  return !equal(before.conditions as unknown as Json, after.conditions as unknown as Json);
}

/** Whether the record says that a person is needed. */
export function isStalled({ conditions }: ResourceRecord): boolean {
  return conditions.some(({ type, status }) => type === "Stalled" && status);
}

/** What a person is asked to approve, named by a digest over exactly this; undefined where nothing is. */
export function awaitingOf(
  what: Awaiting["what"],
  grants: Grants,
  more: { readonly digest?: string; readonly message?: string } = {},
): Awaiting | undefined {
  if (what === "missing" && isWithoutGrants(grants)) return undefined;
  const counted = (["delete", "replace", "missing"] as const).filter((name) => grants[name].length > 0);
  const words = { delete: "to delete", replace: "to replace", missing: "vanished, to make anew" } as const;
  const counts = counted.map((name) => `${grants[name].length} ${words[name]}`).join(", ");
  return {
    digest: digest([what, more.digest ?? "", grants as unknown as Json], 8),
    what,
    grants,
    message: [more.message, counts].filter(Boolean).join(": "),
  };
}

/** What the status is made from. */
export type Standing = {
  readonly revision: number;
  readonly converged: number;
  readonly records: ReadonlyMap<ResourceKey, ResourceRecord>;
  readonly results: readonly Result[];
  readonly judgement?: Judgement;
  readonly awaiting?: Awaiting;
  readonly pauses: readonly Extract<StackRequest, { type: "pause" }>[];
  readonly sourceProblem?: string;
  readonly sourceDigest?: string;
  readonly held?: string;
  readonly checks: StackStatus["checks"];
  readonly now: string;
};

/** The stack's status. */
export function statusOf(standing: Standing): StackStatus {
  const { revision, converged, records, awaiting, sourceProblem, sourceDigest, checks, now } = standing;
  const all = [...records.values()];
  const unfinished = unfinishedOf(standing);
  return {
    ...phaseOf(standing, unfinished),
    revision,
    converged,
    unfinished,
    ...(awaiting ? { awaiting } : {}),
    ...(sourceProblem === undefined ? {} : { sourceProblem }),
    ...(sourceDigest === undefined ? {} : { sourceDigest }),
    counts: {
      resources: all.length,
      ready: all.filter(({ conditions }) => conditions.some(({ type, status }) => type === "Ready" && status)).length,
      drifted: all.filter(({ drift }) => drift !== undefined).length,
      stalled: all.filter(isStalled).length,
    },
    checks,
    updatedAt: now,
  };
}

function unfinishedOf({ results, judgement }: Standing): StackStatus["unfinished"] {
  const ended = results.flatMap(({ key, outcome, message }) =>
    outcome === "done" ? [] : [{ key, outcome: outcome === "interrupted" ? ("waiting" as const) : outcome, message }],
  );
  const stalled = [...(judgement?.stalls ?? [])].filter(([key]) => !ended.some((one) => one.key === key));
  return [...ended, ...stalled.map(([key, { message }]) => ({ key, outcome: "failed" as const, message }))];
}

function phaseOf(standing: Standing, unfinished: StackStatus["unfinished"]): Pick<StackStatus, "phase" | "message"> {
  const { awaiting, judgement, pauses, records, sourceProblem, held, revision, converged } = standing;
  const whole = pauses.find(({ target }) => target === "*");
  if (whole) return { phase: "Paused", message: `paused until ${whole.until} by ${whole.by}: ${whole.reason}` };
  if (judgement?.massMissing) return { phase: "Stalled", message: [...judgement.stalls.values()][0]?.message ?? "objects vanished" };
  if (awaiting) return { phase: "AwaitingApproval", message: `${awaiting.message}: beaconctl approve` };
  const [first] = unfinished.filter(({ outcome }) => outcome === "failed");
  if (first) return { phase: "Stalled", message: `${first.key}: ${first.message}` };
  const [waiting] = unfinished;
  if (waiting) return { phase: "Converging", message: `${waiting.key}: ${waiting.message}` };
  if (converged < revision) return { phase: "Converging", message: `revision ${revision} is being brought about` };
  const drifted = [...records.values()].filter(({ drift }) => drift !== undefined);
  if (drifted.length > 0)
    return { phase: "Drifted", message: drifted.map(({ key, drift = [] }) => `${key}: ${driftText(drift)}`).join("; ") };
  if (sourceProblem !== undefined)
    return { phase: "Synced", message: `the watched manifests are not accepted: ${sourceProblem.split("\n")[0]}` };
  return { phase: "Synced", message: held ?? "" };
}
