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
import { fileReads } from "./file-functions.ts";
import { registerFunctions } from "./functions.ts";
import { type DeclaredNames, type ExpressionScope, Names } from "./names.ts";
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

/** Whether expressions could call something so: it is no word of CEL's, nor one of the roots that are always there. */
export function isFreeRoot(root: string): boolean {
  if (OWN_ROOTS.includes(root)) return false;
  try {
    const environment = newEnvironment().registerVariable(root, "dyn");
    return (environment.parse(root) as unknown as Parsed).ast.op === "id";
  } catch {
    return false;
  }
}

/** What a module declares. */
export type ModuleInput = { readonly declared: DeclaredNames; readonly params: ObjectShape };

/** What a Language is made from: the project's own module, and the insides of the blueprints with the kinds they make. */
export type LanguageInput = {
  readonly kinds: Kinds;
  readonly project: ModuleInput;
  readonly blueprints: readonly (ModuleInput & { readonly kind: string; readonly root: string })[];
};

/** An expression that is well-formed and well-typed. */
export type Expression = {
  readonly text: string;
  readonly type: Type;
  readonly references: readonly Reference[];
  /** Expressions that read the files it reads, and need nothing else. */
  readonly files: readonly string[];
  /** Its CEL value. Throws whatever CEL throws, and UnknownAccess. */
  readonly evaluate: (context: object) => unknown;
};

/** Either an expression or what is wrong with it. */
export type Checked = { readonly expression: Expression; readonly fault?: never } | { readonly fault: Fault; readonly expression?: never };

type Parsed = { (context: object): unknown; readonly ast: Ast; check(): { valid: boolean; error?: unknown } };
type Scoped = { readonly environment: Environment; readonly names: readonly string[]; readonly cache: Map<string, Checked> };
type Module = { readonly environment: Environment; readonly roots: ReadonlyMap<string, ObjectType> };

/** See the file's header. */
export class Language {
  readonly kinds: ReadonlyMap<string, AnyKind | AnyLookup>;
  /** The type of each kind's resources, by root name; only declared kinds have one. */
  readonly resourceTypes = new Map<string, ObjectType>();
  readonly project = objectType("project", "the project", new Map([["name", STRING]]));
  readonly env = objectType("env", "the environment", new Map(["name", "region", "accountId"].map((name) => [name, STRING])));
  /** The type of `self` in a blueprint and in its instances. */
  readonly self: ObjectType = {
    ...objectType("self", "the instance", new Map([["name", STRING]])),
    advice: "`self` is the instance; a resource of a blueprint is called by its own name",
  };
  /** The names of the project's own documents. */
  readonly names: Names;
  /** The names inside each blueprint, by the kind it makes. */
  readonly inside: ReadonlyMap<string, Names>;
  readonly #blueprintKinds: ReadonlyMap<string, string>;
  readonly #objects = new Map<string, ObjectType>();
  readonly #kindRoots = new Map<Names, Map<string, ObjectType>>();
  readonly #instanceTypes = new Map<string, ObjectType>();
  readonly #firstRoots = new Map<string, ObjectType>();
  readonly #modules = new Map<Names, Module>();
  readonly #scopes = new Map<string, Scoped>();
  readonly #eachTypes = new Map<string, ObjectType>();
  readonly #base: Environment;
  #locals: ObjectType | undefined;
  #localsMade = 0;

