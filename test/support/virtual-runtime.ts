/**
 * Virtual time and seeded chance: hours of leases and back-offs pass in milliseconds, and the same seed replays the same run.
 *
 * A {@link VirtualWorld} owns the one clock and the queue of wake-ups. Each {@link VirtualProcess} is a Runtime over it,
 * with its own skew, that can be frozen (SIGSTOP) or killed (kill -9): a killed process's sleeps never end, so everything it
 * was doing stops at its current await. {@link VirtualWorld.run} lets all ready code run, then wakes the next sleeper;
 * sleepers due at the same moment wake in an order that the seed decides. Code under it must not do real I/O.
 */

import type { Runtime } from "../../src/core/store.ts";

/** 2026-01-01T00:00:00Z: an arbitrary start, so that printed times look like times. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);

export type VirtualProcess = Runtime & {
  readonly name: string;
  readonly alive: () => boolean;
  /** Resolves when the process is killed. */
  readonly killed: Promise<void>;
  kill(): void;
  /** Wake-ups are held back until {@link thaw}; its monotonic clock goes on, as after SIGSTOP. */
  freeze(): void;
  thaw(): void;
};

export type ProcessOptions = {
  /** What its wall clock is ahead by. */
  readonly skewMs?: number;
  /** How fast its monotonic clock and timers go; 1.001 gains a millisecond a second. */
  readonly rate?: number;
};

export type RunLimits = {
  /** Virtual time after which the run is given up. */
  readonly untilMs?: number;
  /** Wake-ups after which the run is given up. */
  readonly stepsMax?: number;
  /** Called after each wake-up, when everything it made ready has run. */
  readonly onStep?: () => void;
};

type State = "running" | "frozen" | "killed";
type Wakeup = { readonly at: number; readonly order: number; readonly state: () => State; readonly fire: () => void };

// A day of virtual time and a million wake-ups: far above any test, so that a loop that never rests is an error, not a hang.
const UNTIL_MS = 86_400_000;
const STEPS_MAX = 1_000_000;

export class VirtualWorld {
  readonly seed: number;
  #chance: number;
  #nowMs = 0;
  #wakeups: Wakeup[] = [];
  #uids = 0;
  #lines: string[] = [];

  constructor(seed = 1) {
    this.seed = seed;
    this.#chance = seed >>> 0;
  }

  /** Virtual milliseconds since the start. */
  get elapsedMs(): number {
    return this.#nowMs;
  }

  /** The run's story so far, for the message of a failing seed. */
  get trace(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line to the story, with its virtual time. */
  note(line: string): void {
    this.#lines.push(`${this.#nowMs.toFixed(0).padStart(8)} ms  ${line}`);
  }

  /** The next number in [0, 1): mulberry32, the same sequence for the same seed. */
  random(): number {
    this.#chance = (this.#chance + 0x6d2b79f5) >>> 0;
    let mixed = this.#chance;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** The world's own wait, of clouds and scenarios: nothing freezes or kills it. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#wake(ms, () => "running", resolve));
  }

  /** A new process with clocks of its own. */
  process(name: string, options: ProcessOptions = {}): VirtualProcess {
    const { skewMs = 0, rate = 1 } = options;
    const bornMs = this.between(0, 1_000_000);
    let state: State = "running";
    let onKilled = (): void => {};
    const killed = new Promise<void>((resolve) => {
      onKilled = resolve;
    });
    const change = (from: State | "any", to: State): void => {
      if (state === "killed" || (from !== "any" && state !== from)) return;
      state = to;
      this.note(`${name} is ${to}`);
      if (to === "killed") onKilled();
    };
    return {
      name,
      alive: () => state !== "killed",
      killed,
      kill: () => change("any", "killed"),
      freeze: () => change("running", "frozen"),
      thaw: () => change("frozen", "running"),
      now: () => EPOCH_MS + skewMs + this.#nowMs,
      monotonic: () => bornMs + this.#nowMs * rate,
      uid: () => this.#uid(),
      sleep: (ms, signal) => this.#sleep(ms / rate, () => state, signal),
    };
  }

  /**
   * Runs `main` to its end in virtual time. Throws what it throws; and throws, with the story so far, when nothing can ever
   * wake it again or a limit is passed.
   */
  async run<T>(main: () => Promise<T>, limits: RunLimits = {}): Promise<T> {
    const { untilMs = UNTIL_MS, stepsMax = STEPS_MAX, onStep } = limits;
    let settled = false;
    const result = main().finally(() => {
      settled = true;
    });
    result.catch(() => {});
    for (let steps = 0; ; steps++) {
      await ready();
      onStep?.();
      if (settled) return result;
      if (steps > stepsMax) throw this.#stuck(`${stepsMax} wake-ups were not enough`);
      if (!this.#step()) throw this.#stuck("nothing is left that could wake it");
      if (this.#nowMs > untilMs) throw this.#stuck(`${untilMs} virtual milliseconds were not enough`);
    }
  }

  /** Wakes the next sleeper that may run; false when there is none. */
  #step(): boolean {
    this.#wakeups = this.#wakeups.filter(({ state }) => state() !== "killed");
    let next: Wakeup | undefined;
    for (const wakeup of this.#wakeups) {
      if (wakeup.state() === "running" && (!next || wakeup.at < next.at || (wakeup.at === next.at && wakeup.order < next.order)))
        next = wakeup;
    }
    if (!next) return false;
    this.#wakeups.splice(this.#wakeups.indexOf(next), 1);
    this.#nowMs = Math.max(this.#nowMs, next.at);
    next.fire();
    return true;
  }

  #wake(ms: number, state: () => State, fire: () => void): Wakeup {
    const wakeup = { at: this.#nowMs + Math.max(0, ms), order: this.random(), state, fire };
    this.#wakeups.push(wakeup);
    return wakeup;
  }

  #sleep(ms: number, state: () => State, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#wakeups = this.#wakeups.filter((other) => other !== wakeup);
        reject(signal?.reason);
      };
      const wakeup = this.#wake(ms, state, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #uid(): string {
    this.#uids += 1;
    const chance = Math.floor(this.random() * 2 ** 32).toString(36);
    return `${this.#uids.toString(36)}x${chance}`.padEnd(26, "0").slice(0, 26);
  }

  #stuck(why: string): Error {
    return new Error(`seed ${this.seed}: the run did not end: ${why}\n${this.#lines.slice(-60).join("\n")}`);
  }
}

/** Resolves when all code that could run without a wake-up has run: Node empties its microtasks before each immediate. */
function ready(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
