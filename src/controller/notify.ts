/**
 * Messages to Slack about what a controller does.
 *
 * Whoever tells an event is never held up: it goes into its stack's digest, and one loop sends. A digest gathers for a few
 * seconds, so that what happens together is one message; while the rate or a failing webhook makes it wait, it gathers on, and
 * is bounded (notify-text.ts). So nothing is lost, and nothing grows. A message that had no answer may come twice.
 */

import { backoffMs } from "../aws/runtime.ts";
import type { Log } from "../core/log.ts";
import { stackName } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";
import { postAlert } from "../monitor/alert.ts";
import type { ControllerEvent, Listener } from "./events.ts";
import { countOf, type Digest, emptyDigest, joinedMessage, merged, messageOf, type Note, noteOf, withNote } from "./notify-text.ts";
import { Repeats } from "./repeats.ts";

/** How messages are paced. */
export type Pace = {
  /** How long a stack's notes gather before they are sent. */
  readonly gatherMs: number;
  /** Between two messages. */
  readonly everyMs: number;
  readonly perMinuteMax: number;
  /** The longest wait after failures, and the one after a refusal that another try will not change. */
  readonly retryMaxMs: number;
};

/** "Incoming webhooks: 1 per second" (https://docs.slack.dev/apis/web-api/rate-limits); twenty a minute are as many as people read. */
export const PACE: Pace = Object.freeze({ gatherMs: 3000, everyMs: 1000, perMinuteMax: 20, retryMaxMs: 60_000 });

/** What a notifier is made of. `url` is a secret. */
export type NotifierOptions = {
  readonly url: string;
  readonly runtime: Pick<Runtime, "monotonic" | "sleep" | "uid">;
  readonly log: Log;
  readonly pace?: Pace;
  readonly fetch?: typeof fetch;
};

type Waiting = { digest: Digest; readonly sinceMs: number };

const MINUTE_MS = 60_000;
const RETRY_BASE_MS = 1000;
// A process that is told to end has half a minute by ECS's and Kubernetes' defaults, and leases to hand over.
const FLUSH_MS = 5000;
// With some 20 kB a digest, 2 MB at most; what more stacks tell shares one.
const STACKS_MAX = 100;
const OTHERS = "other stacks";

