/**
 * Who holds which stack, as pure functions of what every replica sees alike.
 *
 * A stack stays where it is, unless its holder has two more than another replica that may hold it: so replicas that come or go
 * move no more stacks than they must, and a stable set of replicas moves none. What nobody holds goes to whoever has least;
 * between equals, a hash of stack and replica decides, so that all replicas compute the same answer. Where they see different
 * worlds for a while, the leases decide.
 */

import { createHash } from "node:crypto";

/** A replica that lives. */
export type Replica = {
  readonly id: string;
  /** The one stack that it may hold; absent: any. */
  readonly only?: string;
  /** The stack whose manifests it watches: it is held by one that does, as nobody else would see them change. */
  readonly watches?: string;
};

/** The replica that is to hold each stack: even to within one where each may hold each. `holders`: who does now. */
export function assignment(
  stacks: readonly string[],
  replicas: readonly Replica[],
  holders: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const mayHold = new Map(stacks.map((stack) => [stack, candidates(stack, replicas)]));
  const assigned = new Map<string, string>();
  const loads = new Map(replicas.map(({ id }) => [id, 0]));
  const give = (stack: string, to: string) => {
    const from = assigned.get(stack);
    if (from !== undefined) loads.set(from, (loads.get(from) ?? 0) - 1);
    loads.set(to, (loads.get(to) ?? 0) + 1);
    assigned.set(stack, to);
  };
  for (const [stack, able] of mayHold) {
    const holder = holders.get(stack);
    if (holder !== undefined && able.includes(holder)) give(stack, holder);
  }
  const free = stacks.filter((stack) => !assigned.has(stack)).sort();
  // Those that few may hold come first: the others can still make up for it.
  for (const stack of free.toSorted((left, right) => (mayHold.get(left)?.length ?? 0) - (mayHold.get(right)?.length ?? 0))) {
    const able = mayHold.get(stack) ?? [];
    const least = Math.min(...able.map((id) => loads.get(id) ?? 0));
    const to = preferred(
      stack,
      able.filter((id) => loads.get(id) === least),
    );
    if (to !== undefined) give(stack, to);
  }
  for (let move = nextMove(assigned, mayHold, loads); move; move = nextMove(assigned, mayHold, loads)) give(move.stack, move.to);
  return assigned;
}

function candidates(stack: string, replicas: readonly Replica[]): readonly string[] {
  const able = replicas.filter(({ only }) => only === undefined || only === stack);
  const watching = able.filter(({ watches }) => watches === stack);
  return (watching.length > 0 ? watching : able).map(({ id }) => id);
}

type Move = { readonly stack: string; readonly to: string; readonly gain: number; readonly weight: number };

/** The move that evens out most; undefined where none does. */
function nextMove(
  assigned: ReadonlyMap<string, string>,
  mayHold: ReadonlyMap<string, readonly string[]>,
  loads: ReadonlyMap<string, number>,
): Move | undefined {
  if (Math.max(...loads.values()) - Math.min(...loads.values()) < 2) return undefined;
  let best: Move | undefined;
  for (const [stack, from] of assigned) {
    for (const to of mayHold.get(stack) ?? []) {
      const gain = (loads.get(from) ?? 0) - (loads.get(to) ?? 0);
      if (gain < 2 || (best && gain < best.gain)) continue;
      const move = { stack, to, gain, weight: weight(stack, to) };
      if (!best || gain > best.gain || move.weight > best.weight) best = move;
    }
  }
  return best;
}

function preferred(stack: string, ids: readonly string[]): string | undefined {
  return ids.toSorted((left, right) => weight(stack, right) - weight(stack, left))[0];
}

function weight(stack: string, replica: string): number {
  return createHash("sha256").update(`${stack}\n${replica}`).digest().readUIntBE(0, 6);
}

/** Something that beats, as it was last seen: since when it has not moved, on the watcher's own monotonic clock. */
export type Pulse = { readonly beat: string; readonly sinceMs: number; readonly seenMs: number };

/** The pulses after another look: one that has not moved keeps its time, whatever anybody's wall clock says. */
export function watched(before: ReadonlyMap<string, Pulse>, beats: ReadonlyMap<string, string>, nowMs: number): ReadonlyMap<string, Pulse> {
  return new Map(
    [...beats].map(([id, beat]) => {
      const known = before.get(id);
      return [id, { beat, sinceMs: known?.beat === beat ? known.sinceMs : nowMs, seenMs: nowMs }];
    }),
  );
}

/** How long it is known not to have moved: until the last look. What happened since, nobody has seen. */
export function stillMs({ sinceMs, seenMs }: Pulse): number {
  return seenMs - sinceMs;
}
