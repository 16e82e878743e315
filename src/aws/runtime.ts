/** The real time and chance of this machine; the simulation hands in its own. */

import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Runtime } from "../core/store.ts";

const UID_LENGTH = 26;
// 32 letters, so that 5 bits of a random byte choose one without bias; those that look alike (i, l, o, u) are left out.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Wall clock, monotonic clock, timers and random ids (130 bits) of this process. */
export const systemRuntime: Runtime = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      // Node rejects with an AbortError of its own; the port promises the signal's reason.
      signal?.throwIfAborted();
      throw error;
    }
  },
  uid: () => Array.from(randomBytes(UID_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join(""),
});

/** A number in [0, 1), by the runtime's own chance. */
function fraction(runtime: Pick<Runtime, "uid">): number {
  return createHash("sha256").update(runtime.uid()).digest().readUInt32BE(0) / 2 ** 32;
}

// Enough that what began together falls apart within some rounds, and too little for anybody to miss an interval.
const JITTER = 0.05;

/** The interval, up to 5 percent shorter or longer: what began together must not be due in the same millisecond for ever. */
export function jittered(runtime: Pick<Runtime, "uid">, intervalMs: number): number {
  return intervalMs * (1 + JITTER * (2 * fraction(runtime) - 1));
}

/**
 * The wait before retry number `attempt` (from 0): between nothing and `baseMs` doubled each time, `capMs` at most. Full jitter,
 * as the AWS Architecture Blog found best ("Exponential Backoff And Jitter").
 */
export function backoffMs(runtime: Pick<Runtime, "uid">, attempt: number, baseMs: number, capMs: number): number {
  return fraction(runtime) * Math.min(capMs, baseMs * 2 ** attempt);
}
