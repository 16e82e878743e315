/** Trees whose scalars may be expressions, as expressions see them: the locals, and the outputs of blueprints. */

import { LazyMap, UnknownAccess } from "./accessor.ts";
import type { ExpressionScope } from "./names.ts";
import type { Node, ScalarNode } from "./node.ts";
import { parseTemplate } from "./template.ts";
import type { Texts } from "./texts.ts";
import { common, DYN, type Type, typeOfJson } from "./types.ts";
import { toCel } from "./values.ts";

/** How a tree's scalars are read. */
export type TreeReading = { readonly texts: Texts; readonly scope: ExpressionScope };

/** The type of the tree's value. */
export function typeOfNode(node: Node, reading: TreeReading): Type {
  if (node.type === "list") return { kind: "list", element: common(node.items.map((item) => typeOfNode(item, reading))) };
  if (node.type === "map")
    return { kind: "map", element: common([...node.entries.values()].map(({ value }) => typeOfNode(value, reading))) };
  const read = reading.texts.read(node, reading.scope);
  if ("text" in read) return read.text.expression.type;
  return "value" in read ? typeOfJson(read.value) : DYN;
}

/** The tree's value in a context. Throws what its expressions throw. */
export function valueOfNode(node: Node, reading: TreeReading, context: object): unknown {
  if (node.type === "list") return node.items.map((item) => valueOfNode(item, reading, context)).filter(isPresent);
  if (node.type === "map") {
    const { entries } = node;
    return new LazyMap([...entries.keys()], (name) => valueOfNode(entries.get(name)?.value as Node, reading, context));
  }
  const read = reading.texts.read(node, reading.scope);
  if ("text" in read) return read.text.expression.evaluate(context);
  if ("value" in read) return toCel(DYN, read.value);
  // It was reported; what uses it is left alone.
  throw new UnknownAccess("");
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** The expressions in a scalar, as they are written. */
export function expressionsIn({ value }: ScalarNode): readonly string[] {
  const template = typeof value === "string" ? parseTemplate(value) : { parts: [] };
  return "parts" in template ? template.parts.flatMap((part) => ("expression" in part ? [part.expression] : [])) : [];
}

/** Every scalar below a node. */
export function scalarsOf(node: Node): readonly ScalarNode[] {
  if (node.type === "scalar") return [node];
  if (node.type === "list") return node.items.flatMap(scalarsOf);
  return [...node.entries.values()].flatMap(({ value }) => scalarsOf(value));
}
