/** Trying again what failed in a way that passes. Every use is safe to repeat: a read, or a write that requires what it replaces. */

import { explainAwsError } from "../src/aws/classify.ts";
import { AwsError, isNamed } from "../src/aws/errors.ts";
import { backoffMs } from "../src/aws/runtime.ts";
import { BeaconError } from "../src/core/errors.ts";
import type { Runtime } from "../src/core/store.ts";

const BASE_MS = 50;
const CAP_MS = 1000;
// Six tries take about 1.5 s of waiting on average: a passing trouble, while a person who mistyped an endpoint hears of it soon.
const TRIES_MAX = 6;

/** True for a failure that may pass: throttled, ambiguous, or not sent at all. */
export function passes(error: unknown): error is AwsError {
  return error instanceof AwsError && error.verdict !== "refused";
}

/** Waits before try number `attempt` + 1. */
export function pause(runtime: Runtime, attempt: number): Promise<void> {
  return runtime.sleep(backoffMs(runtime, attempt, BASE_MS, CAP_MS));
}

/** Repeats `operation` while it fails in a way that passes, a few times. */
export async function patiently<T>(runtime: Runtime, operation: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!passes(error) || attempt + 1 >= TRIES_MAX) throw error;
      await pause(runtime, attempt);
    }
  }
}

/** True when the table itself does not exist. */
export function isTableMissing(error: unknown): boolean {
  return isNamed(error, ["ResourceNotFoundException"]);
}

/** A failed call to the table as a person should read it; anything else as it came. */
export function explained(error: unknown): unknown {
  if (!(error instanceof AwsError)) return error;
  if (!isTableMissing(error)) return explainAwsError(error);
  return new BeaconError("StateTableMissing", "the state table does not exist in this account and region", {
    next: "create it with: beaconctl bootstrap",
    cause: error,
  });
}
