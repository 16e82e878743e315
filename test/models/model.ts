/**
 * AWS's own API models (botocore's, which the sandbox's Python brings along), and what they say against a request.
 *
 * The models tell members, types, lengths, ranges, patterns and enums; what AWS says only in the prose of its references is in
 * `facts.ts`, written in the same form.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ensureInstalled } from "../../sandbox/install.ts";
import type { OperationName } from "../../src/aws/service.ts";
import type { Kinds } from "../../src/kind/kind.ts";
import { operationsOf } from "../../src/kind/operations.ts";
import { EMPTY_LISTS_REFUSED, FACTS, RULES } from "./facts.ts";

export type Shape = {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly idempotencyToken?: true }>>;
  readonly required?: readonly string[];
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
};

/** Limits in the words of the models, for what AWS says elsewhere. */
export type Limits = Pick<Shape, "min" | "max" | "pattern" | "enum"> & {
  readonly values?: readonly number[];
  readonly not?: readonly number[];
};

type Model = {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
};

// Where a service's IAM prefix is not the name of its model.
const FOLDERS: Readonly<Record<string, string>> = { tag: "resourcegroupstaggingapi", elasticloadbalancing: "elbv2" };

const loaded = new Map<string, Model>();

/** A service by its IAM prefix. */
async function modelOf(service: string): Promise<Model> {
  const known = loaded.get(service);
  if (known) return known;
  const model = JSON.parse(gunzipSync(readFileSync(await modelFile(service))).toString()) as Model;
  loaded.set(service, model);
  return model;
}

async function modelFile(service: string): Promise<string> {
  const lib = join(dirname(await ensureInstalled()), "..", "lib");
  const python = readdirSync(lib).find((name) => name.startsWith("python3")) as string;
  const folder = join(lib, python, "site-packages", "botocore", "data", FOLDERS[service] ?? service);
  const newest = readdirSync(folder).sort().at(-1) as string;
  return join(folder, newest, "service-2.json.gz");
}

/** As {@link loadModels}, for every service that a kind calls. */
export async function loadKindModels(kinds: Kinds): Promise<void> {
  const operations = [...kinds.values()].flatMap(operationsOf);
  await loadModels(...new Set(operations.map((operation) => operation.slice(0, operation.indexOf(":")))));
}

/** Reads the models of these services, so that {@link problemsOf} can answer at once. */
export async function loadModels(...services: readonly string[]): Promise<void> {
  await Promise.all(services.map(modelOf));
}

/** What AWS would refuse in this request, one text per finding; the model must have been loaded. */
export function problemsOf(operation: OperationName, input: unknown): readonly string[] {
  const [service, name] = operation.split(":") as [string, string];
  const model = loaded.get(service);
  const known = model?.operations[name];
  if (!model || !known) return [`${operation} is not in AWS's models`];
  if (!known.input) return [];
  const walk: Walk = { model, service };
  const found = [...valueProblems(walk, known.input.shape, input, name), ...(RULES[operation]?.(input as never) ?? [])];
  return found.map((text) => `${operation}: ${text}`);
}

/** Whether a loaded model has the operation. */
export function operationExists(operation: OperationName): boolean {
  const [service, name] = operation.split(":") as [string, string];
  return loaded.get(service)?.operations[name] !== undefined;
}

/** A shape of a loaded model, with what {@link FACTS} adds to it. */
export function shapeNamed(service: string, name: string): Shape & Limits {
  const shape = loaded.get(service)?.shapes[name];
  if (!shape) throw new Error(`${service} has no shape ${name}`);
  return { ...shape, ...FACTS[`${service}.${name}`] };
}

/** Members of the operation's input that make a repeated call safe: AWS's SDKs fill them with chance where nobody else does. */
export function tokensOf(operation: OperationName): readonly string[] {
  const [service, name] = operation.split(":") as [string, string];
  const input = loaded.get(service)?.operations[name]?.input;
  const members = input ? shapeNamed(service, input.shape).members : {};
  return Object.entries(members ?? {}).flatMap(([member, { idempotencyToken }]) => (idempotencyToken ? [member] : []));
}

