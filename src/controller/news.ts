/**
 * Revisions and requests that others write while a stack is held here: read once it is known that some came.
 *
 * The worker takes them in between two passes, never in the middle of one.
 */

import { equal, type Json } from "../core/json.ts";
import type { Stack } from "../core/resource.ts";
import type { StackNews } from "../core/store.ts";
import type { Trigger } from "./events.ts";
import type { Tools } from "./tools.ts";
import { WorkQueue } from "./work-queue.ts";

/** Who takes the news in. */
export type NewsOptions = {
  /** What is known by now; undefined while the state is still being loaded. */
  readonly known: () => StackNews | undefined;
  /** Told of each that differs from what is known. */
  readonly heard: (trigger: Trigger) => void;
};

/** See the file's header. */
export class News {
  readonly #stack: Stack;
  readonly #tools: Tools;
  readonly #options: NewsOptions;
  /** One entry, which waits for its time. */
  readonly #due: WorkQueue<"news">;
  #unheard: StackNews | undefined;

  constructor(stack: Stack, tools: Tools, options: NewsOptions) {
    this.#stack = stack;
    this.#tools = tools;
    this.#options = options;
    this.#due = new WorkQueue(tools.runtime);
  }

  /** Something was written. */
  came(): void {
    this.#due.add("news", 0, "request");
  }

  /** What was read last and not taken yet. */
  take(): StackNews | undefined {
    const news = this.#unheard;
    this.#unheard = undefined;
    return news;
  }

  /** Reads what comes, until it is told to stop. */
  async watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#due.take(signal);
      } catch {
        return;
      }
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    const { store, pace, tell } = this.#tools;
    const again = () => this.#due.add("news", pace.newsMs, "retry");
    try {
      const news = await store.news(this.#stack);
      const known = this.#unheard ?? this.#options.known();
      // A revision that was written here while this was on its way is the newer one.
      if (!known || isBehind(news, known)) return again();
      if (equal(relevant(news), relevant(known))) return;
      this.#unheard = news;
      this.#options.heard(equal(known.revision as unknown as Json, news.revision as unknown as Json) ? "request" : "revision");
    } catch (error) {
      tell({ type: "passFailed", stack: this.#stack, message: `the state table: ${(error as Error).message}`, retryInMs: pace.newsMs });
      again();
    }
  }
}

function isBehind(news: StackNews, known: StackNews): boolean {
  return news.revision !== undefined && known.revision !== undefined && news.revision.number < known.revision.number;
}

function relevant({ revision, requests }: StackNews): Json {
  return { revision, requests } as unknown as Json;
}
