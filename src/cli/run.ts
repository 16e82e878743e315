/**
 * Run: an approved plan is carried out under the lease, up to its report.
 *
 * A plan and its prompt hold no lease. After the yes: lease, look again, refuse if the plan is not the approved one any
 * more, accept the revision, execute, keep the outputs, release. Where flags were the yes, the plan's look is not a moment
 * old: it does, unless the stack's state has changed since.
 */

import { isDeepStrictEqual } from "node:util";
import { BeaconError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Action, Plan } from "../core/plan.ts";
import type { Revision } from "../core/record.ts";
import type { Lease } from "../core/store.ts";
import { spent } from "../engine/revision.ts";
import type { PlanOptions, RunReport, World } from "../engine/types.ts";
import type { ExitCode } from "./exit.ts";
import { acquireLease, yielded } from "./holding.ts";
import type { Io } from "./io.ts";
import { isEmptyPlan } from "./render/plan.ts";
import { createProgressView } from "./render/progress.ts";
import { ask } from "./requests.ts";
import { accepted, type Proposal } from "./revision.ts";
import type { Changing } from "./services.ts";
import { callsMade, type Session } from "./session.ts";
import { type Stop, stopOnSignals, untilStopped } from "./stop.ts";

// A look of a large stack takes longer than this before its plan is even made.
const FRESH_MS = 5000;

/** What is carried out. */
export type Approved = {
  readonly session: Session<Changing>;
  /** What was approved, and when it had been looked at, on the monotonic clock. */
  readonly seen: Seen;
  readonly seenAt: number;
  /** A person was asked, and may have taken any time. */
  readonly asked: boolean;
  readonly options: PlanOptions;
  /** Looks and plans again, as for the approved plan. */
  readonly look: () => Promise<Seen>;
  /** What is accepted under the lease, from the look that is carried out; nothing new where there is nothing new. */
  readonly propose: (seen: Seen) => Promise<Proposal | undefined>;
  /** Wait for another holder instead of refusing. */
  readonly wait: boolean;
  /** A controller holds the lease, and is asked to hand it over. */
  readonly yields: boolean;
  /** The stack goes with its last resource: its records are forgotten when nothing is left. */
  readonly forget: boolean;
  readonly io: Io;
};

/** One look, and the plan made from it. */
export type Seen = { readonly world: World; readonly plan: Plan };

/** How it ended. `stopped`: 130 or 143 when a signal ended it. `elapsedMs`: since the lease was asked for. */
export type RunEnd = { readonly report: RunReport; readonly stopped: ExitCode | undefined; readonly elapsedMs: number };

/** Carries the plan out. Throws LeaseHeld, LeaseLost or PlanChanged; failures of single resources are in the report. */
export function carryOut(approved: Approved): Promise<RunEnd> {
  return approved.yields ? yielded(approved.session, () => run(approved)) : run(approved);
}

async function run(approved: Approved): Promise<RunEnd> {
  const { io, session } = approved;
  const { runtime } = session.context;
  const startedAt = runtime.monotonic();
  const stop = stopOnSignals((signal) => io.err(`${signal}: stopping; no new calls, waiting for those in flight (again to stop at once)`));
  try {
    const lease = await acquireLease(session, approved, stop);
    try {
      const report = await underLease(approved, lease, stop);
      await lease.release();
      return { report, stopped: stop.exitCode(), elapsedMs: Math.round(runtime.monotonic() - startedAt) };
    } catch (error) {
      // A lease that is lost cannot be given up; what ended the run says more.
      await lease.release().catch(() => {});
      throw await healed(approved, stop, error);
    }
  } finally {
    stop.dispose();
  }
}