/** See the file's header. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #pace: Pace;
  readonly #waiting = new Map<string, Waiting>();
  readonly #repeats = new Repeats();
  /** Aborted when it is told to close: nothing gathers any more. */
  readonly #closing = new AbortController();
  /** Aborted when the time to close is over. */
  readonly #late = new AbortController();
  readonly #sending: Promise<void>;
  #sentMs: readonly number[] = [];
  #failures = 0;
  #notBeforeMs = 0;
  #news = Promise.withResolvers<void>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#pace = options.pace ?? PACE;
    this.#sending = this.#run();
  }

  readonly listener: Listener = (event) => {
    if (this.#closing.signal.aborted || this.#repeats.has(event)) return;
    const note = noteOf(event);
    if (note) this.#add(event, note);
  };

  /** Sends what is left, in one message, if it can in this time; says how many notes it could not send. Idempotent. */
  async close(withinMs: number = FLUSH_MS): Promise<void> {
    if (this.#closing.signal.aborted) return this.#sending;
    this.#closing.abort();
    this.#news.resolve();
    const timer = new AbortController();
    const { runtime, log } = this.#options;
    void runtime.sleep(withinMs, timer.signal).then(
      () => this.#late.abort(),
      () => {},
    );
    await this.#sending;
    timer.abort();
    const notes = [...this.#waiting.values()].reduce((sum, { digest }) => sum + countOf(digest), 0);
    if (notes > 0) log("warn", "notifications not sent before the end", { notes, stacks: [...this.#waiting.keys()] });
  }

  #add({ stack }: ControllerEvent, note: Note): void {
    const own = stackName(stack);
    const isKnown = this.#waiting.has(own) || this.#waiting.size < STACKS_MAX;
    const name = isKnown ? own : OTHERS;
    const before = this.#waiting.get(name);
    const told = isKnown ? note : { ...note, text: `${own}: ${note.text}` };
    const sinceMs = before?.sinceMs ?? this.#options.runtime.monotonic();
    this.#waiting.set(name, { digest: withNote(before?.digest ?? emptyDigest(name), told), sinceMs });
    this.#news.resolve();
  }

  async #run(): Promise<void> {
    for (;;) {
      const { signal } = this.#closing;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
      while (this.#waiting.size > 0 && !this.#late.signal.aborted) await this.#next();
      if (signal.aborted) return;
    }
  }

  /** Waits until one may be sent, and sends it. */
  async #next(): Promise<void> {
    const { runtime } = this.#options;
    const [oldest] = this.#waiting.values();
    const isClosing = this.#closing.signal.aborted;
    const gatheredMs = isClosing ? 0 : (oldest?.sinceMs ?? 0) + this.#pace.gatherMs;
    const atMs = Math.max(gatheredMs, this.#notBeforeMs, slotMs(this.#sentMs, this.#pace));
    const waitMs = atMs - runtime.monotonic();
    if (waitMs <= 0) return this.#send(isClosing ? [...this.#waiting.values()] : [...this.#waiting.values()].slice(0, 1));
    // Whatever ends the wait early, it is thought over again.
    await runtime.sleep(waitMs, isClosing ? this.#late.signal : this.#closing.signal).catch(() => {});
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { url, runtime, log, fetch } = this.#options;
    const digests = batch.map(({ digest }) => digest);
    for (const { stack } of digests) this.#waiting.delete(stack);
    const nowMs = runtime.monotonic();
    this.#sentMs = [...this.#sentMs.filter((ms) => nowMs - ms < MINUTE_MS), nowMs];
    const text = digests.length === 1 ? messageOf(digests[0] as Digest) : joinedMessage(digests);
    const posted = await postAlert(url, text, { signal: this.#late.signal, ...(fetch ? { fetch } : {}) });
    if (posted.sent) {
      this.#failures = 0;
      log("debug", "notification sent", { stacks: digests.map(({ stack }) => stack), notes: sumOf(digests) });
      return;
    }
    const { again, why, afterMs = 0 } = posted;
    const backMs = again
      ? RETRY_BASE_MS + backoffMs(runtime, this.#failures++, RETRY_BASE_MS, this.#pace.retryMaxMs)
      : this.#pace.retryMaxMs;
    const retryInMs = Math.round(Math.max(afterMs, backMs));
    this.#notBeforeMs = runtime.monotonic() + retryInMs;
    // What is refused for its text would be for ever: its counts alone go out.
    this.#putBack(batch.map((waiting) => (again ? waiting : { ...waiting, digest: { ...waiting.digest, lines: [] } })));
    log("warn", "notification not sent", { why, retryInMs, notes: sumOf(digests) });
  }

  /** Before everything that came meanwhile. */
  #putBack(batch: readonly Waiting[]): void {
    const meanwhile = [...this.#waiting];
    this.#waiting.clear();
    for (const waiting of batch) this.#waiting.set(waiting.digest.stack, waiting);
    for (const [name, later] of meanwhile) {
      const earlier = this.#waiting.get(name);
      this.#waiting.set(name, earlier ? { ...earlier, digest: merged(earlier.digest, later.digest) } : later);
    }
  }
}

/** When the next message may leave, after those that left at these times. Pure. */
export function slotMs(sentMs: readonly number[], { everyMs, perMinuteMax }: Pace): number {
  const last = sentMs.at(-1);
  const first = sentMs.at(-perMinuteMax);
  return Math.max(last === undefined ? 0 : last + everyMs, first === undefined ? 0 : first + MINUTE_MS);
}

function sumOf(digests: readonly Digest[]): number {
  return digests.reduce((sum, digest) => sum + countOf(digest), 0);
}
