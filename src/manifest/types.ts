/** The types expressions have, made from the shapes of kinds and parameters. */

import { isObject, type Json } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";
import { Accessor } from "./accessor.ts";

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
  /**
   * `resource`: its values are objects in AWS, not data; `instance`: of a blueprint, likewise; `root`: all resources of one
   * kind, by name; `names`: the parameters or the locals.
   */
  readonly role: "data" | "resource" | "instance" | "root" | "names";
  readonly valueClass: new (read: (name: string) => unknown, data?: () => Json) => Accessor;
  /** Of a root inside a blueprint: what the project's own documents call so, which is not seen there. */
  readonly outside?: ReadonlySet<string>;
  /** What to do instead, where a member is looked for that it does not have. */
  readonly advice?: string;
};

/** Types that have no members of their own; each is one value, and may be compared as such. */
export const STRING: Type = { kind: "string" };
export const INT: Type = { kind: "int" };
export const DOUBLE: Type = { kind: "double" };
export const BOOL: Type = { kind: "bool" };
export const DYN: Type = { kind: "dyn" };

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
      // What stands before the colon tells one module's types from another's, and says nothing to a person.
      return types.of(shape.fields, () => objectType(name, name.slice(name.indexOf(":") + 1), fieldTypes(shape.fields, name, types)));
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