type Walk = { readonly model: Model; readonly service: string };

function* valueProblems(walk: Walk, shapeName: string, value: unknown, path: string): Generator<string> {
  const shape = shapeNamed(walk.service, shapeName);
  const wrong = typeProblem(shape, value);
  if (wrong !== undefined) {
    yield `${path} ${wrong}`;
    return;
  }
  yield* limitProblems(shape, value, path);
  if (shape.type === "structure") yield* memberProblems(walk, shapeName, value as Record<string, unknown>, path);
  else if (shape.type === "list") yield* listProblems(walk, shape, value as readonly unknown[], path);
  else if (shape.type === "map") {
    for (const [key, inner] of Object.entries(value as object)) {
      yield* valueProblems(walk, (shape.key as { shape: string }).shape, key, `${path} key ${JSON.stringify(key)}`);
      yield* valueProblems(walk, (shape.value as { shape: string }).shape, inner, `${path}.${key}`);
    }
  }
}

function* listProblems(walk: Walk, shape: Shape, list: readonly unknown[], path: string): Generator<string> {
  if (list.length === 0 && EMPTY_LISTS_REFUSED.has(walk.service)) yield `${path} is an empty list`;
  for (const [index, item] of list.entries())
    yield* valueProblems(walk, (shape.member as { shape: string }).shape, item, `${path}[${index}]`);
}

function* memberProblems(walk: Walk, shapeName: string, value: Record<string, unknown>, path: string): Generator<string> {
  const { members = {}, required = [] } = shapeNamed(walk.service, shapeName);
  for (const name of required) if (value[name] === undefined) yield `${path}.${name} is missing`;
  for (const [name, inner] of Object.entries(value)) {
    const member = members[name];
    if (!member) yield `${path} has no member ${name}`;
    else if (inner !== undefined) {
      yield* valueProblems(walk, member.shape, inner, `${path}.${name}`);
      yield* limitProblems(
        { type: shapeNamed(walk.service, member.shape).type, ...FACTS[`${walk.service}.${shapeName}.${name}`] },
        inner,
        `${path}.${name}`,
      );
    }
  }
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: Number.isSafeInteger,
  long: Number.isSafeInteger,
  double: Number.isFinite,
  float: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => value instanceof Date && Number.isFinite(value.getTime()),
  blob: (value) => value instanceof Uint8Array,
  list: Array.isArray,
  map: isRecord,
  structure: isRecord,
};

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeProblem({ type }: Shape, value: unknown): string | undefined {
  return TYPES[type]?.(value) ? undefined : `must be a ${type}, and is ${value === undefined ? "undefined" : JSON.stringify(value)}`;
}

function* limitProblems(shape: Shape | (Limits & { readonly type: string }), value: unknown, path: string): Generator<string> {
  const limits: Limits = shape;
  const size = sizeOf(value);
  if (limits.min !== undefined && size < limits.min) yield `${path} is below ${limits.min}: ${JSON.stringify(value)}`;
  if (limits.max !== undefined && size > limits.max) yield `${path} is above ${limits.max}: ${JSON.stringify(value)}`;
  if (limits.values && !limits.values.includes(value as number)) yield `${path} is not one of AWS's values: ${JSON.stringify(value)}`;
  if (limits.not?.includes(value as number)) yield `${path} must not be ${value}`;
  if (typeof value !== "string") return;
  if (limits.enum && !limits.enum.includes(value)) yield `${path} is not one of ${limits.enum.join(", ")}: ${JSON.stringify(value)}`;
  if (limits.pattern && !new RegExp(`^(?:${limits.pattern})$`, "u").test(value))
    yield `${path} does not match ${limits.pattern}: ${JSON.stringify(value)}`;
}

// AWS counts characters, not UTF-16 units.
function sizeOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return [...value].length;
  return Array.isArray(value) ? value.length : Object.keys(value as object).length;
}
