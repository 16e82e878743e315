/**
 * A pass: observe, decide, act, record, for one stack under its lease.
 *
 * What triggered it says only where to look; what is done follows from the world as this look has it. Nothing is done that the
 * judgement does not allow, and nothing beyond what the plan says.
 */

import type { CallCount } from "../aws/calls.ts";
import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { canonical, digest, equal, type Json } from "../core/json.ts";
import type { Change, Plan } from "../core/plan.ts";
import type { KindId, ResourceKey } from "../core/resource.ts";
import { execute, lookAgain, makePlan, observe } from "../engine/engine.ts";
import { NO_GRANTS, spent } from "../engine/revision.ts";
import type { Result, RunReport, World } from "../engine/types.ts";
import type { Remote } from "../kind/kind.ts";
import { noteCorrected, noteDrift, noteStanding } from "./bookkeeping.ts";
import { circumstancesOf, type Holding } from "./holding.ts";
import { type Judgement, judge } from "./judge.ts";
import { callsBetween } from "./schedule.ts";
import { retryMs } from "./tools.ts";

/** What a pass did. `unread`: kinds that could not be listed, and why. */
export type Passed = {
  readonly looked: number;
  readonly acted: readonly ResourceKey[];
  readonly results: readonly Result[];
  readonly unread: ReadonlyMap<KindId, BeaconError>;
  /** Calls of each operation that the look took. */
  readonly reads: readonly CallCount[];
};

/** A pass that had nothing to do. */
export const NOTHING_PASSED: Passed = Object.freeze({ looked: 0, acted: [], results: [], unread: new Map(), reads: [] });

/** Acts until its time is over: the signal that it is given says so. */
export type InTime = <Report>(act: (until: AbortSignal) => Promise<Report>) => Promise<Report>;

/** Sees the world again as far as `kinds` go (everything at first), and brings about what may be. Throws LeaseLost, ReadFailed. */
export async function pass(holding: Holding, kinds: ReadonlySet<KindId>, inTime: InTime): Promise<Passed> {
  const { seen, plan } = await planned(holding, kinds);
  if (!plan) return NOTHING_PASSED;
  const judgement = judgementOf(holding, plan);
  forgetSetbacks(holding, judgement);
  noteDrift(holding, judgement);
  noteStanding(holding, judgement);
  // Of what could not be read nobody knows whether it is still as it was.
  const changes = judgement.act.filter((change) => !seen.unread.has(change.kind) && isTimeFor(holding, change));
  if (changes.length === 0) {
    holding.results = stillUnfinished(holding, plan);
    return { ...seen, acted: [], results: holding.results };
  }
  const report = await inTime((stop) => act(holding, { plan, changes, judgement, stop }));
  return { ...seen, acted: changes.map(({ key }) => key), results: report.results };
}

type Seen = Pick<Passed, "looked" | "unread" | "reads">;

/** What a look at these kinds comes to; no plan where nothing is declared. */
async function planned(holding: Holding, kinds: ReadonlySet<KindId>): Promise<{ readonly seen: Seen; readonly plan?: Plan }> {
  const before = holding.way.calls();
  const seen = await look(holding, kinds);
  const plan = planOf(holding);
  if (!plan || !hasFreshlyVanished(holding, plan)) return { seen, ...(plan ? { plan } : {}) };
  // Things seldom vanish alone. What the rest of the stack lost is to be known before anything is made anew: so much may be gone
  // that nothing is, and what is made must not refer to what is not there.
  const rest = await look(holding, holding.kindIds().difference(kinds));
  const reads = callsBetween(before, holding.way.calls());
  const unread = new Map([...seen.unread, ...rest.unread]);
  return { seen: { looked: seen.looked + rest.looked, unread, reads }, plan: planOf(holding) as Plan };
}

function planOf(holding: Holding): Plan | undefined {
  const { world, compiled, context } = holding;
  if (world && compiled) holding.plan ??= makePlan(context, world, {});
  return holding.plan;
}

function hasFreshlyVanished({ state }: Holding, { changes }: Plan): boolean {
  const isKnown = (key: ResourceKey) => state.records.get(key)?.drift?.some(({ path }) => path === "") ?? false;
  return changes.some(({ key, vanished }) => vanished !== undefined && !isKnown(key));
}

/** Lists what is to be listed. `looked`: the number of kinds. */
async function look(holding: Holding, kinds: ReadonlySet<KindId>): Promise<Seen> {
  const { context, compiled, world, state, way } = holding;
  if (!compiled) return NOTHING_PASSED;
  const before = way.calls();
  if (!world) {
    holding.world = await observe(context, compiled);
    holding.plan = undefined;
    holding.stale.clear();
    return { looked: holding.kindIds().size, unread: new Map(), reads: callsBetween(before, way.calls()) };
  }
  const wanted = new Set([...kinds, ...holding.stale]);
  if (wanted.size === 0) return NOTHING_PASSED;
  const seen = await lookAgain(context, world, { state, kinds: wanted });
  if (!sameRemotes(world, seen.world, wanted)) holding.plan = undefined;
  holding.world = seen.world;
  for (const id of wanted) if (!seen.unread.has(id)) holding.stale.delete(id);
  return { looked: wanted.size, unread: seen.unread, reads: callsBetween(before, way.calls()) };
}

