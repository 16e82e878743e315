/** Drift in a few words: one line for people, however large the values are. */

import type { Json } from "../core/json.ts";
import type { Attribution, Drift } from "../core/record.ts";

const VALUE_MAX = 80;

/** `tags.Team: "a" → "b"`. */
export function driftWords({ path, from, to }: Drift): string {
  return path === "" ? "the object is gone" : `${path}: ${short(from)} → ${short(to)}`;
}

/** `arn:aws:iam::1:user/ops from 203.0.113.9 (ec2:CreateTags)`. */
export function whoWords({ principal, sourceIp, action }: Attribution): string {
  return `${principal} from ${sourceIp} (${action})`;
}

/** The text, or as much of it as fits, on one line. */
export function clipped(text: string, max: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

function short(value: Json | undefined): string {
  return value === undefined ? "nothing" : clipped(JSON.stringify(value), VALUE_MAX);
}
