/**
 * Values of which only what is really used must be known: a member is read when an expression asks for it.
 *
 * The evaluator wants a value of a declared type to be an instance of a class of its own, which an {@link Accessor} is.
 */

import type { Json } from "../core/json.ts";

/** A value of an object type. A Map, because that is what the evaluator reads members from without copying. */
export class Accessor extends Map<string, unknown> {
  readonly #read: (name: string) => unknown;
  /** The JSON behind it; undefined for resources and roots, which are no data. Throws {@link UnknownAccess} while a part is not known. */
  readonly data: (() => Json) | undefined;

  constructor(read: (name: string) => unknown, data?: () => Json) {
    super();
    this.#read = read;
    this.data = data;
  }

  override get(name: string): unknown {
    return this.#read(name);
  }
}

/**
 * A map of which parts may not be known yet: a member is read when an expression asks for it, and all of them when it asks
 * for more. A member that turns out to be nothing is none.
 */
export class LazyMap extends Map<string, unknown> {
  readonly #names: readonly string[];
  readonly #read: (name: string) => unknown;
  readonly #known = new Map<string, unknown>();

  constructor(names: readonly string[], read: (name: string) => unknown) {
    super();
    this.#names = names;
    this.#read = read;
  }

  override get(name: string): unknown {
    if (!this.#names.includes(name)) return undefined;
    return this.#known.get(name) ?? this.#first(name);
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override get size(): number {
    return this.#all().size;
  }

  override keys(): MapIterator<string> {
    return this.#all().keys();
  }

  override values(): MapIterator<unknown> {
    return this.#all().values();
  }

  override entries(): MapIterator<[string, unknown]> {
    return this.#all().entries();
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }

  #first(name: string): unknown {
    const value = this.#read(name) ?? undefined;
    this.#known.set(name, value);
    return value;
  }

  #all(): Map<string, unknown> {
    const members = this.#names.map((name) => [name, this.get(name)] as const);
    return new Map(members.filter(([, value]) => value !== undefined));
  }
}
// The evaluator knows a map by its constructor.
Object.defineProperty(LazyMap.prototype, "constructor", { value: Map });

/** Thrown while an expression is evaluated, when it reads what is not known yet. `what` is `vpc.main.vpcId`; empty: it is wrong, which was reported. */
export class UnknownAccess extends Error {
  readonly what: string;
  /** The resource or instance, by its key, and which of its attributes. */
  readonly of: { readonly key: string; readonly attribute: string } | undefined;

  constructor(what: string, of?: UnknownAccess["of"]) {
    super(`${what} is not known yet`);
    this.what = what;
    this.of = of;
  }
}
