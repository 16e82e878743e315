/** `$for` variables written out: an expression that stays must make sense without the loop it stood in. */

import { isObject, type Json } from "../core/json.ts";
import type { Expression } from "./language.ts";
import { fromCel } from "./values.ts";

/** A variable, and how its value is written in its place. */
export type Loop = { readonly name: string; readonly text: () => string };

/** The expression's text with every loop variable replaced by its value. */
export function loopedText({ text, references }: Expression, loops: readonly Loop[]): string {
  const values = new Map(loops.map((loop) => [loop.name, loop.text]));
  // From the end, so that the offsets of what stands before stay true.
  const uses = references.filter(({ root }) => values.has(root)).toSorted((a, b) => b.start - a.start);
  return uses.reduce((result, { root, start }) => result.slice(0, start) + values.get(root)?.() + result.slice(start + root.length), text);
}

/** A variable's value as an expression: a resource by its path, data by a literal, and what is neither, or not all known, by its place in the list. */
export function loopValueText(value: unknown, path: string | undefined, inList: () => string): string {
  if (path !== undefined) return path;
  try {
    return literal(fromCel(value) ?? null);
  } catch {
    return inList();
  }
}

/** The text so that an index may follow it. */
export function parenthesized(text: string): string {
  return /^[\w.]+$/.test(text) ? text : `(${text})`;
}

/** JSON as CEL text. */
export function literal(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, element]) => `${JSON.stringify(name)}: ${literal(element ?? null)}`);
  return `{${members.join(", ")}}`;
}
