/**
 * Who holds which stack, as pure functions of what every replica sees alike.
 *
 * Each stack has an order of preference among the live replicas (highest random weight, so that one that comes or goes moves
 * no more stacks than it must), and no replica takes more than its even share. All replicas compute the same answer; where
 * they see different worlds for a while, the leases decide.
 */

import { createHash } from "node:crypto";

/** The stacks of each member: even to within one. */
export function assignment(stacks: readonly string[], members: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const share = Math.floor(stacks.length / Math.max(1, members.length));
  let over = stacks.length - share * members.length;
  const assigned = new Map<string, string[]>(members.map((member) => [member, []]));
  for (const stack of stacks.toSorted()) {
    const preferred = members.toSorted((left, right) => weight(stack, right) - weight(stack, left));
    const load = (member: string) => assigned.get(member)?.length ?? 0;
    const member = preferred.find((candidate) => load(candidate) < share || (load(candidate) === share && over > 0));
    if (member === undefined) continue;
    if (load(member) === share) over -= 1;
    assigned.get(member)?.push(stack);
  }
  return assigned;
}

function weight(stack: string, member: string): number {
  return createHash("sha256").update(`${stack}\n${member}`).digest().readUInt32BE(0);
}

/** Something that beats, as it was last seen to move, on the watcher's own monotonic clock. */
export type Pulse = { readonly beat: string; readonly sinceMs: number };

/** The pulses after another look: one that has not moved keeps its time, whatever anybody's wall clock says. */
export function watched(before: ReadonlyMap<string, Pulse>, beats: ReadonlyMap<string, string>, nowMs: number): ReadonlyMap<string, Pulse> {
  return new Map(
    [...beats].map(([id, beat]) => {
      const known = before.get(id);
      return [id, known?.beat === beat ? known : { beat, sinceMs: nowMs }];
    }),
  );
}
