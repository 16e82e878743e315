/** `forEach` and `includeWhen`: from declarations to the resources of one environment. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { Declaration, Expandable } from "./declarations.ts";
import type { ExpressionScope } from "./language.ts";
import type { Links } from "./links.ts";
import { PROJECT_SCOPE } from "./locals.ts";
import { member, type Node } from "./node.ts";
import type { Problems } from "./problems.ts";
import { checkKey } from "./tags.ts";
import type { Texts } from "./texts.ts";
import { common, DYN, type Type, typeOfJson } from "./types.ts";
import { ANY, type Reading, staticOnly, type ValueReader } from "./value-reader.ts";
import type { World } from "./world.ts";

/** What expansion works with. */
export type Expander = {
  readonly world: World;
  readonly texts: Texts;
  readonly reader: ValueReader;
  readonly links: Links;
  readonly problems: Problems;
};

/** One `each` of a declaration; without `forEach` there is a single one, without `each`. */
export type Slot = { readonly key: ResourceKey; readonly path: string; readonly member?: string; readonly each?: JsonObject };

/** A declaration in one environment. */
export type Expansion = {
  readonly group: boolean;
  readonly slots: readonly Slot[];
  /** The condition that excludes it, as written. */
  readonly excluded?: string;
};

/** What the expressions of a declaration see; one object for all its resources, so that each text is read once. */
export function scopeOf(declaration: Declaration, texts: Texts): ExpressionScope {
  return { self: declaration.kind.root, ...eachScope(declaration, texts) };
}

/** Likewise, without `self`. */
export function eachScope({ document }: Expandable, texts: Texts): ExpressionScope {
  const forEach = member(document, "forEach");
  return forEach ? { each: eachType(forEach, texts) } : {};
}

/** The type of `each.value`: what the list or map holds. */
function eachType(node: Node, texts: Texts): Type {
  if (node.type === "list") return common(node.items.map((item) => scalarType(item, texts)));
  if (node.type === "map") return common([...node.entries.values()].map(({ value }) => scalarType(value, texts)));
  const read = texts.read(node, PROJECT_SCOPE);
  const type = "text" in read ? read.text.expression.type : DYN;
  return type.kind === "list" || type.kind === "map" ? type.element : DYN;
}

function scalarType(node: Node, texts: Texts): Type {
  if (node.type !== "scalar") return DYN;
  const read = texts.read(node, PROJECT_SCOPE);
  if ("text" in read) return read.text.expression.type;
  return "value" in read ? typeOfJson(read.value) : DYN;
}

/** Evaluates `includeWhen` and `forEach`; undefined when they have problems. */
export function expand(declaration: Expandable, expander: Expander): Expansion | undefined {
  const group = declaration.document.entries.has("forEach");
  const excluded = excludedBy(declaration, expander);
  const slots = group ? forEachSlots(declaration, expander) : [single(declaration)];
  if (excluded === undefined || slots === undefined) return undefined;
  return excluded === "" ? { group, slots } : { group, slots: [], excluded };
}

function single({ kind, name, label }: Expandable): Slot {
  return { key: label as ResourceKey, path: pathTo(kind.root, name) };
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
  if (items) return slotsOf(declaration, items, node, expander.problems);
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
  { kind, name, label }: Expandable,
  items: readonly (readonly [string, Json])[],
  node: Node,
  problems: Problems,
): readonly Slot[] {
  const seen = new Set<string>();
  return items.flatMap(([key, value], index) => {
    if (!/^[A-Za-z0-9._-]+$/.test(key))
      problems.add(node.place, `the forEach key "${key}" of ${label} may hold letters, digits, ., - and _`);
    else if (seen.has(key)) problems.add(node.place, `the forEach of ${label} has the key "${key}" twice`);
    else if (checkKey(`${kind.name}/${name}-${key}`, node.place, problems)) {
      seen.add(key);
      const path = `${pathTo(kind.root, name)}[${JSON.stringify(key)}]`;
      return [{ key: `${label}-${key}` as ResourceKey, path, member: key, each: { key, value, index } }];
    }
    return [];
  });
}

function staticReading(what: string, node: Node, { links, problems, world }: Expander): Reading {
  return {
    label: what,
    scope: PROJECT_SCOPE,
    context: world.context(node.place.source.directory),
    refer: (references) => (links.refuse(references, what) ? [] : undefined),
    stay: staticOnly(problems, what),
  };
}

function pathTo(root: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${root}.${name}` : `${root}[${JSON.stringify(name)}]`;
}
