/** A value against its zod schema: zod's findings, said in the manifests' words and shown at their places. */

import type { z } from "zod";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { type ObjectShape, objectShape, type Shape } from "../core/shape.ts";
import { nearest, suggestion } from "../core/suggest.ts";
import { type Node, nodeAt, type Place, placeOfPath, plainJson, spanOf } from "./node.ts";
import type { Problems } from "./problems.ts";
import { shapeText } from "./types.ts";
import { holdsExpression, isExpression } from "./values.ts";

/** What is checked and how its problems are told. `home` is where a missing top-level field is shown; `partial`: they may all be missing. */
export type Subject = {
  readonly node: Node;
  readonly label: string;
  readonly problems: Problems;
  /** The problems of what stands at a path, where they are to say more than the rest. */
  readonly problemsAt?: (path: readonly PropertyKey[]) => Problems;
  /** What its top-level members are called; `field` by default. */
  readonly what?: "parameter";
  readonly home?: Place;
  readonly partial?: boolean;
};

/** Adds a problem for everything the schema refuses, except where the value is an expression or was refused already. */
export function checkValue(schema: z.ZodObject, value: JsonObject, subject: Subject): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const shape = objectShape(schema);
  const issues = result.error.issues.flatMap((issue) => flatten(issue, []));
  const meant = new Set(issues.flatMap((issue) => misspelt(issue, shape)));
  for (const issue of issues) if (!meant.has(issue.path.join("."))) tell(issue, value, shape, subject);
}

/** The node as JSON without expressions, checked: for documents that are read before anything can be evaluated. */
export function readPlain<S extends z.ZodObject>(schema: S, subject: Subject): z.infer<S> | undefined {
  const before = subject.problems.size;
  refuseExpressions(subject.node, subject.problems);
  const value = withoutNulls(plainJson(subject.node));
  if (!isObject(value)) {
    subject.problems.add(subject.node.place, `${subject.label} must be a map`);
    return undefined;
  }
  checkValue(schema, value, subject);
  return subject.problems.size === before ? (value as z.infer<S>) : undefined;
}

/** `null` means omitted, wherever it stands. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.filter((element) => element !== null).map(withoutNulls);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, element]) => element !== null && element !== undefined);
  return Object.fromEntries(entries.map(([name, element]) => [name, withoutNulls(element as Json)]));
}

function refuseExpressions(node: Node, problems: Problems): void {
  if (node.type === "list") for (const item of node.items) refuseExpressions(item, problems);
  else if (node.type === "map") for (const entry of node.entries.values()) refuseExpressions(entry.value, problems);
  else if (typeof node.value === "string" && /(^|[^$])\$\{/.test(node.value)) {
    problems.add(node.place, "an expression is not possible here", "this is read before anything is evaluated: write the value");
  }
}

type Issue = z.core.$ZodIssue;

/** A union's issues are those of the option that came nearest: it failed deepest, or with the fewest findings. */
function flatten(issue: Issue, path: readonly PropertyKey[]): readonly Issue[] {
  const at = [...path, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ ...issue, path: at } as Issue];
  const depth = (issues: readonly Issue[]) => Math.max(...issues.map((inner) => inner.path.length));
  const options = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
  const [first] = options;
  // No option got past the top: then the type itself is wrong, and every option is named.
  if (!first || depth(first) === 0) return [{ ...issue, path: at } as Issue];
  return first.flatMap((inner) => flatten(inner, at));
}

/** The paths of the fields that unknown ones are near to: to call these missing as well would be to say one thing twice. */
function misspelt(issue: Issue, shape: ObjectShape): readonly string[] {
  const parent = issue.code === "unrecognized_keys" ? shapeAt(shape, issue.path) : undefined;
  if (issue.code !== "unrecognized_keys" || parent?.type !== "object") return [];
  const near = issue.keys.map((key) => nearest(key, Object.keys(parent.fields)));
  return near.flatMap((name) => (name === undefined ? [] : [[...issue.path, name].join(".")]));
}

function tell(issue: Issue, value: JsonObject, shape: ObjectShape, subject: Subject): void {
  const { node, label, problems, home, partial } = subject;
  const field = issue.path.map(String).join(".");
  const found = valueAt(value, issue.path);
  const expected = shapeAt(shape, issue.path);
  if (issue.code === "unrecognized_keys") {
    // An expression that stands where a union has an object.
    if (isExpression(found)) return;
    for (const key of issue.keys) tellUnknown(key, [...issue.path, key], expected, subject);
    return;
  }
  if (restsOnExpression(value, issue.path)) return;
  if (found === undefined) {
    if (partial && issue.path.length === 1) return;
    problems.add(missingPlace(node, issue.path, home), `\`${field}\` is missing in ${label}`, expects(expected));
    return;
  }
  const name = field === "" ? label : `\`${field}\` of ${label}`;
  (subject.problemsAt?.(issue.path) ?? problems).add(
    placeOfPath(node, issue.path),
    `${name}${complaint(issue, found, expected)}`,
    hintFor(issue, found, expected, sourceText(node, issue.path)),
  );
}

/** A missing field is shown at the key of the map that lacks it. */
function missingPlace(node: Node, path: readonly PropertyKey[], home: Place | undefined): Place {
  return path.length > 1 ? keyPlace(node, path.slice(0, -1)) : (home ?? node.place);
}

