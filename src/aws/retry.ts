/**
 * What is sent again, and what never is.
 *
 * A throttled call was not executed, so it is sent again whatever it is. A read is also sent again when it failed in any way
 * that may pass. A write is never repeated here: what becomes of an ambiguous one is the engine's to find out.
 */

import type { Runtime } from "../core/store.ts";
import { AwsError } from "./errors.ts";
import { backoffMs } from "./runtime.ts";

// With half a second doubling to 20 s, ten throttles in a row take about 80 s on average: longer than any AWS bucket needs.
const THROTTLED_MAX = 10;
const THROTTLED_BASE_MS = 500;
const THROTTLED_CAP_MS = 20_000;
const READS_MAX = 3;
const READ_BASE_MS = 200;
const READ_CAP_MS = 2000;

/** What is retried, and on whose clock. `onThrottled` hears of every throttle, the last one too. */
export type RetryOptions = {
  readonly runtime: Pick<Runtime, "sleep" | "uid">;
  readonly mutating: boolean;
  readonly signal?: AbortSignal;
  readonly onThrottled: () => void;
};

/** Calls `attempt` until it succeeds or fails for good. `attempt` throws {@link AwsError}; anything else goes through at once. */
export async function withRetries<T>(attempt: (retry: boolean) => Promise<T>, options: RetryOptions): Promise<T> {
  const { runtime, signal } = options;
  let throttled = 0;
  let failed = 0;
  while (true) {
    try {
      return await attempt(throttled + failed > 0);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.verdict === "throttled") options.onThrottled();
      if (error.verdict === "throttled" && ++throttled < THROTTLED_MAX) {
        await runtime.sleep(backoffMs(runtime, throttled, THROTTLED_BASE_MS, THROTTLED_CAP_MS), signal);
      } else if (passing(error, options.mutating) && ++failed < READS_MAX) {
        await runtime.sleep(backoffMs(runtime, failed, READ_BASE_MS, READ_CAP_MS), signal);
      } else throw error;
    }
  }
}

function passing(error: AwsError, mutating: boolean): boolean {
  return !mutating && (error.verdict === "ambiguous" || error.verdict === "unsent");
}
