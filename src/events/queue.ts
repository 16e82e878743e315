/**
 * The queue that AWS's events come through, read until told to stop.
 *
 * Each message goes to one of all who read: an account's replicas share the queue, so whoever is handed an event decides whom it
 * concerns, and passes on what is another's. A message is deleted after it was handed on, and comes again where that failed: events
 * come at least once, in no order. What is no API call's record is deleted and counted. The queue may be missing (`bootstrap --events` makes it); it
 * is looked for again, like everything that fails, after a growing pause.
 */

import type { Caller } from "../aws/handle.ts";
import { backoffMs } from "../aws/runtime.ts";
import type { Runtime } from "../core/store.ts";
import { type ApiEvent, parseMessage } from "./event.ts";
import { sqs } from "./services.ts";

/** What it needs of the outside. */
export type QueueOptions = {
  /** Must let `QUEUE_OPERATIONS` through (src/aws/permissions.ts), and wait longer for an answer than the 20 s of a long poll. */
  readonly caller: Caller;
  readonly queue: string;
  readonly runtime: Pick<Runtime, "sleep" | "uid">;
  /** Told of every failure in a row, the first with `failures` 1, and with 0 when reading works again. */
  readonly onTrouble?: (trouble: { readonly failures: number; readonly error?: unknown }) => void;
  /** Told of messages that are no events. */
  readonly onMalformed?: (count: number) => void;
};

/** Takes the events of one message batch, ten at most, BEACON's own calls among them. Rejects: they come again. */
export type Consumer = (events: readonly ApiEvent[]) => Promise<void> | void;

// SQS's most, both: an idle reader costs three calls a minute.
const POLL_SECONDS = 20;
const BATCH = 10;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 60_000;

type Message = { readonly Body?: string | undefined; readonly ReceiptHandle?: string | undefined };

/** See the file's header. */
export class EventQueue {
  readonly #options: QueueOptions;
  #url: string | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Reads until the signal aborts, then resolves; what was received and not handed on by then comes again. Never rejects. */
  async run(consume: Consumer, signal: AbortSignal): Promise<void> {
    const { runtime, onTrouble } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#round(consume, signal);
        if (failures > 0) onTrouble?.({ failures: 0 });
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        // A queue that was made anew has another URL.
        this.#url = undefined;
        onTrouble?.({ failures, error });
        await runtime.sleep(backoffMs(runtime, failures, BACKOFF_BASE_MS, BACKOFF_CAP_MS), signal).catch(() => undefined);
      }
    }
  }

  async #round(consume: Consumer, signal: AbortSignal): Promise<void> {
    const { caller, queue, onMalformed } = this.#options;
    this.#url ??= (await caller.call(sqs, "GetQueueUrl", { QueueName: queue }, { signal })).QueueUrl;
    const request = { QueueUrl: this.#url, MaxNumberOfMessages: BATCH, WaitTimeSeconds: POLL_SECONDS };
    const { Messages = [] } = await caller.call(sqs, "ReceiveMessage", request, { signal });
    if (Messages.length === 0) return;
    const events = Messages.flatMap(({ Body }) => parseMessage(Body) ?? []);
    if (events.length < Messages.length) onMalformed?.(Messages.length - events.length);
    if (events.length > 0) await consume(events);
    await this.#delete(Messages);
  }

  // Without the signal: what was handed on should not come again because somebody is stopping.
  async #delete(messages: readonly Message[]): Promise<void> {
    const Entries = messages.flatMap(({ ReceiptHandle }, index) => (ReceiptHandle ? [{ Id: String(index), ReceiptHandle }] : []));
    await this.#options.caller.call(sqs, "DeleteMessageBatch", { QueueUrl: this.#url, Entries });
  }
}
