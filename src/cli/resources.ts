/** Resources as a person names them: `sg/alb`, `SecurityGroup/alb`, `vpc`. */

import { BeaconError } from "../core/errors.ts";
import { type KindId, type Resource, type ResourceKey, splitKey } from "../core/resource.ts";
import { nearest } from "../core/suggest.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";

/** What a kind is called by; the kinds that blueprints make are called likewise. */
type Named = Pick<AnyKind | AnyLookup, "id" | "name" | "root" | "shortNames">;

/** The kind a word names: its name, its plural, a short name, its root or its full id, in any case. Throws ResourceUnknown. */
export function findKind<Kind extends Named>(kinds: Iterable<Kind>, word: string): Kind {
  const known = [...kinds];
  const wanted = word.toLowerCase();
  const found = known.find((kind) => kindWords(kind).includes(wanted));
  if (found) return found;
  throw new BeaconError("ResourceUnknown", `no kind is called ${word}`, { next: didYouMean(word, known.flatMap(suggestible)) });
}

/** The key among `known` that `sg/alb` names. Throws ResourceUnknown with the nearest name. */
export function findKey(kinds: Kinds, known: Iterable<ResourceKey>, text: string): ResourceKey {
  const slash = text.indexOf("/");
  if (slash < 0) throw new BeaconError("UsageInvalid", `${text} is no resource`, { next: "write KIND/NAME, as in VPC/main" });
  const key = `${findKind(kinds.values(), text.slice(0, slash)).name}/${text.slice(slash + 1)}` as ResourceKey;
  const keys = [...known];
  if (keys.includes(key)) return key;
  throw new BeaconError("ResourceUnknown", `no resource is called ${key} in this stack`, { next: didYouMean(key, keys) });
}

/** Every kind that has objects, for a look that must find orphans of kinds the stack no longer uses. */
export function managedKinds(kinds: Kinds): readonly KindId[] {
  return [...kinds.values()].filter((kind) => !kind.lookup).map((kind) => kind.id);
}

/**
 * Keys selected by `KIND/NAME` and `KIND` words; all of them where no word is given. The name of a blueprint's instance, and
 * the kind of such instances, mean the resources inside: `declared` are those that say where they are.
 */
export function selectKeys(
  kinds: Kinds,
  known: Iterable<ResourceKey>,
  words: readonly string[],
  declared: readonly Resource[] = [],
): readonly ResourceKey[] {
  const keys = [...known];
  if (words.length === 0) return keys;
  const chosen = new Set(
    words.flatMap((word) => {
      const inside = keysInside(word, declared);
      if (inside.length > 0) return inside;
      if (word.includes("/")) return [findKey(kinds, keys, word)];
      const kind = findKind(kinds.values(), word).name;
      return keys.filter((key) => splitKey(key).kind === kind);
    }),
  );
  return keys.filter((key) => chosen.has(key));
}

/** The keys of the resources inside the instances that a word names: `WebService/backend`, or every `WebService`. */
function keysInside(word: string, declared: readonly Resource[]): readonly ResourceKey[] {
  const named = (instance: ResourceKey) => instance === word || splitKey(instance).kind.toLowerCase() === word.toLowerCase();
  return declared.filter(({ within }) => within?.some(named)).map(({ key }) => key);
}

function kindWords(kind: Named): readonly string[] {
  return [kind.name, `${kind.name}s`, kind.root, kind.id, ...kind.shortNames].map((word) => word.toLowerCase());
}

function suggestible(kind: Named): readonly string[] {
  return [kind.name, ...kind.shortNames];
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "beaconctl get shows the stack's resources, beaconctl explain the kinds" : `did you mean ${near}?`;
}
