/** What a pass writes down and tells: drift as it comes, goes and is put back, who it was, and how each resource stands. */

import { digest, type Json } from "../core/json.ts";
import type { Change } from "../core/plan.ts";
import type { Drift, ResourceRecord } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { Result } from "../engine/types.ts";
import { attributed, countRounds, driftText, openDrift, withDrift, without } from "./drift.ts";
import type { Holding } from "./holding.ts";
import type { Judgement } from "./judge.ts";
import { isNews, isStalled, withStanding } from "./standing.ts";
import { whoWords } from "./words.ts";

/** Drift that this look has found first, or finds no more. */
export function noteDrift(holding: Holding, { drift }: Judgement): void {
  const known = [...holding.state.records.values()].filter((record) => record.drift).map(({ key }) => key);
  for (const key of new Set([...drift.keys(), ...known])) {
    const record = holding.state.records.get(key);
    if (!record) continue;
    const before = record.drift ?? [];
    const open = openDrift(before, drift.get(key) ?? [], holding.now());
    const fresh = without(open, before);
    if (fresh.length > 0) noteFound(holding, record, open, fresh);
    else if (open.length < before.length) holding.put(withDrift(record, open));
    const gone = without(before, open).filter(({ path }) => !open.some((one) => one.path === path));
    if (gone.length > 0) noteGone(holding, key, gone);
  }
}

function noteFound(holding: Holding, record: ResourceRecord, open: readonly Drift[], fresh: readonly Drift[]): void {
  const { tools, stack, witness } = holding;
  const { key } = record;
  const after = holding.checks.get(record.kind)?.at;
  // Two fields may have been changed by two hands.
  const known = new Map(fresh.map((drift) => [drift.path, witness.known({ record, drift, after })]));
  const now = open.map((one) => attributed(one, known.get(one.path)));
  let told = now.filter(({ path }) => known.has(path));
  holding.put(withDrift(record, now));
  tellDrift(holding, key, told);
  const mode = holding.compiled?.resources.find((resource) => resource.key === key)?.lifecycle.drift;
  tools.tell({
    type: "driftFound",
    stack,
    resource: key,
    drift: told,
    mode: mode === "report" || holding.isPaused(key) ? "report" : "correct",
  });
  for (const drift of told.filter(({ by }) => !by)) {
    witness.ask({ record, drift, after }, (by) => {
      told = told.map((one) => (one.path === drift.path ? attributed(one, by) : one));
      noteWho(holding, key, told, attributed(drift, by));
    });
  }
}

// One event for one look's drift: whoever it was is written into it when that becomes known.
function tellDrift(holding: Holding, key: ResourceKey, drift: readonly Drift[]): void {
  const [first] = drift;
  const who = drift.flatMap(({ by }) => (by ? [whoWords(by)] : []));
  const by = who.length > 0 ? `, by ${[...new Set(who)].join(" and ")}` : "";
  const name = digest([key, drift.map(({ path, to, firstSeenAt }) => ({ path, to, firstSeenAt }))] as unknown as Json, 12);
  holding.event({
    ...(first ? { at: first.firstSeenAt } : {}),
    type: "Drifted",
    resource: key,
    message: `${driftText(drift)}${by}`,
    drift,
    id: `drift.${name}`,
  });
}

function noteWho(holding: Holding, key: ResourceKey, told: readonly Drift[], named: Drift): void {
  if (holding.lease.signal.aborted) return;
  const { path, by } = named;
  tellDrift(holding, key, told);
  holding.tools.tell({ type: "driftAttributed", stack: holding.stack, resource: key, drift: [named] });
  const record = holding.state.records.get(key);
  if (!record) return;
  const open = (record.drift ?? []).map((one) => (one.path === path ? attributed(one, by) : one));
  const rounds = (record.rounds ?? []).map((round) => (by && round.path === path ? { ...round, by } : round));
  holding.put(withDrift(record, open, rounds));
}

