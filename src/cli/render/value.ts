/** Values as one short line: numbers and words bare, text quoted where it must be, objects as `a: 1, b: 2`. */

import { isObject, type Json } from "../../core/json.ts";
import { isUnknown } from "../../core/unknown.ts";

// Longer texts are cut in a plan: the column must stay readable, and -o json has them whole.
const TEXT_MAX = 120;

/** `renderValue({fromPort: 22, cidrIpv4: "0.0.0.0/0"})` is `fromPort: 22, cidrIpv4: 0.0.0.0/0`. */
export function renderValue(value: Json | undefined): string {
  if (value === undefined) return "(none)";
  const text = isObject(value) && !isUnknown(value) ? members(value) : inline(value);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
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
