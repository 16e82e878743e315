/** `local`: named values of the Project. They may refer to each other and to resources, in any order without a circle. */

import { order } from "../core/graph.ts";
import type { ExpressionScope, Language } from "./language.ts";
import type { LocalReferences } from "./links.ts";
import type { MapNode, Node } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Reference } from "./references.ts";
import { parseTemplate } from "./template.ts";
import type { Texts } from "./texts.ts";
import { common, DYN, type Type, toCel, typeOfJson } from "./types.ts";
import { scalarsOf } from "./value-reader.ts";

/** Locals, project-wide expressions: what is written there sees no `each` and no `self`. */
export const PROJECT_SCOPE: ExpressionScope = Object.freeze({});

/** Tells the language the locals' types; answers what each refers to, through other locals too. */
export function defineLocals(language: Language, node: MapNode | undefined, texts: Texts, problems: Problems): LocalReferences {
  const nodes = new Map([...(node?.entries ?? [])].map(([name, { value }]) => [name, value]));
  const types = new Map<string, Type>();
  const references = new Map<string, readonly Reference[]>();
  const names = sorted(language, node, nodes, problems);
  // In a circle nothing is known of any type, which must not make further problems.
  for (const name of names.circular) types.set(name, DYN);
  language.defineLocals(new Map(types));
  for (const name of names.order) {
    const local = nodes.get(name) as Node;
    types.set(name, typeOfNode(local, texts));
    references.set(name, referencesOf(local, texts, references));
    language.defineLocals(new Map(types));
  }
  return references;
}

type Sorted = { readonly order: readonly string[]; readonly circular: readonly string[] };

/** The names so that each comes after those it uses; a circle is a problem, and then the document's order is kept. */
function sorted(language: Language, node: MapNode | undefined, nodes: ReadonlyMap<string, Node>, problems: Problems): Sorted {
  const uses = new Map([...nodes].map(([name, local]) => [name, localsUsed(language, local).filter((used) => nodes.has(used))]));
  const result = order(uses);
  if ("order" in result) return { order: result.order, circular: [] };
  const [first] = result.cycle;
  problems.add(node?.entries.get(first ?? "")?.key, `locals refer to each other in a circle: ${result.cycle.join(" → ")}`);
  return { order: [...nodes.keys()], circular: result.cycle };
}

function localsUsed(language: Language, node: Node): readonly string[] {
  const templates = scalarsOf(node).map((scalar) => (typeof scalar.value === "string" ? parseTemplate(scalar.value) : { parts: [] }));
  const sources = templates.flatMap((template) => ("parts" in template ? template.parts : []));
  const references = sources.flatMap((part) => ("expression" in part ? (language.parse(part.expression) ?? []) : []));
  return references.flatMap(({ root, name }) => (root === "local" && name !== undefined ? [name] : []));
}

function typeOfNode(node: Node, texts: Texts): Type {
  if (node.type === "list") return { kind: "list", element: common(node.items.map((item) => typeOfNode(item, texts))) };
  if (node.type === "map") return { kind: "map", element: common([...node.entries.values()].map(({ value }) => typeOfNode(value, texts))) };
  const read = texts.read(node, PROJECT_SCOPE);
  if ("text" in read) return read.text.expression.type;
  return "value" in read ? typeOfJson(read.value) : DYN;
}

function referencesOf(node: Node, texts: Texts, known: LocalReferences): readonly Reference[] {
  return scalarsOf(node).flatMap((scalar) => {
    const read = texts.read(scalar, PROJECT_SCOPE);
    const own = "text" in read ? read.text.references.map(({ reference }) => reference) : [];
    return own.flatMap((reference) => (reference.root === "local" ? (known.get(reference.name ?? "") ?? []) : [reference]));
  });
}

/** The value of a local in a context. Throws what its expressions throw. */
export function localValue(node: Node, texts: Texts, context: object): unknown {
  if (node.type === "list") return node.items.map((item) => localValue(item, texts, context)).filter(isPresent);
  if (node.type === "map") {
    const members = [...node.entries].map(([name, { value }]) => [name, localValue(value, texts, context)] as const);
    return new Map(members.filter(([, value]) => isPresent(value)));
  }
  const read = texts.read(node, PROJECT_SCOPE);
  if ("text" in read) return read.text.expression.evaluate(context);
  return "value" in read ? toCel(DYN, read.value) : undefined;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}
