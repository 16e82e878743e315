/** The next revision: what is accepted of a compiled stack, as a pure function. */

import type { CompiledStack } from "../core/compiled.ts";
import { equal, type Json, type JsonObject } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import type { Grants, Revision } from "../core/record.ts";
import type { World } from "./types.ts";

/** Who accepts it, where, and why. */
export type Acceptance = {
  /** ISO 8601. */
  readonly at: string;
  /** ARN, or who a controller accepts it for. */
  readonly by: string;
  readonly region: string;
  readonly accountId: string;
  readonly grants: Grants;
  readonly message?: string;
  readonly commit?: string;
  readonly rollbackOf?: number;
};

/** Nothing is granted. */
export const NO_GRANTS: Grants = Object.freeze({ delete: [], replace: [], missing: [] });

/** What somebody who approves the whole plan grants with it. */
export function grantsOf({ changes }: Plan): Grants {
  const keys = (wanted: (change: Plan["changes"][number]) => boolean) => changes.filter(wanted).map(({ key }) => key);
  return {
    delete: keys(({ action }) => action === "delete"),
    replace: keys(({ action }) => action === "replace"),
    missing: keys(({ action, vanished }) => action === "create" && vanished !== undefined),
  };
}

/** True when nothing needs a grant. */
export function isWithoutGrants(grants: Grants): boolean {
  return grants.delete.length + grants.replace.length + grants.missing.length === 0;
}

/** Both together. */
export function allGrants(left: Grants, right: Grants): Grants {
  const both = (name: keyof Grants) => [...new Set([...left[name], ...right[name]])];
  return { delete: both("delete"), replace: both("replace"), missing: both("missing") };
}

/** The revision that `world.compiled` becomes, one after the newest; or the newest itself where it says the same and nothing more is granted. */
export function nextRevision(compiled: CompiledStack, { state, pins }: World, acceptance: Acceptance): Revision {
  const previous = state.revision;
  const { at, by, region, accountId, grants, message, commit, rollbackOf } = acceptance;
  const { roleArn, confirm } = compiled.environment;
  const revision: Revision = {
    number: (previous?.number ?? 0) + 1,
    digest: compiled.digest,
    source: compiled.source,
    acceptedAt: at,
    acceptedBy: by,
    region,
    accountId,
    ...(roleArn === undefined ? {} : { roleArn }),
    confirm,
    pins,
    ...(message === undefined ? {} : { message }),
    ...(commit === undefined ? {} : { commit }),
    ...(rollbackOf === undefined ? {} : { rollbackOf }),
    ...(isWithoutGrants(grants) ? {} : { grants }),
    resources: compiled.resources.map(({ key }) => key),
    outputs: previous?.outputs ?? {},
  };
  return previous && saysTheSame(previous, revision) ? previous : revision;
}

function saysTheSame(previous: Revision, next: Revision): boolean {
  const grants = allGrants(previous.grants ?? NO_GRANTS, next.grants ?? NO_GRANTS);
  const more = next.grants && !equal(grants as unknown as Json, (previous.grants ?? NO_GRANTS) as unknown as Json);
  const pins = equal(previous.pins as unknown as JsonObject, next.pins as unknown as JsonObject);
  return previous.digest === next.digest && previous.source === next.source && pins && !more;
}

/** Grants that were used up: a replacement or a deletion is approved once. The revision without them, or undefined where it keeps all. */
export function spent(
  revision: Revision,
  done: { readonly replaced: readonly string[]; readonly deleted: readonly string[]; readonly made: readonly string[] },
): Revision | undefined {
  const grants = revision.grants ?? NO_GRANTS;
  const left: Grants = {
    delete: grants.delete.filter((key) => !done.deleted.includes(key)),
    replace: grants.replace.filter((key) => !done.replaced.includes(key)),
    missing: grants.missing.filter((key) => !done.made.includes(key)),
  };
  if (equal(left as unknown as Json, grants as unknown as Json)) return undefined;
  const { grants: _grants, ...rest } = revision;
  return isWithoutGrants(left) ? rest : { ...rest, grants: left };
}
