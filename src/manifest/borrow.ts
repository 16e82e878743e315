/** `typeOf: iam.aws/v1 Role.spec.policies`: a parameter has the type of a kind's field, its limits and checks included. */

import type { z } from "zod";
import { fieldMeta } from "../core/field.ts";
import { definitionOf } from "../core/shape.ts";
import { suggestion } from "../core/suggest.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";

/** The type and what the field is for, or what is wrong with its name. */
export type Borrowed =
  | { readonly check: z.ZodType; readonly doc: string | undefined; readonly wrong?: never }
  | { readonly wrong: string; readonly hint?: string | undefined };

/** Finds the type that the text names. Lists and maps are looked through; `[]` behind a list means one of its items. */
export function borrowed(text: string, kinds: Kinds): Borrowed {
  const [, id, place, path] = /^(\S+ \w+)\.(spec|status)\.([\w.[\]]+)$/.exec(text) ?? [];
  if (id === undefined || path === undefined)
    return { wrong: "must name a kind's field", hint: "write APIVERSION KIND.spec.FIELD, such as ec2.aws/v1 Subnet.spec.tags" };
  const kind = [...kinds.values()].find((candidate) => candidate.id === id);
  if (!kind) return { wrong: `names the kind \`${id}\`, which is not known`, hint: suggestion(id, kinds.keys()) };
  return walk(place === "spec" ? kind.specSchema : kind.statusSchema, path.split("."), kind);
}

function walk(from: z.ZodType, steps: readonly string[], kind: AnyKind | AnyLookup): Borrowed {
  let schema = from;
  for (const step of steps) {
    const name = step.replace(/\[\]$/, "");
    const fields = fieldsOf(schema) ?? {};
    const found = fields[name];
    if (!found) return { wrong: `names \`${name}\`, which ${kind.name} does not have there`, hint: suggestion(name, Object.keys(fields)) };
    const item = step === name ? found : innerOf(required(found));
    if (!item) return { wrong: `takes an item of \`${name}\`, which is no list or map` };
    schema = item;
  }
  // A copy has no metadata: whether it is immutable or late is the business of the field that lends its type.
  return { check: required(schema).clone(), doc: fieldMeta(schema)?.doc };
}

function required(schema: z.ZodType): z.ZodType {
  const { type, innerType } = definitionOf(schema);
  return type === "optional" && innerType ? innerType : schema;
}

/** What a list or map holds. */
function innerOf(schema: z.ZodType): z.ZodType | undefined {
  const { element, valueType } = definitionOf(schema);
  return element ?? valueType;
}

/** The members of an object, of a list or map of objects, or of the one object among several forms. */
function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  const { shape, innerType, options } = definitionOf(schema);
  if (shape) return shape;
  const inner = innerType ?? innerOf(schema);
  return inner ? fieldsOf(inner) : options?.map(fieldsOf).find((fields) => fields !== undefined);
}
