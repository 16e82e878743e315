/** Ownership in AWS tags: what makes a remote object ours, and how it is found when the records are lost. */

import type { Lifecycle, ResourceKey } from "../core/resource.ts";

/** The stack's name, `beacon/prod`: what a stack's objects are listed by. */
export const TAG_STACK = "beacon:stack";
/** The resource's key, `VPC/main`. */
export const TAG_RESOURCE = "beacon:resource";
/** The resource's uid: what tells it from another of the same key. */
export const TAG_UID = "beacon:uid";
/** Which of the resource's objects it is, counted from 1. */
export const TAG_GENERATION = "beacon:generation";
/** `retain` or `protect`; absent for `delete`. */
export const TAG_DELETION = "beacon:deletion";

/** A remote object's tags as a map. */
export type Tags = Readonly<Record<string, string>>;

/** Whose an object is: stack, resource, and which of the resource's objects. */
export type Ownership = {
  /** `beacon/prod`. */
  readonly stack: string;
  readonly resource: ResourceKey;
  readonly uid: string;
  readonly generation: number;
  /** In the tags only where it is `retain` or `protect`, so that these survive the loss of state. */
  readonly deletion: Lifecycle["deletion"];
};

/** The tags that say so. */
export function ownershipTags(owner: Ownership): Tags {
  return {
    [TAG_STACK]: owner.stack,
    [TAG_RESOURCE]: owner.resource,
    [TAG_UID]: owner.uid,
    [TAG_GENERATION]: String(owner.generation),
    ...(owner.deletion === "retain" || owner.deletion === "protect" ? { [TAG_DELETION]: owner.deletion } : {}),
  };
}

/** Whose an object is by its tags; undefined when they are missing, incomplete or not of our making. */
export function parseOwnership(tags: Tags = {}): Ownership | undefined {
  const { [TAG_STACK]: stack, [TAG_RESOURCE]: resource, [TAG_UID]: uid, [TAG_GENERATION]: generation, [TAG_DELETION]: deletion } = tags;
  if (!stack || !uid || !isKey(resource) || !/^[1-9]\d*$/.test(generation ?? "")) return undefined;
  return {
    stack,
    resource,
    uid,
    generation: Number(generation),
    deletion: deletion === "retain" || deletion === "protect" ? deletion : "delete",
  };
}

function isKey(text: string | undefined): text is ResourceKey {
  return text !== undefined && /^[^/]+\/.+$/.test(text);
}

/** The tags without the ownership tags: what a manifest's `tags` are compared with. */
export function withoutOwnership(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith("beacon:")));
}

/** AWS's list as a map. `aws:*` tags are AWS's own, cannot be written, and are dropped. */
export function fromTagList(list: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined): Tags {
  const named = (list ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? ""] as const]));
  return withoutAwsTags(Object.fromEntries(named));
}

/** As {@link fromTagList}, where the service answers with a map. */
export function withoutAwsTags(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith("aws:")));
}

/** A map as AWS's list. */
export function toTagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
