/**
 * The resources of one environment, as expressions see them.
 *
 * A context is what an expression is evaluated in. What a resource's own document says is read from there; everything
 * else from a view, if there is one, and what neither knows raises UnknownAccess.
 */

import type { View } from "../core/compiled.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { holdsExpression } from "./check-value.ts";
import type { Declaration } from "./declarations.ts";
import { DIRECTORY, FILES } from "./functions.ts";
import type { ExpressionScope, Language } from "./language.ts";
import { remembered } from "./remembered.ts";
import { type Accessor, DYN, type ObjectType, type Type, toCel, UnknownAccess } from "./types.ts";

/** One resource or lookup after `forEach`. */
export type Instance = {
  readonly key: ResourceKey;
  readonly declaration: Declaration;
  readonly scope: ExpressionScope;
  readonly each?: JsonObject;
  /** `subnet.public["1"]`: how expressions write it. */
  readonly path: string;
  /** A top-level spec field, expressions left in place; undefined when it is not declared. */
  readonly field: (name: string) => Json | undefined;
};

/** What a name stands for in this environment. */
export type Entry =
  | { readonly type: "one"; readonly instance: Instance }
  | { readonly type: "group"; readonly members: ReadonlyMap<string, Instance> }
  | { readonly type: "excluded"; readonly condition: string };

/** What is known before any resource: the values of project, env and params. */
export type Statics = { readonly project: JsonObject; readonly env: JsonObject; readonly params: JsonObject };

/** A context that sees nothing of AWS. */
const NOTHING: View = () => undefined;

/** See the file's header. */
export class World {
  readonly language: Language;
  /** Files that expressions read, by absolute path: read once, so that a revision does not change under a run. */
  readonly files = new Map<string, string>();
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #instances = new Map<ResourceKey, Instance>();
  readonly #statics: Statics;
  readonly #contexts = new WeakMap<View, object>();
  readonly #paths = new WeakMap<Accessor, string>();
  #local: (name: string, context: object) => unknown = () => undefined;

  constructor(language: Language, statics: Statics) {
    this.language = language;
    this.#statics = statics;
  }

  /** How `local.NAME` is evaluated in a context. */
  setLocals(evaluate: (name: string, context: object) => unknown): void {
    this.#local = evaluate;
  }

  add(root: string, name: string, entry: Entry): void {
    remembered(this.#entries, root, () => new Map<string, Entry>()).set(name, entry);
    if (entry.type === "one") this.#instances.set(entry.instance.key, entry.instance);
    if (entry.type === "group") for (const instance of entry.members.values()) this.#instances.set(instance.key, instance);
  }

  entry(root: string, name: string): Entry | undefined {
    return this.#entries.get(root)?.get(name);
  }

  instance(key: ResourceKey): Instance | undefined {
    return this.#instances.get(key);
  }

  get instances(): Iterable<Instance> {
    return this.#instances.values();
  }

  /** What expressions see that belong to no resource: outputs, locals, default tags. */
  context(directory: string, view: View = NOTHING): object {
    return Object.assign(Object.create(this.#base(view)), { [DIRECTORY]: directory });
  }

  /** What the expressions of a resource see. */
  contextOf(instance: Instance, view: View = NOTHING): object {
    const { scope, each, declaration } = instance;
    const context = this.context(declaration.document.place.source.directory, view) as Record<string, unknown>;
    const self = this.language.resourceTypes.get(declaration.kind.root);
    if (self) context.self = this.#accessor(instance, self, view);
    if (each && scope.each) context.each = toCel(this.language.eachType(scope.each), each);
    return context;
  }

  /** How an expression writes a resource that it holds as a value; undefined for anything else. */
  pathOf(value: unknown): string | undefined {
    return this.#paths.get(value as Accessor);
  }

  #base(view: View): object {
    return remembered(this.#contexts, view, () => this.#makeBase(view));
  }

  #makeBase(view: View): object {
    const { language } = this;
    const base: Record<string, unknown> = {
      project: toCel(language.project, this.#statics.project),
      env: toCel(language.env, this.#statics.env),
      params: toCel(language.params, this.#statics.params),
      [FILES]: this.files,
    };
    for (const [root, type] of language.rootTypes) {
      // A group of thousands is made once per view; its members read their attributes anew each time.
      const known = new Map<string, object>();
      base[root] = new type.valueClass((name) => known.get(name) ?? this.#named(root, name, view, known));
    }
    if (language.locals) base.local = this.#locals(language.locals, base, view === NOTHING);
    return base;
  }

  /** Locals are kept only where nothing can change: what a view shows is another thing after each effect. */
  #locals(type: ObjectType, base: object, keep: boolean): Accessor {
    const known = new Map<string, unknown>();
    return new type.valueClass((name) => {
      if (known.has(name)) return known.get(name);
      const value = this.#local(name, base);
      if (keep) known.set(name, value);
      return value;
    });
  }

  #named(root: string, name: string, view: View, known: Map<string, object>): object | undefined {
    const entry = this.entry(root, name);
    const type = this.language.resourceTypes.get(root);
    if (!entry || !type || entry.type === "excluded") return undefined;
    return remembered(known, name, () => {
      if (entry.type === "one") return this.#accessor(entry.instance, type, view);
      return new Map([...entry.members].map(([key, instance]) => [key, this.#accessor(instance, type, view)]));
    });
  }

  #accessor(instance: Instance, type: ObjectType, view: View): Accessor {
    const accessor = new type.valueClass((attribute) => this.#attribute(instance, attribute, type.fields.get(attribute) ?? DYN, view));
    this.#paths.set(accessor, instance.path);
    return accessor;
  }

  #attribute(instance: Instance, attribute: string, type: Type, view: View): unknown {
    const declared = instance.field(attribute);
    if (declared !== undefined && !holdsExpression(declared)) return toCel(type, declared);
    const seen = view(instance.key)?.[attribute];
    if (seen !== undefined) return toCel(type, seen);
    // Parts of a declared value may be known although the whole is not.
    if (declared !== undefined) return toCel(type, declared);
    throw new UnknownAccess(`${instance.path}.${attribute}`);
  }
}
