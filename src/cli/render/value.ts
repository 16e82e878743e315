/** Values as one short line: numbers and words bare, text quoted where it must be, objects as `a: 1, b: 2`. */

import type { MemberText } from "../../core/field.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { isUnknown } from "../../core/unknown.ts";

// Longer texts are cut in a plan: the column must stay readable, and -o json has them whole.
const TEXT_MAX = 120;

/** `renderValue({fromPort: 22, cidrIpv4: "0.0.0.0/0"})` is `fromPort: 22, cidrIpv4: 0.0.0.0/0`. `text`: the field's own words for a member. */
export function renderValue(value: Json | undefined, text?: MemberText): string {
  const whole = renderWhole(value, text);
  return whole.length > TEXT_MAX ? `${whole.slice(0, TEXT_MAX - 1)}…` : whole;
}

/** Likewise, however long it is: for what a person may want to copy. */
export function renderWhole(value: Json | undefined, text?: MemberText): string {
  if (value === undefined) return "(none)";
  return (text && ownWords(value, text)) ?? (isObject(value) && !isUnknown(value) ? members(value) || "{}" : inline(value));
}

function ownWords(value: Json, text: MemberText): string | undefined {
  if (Array.isArray(value))
    return value.length > 0 ? value.map((member) => ownWords(member, text) ?? inline(member)).join(", ") : undefined;
  return isObject(value) && !isUnknown(value) ? text(withReferences(value)) : undefined;
}

// What AWS has yet to choose reads as the expression it comes from.
function withReferences(member: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(member).map(([name, value]) => [name, isUnknown(value) ? inline(value) : value]));
}

function inline(value: Json | undefined): string {
  if (isUnknown(value)) return `<${value.$unknown}>`;
  if (typeof value === "string") return quoteIfNeeded(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isObject(value)) return `{${members(value)}}`;
  return String(value);
}

function members(value: { readonly [member: string]: Json | undefined }): string {
  const present = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return present.map(([name, inner]) => `${name}: ${inline(inner)}`).join(", ");
}

// Text that would read as something else (empty, a number, a boolean, with edges or line breaks) is quoted.
function quoteIfNeeded(text: string): string {
  const misleading = text === "" || text.trim() !== text || /[\n\t"]/.test(text) || /^(-?\d+(\.\d+)?|true|false|null|\(none\))$/.test(text);
  return misleading ? JSON.stringify(text) : text;
}
