/**
 * The expression language of one manifest set: CEL with the set's own names and the kinds' types.
 *
 * Types and names are the same in every environment, so one Language serves all of them, and each expression text is
 * parsed and checked once per scope. Values come with the context of an evaluation.
 */

import { Environment } from "@marcbachmann/cel-js";
import type { ObjectShape } from "../core/shape.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";
import type { Ast, DeclaredType } from "./ast.ts";
import { type Fault, faultOf, unknownAttribute } from "./faults.ts";
import { registerFunctions } from "./functions.ts";
import { type Reference, referencesOf } from "./references.ts";
import { remembered } from "./remembered.ts";
import { BOOL, celName, DOUBLE, DYN, fieldTypes, INT, type ObjectType, ObjectTypes, objectType, STRING, type Type } from "./types.ts";

// The roots beside the kinds'. `each` and `self` exist where a document has them.
const OWN_ROOTS = ["project", "env", "params", "local", "self", "each"];

/** Every kind by the root name that expressions use for it. Throws where a name would mean two things: that is a bug in a kind. */
export function kindsByRoot(kinds: Kinds): ReadonlyMap<string, AnyKind | AnyLookup> {
  const roots = new Map<string, AnyKind | AnyLookup>();
  for (const kind of kinds.values()) {
    if (roots.has(kind.root) || OWN_ROOTS.includes(kind.root))
      throw new Error(`the root name ${kind.root} is taken: ${kind.id} cannot have it`);
    roots.set(kind.root, kind);
  }
  return roots;
}

/** How a name of a kind is declared: one resource, or a group made by `forEach`. */
export type Declared = "one" | "group";

/** What a Language is made from. `names` are the declared names by the kind's root. */
export type LanguageInput = {
  readonly kinds: Kinds;
  readonly names: ReadonlyMap<string, ReadonlyMap<string, Declared>>;
  readonly params: ObjectShape;
};

/** What an expression sees beside the set's own names. */
export type ExpressionScope = {
  /** The root name of the kind that `self` is. */
  readonly self?: string;
  /** The type of `each.value`. */
  readonly each?: Type;
  /** The variables of `$for`. */
  readonly loops?: ReadonlyMap<string, Type>;
};

/** An expression that is well-formed and well-typed. */
export type Expression = {
  readonly text: string;
  readonly type: Type;
  readonly references: readonly Reference[];
  /** Its CEL value. Throws whatever CEL throws, and UnknownAccess. */
  readonly evaluate: (context: object) => unknown;
};

/** Either an expression or what is wrong with it. */
export type Checked = { readonly expression: Expression; readonly fault?: never } | { readonly fault: Fault; readonly expression?: never };

type Parsed = { (context: object): unknown; readonly ast: Ast; check(): { valid: boolean; error?: unknown } };
type Scoped = { readonly environment: Environment; readonly names: readonly string[]; readonly cache: Map<string, Checked> };

/** See the file's header. */
export class Language {
  readonly kinds: ReadonlyMap<string, AnyKind | AnyLookup>;
  readonly names: LanguageInput["names"];
  /** The type of each kind's resources, by root name; only declared kinds have one. */
  readonly resourceTypes = new Map<string, ObjectType>();
  readonly rootTypes = new Map<string, ObjectType>();
  readonly params: ObjectType;
  readonly project: ObjectType;
  readonly env: ObjectType;
  readonly #objects = new Map<string, ObjectType>();
  readonly #scopes = new Map<string, Scoped>();
  readonly #eachTypes = new Map<string, ObjectType>();
  #base: Environment;
  #locals: ObjectType | undefined;
  #localsMade = 0;

  constructor(input: LanguageInput) {
    this.names = input.names;
    this.kinds = kindsByRoot(input.kinds);
    const types = new ObjectTypes();
    for (const root of input.names.keys()) this.#addResourceType(root, types);
    for (const kind of input.kinds.values()) this.#addRootType(kind, types);
    this.params = objectType("params", "parameter", fieldTypes(input.params.fields, "params", types), "names");
    types.add(this.params);
    this.project = objectType("project", "the project", new Map([["name", STRING]]));
    this.env = objectType("env", "the environment", new Map(["name", "region", "accountId"].map((name) => [name, STRING])));
    types.add(this.project);
    types.add(this.env);
    this.#base = this.#environment(types.made);
  }

  /** The types of `local`, as far as they are known: each local is checked with those it may refer to. */
  defineLocals(fields: ReadonlyMap<string, Type>): void {
    // One class for all: a local that was checked with few others is evaluated beside all of them.
    const { valueClass } = this.#locals ?? objectType("locals", "local", fields);
    const type = objectType(`locals${this.#localsMade++ || ""}`, "local", fields, "names");
    this.#locals = { ...type, valueClass };
    this.#objects.set(type.name, this.#locals);
    this.#scopes.clear();
  }

  get locals(): ObjectType | undefined {
    return this.#locals;
  }

  /** The type that `each` has for a type of `each.value`. */
  eachType(value: Type): ObjectType {
    const name = celName(value);
    const known = this.#eachTypes.get(name);
    if (known) return known;
    const fields = new Map<string, Type>([
      ["key", STRING],
      ["value", value],
      ["index", INT],
    ]);
    const type = objectType(`each${this.#eachTypes.size + 1}`, "each", fields);
    this.#eachTypes.set(name, type);
    this.#objects.set(type.name, type);
    return type;
  }

