/** What a kind may call, joined over its verbs. */

import type { AnyKind, AnyLookup, OperationName } from "./kind.ts";

/** Everything a kind declares for looking: what its read-only handle lets through. */
export function readOperationsOf(kind: AnyKind | AnyLookup): readonly OperationName[] {
  return kind.lookup ? kind.resolve.operations : [...kind.list.operations, ...(kind.explainBlocked?.operations ?? [])];
}

/** Everything a kind declares. */
export function operationsOf(kind: AnyKind | AnyLookup): readonly OperationName[] {
  if (kind.lookup) return kind.resolve.operations;
  const acts = [kind.create, kind.delete, ...kind.updates];
  return [...readOperationsOf(kind), ...acts.flatMap((act) => act.operations)];
}
