/** Parameters whose value is known in part: what is known of them is used, and the rest is written as its place in the parameter. */

import { isObject, type Json } from "../core/json.ts";
import type { Type } from "./types.ts";
import { isExpression } from "./values.ts";

/** The value of the parameter, or of a member of it, that an expression is and nothing else: `params.network.ids`. */
export function parameterIn(text: string, valueNamed: (name: string) => Json | undefined): Json | undefined {
  const [, name, path = ""] = /^params\.(\w+)((?:\.\w+)*)$/.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  const steps = path.split(".").slice(1);
  return steps.reduce<Json | undefined>((found, step) => (isObject(found) ? found[step] : undefined), valueNamed(name));
}

/** The type of an expression in the value; undefined for one that is wrong. */
type TypeOf = (text: string) => Type | undefined;

/** The value with each expression in it replaced by where it stands: `params.tags[?"Owner"]`. */
export function asPlaces(value: Json, path: string, typeOf: TypeOf): Json {
  if (isExpression(value)) return { $expr: path };
  if (Array.isArray(value)) {
    // A list that may turn out shorter is known only as a whole: an index would mean another element then.
    if (!hasItsLength(value, typeOf)) return { $expr: path };
    return value.map((element, index) => asPlaces(element, `${path}[${index}]`, typeOf));
  }
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, element]) =>
    element === undefined ? [] : [[name, asPlaces(element, `${path}[?${JSON.stringify(name)}]`, typeOf)] as const],
  );
  return Object.fromEntries(members);
}

/** Whether every element of a list will surely be one: an empty optional is dropped. */
export function hasItsLength(list: readonly Json[], typeOf: TypeOf): boolean {
  return list.every((element) => !isExpression(element) || !MAY_BE_NOTHING.has(typeOf(element.$expr)?.kind));
}

const MAY_BE_NOTHING: ReadonlySet<Type["kind"] | undefined> = new Set(["optional", "dyn", "none"] as const);
