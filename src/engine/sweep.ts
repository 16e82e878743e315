/**
 * The sweep: every declared resource decided once, dependencies first, each seeing what is known of the others.
 *
 * Pure. A plan is a sweep put into words; a look sweeps to learn which natural keys are worth asking AWS about.
 */

import type { CompiledStack, View } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { type Graph, order, reach } from "../core/graph.ts";
import type { JsonObject } from "../core/json.ts";
import type { Pin, ResourceRecord } from "../core/record.ts";
import type { KindId, Resource, ResourceKey, Stack } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import type { AnyKind, Kinds, Remote } from "../kind/kind.ts";
import { type Decision, decide, type Subject } from "./decide.ts";
import { RemoteIndex } from "./identify.ts";

/** What a sweep needs; everything in it is a value. */
export type SweepInput = {
  readonly kinds: Kinds;
  readonly stack: Stack;
  readonly compiled: CompiledStack;
  readonly records: ReadonlyMap<ResourceKey, ResourceRecord>;
  readonly indexes: Indexes;
  readonly pins: Readonly<Record<string, Pin>>;
  readonly replace: ReadonlySet<ResourceKey>;
};

/** The decisions by key, dependencies first, and what is known of every resource. */
export type Sweep = { readonly decisions: ReadonlyMap<ResourceKey, Decision>; readonly view: View };

/** Remote objects by kind, indexed on first use. */
export class Indexes {
  readonly #stack: string;
  readonly #remotes: ReadonlyMap<string, readonly Remote[]>;
  readonly #built = new Map<string, RemoteIndex>();

  constructor(stack: string, remotes: ReadonlyMap<string, readonly Remote[]>) {
    this.#stack = stack;
    this.#remotes = remotes;
  }

  of(kind: AnyKind): RemoteIndex {
    const built = this.#built.get(kind.id) ?? new RemoteIndex(kind, this.#stack, this.#remotes.get(kind.id) ?? []);
    this.#built.set(kind.id, built);
    return built;
  }
}

/** The managed kind of a resource. Throws for a lookup: those never reach the engine as resources. */
export function managedKind(kinds: Kinds, id: KindId): AnyKind {
  const kind = kinds.get(id);
  if (!kind || kind.lookup)
    throw new BeaconError("StateTooNew", `this version of beaconctl does not know the kind ${id}`, { next: "update beaconctl" });
  return kind;
}

/** True for a dependency that waits for nothing at create: its field is sent later. */
export function isLate(kind: AnyKind, field: string | undefined): boolean {
  return field !== undefined && kind.spec.fields[field]?.meta?.late === true;
}

/** Whether what the resource is a part of is a managed resource of the same stack. */
export function isPart(kind: AnyKind, resource: Resource, compiled: CompiledStack | undefined): boolean {
  const field = kind.identity.by === "name" ? kind.identity.partOf : undefined;
  const whole = field && resource.dependencies.find((dependency) => dependency.field === field)?.on;
  return whole !== undefined && compiled?.resources.find(({ key }) => key === whole)?.lifecycle.manage === true;
}

/** The fields that are sent after the create: members of a kind's resources may refer to each other through them. */
export function lateFields(kind: AnyKind): readonly string[] {
  return Object.keys(kind.spec.fields).filter((field) => isLate(kind, field));
}

/** What must exist before each resource is created. */
export function createGraph(kinds: Kinds, resources: readonly Resource[]): Graph {
  const needs = (resource: Resource) => {
    const kind = managedKind(kinds, resource.kind);
    return resource.dependencies.filter(({ on, field }) => on !== resource.key && !isLate(kind, field)).map(({ on }) => on);
  };
  return new Map(resources.map((resource) => [resource.key, needs(resource)]));
}

/** The resources of `only` and all they need; everything without `only`. */
export function selected(kinds: Kinds, resources: readonly Resource[], only: readonly ResourceKey[] | undefined): readonly Resource[] {
  if (!only) return resources;
  const wanted = reach(createGraph(kinds, resources), only);
  return resources.filter((resource) => wanted.has(resource.key));
}