function tellUnknown(
  key: string,
  path: readonly PropertyKey[],
  expected: Shape | undefined,
  { node, label, problems, what }: Subject,
): void {
  const forms = expected?.type === "union" ? expected.options : [expected];
  const known = forms.flatMap((form) => (form?.type === "object" ? Object.keys(form.fields) : []));
  const called = path.length === 1 ? (what ?? "field") : "field";
  problems.add(keyPlace(node, path), `unknown ${called} \`${key}\` in ${label}`, suggestion(key, known));
}

/** Where the key of a path stands; `placeOfPath` would give the value. */
function keyPlace(node: Node, path: readonly PropertyKey[]) {
  const parent = nodeAt(node, path.slice(0, -1));
  const entry = parent?.type === "map" ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.key ?? placeOfPath(node, path);
}

function sourceText(node: Node, path: readonly PropertyKey[]): string | undefined {
  const found = nodeAt(node, path);
  return found?.type === "scalar" && found.style === "plain"
    ? found.place.source.text.slice(found.place.start, found.place.end)
    : undefined;
}

function complaint(issue: Issue, found: Json | undefined, expected: Shape | undefined): string {
  // A kind's own message goes on after the field's name, or is a sentence by itself.
  if (issue.code === "custom") return /^(must|may|cannot|is|has|needs)\b/.test(issue.message) ? ` ${issue.message}` : `: ${issue.message}`;
  if (issue.code === "invalid_type" || issue.code === "invalid_union") {
    return ` must be ${expected ? shapeText(expected) : "something else"}, but is ${kindText(found)}`;
  }
  if (issue.code === "invalid_value") return ` must be one of ${choices(issue.values.map(String))}, but is ${JSON.stringify(found)}`;
  const shown = found === undefined || typeof found === "object" ? "" : `, but is ${JSON.stringify(found)}`;
  if (issue.code === "too_small") return ` must ${amount(issue.origin, "at least", Number(issue.minimum))}${shown}`;
  if (issue.code === "too_big") return ` must ${amount(issue.origin, "at most", Number(issue.maximum))}${shown}`;
  if (issue.code === "invalid_format" && issue.message.startsWith("Invalid")) return ` must match ${issue.pattern ?? issue.format}${shown}`;
  return ` ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}${shown}`;
}

// The countries of the world would fill a screen.
const CHOICES_MAX = 40;

function choices(values: readonly string[]): string {
  if (values.length <= CHOICES_MAX) return values.join(", ");
  return `${values.slice(0, 3).join(", ")} and ${values.length - 3} more (beaconctl explain lists them)`;
}

function amount(origin: string, bound: string, limit: number): string {
  if (origin === "string") return `have ${bound} ${limit} ${limit === 1 ? "character" : "characters"}`;
  if (origin === "array" || origin === "set") return `have ${bound} ${limit} ${limit === 1 ? "item" : "items"}`;
  return `be ${bound} ${limit}`;
}

function hintFor(issue: Issue, found: Json | undefined, expected: Shape | undefined, source: string | undefined): string | undefined {
  if (issue.code === "invalid_value" && typeof found === "string") {
    const near = nearest(found, issue.values.map(String));
    return near === undefined ? undefined : `did you mean \`${near}\`?`;
  }
  if (expected?.type === "string" && (typeof found === "number" || typeof found === "boolean")) return `write "${source ?? found}"`;
  const wantsNumber = expected?.type === "integer" || expected?.type === "number";
  if (wantsNumber && typeof found === "string" && found.trim() !== "" && Number.isFinite(Number(found)))
    return `write ${Number(found)} without quotes`;
  return undefined;
}

function expects(expected: Shape | undefined): string | undefined {
  return expected && expected.type !== "any" ? `it takes ${shapeText(expected)}` : undefined;
}

/** What a value is, in words. */
export function kindText(value: Json | undefined): string {
  if (value === undefined || value === null) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") return `the text ${JSON.stringify(value)}`;
  return typeof value === "boolean" ? String(value) : `the number ${value}`;
}

function valueAt(value: Json | undefined, path: readonly PropertyKey[]): Json | undefined {
  return path.reduce<Json | undefined>((current, step) => {
    if (Array.isArray(current)) return current[Number(step)];
    return isObject(current) ? current[String(step)] : undefined;
  }, value);
}

/** Whether the value at the path, something above or something inside it is an expression: then zod saw a stand-in. */
function restsOnExpression(value: JsonObject, path: readonly PropertyKey[]): boolean {
  for (let length = 0; length < path.length; length++) if (isExpression(valueAt(value, path.slice(0, length)))) return true;
  return path.length > 0 && holdsExpression(valueAt(value, path));
}

/** The shape of what is at the path, as far as the path can be followed. */
function shapeAt(shape: Shape, path: readonly PropertyKey[]): Shape | undefined {
  return path.reduce<Shape | undefined>((current, step) => {
    if (current?.type === "object") return current.fields[String(step)];
    if (current?.type === "array" || current?.type === "map") return current.element;
    return current?.type === "union" ? current.options.map((option) => shapeAt(option, [step])).find((found) => found) : undefined;
  }, shape);
}

/** The place of a path as a span. */
export function spanOfPath(node: Node, path: string) {
  return spanOf(placeOfPath(node, path.split(".")));
}
