/**
 * The values of parameters: those that an environment gives the project's, and those that an instance gives its blueprint's.
 *
 * An environment's come in layers, each over the one before: the default, the Environment, `--params` files, `--param`. Objects
 * with named properties merge deeply; maps of things and lists replace.
 */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { suggestion } from "../core/suggest.ts";
import { checkValue, withoutNulls } from "./check-value.ts";
import { type MapNode, member, type Node, plainJson } from "./node.ts";
import type { Parameter, ParameterSchema } from "./parameter-schema.ts";
import type { Problems } from "./problems.ts";
import { isExpression } from "./values.ts";

/** One layer of values. */
export type Layer = { readonly values: MapNode };

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

function chosenValue(parameter: Parameter, layers: readonly Layer[], problems: Problems, label = "the parameters"): Json | undefined {
  const { name, schema, optional } = parameter;
  const given = [defaultLayer(parameter), ...layers].filter((layer) => layer !== undefined && gives(layer, name)) as Layer[];
  const [last] = given.slice(-1);
  if (!last && optional) return undefined;
  if (!last) {
    const hint = `give it in the Environment, with --param ${name}=..., or give it a default`;
    problems.add(parameter.place, `parameter \`${name}\` has no value`, hint);
    return undefined;
  }
  const merged = given
    .map((layer) => withoutNulls(plainJson(member(layer.values, name) as Node)))
    .reduce<Json | undefined>((base, over) => merge(schema, base, over), undefined);
  const value = withDefaults(schema, merged as Json);
  checkValue(parameter.alone, { [name]: value }, { node: last.values, label, problems });
  return value;
}

/** `null` is no value. */
function gives({ values }: Layer, name: string): boolean {
  const node = member(values, name);
  return node !== undefined && !(node.type === "scalar" && node.value === null);
}

/** The default as a layer of its own, so that a wrong one is shown where it stands. */
function defaultLayer({ name, node }: Parameter): Layer | undefined {
  const entry = node.entries.get("default");
  return entry && { values: { type: "map", entries: new Map([[name, entry]]), place: entry.value.place } };
}

/** Adds a problem for a default that its own type refuses. `of`: `Blueprint/web-service`. */
export function checkDefault(parameter: Parameter, of: string, problems: Problems): void {
  const layer = defaultLayer(parameter);
  if (layer && gives(layer, parameter.name)) chosenValue(parameter, [], problems, `the parameters of ${of}`);
}

/** The value of a parameter where this is given, expressions left in place; the default where nothing is. */
export function completed({ schema }: Parameter, given: Json | undefined): Json | undefined {
  const merged = given === undefined ? schema.default : merge(schema, schema.default, given);
  return merged === undefined ? undefined : withDefaults(schema, merged);
}

function merge(schema: ParameterSchema, base: Json | undefined, over: Json): Json {
  const { properties } = schema;
  if (!properties || !isObject(base) || !isObject(over) || isExpression(over)) return over;
  const merged = Object.entries(over).map(([name, value]) => {
    const nested = properties[name];
    return [name, nested ? merge(nested, base[name], value as Json) : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** Fills in the defaults of properties, at every depth. */
function withDefaults(schema: ParameterSchema, value: Json): Json {
  if (Array.isArray(value)) return schema.items ? value.map((item) => withDefaults(schema.items as ParameterSchema, item)) : value;
  if (!isObject(value) || isExpression(value)) return value;
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
