/** Remove: a resource that is no longer declared, with every object it ever had. Needs its record only. */

import type { JsonObject } from "../core/json.ts";
import type { Change } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import { type AnyKind, naturalKey, type Remote } from "../kind/kind.ts";
import type { Execution } from "./execution.ts";
import type { RemoteIndex } from "./identify.ts";
import { managedKind } from "./sweep.ts";
import { takeDown } from "./takedown.ts";

/** Resolves when no object is left and the record is gone. Throws a Halt otherwise; the next run goes on from the record. */
export async function remove(
  x: Execution,
  record: ResourceRecord,
  index: RemoteIndex,
  { change, onBlocked }: { readonly change: Change; readonly onBlocked: (remote: Remote) => Promise<void> },
): Promise<void> {
  const kind = managedKind(x.context.kinds, record.kind);
  const since = x.context.runtime.monotonic();
  const report = (phase: "acting" | "waiting", message: string) =>
    x.progress({ key: record.key, action: "delete", phase, message, generation: record.generation, since });
  x.put({ ...record, deleting: record.deleting ?? { since: x.context.runtime.now(), misses: 0 } });
  await x.commit();
  let objects = [change.id, ...change.retires].flatMap((id) => (id === undefined ? [] : (index.byId(id) ?? [])));
  if (objects.length === 0) objects = [...(await unanswered(x, kind, record, (message) => report("waiting", message)))];
  for (const remote of objects) {
    report("acting", "deleting");
    const onWait = (message: string) => report("waiting", message);
    await takeDown(x, { kind, key: record.key, uid: record.uid, remote, onWait, onBlocked: () => onBlocked(remote) });
  }
  x.event("Deleted", `deleted ${objects.map(({ id }) => id).join(", ")}`, record.key);
  x.drop(record.key);
}

/** The objects of a create that had no answer; they may show up for the length of the kind's window. */
async function unanswered(
  x: Execution,
  kind: AnyKind,
  record: ResourceRecord,
  onWait: (message: string) => void,
): Promise<readonly Remote[]> {
  const { intent } = record;
  if (!intent) return [];
  for (let round = 0; ; round++) {
    if (x.certainAgeMs(intent.openedAt) >= x.consistencyMs(kind) && round >= x.context.settings.missesMin) return [];
    const message = "an earlier create had no answer; looking for its object";
    onWait(message);
    const want = { byTags: true, ids: [], names: nameOf(kind, record), fields: [] };
    const index = await x.look(kind, want, { delayMs: x.pollMs(round), reason: "Resolving", message });
    const found = index.byUid(record.uid);
    if (found.length > 0) return found;
  }
}

function nameOf(kind: AnyKind, record: ResourceRecord): readonly JsonObject[] {
  const { identity } = kind;
  if (identity.by !== "name" || naturalKey(kind, record.applied) === undefined) return [];
  return [Object.fromEntries(identity.key.map((name) => [name, record.applied[name]]))];
}
