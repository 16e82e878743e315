/**
 * What AWS holds of a few resources at present, as expressions see it.
 *
 * Not what an apply would make of them, which is the sweep's view: a replacement that is planned has not happened.
 */

import type { CompiledStack, View } from "../core/compiled.ts";
import { type ResourceKey, stackName } from "../core/resource.ts";
import type { StackState } from "../core/store.ts";
import { observeWith } from "./observe.ts";
import { Indexes, recordOf, selected, sweep } from "./sweep.ts";
import type { Context } from "./types.ts";

/** Looks at these resources and lookups and at what finds them, and at nothing else. Throws `ReadFailed`. */
export async function presentView(context: Context, compiled: CompiledStack, keys: readonly ResourceKey[]): Promise<View> {
  const wanted = new Set(keys);
  const named = compiled.resources.filter(({ key }) => wanted.has(key)).map(({ key }) => key);
  const part: CompiledStack = {
    ...compiled,
    resources: selected(context.kinds, compiled.resources, named),
    lookups: compiled.lookups.filter(({ key }) => wanted.has(key)),
  };
  const world = await observeWith(context, part, partOf(await context.store.load(context.stack), part));
  const { kinds, stack } = context;
  const { decisions } = sweep({
    kinds,
    stack,
    compiled: part,
    records: world.state.records,
    indexes: new Indexes(stackName(stack), world.remotes),
    pins: world.pins,
    replace: new Set(),
  });
  return (key) => world.pins[key]?.values ?? decisions.get(key)?.current?.values;
}

// Kinds of other records need not be listed.
function partOf(state: StackState, { resources }: CompiledStack): StackState {
  const records = resources.flatMap((resource) => recordOf(state.records, resource) ?? []);
  return { ...state, records: new Map(records.map((record) => [record.key, record])) };
}
