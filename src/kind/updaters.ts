/** Updaters that many kinds share. Each run is one remote effect. */

import type { Writer } from "../aws/service.ts";
import type { Tags } from "../aws/tags.ts";
import type { Json } from "../core/json.ts";
import type { OperationName, Target, Updater } from "./kind.ts";

/** A field that one call sets to its new value; `null` when the field has left the manifest and AWS shall have none. */
export function fieldUpdater<Spec>(
  field: string,
  operations: readonly OperationName[],
  send: (aws: Writer, target: Target<Spec>, value: Json) => Promise<unknown>,
): Updater<Spec> {
  return {
    fields: [field],
    operations,
    run: async (aws, target) => {
      const value = target.changes[field]?.after ?? null;
      await send(aws, target, value);
      return { values: { [field]: value ?? undefined } };
    },
  };
}

/** Tags: first one call that sets, then, on the next round, one that removes. */
export function tagsUpdater<Spec>(calls: {
  readonly operations: readonly OperationName[];
  readonly set: (aws: Writer, target: Target<Spec>, tags: Tags) => Promise<unknown>;
  readonly remove: (aws: Writer, target: Target<Spec>, keys: string[]) => Promise<unknown>;
}): Updater<Spec> {
  return {
    fields: ["tags"],
    operations: calls.operations,
    run: async (aws, target) => {
      const change = target.changes.tags;
      const [before, set, drop] = [(change?.before ?? {}) as Tags, (change?.set ?? {}) as Tags, change?.drop ?? []];
      if (Object.keys(set).length > 0) {
        await calls.set(aws, target, set);
        return { values: { tags: { ...before, ...set } } };
      }
      await calls.remove(aws, target, [...drop]);
      return { values: { tags: Object.fromEntries(Object.entries(before).filter(([key]) => !drop.includes(key))) } };
    },
  };
}
