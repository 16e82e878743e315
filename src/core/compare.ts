/** When two values of a field say the same, by the field's compare mode. */

import { canonicalDnsName } from "./dns-name.ts";
import type { Compare } from "./field.ts";
import { canonical, isObject, type Json, type JsonArray, type JsonObject } from "./json.ts";
import type { Shape } from "./shape.ts";

/** The value in a form whose equality is the field's equality. */
export function normalize(value: Json, compare: Compare | undefined): Json {
  if (compare === undefined || compare === "exact") return value;
  if (compare === "dns-name") return typeof value === "string" ? canonicalDnsName(value) : value;
  if (compare === "set") return Array.isArray(value) ? sorted(value) : value;
  if (compare === "json") return parsed(value);
  if (compare === "iam-policy") return policy(parsed(value));
  return Array.isArray(value) ? sortedBy(value, compare.keyed) : value;
}

/** True when both say the same under the compare mode. An absent value equals only an absent one. */
export function same(left: Json | undefined, right: Json | undefined, compare: Compare | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return canonical(normalize(left, compare)) === canonical(normalize(right, compare));
}

/**
 * A value as text, the same for all its spellings: undeclared members at their `unset` values, what is compared as a set sorted,
 * at any depth.
 */
export function formOf(value: Json, shape: Shape): string {
  return canonical(inForm(value, shape));
}

function inForm(given: Json, shape: Shape): Json {
  const value = given ?? shape.meta?.unset ?? null;
  const compare = shape.meta?.compare;
  if (shape.type === "array" && Array.isArray(value))
    return normalize(
      value.map((element) => inForm(element, shape.element)),
      compare,
    );
  if (compare || !isObject(value)) return normalize(value, compare);
  const memberOf = (name: string) => (shape.type === "map" ? shape.element : shape.type === "object" ? shape.fields[name] : undefined);
  const names = Object.keys({ ...(shape.type === "object" ? shape.fields : {}), ...value });
  const members = names.flatMap((name): [string, Json][] => {
    const inner = memberOf(name);
    const member = inner ? inForm(value[name] ?? null, inner) : (value[name] ?? null);
    return member === null ? [] : [[name, member]];
  });
  return Object.fromEntries(members);
}

/** The member that tells elements of a keyed list apart, as text. */
export function keyOf(element: Json, keyed: string): string {
  return isObject(element) ? canonical(element[keyed]) : canonical(element);
}

function sorted(elements: JsonArray): Json {
  const texts = new Map(elements.map((element) => [canonical(element), element]));
  return [...texts.keys()].sort().map((text) => texts.get(text) as Json);
}

function sortedBy(elements: JsonArray, keyed: string): Json {
  return [...elements].sort((left, right) => (keyOf(left, keyed) < keyOf(right, keyed) ? -1 : 1));
}

function parsed(value: Json): Json {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value; // Not JSON: compared as the text it is.
  }
}

// IAM treats a single statement or value as a list of one, and the order inside lists does not count.
const LISTS = new Set(["Action", "NotAction", "Resource", "NotResource"]);

function policy(document: Json): Json {
  if (!isObject(document)) return document;
  const statements = document.Statement === undefined ? [] : asList(document.Statement);
  return { ...document, Statement: sorted(statements.map(statement)) };
}

function statement(value: Json): Json {
  if (!isObject(value)) return value;
  const normal = ([name, member]: [string, Json | undefined]): [string, Json | undefined] => {
    if (member === undefined) return [name, member];
    if (LISTS.has(name)) return [name, sorted(asList(member))];
    if (name === "Principal" || name === "NotPrincipal") return [name, principals(member)];
    return name === "Condition" ? [name, listsWithin(member, conditionText)] : [name, member];
  };
  return Object.fromEntries(Object.entries(value).map(normal));
}

// IAM user guide, "Principal": "*" is {"AWS": "*"}, and an account's ID is what IAM writes back as the account's root ARN.
function principals(value: Json): Json {
  return listsWithin(value === "*" ? { AWS: "*" } : value, (one) =>
    typeof one === "string" ? one.replace(/^arn:aws[a-z-]*:iam::(\d{12}):root$/, "$1") : one,
  );
}

// IAM's conditions compare texts: `false` is written back as "false".
function conditionText(value: Json): Json {
  return typeof value === "boolean" || typeof value === "number" ? String(value) : value;
}

function listsWithin(value: Json, normal: (element: Json) => Json): Json {
  if (!isObject(value)) return sorted(asList(value).map(normal));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, member === undefined ? member : listsWithin(member, normal)]),
  ) as JsonObject;
}

function asList(value: Json): JsonArray {
  return Array.isArray(value) ? value : [value];
}
