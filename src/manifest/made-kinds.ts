/** The kinds that a manifest set's blueprints make, as documentation and editors see them. */

import type { Shape } from "../core/shape.ts";
import type { AnyLookup, Kinds } from "../kind/kind.ts";
import { type Prepared, prepare } from "./compile.ts";
import type { SourceSet } from "./source.ts";
import type { Type } from "./types.ts";

/** A kind that a blueprint makes: its parameters are the spec of its instances, its outputs their status. */
export type MadeKind = Pick<AnyLookup, "id" | "apiVersion" | "name" | "root" | "doc" | "shortNames" | "spec" | "status"> & {
  /** `Blueprint/web-service`. */
  readonly madeBy: string;
};

/** The kinds of all blueprints that could be read, whatever else is wrong in the manifests. */
export function madeKinds(kinds: Kinds, sources: SourceSet): readonly MadeKind[] {
  return madeKindsOf(prepare(sources, { kinds }));
}

/** As {@link madeKinds}, of manifests that are read already. */
export function madeKindsOf({ documents, language }: Prepared): readonly MadeKind[] {
  return [...documents.blueprints.values()].map(({ id, apiVersion, name, root, doc, shortNames, spec, outputs, label }) => {
    const types = language.instanceType(name)?.fields;
    const fields = outputs.map((output) => [output.name, described(shapeOfType(types?.get(output.name)), output.description)] as const);
    const status = { type: "object", optional: false, fields: Object.fromEntries(fields) } as const;
    return { id, apiVersion, name, root, doc, shortNames, spec, status, madeBy: label };
  });
}

function described(shape: Shape, doc: string | undefined): Shape {
  return doc === undefined ? shape : { ...shape, meta: { doc } };
}

/** The shape of a value of the type. */
function shapeOfType(type: Type | undefined): Shape {
  const optional = false;
  switch (type?.kind) {
    case "string":
      return { type: "string", optional };
    case "int":
      return { type: "integer", optional };
    case "double":
      return { type: "number", optional };
    case "bool":
      return { type: "boolean", optional };
    case "list":
      return { type: "array", optional, element: shapeOfType(type.element) };
    case "map":
      return { type: "map", optional, element: shapeOfType(type.element) };
    case "optional":
      return { ...shapeOfType(type.element), optional: true };
    case "object":
      if (type.role !== "data") return { type: "any", optional };
      return { type: "object", optional, fields: Object.fromEntries([...type.fields].map(([name, field]) => [name, shapeOfType(field)])) };
    default:
      return { type: "any", optional };
  }
}