  constructor(input: LanguageInput) {
    this.kinds = kindsByRoot(input.kinds);
    this.#blueprintKinds = new Map(input.blueprints.map(({ root, kind }) => [root, kind]));
    const types = new ObjectTypes();
    for (const type of [this.project, this.env, this.self]) types.add(type);
    const roots = [input.project, ...input.blueprints].flatMap(({ declared }) => [...declared.keys()]);
    for (const root of new Set(roots)) this.#addResourceType(root, types);
    this.names = this.#namesOf(input.project, types);
    this.inside = new Map(input.blueprints.map((blueprint) => [blueprint.kind, this.#namesOf(blueprint, types, blueprint.kind)]));
    this.#base = newEnvironment();
    registerFunctions(this.#base);
    for (const type of types.made) this.#register(this.#base, type);
  }

  /** The types of `local`, as far as they are known: each local is checked with those it may refer to. */
  defineLocals(fields: ReadonlyMap<string, Type>): void {
    // One class for all: a local that was checked with few others is evaluated beside all of them.
    const { valueClass } = this.#locals ?? objectType("locals", "local", fields);
    const type = objectType(`locals${this.#localsMade++ || ""}`, "local", fields, "names");
    this.#locals = { ...type, valueClass };
    this.#forget();
  }

  /** The attributes of a blueprint's instances, once the types of its outputs are known. */
  defineInstances(kind: string, fields: ReadonlyMap<string, Type>): void {
    this.#instanceTypes.set(kind, objectType(kind, kind, fields, "instance"));
    this.#forget();
  }

  get locals(): ObjectType | undefined {
    return this.#locals;
  }

  /** The type of a blueprint's instances, by its kind; undefined until its outputs are known. */
  instanceType(kind: string): ObjectType | undefined {
    return this.#instanceTypes.get(kind);
  }

  /** The kind of the blueprint whose instances expressions call so. */
  blueprintKind(root: string): string | undefined {
    return this.#blueprintKinds.get(root);
  }

  /** What a module's expressions call the resources of each kind, and the instances of each blueprint, by root name. */
  roots(names: Names): ReadonlyMap<string, ObjectType> {
    return this.#module(names).roots;
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
    return type;
  }

  /** Parses and checks an expression; the same text in the same scope is done once. */
  check(text: string, scope: ExpressionScope): Checked {
    const scoped = this.#scope(scope);
    return remembered(scoped.cache, text, () => this.#check(text, scope, scoped));
  }

  /** Whether a loop in this scope may call its variable so: what has a meaning there keeps it. */
  mayNameLoop(name: string, scope: ExpressionScope): boolean {
    return isFreeRoot(name) && !this.#scope(scope).names.includes(name);
  }

  /** The names that an expression refers to, without a check; undefined where it cannot be parsed. */
  parse(text: string, { declared }: Names): readonly Reference[] | undefined {
    try {
      return referencesOf(text, (this.#base.parse(text) as unknown as Parsed).ast, declared);
    } catch {
      return undefined;
    }
  }

  #check(text: string, { names: { declared } }: ExpressionScope, { environment, names }: Scoped): Checked {
    const about = { text, names, objects: this.#objects };
    let parsed: Parsed;
    try {
      parsed = environment.parse(text) as unknown as Parsed;
    } catch (error) {
      return { fault: faultOf(error, about) };
    }
    const result = parsed.check();
    if (!result.valid) return { fault: faultOf(result.error, about) };
    const fault = unknownAttribute(parsed.ast, about);
    if (fault) return { fault };
    const { ast } = parsed;
    const type = ast.checkedType ? this.#typeOf(ast.checkedType) : DYN;
    const [references, files] = [referencesOf(text, ast, declared), fileReads(text, ast)];
    return { expression: { text, type, references, files, evaluate: (context) => parsed(context) } };
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

  #namesOf({ declared, params }: ModuleInput, types: ObjectTypes, blueprint?: string): Names {
    const prefix = blueprint === undefined ? "" : `${blueprint}:`;
    const type = objectType(`${prefix}params`, "parameter", fieldTypes(params.fields, `${prefix}params`, types), "names");
    types.add(type);
    const names = new Names(declared, type, blueprint === undefined ? undefined : { kind: blueprint, self: this.self });
    const roots = new Map(
      [...this.kinds.values()].map((kind) => [kind.root, this.#rootType(kind, this.resourceTypes.get(kind.root), names)]),
    );
    for (const root of roots.values()) types.add(root);
    this.#kindRoots.set(names, roots);
    return names;
  }

  #rootType(kind: { readonly root: string; readonly name: string }, element: ObjectType | undefined, names: Names): ObjectType {
    const fields = new Map<string, Type>();
    for (const [name, declared] of names.declared.get(kind.root) ?? []) {
      if (element) fields.set(name, declared === "one" ? element : { kind: "map", element });
    }
    const name = `${names.blueprint === undefined ? "" : `${names.blueprint}:`}${kind.root} resources`;
    if (names.blueprint === undefined) return objectType(name, kind.name, fields, "root");
    // A name of the project's own documents is a likely mistake inside a blueprint.
    return { ...objectType(name, kind.name, fields, "root"), outside: new Set(this.names.declared.get(kind.root)?.keys()) };
  }

  /** What was made from types that are not complete. */
  #forget(): void {
    this.#modules.clear();
    this.#scopes.clear();
  }

  #module(names: Names): Module {
    return remembered(this.#modules, names, () => this.#makeModule(names));
  }

  #makeModule(names: Names): Module {
    const environment = this.#base.clone();
    if (this.#locals) this.#register(environment, this.#locals);
    // Also those that the module does not name: an instance may be the value of a local.
    for (const type of this.#instanceTypes.values()) this.#register(environment, type);
    const roots = new Map(this.#kindRoots.get(names));
    for (const [root, kind] of this.#blueprintKinds) {
      const type = this.#rootType({ root, name: kind }, this.#instanceTypes.get(kind), names);
      // One class for all, as for locals.
      const { valueClass } = remembered(this.#firstRoots, type.name, () => type);
      this.#register(environment, { ...type, valueClass });
      roots.set(root, { ...type, valueClass });
    }
    const variables = { params: names.params, project: this.project, env: this.env, ...(this.#locals ? { local: this.#locals } : {}) };
    for (const [name, type] of [...Object.entries(variables), ...roots]) environment.registerVariable(name, type.name);
    return { environment, roots };
  }

  #register(environment: Environment, type: ObjectType): void {
    this.#objects.set(type.name, type);
    const fields = Object.fromEntries([...type.fields].map(([name, field]) => [name, celName(field)]));
    environment.registerType(type.name, { ctor: type.valueClass, fields } as never);
  }

  #scope(scope: ExpressionScope): Scoped {
    const loops = [...(scope.loops ?? [])].map(([name, type]) => [name, celName(type)]);
    const key = JSON.stringify([scope.names.blueprint, scope.self?.name, scope.each && celName(scope.each), loops]);
    return remembered(this.#scopes, key, () => this.#makeScope(scope));
  }

  #makeScope({ names: module, self, each, loops }: ExpressionScope): Scoped {
    const { environment: outer, roots } = this.#module(module);
    const environment = outer.clone();
    const names = [...roots.keys(), "params", "project", "env", ...(this.#locals ? ["local"] : [])];
    const declare = (name: string, type: string) => {
      environment.registerVariable(name, type);
      names.push(name);
    };
    if (each) {
      const type = this.eachType(each);
      this.#register(environment, type);
      declare("each", type.name);
    }
    if (self) declare("self", self.name);
    for (const [name, type] of loops ?? []) declare(name, celName(type));
    return { environment, names, cache: new Map() };
  }
}

function newEnvironment(): Environment {
  return new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
}

function only(shape: ObjectShape, without: ObjectShape): ObjectShape["fields"] {
  return Object.fromEntries(Object.entries(shape.fields).filter(([name]) => !(name in without.fields)));
}

function primitive(name: string): Type {
  const types: Readonly<Record<string, Type>> = { string: STRING, int: INT, double: DOUBLE, bool: BOOL, null: { kind: "none" } };
  return types[name] ?? { kind: "other", name };
}
