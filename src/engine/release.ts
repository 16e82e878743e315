/** Letting go: the updates by which an object stops using another that must be deleted first. Pure. */

import type { FieldChange } from "../core/diff.ts";
import { isObject, type Json, type JsonArray, type JsonObject } from "../core/json.ts";
import type { AnyKind, Remote, Updater } from "../kind/kind.ts";

/** One update that removes every member of one list that refers to the other object, or the one value that does. */
export type Release = {
  readonly field: string;
  readonly updater: Updater<JsonObject>;
  readonly target: Parameters<Updater<JsonObject>["run"]>[1];
};

/** What `remote` must be sent so that it uses `used` no more; immutable fields, and values that AWS wants, stay as they are. */
export function releases(kind: AnyKind, remote: Remote, used: Remote): readonly Release[] {
  const names = namesOf(used);
  return Object.entries(remote.values).flatMap(([field, present]) => {
    const updater = kind.updates.find(({ fields }) => fields.includes(field));
    const change = updater && (Array.isArray(present) ? withoutMembers(present, names) : withoutValue(kind, field, present, used));
    if (!updater || !change) return [];
    const desired: JsonObject = change.after === null ? {} : { [field]: change.after };
    return [{ field, updater, target: { id: remote.id, desired, observed: remote.values, changes: { [field]: change } } }];
  });
}

const NO_CHANGE = { added: [], removed: [], changed: [], set: {}, drop: [] };

function withoutMembers(present: JsonArray, names: ReadonlySet<Json>): FieldChange | undefined {
  const removed = present.filter((member) => refersTo(member, names));
  const after = present.filter((member) => !removed.includes(member));
  return removed.length > 0 ? { ...NO_CHANGE, before: present, after, removed } : undefined;
}

// A name says less than an ID: it is a reference only where it is the very attribute that the field takes.
function withoutValue(kind: AnyKind, field: string, present: Json | undefined, used: Remote): FieldChange | undefined {
  const { unset, ref } = kind.spec.fields[field]?.meta ?? {};
  const attribute = ref?.slice(ref.lastIndexOf(".") + 1);
  const isUsed = attribute !== undefined && present !== undefined && used.values[attribute] === present;
  return isUsed && unset === null ? { ...NO_CHANGE, before: present, after: null } : undefined;
}

/** Whether `remote` uses `used` in a way that no update can end: it must be deleted first. */
export function isBoundTo(kind: AnyKind, remote: Remote, used: Remote): boolean {
  const names = namesOf(used);
  const fixed = Object.entries(remote.values).filter(([field]) => kind.spec.fields[field]?.meta?.immutable);
  return remote.id !== used.id && fixed.some(([, value]) => refersTo(value, names));
}

function namesOf({ id, values }: Remote): ReadonlySet<Json> {
  return new Set([id, ...Object.values(values).filter(isArn)]);
}

function isArn(value: Json | undefined): value is string {
  return typeof value === "string" && value.startsWith("arn:");
}

function refersTo(value: Json | undefined, names: ReadonlySet<Json>): boolean {
  if (typeof value === "string") return names.has(value);
  if (Array.isArray(value)) return value.some((member) => refersTo(member, names));
  return isObject(value) && Object.values(value).some((member) => refersTo(member, names));
}