  /** Parses and checks an expression; the same text in the same scope is done once. */
  check(text: string, scope: ExpressionScope): Checked {
    const scoped = this.#scope(scope);
    return remembered(scoped.cache, text, () => this.#check(text, scoped));
  }

  /** The names that an expression refers to, without a check; undefined where it cannot be parsed. */
  parse(text: string): readonly Reference[] | undefined {
    try {
      return referencesOf(text, (this.#base.parse(text) as unknown as Parsed).ast, this.names);
    } catch {
      return undefined;
    }
  }

  #check(text: string, scoped: Scoped): Checked {
    const about = { text, names: scoped.names, objects: this.#objects };
    let parsed: Parsed;
    try {
      parsed = scoped.environment.parse(text) as unknown as Parsed;
    } catch (error) {
      return { fault: faultOf(error, about) };
    }
    const result = parsed.check();
    if (!result.valid) return { fault: faultOf(result.error, about) };
    const fault = unknownAttribute(parsed.ast, about);
    if (fault) return { fault };
    const { ast } = parsed;
    const type = ast.checkedType ? this.#typeOf(ast.checkedType) : DYN;
    return { expression: { text, type, references: referencesOf(text, ast, this.names), evaluate: (context) => parsed(context) } };
  }

  #typeOf(declared: DeclaredType): Type {
    const element = () => (declared.valueType ? this.#typeOf(declared.valueType) : DYN);
    switch (declared.kind) {
      case "list":
      case "map":
      case "optional":
        return { kind: declared.kind, element: element() };
      case "message":
        return this.#objects.get(declared.name) ?? { kind: "other", name: declared.name };
      case "primitive":
        return primitive(declared.name);
      default:
        return DYN;
    }
  }

  #addResourceType(root: string, types: ObjectTypes): void {
    const kind = this.kinds.get(root);
    if (!kind) return;
    const fields = new Map([
      ...fieldTypes(kind.spec.fields, kind.name, types),
      // A field that is in both has one type, and status is what AWS says.
      ...fieldTypes(only(kind.status, kind.spec), kind.name, types),
    ]);
    const type = objectType(kind.name, kind.name, fields, "resource");
    this.resourceTypes.set(root, type);
    types.add(type);
  }

  #addRootType(kind: AnyKind | AnyLookup, types: ObjectTypes): void {
    const resource = this.resourceTypes.get(kind.root);
    const fields = new Map<string, Type>();
    for (const [name, declared] of this.names.get(kind.root) ?? []) {
      if (resource) fields.set(name, declared === "one" ? resource : { kind: "map", element: resource });
    }
    const type = objectType(`${kind.root} resources`, kind.name, fields, "root");
    this.rootTypes.set(kind.root, type);
    types.add(type);
  }

  #environment(types: readonly ObjectType[]): Environment {
    const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
    registerFunctions(environment);
    for (const type of types) this.#register(environment, type);
    environment.registerVariable("params", this.params.name);
    environment.registerVariable("project", this.project.name);
    environment.registerVariable("env", this.env.name);
    for (const [root, type] of this.rootTypes) environment.registerVariable(root, type.name);
    return environment;
  }

  #register(environment: Environment, type: ObjectType): void {
    this.#objects.set(type.name, type);
    const fields = Object.fromEntries([...type.fields].map(([name, field]) => [name, celName(field)]));
    environment.registerType(type.name, { ctor: type.valueClass, fields } as never);
  }

  #scope(scope: ExpressionScope): Scoped {
    const loops = [...(scope.loops ?? [])];
    const key = JSON.stringify([scope.self, scope.each && celName(scope.each), loops.map(([name, type]) => [name, celName(type)])]);
    return remembered(this.#scopes, key, () => this.#makeScope(scope, loops));
  }

  #makeScope(scope: ExpressionScope, loops: readonly (readonly [string, Type])[]): Scoped {
    const environment = this.#base.clone();
    const names = [...this.rootTypes.keys(), "params", "project", "env"];
    const declare = (name: string, type: string) => {
      environment.registerVariable(name, type);
      names.push(name);
    };
    if (this.#locals) {
      this.#register(environment, this.#locals);
      declare("local", this.#locals.name);
    }
    if (scope.each) {
      const each = this.eachType(scope.each);
      this.#register(environment, each);
      declare("each", each.name);
    }
    const self = scope.self === undefined ? undefined : this.resourceTypes.get(scope.self);
    if (self) declare("self", self.name);
    for (const [name, type] of loops) declare(name, celName(type));
    return { environment, names, cache: new Map() };
  }
}

function only(shape: ObjectShape, without: ObjectShape): ObjectShape["fields"] {
  return Object.fromEntries(Object.entries(shape.fields).filter(([name]) => !(name in without.fields)));
}

function primitive(name: string): Type {
  const types: Readonly<Record<string, Type>> = { string: STRING, int: INT, double: DOUBLE, bool: BOOL, null: { kind: "none" } };
  return types[name] ?? { kind: "other", name };
}
