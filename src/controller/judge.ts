/**
 * Judge: what a controller may do about a plan by itself, as a pure function; its test is a table.
 *
 * A pending change was accepted with the revision, and goes out. Drift is corrected in place, and what has vanished is made
 * anew where its kind holds no data; nothing is ever replaced or deleted for drift. Replacement, deletion, and the re-creation
 * of data or of much at once happen only where the revision's grants name the resource.
 */

import type { Reason } from "../core/condition.ts";
import type { Difference } from "../core/diff.ts";
import type { Change, Plan } from "../core/plan.ts";
import type { Drift, Grants, ResourceRecord } from "../core/record.ts";
import { type KindId, knownDriftAt, type Lifecycle, type ResourceKey } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import { MASS_MISSING_MIN, MASS_MISSING_SHARE } from "../engine/plan.ts";
import { warOver } from "./drift.ts";

/** One value that differs, as a plan has it; when and by whom is remembered elsewhere. */
export type Found = Pick<Drift, "path" | "from" | "to">;

/** What the judgement depends on, beside the plan. */
export type Circumstances = {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly lifecycles: ReadonlyMap<ResourceKey, Lifecycle>;
  readonly records: ReadonlyMap<ResourceKey, ResourceRecord>;
  /** Kinds whose objects hold data. */
  readonly stateful: ReadonlySet<KindId>;
  readonly grants: Grants;
  readonly isPaused: (key: ResourceKey) => boolean;
  /** So many corrections of the same change, each undone at once, are a war with another writer. */
  readonly contestedAfter: number;
};

/** Why a resource goes on only with a person's word. */
export type Stall = { readonly reason: Reason; readonly message: string };

/** See the file's header. */
export type Judgement = {
  /** What is carried out. */
  readonly act: readonly Change[];
  /** Drift that stays as it is although its resource is acted on. */
  readonly leave: (key: ResourceKey, path: string) => boolean;
  /** All drift there is, what is only reported among it; known and ignored drift is none. */
  readonly drift: ReadonlyMap<ResourceKey, readonly Found[]>;
  readonly stalls: ReadonlyMap<ResourceKey, Stall>;
  /** What a person could grant so that it goes on. */
  readonly wanting: Grants;
  /** More vanished at once than may be believed: nothing at all is done to the stack. */
  readonly massMissing: boolean;
};

type Verdict = {
  readonly act?: true;
  readonly stall?: Stall;
  readonly drift?: readonly Found[];
  readonly left?: readonly string[];
  readonly wants?: keyof Grants;
};

/** Judges every change of the plan. */
export function judge(plan: Plan, circumstances: Circumstances): Judgement {
  const vanished = plan.changes.filter((change) => change.action === "create" && change.vanished !== undefined);
  const mass = isMass(vanished, circumstances);
  const followers = followersOf(vanished, plan, circumstances);
  const verdicts = new Map(
    plan.changes.map((change) => [change.key, followers.has(change.key) ? {} : verdictOn(change, circumstances, mass)]),
  );
  // What would not be made anew in any case is nobody's to approve.
  const ungranted = vanished.filter(
    (change) => modeOf(change, circumstances) === "correct" && !circumstances.grants.missing.includes(change.key),
  );
  const massMissing = mass && ungranted.length > 0;
  const wanting = (grant: keyof Grants) => [...verdicts].flatMap(([key, { wants }]) => (wants === grant ? [key] : []));
  return {
    act: massMissing ? [] : plan.changes.filter(({ key }) => verdicts.get(key)?.act),
    leave: (key, path) => verdicts.get(key)?.left?.includes(path) ?? false,
    drift: new Map([...verdicts].flatMap(([key, { drift = [] }]) => (drift.length > 0 ? [[key, drift] as const] : []))),
    stalls: new Map([...verdicts].flatMap(([key, { stall }]) => (stall ? [[key, stall] as const] : []))),
    wanting: { delete: wanting("delete"), replace: wanting("replace"), missing: wanting("missing") },
    massMissing,
  };
}