// A sweep of a large stack costs more than to see that nothing has moved.
function sameRemotes(before: World, after: World, kinds: ReadonlySet<KindId>): boolean {
  return [...kinds].every((id) => equal(values(before.remotes.get(id)), values(after.remotes.get(id))));
}

function values(remotes: readonly Remote[] | undefined): Json {
  return (remotes ?? []).map(({ id, values, tags, deleting }) => ({ id, values, tags, deleting })) as unknown as Json;
}

function judgementOf(holding: Holding, plan: Plan): Judgement {
  const judgement = judge(plan, circumstancesOf(holding, holding.compiled as CompiledStack, holding.revision?.grants ?? NO_GRANTS));
  holding.judgement = judgement;
  return judgement;
}

/** False while what failed is let be: for a time, or, where AWS would refuse the very same again, until something changes. */
function isTimeFor({ setbacks, tools }: Holding, change: Change): boolean {
  const setback = setbacks.get(change.key);
  if (!setback) return true;
  if (setback.change !== nameOf(change)) return true;
  return !setback.terminal && tools.runtime.monotonic() >= setback.untilMs;
}

// What is not wanted any more has not failed: should the very same be wanted again, it is another case.
function forgetSetbacks({ setbacks }: Holding, { act }: Judgement): void {
  const wanted = new Set(act.map(({ key }) => key));
  for (const key of setbacks.keys()) if (!wanted.has(key)) setbacks.delete(key);
}

function nameOf(change: Change): string {
  return digest(canonical(change as unknown as Json), 16);
}

// What failed for good is unfinished for as long as its change is wanted.
function stillUnfinished({ results, setbacks }: Holding, { changes }: Plan): readonly Result[] {
  const wanted = new Set(changes.filter(({ action }) => action !== "none").map(({ key }) => key));
  return results.filter(({ key }) => wanted.has(key) && setbacks.has(key));
}

type Acting = { readonly plan: Plan; readonly changes: readonly Change[]; readonly judgement: Judgement; readonly stop: AbortSignal };

async function act(holding: Holding, { plan, changes, judgement, stop }: Acting): Promise<RunReport> {
  const { context, stack, tools, lease } = holding;
  const before = holding.state.records;
  const doneAt = new Map<ResourceKey, number>();
  const report = await execute(context, {
    world: holding.world as World,
    plan: { ...plan, changes },
    authority: holding.authority(stop),
    options: { strict: true, leave: judgement.leave },
    onProgress: ({ key, phase }) => phase === "done" && doneAt.set(key, tools.runtime.now()),
    stop,
  });
  for (const { kind } of changes) holding.stale.add(kind);
  noteSetbacks(holding, changes, report.results);
  // Who it was may have become known meanwhile: that is to be read back, too.
  await lease.journal.commit();
  holding.reload(await tools.store.load(stack));
  noteCorrected(holding, { before, changes, judgement, results: report.results, doneAt });
  holding.results = report.results.filter(({ outcome }) => outcome !== "done");
  await keepRevision(holding, changes, report);
  await lease.journal.commit();
  return report;
}

function noteSetbacks({ setbacks, tools }: Holding, changes: readonly Change[], results: readonly Result[]): void {
  const { runtime } = tools;
  const ended = new Map(results.map((result) => [result.key, result]));
  for (const change of changes) {
    const result = ended.get(change.key);
    if (!result || result.outcome === "done") setbacks.delete(change.key);
    if (result?.outcome !== "failed") continue;
    const failures = (setbacks.get(change.key)?.failures ?? 0) + 1;
    const terminal = result.reason !== undefined && TERMINAL.has(result.reason);
    setbacks.set(change.key, { failures, untilMs: runtime.monotonic() + retryMs(tools, failures), change: nameOf(change), terminal });
  }
}

// AWS would say the same again: it waits for another revision, for other credentials, or for a person who asks for a check.
const TERMINAL: ReadonlySet<string> = new Set(["Refused", "Failed", "NotOwned", "Conflict", "Protected", "ReplacementForbidden"]);

/** A revision's outputs as they are now; and what was approved once and is done, which is not approved again. */
async function keepRevision(holding: Holding, changes: readonly Change[], { results, outputs, interrupted }: RunReport): Promise<void> {
  const { revision } = holding;
  if (!revision) return;
  const unfinished = new Set(results.filter(({ outcome }) => outcome !== "done").map(({ key }) => key));
  const done = (action: Change["action"]) =>
    changes.filter((change) => change.action === action && !unfinished.has(change.key)).map(({ key }) => key);
  const left = spent(revision, { replaced: done("replace"), deleted: done("delete"), made: done("create") }) ?? revision;
  // Of a pass that was broken off not everything is known yet.
  const known = interrupted ? revision.outputs : outputs;
  if (left === revision && equal(known, revision.outputs)) return;
  try {
    await holding.putRevision({ ...left, outputs: known });
  } catch (error) {
    // A newer revision was accepted meanwhile: its own outputs follow.
    if (!(error instanceof BeaconError && error.code === "StateConflict")) throw error;
  }
}
