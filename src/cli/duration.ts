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
