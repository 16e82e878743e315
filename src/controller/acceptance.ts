/**
 * Which revision is in force: the accepted one, brought from the state; a watched change that policy accepts; what a person
 * approves. Whatever is wrong with a change, the accepted revision stays in force.
 */

import type { EnvironmentSettings } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import type { Change, Plan } from "../core/plan.ts";
import type { Awaiting, Grants, StackRequest } from "../core/record.ts";
import { makePlan, observe } from "../engine/engine.ts";
import { allGrants, NO_GRANTS, nextRevision } from "../engine/revision.ts";
import type { World } from "../engine/types.ts";
import { circumstancesOf, compiledOf, type Holding } from "./holding.ts";
import { type Judgement, judge } from "./judge.ts";
import { awaitingOf } from "./standing.ts";
import type { SourceState } from "./tools.ts";

/** Brings the accepted revision into force where it is not: what was compiled and seen of an earlier one is dropped. */
export async function bringIntoForce(holding: Holding, watched: SourceState | undefined): Promise<void> {
  const { revision, compiled } = holding;
  if (!revision || compiled?.digest === revision.digest) return;
  holding.compiled = await compiledOf(holding, revision, watched);
  holding.world = undefined;
  forgetWhatWasFound(holding);
}

// What was found and tried of an earlier revision says nothing of this one.
function forgetWhatWasFound(holding: Holding): void {
  holding.plan = undefined;
  holding.judgement = undefined;
  holding.results = [];
  holding.setbacks.clear();
}

/**
 * What the environment's policy says to a change, judged without any grant: accepted with these grants, or asked for. What has
 * vanished meanwhile is drift, and no part of it.
 */
export function policyOn(
  { changes }: Pick<Plan, "changes">,
  { wanting }: Pick<Judgement, "wanting">,
  { approval }: Pick<EnvironmentSettings, "approval">,
): { readonly isAccepted: boolean; readonly grants: Grants } {
  const grants = { delete: wanting.delete, replace: wanting.replace, missing: [] };
  const isAllowed =
    approval.mode === "auto" &&
    (grants.delete.length === 0 || approval.allow.delete) &&
    (grants.replace.length === 0 || approval.allow.replace);
  return { isAccepted: isAllowed || changes.every(isNoPart), grants };
}

/** Whether the accepted revision would have the same done: what drifted or vanished, and what is still to be finished. */
function isNoPart({ action, differences, vanished }: Change): boolean {
  switch (action) {
    case "none":
      return true;
    case "create":
      return vanished !== undefined;
    case "update":
    case "replace":
      return differences.length > 0 && differences.every(({ cause }) => cause === "drift");
    case "delete":
    case "adopt":
    case "move":
    case "forget":
    case "blocked":
      return false;
  }
}

/** Considers the watched manifests: accepts them, asks for an approval, or leaves them. Resolves to their problem, if they have one. */
export async function considerSource(holding: Holding, watched: SourceState | undefined): Promise<string | undefined> {
  if (!watched) return undefined;
  if (!watched.ok) return invalid(holding, watched);
  const { revision, state } = holding;
  const holds = state.requests.filter((request) => request.type === "hold");
  const isHeld = holds.some((request) => request.digest === watched.digest);
  // The files have changed since: what was held back is no more.
  await withdraw(
    holding,
    holds.filter((request) => request.digest !== watched.digest),
  );
  const isAccepted = revision?.digest === watched.compiled.digest;
  if (isHeld || isAccepted || holding.isPausedWhole()) return dropProposal(holding);
  if (revision && revision.source !== watched.compiled.source) {
    return `the stack was applied from ${revision.source}, and these manifests are ${watched.compiled.source}: beaconctl apply --take-over`;
  }
  const approval = holding.awaiting?.what === "revision" ? approvalIn(holding) : undefined;
  if (holding.considered === watched.digest && holding.awaiting && !approval) return undefined;
  await propose(holding, watched, approval);
  return undefined;
}

function invalid(holding: Holding, watched: Extract<SourceState, { ok: false }>): string {
  if (holding.considered !== watched.digest) {
    holding.event({ type: "SourceInvalid", message: watched.problem });
    holding.tools.tell({ type: "sourceInvalid", stack: holding.stack, message: watched.problem });
  }
  holding.considered = watched.digest;
  dropProposal(holding);
  return watched.problem;
}

function dropProposal(holding: Holding): undefined {
  if (holding.awaiting?.what === "revision") holding.awaiting = undefined;
}

