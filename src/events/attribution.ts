/** Who caused a drift: the latest call that fits, of those that AWS reported. Pure; what CloudTrail is asked for is in trail.ts. */

import type { Attribution } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { AnyKind } from "../kind/kind.ts";
import { type ApiEvent, isRefused } from "./event.ts";
import { changesOf, type Subject, tieTo } from "./mapping.ts";

/** A difference that BEACON did not make. */
export type UnexplainedDrift = {
  readonly key: ResourceKey;
  /** The field that differs, `ingress` or a path below it; empty where the whole object is gone. */
  readonly path: string;
  /** Epoch milliseconds when it was first seen. */
  readonly since: number;
  /** Epoch milliseconds of the last look that did not see it: who was earlier did not do it. */
  readonly after?: number;
};

// AWS's clock and this machine's may differ, and records are in whole seconds: NTP keeps both within a second, a bad clock within a few.
export const CLOCK_SLACK_MS = 5000;

/**
 * The call that best explains the drift: one that names the resource before one that mentions it, one that changes the field
 * before others, then the latest. `surely`: none but one that names the resource and may well change the field, as the call
 * that did it may still be on its way.
 */
export function attributionOf(
  drift: UnexplainedDrift,
  subject: Subject,
  events: Iterable<ApiEvent>,
  { surely = false }: { readonly surely?: boolean } = {},
): Attribution | undefined {
  const earliest = drift.after === undefined ? Number.NEGATIVE_INFINITY : drift.after - CLOCK_SLACK_MS;
  let best: { readonly event: ApiEvent; readonly rank: number } | undefined;
  for (const event of events) {
    if (event.own || isRefused(event) || event.at > drift.since + CLOCK_SLACK_MS || event.at < earliest) continue;
    const tie = tieTo(event, subject);
    if (!tie) continue;
    const rank = (tie === "named" ? FITS_MAX + 1 : 0) + fitOf(event, drift.path, subject.kind);
    if (!best || rank > best.rank || (rank === best.rank && event.at >= best.event.at)) best = { event, rank };
  }
  return best && (!surely || best.rank > FITS_MAX + 1) ? toldBy(best.event) : undefined;
}

const FITS_MAX = 2;

/** 2: it is how the kind itself changes the field, or deletes. 1: BEACON has no such call, so it may be. 0: it changes something else. */
function fitOf({ action }: ApiEvent, path: string, kind: AnyKind): 0 | 1 | typeof FITS_MAX {
  const field = path.split(/[.[]/, 1)[0];
  const acts = field ? kind.updates.filter(({ fields }) => fields.includes(field)) : [kind.delete];
  if (acts.some(({ operations }) => operations.includes(action))) return FITS_MAX;
  return changesOf(kind).has(action) ? 0 : 1;
}

/** Who an event names. */
export function toldBy({ principal, sourceIp, userAgent, action, at, via }: ApiEvent): Attribution {
  return { principal, sourceIp, userAgent, action, at: new Date(at).toISOString().replace(".000Z", "Z"), via };
}
