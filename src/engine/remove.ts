/** Remove: a resource that is no longer declared, with every object it ever had. Needs its record only. */

import type { Change } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import { type AnyKind, type Remote, scopeNames } from "../kind/kind.ts";
import { type Execution, Halt } from "./execution.ts";
import type { RemoteIndex } from "./identify.ts";
import { managedKind } from "./sweep.ts";
import { everyOne, takeDown } from "./takedown.ts";

/** What was planned for the record, and what to do when AWS says that something uses an object. */
export type Removal = { readonly change: Change; readonly onBlocked: (remote: Remote) => Promise<void> };

/** Resolves when no object is left and the record is gone. Throws a Halt otherwise; the next run goes on from the record. */
export async function remove(execution: Execution, record: ResourceRecord, index: RemoteIndex, removal: Removal): Promise<void> {
  const { change, onBlocked } = removal;
  const kind = managedKind(execution.context.kinds, record.kind);
  const since = execution.context.runtime.monotonic();
  const report = (phase: "acting" | "waiting", message: string) =>
    execution.progress({ key: record.key, action: change.action, phase, message, generation: record.generation, since });
  const onWait = (message: string) => report("waiting", message);
  if (change.action === "delete") {
    execution.put({ ...record, deleting: record.deleting ?? { since: execution.context.runtime.now() } });
    await execution.commit();
  }
  const gone = new Set<string>();
  let objects: readonly Remote[] = [change.id, ...change.retires].flatMap((id) => (id === undefined ? [] : (index.byId(id) ?? [])));
  do {
    await everyOne(objects, async (remote) => {
      // Nothing was there when the plan was made, so nobody agreed to a deletion.
      if (change.action !== "delete") {
        throw new Halt("waiting", "Resolving", `${remote.id} is still there: run the command again to see it`);
      }
      report("acting", "deleting");
      await takeDown(execution, { kind, record, remote, onWait, onBlocked: () => onBlocked(remote) });
      gone.add(remote.id);
    });
    objects = await unseen(execution, kind, record, { gone, onWait });
  } while (objects.length > 0);
  if (gone.size > 0) execution.event("Deleted", `deleted ${[...gone].join(", ")}`, record.key);
  execution.drop(record.key);
}

/**
 * Objects that AWS may not have shown yet: of a create that had no answer, or made so recently that a look may have missed
 * them. They are looked for until the kind's window is over. None are there when the answer is empty.
 */
async function unseen(
  execution: Execution,
  kind: AnyKind,
  record: ResourceRecord,
  { gone, onWait }: { readonly gone: ReadonlySet<string>; readonly onWait: (message: string) => void },
): Promise<readonly Remote[]> {
  const ids = [record.id, ...record.retiring.map(({ id }) => id)].filter((id) => id !== undefined && !gone.has(id)) as string[];
  if (!record.intent && ids.length === 0) return [];
  const youngest = Math.max(record.intent?.openedAt ?? 0, record.boundAt ?? 0);
  const looksMin = record.intent ? execution.context.settings.missesMin : 0;
  for (let round = 0; round < looksMin || execution.certainAgeMs(youngest) < execution.consistencyMs(kind); round++) {
    const message = "looking whether an earlier create left an object";
    onWait(message);
    const want = { byTags: true, ids, names: scopeNames(kind, record.applied), fields: [] };
    const index = await execution.look(kind, want, { delayMs: execution.pollMs(round), reason: "Resolving", message });
    const seen = [...index.byUid(record.uid), ...ids.flatMap((id) => index.byId(id) ?? [])];
    const found = new Map(seen.filter(({ id }) => !gone.has(id)).map((remote) => [remote.id, remote]));
    if (found.size > 0) return [...found.values()];
  }
  return [];
}
