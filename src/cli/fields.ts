/** Fields as a person names them: by the manifest's name or by AWS's, in any case, through lists and maps. */

import { BeaconError } from "../core/errors.ts";
import type { ObjectShape, Shape } from "../core/shape.ts";
import { nearest } from "../core/suggest.ts";
import type { AnyKind, AnyLookup } from "../kind/kind.ts";

/** A field that was found: where it stands, and its type. */
export type FoundField = { readonly path: readonly string[]; readonly in: "spec" | "status"; readonly shape: Shape };

/** What has fields: a kind, or a Monitor. */
export type Fielded = Pick<AnyKind | AnyLookup, "name" | "spec"> & { readonly status?: ObjectShape };

/** Walks `["ingress", "CidrIpv4"]` from the spec, then from the status. Throws ResourceUnknown with the nearest name. */
export function findField(kind: Fielded, path: readonly string[]): FoundField {
  const [first, ...rest] = path;
  const words = first === "spec" || first === "status" ? rest : path;
  const places = first === "spec" || first === "status" ? ([first] as const) : (["spec", "status"] as const);
  for (const place of places) {
    const found = walk(kind[place] ?? NO_FIELDS, words);
    if (found) return { path: found.path, in: place, shape: found.shape };
  }
  const names = places.flatMap((place) => Object.keys((kind[place] ?? NO_FIELDS).fields));
  const near = nearest(words[0] ?? "", names);
  throw new BeaconError("ResourceUnknown", `${kind.name} has no field ${words.join(".")}`, {
    next: near === undefined || words.length > 1 ? `beaconctl explain ${kind.name} lists its fields` : `did you mean ${kind.name}.${near}?`,
  });
}

const NO_FIELDS: ObjectShape = Object.freeze({ type: "object", fields: {}, optional: false });

/** The named fields of a type, looking through lists, maps and unions of one object. */
export function innerFields(shape: Shape): ObjectShape["fields"] | undefined {
  switch (shape.type) {
    case "object":
      return shape.fields;
    case "array":
    case "map":
      return innerFields(shape.element);
    case "union":
      return shape.options.map(innerFields).find((fields) => fields !== undefined);
    default:
      return undefined;
  }
}

function walk(shape: Shape, words: readonly string[]): { path: string[]; shape: Shape } | undefined {
  const [word, ...rest] = words;
  if (word === undefined) return { path: [], shape };
  const fields = innerFields(shape) ?? {};
  const name = Object.keys(fields).find((candidate) => candidate.toLowerCase() === word.toLowerCase());
  const inner = name === undefined ? undefined : walk(fields[name] as Shape, rest);
  return inner && name !== undefined ? { path: [name, ...inner.path], shape: inner.shape } : undefined;
}
