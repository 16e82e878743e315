/** A stack's events as they come, and as what came before is amended: counted again, or by whom it was. */

import type { StackEvent } from "../core/record.ts";
import type { ResourceKey, Stack } from "../core/resource.ts";
import type { Runtime, StateReader } from "../core/store.ts";
import { FOLLOW_MS } from "./follow.ts";

/** Which events, and where they are shown. `amended`: it was shown before, and says more by now. */
export type Feed = {
  readonly store: Pick<StateReader, "events">;
  readonly stack: Stack;
  readonly resource?: ResourceKey;
  readonly runtime: Pick<Runtime, "now" | "sleep">;
  readonly show: (event: StackEvent, amended: boolean) => void;
  /** Absent: for ever. */
  readonly signal?: AbortSignal;
};

const EVENTS_MAX = 200;
// CloudTrail tells who it was within a quarter of an hour; corrections are counted for an hour.
const AMENDED_MS = 3_600_000;

/** Shows the newest events, oldest first. */
export async function showEvents(feed: Feed): Promise<readonly StackEvent[]> {
  const events = await list(feed);
  for (const event of events) feed.show(event, false);
  return events;
}

/** Shows what comes after `seen`. */
export async function followEvents(feed: Feed, seen: readonly StackEvent[]): Promise<void> {
  const { runtime, show, signal } = feed;
  let known = texts(seen);
  while (!signal?.aborted) {
    await runtime.sleep(FOLLOW_MS, signal).catch(() => {});
    // An event that began earlier is amended in its place.
    const events = await list(feed, new Date(runtime.now() - AMENDED_MS).toISOString());
    for (const event of events) {
      const before = known.get(nameOf(event));
      if (before !== JSON.stringify(event)) show(event, before !== undefined);
    }
    known = texts(events);
  }
}

function list({ store, stack, resource }: Feed, after?: string): Promise<readonly StackEvent[]> {
  return store.events(stack, {
    limit: EVENTS_MAX,
    ...(resource === undefined ? {} : { resource }),
    ...(after === undefined ? {} : { after }),
  });
}

function texts(events: readonly StackEvent[]): ReadonlyMap<string, string> {
  return new Map(events.map((event) => [nameOf(event), JSON.stringify(event)]));
}

/** What stays the same of an event, whatever is added to it. */
function nameOf({ at, id, resource, type, message }: StackEvent): string {
  return `${at} ${id ?? `${resource} ${type} ${message}`}`;
}
