/** Look and plan: the first steps of diff, apply and delete alike. */

import { BeaconError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { Revision } from "../core/record.ts";
import { type ResourceKey, splitKey } from "../core/resource.ts";
import type { StackState } from "../core/store.ts";
import type { PlanOptions, World } from "../engine/types.ts";
import type { Invocation } from "./command.ts";
import { memberTexts } from "./render/member-texts.ts";
import type { PlanFacts, PlanView } from "./render/plan.ts";
import { standingNotes } from "./requests.ts";
import { findKey, selectKeys } from "./resources.ts";
import type { Seen } from "./run.ts";
import type { Looking } from "./services.ts";
import { callsMade, type Session } from "./session.ts";

/** What a plan is asked for, and which lookups are asked again. */
export type PlanRequest = {
  readonly options: PlanOptions;
  readonly refresh: readonly ResourceKey[];
  /** Of an earlier revision; absent: the accepted one's. */
  readonly pins?: Revision["pins"];
};

/** Reads the arguments, --replace and --refresh against the manifests. Throws ResourceUnknown. */
export function planRequest(
  invocation: Invocation<{ refresh?: readonly string[]; replace?: readonly string[] }>,
  session: Session,
): PlanRequest {
  const { kinds } = session.context;
  const { args, options } = invocation;
  const resources = session.compiled?.resources ?? [];
  const declared = resources.map((resource) => resource.key);
  const lookups = (session.compiled?.lookups ?? []).map((lookup) => lookup.key);
  const replace = (options.replace ?? []).map((word) => findKey(kinds, declared, word));
  return {
    options: {
      ...(args.length > 0 ? { only: selectKeys(kinds, declared, args, resources) } : {}),
      ...(replace.length > 0 ? { replace } : {}),
    },
    refresh: (options.refresh ?? []).map((word) => lookupNamed(lookups, word) ?? findKey(kinds, lookups, word)),
  };
}

// A stack has few lookups, so that a name is mostly enough.
function lookupNamed(lookups: readonly ResourceKey[], word: string): ResourceKey | undefined {
  const named = lookups.filter((key) => splitKey(key).name === word);
  return named.length === 1 ? named[0] : undefined;
}

/** One look at the world, and the plan made from it. Throws ReadFailed. */
export async function lookAndPlan(session: Session, request: PlanRequest): Promise<Seen> {
  const { observeWith, makePlan } = await import("../engine/engine.ts");
  const { context, compiled } = session;
  const state = await context.store.load(context.stack);
  const seen = await observeWith(context, compiled, withPins(state, request.pins), { refresh: request.refresh });
  const world = { ...seen, state };
  return { world, plan: makePlan(context, world, request.options) };
}

function withPins(state: StackState, pins: Revision["pins"] | undefined): StackState {
  return pins && state.revision ? { ...state, revision: { ...state.revision, pins } } : state;
}

/** What stands above the plan. */
export function factsOf(session: Session<Looking>, world: World, plan: Plan): PlanFacts {
  const { way, context, startedAt } = session;
  const notes = standingNotes(world.state, context.runtime.now());
  return {
    stack: context.stack,
    region: way.region,
    accountId: way.accountId,
    ...(world.state.revision ? { revision: world.state.revision.number } : {}),
    resources: plan.changes.length,
    ...(notes.length > 0 ? { notes } : {}),
    calls: callsMade(way),
    elapsedMs: Math.round(context.runtime.monotonic() - startedAt),
  };
}

/** How a person wants it shown. */
export function planView({ io, options }: Pick<Invocation, "io" | "options">, { context }: Session<Looking>, world?: World): PlanView {
  return {
    style: io.style,
    verbose: options.verbose ?? false,
    texts: memberTexts(context.kinds),
    ...(world ? { driftOf: (key) => world.state.records.get(key)?.drift ?? [], now: context.runtime.now() } : {}),
  };
}

/** Throws PlanChanged unless the plan is the one that --expect names. */
export function requireExpected(plan: Plan, expected: string | undefined): void {
  if (expected === undefined || expected === plan.digest) return;
  throw new BeaconError("PlanChanged", `the plan is ${plan.digest}, not ${expected} as expected; nothing was done`, {
    next: "read the plan above; if it is right, pass its digest",
  });
}
