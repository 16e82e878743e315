/**
 * Parameters: their declaration (a part of JSON Schema, as in a CRD), and the values an environment gives them.
 *
 * Values come in layers, each over the one before: the default, the Environment, `--params` files, `--param`. Objects
 * with named properties merge deeply; maps of things and lists replace.
 */

import { z } from "zod";
import { parseCidr } from "../core/cidr.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { suggestion } from "../core/suggest.ts";
import { checkValue, readPlain, withoutNulls } from "./check-value.ts";
import { type MapNode, member, type Node, type Place, plainJson } from "./node.ts";
import type { Problems } from "./problems.ts";

/** A type as a manifest declares it. */
export type ParameterSchema = {
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly default?: Json;
  readonly items?: ParameterSchema;
  readonly properties?: Readonly<Record<string, ParameterSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: ParameterSchema;
  /** The checks of a value, as a zod schema. */
  readonly check: z.ZodType;
};

/** A declared parameter, and where. */
export type Parameter = { readonly name: string; readonly schema: ParameterSchema; readonly node: MapNode; readonly place: Place };

/** One layer of values. */
export type Layer = { readonly values: MapNode };

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

/** Reads the `parameters` of a Project. */
export function readParameters(node: Node | undefined, problems: Problems): readonly Parameter[] {
  if (!node) return [];
  if (node.type !== "map") {
    problems.add(node.place, "`parameters` must be a map of names to types");
    return [];
  }
  return [...node.entries].flatMap(([name, { key, value }]) => {
    const schema = readSchema(value, `parameter ${name}`, problems);
    return schema && value.type === "map" ? [{ name, schema, node: value, place: key }] : [];
  });
}

function readSchema(node: Node, label: string, problems: Problems): ParameterSchema | undefined {
  const plain = readPlain(schemaSchema, { node, label, problems });
  if (!plain) return undefined;
  const items = plain.type === "array" ? readNested(member(node, "items"), `${label}[]`, problems) : undefined;
  const additional = readNested(member(node, "additionalProperties"), `${label}{}`, problems);
  const properties = readProperties(member(node, "properties"), label, problems);
  const schema = { type: plain.type, ...(items ? { items } : {}), ...(additional ? { additionalProperties: additional } : {}) };
  const check = checkOf(plain, node, { items, properties, additional }, problems);
  const described = plain.description === undefined ? {} : { description: plain.description };
  const standard = plain.default === undefined ? {} : { default: plain.default as Json };
  const required = plain.required ? { required: plain.required } : {};
  return { ...schema, ...described, ...standard, ...required, ...(properties ? { properties } : {}), check };
}

function readNested(node: Node | undefined, label: string, problems: Problems): ParameterSchema | undefined {
  return node && readSchema(node, label, problems);
}

function readProperties(node: Node | undefined, label: string, problems: Problems): Record<string, ParameterSchema> | undefined {
  if (node?.type !== "map") return undefined;
  const read = [...node.entries].map(([name, { value }]) => [name, readSchema(value, `${label}.${name}`, problems)] as const);
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

/** The zod object of all parameters: every one has a value once an environment is complete. */
export function parametersCheck(parameters: readonly Parameter[]): z.ZodObject {
  return z.strictObject(Object.fromEntries(parameters.map(({ name, schema }) => [name, schema.check])));
}

/** The values of all parameters in an environment. Problems: unknown, missing, of the wrong type, out of range. */
export function parameterValues(parameters: readonly Parameter[], layers: readonly Layer[], problems: Problems): JsonObject {
  for (const { values } of layers) refuseUnknownParameters(values, parameters, problems);
  const values = parameters.map((parameter) => [parameter.name, chosenValue(parameter, layers, problems)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function refuseUnknownParameters(values: MapNode, parameters: readonly Parameter[], problems: Problems): void {
  const known = parameters.map((parameter) => parameter.name);
  for (const [name, entry] of values.entries) {
    if (!known.includes(name)) problems.add(entry.key, `unknown parameter \`${name}\``, suggestion(name, known));
  }
}

function chosenValue(parameter: Parameter, layers: readonly Layer[], problems: Problems): Json | undefined {
  const { name, schema } = parameter;
  const given = [defaultLayer(parameter), ...layers].filter(
    (layer) => layer !== undefined && member(layer.values, name) !== undefined,
  ) as Layer[];
  const [last] = given.slice(-1);
  if (!last) {
    const hint = `give it in the Environment, with --param ${name}=..., or give it a default`;
    problems.add(parameter.place, `parameter \`${name}\` has no value`, hint);
    return undefined;
  }
  const merged = given
    .map((layer) => withoutNulls(plainJson(member(layer.values, name) as Node)))
    .reduce<Json | undefined>((base, over) => merge(schema, base, over), undefined);
  const value = withDefaults(schema, merged as Json);
  checkValue(z.object({ [name]: schema.check }), { [name]: value }, { node: last.values, label: "the parameters", problems });
  return value;
}

/** The default as a layer of its own, so that a wrong one is shown where it stands. */
function defaultLayer({ name, node }: Parameter): Layer | undefined {
  const entry = node.entries.get("default");
  return entry && { values: { type: "map", entries: new Map([[name, entry]]), place: entry.value.place } };
}

function merge(schema: ParameterSchema, base: Json | undefined, over: Json): Json {
  const { properties } = schema;
  if (!properties || !isObject(base) || !isObject(over)) return over;
  const merged = Object.entries(over).map(([name, value]) => {
    const nested = properties[name];
    return [name, nested ? merge(nested, base[name], value as Json) : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** Fills in the defaults of properties, at every depth. */
function withDefaults(schema: ParameterSchema, value: Json): Json {
  if (Array.isArray(value)) return schema.items ? value.map((item) => withDefaults(schema.items as ParameterSchema, item)) : value;
  if (!isObject(value)) return value;
  if (!schema.properties)
    return mapValues(value, (element) => (schema.additionalProperties ? withDefaults(schema.additionalProperties, element) : element));
  const missing = Object.entries(schema.properties).filter(
    ([name, property]) => value[name] === undefined && property.default !== undefined,
  );
  const complete: JsonObject = { ...value, ...Object.fromEntries(missing.map(([name, property]) => [name, property.default as Json])) };
  return Object.fromEntries(
    Object.entries(complete).map(([name, element]) => {
      const property = schema.properties?.[name];
      return [name, property && element !== undefined ? withDefaults(property, element) : element];
    }),
  );
}

function mapValues(value: JsonObject, change: (element: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, element === undefined ? element : change(element)]));
}
