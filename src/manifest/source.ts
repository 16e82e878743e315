/**
 * Manifest files to trees: finds the files, reads them, and parses their YAML with every node's place kept.
 *
 * What cannot be read at all (no such path, no file in a folder) is an error of the call; what is wrong inside a file
 * becomes a problem, so that all of them are shown at once.
 */

import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, normalize, resolve } from "node:path";
import { type Alias, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit, type Node as YamlNode } from "yaml";
import { BeaconError, type Problem } from "../core/errors.ts";
import { type ListNode, type MapEntry, type MapNode, makeSource, type Node, type Place, type ScalarNode, type Source } from "./node.ts";
import { gitOrigin } from "./origin.ts";
import { Problems } from "./problems.ts";
import { isCutExpression, syntaxProblems } from "./traps.ts";

/** Everything `-f` gave. `documents` are the trees of all sources, in order. */
export type SourceSet = {
  readonly sources: readonly Source[];
  readonly documents: readonly Node[];
  readonly problems: readonly Problem[];
  /** The git remote the files come from, without credentials; absent outside a clone. */
  readonly origin?: string;
};

/** What `loadSources` is given: the values of `-f`, and the text of standard input when one of them is `-`. */
export type SourceOptions = { readonly paths: readonly string[]; readonly stdin?: () => Promise<Uint8Array> };

/** Reads files, folders (`*.yaml` and `*.yml`, recursively, sorted, without hidden ones) and `-`. Throws ManifestNotFound. */
export async function loadSources(options: SourceOptions): Promise<SourceSet> {
  const files = new Map<string, { file: string; bytes: () => Promise<Uint8Array> }>();
  for (const path of options.paths) {
    if (path === "-") files.set("-", { file: "(stdin)", bytes: options.stdin ?? (() => Promise.resolve(new Uint8Array())) });
    else for (const file of await filesOf(path)) files.set(resolve(file), { file, bytes: () => readFile(file) });
  }
  const problems = new Problems();
  const sources: Source[] = [];
  const documents: Node[] = [];
  for (const [path, { file, bytes }] of files) {
    const before = problems.size;
    const source = decode(file, path === "-" ? process.cwd() : dirname(resolve(path)), await bytes(), problems);
    sources.push(source);
    if (problems.size === before) documents.push(...parseSource(source, problems));
  }
  const origin = await gitOrigin(sources[0]?.directory ?? process.cwd());
  return { sources, documents, problems: problems.list(), ...(origin === undefined ? {} : { origin }) };
}

/** As {@link loadSources}, from texts in memory: for tests, and for texts that are no files. */
export function sourcesOf(texts: Readonly<Record<string, string>>, directory: string = process.cwd()): SourceSet {
  return parsedSources(Object.entries(texts).map(([file, text]) => makeSource(file, resolve(directory, dirname(file)), text)));
}

/** As {@link loadSources}, from sources that were read before. */
export function parsedSources(sources: readonly Source[], origin?: string): SourceSet {
  const problems = new Problems();
  const documents = sources.flatMap((source) => parseSource(source, problems));
  return { sources, documents, problems: problems.list(), ...(origin === undefined ? {} : { origin }) };
}

async function filesOf(path: string): Promise<readonly string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new BeaconError("ManifestNotFound", `${path} does not exist`, { next: "give a manifest file, a folder or - with -f" });
  if (!info.isDirectory()) return [normalize(path)];
  const files = (await filesIn(normalize(path), new Set())).toSorted();
  if (files.length === 0) throw new BeaconError("ManifestNotFound", `${path} holds no *.yaml or *.yml file`, { where: path });
  return files;
}

/**
 * Links are followed, and names that begin with a dot left out: a mounted ConfigMap holds links to a folder of such a name, which is
 * swapped for the next one.
 */
async function filesIn(folder: string, within: ReadonlySet<string>): Promise<readonly string[]> {
  const real = await realpath(folder);
  // A link to a folder it lies in.
  if (within.has(real)) return [];
  const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      if ((await stat(path).catch(() => undefined))?.isDirectory()) return filesIn(path, new Set([...within, real]));
      return /\.ya?ml$/.test(name) ? [path] : [];
    }),
  );
  return found.flat();
}

