/**
 * Listing for kinds: a scope's parts, each asked once, and nothing twice.
 *
 * Owned and tagged objects come first; then only the ids and names that none of them answered, so that a look at a settled
 * stack costs the pages of one listing.
 */

import { isNamed } from "../aws/errors.ts";
import { TAG_STACK, type Tags } from "../aws/tags.ts";
import type { JsonObject } from "../core/json.ts";
import type { Scope } from "./kind.ts";

/** How a kind's API finds objects. Each is called only when the scope asks for it, and answers with every page. */
export type Finders<T> = {
  readonly id: (object: T) => string | undefined;
  readonly byTags: (tags: Tags) => Promise<readonly T[]>;
  readonly byIds: (ids: readonly string[]) => Promise<readonly T[]>;
  /** May answer with more than was asked for: what no name `matches` is dropped. */
  readonly byNames?: (names: readonly JsonObject[]) => Promise<readonly T[]>;
  readonly matches?: (object: T, name: JsonObject) => boolean;
};

/** Every object that matches any part of the scope, once. */
export async function listInScope<T>(scope: Scope, finders: Finders<T>): Promise<readonly T[]> {
  const tagSets = [...(scope.stack === undefined ? [] : [{ [TAG_STACK]: scope.stack }]), ...(scope.tagged ?? [])];
  const tagged = (await Promise.all(tagSets.map(finders.byTags))).flat();
  const seen = new Set(tagged.map(finders.id));
  const ids = scope.ids.filter((id) => !seen.has(id));
  const [byId, byName] = await Promise.all([ids.length > 0 ? finders.byIds(ids) : [], named(scope.names, tagged, finders)]);
  const objects = new Map([...tagged, ...byId, ...byName].map((object) => [finders.id(object), object]));
  return [...objects.values()];
}

async function named<T>(names: readonly JsonObject[], seen: readonly T[], finders: Finders<T>): Promise<readonly T[]> {
  const { byNames, matches } = finders;
  if (!byNames || !matches) return [];
  const missing = names.filter((name) => !seen.some((object) => matches(object, name)));
  if (missing.length === 0) return [];
  return (await byNames(missing)).filter((object) => missing.some((name) => matches(object, name)));
}

/** How an API answers for several keys at once. */
export type Batched<T> = {
  /** The most keys that one call may name. */
  readonly size: number;
  /** What AWS says of the whole call where one of the keys is of nothing. */
  readonly notFound: readonly string[];
  readonly some: (keys: string[]) => Promise<readonly T[]>;
  readonly all: () => Promise<readonly T[]>;
  readonly key: (object: T) => string | undefined;
};

/**
 * Objects by their keys, in batches. Where AWS refuses a whole batch for one object that does not exist, everything is listed,
 * and what was asked for picked out.
 */
export async function batched<T>(keys: readonly string[], { size, notFound, some, all, key }: Batched<T>): Promise<readonly T[]> {
  const batches = chunks([...new Set(keys)], size);
  const answers = await Promise.all(batches.map((batch) => unlessNamed(notFound, some(batch))));
  const refused = new Set(batches.flatMap((batch, index) => (answers[index] === undefined && batch.length > 1 ? batch : [])));
  const picked = refused.size === 0 ? [] : (await all()).filter((object) => refused.has(String(key(object))));
  return [...answers.flatMap((answer) => answer ?? []), ...picked];
}

/**
 * Objects by names that no tag has answered for: mostly they are of nothing yet, and AWS would refuse a batch for the first of
 * those. One is asked for by itself, more are picked out of everything.
 */
export async function picked<T>(keys: readonly string[], { notFound, some, all, key }: Omit<Batched<T>, "size">): Promise<readonly T[]> {
  const wanted = new Set(keys);
  if (wanted.size === 1) return (await unlessNamed(notFound, some([...wanted]))) ?? [];
  return (await all()).filter((object) => wanted.has(String(key(object))));
}

/** Splits into pieces of at most `size`. */
export function chunks<T>(elements: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(elements.length / size) }, (_, index) => elements.slice(index * size, (index + 1) * size));
}

/** The object without members that are undefined, null or "" (how the EC2 API writes "none"). */
export function defined(members: { readonly [name: string]: JsonObject[string] }): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== ""));
}

/** The answer, or undefined where AWS says by one of `names` that there is none: the object may go while it is looked at. */
export async function unlessNamed<T>(names: readonly string[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isNamed(error, names)) return undefined;
    throw error;
  }
}