function noteGone(holding: Holding, key: ResourceKey, gone: readonly Drift[]): void {
  holding.event({ type: "DriftGone", resource: key, message: `${driftText(gone)}: no longer differs`, drift: gone });
  holding.tools.tell({ type: "driftGone", stack: holding.stack, resource: key, drift: gone });
}

/** Conditions that changed with this judgement, and the stalls and recoveries that people should hear of. */
export function noteStanding(holding: Holding, { stalls }: Judgement): void {
  const { stack, tools } = holding;
  const now = holding.now();
  for (const record of holding.state.records.values()) {
    const stall = stalls.get(record.key);
    // What failed in a pass keeps saying so until it is done.
    if (!stall && holding.setbacks.has(record.key)) continue;
    const standing = withStanding(record, stall, now);
    if (!isNews(record, standing)) continue;
    holding.put(standing);
    if (stall && !isStalled(record)) {
      holding.event({ type: "Stalled", resource: record.key, message: `${stall.reason}: ${stall.message}` });
      tools.tell({ type: "stalled", stack, resource: record.key, ...stall });
    }
    if (!stall && isStalled(record)) noteRecovered(holding, record.key);
  }
}

function noteRecovered(holding: Holding, resource: ResourceKey): void {
  const message = "goes on by itself again";
  holding.event({ type: "Recovered", resource, message });
  holding.tools.tell({ type: "recovered", stack: holding.stack, resource, message });
}

/** A person has seen to its cause, or settled it with the other writer: what was given up is tried anew, and rounds are counted anew. */
export function noteResumed(holding: Holding): void {
  const { requests, records } = holding.state;
  const resumed = new Set(requests.flatMap((request) => (request.type === "check" && request.resumes ? [request.target] : [])));
  for (const key of [...holding.setbacks.keys(), ...records.keys()]) {
    if (!resumed.has("*") && !resumed.has(key)) continue;
    holding.setbacks.delete(key);
    const record = records.get(key);
    if (record?.rounds) holding.put(withDrift(record, record.drift ?? [], []));
  }
}

/** What was carried out. `before`: the records as they were; `doneAt`: when each resource was done, epoch milliseconds. */
type Done = {
  readonly before: ReadonlyMap<ResourceKey, ResourceRecord>;
  readonly changes: readonly Change[];
  readonly judgement: Judgement;
  readonly results: readonly Result[];
  readonly doneAt: ReadonlyMap<ResourceKey, number>;
};

/** What was carried out, as far as it was drift: put back, and counted; and what goes on by it. */
export function noteCorrected(holding: Holding, { before, changes, judgement, results, doneAt }: Done): void {
  const { stack, tools } = holding;
  const lateMs = holding.compiled?.environment.drift.intervalMs ?? tools.pace.intervalMs;
  const undone = new Map(results.filter(({ outcome }) => outcome !== "done").map((result) => [result.key, result]));
  for (const { key } of changes) {
    const record = holding.state.records.get(key);
    const open = record?.drift ?? [];
    const failed = undone.get(key);
    if (failed?.outcome === "failed")
      tools.tell({ type: "stalled", stack, resource: key, reason: failed.reason ?? "Failed", message: failed.message });
    const was = before.get(key);
    if (record && was && isStalled(was) && !isStalled(record)) noteRecovered(holding, key);
    if (!record || open.length === 0 || failed) continue;
    const corrected = open.filter(({ path }) => !judgement.leave(key, path));
    if (corrected.length === 0) continue;
    const rest = open.filter((one) => !corrected.includes(one));
    holding.put(withDrift(record, rest, countRounds(record.rounds ?? [], corrected, { at: holding.now(), lateMs })));
    const since = Math.min(...corrected.map(({ by, firstSeenAt }) => Date.parse(by?.at ?? firstSeenAt)));
    tools.tell({
      type: "driftCorrected",
      stack,
      resource: key,
      drift: corrected,
      afterMs: Math.max(0, (doneAt.get(key) ?? tools.runtime.now()) - since),
    });
  }
}
