/** `$for` variables written out: an expression that stays must make sense without the loop it stood in. */

import { isObject, type Json } from "../core/json.ts";
import type { Expression } from "./language.ts";
import { fromCel } from "./types.ts";

/** The expression's text with every loop variable replaced by its value: a resource by its path, data by a literal. */
export function loopedText(
  { text, references }: Expression,
  loops: readonly { readonly name: string; readonly value: unknown }[],
  pathOf: (value: unknown) => string | undefined,
): string {
  const values = new Map(loops.map(({ name, value }) => [name, pathOf(value) ?? literal(fromCel(value) ?? null)]));
  // From the end, so that the offsets of what stands before stay true.
  const uses = references.filter(({ root }) => values.has(root)).toSorted((a, b) => b.start - a.start);
  return uses.reduce((result, { root, start }) => result.slice(0, start) + values.get(root) + result.slice(start + root.length), text);
}

/** JSON as CEL text. */
export function literal(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, element]) => `${JSON.stringify(name)}: ${literal(element ?? null)}`);
  return `{${members.join(", ")}}`;
}
