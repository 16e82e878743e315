/** Revisions of the past: found by number, and compiled again from what was kept with them. */

import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import type { Revision, SourceBundle } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import type { Looking } from "./services.ts";
import type { Session } from "./session.ts";

/** A revision, with the stack that it declares. */
export type Past = { readonly revision: Revision; readonly source: SourceBundle; readonly compiled: CompiledStack };

/** The revision that a person names by its number. Throws UsageInvalid, RevisionUnknown, SourceMissing, RevisionOutdated. */
export async function pastRevision({ context }: Session<Looking>, word: string): Promise<Past> {
  const { store, stack, kinds } = context;
  const number = Number(word);
  if (!/^[1-9]\d*$/.test(word))
    throw new BeaconError("UsageInvalid", `${word} is no number of a revision`, { next: historyOf(stackName(stack)) });
  const revisions = await store.history(stack);
  const revision = revisions.find((candidate) => candidate.number === number);
  if (!revision) {
    const kept = revisions.length === 0 ? "none is kept" : `kept are ${revisions.at(-1)?.number} to ${revisions[0]?.number}`;
    throw new BeaconError("RevisionUnknown", `${stackName(stack)} has no revision ${number}: ${kept}`, {
      next: historyOf(stackName(stack)),
    });
  }
  const source = await store.source(stack, number);
  if (!source) {
    throw new BeaconError(
      "SourceMissing",
      `what revision ${number} was compiled from is not kept: a secret stood in it, or it is too large`,
      {
        next: "apply its manifests again, from where they are kept",
      },
    );
  }
  const { compileBundle } = await import("../manifest/bundle.ts");
  return { revision, source, compiled: compileBundle(source, { kinds }) };
}

function historyOf(name: string): string {
  return `beaconctl history --stack ${name} lists them`;
}
