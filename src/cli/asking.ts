/** The question before anything is changed, and the flags that answer it. */

import { BeaconError } from "../core/errors.ts";
import type { Invocation } from "./command.ts";
import { type ConsentRequest, consentFor, parseAllow } from "./consent.ts";
import type { OptionDefinition } from "./options.ts";

/** What flags can say beforehand. */
export type ConsentOptions = { readonly yes?: true; readonly confirm?: string; readonly allow?: string };

/** The flags of every command that changes something. */
export const consentOptions: readonly OptionDefinition[] = [
  { flags: "-y, --yes", description: "do not ask; covers neither deletions and replacements nor an environment's phrase" },
  { flags: "--confirm <phrase>", description: "the phrase the environment asks for" },
  { flags: "--allow <counts>", description: "approve so many deletions, replacements and re-creations: delete=2,replace=1,missing=4" },
];

/** Resolves when consent is given: to whether a person was asked. Throws ApprovalRequired or ConfirmationRequired when it is not. */
export async function askConsent({ io, options }: Invocation<ConsentOptions>, request: Omit<ConsentRequest, "flags">): Promise<boolean> {
  const flags = {
    yes: options.yes ?? false,
    allow: parseAllow(options.allow),
    ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
  };
  const consent = consentFor({ ...request, flags });
  switch (consent.type) {
    case "given":
      return false;
    case "refused":
      throw consent.error;
    case "ask": {
      // With -o the plan was not shown, so there is nothing a person could say yes to.
      if (!io.interactive || options.output !== undefined) throw consent.otherwise;
      const answer = await ask(io, consent.question);
      if (answer !== consent.phrase) {
        throw new BeaconError("ApprovalRequired", `that was not "${consent.phrase}"; nothing was changed`);
      }
      return true;
    }
  }
}

async function ask(io: Invocation["io"], question: string): Promise<string> {
  try {
    return await io.ask(question);
  } catch (cause) {
    throw new BeaconError("Interrupted", "interrupted; nothing was changed", { cause });
  }
}
