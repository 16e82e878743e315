/** What people ask of a controller: pauses and holds as they are shown, and the writing of requests. */

import { BeaconError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { StackRequest, StackStatus } from "../core/record.ts";
import { type ResourceKey, stackName } from "../core/resource.ts";
import type { StackNews, StackState } from "../core/store.ts";
import { findKey } from "./resources.ts";
import type { Changing } from "./services.ts";
import type { Session } from "./session.ts";

type RequestOf<Type extends StackRequest["type"]> = Extract<StackRequest, { readonly type: Type }>;
// Omit of a union keeps only what all its members have.
type Unsigned<Request> = Request extends StackRequest ? Omit<Request, "by" | "at"> : never;

/** A pause that has not ended. */
export type Pause = RequestOf<"pause">;

/** Writes a request in the caller's name; resolves to it. */
export async function ask(session: Session<Changing>, request: Unsigned<StackRequest>): Promise<StackRequest> {
  const { way, context } = session;
  const signed = { ...request, by: way.caller, at: new Date(context.runtime.now()).toISOString() } as StackRequest;
  await way.store.ask(context.stack, signed);
  return signed;
}

/** What a person names: a resource of the stack, or without a word all of it. Throws ResourceUnknown, StackUnknown. */
export function targetNamed(
  { context, compiled }: Session,
  { records, revision }: StackState,
  word: string | undefined,
): ResourceKey | "*" {
  if (!revision) {
    throw new BeaconError("StackUnknown", `${stackName(context.stack)} has not been applied yet`, { next: "beaconctl apply" });
  }
  if (word === undefined) return "*";
  const declared = compiled?.resources.map(({ key }) => key) ?? [];
  return findKey(context.kinds, new Set([...records.keys(), ...revision.resources, ...declared]), word);
}

/** Pauses that have not ended at `now` (epoch milliseconds); the whole stack's first. */
export function pausesAt(requests: readonly StackRequest[], now: number): readonly Pause[] {
  const pauses = requests.filter((request): request is Pause => request.type === "pause" && Date.parse(request.until) > now);
  return pauses.toSorted((left, right) => Number(right.target === "*") - Number(left.target === "*"));
}

/** Whether the whole stack is paused. */
export function isStackPaused(requests: readonly StackRequest[], now: number): boolean {
  return pausesAt(requests, now).some(({ target }) => target === "*");
}

/** `paused until 2026-11-23 16:00 UTC by arn:...: migrating` */
export function pauseText({ until, by, reason }: Pause): string {
  return `paused until ${until.slice(0, 16).replace("T", " ")} UTC by ${by}: ${reason}`;
}

/** How far a controller is with the stack, in one line. */
export function phaseText({ phase, revision, message }: StackStatus): string {
  return `${phase}, revision ${revision}${message === "" ? "" : `: ${message}`}`;
}

/** What a person must know of a stack beside what differs, one line each. */
export function standingNotes({ requests, status }: StackNews, now: number): readonly string[] {
  const hold = requests.find((request): request is RequestOf<"hold"> => request.type === "hold");
  const held = hold && (status?.sourceDigest === undefined || status.sourceDigest === hold.digest) ? hold : undefined;
  const { awaiting, sourceProblem } = status ?? {};
  return [
    ...pausesAt(requests, now).map((pause) => `${pause.target === "*" ? "the stack" : pause.target} is ${pauseText(pause)}`),
    ...(held ? [`the watched manifests are held until they change, or until beaconctl resume: ${held.reason}`] : []),
    ...(awaiting ? [`awaits approval ${awaiting.digest}: ${awaiting.message} (beaconctl approve)`] : []),
    ...(sourceProblem === undefined ? [] : [`the watched manifests are not accepted: ${sourceProblem}`]),
  ];
}

/** Throws ResourcePaused where the plan would change what somebody has paused by name. */
export function requireUnpaused({ changes }: Plan, requests: readonly StackRequest[], now: number): void {
  const acted = new Set<ResourceKey>(changes.filter(({ action }) => action !== "none" && action !== "blocked").map(({ key }) => key));
  const paused = pausesAt(requests, now).filter(({ target }) => target !== "*" && acted.has(target));
  if (paused.length === 0) return;
  const message = paused.map((pause) => `${pause.target} is ${pauseText(pause)}`).join("; ");
  throw new BeaconError("ResourcePaused", message, {
    next: `apply the others by name, or end the pause: beaconctl resume ${paused.map(({ target }) => target).join(" ")}`,
  });
}
