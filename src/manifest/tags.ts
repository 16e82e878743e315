/**
 * What BEACON itself writes into an object's tags, held against what AWS takes (128 characters of name, 256 of value, 50 tags):
 * an object that cannot carry its ownership could not be found again.
 */

import { isObject, type JsonObject } from "../core/json.ts";
import { type ResourceKey, type Stack, stackName } from "../core/resource.ts";
import type { AnyKind, AnyLookup } from "../kind/kind.ts";
import { member, type Node, type Place, placeOfPath } from "./node.ts";
import type { Problems } from "./problems.ts";

const TAGS_MAX = 50;
const TAG_VALUE_MAX = 256;
// Stack, resource, uid, generation and deletion (src/aws/tags.ts): every object may come to carry all of them.
const OWN_TAGS = 5;

/** Adds a problem for tags that are BEACON's own, and for more of them than leave room for its own. */
export function checkTags(
  kind: AnyKind | AnyLookup,
  spec: JsonObject,
  at: { readonly node: Node; readonly label: string; readonly problems: Problems },
): void {
  const field = Object.entries(kind.spec.fields).find(([, { meta }]) => meta?.tags)?.[0];
  const tags = field === undefined ? undefined : spec[field];
  if (field === undefined || !isObject(tags)) return;
  const { node, label, problems } = at;
  const names = Object.keys(tags);
  for (const name of names.filter((found) => found.startsWith("beacon:"))) {
    problems.add(
      placeOfPath(node, [field, name]),
      `\`${field}.${name}\` of ${label} is BEACON's own: names of tags must not begin with beacon:`,
    );
  }
  const room = TAGS_MAX - OWN_TAGS;
  if (names.length <= room) return;
  const hint = "the project's default tags count as well";
  problems.add(member(node, field)?.place ?? node.place, `${label} has ${names.length} tags; with BEACON's own, AWS takes ${room}`, hint);
}

/** Adds a problem for a key that is too long for a tag. */
export function checkKey(key: ResourceKey, place: Place, problems: Problems): boolean {
  if (key.length <= TAG_VALUE_MAX) return true;
  problems.add(
    place,
    `the key ${key.slice(0, 40)}... has ${key.length} characters; AWS takes ${TAG_VALUE_MAX} in the tag beacon:resource`,
    "give it a shorter name",
  );
  return false;
}

/** Adds a problem for a stack whose name is too long for a tag. */
export function checkStack(stack: Stack, place: Place | undefined, problems: Problems): void {
  const { length } = stackName(stack);
  if (length <= TAG_VALUE_MAX) return;
  const hint = `the tag beacon:stack holds the names of project and environment, and AWS takes ${TAG_VALUE_MAX} characters`;
  problems.add(
    place,
    `the names of the project and of Environment/${stack.environment.slice(0, 20)}... have ${length - 1} characters together`,
    hint,
  );
}
