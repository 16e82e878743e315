/**
 * Values of a manifest: trees with `${...}`, `$if` and `$for` in, JSON out.
 *
 * What can be evaluated now is; what depends on a remote value stays as `{ $expr }`. Where something is wrong it is
 * reported, and an expression stands in, so that the checks that follow leave the value alone.
 */

import type { Json, JsonObject } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";
import { UnknownAccess } from "./accessor.ts";
import type { Frame } from "./frame.ts";
import type { Resolved } from "./links.ts";
import { type Loop, loopedText, loopValueText, parenthesized } from "./loops.ts";
import type { ExpressionScope } from "./names.ts";
import { isDirective, type ListNode, type MapNode, type Node, type Place, type ScalarNode } from "./node.ts";
import { scalarsOf } from "./node-values.ts";
import type { Problems } from "./problems.ts";
import type { PlacedReference, Text, Texts } from "./texts.ts";
import { fits, shapeText, type Type, typeText } from "./types.ts";
import { fromCel } from "./values.ts";

/** Any value at all. */
export const ANY: Shape = Object.freeze({ type: "any", optional: true });

/** Stands for a value that is wrong and was reported. */
export const REPORTED: Json = Object.freeze({ $expr: "" });

/** What is being read. */
export type Reading = {
  /** `Subnet/public`, for messages. */
  readonly label: string;
  readonly scope: ExpressionScope;
  /** Undefined: types are checked and nothing is evaluated, for resources that do not exist in this environment. */
  readonly context: object | undefined;
  /** Told of every expression's references, and where in the value it stands; answers what they mean, or undefined when they may not be. */
  readonly refer: (references: readonly PlacedReference[], path: string) => Resolved;
  /** Told of what an expression that stays reads first; false when it may not stay (reported). */
  readonly stay?: (unknown: UnknownAccess, place: Place) => boolean;
};

/** What a `$for` goes over; an element that is not known yet is what reading it raises. `list`: its expression, written without the variables of the loops around it. */
type LoopValues = { readonly name: string; readonly type: Type; readonly values: readonly unknown[]; readonly list: () => string };
type Inner = Reading & { readonly loops: readonly Loop[]; readonly outer: ExpressionScope; readonly path: string };

/** See the file's header. */
export class ValueReader {
  readonly #frame: Frame;
  readonly #texts: Texts;
  readonly #problems: Problems;

  constructor(frame: Frame, texts: Texts, problems: Problems) {
    this.#frame = frame;
    this.#texts = texts;
    this.#problems = problems;
  }

  /** The value of a node; undefined where it is `null` or an empty optional, which means omitted. */
  read(node: Node, shape: Shape, reading: Reading, path = ""): Json | undefined {
    return this.#read(node, shape, { ...reading, loops: [], outer: reading.scope, path });
  }

