/** Letting go: the updates by which an object stops using another that must be deleted first. Pure. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { AnyKind, Remote, Updater } from "../kind/kind.ts";

/** One update that removes every member of one list that refers to the other object. */
export type Release = {
  readonly field: string;
  readonly updater: Updater<JsonObject>;
  readonly target: Parameters<Updater<JsonObject>["run"]>[1];
};

/** What `remote` must be sent so that it uses `used` no more; immutable fields and single values stay as they are. */
export function releases(kind: AnyKind, remote: Remote, used: Remote): readonly Release[] {
  const names = namesOf(used);
  return Object.entries(remote.values).flatMap(([field, present]) => {
    const updater = kind.updates.find(({ fields }) => fields.includes(field));
    if (!updater || !Array.isArray(present)) return [];
    const removed = present.filter((member) => refersTo(member, names));
    if (removed.length === 0) return [];
    const after = present.filter((member) => !removed.includes(member));
    const change = { before: present, after, added: [], removed, changed: [], set: {}, drop: [] };
    return [
      { field, updater, target: { id: remote.id, desired: { [field]: after }, observed: remote.values, changes: { [field]: change } } },
    ];
  });
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
