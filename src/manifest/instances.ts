/** One resource's spec: its fields are read when somebody asks, because expressions of others may ask first. */

import type { Json, JsonObject } from "../core/json.ts";
import type { Dependency, ResourceKey } from "../core/resource.ts";
import type { Shape } from "../core/shape.ts";
import { UnknownAccess } from "./accessor.ts";
import type { Declaration } from "./declarations.ts";
import type { Slot } from "./expand.ts";
import type { Expander } from "./expander.ts";
import type { Frame } from "./frame.ts";
import { managedKeys } from "./links.ts";
import type { ExpressionScope } from "./names.ts";
import { member, type Node, nodeAt } from "./node.ts";
import type { Problems } from "./problems.ts";
import { ANY, type Reading } from "./value-reader.ts";
import { isExpression } from "./values.ts";
import type { Instance } from "./world.ts";

/** The project's default tags, evaluated. */
export type DefaultTags = { readonly values: JsonObject; readonly on: readonly ResourceKey[] };

/** See the file's header. */
export class LazyInstance implements Instance {
  readonly key: Instance["key"];
  readonly path: string;
  readonly shown: string;
  readonly declaration: Declaration;
  readonly scope: ExpressionScope;
  readonly each?: JsonObject;
  /** Resources that fields refer to, with the field. */
  readonly dependencies: Dependency[] = [];
  readonly #fields = new Map<string, Json | undefined>();
  readonly #open = new Set<string>();
  /** Of the frame its document stands in. */
  readonly expander: Expander;
  readonly #defaultTags: () => DefaultTags;

  constructor(slot: Slot, declaration: Declaration, scope: ExpressionScope, expander: Expander, defaultTags: () => DefaultTags) {
    this.key = slot.key;
    this.path = slot.path;
    this.shown = slot.shown;
    this.declaration = declaration;
    this.scope = scope;
    if (slot.each) this.each = slot.each;
    this.expander = expander;
    this.#defaultTags = defaultTags;
  }

  get frame(): Frame {
    return this.expander.frame;
  }

  field(name: string): Json | undefined {
    if (this.#fields.has(name)) return this.#fields.get(name);
    if (this.#open.has(name)) throw new UnknownAccess(`${this.shown}.${name}`, { key: this.key, attribute: name });
    this.#open.add(name);
    const value = this.#withDefaultTags(name, this.#read(name));
    this.#open.delete(name);
    this.#fields.set(name, value);
    return value;
  }

  /** Every declared field. */
  spec(): JsonObject {
    const { spec } = this.declaration;
    const names = new Set(spec?.type === "map" ? spec.entries.keys() : []);
    const tags = this.declaration.readOnly ? undefined : this.#tagsField();
    if (tags !== undefined && Object.keys(this.#defaultTags().values).length > 0) names.add(tags);
    const fields = [...names].map((name) => [name, this.field(name)] as const);
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  }

  /** How a node of this resource's document is read; `field` is the spec field it belongs to, if any. */
  reading(field?: string): Reading {
    const { frame, links, problems } = this.expander;
    const context = frame.contextOf(this);
    const { scope } = this;
    return {
      label: this.declaration.label,
      scope,
      context,
      refer: (references) => {
        const instances = links.resolve(references, { scope, context });
        const keys = managedKeys(instances ?? []).filter((key) => key !== this.key);
        this.dependencies.push(...keys.map((on) => (field === undefined ? { on } : { on, field })));
        return instances;
      },
      stay: (unknown, place) => {
        if (field === undefined || unknown.of?.key !== this.key || this.#shape(field).meta?.late) return true;
        const what = unknown.of.attribute;
        const circle = this.#open.has(what);
        problems.add(
          place,
          circle
            ? `\`${what}\` of ${this.declaration.label} is made from itself`
            : `\`${field}\` of ${this.declaration.label} needs its own \`${what}\`, which is known only after it exists`,
        );
        return false;
      },
    };
  }

  /** The problems of what stands at a path of the spec. */
  problemsAt(path: readonly PropertyKey[]): Problems {
    const { frame, problems, texts } = this.expander;
    const node = this.declaration.spec && nodeAt(this.declaration.spec, path);
    const read = frame.instance && node?.type === "scalar" ? texts.read(node, this.scope) : undefined;
    return read && "text" in read ? (frame.instance?.problemsOf(read.text.expression) ?? problems) : problems;
  }

  #read(name: string): Json | undefined {
    const node = member(this.declaration.spec, name);
    return node && this.#readNode(node, name);
  }

  #readNode(node: Node, name: string): Json | undefined {
    return this.expander.reader.read(node, this.#shape(name), this.reading(name), name);
  }

  #shape(name: string): Shape {
    return this.declaration.kind.spec.fields[name] ?? ANY;
  }

  #tagsField(): string | undefined {
    return Object.entries(this.declaration.kind.spec.fields).find(([, shape]) => shape.meta?.tags)?.[0];
  }

  #withDefaultTags(name: string, value: Json | undefined): Json | undefined {
    if (this.declaration.readOnly || !this.#shape(name).meta?.tags || isExpression(value)) return value;
    const { values, on } = this.#defaultTags();
    this.dependencies.push(...on.filter((key) => key !== this.key).map((key) => ({ on: key, field: name })));
    return { ...values, ...(value as JsonObject | undefined) };
  }
}
