/**
 * The types expressions have, made from the shapes of kinds and parameters, and the values that go with them.
 *
 * CEL's values are not JSON: whole numbers are bigint, and a value of a declared type must be an instance of a class of
 * its own. Those instances are {@link Accessor}s: they read a member when an expression asks for it, so that only what is
 * really used must be known.
 */

import { isObject, type Json } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";

/** An expression's type. `none` is the type of `null`; `other` are CEL's own types that no field takes (bytes, durations). */
export type Type =
  | { readonly kind: "string" | "int" | "double" | "bool" | "dyn" | "none" }
  | { readonly kind: "list" | "map" | "optional"; readonly element: Type }
  | ObjectType
  | { readonly kind: "other"; readonly name: string };

/** A type with named members. `name` is unique; `what` is how a person calls one of its values. */
export type ObjectType = {
  readonly kind: "object";
  readonly name: string;
  readonly what: string;
  readonly fields: ReadonlyMap<string, Type>;
  /** `resource`: its values are objects in AWS, not data; `root`: all resources of one kind, by name; `names`: the parameters or the locals. */
  readonly role: "data" | "resource" | "root" | "names";
  readonly valueClass: new (read: (name: string) => unknown, raw?: Json) => Accessor;
};

/** Types that have no members of their own; each is one value, and may be compared as such. */
export const STRING: Type = { kind: "string" };
export const INT: Type = { kind: "int" };
export const DOUBLE: Type = { kind: "double" };
export const BOOL: Type = { kind: "bool" };
export const DYN: Type = { kind: "dyn" };

/** A value of an object type. A Map, because that is what the evaluator reads members from without copying. */
export class Accessor extends Map<string, unknown> {
  readonly #read: (name: string) => unknown;
  /** The JSON behind it; undefined for resources and roots, which are no data. */
  readonly raw: Json | undefined;

  constructor(read: (name: string) => unknown, raw?: Json) {
    super();
    this.#read = read;
    this.raw = raw;
  }

  override get(name: string): unknown {
    return this.#read(name);
  }
}

/** Thrown while an expression is evaluated, when it reads what is not known yet. `what` is `vpc.main.vpcId`. */
export class UnknownAccess extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`${what} is not known yet`);
    this.what = what;
  }
}

/** An object type; each has a class of its own, by which the evaluator tells types apart. */
export function objectType(name: string, what: string, fields: ReadonlyMap<string, Type>, role: ObjectType["role"] = "data"): ObjectType {
  return { kind: "object", name, what, fields, role, valueClass: class extends Accessor {} };
}

/** The object types made from shapes so far, in their order, and by the members that they are made of. */
export class ObjectTypes {
  readonly made: ObjectType[] = [];
  readonly #known = new Map<object, ObjectType>();

  add(type: ObjectType): void {
    this.made.push(type);
  }

  /** The type of an object's members: one, wherever the object stands, as a statement may stand in a statement many times. */
  of(fields: object, make: () => ObjectType): ObjectType {
    const known = this.#known.get(fields);
    if (known) return known;
    const type = make();
    this.#known.set(fields, type);
    this.add(type);
    return type;
  }
}

/** The type of a shape. Nested objects get names below `name`, and are added to `types`. */
export function typeOfShape(shape: Shape, name: string, types: ObjectTypes): Type {
  switch (shape.type) {
    case "string":
      return STRING;
    case "integer":
      return INT;
    case "number":
      return DOUBLE;
    case "boolean":
      return BOOL;
    case "enum":
      return common(shape.values.map(typeOfJson));
    case "literal":
      return typeOfJson(shape.value);
    case "array":
      return { kind: "list", element: typeOfShape(shape.element, `${name}.item`, types) };
    case "map":
      return { kind: "map", element: typeOfShape(shape.element, `${name}.value`, types) };
    case "object":
      return types.of(shape.fields, () => objectType(name, name, fieldTypes(shape.fields, name, types)));
    case "union":
      return common(shape.options.map((option, index) => typeOfShape(option, `${name}.option${index + 1}`, types)));
    case "any":
      return DYN;
  }
}

/** The types of named shapes. */
export function fieldTypes(fields: Readonly<Record<string, Shape>>, name: string, types: ObjectTypes): ReadonlyMap<string, Type> {
  return new Map(Object.entries(fields).map(([field, shape]) => [field, typeOfShape(shape, `${name}.${field}`, types)]));
}

/** The type that a literal in a manifest has. */
export function typeOfJson(value: Json): Type {
  if (typeof value === "string") return STRING;
  if (typeof value === "number") return Number.isInteger(value) ? INT : DOUBLE;
  if (typeof value === "boolean") return BOOL;
  if (Array.isArray(value)) return { kind: "list", element: common(value.map(typeOfJson)) };
  if (isObject(value)) return { kind: "map", element: common(Object.values(value).map((element) => typeOfJson(element ?? null))) };
  return { kind: "none" };
}

