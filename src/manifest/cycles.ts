/** Circles of resources that need each other before they exist. */

import { order } from "../core/graph.ts";
import type { Dependency, Resource } from "../core/resource.ts";
import type { LazyInstance } from "./instances.ts";
import { member, type Place } from "./node.ts";
import type { Problems } from "./problems.ts";

/** Reports a circle with its path. Edges through `late` fields make none: those fields are sent once both exist. */
export function checkCycles(resources: readonly Resource[], instances: ReadonlyMap<string, LazyInstance>, problems: Problems): void {
  const graph = new Map(resources.map((resource) => [resource.key, needs(resource, instances.get(resource.key))]));
  const result = order(new Map([...graph].map(([key, dependencies]) => [key, dependencies.map(({ on }) => on)])));
  if (!("cycle" in result)) return;
  const [first, second] = result.cycle;
  const edge = graph.get(first as Resource["key"])?.find(({ on }) => on === second);
  const instance = instances.get(first ?? "");
  problems.add(edge && instance && placeOfEdge(instance, edge), `resources need each other in a circle: ${path(result.cycle, graph)}`);
}

function needs({ dependencies }: Resource, instance: LazyInstance | undefined): readonly Dependency[] {
  const fields = instance?.declaration.kind.spec.fields ?? {};
  return dependencies.filter(({ field }) => field === undefined || !fields[field]?.meta?.late);
}

/** `VPC/a (cidrBlock) → VPC/b (dependsOn) → VPC/a`. */
function path(cycle: readonly string[], graph: ReadonlyMap<string, readonly Dependency[]>): string {
  return cycle
    .map((key, index) => {
      const next = cycle[index + 1];
      if (next === undefined) return key;
      const edge = graph.get(key)?.find(({ on }) => on === next);
      return `${key} (${edge?.field ?? "dependsOn"})`;
    })
    .join(" → ");
}

function placeOfEdge({ declaration }: LazyInstance, { field }: Dependency): Place {
  const node = field === undefined ? member(declaration.document, "dependsOn") : member(declaration.spec, field);
  return node?.place ?? declaration.place;
}
