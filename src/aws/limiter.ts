/**
 * Token buckets in front of every AWS call.
 *
 * A bucket starts full at the published capacity and refills at the published rate, both times the factor (half by default).
 * A throttle cuts the factor; it comes back within a minute of quiet. Callers reserve a token first and wait for it after,
 * so they are served in the order they came, and a bucket may owe tokens for a while.
 */

import type { Runtime } from "../core/store.ts";
import { type BucketUse, bucketsOf, type Limit } from "./limits.ts";

/** A bucket at one moment. `tokens` is below zero while callers wait for what they reserved. */
export type Bucket = { readonly limit: Limit; readonly tokens: number; readonly atMs: number; readonly factor: number };

// A throttle says the rate was too high by an unknown amount: the usual multiplicative decrease, additive increase of AIMD.
const CUT = 0.7;
const FLOOR = 0.02;
const RECOVERY_MS = 60_000;
// Calls in flight when the first is throttled fail together: they are one sign, not many.
const ONE_SIGN_MS = 1000;

/** A bucket nothing was taken from; it holds one token at least. */
export function fullBucket(limit: Limit, factor: number, atMs: number): Bucket {
  return { limit, factor, atMs, tokens: Math.max(1, limit.capacity * factor) };
}

/** The bucket at a later moment: tokens flowed in, and the factor recovered towards `base`. */
export function refilled(bucket: Bucket, base: number, nowMs: number): Bucket {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  const tokens = bucket.tokens + (elapsedMs / 1000) * bucket.limit.refillPerSecond * bucket.factor;
  return {
    limit: bucket.limit,
    atMs: nowMs,
    tokens: Math.min(Math.max(1, bucket.limit.capacity * bucket.factor), tokens),
    factor: Math.min(base, bucket.factor + (base * elapsedMs) / RECOVERY_MS),
  };
}

/** Takes one token, and says how long its taker must wait for it. */
export function reserved(bucket: Bucket): { bucket: Bucket; waitMs: number } {
  const tokens = bucket.tokens - 1;
  const waitMs = tokens >= 0 ? 0 : (-tokens / (bucket.limit.refillPerSecond * bucket.factor)) * 1000;
  return { bucket: { ...bucket, tokens }, waitMs };
}

/** After a throttle: a lower rate, and nothing saved up. */
export function cut(bucket: Bucket, base: number): Bucket {
  return { ...bucket, factor: Math.max(base * FLOOR, bucket.factor * CUT), tokens: Math.min(0, bucket.tokens) };
}

/** All buckets of one account and region. `factor` is the share of AWS's rates to use; Infinity sets no limit. */
export class RateLimiter {
  readonly #runtime: Pick<Runtime, "monotonic" | "sleep">;
  readonly #whole: number;
  #factor: number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #cutAtMs = new Map<string, number>();

  constructor(runtime: Pick<Runtime, "monotonic" | "sleep">, factor: number) {
    this.#runtime = runtime;
    this.#whole = factor;
    this.#factor = factor;
  }

  /** Others use the same account's rates: each of `count` takes its part. */
  shareWith(count: number): void {
    this.#factor = this.#whole / Math.max(1, count);
  }

  /** Resolves when a call of `operation` may be sent. Rejects with the signal's reason, and gives the token back. */
  async take(operation: string, signal?: AbortSignal): Promise<void> {
    if (this.#factor === Number.POSITIVE_INFINITY) return;
    const uses = bucketsOf(operation);
    const waitMs = Math.max(...uses.map((use) => this.#reserve(use)));
    if (waitMs === 0) return;
    try {
      await this.#runtime.sleep(waitMs, signal);
    } catch (error) {
      for (const use of uses) this.#change(use, (bucket) => ({ ...bucket, tokens: bucket.tokens + 1 }));
      throw error;
    }
  }

  /** Lowers the rate of the buckets that `operation` draws from. */
  throttled(operation: string): void {
    if (this.#factor === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#runtime.monotonic();
    for (const use of bucketsOf(operation)) {
      if (nowMs - (this.#cutAtMs.get(use.id) ?? Number.NEGATIVE_INFINITY) < ONE_SIGN_MS) continue;
      this.#cutAtMs.set(use.id, nowMs);
      this.#change(use, (bucket) => cut(bucket, this.#factor));
    }
  }

  #reserve(use: BucketUse): number {
    let waitMs = 0;
    this.#change(use, (bucket) => {
      const taken = reserved(bucket);
      waitMs = taken.waitMs;
      return taken.bucket;
    });
    return waitMs;
  }

  #change({ id, limit }: BucketUse, change: (bucket: Bucket) => Bucket): void {
    const nowMs = this.#runtime.monotonic();
    const bucket = this.#buckets.get(id) ?? fullBucket(limit, this.#factor, nowMs);
    this.#buckets.set(id, change(refilled(bucket, this.#factor, nowMs)));
  }
}
