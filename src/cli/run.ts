/**
 * Run: an approved plan is carried out under the lease, up to its report.
 *
 * A plan and its prompt hold no lease. After the yes: lease, look again, refuse if the plan is not the approved one any
 * more, accept the revision, execute, keep the outputs, release. Where flags were the yes, the plan's look is not a moment
 * old: it does, unless the stack's state has changed since.
 */

import { hostname, userInfo } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { BeaconError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import type { LeaseView, Revision } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import type { Lease } from "../core/store.ts";
import type { PlanOptions, RunReport, World } from "../engine/types.ts";
import type { ExitCode } from "./exit.ts";
import type { Io } from "./io.ts";
import { isEmptyPlan } from "./render/plan.ts";
import { createProgressView } from "./render/progress.ts";
import type { Changing } from "./services.ts";
import { callsMade, type Session } from "./session.ts";
import { type Stop, Stopped, stopOnSignals, untilStopped } from "./stop.ts";

// Often enough for a countdown of 15 s to be seen to move.
const WATCH_NOTE_MS = 5000;
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
  /** Wait for another holder instead of refusing. */
  readonly wait: boolean;
  /** The stack goes with its last resource: its records are forgotten when nothing is left. */
  readonly forget: boolean;
  readonly io: Io;
};

/** One look, and the plan made from it. */
export type Seen = { readonly world: World; readonly plan: Plan };

/** How it ended. `stopped`: 130 or 143 when a signal ended it. `elapsedMs`: since the lease was asked for. */
export type RunEnd = { readonly report: RunReport; readonly stopped: ExitCode | undefined; readonly elapsedMs: number };

/** Carries the plan out. Throws LeaseHeld, LeaseLost or PlanChanged; failures of single resources are in the report. */
export async function carryOut(approved: Approved): Promise<RunEnd> {
  const { io, session } = approved;
  const { runtime } = session.context;
  const startedAt = runtime.monotonic();
  const stop = stopOnSignals((signal) => io.err(`${signal}: stopping; no new calls, waiting for those in flight (again to stop at once)`));
  try {
    const lease = await acquire(approved, stop);
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
    const lease = await acquire({ ...approved, wait: true }, stop);
    return { lease, writer: session.way.writer(untilStopped(lease, stop.signal)) };
  };
  const { results } = await heal(session.context, { touched: error.touched, acquire: again, stop: stop.signal });
  for (const { key, outcome, message } of results) io.err(`${key}  ${outcome}: ${message}`);
  return error;
}

async function acquire({ session, wait, io }: Approved, stop: Stop): Promise<Lease> {
  const { runtime, stack } = session.context;
  let saidAt = Number.NEGATIVE_INFINITY;
  const onWatch = (view: LeaseView, secondsLeft: number): void => {
    if (runtime.monotonic() - saidAt < WATCH_NOTE_MS) return;
    saidAt = runtime.monotonic();
    io.err(
      io.errStyle.dim(
        `${view.holder} holds ${stackName(stack)} since ${view.since}; it is taken over in ${secondsLeft} s unless its heart beats`,
      ),
    );
  };
  try {
    return await session.way.store.acquire(stack, { holder: holderName(), wait, onWatch, signal: stop.signal });
  } catch (error) {
    const exitCode = stop.exitCode();
    if (exitCode === undefined) throw error;
    throw new Stopped("interrupted before anything was changed", { exitCode, cause: error });
  }
}

/** `ops@build-7 (pid 4121)`: who an error names when the lease is held. */
export function holderName(): string {
  return `${process.env.BEACON_HOLDER ?? userInfo().username}@${hostname()} (pid ${process.pid})`;
}

async function underLease(approved: Approved, lease: Lease, stop: Stop): Promise<RunReport> {
  const { session, options, io } = approved;
  const { execute } = await import("../engine/engine.ts");
  const { world, plan } = (await isFresh(approved)) ? approved.seen : await approved.look();
  requireSamePlan(approved.seen.plan, plan);
  const revision = await acceptRevision(session, lease, world);
  const view = await createProgressView(io, {
    total: plan.changes.filter((change) => change.action !== "none" && change.action !== "blocked").length,
    calls: () => callsMade(session.way),
  });
  try {
    const authority = { writer: session.way.writer(untilStopped(lease, stop.signal)), lease };
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

// A delete from the records alone accepts nothing new.
async function acceptRevision(session: Session<Changing>, lease: Lease, world: World): Promise<Revision | undefined> {
  const { compiled, context, way } = session;
  const previous = world.state.revision;
  if (!compiled) return previous;
  const revision: Revision = {
    number: (previous?.number ?? 0) + 1,
    digest: compiled.digest,
    source: compiled.source,
    acceptedAt: new Date(context.runtime.now()).toISOString(),
    acceptedBy: way.caller,
    region: way.region,
    accountId: way.accountId,
    ...(compiled.environment.roleArn === undefined ? {} : { roleArn: compiled.environment.roleArn }),
    confirm: compiled.environment.confirm,
    pins: world.pins,
    resources: compiled.resources.map((resource) => resource.key),
    outputs: previous?.outputs ?? {},
  };
  if (previous && sameRevision(previous, revision)) return previous;
  await lease.journal.putRevision(revision);
  return revision;
}

function sameRevision(previous: Revision, next: Revision): boolean {
  const pins = (revision: Revision): string => JSON.stringify(Object.entries(revision.pins).sort());
  return previous.digest === next.digest && previous.source === next.source && pins(previous) === pins(next);
}

async function recordEnd({ forget, session }: Approved, lease: Lease, revision: Revision | undefined, report: RunReport): Promise<void> {
  const complete = report.results.every((result) => result.outcome === "done");
  if (forget && complete && !report.interrupted) return lease.journal.forget();
  // A delete goes by the records alone: it knows no outputs, and forgets none.
  if (session.compiled && revision && !equalOutputs(revision.outputs, report.outputs))
    await lease.journal.putRevision({ ...revision, outputs: report.outputs });
}

function equalOutputs(left: JsonObject, right: JsonObject): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