async function propose(holding: Holding, watched: Extract<SourceState, { ok: true }>, approval: Approval | undefined): Promise<void> {
  const { context } = holding;
  const { compiled, digest } = watched;
  const world = await observe(context, compiled);
  const plan = makePlan(context, world, {});
  const past = watched.hasChanged ? undefined : await pastRevision(holding, compiled.digest);
  const policy = past === undefined ? compiled.environment : { approval: { ...compiled.environment.approval, mode: "manual" as const } };
  const { isAccepted, grants } = policyOn(plan, judge(plan, circumstancesOf(holding, compiled, NO_GRANTS)), policy);
  const counts = ["create", "update"].map((action) => `${plan.changes.filter((change) => change.action === action).length} to ${action}`);
  const what = past === undefined ? "a change of the watched manifests" : `the watched manifests, which are those of revision ${past},`;
  const message = `${what} (${counts.join(", ")})`;
  const awaiting = awaitingOf("revision", grants, { digest: `${compiled.digest} ${plan.digest}`, message }) as Awaiting;
  if (isAccepted || approval?.digest === awaiting.digest) {
    await accept(holding, { watched, world, grants, by: approval?.by ?? `policy of ${compiled.environment.name}` });
  } else if (holding.awaiting?.digest !== awaiting.digest) {
    askFor(holding, awaiting);
    holding.awaiting = awaiting;
  }
  holding.considered = digest;
  if (approval) await withdraw(holding, [approval]);
}

/**
 * The number of an earlier revision that says just this. Files that were not seen to change, and are what was accepted before the
 * revision in force, may be a replica's that has not got the newer ones yet: a person says whether they are to be gone back to.
 */
async function pastRevision({ stack, tools, revision }: Holding, digest: string): Promise<number | undefined> {
  const history = revision ? await tools.store.history(stack) : [];
  return history.find((past) => past.digest === digest)?.number;
}

type Accepted = {
  readonly watched: Extract<SourceState, { ok: true }>;
  readonly world: World;
  readonly grants: Grants;
  readonly by: string;
};

async function accept(holding: Holding, { watched, world, grants, by }: Accepted): Promise<void> {
  const { stack, tools, way } = holding;
  const { compiled, bundle, commit } = watched;
  const { region, accountId } = way;
  const message = `accepted from the watched manifests`;
  const revision = nextRevision(compiled, world, {
    ...{ at: holding.now(), by, region, accountId, grants, message },
    ...(commit === undefined ? {} : { commit }),
  });
  await holding.putRevision(revision, bundle);
  holding.state = { ...world.state, revision, requests: holding.state.requests };
  holding.compiled = compiled;
  holding.world = { ...world, state: holding.state };
  holding.awaiting = undefined;
  forgetWhatWasFound(holding);
  holding.event({ type: "RevisionAccepted", message: `revision ${revision.number}, ${by}` });
  tools.tell({ type: "revisionAccepted", stack, revision: revision.number, by, message });
}

type Approval = Extract<StackRequest, { type: "approve" }>;

/** The approval that was asked for last, of whatever it is. */
function approvalIn({ state }: Holding): Approval | undefined {
  return state.requests.find((request) => request.type === "approve");
}

function askFor(holding: Holding, { digest, message }: Awaiting): void {
  holding.event({ type: "ApprovalNeeded", message: `${message}: beaconctl approve --expect ${digest}` });
  holding.tools.tell({ type: "approvalNeeded", stack: holding.stack, digest, message });
}

/**
 * What the last judgement wants a person for, kept up to date; and an approval of exactly that, which becomes part of the
 * revision. True when something was approved: the pass is to be made again.
 */
export async function heedApproval(holding: Holding): Promise<boolean> {
  if (holding.awaiting?.what === "revision") return false;
  const { judgement, revision, stack, tools } = holding;
  const awaiting = judgement ? awaitingOf("missing", judgement.wanting) : undefined;
  const isNew = awaiting !== undefined && awaiting.digest !== holding.awaiting?.digest;
  holding.awaiting = awaiting;
  const approval = approvalIn(holding);
  if (awaiting && revision && approval?.digest === awaiting.digest) {
    await holding.putRevision({ ...revision, grants: allGrants(revision.grants ?? NO_GRANTS, awaiting.grants) });
    holding.event({ type: "Approved", message: `${awaiting.message}, by ${approval.by}` });
    await withdraw(holding, [approval]);
    holding.awaiting = undefined;
    holding.reload(await tools.store.load(stack));
    return true;
  }
  // It names something else than what is asked by now: a person shall look again.
  if (approval) await withdraw(holding, [approval]);
  if (isNew) askFor(holding, awaiting);
  return false;
}

/** Takes requests back that were heard. */
export async function withdraw(holding: Holding, requests: readonly StackRequest[]): Promise<void> {
  if (requests.length === 0) return;
  await holding.tools.store.withdraw(holding.stack, requests);
  const left = holding.state.requests.filter((request) => !requests.includes(request));
  holding.state = { ...holding.state, requests: left };
}

/** True for an error that leaves the stack as it is until a person, or another version, does something. */
export function needsPerson(error: unknown): error is BeaconError {
  return error instanceof BeaconError && ["SourceMissing", "RevisionOutdated", "StateDamaged", "StateTooNew"].includes(error.code);
}
