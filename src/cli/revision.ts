/** The revision that an apply proposes: what was compiled, what it was compiled from, and what the plan was approved to do. */

import type { CompiledStack } from "../core/compiled.ts";
import type { Revision, SourceBundle } from "../core/record.ts";
import { type Acceptance, grantsOf, nextRevision } from "../engine/revision.ts";
import type { Seen } from "./run.ts";
import type { Session } from "./session.ts";

/** What is to be accepted. `source`: absent where the manifests say a secret. */
export type Proposal = {
  readonly revision: Revision;
  readonly source: SourceBundle | undefined;
  /** Done right before it is accepted; resolves to what undoes it. */
  readonly prepare?: () => Promise<() => Promise<void>>;
};

/** Accepts a proposal; what prepared it is undone where it was not accepted. */
export async function accepted({ prepare }: Proposal, accept: () => Promise<void>): Promise<void> {
  const undo = await prepare?.();
  try {
    await accept();
  } catch (error) {
    await undo?.();
    throw error;
  }
}

/** A session's manifests as the stack's next revision; undefined where it would say nothing that the accepted one does not. */
export async function proposalOf(session: Session, seen: Seen, message: string | undefined): Promise<Proposal | undefined> {
  const { compiled, manifests } = session;
  if (!compiled || !manifests) return undefined;
  const [{ bundleOf }, { gitCommit }] = await Promise.all([import("../manifest/bundle.ts"), import("../manifest/origin.ts")]);
  const commit = await gitCommit(manifests.sources.sources[0]?.directory ?? process.cwd());
  const revision = newRevision(session, compiled, seen, {
    ...(message === undefined ? {} : { message }),
    ...(commit === undefined ? {} : { commit }),
  });
  return revision && { revision, source: bundleOf(manifests.sources, manifests.options, compiled) };
}

/** The revision that this stack becomes with what the plan was approved for; undefined where it is the accepted one. */
export function newRevision(
  { context, way }: Session,
  compiled: CompiledStack,
  { world, plan }: Seen,
  more: Pick<Acceptance, "message" | "commit" | "rollbackOf">,
): Revision | undefined {
  const at = new Date(context.runtime.now()).toISOString();
  const { caller: by, region, accountId } = way;
  const revision = nextRevision(compiled, world, { at, by, region, accountId, grants: grantsOf(plan), ...more });
  return revision === world.state.revision ? undefined : revision;
}
