/** Durations as manifests write them, `60s`, `5m`, `1h`, and as they are shown. */

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

/** `0.2 s`, `38 s`, `4 min 10 s`, `3 h 5 min`, `2 d 1 h`: short, and precise where it matters. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min${pair(Math.round(seconds % 60), "s")}`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h${pair(minutes % 60, "min")}` : `${Math.floor(hours / 24)} d${pair(hours % 24, "h")}`;
}

/** `12 s ago`, `in 48 s`: an ISO time as seen at `now`, in epoch milliseconds. */
export function formatDistance(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  return ms > 0 ? `in ${rounded(ms)}` : `${rounded(-ms)} ago`;
}

// Tenths are noise where the clocks of two machines are compared.
function rounded(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

function pair(number: number, unit: string): string {
  return number === 0 ? "" : ` ${number} ${unit}`;
}
