/** How the members of a kind's lists are written, where the kind says so (`tcp 22 from 0.0.0.0/0`). */

import type { MemberText } from "../../core/field.ts";
import type { KindId } from "../../core/resource.ts";
import type { Shape } from "../../core/shape.ts";
import type { Kinds } from "../../kind/kind.ts";

/** The text function of a spec field, by its path as a difference names it. */
export type MemberTexts = (kind: KindId, path: string) => MemberText | undefined;

/** Reads them from the kinds' field metadata. */
export function memberTexts(kinds: Kinds): MemberTexts {
  return (kind, path) => {
    const spec = kinds.get(kind)?.spec as Shape | undefined;
    const steps = path.split(".");
    return steps.reduce((shape, step) => (shape?.type === "object" ? shape.fields[step] : undefined), spec)?.meta?.text;
  };
}
