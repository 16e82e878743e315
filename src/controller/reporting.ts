/** What a worker says of its stack: the status, for everybody who has no lease. */

import type { ResourceKey } from "../core/resource.ts";
import type { Holding } from "./holding.ts";
import { statusOf } from "./standing.ts";
import type { SourceState } from "./tools.ts";

/** What the last pass found beside what the holding knows. */
export type Findings = {
  readonly source: SourceState | undefined;
  /** Why the watched manifests are not accepted. */
  readonly sourceProblem: string | undefined;
  /** When the revision in force came, on the monotonic clock. */
  readonly revisionAtMs: number;
};

/** Queues the status as it is after a pass. */
export function report(holding: Holding, { source, sourceProblem, revisionAtMs }: Findings): void {
  const { revision, state, results, judgement, awaiting, lease } = holding;
  // Of a stack that has nothing yet, only that its first revision is to be approved is worth a word.
  if (!revision && !awaiting && !holding.status) return;
  noteConverged(holding, revisionAtMs);
  const hold = state.requests.find((request) => request.type === "hold");
  holding.status = statusOf({
    ...{ revision: revision?.number ?? 0, converged: holding.converged, records: state.records, results },
    ...(judgement ? { judgement } : {}),
    ...(awaiting ? { awaiting } : {}),
    pauses: holding.pauses(),
    ...(sourceProblem === undefined ? {} : { sourceProblem }),
    ...(source === undefined ? {} : { sourceDigest: source.digest }),
    ...(hold ? { held: `the watched manifests are held: ${hold.reason}` } : {}),
    checks: Object.fromEntries(holding.checks),
    now: holding.now(),
  });
  lease.journal.status(holding.status);
}

/** Queues that passes fail, and why. */
export function reportFailure(holding: Holding, message: string): void {
  const { revision, lease } = holding;
  if (!revision) return;
  const status =
    holding.status ??
    statusOf({ ...UNSEEN, revision: revision.number, converged: holding.converged, records: holding.state.records, now: "" });
  lease.journal.status({ ...status, revision: revision.number, phase: "Stalled", message, updatedAt: holding.now() });
}

const UNSEEN = { results: [], pauses: [], checks: {} } as const;

function noteConverged(holding: Holding, revisionAtMs: number): void {
  const { revision, judgement, results, setbacks, stack, tools } = holding;
  if (!revision || !judgement || holding.converged >= revision.number) return;
  const isDrift = (key: ResourceKey) => judgement.drift.has(key);
  const isLeft = judgement.massMissing || results.length > 0 || judgement.act.some(({ key }) => !isDrift(key) && setbacks.has(key));
  if (isLeft || [...judgement.stalls.keys()].some((key) => !isDrift(key))) return;
  holding.converged = revision.number;
  tools.tell({ type: "revisionConverged", stack, revision: revision.number, elapsedMs: tools.runtime.monotonic() - revisionAtMs });
  holding.event({ type: "RevisionConverged", message: `revision ${revision.number} is brought about` });
  // Who waits for it should not wait for the next heartbeat.
  void holding.lease.journal.commit().catch(() => {});
}