/** More than a slip of an outside hand: a tenth of the stack, or every object of a kind that has several. */
function isMass(vanished: readonly Change[], { records }: Circumstances): boolean {
  if (vanished.length > Math.max(MASS_MISSING_MIN, records.size * MASS_MISSING_SHARE)) return true;
  const known = Map.groupBy(
    [...records.values()].filter(({ id }) => id !== undefined),
    ({ kind }) => kind,
  );
  const gone = Map.groupBy(vanished, ({ kind }) => kind);
  return [...gone].some(([kind, changes]) => changes.length > 1 && changes.length === known.get(kind)?.length);
}

/**
 * Resources that would be replaced for no other reason than that what they refer to has vanished: once that is there again they
 * are looked at again, and mostly refer to the very same.
 */
function followersOf(vanished: readonly Change[], { changes }: Plan, { records }: Circumstances): ReadonlySet<ResourceKey> {
  const gone = new Set(vanished.map(({ key }) => key));
  const renewed = new Set(changes.filter(({ action }) => action === "create" || action === "replace").map(({ key }) => key));
  const follows = ({ key, action, differences }: Change) => {
    const forcing = differences.filter(({ immutable }) => immutable);
    const causes = (records.get(key)?.dependencies ?? []).filter((dependency) => renewed.has(dependency));
    const isOpen = action === "replace" && forcing.length > 0 && forcing.every(({ after }) => after !== undefined && holdsUnknown(after));
    return isOpen && causes.length > 0 && causes.every((cause) => gone.has(cause));
  };
  return new Set(changes.filter(follows).map(({ key }) => key));
}

function verdictOn(change: Change, circumstances: Circumstances, mass: boolean): Verdict {
  switch (change.action) {
    case "blocked":
      return { stall: change.blocked ?? { reason: "Conflict", message: "it cannot be decided what to do" } };
    case "none":
      // Surplus objects, earlier generations and creates without an answer are finished business of ours.
      return change.retires.length > 0 || change.resolves ? unlessPaused(change, circumstances, { act: true }) : {};
    case "adopt":
    case "move":
    case "forget":
      return unlessPaused(change, circumstances, { act: true });
    case "create":
      if (change.vanished !== undefined) return onVanished(change, circumstances, mass);
      return unlessPaused(change, circumstances, { act: true });
    case "update":
      return onUpdate(change, circumstances);
    case "replace":
      return onReplace(change, circumstances);
    case "delete":
      return granted("delete", change, circumstances, {});
  }
}

function unlessPaused({ key }: Change, { isPaused }: Circumstances, verdict: Verdict): Verdict {
  const { act, wants: _wants, ...rest } = verdict;
  return act && isPaused(key) ? rest : verdict;
}

function granted(grant: keyof Grants, change: Change, circumstances: Circumstances, more: Verdict): Verdict {
  if (circumstances.grants[grant].includes(change.key)) return unlessPaused(change, circumstances, { ...more, act: true });
  return { ...more, wants: grant, stall: WANTING[grant](change) };
}

const WANTING: Readonly<Record<keyof Grants, (change: Change) => Stall>> = {
  delete: () => ({ reason: "Blocked", message: "its deletion was not approved: beaconctl approve, or declare it again" }),
  replace: ({ differences }) => ({
    reason: "Blocked",
    message: `${paths(differences.filter(({ immutable }) => immutable))} cannot be changed in place, and a replacement was not approved: beaconctl approve, or undo the change`,
  }),
  missing: ({ vanished }) => ({
    reason: "Missing",
    message: `${vanished} is gone from AWS, and what it held with it: beaconctl approve makes an empty one`,
  }),
};

