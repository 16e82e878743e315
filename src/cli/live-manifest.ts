/**
 * Live values as manifest documents, for a person who takes what AWS has into the manifests.
 *
 * What does not differ stays as it is written, its expressions among it; what differs has AWS's value. A document of a group or
 * of a blueprint declares more than one resource: there the one resource is written out with its values, as a document of its own.
 */

import type { CompiledStack, View } from "../core/compiled.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import { type Resource, type ResourceKey, splitKey } from "../core/resource.ts";
import type { Shape } from "../core/shape.ts";
import { isUnknown } from "../core/unknown.ts";
import type { World } from "../engine/types.ts";
import type { AnyKind, Kinds, Remote } from "../kind/kind.ts";
import { type DeclaredDocument, declaredDocument } from "../manifest/declared.ts";

/** One document, and what a person should know of it. */
export type LiveDocument = { readonly key: ResourceKey; readonly document: JsonObject; readonly comments: readonly string[] };

/** What the documents are made from: one look, and its plan. */
export type LiveInput = { readonly compiled: CompiledStack; readonly world: World; readonly plan: Plan; readonly kinds: Kinds };

/** The live document of a declared resource; undefined where it is not declared, or has no object at AWS. Pure. */
export function liveDocument(key: ResourceKey, input: LiveInput): LiveDocument | undefined {
  const { compiled, kinds } = input;
  const resource = compiled.resources.find((candidate) => candidate.key === key);
  const declared = declaredDocument(compiled, key);
  const remote = remoteOf(key, input);
  if (!resource || !declared || !remote) return undefined;
  const kind = kinds.get(resource.kind) as AnyKind;
  const desired = compiled.resolve(resource, (other) => viewOf(other, input));
  const live = kind.comparable(remote.tags ? { ...remote.values, tags: remote.tags } : remote.values, desired);
  const written = declared.isAlone && isObject(declared.document.spec) ? declared.document.spec : escaped(desired);
  const paths = input.plan.changes.find((change) => change.key === key)?.differences.map(({ path }) => path) ?? [];
  const spec = taken({ written, desired, live, path: "", paths });
  const secrets: string[] = [];
  return {
    key,
    document: documentOf(resource, declared, withoutSecrets(spec ?? {}, { shape: kind.spec, path: "", found: secrets }) as JsonObject),
    comments: commentsOf(resource, declared, { paths, secrets }),
  };
}

function remoteOf(key: ResourceKey, { world, plan, compiled }: LiveInput): Remote | undefined {
  const kind = compiled.resources.find((resource) => resource.key === key)?.kind;
  const id = plan.changes.find((change) => change.key === key)?.id ?? world.state.records.get(key)?.id;
  return kind && world.remotes.get(kind)?.find((candidate) => candidate.id === id);
}

function viewOf(key: ResourceKey, input: LiveInput): ReturnType<View> {
  return input.world.pins[key]?.values ?? remoteOf(key, input)?.values;
}

type Place = {
  /** As the manifest has it. */
  readonly written: Json | undefined;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  readonly path: string;
  /** Of everything that differs. */
  readonly paths: readonly string[];
};

/** What is written, with AWS's value wherever a difference is; undefined where AWS has none. */
function taken({ written, desired, live, path, paths }: Place): Json | undefined {
  const isBelow = paths.some((other) => path === "" || other.startsWith(`${path}.`));
  if (isUnknown(written)) return escaped(live);
  if (!isBelow) return paths.includes(path) ? escaped(live) : written;
  // Where an expression stands for the whole, its members are written out.
  const base = isObject(written) ? written : escaped(desired);
  if (!isObject(base) || !isObject(live)) return escaped(live);
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  const differs = (name: string) => paths.some((other) => other === below(name) || other.startsWith(`${below(name)}.`));
  const names = new Set([...Object.keys(base), ...Object.keys(live).filter(differs)]);
  const wanted = isObject(desired) ? desired : {};
  const members = [...names].map((name) => {
    const inner = { written: base[name], desired: wanted[name], live: live[name], path: below(name), paths };
    return [name, taken(inner)] as const;
  });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** A value as a manifest must write it: `${` begins no expression. */
function escaped<T extends Json | undefined>(value: T): T {
  if (typeof value === "string") return value.split("${").join("$${") as T;
  if (Array.isArray(value)) return value.map((element) => escaped(element as Json)) as unknown as T;
  if (!isObject(value) || isUnknown(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, escaped(element)])) as T;
}

type SecretPlace = { readonly shape: Shape | undefined; readonly path: string; readonly found: string[] };

/** Leaves out the literals of secret fields, and notes where. */
function withoutSecrets(value: Json, { shape, path, found }: SecretPlace): Json {
  if (Array.isArray(value)) return value.map((element) => withoutSecrets(element, { shape: memberShape(shape, "0"), path, found }));
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, element]) => {
    if (element === undefined) return [];
    const inner = { shape: memberShape(shape, name), path: path === "" ? name : `${path}.${name}`, found };
    if (!inner.shape?.meta?.secret || isExpression(element)) return [[name, withoutSecrets(element, inner)] as const];
    found.push(inner.path);
    return [];
  });
  return Object.fromEntries(members);
}

function isExpression(value: Json): boolean {
  return typeof value === "string" && value.startsWith("${");
}

function memberShape(shape: Shape | undefined, name: string): Shape | undefined {
  switch (shape?.type) {
    case "object":
      return shape.fields[name];
    case "array":
    case "map":
      return shape.element;
    case "union":
      return shape.options.map((option) => memberShape(option, name)).find((found) => found !== undefined);
    default:
      return undefined;
  }
}

function documentOf({ key, kind }: Resource, { document, isAlone }: DeclaredDocument, spec: JsonObject): JsonObject {
  if (isAlone) return { ...document, spec };
  const [apiVersion, name] = kind.split(" ");
  const { lifecycle } = document;
  // An expression in it means something only where the document stands.
  const isPlain = lifecycle !== undefined && !JSON.stringify(lifecycle).includes("${");
  return { apiVersion, kind: name, metadata: { name: ownName(key) }, ...(isPlain ? { lifecycle } : {}), spec };
}

/** `TargetGroup/backend.main` is `main` inside of its instance. */
function ownName(key: ResourceKey): string {
  return splitKey(key).name.split(".").at(-1) as string;
}

function commentsOf(
  { key, declaredAt, within }: Resource,
  { isAlone }: DeclaredDocument,
  { paths, secrets }: { readonly paths: readonly string[]; readonly secrets: readonly string[] },
): readonly string[] {
  const [instance] = within ?? [];
  const what = instance ? `inside ${instance}, whose blueprint declares it` : "one of a group";
  return [
    `${key}, declared at ${declaredAt}${paths.length > 0 ? `; AWS's value: ${paths.join(", ")}` : "; nothing differs"}`,
    ...(isAlone ? [] : [`${what}: take the values over there`]),
    ...secrets.map((path) => `${path} is a secret, and left out`),
  ];
}
