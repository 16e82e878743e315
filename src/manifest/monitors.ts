/** Monitors: worked out and checked as resources are, and then nothing but data with expressions in it. */

import type { CompiledMonitor, View } from "../core/compiled.ts";
import type { JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { CHECKS, checksIn, MONITOR, monitorSchema } from "../monitor/monitor.ts";
import { checkValue } from "./check-value.ts";
import type { MonitorDeclaration } from "./declarations.ts";
import { expand, type Slot, scopeOf } from "./expand.ts";
import type { Expander } from "./expander.ts";
import type { ExpressionScope } from "./names.ts";
import { emptyMap, type MapNode, placeText } from "./node.ts";
import { evaluate } from "./result.ts";
import { asObject } from "./value-reader.ts";
import { holdsExpression, toCel, withoutExpressions } from "./values.ts";

/** The Monitors of one frame. Problems found on the way are the expander's. */
export function compileMonitors(declarations: readonly MonitorDeclaration[], expander: Expander): readonly CompiledMonitor[] {
  return declarations.flatMap((declaration) => {
    const scope = scopeOf(declaration, expander);
    const slots = expand(declaration, expander)?.slots ?? [];
    // One that does not exist in this environment is still checked for fields and types.
    if (slots.length === 0) readSpec(declaration, { scope, context: undefined }, expander);
    return slots.map((slot) => compileMonitor(declaration, scope, slot, expander));
  });
}

/** Monitors inside a blueprint that has no instance here are checked for fields and types all the same. */
export function checkUnusedMonitors(declarations: readonly MonitorDeclaration[], expander: Expander): void {
  for (const declaration of declarations) readSpec(declaration, { scope: scopeOf(declaration, expander), context: undefined }, expander);
}

function compileMonitor(declaration: MonitorDeclaration, scope: ExpressionScope, slot: Slot, expander: Expander): CompiledMonitor {
  const { frame } = expander;
  const contextIn = (view?: View) => {
    const context = frame.context(declaration.document.place.source.directory, view);
    if (slot.each && scope.each) context.each = toCel(frame.world.language.eachType(scope.each), slot.each);
    return context;
  };
  const { spec, refersTo } = readSpec(declaration, { scope, context: contextIn() }, expander);
  const { key } = slot;
  return Object.freeze({
    key,
    check: checksIn(spec)[0] ?? "",
    spec,
    needs: holdsExpression(spec) ? refersTo : [],
    declaredAt: placeText(declaration.document.place),
    resolve: (view: View) => {
      const site = { frame, scope, context: contextIn(view), where: key };
      return withoutExpressions(spec, (text) => evaluate(text, site)) as JsonObject;
    },
  });
}

type Sight = { readonly scope: ExpressionScope; readonly context: object | undefined };

function readSpec(
  { spec, label, place }: MonitorDeclaration,
  { scope, context }: Sight,
  { reader, links, problems }: Expander,
): { readonly spec: JsonObject; readonly refersTo: readonly ResourceKey[] } {
  const node: MapNode = spec?.type === "map" ? spec : emptyMap(place);
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
