/** The values of expressions. CEL's are not JSON: whole numbers are bigint, and a value of a declared type is an {@link Accessor}. */

import { isObject, type Json } from "../core/json.ts";
import { Accessor, LazyMap, UnknownAccess } from "./accessor.ts";
import { DYN, type Type } from "./types.ts";

/** Gives an expression inside a value its own value; `undefined` for nothing. Throws {@link UnknownAccess}. */
export type Leaf = (text: string) => Json | undefined;

const UNREAD: Leaf = (text) => {
  throw new UnknownAccess(text);
};

/** JSON as a value of the type. An absent member of an object reads as `undefined`, which CEL calls a missing key. */
export function toCel(type: Type, value: Json | undefined, leaf: Leaf = UNREAD): unknown {
  if (value === undefined || value === null) return value;
  if (isExpression(value)) return toCel(type, leaf(value.$expr));
  if (isObject(value) && typeof value.$unknown === "string") throw new UnknownAccess(value.$unknown);
  if (type.kind === "double") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((element) => toCel(elementOf(type), element, leaf)).filter(isPresent);
  if (!isObject(value)) return value;
  const member = (name: string) => toCel(type.kind === "object" ? (type.fields.get(name) ?? DYN) : elementOf(type), value[name], leaf);
  if (type.kind === "object")
    return new type.valueClass(
      (name) => member(name) ?? undefined,
      () => withoutExpressions(value, leaf) ?? null,
    );
  const names = Object.keys(value);
  return holdsExpression(value) ? new LazyMap(names, member) : new Map(names.map((name) => [name, member(name)]));
}

function elementOf(type: Type): Type {
  return type.kind === "list" || type.kind === "map" ? type.element : DYN;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The value with every expression in it replaced by what `leaf` says; nothing is left out of lists and maps. */
export function withoutExpressions(value: Json, leaf: Leaf): Json | undefined {
  if (Array.isArray(value)) return value.map((element) => withoutExpressions(element, leaf)).filter((element) => element !== undefined);
  if (!isObject(value)) return value;
  if (isExpression(value)) return leaf(value.$expr);
  if (typeof value.$unknown === "string") throw new UnknownAccess(value.$unknown);
  const members = Object.entries(value).map(([name, element]) => [
    name,
    element === undefined ? element : withoutExpressions(element, leaf),
  ]);
  return Object.fromEntries(members.filter(([, element]) => element !== undefined));
}

/** A value that stays an expression until AWS has told what it needs. */
export function isExpression(value: Json | undefined): value is { readonly $expr: string } {
  return isObject(value) && typeof value.$expr === "string";
}

/** True when the value is, or holds at any depth, an expression. */
export function holdsExpression(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsExpression);
  return isObject(value) && (isExpression(value) || Object.values(value).some(holdsExpression));
}

/** A value as JSON; `undefined` for an empty optional. Throws an Error for what is no data, and {@link UnknownAccess}. */
export function fromCel(value: unknown): Json | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "bigint") return wholeNumber(value);
  if (Array.isArray(value)) return value.map(fromCel).filter((element) => element !== undefined && element !== null);
  if (value instanceof Accessor) return dataOf(value);
  if (value instanceof Map) return members([...value].map(([name, element]) => [String(name), element]));
  if (isOptional(value)) return value.hasValue() ? fromCel(value.value()) : undefined;
  if (typeof value === "object" && value.constructor === Object) return members(Object.entries(value));
  throw new Error("this is no value that a manifest can hold");
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new Error(`${value} is too large`);
}

function members(entries: readonly (readonly [string, unknown])[]): Json {
  return Object.fromEntries(
    entries.map(([name, element]) => [name, fromCel(element)]).filter(([, element]) => element !== undefined && element !== null),
  );
}

function dataOf(accessor: Accessor): Json {
  if (!accessor.data) throw new Error("a whole resource is not a value; name one of its attributes");
  return accessor.data();
}

type Optional = { hasValue(): boolean; value(): unknown };

function isOptional(value: unknown): value is Optional {
  return typeof value === "object" && value !== null && "hasValue" in value && "value" in value;
}
