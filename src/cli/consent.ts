/**
 * Consent: what a person, or a flag, must have said before a plan is carried out.
 *
 * Decided by one pure function, so that its test is a table. `--yes` answers the question, and never more: deletions,
 * replacements and re-creations of what vanished are typed or counted with `--allow`; an environment's phrase is typed or
 * given as `--confirm`.
 */

import { BeaconError } from "../core/errors.ts";
import type { Consents } from "../core/plan.ts";
import { count } from "./render/table.ts";

/** What the flags say. */
export type ConsentFlags = { readonly yes: boolean; readonly confirm?: string; readonly allow: Consents };

/** What is asked for. */
export type ConsentRequest = {
  /** `prod`. */
  readonly environment: string;
  readonly verb: "apply" | "delete" | "unprotect" | "unlock" | "approve" | "roll back";
  readonly needed: Consents;
  /** The environment's phrase for this verb, if it asks for one. */
  readonly phrase?: string;
  readonly flags: ConsentFlags;
};

/** What follows: go on; ask for a phrase, and where nobody can be asked fail with `otherwise`; or fail at once. */
export type Consent =
  | { readonly type: "given" }
  | { readonly type: "ask"; readonly question: string; readonly phrase: string; readonly otherwise: BeaconError }
  | { readonly type: "refused"; readonly error: BeaconError };

const NONE: Consents = Object.freeze({ delete: 0, replace: 0, missing: 0 });
const DONE: Readonly<Record<keyof Consents, string>> = { delete: "deleted", replace: "replaced", missing: "created again" };

/** Whether the flags are enough; else the question, and the error for where it cannot be asked. */
export function consentFor(request: ConsentRequest): Consent {
  const { flags, phrase } = request;
  const phraseGiven = phrase === undefined || flags.confirm === phrase;
  if (!phraseGiven && flags.confirm !== undefined) return { type: "refused", error: wrongPhrase(request) };
  const answered = phrase === undefined ? flags.yes : phraseGiven;
  if (answered && unapproved(request).length === 0) return { type: "given" };
  const typed = phrase ?? "yes";
  return { type: "ask", question: question(request, typed), phrase: typed, otherwise: refusal(request, phraseGiven) };
}

// Who runs `delete` has asked for deletions by name.
function unapproved({ needed, flags, verb }: ConsentRequest): (keyof Consents)[] {
  const kinds = Object.keys(NONE) as (keyof Consents)[];
  return kinds.filter((what) => needed[what] > flags.allow[what] && !(verb === "delete" && what === "delete"));
}

/** Parses `delete=2,replace=1,missing=4`. Throws UsageInvalid. */
export function parseAllow(text: string | undefined): Consents {
  const allow = { ...NONE };
  for (const part of text === undefined ? [] : text.split(",")) {
    const match = /^(delete|replace|missing)=(\d+)$/.exec(part.trim());
    if (!match)
      throw new BeaconError("UsageInvalid", `--allow does not take "${part}"`, { next: "write --allow delete=2,replace=1,missing=4" });
    allow[match[1] as keyof Consents] = Number(match[2]);
  }
  return allow;
}

/** `--allow delete=2,replace=1`: what a script must pass for this plan; empty where nothing is needed. */
export function allowFlag(needed: Consents): string {
  const parts = Object.entries(needed).filter(([, number]) => number > 0);
  return parts.length === 0 ? "" : `--allow ${parts.map(([what, number]) => `${what}=${number}`).join(",")}`;
}

function question({ environment, verb, needed }: ConsentRequest, phrase: string): string {
  const facts = (Object.keys(NONE) as (keyof Consents)[])
    .filter((what) => needed[what] > 0)
    .map((what) => `${count(needed[what], "resource")} will be ${DONE[what]}`);
  return `Environment ${environment}${facts.length > 0 ? `; ${facts.join(", ")}` : ""}. Type ${phrase} to ${verb}: `;
}

function refusal(request: ConsentRequest, phraseGiven: boolean): BeaconError {
  const { environment, verb, needed, phrase, flags } = request;
  const missing = unapproved(request);
  const flagsToPass = [
    ...(missing.length > 0 ? [allowFlag(needed)] : []),
    ...(phrase === undefined && !flags.yes ? ["--yes"] : []),
    ...(phraseGiven ? [] : [`--confirm "${phrase}"`]),
  ];
  const next = `type it in a terminal, or pass ${flagsToPass.join(" ")}`;
  if (missing.length > 0) {
    const what = missing.map((kind) => `${count(needed[kind], "resource")} would be ${DONE[kind]}`).join(", ");
    return new BeaconError("ApprovalRequired", `${what}, and that was not approved`, { next });
  }
  if (!phraseGiven) return new BeaconError("ConfirmationRequired", `environment ${environment} asks for a phrase to ${verb}`, { next });
  return new BeaconError("ApprovalRequired", `nobody can be asked whether to ${verb}: there is no terminal`, { next: "pass --yes" });
}

function wrongPhrase({ environment, verb, flags }: ConsentRequest): BeaconError {
  const message = `"${flags.confirm}" is not the phrase that environment ${environment} asks for to ${verb}`;
  return new BeaconError("ConfirmationRequired", message, { next: "the phrase stands in the Environment's spec.confirm" });
}
