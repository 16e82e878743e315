/**
 * The work queue: keys that are to be looked at, each at most once.
 *
 * Level-triggered: an entry says that something may have changed, never what, so any number of triggers for one key is one
 * entry, due at the earliest of their times. What is added while its key is worked on is due again afterwards. One timer runs,
 * for the earliest entry, however many there are.
 */

import type { Runtime } from "../core/store.ts";
import type { Trigger } from "./events.ts";

/** One key's entry as it is taken. */
export type Due = { readonly triggers: ReadonlySet<Trigger> };

type Entry = { dueMs: number; readonly since: Map<Trigger, number> };

/** See the file's header. */
export class WorkQueue<Key extends string> {
  readonly #runtime: Pick<Runtime, "monotonic" | "sleep">;
  readonly #entries = new Map<Key, Entry>();
  #woken = Promise.withResolvers<void>();

  constructor(runtime: Pick<Runtime, "monotonic" | "sleep">) {
    this.#runtime = runtime;
  }

  /** Makes the key due in `afterMs`, unless it is sooner already. */
  add(key: Key, afterMs: number, trigger: Trigger): void {
    const now = this.#runtime.monotonic();
    const entry = this.#entries.get(key) ?? { dueMs: Number.POSITIVE_INFINITY, since: new Map() };
    entry.since.set(trigger, Math.min(entry.since.get(trigger) ?? Number.POSITIVE_INFINITY, now + afterMs));
    this.#entries.set(key, entry);
    entry.dueMs = Math.min(entry.dueMs, now + afterMs);
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  /** The key is not looked at any more. */
  drop(key: Key): void {
    this.#entries.delete(key);
  }

  /** When the key is due, on the monotonic clock. */
  dueMs(key: Key): number | undefined {
    return this.#entries.get(key)?.dueMs;
  }

  /** Entries that are due by now, and how long the oldest of them has been. */
  backlog(): { readonly depth: number; readonly oldestMs: number } {
    const now = this.#runtime.monotonic();
    const late = [...this.#entries.values()].map(({ dueMs }) => now - dueMs).filter((ms) => ms >= 0);
    return { depth: late.length, oldestMs: Math.max(0, ...late) };
  }

  /**
   * Waits until a key is due, and takes every key that is due within the next `aheadMs`, so that those of about one time are
   * looked at together. Rejects with the signal's reason.
   */
  async take(signal: AbortSignal, aheadMs = 0): Promise<ReadonlyMap<Key, Due>> {
    for (;;) {
      signal.throwIfAborted();
      const now = this.#runtime.monotonic();
      const next = this.#earliestMs();
      if (next <= now) return this.#takeUntil(now + aheadMs);
      await this.#wait(next - now, signal);
    }
  }

  /** Resolves when a key is due for one of these triggers, and leaves it in the queue. Rejects with the signal's reason. */
  async whenDue(triggers: ReadonlySet<Trigger>, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const now = this.#runtime.monotonic();
      const next = this.#earliestMs(triggers);
      if (next <= now) return;
      await this.#wait(next - now, signal);
    }
  }

  #earliestMs(triggers?: ReadonlySet<Trigger>): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { dueMs, since } of this.#entries.values()) {
      if (!triggers) earliest = Math.min(earliest, dueMs);
      else for (const [trigger, atMs] of since) if (triggers.has(trigger)) earliest = Math.min(earliest, atMs);
    }
    return earliest;
  }

  #takeUntil(untilMs: number): ReadonlyMap<Key, Due> {
    const taken = new Map<Key, Due>();
    for (const [key, { dueMs, since }] of this.#entries) {
      if (dueMs > untilMs) continue;
      const triggers = new Set([...since].flatMap(([trigger, atMs]) => (atMs <= untilMs ? [trigger] : [])));
      taken.set(key, { triggers });
      this.#entries.delete(key);
    }
    return taken;
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const timer = Number.isFinite(ms) ? this.#runtime.sleep(ms, AbortSignal.any([signal, over.signal])) : aborted(signal, over.signal);
    try {
      await Promise.race([timer, this.#woken.promise]);
    } finally {
      over.abort();
      timer.catch(() => {});
    }
  }
}

/** Rejects with the signal's reason, or resolves once it is called off. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over });
    over.addEventListener("abort", () => resolve(), { once: true });
  });
}
