/** Durations as manifests write them: `60s`, `5m`, `1h`. */

import { z } from "zod";

/** A time that passes: none is no duration. */
export const durationSchema = z.string().regex(/^[1-9]\d*(s|m|h)$/, "must be a time such as 60s, 5m or 1h");

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** The text that stands for so many milliseconds: `5m`, `90s`. */
export function durationText(ms: number): string {
  const [unit, size] = Object.entries(UNIT_MS).findLast(([, size]) => ms % size === 0) ?? ["s", 1000];
  return `${Math.round(ms / size)}${unit}`;
}

/** Milliseconds of a text that fits the schema. */
export function milliseconds(text: string): number {
  return Number.parseInt(text, 10) * (UNIT_MS[text.slice(-1)] ?? 0);
}
