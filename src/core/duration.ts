/** Durations as manifests write them: `60s`, `5m`, `1h`. */

import { z } from "zod";

/** A time that passes: none is no duration. */
export const durationSchema = z.string().regex(/^[1-9]\d*(s|m|h)$/, "must be a time such as 60s, 5m or 1h");

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a text that fits the schema. */
export function milliseconds(text: string): number {
  return Number.parseInt(text, 10) * (UNIT_MS[text.slice(-1)] ?? 0);
}
