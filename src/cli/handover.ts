/** Handing a revision to the controller that holds the stack: accepted without the lease, and followed until it is brought about. */

import { BeaconError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import { stackName } from "../core/resource.ts";
import type { StackState } from "../core/store.ts";
import type { Result, RunReport } from "../engine/types.ts";
import { type Followed, type Following, follow } from "./follow.ts";
import type { Io } from "./io.ts";
import { isEmptyPlan } from "./render/plan.ts";
import { PAST } from "./render/report.ts";
import { isStackPaused } from "./requests.ts";
import { accepted, type Proposal } from "./revision.ts";
import type { RunEnd, Seen } from "./run.ts";
import type { Changing } from "./services.ts";
import { callsMade, type Session } from "./session.ts";
import { stopOnSignals } from "./stop.ts";

/** `own`: nobody else is at it. `yielded`: a controller is asked for the lease. `controller`: it is the controller's to bring about. */
export type Route = "own" | "yielded" | "controller";

/** What the route depends on. `chosen`: a part of the stack, or a replacement that nothing forces, was asked for. */
export type Errand = { readonly seen: Seen; readonly proposal: Proposal | undefined; readonly chosen: boolean; readonly now: number };

/**
 * Who carries a plan out. A controller brings about revisions, as wholes: what is no part of the next one, or not yet of the
 * last, is somebody else's to do, such as to correct what is only reported. While the stack is paused, a controller does nothing. Pure.
 */
export function routeOf({ seen: { world, plan }, proposal, chosen, now }: Errand): Route {
  const { lease, requests, revision, status } = world.state;
  if (!lease?.controller) return "own";
  if (chosen || isStackPaused(requests, now)) return "yielded";
  const underWay = revision !== undefined && (status?.converged ?? 0) < revision.number;
  return proposal || underWay || isEmptyPlan(plan) ? "controller" : "yielded";
}

/** Throws SourceMissing where a controller could not compile what is proposed to it. */
export function requireKept(proposal: Proposal | undefined, { lease }: StackState): void {
  if (!proposal || proposal.source) return;
  throw new BeaconError(
    "SourceMissing",
    `a secret stands in the manifests, so they are not kept, and ${lease?.holder} could not bring them about; nothing was changed`,
    {
      next: "read it from AWS with a lookup, or pause the stack and apply again (beaconctl pause --for 1h --reason ...), or run the controller with -f and these manifests",
    },
  );
}

/** What is handed over. `wait`: follow it. */
export type Handed = {
  readonly seen: Seen;
  readonly proposal: Proposal | undefined;
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly io: Io;
};

/** Has the proposal accepted, and follows the controller; undefined where it is not waited for. Throws StateConflict. */
export async function handOver(session: Session<Changing>, { seen, proposal, wait, timeoutMs, io }: Handed): Promise<RunEnd | undefined> {
  const { way, context } = session;
  const { lease, revision: inForce } = seen.world.state;
  const startedMs = context.runtime.monotonic();
  if (proposal) await accepted(proposal, () => way.store.accept(context.stack, proposal.revision, proposal.source));
  const number = proposal?.revision.number ?? inForce?.number ?? 0;
  const name = stackName(context.stack);
  const said = proposal ? `revision ${number} of ${name} is accepted; ` : "";
  const opening = `${said}${lease?.holder ?? "its controller"} brings revision ${number} about`;
  if (!wait) {
    io.err(opening);
    io.err(io.errStyle.dim(`follow it with: beaconctl get -w --stack ${name}, or beaconctl events -w --stack ${name}`));
    return undefined;
  }
  const changes = seen.plan.changes.filter(({ action }) => action !== "none");
  const { followed, stopped } = await followHere(session, { goal: { revision: number }, changes, timeoutMs, io, opening });
  const report = reportOf(seen.plan, followed, number);
  return { report, stopped, elapsedMs: Math.round(context.runtime.monotonic() - startedMs) };
}

/** Follows until a signal says to leave; the controller goes on. */
export async function followHere(
  { way, context }: Session,
  { opening, ...wanted }: Pick<Following, "goal" | "changes" | "timeoutMs" | "io"> & { readonly opening?: string },
): Promise<{ readonly followed: Followed; readonly stopped: RunEnd["stopped"] }> {
  const { stack, runtime, store } = context;
  const stop = stopOnSignals((signal) => wanted.io.err(`${signal}: no longer following; the controller goes on`));
  try {
    if (opening !== undefined) wanted.io.err(opening);
    const followed = await follow({ ...wanted, store, runtime, stack, stop: stop.signal, calls: () => callsMade(way) });
    return { followed, stopped: stop.exitCode() };
  } finally {
    stop.dispose();
  }
}

/** What became of the plan, as a run of one's own would tell it. Pure. */
export function reportOf({ changes }: Plan, { outcome, state, done }: Followed, revision: number): RunReport {
  const { status } = state;
  const open = new Map((status && status.revision >= revision ? status.unfinished : []).map((one) => [one.key, one]));
  const results = changes.map(({ key, action }): Result => {
    const unfinished = open.get(key);
    if (unfinished) return { key, action, outcome: unfinished.outcome, message: unfinished.message };
    if (action === "none" || outcome === "done" || done.has(key)) return { key, action, outcome: "done", message: PAST[action] };
    return { key, action, outcome: "waiting", message: status?.message || "the controller has not come to it" };
  });
  return { results, outputs: state.revision?.outputs ?? {}, nextSteps: [], interrupted: outcome === "left" };
}
