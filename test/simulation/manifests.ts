/** Random manifests: small graphs of resources, and what people do to them from one revision to the next. */

import type { CompiledStack, View } from "../../src/core/compiled.ts";
import { digest, isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import {
  type Dependency,
  type KindId,
  LIFECYCLE_DEFAULTS,
  type Lifecycle,
  type Resource,
  type ResourceKey,
} from "../../src/core/resource.ts";
import { unknown } from "../../src/core/unknown.ts";
import type { VirtualWorld } from "../support/virtual-runtime.ts";

/** The stack of every simulation. */
export const STACK = Object.freeze({ project: "sim", environment: "test" });

/** A resource as a person would write it. References are keys. */
export type Declared = {
  readonly key: ResourceKey;
  readonly mode: string;
  readonly size: number;
  readonly name?: string;
  readonly note?: string;
  readonly parent?: ResourceKey;
  readonly links: readonly ResourceKey[];
  readonly peers: readonly ResourceKey[];
  readonly lifecycle: Partial<Lifecycle>;
  readonly renamedFrom?: ResourceKey;
};

/** One revision's resources; each refers only to earlier ones, but for `peers`. */
export type Manifest = readonly Declared[];

const KIND_NAMES = ["Named", "Token", "Tagged"] as const;

/** The first revision: one to six resources. */
export function firstManifest(world: VirtualWorld): Manifest {
  let manifest: Manifest = [];
  for (let count = world.between(1, 6); count > 0; count--) manifest = added(world, manifest);
  return manifest;
}

/** The next revision: a few changes. */
export function nextManifest(world: VirtualWorld, manifest: Manifest): Manifest {
  let next = manifest;
  for (let edits = world.between(1, 4); edits > 0; edits--) next = edited(world, next);
  return next;
}

function edited(world: VirtualWorld, manifest: Manifest): Manifest {
  const chosen = pick(world, manifest);
  const edit = world.between(1, 10);
  if (!chosen || edit === 1) return added(world, manifest);
  if (edit === 2) return removed(manifest, chosen.key);
  if (edit === 3) return renamed(world, manifest, chosen);
  return manifest.map((declared) => (declared === chosen ? changed(world, declared, manifest, edit) : declared));
}

function added(world: VirtualWorld, manifest: Manifest): Manifest {
  const fresh = world.chance(0.12) ? protectedOne(world) : ordinaryOne(world, manifest);
  const taken = manifest.some(({ key, name, renamedFrom }) => [key, renamedFrom].includes(fresh.key) || name === givenName(fresh.key));
  if (taken) return manifest;
  // What was there before may also refer to the new one, as a peer.
  const others = manifest.map((other) => (refers(other) && world.chance(0.1) ? { ...other, peers: [...other.peers, fresh.key] } : other));
  return [...others, fresh];
}

// It refers to nothing, so that what it would keep alive after its removal from the manifest is itself alone.
function protectedOne(world: VirtualWorld): Declared {
  const key: ResourceKey = `${pick(world, KIND_NAMES)}/protected${world.between(1, 3)}`;
  return { key, mode: "m1", size: world.between(1, 3), links: [], peers: [], lifecycle: { deletion: "protect" } };
}

function refers({ lifecycle }: Declared): boolean {
  return lifecycle.deletion !== "protect";
}

function ordinaryOne(world: VirtualWorld, manifest: Manifest): Declared {
  const parent = world.chance(0.5) ? pick(world, manifest)?.key : undefined;
  // What lives in another always did, as a subnet in its VPC: the parent of a key is never taken away from it.
  const key: ResourceKey = `${pick(world, KIND_NAMES)}/${parent ? "child" : "r"}${world.between(1, 9)}`;
  return {
    key,
    mode: "m1",
    size: world.between(1, 3),
    ...(key.startsWith("Named") && world.chance(0.5) ? { name: givenName(key) } : {}),
    ...(world.chance(0.3) ? { note: "first" } : {}),
    ...(parent ? { parent } : {}),
    links: some(world, manifest, 0.2),
    peers: some(world, manifest, 0.15),
    lifecycle: world.chance(0.2) ? { replace: "deleteFirst" } : {},
  };
}

function givenName(key: ResourceKey): string {
  return `given-${key.slice(key.indexOf("/") + 1)}`;
}

// With everything that lives in it: a parent cannot be taken from an object.
function removed(manifest: Manifest, key: ResourceKey): Manifest {
  const gone = new Set<ResourceKey | undefined>([key]);
  for (const declared of manifest) if (gone.has(declared.parent) && declared.parent) gone.add(declared.key);
  const kept = (keys: readonly ResourceKey[]) => keys.filter((other) => !gone.has(other));
  return manifest
    .filter((declared) => !gone.has(declared.key))
    .map((rest) => ({ ...rest, links: kept(rest.links), peers: kept(rest.peers) }));
}

function renamed(world: VirtualWorld, manifest: Manifest, chosen: Declared): Manifest {
  const kind = chosen.key.slice(0, chosen.key.indexOf("/"));
  const key: ResourceKey = `${kind}/${chosen.parent ? "childmoved" : "moved"}${world.between(1, 9)}`;
  // A derived name stays with the object, and the next resource of the old key would want it.
  const keepsName = kind === "Named" && chosen.name === undefined;
  if (keepsName || !refers(chosen) || chosen.renamedFrom || manifest.some((declared) => declared.key === key)) return manifest;
  const follow = (other: ResourceKey) => (other === chosen.key ? key : other);
  return manifest.map((declared) => ({
    ...declared,
    key: follow(declared.key),
    ...(declared.parent ? { parent: follow(declared.parent) } : {}),
    links: declared.links.map(follow),
    peers: declared.peers.map(follow),
    ...(declared === chosen ? { renamedFrom: chosen.key } : {}),
  }));
}

function changed(world: VirtualWorld, declared: Declared, manifest: Manifest, edit: number): Declared {
  const earlier = manifest.slice(0, manifest.indexOf(declared));
  const { note: _note, ...rest } = declared;
  if (edit <= 5) return { ...declared, mode: `m${world.between(1, 3)}` };
  if (!refers(declared)) return { ...declared, size: world.between(1, 5) };
  if (edit === 6) return { ...declared, links: some(world, earlier, 0.4) };
  if (edit === 7)
    return {
      ...declared,
      peers: some(
        world,
        manifest.filter(({ key }) => key !== declared.key),
        0.3,
      ),
    };
  if (edit === 8) return declared.note ? rest : { ...rest, note: "later" };
  if (edit === 9 && declared.parent && earlier.length > 0) return { ...declared, parent: (pick(world, earlier) as Declared).key };
  return { ...declared, size: world.between(1, 5) };
}

/** What a person does in the end: no replacement of what is protected is asked for any more. */
export function reasonable(manifest: Manifest, modeOf: (key: ResourceKey) => string | undefined): Manifest {
  return manifest.map((declared) => (refers(declared) ? declared : { ...declared, mode: modeOf(declared.key) ?? declared.mode }));
}

function some(world: VirtualWorld, manifest: Manifest, chance: number): ResourceKey[] {
  return manifest.filter(() => world.chance(chance)).map(({ key }) => key);
}

function pick<T>(world: VirtualWorld, from: readonly T[]): T | undefined {
  return from[world.between(0, from.length - 1)];
}

/** What the manifest layer would hand to the engine. */
export function compile(manifest: Manifest): CompiledStack {
  const resources = manifest.map(resourceOf);
  return {
    stack: STACK,
    source: "simulation",
    environment: {
      name: STACK.environment,
      confirm: {},
      drift: { mode: "correct", intervalMs: 60_000 },
      approval: { mode: "auto", allow: { replace: false, delete: false } },
    },
    resources,
    lookups: [],
    monitors: [],
    digest: digest(resources as unknown as Json, 16),
    resolve: (resource, view) => evaluate(resource.spec, view) as JsonObject,
    readyWhen: () => ({ met: true }),
    outputs: (view) => evaluate(Object.fromEntries(resources.map(({ key }) => [key, idOf(key)])), view) as JsonObject,
    liveOutputs: new Set(),
    summary: [],
    nextSteps: () => [],
  };
}

function resourceOf(declared: Declared): Resource {
  const { key, mode, size, name, note, parent, links, peers, lifecycle, renamedFrom } = declared;
  const on = (field: string, keys: readonly ResourceKey[]): Dependency[] => keys.map((other) => ({ on: other, field }));
  return {
    key,
    kind: `sim.aws/v1 ${key.slice(0, key.indexOf("/"))}` as KindId,
    spec: {
      mode,
      size,
      ...(name ? { name } : {}),
      ...(note ? { note } : {}),
      ...(parent ? { parent: idOf(parent) } : {}),
      ...(links.length > 0 ? { links: links.map(idOf) } : {}),
      ...(peers.length > 0 ? { peers: peers.map(idOf) } : {}),
      tags: { Name: key },
    },
    dependencies: [...on("parent", parent ? [parent] : []), ...on("links", links), ...on("peers", peers)],
    lifecycle: { ...LIFECYCLE_DEFAULTS, ...lifecycle },
    readyWhen: [],
    declaredAt: "simulation:1:1",
    ...(renamedFrom ? { renamedFrom } : {}),
  };
}

function idOf(key: ResourceKey): JsonObject {
  return { $expr: `${key}.objectId` };
}

function evaluate(value: Json, view: View): Json {
  if (Array.isArray(value)) return value.map((element) => evaluate(element, view));
  if (!isObject(value)) return value;
  if (typeof value.$expr !== "string")
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evaluate(one ?? null, view)]));
  const dot = value.$expr.lastIndexOf(".");
  return view(value.$expr.slice(0, dot) as ResourceKey)?.[value.$expr.slice(dot + 1)] ?? unknown(value.$expr);
}
