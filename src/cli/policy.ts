/** What applying a stack may call: what the generated policy allows, and doctor tries. */

import type { OperationName } from "../aws/service.ts";
import type { CompiledStack } from "../core/compiled.ts";
import type { Kinds } from "../kind/kind.ts";
import { operationsOf } from "../kind/operations.ts";
import { monitorOperations } from "../monitor/monitor.ts";

/** Every operation that the stack's kinds and Monitors declare. */
export function neededOperations({ resources, lookups, monitors }: CompiledStack, kinds: Kinds): readonly OperationName[] {
  const used = new Set([...resources, ...lookups].map(({ kind }) => kind));
  const ofKinds = [...used].flatMap((id) => kinds.get(id) ?? []).flatMap(operationsOf);
  return [...ofKinds, ...monitorOperations(monitors.map(({ check }) => check))];
}
