/** One environment: every resource in it, whichever frame it is in, and what all frames share. */

import type { Json, JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { type Accessor, UnknownAccess } from "./accessor.ts";
import type { Declaration } from "./declarations.ts";
import type { FilesRead } from "./files.ts";
import { Frame } from "./frame.ts";
import type { Language } from "./language.ts";
import type { ExpressionScope } from "./names.ts";
import type { Node } from "./node.ts";
import type { ObjectType } from "./types.ts";

/** One resource or lookup after `forEach`. */
export type Instance = {
  readonly key: ResourceKey;
  readonly declaration: Declaration;
  readonly scope: ExpressionScope;
  readonly each?: JsonObject;
  /** Where its document stands: whose names its expressions see. */
  readonly frame: Frame;
  /** `subnet.public["1"]`: how expressions of its frame write it. */
  readonly path: string;
  /** `subnet.backend.public["1"]`: how people are told of it, whatever the frame. */
  readonly shown: string;
  /** A top-level spec field, expressions left in place; undefined when it is not declared. */
  readonly field: (name: string) => Json | undefined;
};

/** What is known before any resource: the values of project, env and the project's params. */
export type Statics = { readonly project: JsonObject; readonly env: JsonObject; readonly params: JsonObject };

/** What a World is made from. */
export type WorldInput = {
  readonly language: Language;
  readonly statics: Statics;
  readonly files: FilesRead;
  /** How `local.NAME` is evaluated in a context. */
  readonly local: (name: string, context: object) => unknown;
  /** What the locals are made from. */
  readonly locals: ReadonlyMap<string, Node>;
};

/** See the file's header. */
export class World {
  readonly language: Language;
  readonly statics: Statics;
  readonly files: FilesRead;
  /** The locals whose files nobody has asked for yet. */
  readonly unreadLocals: Map<string, Node>;
  /** The project's own documents. */
  readonly root: Frame;
  /** How the expressions of a frame write a resource that they hold as a value. */
  readonly paths = new WeakMap<object, { readonly frame: Frame; readonly path: string }>();
  readonly #instances = new Map<ResourceKey, Instance>();
  readonly #local: WorldInput["local"];

  constructor({ language, statics, files, local, locals }: WorldInput) {
    this.language = language;
    this.statics = statics;
    this.files = files;
    this.#local = local;
    this.unreadLocals = new Map(locals);
    this.root = new Frame(this, language.names);
  }

  add(instance: Instance): void {
    this.#instances.set(instance.key, instance);
  }

  instance(key: ResourceKey): Instance | undefined {
    return this.#instances.get(key);
  }

  /** The locals in a context of the project's own. They are kept only where nothing can change: what a view shows is another thing after each effect. */
  locals(type: ObjectType, base: object, keep: boolean): Accessor {
    const known = new Map<string, unknown>();
    const open = new Set<string>();
    return new type.valueClass((name) => {
      if (known.has(name)) return known.get(name);
      if (open.has(name)) throw new UnknownAccess(`local.${name}`);
      open.add(name);
      try {
        const value = this.#local(name, base);
        if (keep) known.set(name, value);
        return value;
      } finally {
        open.delete(name);
      }
    });
  }
}
