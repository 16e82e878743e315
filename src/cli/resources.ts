/** Resources as a person names them: `sg/alb`, `SecurityGroup/alb`, `vpc`. */

import { BeaconError } from "../core/errors.ts";
import { type KindId, type ResourceKey, splitKey } from "../core/resource.ts";
import { nearest } from "../core/suggest.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";

/** The kind a word names: its name, its plural, a short name, its root or its full id, in any case. Throws ResourceUnknown. */
export function findKind(kinds: Kinds, word: string): AnyKind | AnyLookup {
  const wanted = word.toLowerCase();
  const found = [...kinds.values()].find((kind) => kindWords(kind).includes(wanted));
  if (found) return found;
  throw new BeaconError("ResourceUnknown", `no kind is called ${word}`, {
    next: didYouMean(word, [...kinds.values()].flatMap(suggestible)),
  });
}

/** The key among `known` that `sg/alb` names. Throws ResourceUnknown with the nearest name. */
export function findKey(kinds: Kinds, known: Iterable<ResourceKey>, text: string): ResourceKey {
  const slash = text.indexOf("/");
  if (slash < 0) throw new BeaconError("UsageInvalid", `${text} is no resource`, { next: "write KIND/NAME, as in VPC/main" });
  const key = `${findKind(kinds, text.slice(0, slash)).name}/${text.slice(slash + 1)}` as ResourceKey;
  const keys = [...known];
  if (keys.includes(key)) return key;
  throw new BeaconError("ResourceUnknown", `no resource is called ${key} in this stack`, { next: didYouMean(key, keys) });
}

/** Every kind that has objects, for a look that must find orphans of kinds the stack no longer uses. */
export function managedKinds(kinds: Kinds): readonly KindId[] {
  return [...kinds.values()].filter((kind) => !kind.lookup).map((kind) => kind.id);
}

/** Keys selected by `KIND/NAME` and `KIND` words; all of them where no word is given. */
export function selectKeys(kinds: Kinds, known: Iterable<ResourceKey>, words: readonly string[]): readonly ResourceKey[] {
  const keys = [...known];
  if (words.length === 0) return keys;
  const chosen = new Set(
    words.flatMap((word) => {
      if (word.includes("/")) return [findKey(kinds, keys, word)];
      const kind = findKind(kinds, word).name;
      return keys.filter((key) => splitKey(key).kind === kind);
    }),
  );
  return keys.filter((key) => chosen.has(key));
}

function kindWords(kind: AnyKind | AnyLookup): readonly string[] {
  return [kind.name, `${kind.name}s`, kind.root, kind.id, ...kind.shortNames].map((word) => word.toLowerCase());
}

function suggestible(kind: AnyKind | AnyLookup): readonly string[] {
  return [kind.name, ...kind.shortNames];
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "beaconctl get shows the stack's resources, beaconctl explain the kinds" : `did you mean ${near}?`;
}
