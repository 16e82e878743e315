/** Durations as people write them: `30m`, `90s`, `1h`, `2d`. */

import { BeaconError } from "../core/errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `30m`, `90s`, `500ms`. Throws UsageInvalid, naming the option. */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ""];
  if (!match || unit === undefined)
    throw new BeaconError("UsageInvalid", `${option} does not take "${text}"`, { next: `write ${option} 30m, 90s or 1h` });
  return Number(match[1]) * unit;
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
