/** YAML as a tree whose every node knows its place. */

import type { SourceSpan } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

/** One manifest text. `file` is as a person gave it; `directory` is absolute, and relative paths in expressions start there. */
export type Source = { readonly file: string; readonly directory: string; readonly text: string; readonly lineStarts: readonly number[] };

/** A stretch of a source, in characters from its beginning. */
export type Place = { readonly source: Source; readonly start: number; readonly end: number };

/** A scalar as YAML's core schema reads it. */
export type ScalarNode = {
  readonly type: "scalar";
  readonly value: string | number | boolean | null;
  /** Block scalars end with a newline that is no part of an expression. */
  readonly style: "plain" | "quoted" | "block";
  readonly place: Place;
};
/** A list; its place spans all of it. */
export type ListNode = { readonly type: "list"; readonly items: readonly Node[]; readonly place: Place };
/** A member of a map, and where its key stands. */
export type MapEntry = { readonly key: Place; readonly value: Node };
/** A map with texts as keys, in the order of the manifest. */
export type MapNode = { readonly type: "map"; readonly entries: ReadonlyMap<string, MapEntry>; readonly place: Place };
/** Any node. */
export type Node = ScalarNode | ListNode | MapNode;

/** Builds a source; `lineStarts` are computed here so that places cost nothing until they are shown. */
export function makeSource(file: string, directory: string, text: string): Source {
  const lineStarts = [0];
  for (let index = text.indexOf("\n"); index !== -1; index = text.indexOf("\n", index + 1)) lineStarts.push(index + 1);
  return { file, directory, text, lineStarts };
}

/** The place as line and column; what is underlined ends with the line. */
export function spanOf(place: Place): SourceSpan {
  const { lineStarts, text, file } = place.source;
  const line = lineAt(lineStarts, place.start);
  const lineStart = lineStarts[line - 1] ?? 0;
  const newline = text.indexOf("\n", place.start);
  const lineEnd = newline === -1 ? text.length : newline;
  return { file, line, column: place.start - lineStart + 1, length: Math.max(1, Math.min(place.end, lineEnd) - place.start) };
}

/** `manifests/network.yaml:7:1`. */
export function placeText(place: Place): string {
  const span = spanOf(place);
  return `${span.file}:${span.line}:${span.column}`;
}

/** The number of the line, from 1, that holds the offset. */
function lineAt(lineStarts: readonly number[], offset: number): number {
  let [low, high] = [0, lineStarts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** A map without members, for a document that has none where one may stand. */
export function emptyMap(place: Place): MapNode {
  return { type: "map", entries: new Map(), place };
}

/** The value of a member, if the node is a map that has it. */
export function member(node: Node | undefined, name: string): Node | undefined {
  return node?.type === "map" ? node.entries.get(name)?.value : undefined;
}

/** The text of a scalar member; undefined for anything else. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.type === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

/**
 * The place of a path such as `routes.0.natGatewayId`: of the key where there is one, else of the deepest node that
 * exists. A list with `$if` or `$for` items has other indexes than its result, so the list itself is the answer.
 */
export function placeOfPath(node: Node, path: readonly PropertyKey[]): Place {
  let current = node;
  let place = node.place;
  for (const step of path) {
    if (current.type === "map") {
      const entry = current.entries.get(String(step));
      if (!entry) return place;
      place = entry.value.type === "scalar" ? entry.value.place : entry.key;
      current = entry.value;
    } else if (current.type === "list") {
      const item = current.items[Number(step)];
      if (!item || current.items.some(isDirective)) return current.place;
      place = item.place;
      current = item;
    } else return place;
  }
  return place;
}

/** The node at a path, if there is one. */
export function nodeAt(node: Node, path: readonly PropertyKey[]): Node | undefined {
  return path.reduce<Node | undefined>((current, step) => {
    if (current?.type === "map") return current.entries.get(String(step))?.value;
    return current?.type === "list" ? current.items[Number(step)] : undefined;
  }, node);
}

/** A list item with `$if` or `$for`. */
export function isDirective(node: Node): boolean {
  return node.type === "map" && (node.entries.has("$if") || node.entries.has("$for"));
}

/** The node as JSON, `${...}` left as text. */
export function plainJson(node: Node): Json {
  if (node.type === "scalar") return node.value;
  if (node.type === "list") return node.items.map(plainJson);
  return Object.fromEntries([...node.entries].map(([name, entry]) => [name, plainJson(entry.value)]));
}