function onVanished(change: Change, circumstances: Circumstances, mass: boolean): Verdict {
  const { key, kind, vanished } = change;
  const drift = [{ path: "", from: vanished ?? null }];
  switch (modeOf(change, circumstances)) {
    case "ignore":
      return {};
    case "report":
      return { drift };
    case "correct":
      break;
  }
  if (mass && !circumstances.grants.missing.includes(key)) return { drift, wants: "missing", stall: massMissing(circumstances) };
  if (circumstances.stateful.has(kind)) return granted("missing", change, circumstances, { drift });
  return contested(change, circumstances, drift) ?? unlessPaused(change, circumstances, { drift, act: true });
}

function massMissing({ records }: Circumstances): Stall {
  const message = `so many of ${records.size} resources vanished in one look that nothing is done: if they are really gone, beaconctl approve makes them anew`;
  return { reason: "MassMissing", message };
}

function onUpdate(change: Change, circumstances: Circumstances): Verdict {
  const known = change.differences.filter((difference) => isKnown(difference, change, circumstances)).map(({ path }) => path);
  const drifted = change.differences.filter(({ cause, path }) => cause === "drift" && !known.includes(path));
  const drift = drifted.map(foundOf);
  const isPending = change.differences.some(({ cause }) => cause !== "drift");
  switch (modeOf(change, circumstances)) {
    // What is ignored the plan does not show as a difference.
    case "ignore":
      return unlessPaused(change, circumstances, { act: true, left: known });
    case "report": {
      const left = [...known, ...drifted.map(({ path }) => path)];
      return isPending ? unlessPaused(change, circumstances, { act: true, drift, left }) : { drift };
    }
    case "correct": {
      if (drift.length === 0 && !isPending) return {};
      const war = contested(change, circumstances, drift);
      return war && !isPending ? war : unlessPaused(change, circumstances, { act: true, drift, left: known });
    }
  }
}

function onReplace(change: Change, circumstances: Circumstances): Verdict {
  const forcing = change.differences.filter(({ immutable }) => immutable);
  const drift = change.differences.filter(({ cause }) => cause === "drift").map(foundOf);
  if (forcing.length === 0 || forcing.some(({ cause }) => cause !== "drift")) return granted("replace", change, circumstances, { drift });
  const message = `${paths(forcing)} was changed outside and cannot be put back in place: beaconctl apply --replace ${change.key}, or take AWS's value into the manifest (beaconctl get -o manifest ${change.key})`;
  return modeOf(change, circumstances) === "correct" ? { drift, stall: { reason: "ImmutableDrift", message } } : { drift };
}

/** Another writer undoes every correction: a war that nobody wins is ended, with both sides named. */
function contested(change: Change, circumstances: Circumstances, drift: readonly Found[]): Verdict | undefined {
  const rounds = circumstances.records.get(change.key)?.rounds ?? [];
  const war = drift.map((found) => warOver(rounds, found, circumstances.contestedAfter)).find((found) => found !== undefined);
  if (!war) return undefined;
  const other = war.by ? `${war.by.principal} (${war.by.action})` : "another writer, whom CloudTrail does not name,";
  const message = `BEACON put ${war.path || "the object"} back ${war.count} times since ${war.since}, and ${other} changes it again each time: stop one of the two, then beaconctl resume ${change.key}`;
  return { drift, stall: { reason: "Contested", message } };
}

function modeOf({ key }: Change, { lifecycles }: Circumstances): Lifecycle["drift"] {
  return lifecycles.get(key)?.drift ?? "correct";
}

function isKnown({ cause, path }: Difference, { key }: Change, { lifecycles, now }: Circumstances): boolean {
  const lifecycle = lifecycles.get(key);
  return cause === "drift" && lifecycle !== undefined && knownDriftAt(lifecycle, path, now) !== undefined;
}

function foundOf({ path, before, after }: Difference): Found {
  return { path, ...(after === undefined ? {} : { from: after }), ...(before === undefined ? {} : { to: before }) };
}

function paths(differences: readonly Difference[]): string {
  return differences.map(({ path }) => path).join(", ") || "it";
}
