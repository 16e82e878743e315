/** Orphans as records, so that an explicit delete can take them down like anything else. */

import type { ResourceRecord } from "../core/record.ts";
import { LIFECYCLE_DEFAULTS, type ResourceKey } from "../core/resource.ts";
import { ownerOf } from "../engine/identify.ts";
import type { World } from "../engine/types.ts";
import { managedKinds } from "./resources.ts";
import type { Session } from "./session.ts";

/** A look at everything of ours, kinds that the stack no longer uses among them. */
export async function lookAtAll({ context }: Session): Promise<World> {
  const { observe } = await import("../engine/engine.ts");
  return observe(context, undefined, { kinds: managedKinds(context.kinds) });
}

/** Likewise, with a record for every orphan. */
export async function lookWithOrphans(session: Session): Promise<World> {
  const world = await lookAtAll(session);
  return withOrphans(
    world,
    world.orphans.map(({ key }) => key),
  );
}

/**
 * The world with a record for each orphan of these keys, read from its own tags: protection in a tag holds. Retention does
 * not: it kept the object when its manifest went, and whoever names an orphan wants it gone.
 */
export function withOrphans(world: World, keys: readonly ResourceKey[]): World {
  const records = new Map(world.state.records);
  for (const { kind, remote, key } of world.orphans) {
    const owner = ownerOf(remote);
    if (!owner || !keys.includes(key) || records.has(key)) continue;
    const record: ResourceRecord = {
      key,
      kind: kind as ResourceRecord["kind"],
      uid: owner.uid,
      generation: owner.generation,
      id: remote.id,
      retiring: [],
      applied: {},
      observed: remote.values,
      conditions: [],
      dependencies: [],
      lifecycle: { ...LIFECYCLE_DEFAULTS, deletion: owner.deletion === "protect" ? "protect" : "delete" },
      revision: 0,
    };
    records.set(key, record);
  }
  return { ...world, state: { ...world.state, records } };
}
