/**
 * Who holds which stack, as pure functions of what every replica sees alike.
 *
 * A stack stays where it is, unless its holder has more than its even share: so replicas that come or go move no more stacks
 * than they must, and a stable set of replicas moves none. What is to move, and what nobody holds, goes where a share is open;
 * a hash of stack and replica decides, so that all replicas compute the same answer, and the same again when a part of it has
 * been carried out. Where they see different worlds for a while, the leases decide.
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
  const assigned = new Map(stacks.flatMap((stack) => pinned(stack, replicas, holders.get(stack))));
  const rest = stacks.filter((stack) => !assigned.has(stack));
  const general = replicas.filter(({ only }) => only === undefined).map(({ id }) => id);
  const held = (id: string) => rest.filter((stack) => holders.get(stack) === id);
  const shares = sharesOf(rest.length, {
    base: new Map(general.map((id) => [id, [...assigned.values()].filter((holder) => holder === id).length])),
    held: new Map(general.map((id) => [id, held(id).length])),
  });
  for (const id of general) for (const stack of closest(id, held(id), shares.get(id) ?? 0)) assigned.set(stack, id);
  const left = new Map([...shares].map(([id, share]) => [id, share - Math.min(share, held(id).length)]));
  const free = rest.filter((stack) => !assigned.has(stack));
  return new Map([...assigned, ...matched(free, left)]);
}

/** Of a stack that only some may hold: who is to. */
function pinned(stack: string, replicas: readonly Replica[], holder: string | undefined): readonly (readonly [string, string])[] {
  const watching = replicas.filter(({ only, watches }) => watches === stack && (only ?? stack) === stack);
  const able = watching.length > 0 ? watching : replicas.filter(({ only }) => only === stack);
  if (able.length === 0) return [];
  const to =
    able.find(({ id }) => id === holder)?.id ?? [...able].sort((one, other) => weight(stack, other.id) - weight(stack, one.id))[0]?.id;
  return to === undefined ? [] : [[stack, to]];
}

/**
 * How many of `count` stacks each replica is to have, so that they are even with what they hold anyhow (`base`). One more than
 * others have those that have it now (`held`), then those whose hash says so, whatever else they have: that answer stays the
 * same while stacks move, one after the other, to where it says.
 */
function sharesOf(
  count: number,
  { base, held }: { readonly base: ReadonlyMap<string, number>; readonly held: ReadonlyMap<string, number> },
): ReadonlyMap<string, number> {
  const sum = [...base.values()].reduce((all, one) => all + one, count);
  const [level, more] = [Math.floor(sum / base.size), sum % base.size];
  // Who has more than its share of what cannot move gets nothing else.
  const full = [...base].filter(([, one]) => one > level);
  if (full.length > more) {
    const others = new Map([...base].filter(([, one]) => one <= level));
    return sharesOf(count, { base: others, held });
  }
  const has = (id: string) => (base.get(id) ?? 0) + (held.get(id) ?? 0) > level;
  const rank = [...base.keys()].sort((one, other) => Number(has(other)) - Number(has(one)) || weight("", other) - weight("", one));
  const shares = rank.map((id, place) => [id, Math.max(0, level + (place < more ? 1 : 0) - (base.get(id) ?? 0))] as const);
  return new Map(shares);
}

/** Each free stack to a replica that still wants some, the closest pairs first: taking one of them changes none of the others. */
function matched(free: readonly string[], wanted: ReadonlyMap<string, number>): ReadonlyMap<string, string> {
  const pairs = free.flatMap((stack) => [...wanted.keys()].map((id) => ({ stack, id, weight: weight(stack, id) })));
  const left = new Map(wanted);
  const found = new Map<string, string>();
  for (const { stack, id } of pairs.sort((one, other) => other.weight - one.weight)) {
    const more = left.get(id) ?? 0;
    if (found.has(stack) || more === 0) continue;
    found.set(stack, id);
    left.set(id, more - 1);
  }
  return found;
}

function closest(id: string, stacks: readonly string[], most: number): readonly string[] {
  if (stacks.length <= most) return stacks;
  return [...stacks].sort((one, other) => weight(other, id) - weight(one, id)).slice(0, most);
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
