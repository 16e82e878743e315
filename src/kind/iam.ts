/** What the IAM kinds share: the service, names and paths, tags, and looking for objects that IAM cannot list by tag. */

import { z } from "zod";
import { service, type Writer } from "../aws/service.ts";
import { type Tags, toTagList } from "../aws/tags.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { CheckFinding, OperationName, Remote, Scope, StaticResource, Updater } from "./kind.ts";
import { tagsUpdater } from "./updaters.ts";

/** IAM, loaded at its first call. */
export const iam = service("iam", "IAMClient", () => import("@aws-sdk/client-iam"));

/** What IAM says of whatever does not exist. */
export const NOT_FOUND = ["NoSuchEntityException"];

/** What IAM says while somebody else changes the same object. */
export const BUSY = ["ConcurrentModificationException", "EntityTemporarilyUnmodifiable"];

/** The characters of names. */
const NAME = /^[\w+=,.@-]+$/;

/** A name of at most so many characters. */
export const iamName = (maxLength: number) => z.string().min(1).max(maxLength).regex(NAME);

/** A role's name: what instance profiles name it by. */
export const roleName = () => iamName(64);

/** Where in the account's tree of names an object stands. */
export const path = () =>
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^\/([\u0021-\u007e]+\/)?$/, "must begin and end with a slash");

/** The ARN of a managed policy, of the account or AWS's own. */
export const policyArn = () =>
  z
    .string()
    .min(20)
    .max(2048)
    .regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\//, "must be the ARN of a managed policy");

/**
 * The objects of a scope, each read by its name, which is its ID. IAM's lists neither filter by tag nor tell tags, so what
 * neither a record nor a manifest names is not found.
 */
export async function listByName(
  scope: Scope,
  field: string,
  read: (name: string) => Promise<Remote | undefined>,
): Promise<readonly Remote[]> {
  const names = new Set([...scope.ids, ...scope.names.map((name) => String(name[field]))]);
  const found = await Promise.all([...names].map(read));
  return found.filter((remote) => remote !== undefined);
}

/** The tags of a role or an instance profile, by the calls that set and remove them. */
export function iamTags<Spec>(
  operations: readonly OperationName[],
  set: (aws: Writer, id: string, Tags: { Key: string; Value: string }[]) => Promise<unknown>,
  remove: (aws: Writer, id: string, TagKeys: string[]) => Promise<unknown>,
): Updater<Spec> {
  return tagsUpdater({
    operations,
    set: (aws, { id }, tags) => set(aws, id, toTagList(tags)),
    remove: (aws, { id }, keys) => remove(aws, id, keys),
  });
}

/** Tags for a create call; undefined where there are none. */
export function tagList(tags: Tags | undefined): { Key: string; Value: string }[] | undefined {
  return tags && Object.keys(tags).length > 0 ? toTagList(tags) : undefined;
}

/** Tag keys that IAM takes for one, because it does not tell cases apart. */
export function* tagFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const seen = new Map<string, string>();
  for (const name of Object.keys(isObject(spec.tags) ? spec.tags : {})) {
    const twin = seen.get(name.toLowerCase());
    const message = `${key} has the tags \`${twin}\` and \`${name}\`; IAM does not tell cases apart`;
    if (twin !== undefined) yield { resource: key, field: `tags.${name}`, message };
    seen.set(name.toLowerCase(), name);
  }
}

/**
 * A policy with its principals as they are written: IAM stores them by their IDs (AROA...), and shows those until the principal is
 * known everywhere. An ID that `arns` does not know is that of somebody who was deleted.
 */
export function withArns(value: Json, arns: ReadonlyMap<string, string>): Json {
  if (typeof value === "string") return arns.get(value) ?? value;
  if (Array.isArray(value)) return value.map((element) => withArns(element, arns));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, member === undefined ? member : withArns(member, arns)]);
  return Object.fromEntries(members) as JsonObject;
}