/** A run that was deposed with calls on their way puts right what came too late; then it ends as it would have. */
async function healed(approved: Approved, stop: Stop, error: unknown): Promise<unknown> {
  const { Deposed, heal } = await import("../engine/engine.ts");
  if (!(error instanceof Deposed) || error.touched.length === 0) return error;
  const { session, io } = approved;
  io.err("the lease was lost with calls on their way: waiting for it again, to put right what they may have reverted");
  const again = async () => {
    const lease = await acquireLease(session, { ...approved, wait: true }, stop);
    return { lease, writer: session.way.writer(untilStopped(lease, stop.signal), stop.signal) };
  };
  const { results } = await heal(session.context, { touched: error.touched, acquire: again, stop: stop.signal });
  for (const { key, outcome, message } of results) io.err(`${key}  ${outcome}: ${message}`);
  return error;
}

async function underLease(approved: Approved, lease: Lease, stop: Stop): Promise<RunReport> {
  const { session, options, io } = approved;
  const { execute } = await import("../engine/engine.ts");
  const seen = (await isFresh(approved)) ? approved.seen : await approved.look();
  const { world, plan } = seen;
  requireSamePlan(approved.seen.plan, plan);
  const proposal = await approved.propose(seen);
  if (proposal) await accepted(proposal, () => lease.journal.putRevision(proposal.revision, proposal.source));
  const revision = proposal?.revision ?? world.state.revision;
  const view = await createProgressView(io, {
    total: plan.changes.filter((change) => change.action !== "none" && change.action !== "blocked").length,
    calls: () => callsMade(session.way),
  });
  try {
    const authority = { writer: session.way.writer(untilStopped(lease, stop.signal), stop.signal), lease };
    const report = await execute(session.context, {
      world: revision ? { ...world, state: { ...world.state, revision } } : world,
      plan,
      authority,
      options,
      onProgress: view.onProgress,
      stop: stop.signal,
    });
    await recordEnd(approved, lease, revision, report);
    return report;
  } finally {
    view.close();
  }
}

/** Whether another look could show nothing that the approved one did not: made just now, and nobody was at the stack since. */
async function isFresh({ asked, seen, seenAt, session }: Approved): Promise<boolean> {
  const { runtime, stack } = session.context;
  if (asked || runtime.monotonic() - seenAt > FRESH_MS) return false;
  const { records, revision } = await session.way.store.load(stack);
  const before = seen.world.state;
  return isDeepStrictEqual(revision, before.revision) && isDeepStrictEqual(records, before.records);
}

function requireSamePlan(approved: Plan, current: Plan): void {
  // Where somebody else has meanwhile done it all, nothing is left that would need approval.
  if (approved.digest === current.digest || isEmptyPlan(current)) return;
  const message = `the plan changed from ${approved.digest} to ${current.digest} while it was being approved; nothing was done`;
  throw new BeaconError("PlanChanged", message, { next: "run the command again to see the new plan" });
}

async function recordEnd(
  { forget, session, seen }: Approved,
  lease: Lease,
  revision: Revision | undefined,
  report: RunReport,
): Promise<void> {
  const complete = report.results.every((result) => result.outcome === "done");
  if (forget && complete && !report.interrupted) {
    await lease.journal.forget();
    // Else a controller that watches the manifests would bring it all up again.
    const digest = seen.world.state.status?.sourceDigest;
    if (digest !== undefined) await ask(session, { type: "hold", digest, reason: "the stack was deleted" });
    return;
  }
  // A delete goes by the records alone: it knows no outputs, and forgets none.
  if (!session.compiled || !revision) return;
  const left = spent(revision, doneBy(report));
  if (left || !equalOutputs(revision.outputs, report.outputs))
    await lease.journal.putRevision({ ...(left ?? revision), outputs: report.outputs });
}

function doneBy({ results }: RunReport): Parameters<typeof spent>[1] {
  const done = (action: Action) => results.filter((result) => result.action === action && result.outcome === "done").map(({ key }) => key);
  return { replaced: done("replace"), deleted: done("delete"), made: done("create") };
}

function equalOutputs(left: JsonObject, right: JsonObject): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
