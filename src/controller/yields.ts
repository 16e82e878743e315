/**
 * Who asked to have a stack for a while, judged without trusting two machines to have the same time.
 *
 * A request says by its author's clock when it was made and until when it holds. How long that is, both sides agree on; it is
 * counted from when the request was first seen, on one's own monotonic clock.
 */

import type { StackRequest } from "../core/record.ts";
import { type Stack, stackName } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";

// SigV4 refuses a clock that is off by more than five minutes, so two machines that work are at most twice that apart: what
// was over before that was left behind by somebody who is gone.
const CLOCKS_APART_MAX_MS = 600_000;

/** See the file's header. */
export class Yields {
  readonly #runtime: Pick<Runtime, "now" | "monotonic">;
  readonly #seen = new Map<string, { readonly at: string; readonly sinceMs: number }>();

  constructor(runtime: Pick<Runtime, "now" | "monotonic">) {
    this.#runtime = runtime;
  }

  /** Whether somebody is to have the stack now; `requests`: all of the stack's, as just read. */
  isOn(stack: Stack, requests: readonly StackRequest[]): boolean {
    const name = stackName(stack);
    const request = requests.find(({ type }) => type === "yield");
    if (request?.type !== "yield" || Date.parse(request.until) + CLOCKS_APART_MAX_MS < this.#runtime.now()) {
      this.#seen.delete(name);
      return false;
    }
    const before = this.#seen.get(name);
    const seen = before?.at === request.at ? before : { at: request.at, sinceMs: this.#runtime.monotonic() };
    this.#seen.set(name, seen);
    return this.#runtime.monotonic() - seen.sinceMs < Date.parse(request.until) - Date.parse(request.at);
  }
}
