/** AWS's names and the manifest's, where they differ by their first letter alone: by a field's shape, at any depth. */

import { isObject, type Json } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";
import { upper, wordsOf } from "./words.ts";

const CAPITALS = wordsOf({ spellings: {} });

/** The value with AWS's capitals. Keys of maps are the user's own, and stay. */
export function toAws(value: Json | undefined, shape: Shape): unknown {
  if (Array.isArray(value)) return shape.type === "array" ? value.map((item) => toAws(item, shape.element)) : value;
  if (!isObject(value)) return value ?? undefined;
  if (shape.type === "map") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toAws(inner, shape.element)]));
  if (shape.type !== "object") return value;
  const members = Object.entries(shape.fields).filter(([name]) => value[name] !== undefined);
  return Object.fromEntries(members.map(([name, inner]) => [upper(name), toAws(value[name], inner)]));
}

/** The value with capitals at any depth, where no map has keys of the user's own. */
export function capitals(value: unknown): unknown {
  return CAPITALS.toAws(value as Json | undefined);
}

/** AWS's value in the manifest's words; what the shape has no words for, and what is empty, is left out. */
export function fromAws(value: unknown, shape: Shape): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => (shape.type === "array" ? (fromAws(item, shape.element) ?? null) : (item as Json)));
  if (!isObject(value)) return value as Json;
  const fields: [name: string, given: Json | undefined, inner: Shape][] =
    shape.type === "object"
      ? Object.entries(shape.fields).map(([name, inner]) => [name, value[upper(name)], inner])
      : shape.type === "map"
        ? Object.entries(value).map(([key, given]) => [key, given, shape.element])
        : [];
  const members = fields.map(([name, given, inner]) => [name, fromAws(given, inner)] as const);
  return Object.fromEntries(members.filter(([, member]) => !isEmpty(member)));
}

/** Says nothing: AWS answers with empty lists and objects where there is none. */
export function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
}
