/** Deletion protection where it lies: in the object's tag, so that it survives the loss of state, and in the record. */

import { TAG_DELETION } from "../aws/tags.ts";
import type { ResourceRecord } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { Lease } from "../core/store.ts";
import type { AnyKind, Remote } from "../kind/kind.ts";
import { lookWithOrphans } from "./orphans.ts";
import type { Changing } from "./services.ts";
import type { Session } from "./session.ts";

/** Takes the protection off, under the lease. The tag goes first: a failure in between leaves the resource protected. */
export async function unprotect(session: Session<Changing>, lease: Lease, key: ResourceKey): Promise<void> {
  const { way, context } = session;
  // Looked at again under the lease: another run may have changed it meanwhile.
  const world = await lookWithOrphans(session);
  const record = world.state.records.get(key);
  if (!record) return;
  await removeTag(session, lease, { record, remote: world.remotes.get(record.kind)?.find(({ id }) => id === record.id) });
  // An orphan has no record, and gets none by this.
  if (record.revision > 0) lease.journal.put({ ...record, lifecycle: { ...record.lifecycle, deletion: "delete" } });
  const at = new Date(context.runtime.now()).toISOString();
  lease.journal.event({ at, resource: key, type: "Unprotected", message: `by ${way.caller}` });
  await lease.journal.commit();
}

async function removeTag(
  { way, context }: Session<Changing>,
  lease: Lease,
  { record, remote }: { record: ResourceRecord; remote: Remote | undefined },
): Promise<void> {
  const before = remote?.tags ?? {};
  const updater = (context.kinds.get(record.kind) as AnyKind).updates.find(({ fields }) => fields.includes("tags"));
  if (!remote || !updater || before[TAG_DELETION] === undefined) return;
  const { [TAG_DELETION]: _gone, ...after } = before;
  const tags = { before, after, added: [], removed: [], changed: [], set: {}, drop: [TAG_DELETION] };
  await updater.run(way.writer(lease), { id: remote.id, desired: { tags: after }, observed: remote.values, changes: { tags } });
}
