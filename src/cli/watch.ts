/** Following a stack's resources as the state tells them: no look at AWS is made, as whoever holds the stack makes them. */

import { isDeepStrictEqual } from "node:util";
import type { ResourceKey, Stack } from "../core/resource.ts";
import type { Runtime, StackState, StateReader } from "../core/store.ts";
import type { Kinds } from "../kind/kind.ts";
import { FOLLOW_MS } from "./follow.ts";
import { phaseText, standingNotes } from "./requests.ts";
import { type ResourceView, recordedView } from "./view.ts";

/** What is followed, and where it is shown. */
export type Watching = {
  readonly store: StateReader;
  readonly stack: Stack;
  readonly runtime: Runtime;
  readonly kinds: Kinds;
  readonly isWanted: (key: ResourceKey) => boolean;
  /** All at first, then what changed; `gone`: a record that is no more. */
  readonly show: (views: readonly ResourceView[], gone: readonly ResourceKey[]) => void;
  /** How the stack stands, when that changes. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
};

/** Follows until the signal; without one, until the process ends. */
export async function watchResources(watching: Watching): Promise<void> {
  const { store, stack, runtime, signal } = watching;
  let before: Seen = { views: new Map(), lines: [] };
  while (!signal?.aborted) {
    const now = seenOf(watching, await store.load(stack));
    const changed = [...now.views.values()].filter((view) => !isDeepStrictEqual(shown(view), shown(before.views.get(view.key))));
    const gone = [...before.views.keys()].filter((key) => !now.views.has(key));
    if (changed.length + gone.length > 0) watching.show(changed, gone);
    for (const line of now.lines) if (!before.lines.includes(line)) watching.say(line);
    before = now;
    await runtime.sleep(FOLLOW_MS, signal).catch(() => {});
  }
}

type Seen = { readonly views: ReadonlyMap<ResourceKey, ResourceView>; readonly lines: readonly string[] };

function seenOf({ runtime, kinds, isWanted }: Watching, state: StackState): Seen {
  const now = runtime.now();
  const wanted = [...state.records.values()].filter(({ key }) => isWanted(key));
  const { status } = state;
  return {
    views: new Map(wanted.map((record) => [record.key, recordedView(record, state, { kinds, now })])),
    lines: [...(status ? [phaseText(status)] : []), ...standingNotes(state, now)],
  };
}

// That it was looked at again is no change.
function shown(view: ResourceView | undefined): unknown {
  if (!view) return undefined;
  const { checkedAt: _checkedAt, nextCheckAt: _nextCheckAt, ...status } = view.status;
  return { ...view, status };
}
