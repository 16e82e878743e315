/** Taking a remote object down: delete, then look until its absence is confirmed twice. */

import type { Reason } from "../core/condition.ts";
import type { FieldChange } from "../core/diff.ts";
import type { JsonArray, JsonObject } from "../core/json.ts";
import type { ResourceRecord } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import { type AnyKind, isAlwaysThere, type Remote, type Updater } from "../kind/kind.ts";
import { type Execution, failureOf, Halt } from "./execution.ts";
import { ownerOf } from "./identify.ts";
import { lateFields } from "./sweep.ts";

/** Looks, at least a poll apart, that must miss an object before it is taken to be gone: one may be stale. */
const ABSENCES_MIN = 2;

/** What is taken down, and for whom it is reported. */
export type TakeDown = {
  readonly kind: AnyKind;
  /** Whose object it is. */
  readonly record: ResourceRecord;
  readonly remote: Remote;
  readonly onWait: (message: string) => void;
  /** AWS says that something uses it: makes those let go of it that can. */
  readonly onBlocked?: () => Promise<void>;
};

/** Works on all at once, because one may use another, and throws the first failure when every one has ended. */
export async function everyOne<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(all.map(work));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
}

/** Resolves when the object is gone, at once where there always is one. Throws a Halt when it is not ours, AWS refuses, or the run ends. */
export async function takeDown(execution: Execution, target: TakeDown): Promise<void> {
  if (isAlwaysThere(target.kind)) return;
  assertOurs(execution, target);
  let { remote } = target;
  let [absences, round] = [0, 0];
  let sent = remote.deleting === true;
  while (absences < ABSENCES_MIN) {
    let pause: { reason: Reason; message: string } = { reason: "Deleting", message: "deleting" };
    if (!sent) {
      const answer = await send(execution, target, remote);
      sent = answer.accepted;
      if (answer.pause) pause = answer.pause;
      const freer = answer.blocked ? await withdraw(execution, target, remote) : undefined;
      if (freer) {
        remote = freer;
        continue;
      }
      if (answer.blocked) await target.onBlocked?.();
    }
    target.onWait(pause.message);
    const index = await execution.look(
      target.kind,
      { byTags: false, ids: [remote.id], names: [], fields: [] },
      { delayMs: execution.pollMs(round++), ...pause },
    );
    const found = sameObject(index.byId(remote.id), target);
    // What may not have been deleted at all proves nothing by not being shown.
    absences = found || !sent ? 0 : absences + 1;
    // Still there and not on its way out: the delete had no effect yet, and is sent again.
    if (found && !found.deleting) sent = false;
    if (found) remote = found;
  }
}

// Where the name is the id, another object may take it at once: the successor, or somebody else's.
function sameObject(found: Remote | undefined, { remote }: TakeDown): Remote | undefined {
  const [before, now] = [ownerOf(remote), found && ownerOf(found)];
  const another = before !== undefined && (now?.uid !== before.uid || now.generation !== before.generation);
  return another ? undefined : found;
}

function assertOurs(execution: Execution, { record: { key, uid }, remote }: TakeDown): void {
  const owner = ownerOf(remote);
  if (!owner || (owner.stack === stackName(execution.context.stack) && (owner.uid === uid || owner.resource === key))) return;
  throw new Halt(
    "failed",
    "Conflict",
    `${remote.id} is recorded as ${key}, but its tags name ${owner.resource} of ${owner.stack}: it was not deleted`,
  );
}

type Answer = { readonly accepted: boolean; readonly blocked: boolean; readonly pause?: { reason: Reason; message: string } };

async function send(execution: Execution, { kind, record }: TakeDown, remote: Remote): Promise<Answer> {
  try {
    await execution.act({ verb: "delete", record, sent: {} }, () =>
      kind.delete.run(execution.run.authority.writer, {
        id: remote.id,
        observed: remote.values,
        force: record.lifecycle.deletion === "force",
      }),
    );
    return { accepted: true, blocked: false };
  } catch (error) {
    const failure = failureOf(kind, error);
    switch (failure.means) {
      case "gone":
        return { accepted: true, blocked: false };
      case "look":
      case "exists":
        return { accepted: false, blocked: false };
      case "stall":
        throw new Halt("failed", "Refused", failure.message);
      case "retry": {
        const blocked = failure.reason === "Blocked";
        const blocker = blocked
          ? await kind.explainBlocked?.run(execution.context.reader, { id: remote.id, observed: remote.values })
          : undefined;
        return {
          accepted: false,
          blocked,
          pause: { reason: failure.reason, message: blocker ? `waiting for ${blocker}` : failure.message },
        };
      }
    }
  }
}

/**
 * Groups that refer to each other hold each other up: an object that AWS will not delete yet first gives up its late
 * fields, one effect at a time. Resolves to the object with less of them; undefined when none is left, or when the answer
 * does not say so and the next look must.
 */
async function withdraw(execution: Execution, { kind, record }: TakeDown, remote: Remote): Promise<Remote | undefined> {
  for (const name of lateFields(kind)) {
    const present = remote.values[name];
    if (!Array.isArray(present) || present.length === 0) continue;
    const updater = kind.updates.find(({ fields }) => fields.includes(name)) as Updater<JsonObject>;
    const target = { id: remote.id, desired: { [name]: [] }, observed: remote.values, changes: { [name]: emptied(present) } };
    try {
      const effect = await execution.act({ verb: "update", record, sent: target.desired }, () =>
        updater.run(execution.run.authority.writer, target),
      );
      return { ...remote, values: { ...remote.values, [name]: [], ...effect.values } };
    } catch (error) {
      const failure = failureOf(kind, error);
      if (failure.means === "stall") throw new Halt("failed", "Refused", failure.message);
      return undefined;
    }
  }
  return undefined;
}

function emptied(present: JsonArray): FieldChange {
  return { before: present, after: [], added: [], removed: present, changed: [], set: {}, drop: [] };
}
