/** Monitors: worked out and checked as resources are, and then nothing but data with expressions in it. */

import type { CompiledMonitor, View } from "../core/compiled.ts";
import type { JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { CHECKS, checksIn, MONITOR, monitorSchema } from "../monitor/monitor.ts";
import { checkValue, holdsExpression } from "./check-value.ts";
import type { MonitorDeclaration } from "./declarations.ts";
import { type Expander, eachScope, expand, type Slot } from "./expand.ts";
import type { ExpressionScope } from "./language.ts";
import { type MapNode, placeText } from "./node.ts";
import { evaluate, resolved } from "./result.ts";
import { toCel } from "./types.ts";
import { asObject } from "./value-reader.ts";
import type { World } from "./world.ts";

/** Every Monitor of the environment. Problems found on the way are the expander's. */
export function compileMonitors(declarations: readonly MonitorDeclaration[], expander: Expander): readonly CompiledMonitor[] {
  return declarations.flatMap((declaration) => {
    const scope = eachScope(declaration, expander.texts);
    const slots = expand(declaration, expander)?.slots ?? [];
    // One that does not exist in this environment is still checked for fields and types.
    if (slots.length === 0) readSpec(declaration, { scope, context: undefined }, expander);
    return slots.map((slot) => compileMonitor(declaration, scope, slot, expander));
  });
}

function compileMonitor(declaration: MonitorDeclaration, scope: ExpressionScope, slot: Slot, expander: Expander): CompiledMonitor {
  const { world } = expander;
  const contextIn = (view?: View) => contextOf(world, declaration, { scope, slot, ...(view ? { view } : {}) });
  const { spec, refersTo } = readSpec(declaration, { scope, context: contextIn() }, expander);
  const { key } = slot;
  return Object.freeze({
    key,
    check: checksIn(spec)[0] ?? "",
    spec,
    needs: holdsExpression(spec) ? refersTo : [],
    declaredAt: placeText(declaration.document.place),
    resolve: (view: View) => {
      const context = contextIn(view);
      return resolved(spec, (text) => evaluate(text, scope, context, world, key)) as JsonObject;
    },
  });
}

function contextOf(
  world: World,
  { document }: MonitorDeclaration,
  { scope, slot, view }: { scope: ExpressionScope; slot: Slot; view?: View },
): object {
  const context = world.context(document.place.source.directory, view) as Record<string, unknown>;
  if (slot.each && scope.each) context.each = toCel(world.language.eachType(scope.each), slot.each);
  return context;
}

type Sight = { readonly scope: ExpressionScope; readonly context: object | undefined };

function readSpec(
  { spec, label, place }: MonitorDeclaration,
  { scope, context }: Sight,
  { reader, links, problems }: Expander,
): { readonly spec: JsonObject; readonly refersTo: readonly ResourceKey[] } {
  const node: MapNode = spec?.type === "map" ? spec : { type: "map", entries: new Map(), place };
  if (spec && spec.type !== "map") problems.add(spec.place, `the spec of ${label} must be a map`);
  const found = new Set<ResourceKey>();
  const value = asObject(
    reader.read(node, MONITOR.spec, {
      label,
      scope,
      context,
      refer: (references) => {
        if (!context) return [];
        const instances = links.resolve(references, { scope, context });
        for (const { key } of instances ?? []) found.add(key);
        return instances;
      },
    }),
  );
  const before = problems.size;
  checkValue(monitorSchema, value, { node, label, problems, home: place });
  const checks = checksIn(value);
  // None beside a misspelt one would be said twice.
  const missing = checks.length === 0 && problems.size === before;
  if (missing || checks.length > 1) {
    const names = CHECKS.map(({ name }) => name).join(", ");
    const hint = missing ? undefined : `it has ${checks.join(" and ")}: write one document for each`;
    problems.add(place, `${label} must have exactly one of ${names}`, hint);
  }
  return { spec: value, refersTo: [...found] };
}
