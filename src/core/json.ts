/**
 * Plain JSON values, their equality and their fingerprints.
 *
 * Everything BEACON compares or stores is a {@link Json}: desired specs, observed objects, records. `undefined` members
 * are treated as absent, so that a value read back from the store equals the value written.
 */

import { createHash } from "node:crypto";

/** A JSON value. */
export type Json = null | boolean | number | string | JsonArray | JsonObject;
/** A JSON array. */
export type JsonArray = readonly Json[];
/** A JSON object; an `undefined` member counts as absent. */
export type JsonObject = { readonly [member: string]: Json | undefined };

/** True for objects, false for arrays, `null` and scalars. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deep equality; the order of object members does not count, the order of array elements does. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((element, index) => equal(element, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const members = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...members].every((member) => equal(left[member], right[member]));
}

/** JSON text with members sorted at every level, so that equal values have equal texts. */
export function canonical(value: Json | undefined): string {
  if (value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .filter((member) => value[member] !== undefined)
    .sort()
    .map((member) => `${JSON.stringify(member)}:${canonical(value[member])}`);
  return `{${members.join(",")}}`;
}

/** SHA-256 of the canonical text, in hex, cut to `length` characters (64 at most). */
export function digest(value: Json | undefined, length = 64): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, length);
}