function decode(file: string, directory: string, bytes: Uint8Array, problems: Problems): Source {
  try {
    // The decoder drops a byte order mark by itself.
    return makeSource(file, directory, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    const source = makeSource(file, directory, new TextDecoder("utf-8").decode(bytes));
    const start = Math.max(0, source.text.indexOf("\uFFFD"));
    problems.add({ source, start, end: start + 1 }, `${file} is not UTF-8`, "save the file as UTF-8");
    return source;
  }
}

/** The documents of one source; empty ones between `---` lines are left out. */
export function parseSource(source: Source, problems: Problems): readonly Node[] {
  const parsed = parseAllDocuments(source.text, { prettyErrors: false, keepSourceTokens: false });
  const before = problems.size;
  const documents: Node[] = [];
  for (const document of "empty" in parsed ? [] : parsed) {
    if (document.errors.length > 0) syntaxProblems(source, document.errors, problems);
    else if (document.contents !== null && !isNothing(document.contents)) {
      documents.push(...new Converter(source, document.contents, problems).documents());
    }
  }
  if (documents.length === 0 && problems.size === before) {
    problems.add({ source, start: 0, end: 0 }, `${source.file} holds no manifest`, "write a document, or remove the file");
  }
  return documents;
}

function isNothing(node: YamlNode): boolean {
  return isScalar(node) && node.value === null;
}

// 10,000 nodes are some 300 resources; a manifest that gets there through aliases alone is an attack or a mistake.
const ALIASED_NODES_MAX = 10_000;

/** Turns one YAML document into nodes; aliases become shared nodes, counted so that a bomb is refused before anything walks it. */
class Converter {
  readonly #source: Source;
  readonly #root: YamlNode;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, Node | undefined>();
  readonly #sizes = new Map<Node, number>();
  #failed = false;

  constructor(source: Source, root: YamlNode, problems: Problems) {
    this.#source = source;
    this.#root = root;
    this.#problems = problems;
  }

  /** The document as a list of one; empty when an alias is wrong. */
  documents(): readonly Node[] {
    visit(this.#root, { Scalar: (_key, node) => this.#checkCut(node.range?.[0] ?? 0, node.range?.[1] ?? 0, node.type === "PLAIN") });
    const node = this.#convert(this.#root);
    return this.#failed ? [] : [node];
  }

  /** A plain scalar that a comment cut inside `${...}` parses without an error, and would fail far from its cause. */
  #checkCut(start: number, end: number, plain: boolean): void {
    if (!plain || !isCutExpression(this.#source.text, start, end)) return;
    this.#failed = true;
    const hint = "quote the whole value, or use >- and write it on the next line";
    this.#problems.add(this.#place(start, end), "YAML takes ` #` for a comment and cuts the expression off there", hint);
  }

  #place(start: number, end: number): Place {
    return { source: this.#source, start, end };
  }

  #convert(yaml: YamlNode | null | undefined): Node {
    const [start, end] = yaml?.range ?? [0, 0];
    const place = this.#place(start, end);
    if (isAlias(yaml)) return this.#alias(yaml, place);
    const anchor = yaml && "anchor" in yaml ? yaml.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const node = this.#node(yaml, place);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return node;
  }

  #node(yaml: YamlNode | null | undefined, place: Place): Node {
    if (isMap(yaml)) return this.#map(yaml.items as readonly { key: unknown; value: unknown }[], place);
    if (isSeq(yaml)) return this.#list(yaml.items as readonly YamlNode[], place);
    return this.#remember(isScalar(yaml) ? scalar(yaml.value, yaml.type, place) : scalar(null, "PLAIN", place), 1);
  }

  #list(items: readonly YamlNode[], place: Place): ListNode {
    const nodes = items.map((item) => this.#convert(item));
    return this.#remember({ type: "list", items: nodes, place }, this.#sum(nodes));
  }

  #map(items: readonly { key: unknown; value: unknown }[], place: Place): MapNode {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of items) {
      const [start, end] = (key as YamlNode | null)?.range ?? [place.start, place.start];
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined || name.includes("${")) this.#keyProblem(this.#place(start, end));
      else entries.set(name, { key: this.#place(start, end), value: this.#convert(value as YamlNode | null) });
    }
    const nodes = [...entries.values()].map((entry) => entry.value);
    return this.#remember({ type: "map", entries, place }, this.#sum(nodes));
  }

  #keyProblem(place: Place): void {
    this.#failed = true;
    const hint = "if it is a value with a colon in it, quote it or use >-";
    this.#problems.add(place, "a map key must be plain text, not an expression", hint);
  }

  #alias(alias: Alias, place: Place): Node {
    const target = this.#anchors.get(alias.source);
    if (target && (this.#sizes.get(target) ?? 0) <= ALIASED_NODES_MAX) return target;
    // In a bomb one alias is as bad as the next.
    const told = this.#failed;
    this.#failed = true;
    const known = this.#anchors.has(alias.source);
    const bomb = target !== undefined;
    if (told && bomb) return target;
    const what = bomb ? "stands for more than 10,000 nodes" : known ? "stands for itself" : "has no anchor";
    this.#problems.add(
      place,
      `the alias \`*${alias.source}\` ${what}`,
      bomb ? "write the values out; aliases of aliases multiply" : undefined,
    );
    return scalar(null, "PLAIN", place);
  }

  #sum(nodes: readonly Node[]): number {
    return nodes.reduce((sum, node) => sum + (this.#sizes.get(node) ?? 1), 1);
  }

  #remember<N extends Node>(node: N, size: number): N {
    this.#sizes.set(node, size);
    return node;
  }
}

function scalar(value: unknown, type: string | undefined, place: Place): ScalarNode {
  const style = type === "BLOCK_FOLDED" || type === "BLOCK_LITERAL" ? "block" : type?.startsWith("QUOTE") ? "quoted" : "plain";
  const plain = typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
  return { type: "scalar", value: plain, style, place };
}
