/**
 * The shape of a kind's spec or status: its zod schema as plain data.
 *
 * One reading of zod serves everything that must know a field's type without a value: diff, expression types, JSON
 * Schema, `explain` and the docs pages.
 */

import type { z } from "zod";
import { type FieldMeta, fieldMeta } from "./field.ts";
import type { Json } from "./json.ts";

/** A type, as data. `object` has named fields, `map` has free keys, `any` is unchecked JSON. */
export type Shape = { readonly optional: boolean; readonly meta?: FieldMeta } & (
  | {
      readonly type: "string";
      readonly minLength?: number;
      readonly maxLength?: number;
      readonly pattern?: string;
      readonly format?: string;
    }
  | { readonly type: "integer" | "number"; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: "boolean" }
  | { readonly type: "enum"; readonly values: readonly (string | number)[] }
  | { readonly type: "literal"; readonly value: Json }
  | { readonly type: "array"; readonly element: Shape }
  | { readonly type: "map"; readonly element: Shape }
  | { readonly type: "object"; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly type: "union"; readonly options: readonly Shape[] }
  | { readonly type: "any" }
);

/** A shape with named fields: every spec and status is one. */
export type ObjectShape = Extract<Shape, { type: "object" }>;

const cache = new WeakMap<z.ZodType, Shape>();

/** Reads a zod schema. Throws on a construct the manifest language has no words for (transforms, dates, functions). */
export function shapeOf(schema: z.ZodType): Shape {
  const known = cache.get(schema);
  if (known) return known;
  const shape = Object.freeze(readShape(schema));
  cache.set(schema, shape);
  return shape;
}

/** As {@link shapeOf}, for specs and statuses. */
export function objectShape(schema: z.ZodObject): ObjectShape {
  return shapeOf(schema) as ObjectShape;
}

// zod's own types hide most of a definition's members; this is the part that is read.
type Definition = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly values?: readonly Json[];
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly pattern?: RegExp } } }[];
};

/** What a schema is made of. */
export function definitionOf(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

function readShape(schema: z.ZodType): Shape {
  const definition = definitionOf(schema);
  const meta = fieldMeta(schema);
  if (definition.type === "optional" && definition.innerType) {
    if (fieldMeta(definition.innerType)) throw new Error("field() must be the outermost call: zod drops its metadata on .optional()");
    return { ...shapeOf(definition.innerType), ...base(meta), optional: true };
  }
  return { ...readType(schema, definition), ...base(meta), optional: false } as Shape;
}

function base(meta: FieldMeta | undefined): { meta?: FieldMeta } {
  return meta ? { meta } : {};
}

function readType(schema: z.ZodType, definition: Definition): object {
  switch (definition.type) {
    case "string":
      return { type: "string", ...stringLimits(schema) };
    case "number": {
      const integer = (schema as unknown as { format: string | null }).format?.includes("int") ?? false;
      return { type: integer ? "integer" : "number", ...limit("minimum", schema, "minValue"), ...limit("maximum", schema, "maxValue") };
    }
    case "boolean":
      return { type: "boolean" };
    case "enum":
      return { type: "enum", values: Object.values(definition.entries ?? {}) };
    case "literal":
      return (definition.values?.length ?? 0) > 1
        ? { type: "enum", values: definition.values }
        : { type: "literal", value: definition.values?.[0] ?? null };
    case "array":
      return { type: "array", element: shapeOf(definition.element as z.ZodType) };
    case "record":
      return { type: "map", element: shapeOf(definition.valueType as z.ZodType) };
    case "object":
      return {
        type: "object",
        fields: Object.fromEntries(Object.entries(definition.shape ?? {}).map(([name, inner]) => [name, shapeOf(inner)])),
      };
    case "union":
      return { type: "union", options: (definition.options ?? []).map(shapeOf) };
    case "any":
    case "unknown":
      return { type: "any" };
    default:
      throw new Error(`the manifest language has no words for zod's ${definition.type}`);
  }
}

function stringLimits(schema: z.ZodType): object {
  const text = schema as unknown as { format: string | null; def: Definition };
  const pattern = text.def.checks?.map((check) => check._zod.def.pattern).find((found) => found !== undefined)?.source;
  return {
    ...limit("minLength", schema, "minLength"),
    ...limit("maxLength", schema, "maxLength"),
    ...(pattern === undefined ? {} : { pattern }),
    // zod calls every own pattern's format "regex", which would mean that the value is one.
    ...(text.format && text.format !== "regex" ? { format: text.format } : {}),
  };
}

// zod reports "no limit" as null or as an infinite or largest safe number.
function limit(name: string, schema: z.ZodType, property: string): object {
  const value = (schema as unknown as Record<string, unknown>)[property];
  return typeof value === "number" && Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER ? { [name]: value } : {};
}
