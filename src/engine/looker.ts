/**
 * Looks during a run, shared: everything of one kind that wants to look within the same pause goes out as one list call,
 * so that fifty gateways that are being prepared cost one call a poll.
 */

import type { JsonObject } from "../core/json.ts";
import { stackName } from "../core/resource.ts";
import type { AnyKind, Scope } from "../kind/kind.ts";
import { RemoteIndex } from "./identify.ts";
import { look } from "./observe.ts";
import type { Context } from "./types.ts";

/** What one resource wants to see. */
export type Want = {
  /** Find objects by ownership tags, too. */
  readonly byTags: boolean;
  readonly ids: readonly string[];
  readonly names: readonly JsonObject[];
  readonly fields: Iterable<string>;
};

type Batch = { readonly wants: Want[]; readonly answer: Promise<RemoteIndex> };

/** See the file's header. */
export class Looker {
  readonly #context: Context;
  readonly #batches = new Map<string, Batch>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Resolves after a look of this kind that begins at most `delayMs` from now. Throws `ReadFailed`, or the signal's reason. */
  look(kind: AnyKind, want: Want, delayMs: number, signal: AbortSignal): Promise<RemoteIndex> {
    const open = this.#batches.get(kind.id);
    if (open) {
      open.wants.push(want);
      return open.answer;
    }
    const wants = [want];
    const answer = this.#send(kind, wants, delayMs, signal);
    this.#batches.set(kind.id, { wants, answer });
    return answer;
  }

  async #send(kind: AnyKind, wants: readonly Want[], delayMs: number, signal: AbortSignal): Promise<RemoteIndex> {
    try {
      await this.#context.runtime.sleep(delayMs, signal);
    } finally {
      this.#batches.delete(kind.id);
    }
    const stack = stackName(this.#context.stack);
    const scope: Scope = {
      ...(wants.some((want) => want.byTags) ? { stack } : {}),
      ids: [...new Set(wants.flatMap((want) => want.ids))],
      names: wants.flatMap((want) => want.names),
      fields: new Set(wants.flatMap((want) => [...want.fields])),
    };
    return new RemoteIndex(kind, stack, await look(this.#context, kind, scope));
  }
}
