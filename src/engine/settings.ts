/** The engine's numbers, each with its source. */

import type { Settings } from "./types.ts";

/** Against AWS. */
export const DEFAULT_SETTINGS: Settings = Object.freeze({
  timeoutMs: 30 * 60_000, // CLI default --timeout; the slowest thing in the catalogue (certificate validation) may take longer, and says so.
  pollMinMs: 1_000,
  pollMaxMs: 15_000, // AWS's own waiters poll NAT gateways every 15 s.
  missesMin: 3, // Terraform wants two answers in a row of EC2's route reads; one more, because a wrong conclusion doubles an object.
  concurrency: 64, // Above any API's burst at half rate; the token buckets are what limits.
});

/** Against a local AWS, which is consistent at once: nothing takes minutes to show up. */
export const LOCAL_SETTINGS: Settings = Object.freeze({ ...DEFAULT_SETTINGS, pollMinMs: 50, pollMaxMs: 500, consistencyMs: 1_000 });
