/** The declaration of parameters: a part of JSON Schema, as in a CRD, and `typeOf`, which borrows the type of a kind's field. */

import { z } from "zod";
import { parseCidr } from "../core/cidr.ts";
import { field } from "../core/field.ts";
import type { Json } from "../core/json.ts";
import type { Kinds } from "../kind/kind.ts";
import { borrowed } from "./borrow.ts";
import { readPlain } from "./check-value.ts";
import { type MapNode, member, type Node, type Place } from "./node.ts";
import type { Problems } from "./problems.ts";

/** A type as a manifest declares it. */
export type ParameterSchema = {
  /** Undefined where the type is a kind's field's (`typeOf`). */
  readonly type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly default?: Json;
  readonly items?: ParameterSchema;
  readonly properties?: Readonly<Record<string, ParameterSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: ParameterSchema;
  /** The checks of a value, as a zod schema. */
  readonly check: z.ZodType;
};

/** A declared parameter, and where. `optional`: its default is `null`, so that it may have no value. */
export type Parameter = {
  readonly name: string;
  readonly schema: ParameterSchema;
  readonly optional: boolean;
  /** The schema of a map with its value alone. */
  readonly alone: z.ZodObject;
  readonly node: MapNode;
  readonly place: Place;
};

const limit = z.number().optional();
const schemaSchema = z.strictObject({
  type: z.enum(["string", "integer", "number", "boolean", "array", "object"]),
  description: z.string().optional(),
  default: z.any().optional(),
  format: z.enum(["hostname", "cidr"]).optional(),
  enum: z.array(z.union([z.string(), z.number()])).optional(),
  pattern: z.string().optional(),
  minLength: limit,
  maxLength: limit,
  minimum: limit,
  maximum: limit,
  minItems: limit,
  maxItems: limit,
  items: z.any().optional(),
  properties: z.record(z.string(), z.any()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.any().optional(),
});
type Plain = z.infer<typeof schemaSchema>;
const borrowedSchema = z.strictObject({ typeOf: z.string(), description: z.string().optional(), default: z.any().optional() });

/** What declarations are read with. */
type Reading = { readonly kinds: Kinds; readonly problems: Problems };

/** Reads the `parameters` of a Project or a Blueprint. */
export function readParameters(node: Node | undefined, reading: Reading): readonly Parameter[] {
  if (!node) return [];
  if (node.type !== "map") {
    reading.problems.add(node.place, "`parameters` must be a map of names to types");
    return [];
  }
  return [...node.entries].flatMap(([name, { key, value }]) => {
    const schema = readSchema(value, `parameter ${name}`, reading);
    if (!schema || value.type !== "map") return [];
    const optional = isNull(member(value, "default"));
    const alone = z.strictObject({ [name]: documented(schema, optional) });
    return [{ name, schema, optional, alone, node: value, place: key }];
  });
}

function isNull(node: Node | undefined): boolean {
  return node?.type === "scalar" && node.value === null;
}

function readSchema(node: Node, label: string, reading: Reading): ParameterSchema | undefined {
  if (member(node, "typeOf")) return readBorrowed(node, label, reading);
  const { problems } = reading;
  const plain = readPlain(schemaSchema, { node, label, problems });
  if (!plain) return undefined;
  const items = plain.type === "array" ? readNested(member(node, "items"), `${label}[]`, reading) : undefined;
  const additional = readNested(member(node, "additionalProperties"), `${label}{}`, reading);
  const properties = readProperties(member(node, "properties"), label, reading);
  const schema = { type: plain.type, ...(items ? { items } : {}), ...(additional ? { additionalProperties: additional } : {}) };
  const check = checkOf(plain, node, { items, properties, additional }, problems);
  const required = plain.required ? { required: plain.required } : {};
  return { ...schema, ...described(plain), ...required, ...(properties ? { properties } : {}), check };
}

function readBorrowed(node: Node, label: string, { kinds, problems }: Reading): ParameterSchema | undefined {
  const plain = readPlain(borrowedSchema, { node, label, problems });
  if (!plain) return undefined;
  const found = borrowed(plain.typeOf, kinds);
  if (found.wrong === undefined) return { ...described({ description: found.doc, ...plain }), check: found.check };
  problems.add(member(node, "typeOf")?.place, `\`typeOf\` of ${label} ${found.wrong}`, found.hint);
  return undefined;
}

function described(plain: { readonly description?: string | undefined; readonly default?: unknown }): Partial<ParameterSchema> {
  return {
    ...(plain.description === undefined ? {} : { description: plain.description }),
    ...(plain.default === undefined ? {} : { default: plain.default as Json }),
  };
}

function readNested(node: Node | undefined, label: string, reading: Reading): ParameterSchema | undefined {
  return node && readSchema(node, label, reading);
}

function readProperties(node: Node | undefined, label: string, reading: Reading): Record<string, ParameterSchema> | undefined {
  if (node?.type !== "map") return undefined;
  const read = [...node.entries].map(([name, { value }]) => [name, readSchema(value, `${label}.${name}`, reading)] as const);
  return Object.fromEntries(read.filter((entry): entry is [string, ParameterSchema] => entry[1] !== undefined));
}

type Nested = {
  readonly items: ParameterSchema | undefined;
  readonly properties: Record<string, ParameterSchema> | undefined;
  readonly additional: ParameterSchema | undefined;
};

/** The zod schema of a parameter's type. */
function checkOf(plain: Plain, node: Node, nested: Nested, problems: Problems): z.ZodType {
  if (plain.enum) return z.literal(plain.enum as [string | number, ...(string | number)[]]);
  switch (plain.type) {
    case "string":
      return textCheck(plain, node, problems);
    case "integer":
      return range(z.int(), plain);
    case "number":
      return range(z.number(), plain);
    case "boolean":
      return z.boolean();
    case "array": {
      const list = z.array(nested.items?.check ?? z.any());
      return list.min(plain.minItems ?? 0).max(plain.maxItems ?? Number.MAX_SAFE_INTEGER);
    }
    case "object":
      return objectCheck(plain, nested);
  }
}

function range(check: z.ZodNumber, plain: Plain): z.ZodNumber {
  const low = plain.minimum === undefined ? check : check.min(plain.minimum);
  return plain.maximum === undefined ? low : low.max(plain.maximum);
}

// RFC 1123: labels of letters, digits and hyphens, 63 characters each, 253 in all; a wildcard may stand first.
const HOSTNAME = /^(?=.{1,253}$)(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

function textCheck(plain: Plain, node: Node, problems: Problems): z.ZodType {
  let text = z.string();
  if (plain.minLength !== undefined) text = text.min(plain.minLength);
  if (plain.maxLength !== undefined) text = text.max(plain.maxLength);
  if (plain.format === "hostname") text = text.regex(HOSTNAME, "must be a host name such as api.example.com");
  const pattern = plain.pattern === undefined ? undefined : regularExpression(plain.pattern);
  if (pattern) text = text.regex(pattern);
  else if (plain.pattern !== undefined) problems.add(member(node, "pattern")?.place, "`pattern` is no regular expression");
  const isCidr = (value: string) => parseCidr(value) !== undefined;
  return plain.format === "cidr" ? text.refine(isCidr, "must be a CIDR block such as 10.0.0.0/16") : text;
}

function regularExpression(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

function objectCheck(plain: Plain, { properties, additional }: Nested): z.ZodType {
  if (!properties) return z.record(z.string(), additional?.check ?? z.any());
  const required = new Set(plain.required ?? []);
  const fields = Object.entries(properties).map(([name, schema]) => [name, required.has(name) ? schema.check : schema.check.optional()]);
  return z.strictObject(Object.fromEntries(fields));
}

/** The zod object of all parameters. Those with a default may be left out. */
export function parametersSchema(parameters: readonly Parameter[]): z.ZodObject {
  return z.strictObject(Object.assign({}, ...parameters.map(({ alone }) => alone.shape)));
}

function documented({ check, description, default: standard }: ParameterSchema, optional: boolean): z.ZodType {
  const doc = [
    ...(description === undefined ? [] : [description]),
    ...(standard === undefined ? [] : [`Default: ${JSON.stringify(standard)}.`]),
  ];
  const own = optional || standard !== undefined ? check.optional() : check.clone();
  return doc.length > 0 ? field(own, { doc: doc.join(" ") }) : own;
}
