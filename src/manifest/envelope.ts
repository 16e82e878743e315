/** A document's envelope: apiVersion, kind, metadata, and which members may stand beside them. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { suggestion } from "../core/suggest.ts";
import { readPlain } from "./check-value.ts";
import { type ListNode, type MapNode, member, type Node, type Place, textOf } from "./node.ts";
import type { Problems } from "./problems.ts";
import { mayHoldExpression } from "./template.ts";

/** The apiVersion of BEACON's own documents: Project, Environment, Blueprint, Monitor. */
export const OWN = "beacon/v1";
/** The apiVersion of the kinds that blueprints make. */
export const BLUEPRINTS = "blueprint.beacon/v1";

/** Names stand in tags, keys and expressions. 128 characters leave a tag value (256) room for the kind and a forEach key. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const NAME_MAX = 128;
/** `TargetGroup/backend`, `TargetGroup/backend.main`. */
export const KEY = /^[A-Za-z0-9]+\/[A-Za-z0-9._-]+$/;

const nameSchema = field(z.string().regex(NAME, "may hold letters, digits, - and _").max(NAME_MAX), { doc: "Unique among its kind." });
const renamedFromSchema = field(z.string().regex(KEY, "must be KIND/NAME").optional(), { doc: "The key it had before." });
const metadataSchema = z.strictObject({ name: nameSchema, renamedFrom: renamedFromSchema });

/** The text that apiVersion or kind must be; a problem where it is not. */
export function requiredText(document: MapNode, name: string, problems: Problems): string | undefined {
  const node = member(document, name);
  const text = textOf(node);
  if (text === undefined)
    problems.add(node?.place ?? firstKey(document), node ? `\`${name}\` must be text` : `\`${name}\` is missing in this document`);
  return text;
}

/** The document's name. Where it is wrong that is a problem, and undefined. */
export function readName(document: MapNode, label: string, problems: Problems): string | undefined {
  const node = member(document, "metadata");
  if (!node) {
    problems.add(firstKey(document), `\`metadata\` is missing in this ${label}`, "write metadata: {name: ...}");
    return undefined;
  }
  return readPlain(metadataSchema, { node: withoutComputed(node), label: `the metadata of this ${label}`, problems })?.name;
}

/** A former key with an expression in it is read once there is something to evaluate it in. */
function withoutComputed(node: Node): Node {
  const former = textOf(member(node, "renamedFrom"));
  if (node.type !== "map" || former === undefined || !mayHoldExpression(former)) return node;
  return { ...node, entries: new Map([...node.entries].filter(([name]) => name !== "renamedFrom")) };
}

/** Adds a problem for every member of the document that is not among the known. */
export function refuseUnknown(document: MapNode, known: readonly string[], label: string, problems: Problems): void {
  for (const [name, entry] of document.entries) {
    if (!known.includes(name)) problems.add(entry.key, `unknown field \`${name}\` in ${label}`, suggestion(name, known));
  }
}

/** Where the value of a member stands; the whole document where there is none. */
export function valuePlace(document: MapNode, name: string): Place {
  return member(document, name)?.place ?? document.place;
}

/** Where the document says its name. */
export function namePlace(document: MapNode): Place {
  return member(member(document, "metadata"), "name")?.place ?? firstKey(document);
}

/** Where a document begins, for what is missing in it. */
export function firstKey(document: MapNode): Place {
  return [...document.entries.values()][0]?.key ?? document.place;
}

/** A member that must be a map, where it is there. */
export function mapMember(node: Node | undefined, name: string, problems: Problems): MapNode | undefined {
  const found = member(node, name);
  if (found === undefined || found.type === "map") return found;
  problems.add(found.place, `\`${name}\` must be a map`);
  return undefined;
}

/** Likewise a list. */
export function listMember(node: Node | undefined, name: string, problems: Problems): ListNode | undefined {
  const found = member(node, name);
  if (found === undefined || found.type === "list") return found;
  problems.add(found.place, `\`${name}\` must be a list`);
  return undefined;
}
