/** `forEach` and `includeWhen`: from declarations to the resources of one environment. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { type Expandable, isUse } from "./declarations.ts";
import type { Expander } from "./expander.ts";
import type { Frame } from "./frame.ts";
import type { ExpressionScope } from "./names.ts";
import { member, type Node } from "./node.ts";
import { checkKey } from "./tags.ts";
import { common, DYN, type Type, typeOfJson } from "./types.ts";
import { ANY, type Reading, staticOnly } from "./value-reader.ts";

/** One `each` of a declaration; without `forEach` there is a single one, without `each`. */
export type Slot = {
  readonly key: ResourceKey;
  /** What follows the kind in the key: `backend.public-1`. */
  readonly name: string;
  /** How expressions of the frame write it, and how people are told of it. */
  readonly path: string;
  readonly shown: string;
  readonly member?: string;
  readonly each?: JsonObject;
};

/** A declaration in one environment. */
export type Expansion = {
  readonly group: boolean;
  readonly slots: readonly Slot[];
  /** The condition that excludes it, as written. */
  readonly excluded?: string;
};

/** What the expressions of a declaration see; one object for all its resources, so that each text is read once. */
export function scopeOf(declaration: Expandable, expander: Expander): ExpressionScope {
  return expander.texts.documentScope(declaration.document, () => makeScope(declaration, expander));
}

function makeScope(declaration: Expandable, expander: Expander): ExpressionScope {
  const { names, world } = expander.frame;
  const own = isUse(declaration) ? world.language.self : world.language.resourceTypes.get(declaration.kind.root);
  // Inside a blueprint `self` is the instance, whichever resource asks.
  const scope = { ...(own ? { self: own } : {}), ...names.scope };
  const forEach = member(declaration.document, "forEach");
  return forEach ? { ...scope, each: eachType(forEach, expander) } : scope;
}

/** The type of `each.value`: what the list or map holds. */
function eachType(node: Node, expander: Expander): Type {
  if (node.type === "list") return common(node.items.map((item) => scalarType(item, expander)));
  if (node.type === "map") return common([...node.entries.values()].map(({ value }) => scalarType(value, expander)));
  const read = expander.texts.read(node, expander.frame.names.scope);
  const type = "text" in read ? read.text.expression.type : DYN;
  return type.kind === "list" || type.kind === "map" ? type.element : DYN;
}

function scalarType(node: Node, { texts, frame }: Expander): Type {
  if (node.type !== "scalar") return DYN;
  const read = texts.read(node, frame.names.scope);
  if ("text" in read) return read.text.expression.type;
  return "value" in read ? typeOfJson(read.value) : DYN;
}

/** Evaluates `includeWhen` and `forEach`; undefined when they have problems. */
export function expand(declaration: Expandable, expander: Expander): Expansion | undefined {
  const group = declaration.document.entries.has("forEach");
  const excluded = excludedBy(declaration, expander);
  const slots = group ? forEachSlots(declaration, expander) : single(declaration, expander);
  if (excluded === undefined || slots === undefined) return undefined;
  return excluded === "" ? { group, slots } : { group, slots: [], excluded };
}

function single(declaration: Expandable, { frame, problems }: Expander): readonly Slot[] {
  const slot = slotOf(declaration, frame);
  return checkKey(slot.key, declaration.place, problems) ? [slot] : [];
}

function slotOf({ kind, name }: Expandable, { instance }: Frame, key?: string): Slot {
  const around = instance ? `${instance.name}.` : "";
  const own = `${around}${name}${key === undefined ? "" : `-${key}`}`;
  const index = key === undefined ? "" : `[${JSON.stringify(key)}]`;
  const shown = pathTo(`${kind.root}${around === "" ? "" : `.${instance?.name}`}`, name);
  return { key: `${kind.name}/${own}`, name: own, path: `${pathTo(kind.root, name)}${index}`, shown: `${shown}${index}` };
}

/** What `self.name` is in an instance: its name, with `-` where a blueprint inside a blueprint has a dot, so that AWS takes it in names. */
export function selfName(name: string): string {
  return name.replaceAll(".", "-");
}

/** The condition that excludes the declaration, as written; empty when it is included, undefined when it is wrong. */
function excludedBy(declaration: Expandable, expander: Expander): string | undefined {
  const node = member(declaration.document, "includeWhen");
  if (!node) return "";
  const reading = staticReading("`includeWhen`", node, expander);
  const before = expander.problems.size;
  const value = expander.reader.read(node, { type: "boolean", optional: false }, reading);
  if (value === true) return "";
  if (value === false) return node.type === "scalar" ? `includeWhen: ${String(node.value)}` : "includeWhen";
  if (expander.problems.size === before && !isObject(value))
    expander.problems.add(node.place, `\`includeWhen\` of ${declaration.label} must be true or false`);
  return undefined;
}

function forEachSlots(declaration: Expandable, expander: Expander): readonly Slot[] | undefined {
  const node = member(declaration.document, "forEach") as Node;
  const value = expander.reader.read(node, ANY, staticReading("`forEach`", node, expander));
  const items = isObject(value) && typeof value.$expr === "string" ? undefined : itemsOf(value);
  if (items) return slotsOf(declaration, items, node, expander);
  const wrong = value === undefined || !isObject(value);
  if (wrong) expander.problems.add(node.place, `\`forEach\` of ${declaration.label} must be a list of texts or numbers, or a map`);
  return undefined;
}

/** The keys and values to go over; undefined for what is neither a list of scalars nor a map. */
function itemsOf(value: Json | undefined): readonly (readonly [string, Json])[] | undefined {
  if (Array.isArray(value)) {
    return value.every((item) => typeof item === "string" || typeof item === "number")
      ? value.map((item) => [String(item), item])
      : undefined;
  }
  return isObject(value) ? Object.entries(value).map(([key, item]) => [key, item ?? null]) : undefined;
}

function slotsOf(
  declaration: Expandable,
  items: readonly (readonly [string, Json])[],
  node: Node,
  { frame, problems }: Expander,
): readonly Slot[] {
  const { label } = declaration;
  const seen = new Set<string>();
  return items.flatMap(([key, value], index) => {
    const slot = slotOf(declaration, frame, key);
    if (!/^[A-Za-z0-9._-]+$/.test(key))
      problems.add(node.place, `the forEach key "${key}" of ${label} may hold letters, digits, ., - and _`);
    else if (seen.has(key)) problems.add(node.place, `the forEach of ${label} has the key "${key}" twice`);
    else if (checkKey(slot.key, node.place, problems)) {
      seen.add(key);
      return [{ ...slot, member: key, each: { key, value, index } }];
    }
    return [];
  });
}

function staticReading(what: string, node: Node, { links, problems, frame }: Expander): Reading {
  return {
    label: what,
    scope: frame.names.scope,
    context: frame.context(node.place.source.directory),
    refer: (references) => (links.refuse(references, what) ? [] : undefined),
    stay: staticOnly(problems, what),
  };
}

function pathTo(root: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${root}.${name}` : `${root}[${JSON.stringify(name)}]`;
}