/** The one type of all, or `dyn`. */
export function common(types: readonly Type[]): Type {
  const [first] = types;
  return first && types.every((type) => celName(type) === celName(first)) ? first : DYN;
}

/** The type's name in CEL. */
export function celName(type: Type): string {
  switch (type.kind) {
    case "list":
    case "optional":
      return `${type.kind}<${celName(type.element)}>`;
    case "map":
      return `map<string, ${celName(type.element)}>`;
    case "object":
    case "other":
      return type.name;
    case "none":
      return "dyn";
    default:
      return type.kind;
  }
}

/** The type in words: "text", "a list of text", "a VPC". */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "string":
      return "text";
    case "int":
      return "a whole number";
    case "double":
      return "a number";
    case "bool":
      return "true or false";
    case "list":
      return `a list of ${plural(type.element)}`;
    case "map":
      return `a map of ${plural(type.element)}`;
    case "optional":
      return `${typeText(type.element)}, or nothing`;
    case "object":
      return type.what;
    case "dyn":
      return "any value";
    case "none":
      return "null";
    case "other":
      return type.name;
  }
}

function plural(type: Type): string {
  const words: Partial<Record<Type["kind"], string>> = { int: "whole numbers", double: "numbers", bool: "truth values", dyn: "any values" };
  return words[type.kind] ?? typeText(type);
}

/** JSON as a value of the type. An absent member of an object reads as `undefined`, which CEL calls a missing key. */
export function toCel(type: Type, value: Json | undefined): unknown {
  if (value === undefined || value === null) return value;
  if (isObject(value) && typeof value.$expr === "string") throw new UnknownAccess(value.$expr);
  if (isObject(value) && typeof value.$unknown === "string") throw new UnknownAccess(value.$unknown);
  if (type.kind === "double") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((element) => toCel(elementOf(type), element));
  if (!isObject(value)) return value;
  if (type.kind !== "object") return new Map(Object.entries(value).map(([name, element]) => [name, toCel(elementOf(type), element)]));
  return new type.valueClass((name) => toCel(type.fields.get(name) ?? DYN, value[name]) ?? undefined, value);
}

function elementOf(type: Type): Type {
  return type.kind === "list" || type.kind === "map" ? type.element : DYN;
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
  if (accessor.raw === undefined) throw new Error("a whole resource is not a value; name one of its attributes");
  assertKnown(accessor.raw);
  return accessor.raw;
}

function assertKnown(value: Json | undefined): void {
  if (Array.isArray(value)) for (const element of value) assertKnown(element);
  else if (isObject(value)) {
    if (typeof value.$expr === "string") throw new UnknownAccess(value.$expr);
    if (typeof value.$unknown === "string") throw new UnknownAccess(value.$unknown);
    for (const element of Object.values(value)) assertKnown(element);
  }
}

type Optional = { hasValue(): boolean; value(): unknown };

function isOptional(value: unknown): value is Optional {
  return typeof value === "object" && value !== null && "hasValue" in value && "value" in value;
}

/** Whether a field of this shape takes a value of this type. Text is not made of numbers here: that is what interpolation is for. */
export function fits(type: Type, shape: Shape): boolean {
  if (type.kind === "dyn" || shape.type === "any") return true;
  if (type.kind === "none") return true;
  if (type.kind === "optional") return fits(type.element, shape);
  switch (shape.type) {
    case "string":
      return type.kind === "string";
    case "integer":
      return type.kind === "int";
    case "number":
      return type.kind === "int" || type.kind === "double";
    case "boolean":
      return type.kind === "bool";
    case "enum":
      return shape.values.some((value) => typeOfJson(value).kind === type.kind);
    case "literal":
      return typeOfJson(shape.value).kind === type.kind;
    case "array":
      return type.kind === "list" && fits(type.element, shape.element);
    case "map":
      return (type.kind === "map" && fits(type.element, shape.element)) || (type.kind === "object" && type.role === "data");
    case "object":
      return type.kind === "map" || (type.kind === "object" && type.role === "data");
    case "union":
      return shape.options.some((option) => fits(type, option));
  }
}

/** What a field of this shape takes, in words. */
export function shapeText(shape: Shape): string {
  switch (shape.type) {
    case "string":
      return "text";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "enum":
      return `one of ${shape.values.join(", ")}`;
    case "literal":
      return JSON.stringify(shape.value);
    case "array":
      return `a list of ${plural(typeOfShape(shape.element, "map", new ObjectTypes()))}`;
    case "map":
      return `a map of ${plural(typeOfShape(shape.element, "map", new ObjectTypes()))}`;
    case "object":
      return `a map with ${Object.keys(shape.fields).join(", ")}`;
    case "union":
      return [...new Set(shape.options.map(shapeText))].join(" or ");
    case "any":
      return "any value";
  }
}