  #read(node: Node, shape: Shape, reading: Inner): Json | undefined {
    if (node.type === "list") return this.#list(node, shape, reading);
    if (node.type === "map") return this.#map(node, shape, reading);
    const scalar = this.#texts.read(node, reading.scope);
    if ("wrong" in scalar) return REPORTED;
    if ("value" in scalar) return scalar.value ?? undefined;
    return this.#text(scalar.text, shape, reading);
  }

  #map(node: MapNode, shape: Shape, reading: Inner): Json {
    const entries = [...node.entries].flatMap(([name, { value }]) => {
      const read = this.#read(value, memberShape(shape, name), { ...reading, path: joined(reading.path, name) });
      return read === undefined ? [] : [[name, read] as const];
    });
    return Object.fromEntries(entries);
  }

  #list(node: ListNode, shape: Shape, reading: Inner): Json {
    const element = elementShape(shape);
    return node.items.flatMap((item, index) => {
      const inner = { ...reading, path: joined(reading.path, String(index)) };
      if (isDirective(item)) return this.#directive(item as MapNode, element, inner);
      const read = this.#read(item, element, inner);
      return read === undefined ? [] : [read];
    });
  }

  /** An item with `$for`, `$if` or both: the loop is outside, so that the condition sees its variable. */
  #directive(item: MapNode, shape: Shape, reading: Inner): readonly Json[] {
    const loop = item.entries.get("$for");
    if (!loop) return this.#conditional(item, shape, reading);
    const values = this.#loopValues(loop.value, reading);
    if (!values) return [];
    const scope = this.#texts.loopScope(item, reading.scope, values.name, values.type);
    // Nothing is evaluated for what does not exist, but the item's types are still checked.
    const each = reading.context ? values.values : [undefined];
    return each.flatMap((value, index) => {
      const context = reading.context && withVariable(reading.context, values.name, value);
      const text = () => loopValueText(value, this.#pathOf(value), () => `${values.list()}[${index}]`);
      return this.#conditional(item, shape, { ...reading, scope, context, loops: [...reading.loops, { name: values.name, text }] });
    });
  }

  #conditional(item: MapNode, shape: Shape, reading: Inner): readonly Json[] {
    const condition = item.entries.get("$if");
    if (condition && !this.#condition(condition.value, reading)) return [];
    const entries = new Map([...item.entries].filter(([name]) => name !== "$if" && name !== "$for"));
    return [this.#map({ ...item, entries }, shape, reading)];
  }

  #condition(node: Node, reading: Inner): boolean {
    const value = this.#read(node, { type: "boolean", optional: false }, { ...reading, stay: staticOnly(this.#problems, "`$if`") });
    if (typeof value === "boolean") return value;
    if (value === undefined || typeof value !== "object") this.#problems.add(node.place, "`$if` must be true or false");
    return true;
  }

  /** How this frame's expressions write a resource. */
  #pathOf(value: unknown): string | undefined {
    const known = this.#frame.world.paths.get(value as object);
    return known?.frame === this.#frame ? known.path : undefined;
  }

  #loopValues(node: Node, reading: Inner): LoopValues | undefined {
    const [, name, expression] =
      /^\s*([A-Za-z_]\w*)\s+in\s+(\$\{[\s\S]*\})\s*$/.exec(String(node.type === "scalar" ? node.value : "")) ?? [];
    if (name === undefined || expression === undefined) {
      this.#problems.add(node.place, "`$for` is not understood", "write $for: x in ${list}");
      return undefined;
    }
    if (!this.#texts.mayNameLoop(name, reading.scope)) {
      this.#problems.add(node.place, `\`$for\` cannot call its variable \`${name}\`: that has a meaning already`, "give it another name");
      return undefined;
    }
    const text = this.#texts.read(this.#texts.loopNode(node as ScalarNode, expression), reading.scope);
    if (!("text" in text)) return undefined;
    const { type } = text.text.expression;
    if (type.kind !== "list" && type.kind !== "dyn") {
      this.#problems.add(node.place, `\`$for\` takes a list, but this is ${typeText(type)}`, "values(map) makes a list of a map");
      return undefined;
    }
    const values = this.#evaluateLoop(text.text, reading);
    const list = () => parenthesized(loopedText(text.text.expression, reading.loops));
    return values && { name, type: type.kind === "list" ? type.element : type, values, list };
  }

  #evaluateLoop(text: Text, reading: Inner): readonly unknown[] | undefined {
    if (!reading.refer(text.references, reading.path)) return undefined;
    if (!reading.context) return [];
    try {
      const values = text.expression.evaluate(reading.context);
      if (Array.isArray(values)) return values;
      this.#problems.add(text.place, "`$for` takes a list");
    } catch (error) {
      if (!(error instanceof UnknownAccess)) this.#failed(error, text);
      else return this.#frame.instance?.elements(text.expression) ?? this.#notStatic(error, text);
    }
    return undefined;
  }

  #notStatic(error: UnknownAccess, { place }: Text): undefined {
    staticOnly(this.#problems, "`$for`")(error, place);
  }

  #text(text: Text, shape: Shape, reading: Inner): Json | undefined {
    const { expression, place } = text;
    if (!fits(expression.type, shape)) {
      const what = reading.path === "" ? reading.label : `\`${reading.path}\` of ${reading.label}`;
      const hint = shape.type === "string" && SIMPLE.has(expression.type.kind) ? `write \${string(${expression.text})}` : undefined;
      this.#problems.add(place, `${what} must be ${shapeText(shape)}, but the expression is ${typeText(expression.type)}`, hint);
      return REPORTED;
    }
    if (!reading.refer(text.references, reading.path) || !reading.context) return REPORTED;
    try {
      return fromCel(expression.evaluate(reading.context)) ?? undefined;
    } catch (error) {
      if (error instanceof UnknownAccess) return this.#stays(error, text, reading);
      this.#failed(error, text);
      return REPORTED;
    }
  }

  #stays(unknown: UnknownAccess, text: Text, reading: Inner): Json {
    if (reading.stay && !reading.stay(unknown, text.place)) return REPORTED;
    this.readFiles(text, reading);
    // A loop's variable exists while the manifests are read and not later, so its value is written in its place.
    if (reading.loops.length > 0) return { $expr: loopedText(text.expression, reading.loops) };
    return this.#frame.instance?.parts(text.expression) ?? { $expr: text.expression.text };
  }

  /**
   * Reads every file that an expression will ever read, those that its locals read among them: the digest covers them, one that
   * is missing is told, and a revision is kept with all of them.
   */
  readFiles({ expression, place }: Pick<Text, "expression" | "place">, { scope, context }: Pick<Reading, "scope" | "context">): void {
    for (const read of expression.files) {
      const file = this.#frame.world.language.check(read, scope).expression;
      try {
        if (file) file.evaluate(context ?? {});
        else
          this.#problems.add(
            place,
            `which file ${read} reads cannot be told before any AWS call`,
            "read the files in a local, and take their texts from it",
          );
      } catch (error) {
        if (!(error instanceof UnknownAccess)) this.#failed(error, { expression, place });
        else staticOnly(this.#problems, "the path of a file")(error, place);
      }
    }
    for (const { root, name } of expression.references) if (root === "local") this.#readFilesOfLocals(name);
  }

  #readFilesOfLocals(name: string | undefined): void {
    const { root, unreadLocals } = this.#frame.world;
    for (const [local, node] of [...unreadLocals]) {
      if ((name ?? local) !== local) continue;
      unreadLocals.delete(local);
      const site = { scope: root.names.scope, context: root.context(node.place.source.directory) };
      for (const scalar of scalarsOf(node)) {
        const read = this.#texts.read(scalar, site.scope);
        if ("text" in read) this.readFiles(read.text, site);
      }
    }
  }

  #failed(error: unknown, { expression, place }: Pick<Text, "expression" | "place">): void {
    const { code, summary, message } = error as { code?: string; summary?: string; message: string };
    const missing = code === "no_such_key" ? /No such key: (\S+)/.exec(summary ?? "")?.[1] : undefined;
    const hint = missing === undefined ? undefined : `write .?${missing} where it may be absent`;
    (this.#frame.instance?.problemsOf(expression) ?? this.#problems).add(
      place,
      `\${${expression.text}} cannot be evaluated: ${missing === undefined ? (summary ?? message) : `there is no \`${missing}\``}`,
      hint,
    );
  }
}

const SIMPLE: ReadonlySet<string> = new Set(["int", "double", "bool"]);

function withVariable(context: object, name: string, value: unknown): object {
  const get = () => {
    if (value instanceof UnknownAccess) throw value;
    return value;
  };
  return Object.create(context, { [name]: { get } });
}

/** For values that decide what there is: they may not wait for AWS. */
export function staticOnly(problems: Problems, what: string): (unknown: UnknownAccess, place: Place) => boolean {
  return (unknown, place) => {
    if (unknown.what !== "")
      problems.add(
        place,
        `${what} must be known before any AWS call, but depends on \`${unknown.what}\``,
        "it may use params, env, project and local",
      );
    return false;
  };
}

function joined(path: string, step: string): string {
  return path === "" ? step : `${path}.${step}`;
}

function memberShape(shape: Shape, name: string): Shape {
  if (shape.type === "object") return shape.fields[name] ?? ANY;
  if (shape.type === "map") return shape.element;
  if (shape.type !== "union") return ANY;
  const found = shape.options.map((option) => memberShape(option, name)).filter((option) => option.type !== "any");
  return found.length === 1 && found[0] ? found[0] : ANY;
}

function elementShape(shape: Shape): Shape {
  if (shape.type === "array") return shape.element;
  if (shape.type !== "union") return ANY;
  const lists = shape.options.filter((option) => option.type === "array");
  return lists.length === 1 && lists[0]?.type === "array" ? lists[0].element : ANY;
}

/** A node as a map of values, for documents' own members such as `lifecycle`. */
export function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
