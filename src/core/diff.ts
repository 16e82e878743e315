/**
 * The three-way difference: desired (the revision), observed (AWS) and applied (what we last brought about).
 *
 * Every difference has a cause, so that a person sees not only what will change but why (DESIGN section 1.4):
 * *pending* (the manifest changed), *drift* (AWS changed), *unknown* (the record is lost). A field that nobody declared
 * is *foreign*: not ours, left alone.
 */

import type { Json, JsonObject } from "./json.ts";

/** Why a field differs. */
export type Cause = "pending" | "drift" | "unknown";

/** One differing value. */
export type Difference = {
  /** `tags.Name`, `ingress`, `onDemandThroughput.maxReadRequestUnits`. */
  readonly path: string;
  /** The top-level spec field. */
  readonly field: string;
  readonly cause: Cause;
  /** As observed; absent where AWS has none. Secrets are masked. */
  readonly before?: Json;
  /** As desired, possibly holding an `Unknown`; absent where it will be removed. Secrets are masked. */
  readonly after?: Json;
  /** Of sets and keyed lists: the members that will be added and removed, and those changed in place. */
  readonly added?: readonly Json[];
  readonly removed?: readonly Json[];
  readonly changed?: readonly { readonly before: Json; readonly after: Json }[];
  readonly immutable: boolean;
};

/** A difference that is left alone, and why. */
export type LeftAlone = {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  readonly why: "createOnly" | "ignored" | "foreign";
};

/** What an updater gets of one top-level field. Unused members are empty. */
export type FieldChange = {
  /** The whole field as observed and as it shall be (undeclared nested members as observed). */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** Lists compared as `set` or `keyed`. */
  readonly added: readonly Json[];
  readonly removed: readonly Json[];
  readonly changed: readonly { readonly before: Json; readonly after: Json }[];
  /** Maps, tags among them: members to set and keys to drop. */
  readonly set: JsonObject;
  readonly drop: readonly string[];
};