/** See the file's header. */
export function sweep(input: SweepInput, resources: readonly Resource[] = input.compiled.resources): Sweep {
  const byKey = new Map(resources.map((resource) => [resource.key, resource]));
  const known = new Map<ResourceKey, JsonObject>(resources.flatMap((resource) => remembered(input, resource)));
  for (const [key, pin] of Object.entries(input.pins)) known.set(key as ResourceKey, pin.values);
  const decisions = new Map<ResourceKey, Decision>();
  const view: View = (key) => known.get(key);
  const renewed = new Set<ResourceKey>();
  const visit = (resource: Resource) => {
    const kind = managedKind(input.kinds, resource.kind);
    const spec = input.compiled.resolve(resource, view);
    const followed = { fields: followersIn(kind, resource, renewed), seen: false };
    const decision = heedOrder(input, resource, decide({ ...subjectOf(input, resource, spec), followed }), decisions, spec);
    decisions.set(resource.key, decision);
    if (renewedStatus(kind, decision).length > 0) renewed.add(resource.key);
    known.set(resource.key, knownOf(kind, decision, spec));
  };
  for (const key of ordered(createGraph(input.kinds, resources))) {
    const resource = byKey.get(key);
    if (resource) visit(resource);
  }
  // Late references may point forward in the order: decide those again, now that everything is known.
  for (const resource of resources) if (hasLate(input.kinds, resource)) visit(resource);
  return { decisions, view };
}

function ordered(graph: Graph): readonly ResourceKey[] {
  const result = order(graph);
  if ("cycle" in result) throw new Error(`the compiler let a cycle pass: ${result.cycle.join(" -> ")}`);
  return result.order as readonly ResourceKey[];
}

function hasLate(kinds: Kinds, resource: Resource): boolean {
  const kind = managedKind(kinds, resource.kind);
  return resource.dependencies.some(({ field }) => isLate(kind, field));
}

/** The record of a resource, under its former key where it was renamed. */
export function recordOf(records: ReadonlyMap<ResourceKey, ResourceRecord>, resource: Resource): ResourceRecord | undefined {
  return records.get(resource.key) ?? (resource.renamedFrom ? records.get(resource.renamedFrom) : undefined);
}

function subjectOf(input: SweepInput, resource: Resource, spec: JsonObject): Subject {
  const kind = managedKind(input.kinds, resource.kind);
  return {
    kind,
    stack: input.stack,
    resource,
    spec,
    record: recordOf(input.records, resource),
    index: input.indexes.of(kind),
    isPart: isPart(kind, resource, input.compiled),
    forceReplace: input.replace.has(resource.key),
  };
}

// Before anything is decided: what the look says of objects that are bound.
function remembered(input: SweepInput, resource: Resource): [ResourceKey, JsonObject][] {
  const record = recordOf(input.records, resource);
  const index = input.indexes.of(managedKind(input.kinds, resource.kind));
  const remote = record?.id === undefined ? index.byKey(resource.key)[0] : index.byId(record.id);
  return remote ? [[resource.key, remote.values]] : [];
}

// What a resource whose predecessor goes first depends on goes first too: both old objects must be down before either is new.
function heedOrder(
  input: SweepInput,
  resource: Resource,
  decision: Decision,
  decisions: ReadonlyMap<ResourceKey, Decision>,
  spec: JsonObject,
): Decision {
  // A create has an order where it carries on a replacement that was begun.
  if (decision.order !== "createFirst") return decision;
  const kind = managedKind(input.kinds, resource.kind);
  const forced = resource.dependencies.some(({ on, field }) => !isLate(kind, field) && decisions.get(on)?.order === "deleteFirst");
  if (!forced) return decision;
  const subject = subjectOf(input, { ...resource, lifecycle: { ...resource.lifecycle, replace: "deleteFirst" } }, spec);
  return decide(subject);
}

/** What expressions see of a resource once the decision is carried out, as far as it can be known before. */
export function knownOf(kind: AnyKind, decision: Decision, spec: JsonObject): JsonObject {
  const declared = Object.fromEntries(Object.entries(decision.desired).filter(([name, value]) => name in spec && !holdsUnknown(value)));
  const exists = decision.current !== undefined && decision.action !== "replace" && decision.action !== "create";
  if (!exists) return declared;
  const renewed = renewedStatus(kind, decision);
  const kept = Object.fromEntries(Object.entries(decision.current?.values ?? {}).filter(([name]) => !renewed.includes(name)));
  return { ...kept, ...declared };
}

/** Status fields that get a new value when the decision's update is carried out. */
function renewedStatus(kind: AnyKind, { current, action, diff }: Decision): readonly string[] {
  if (!current || action === "replace" || action === "create") return [];
  const changes = (name: string) => diff.changes[name] !== undefined;
  return Object.entries(kind.status.fields).flatMap(([name, { meta }]) => (meta?.renewedBy?.some(changes) ? [name] : []));
}

/** Declared fields of a resource that follow one of these other resources. */
export function followersIn(kind: AnyKind, resource: Resource, changed: ReadonlySet<ResourceKey>): readonly string[] {
  const through = resource.dependencies.filter(({ on }) => changed.has(on)).map(({ field }) => field);
  return Object.keys(resource.spec).filter((name) => kind.spec.fields[name]?.meta?.follows?.some((field) => through.includes(field)));
}
