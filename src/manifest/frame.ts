/**
 * A frame: what a module's names stand for in one use of it, in one environment: the project's own documents, or the inside
 * of one instance of a blueprint.
 *
 * A context is what an expression is evaluated in. What a resource's own document says is read from there; everything
 * else from a view, if there is one, and what neither knows raises UnknownAccess.
 */

import type { View } from "../core/compiled.ts";
import { type Accessor, UnknownAccess } from "./accessor.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import type { Declaration, Use } from "./declarations.ts";
import { DIRECTORY, FILES } from "./file-functions.ts";
import type { Names } from "./names.ts";
import { remembered } from "./remembered.ts";
import { DYN, type ObjectType, type Type } from "./types.ts";
import { holdsExpression, toCel } from "./values.ts";
import type { Instance, World } from "./world.ts";

/** The view that sees nothing of AWS. */
export const NOTHING: View = () => undefined;

/** What a name stands for. */
export type Entry =
  | { readonly type: "one"; readonly instance: Instance | BlueprintInstance }
  | { readonly type: "group"; readonly members: ReadonlyMap<string, Instance | BlueprintInstance> }
  | { readonly type: "excluded"; readonly condition: string }
  /** What there is could not be told, and why was reported. */
  | { readonly type: "unread" };

/** See the file's header. */
export class Frame {
  readonly world: World;
  readonly names: Names;
  /** The instance whose inside this is; undefined for the project's own documents. */
  readonly instance: BlueprintInstance | undefined;
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #labels = new Map<string, readonly (Instance | BlueprintInstance)[]>();
  readonly #contexts = new WeakMap<View, Record<string, unknown>>();

  constructor(world: World, names: Names, instance?: BlueprintInstance) {
    this.world = world;
    this.names = names;
    this.instance = instance;
  }

  add({ kind, name, label }: Declaration | Use, entry: Entry): void {
    remembered(this.#entries, kind.root, () => new Map<string, Entry>()).set(name, entry);
    if (entry.type === "excluded" || entry.type === "unread") this.#labels.set(label, []);
    else if (entry.type === "one") this.#labels.set(label, [entry.instance]);
    else {
      this.#labels.set(label, [...entry.members.values()]);
      for (const [member, instance] of entry.members) this.#labels.set(`${label}-${member}`, [instance]);
    }
  }

  entry(root: string, name: string): Entry | undefined {
    return this.#entries.get(root)?.get(name);
  }

  /** What `KIND/NAME` means here, a group's name all its members; undefined when nothing is called so. */
  labelled(label: string): readonly (Instance | BlueprintInstance)[] | undefined {
    return this.#labels.get(label);
  }

  get labels(): Iterable<string> {
    return this.#labels.keys();
  }

  /** What expressions see that belong to no resource: outputs, locals, default tags. */
  context(directory: string, view: View = NOTHING): Record<string, unknown> {
    return Object.assign(Object.create(this.base(view)), { [DIRECTORY]: directory });
  }

  /** What the expressions of a document in this frame see. */
  contextOf(declared: Instance | BlueprintInstance, view: View = NOTHING): object {
    const { scope, each, declaration } = declared;
    const context = this.context(declaration.document.place.source.directory, view);
    if (!this.instance && scope.self) context.self = this.#value(declared, scope.self, view);
    if (each && scope.each) context.each = toCel(this.world.language.eachType(scope.each), each);
    return context;
  }

  base(view: View): Record<string, unknown> {
    return remembered(this.#contexts, view, () => this.#makeBase(view));
  }

  #makeBase(view: View): Record<string, unknown> {
    const { world, names, instance } = this;
    const { language, statics } = world;
    const base: Record<string, unknown> = {
      project: toCel(language.project, statics.project),
      env: toCel(language.env, statics.env),
      params: instance ? instance.parameters(view) : toCel(names.params, statics.params),
      ...(instance ? { self: instance.self } : {}),
      [FILES]: world.files,
    };
    for (const [root, type] of language.roots(names)) {
      // A group of thousands is made once per view; its members read their attributes anew each time.
      const known = new Map<string, object>();
      base[root] = new type.valueClass((name) => known.get(name) ?? this.#named(root, name, view, known));
    }
    if (language.locals) base.local = this.instance ? world.root.base(view).local : world.locals(language.locals, base, view === NOTHING);
    return base;
  }

  #named(root: string, name: string, view: View, known: Map<string, object>): object | undefined {
    const entry = this.entry(root, name);
    if (!entry || entry.type === "excluded") return undefined;
    if (entry.type === "unread") throw new UnknownAccess("");
    return remembered(known, name, () => {
      if (entry.type === "one") return this.#accessor(entry.instance, view);
      return new Map([...entry.members].map(([key, instance]) => [key, this.#accessor(instance, view)]));
    });
  }

  /** `self` in a document of the project's own. */
  #value(declared: Instance | BlueprintInstance, type: ObjectType, view: View): Accessor {
    return "field" in declared ? this.#resource(declared, type, view) : declared.self;
  }

  #accessor(declared: Instance | BlueprintInstance, view: View): Accessor {
    const { language } = this.world;
    if ("field" in declared)
      return this.#resource(declared, language.resourceTypes.get(declared.declaration.kind.root) as ObjectType, view);
    const type = language.instanceType(declared.declaration.kind.name) as ObjectType;
    return this.#withPath(new type.valueClass((attribute) => declared.attribute(attribute, view)), declared.path);
  }

  #resource(instance: Instance, type: ObjectType, view: View): Accessor {
    const read = (attribute: string) => this.#attribute(instance, attribute, type.fields.get(attribute) ?? DYN, view);
    return this.#withPath(new type.valueClass(read), instance.path);
  }

  #withPath(accessor: Accessor, path: string): Accessor {
    this.world.paths.set(accessor, { frame: this, path });
    return accessor;
  }

  #attribute(instance: Instance, attribute: string, type: Type, view: View): unknown {
    const declared = instance.field(attribute);
    if (declared !== undefined && !holdsExpression(declared)) return toCel(type, declared);
    const seen = view(instance.key)?.[attribute];
    if (seen !== undefined) return toCel(type, seen);
    // Parts of a declared value may be known although the whole is not.
    if (declared !== undefined) return toCel(type, declared);
    throw new UnknownAccess(`${instance.shown}.${attribute}`, { key: instance.key, attribute });
  }
}
