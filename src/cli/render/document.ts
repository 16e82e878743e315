/** The changed lines of a document: a policy, a body, a script. */

import { diffLines } from "diff";
import { isObject, type Json } from "../../core/json.ts";
import { holdsUnknown } from "../../core/unknown.ts";

/** One line of a document's difference. */
export type DocumentLine = { readonly sign: "+" | "-" | " "; readonly text: string };

/** True for values that are compared line by line: nested objects, and text of several lines. */
export function isDocument(value: Json | undefined): boolean {
  if (holdsUnknown(value)) return false;
  if (typeof value === "string") return value.includes("\n") || parsed(value) !== undefined;
  return isObject(value) && Object.values(value).some((member) => typeof member === "object" && member !== null);
}

/** Changed lines with one line of context; what is unchanged between them is left out. */
export function documentLines(before: Json | undefined, after: Json | undefined): DocumentLine[] {
  const lines = diffLines(pretty(before), pretty(after)).flatMap((part) => {
    const sign = part.added ? "+" : part.removed ? "-" : " ";
    return part.value
      .replace(/\n$/, "")
      .split("\n")
      .map((text): DocumentLine => ({ sign, text }));
  });
  const near = (index: number): boolean => [index - 1, index, index + 1].some((at) => (lines[at]?.sign ?? " ") !== " ");
  return lines.filter((_, index) => near(index));
}

function pretty(value: Json | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return `${JSON.stringify(value, null, 2)}\n`;
  const json = parsed(value);
  return json === undefined ? `${value}\n` : `${JSON.stringify(json, null, 2)}\n`;
}

// AWS hands policies out as JSON text.
function parsed(text: string): Json | undefined {
  if (!text.startsWith("{") && !text.startsWith("[")) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
