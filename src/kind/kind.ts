/**
 * The words a kind is written in.
 *
 * A kind is data where it can be data (fields, identity, operations, error names) and a few verbs where it cannot. A verb
 * is one remote effect, idempotent, and waits for nothing: the executor repeats look, decide, act until the resource is
 * settled. The engine sees kinds through {@link AnyKind} only; types are erased once, in {@link defineKind}.
 */

import type { z } from "zod";
import type { OperationName, Reader, Writer } from "../aws/service.ts";
import type { Ownership } from "../aws/tags.ts";
import { normalize } from "../core/compare.ts";
import type { FieldChange } from "../core/diff.ts";
import type { SourceSpan } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { KindId, Lifecycle, ResourceKey } from "../core/resource.ts";
import { type ObjectShape, objectShape } from "../core/shape.ts";

export type { OperationName };

/**
 * A remote object as one look saw it, in the manifest's words.
 *
 * `values` holds spec and status fields; a field that was not read, or that AWS does not have, is absent. Objects that
 * AWS still lists but that no longer exist (a deleted NAT gateway) are left out by the kind.
 */
export type Remote = {
  readonly id: string;
  readonly values: JsonObject;
  /** All of the object's AWS tags, ownership tags among them; absent where the kind has none or they were not read. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Whose it is where something else than its tags says so (what a hosted zone's create was called); its tags outrank it. */
  readonly owner?: Ownership;
  /** AWS is taking it down. */
  readonly deleting?: true;
  /** It has the name and can never be ours, whatever its tags say: why, in words that follow its ID ("belongs to another account"). */
  readonly foreign?: string;
};

/** What a look is for. The answer is every object that matches any part. */
export type Scope = {
  /** The value of the `beacon:stack` tag, when every object this stack owns is wanted; absent for a poll of known ids. */
  readonly stack?: string;
  /** Ids of objects that are wanted whatever their tags say. An id that no longer exists is simply not in the answer. */
  readonly ids: readonly string[];
  /** Natural keys (the fields of `identity.key`) of objects that are wanted whatever their tags say. */
  readonly names: readonly JsonObject[];
  /** Tag sets of objects that are read but not managed: an object with all tags of one of them is wanted. */
  readonly tagged?: readonly Readonly<Record<string, string>>[];
  /** Top-level spec fields that somebody declared or applied: sub-reads are made for these only. */
  readonly fields: ReadonlySet<string>;
};

/** How a create is found again (docs/architecture.md, "Exactly once"). */
export type Identity =
  | {
      /** A caller-chosen unique name or natural key: a second create collides. */
      readonly by: "name";
      /** The spec fields that together are unique, compared without case where `ignoreCase` says so. */
      readonly key: readonly string[];
      /** Further fields of the key, which not every object has (a record set's setIdentifier). */
      readonly optionalKey?: readonly string[];
      readonly ignoreCase?: true;
      /** The field that gets a derived physical name when the manifest gives none, its length limit, and whether it has no capitals. */
      readonly name?: { readonly field: string; readonly maxLength: number; readonly lowerCase?: true };
      /** The name is the interface: no `-g2` successor is possible, so `replace: createFirst` is refused. */
      readonly nameIsInterface?: true;
      /** The create cannot carry tags: an untagged object that answers to an open intent is ours. */
      readonly tagsFollow?: true;
      /** AWS silently overwrites or returns an existing object: ownership is read before a create. */
      readonly upsert?: true;
      /**
       * A field of the key changes in place (a listener rule's priority): an object of the stack under the name of another resource may
       * be about to move on. The create then asks AWS, and its refusal is waited for.
       */
      readonly movable?: true;
      /**
       * Of a kind without tags: the field that refers to what the object is a part of (a scaling policy's group). Where that is a
       * managed resource of the same stack, the part is, too.
       */
      readonly partOf?: string;
      /** There always is one, which nobody made (a domain's name servers): it is taken over as it is. */
      readonly alwaysThere?: true;
    }
  | { readonly by: "token"; readonly consistencyMs: number }
  | {
      readonly by: "tag";
      readonly consistencyMs: number;
      /** AWS refuses to delete one in use, so surplus ones may be removed. */
      readonly surplusIsSafe?: true;
    };

/** Whether an object can be used by its dependents. `changeable`: AWS takes updates meanwhile, and one may be what it needs. */
export type Readiness =
  | { readonly state: "ready" }
  | { readonly state: "waiting"; readonly why: string; readonly changeable?: true }
  /** `recreate`: delete it and create anew; else it stays failed until a person acts. */
  | { readonly state: "failed"; readonly why: string; readonly recreate: boolean; readonly changeable?: true };

/** A verb that only looks. `operations` lists every operation it may call. */
export type Look<Args extends readonly unknown[], Result> = {
  readonly operations: readonly OperationName[];
  readonly run: (aws: Reader, ...args: Args) => Promise<Result>;
};

/** A verb with one remote effect. */
export type Act<Args extends readonly unknown[], Result> = {
  readonly operations: readonly OperationName[];
  readonly run: (aws: Writer, ...args: Args) => Promise<Result>;
};

/** What a create needs beside the spec. */
export type CreateContext = {
  /** Hex, at most 64 characters, the same for every send of the same create. */
  readonly token: string;
};

/** What an effect brought about: the values that are now known to hold, so that no read is needed to go on. */
export type Effect = { readonly values: JsonObject };

/** The object a delete works on. */
export type Condemned = {
  readonly id: string;
  readonly observed: JsonObject;
  /** `lifecycle.deletion: force`: what it holds (images, objects) goes with it. */
  readonly force?: boolean;
};

/** The object an updater works on. */
export type Target<Spec> = {
  readonly id: string;
  /** What the manifest wants: declared fields, and removed ones at their `unset` value. */
  readonly desired: Spec;
  /** Spec and status values as last seen. */
  readonly observed: JsonObject;
};

/** One way to change an object: the executor runs the first updater that has a differing field, then decides again. */
export type Updater<Spec> = Act<[target: Target<Spec> & { readonly changes: Readonly<Record<string, FieldChange>> }], Effect> & {
  /** Top-level spec fields it brings about. */
  readonly fields: readonly string[];
};

/** AWS error names, accepted with and without a trailing `Exception` or `Fault`; `Name: text` wants the text in the message, too. */
export type ErrorNames = {
  /** The object does not exist: success for a delete, missing for the rest. */
  readonly notFound?: readonly string[];
  /** An object of this identity exists: look who owns it. */
  readonly exists?: readonly string[];
  /** Something is in the way for now (DependencyViolation): try again. */
  readonly wait?: readonly string[];
  /** Something just made is not visible everywhere yet: try again within the consistency window. */
  readonly propagating?: readonly string[];
};

/** A resource as the static checks see it: before any AWS call. */
export type StaticResource = {
  readonly key: ResourceKey;
  /** Spec with everything static evaluated; remote values are `Unknown`. */
  readonly spec: JsonObject;
  /** The resource a field's whole value refers to, `vpcId` -> the VPC; nested ones as a path with dots. */
  readonly refersTo: (field: string) => StaticResource | undefined;
  /** The place of a field, for the error. */
  readonly spanOf: (path: string) => SourceSpan | undefined;
};

/** What a static check found. `field` is the path the caret points at. */
export type CheckFinding = { readonly resource: ResourceKey; readonly field: string; readonly message: string; readonly hint?: string };

/** What a managed kind and a lookup both say of themselves. */
type Described<Spec extends z.ZodObject, Status extends z.ZodObject> = {
  readonly apiVersion: `${string}.aws/v1`;
  readonly kind: string;
  /** One paragraph for `explain` and the docs page. */
  readonly doc: string;
  /** kubectl's habit: `sg`. Lower case. */
  readonly shortNames?: readonly string[];
  readonly spec: Spec;
  readonly status: Status;
};

/** A kind as its author writes it. */
export type KindDefinition<Spec extends z.ZodObject, Status extends z.ZodObject> = Described<Spec, Status> & {
  /** The status field that holds the remote id. */
  readonly id: keyof z.infer<Status> & string;
  readonly identity: Identity;
  /** Holds data: `replace: never` by default, and when vanished it is Stalled/Missing until approved. */
  readonly stateful?: true;
  /** What its resources' lifecycle is when their manifests say nothing, where that is not every kind's. */
  readonly lifecycle?: Partial<Lifecycle>;
  /** Where the manifest's words deviate from AWS's, one sentence each, for the docs page. */
  readonly deviations?: readonly string[];
  readonly errors: ErrorNames;
  readonly list: Look<[scope: Scope], readonly Remote[]>;
  /** Creates the object with everything but `late` fields; returns its id and what now holds. */
  readonly create: Act<[desired: z.infer<Spec>, context: CreateContext], Effect & { readonly id: string }>;
  readonly updates: readonly Updater<z.infer<Spec>>[];
  readonly delete: Act<[target: Condemned], void>;
  /**
   * What was observed, in words that can be compared with what is wanted: where one thing can be said in several ways (a key with
   * its comment), or where only the wanted value tells whether it holds (a content that AWS knows by its hash). Pure.
   */
  readonly comparable?: (observed: JsonObject, desired: JsonObject) => JsonObject;
  /** Absent: an object that exists is ready. */
  readonly ready?: (observed: Partial<z.infer<Spec> & z.infer<Status>>) => Readiness;
  /** On DependencyViolation: what is in the way, "network interface eni-1 of load balancer x". */
  readonly explainBlocked?: Look<[target: { readonly id: string; readonly observed: JsonObject }], string | undefined>;
  /** Static checks over all resources of this kind at once (ranges, overlaps). */
  readonly check?: (resources: readonly StaticResource[]) => readonly CheckFinding[];
};

/** A read-only kind, resolved when a revision is accepted and pinned with it. */
export type LookupDefinition<Spec extends z.ZodObject, Status extends z.ZodObject> = Described<Spec, Status> & {
  readonly resolve: Look<[spec: z.infer<Spec>], z.infer<Status>>;
};

type Common = {
  readonly id: KindId;
  readonly apiVersion: string;
  readonly name: string;
  /** `vpc`, `internetGateway`: the root expressions use. */
  readonly root: string;
  readonly doc: string;
  readonly shortNames: readonly string[];
  readonly specSchema: z.ZodObject;
  readonly statusSchema: z.ZodObject;
  readonly spec: ObjectShape;
  readonly status: ObjectShape;
};

/** A lookup kind with its types erased. */
export type AnyLookup = Common & { readonly lookup: true; readonly resolve: Look<[spec: JsonObject], JsonObject> };

/** A managed kind with its types erased: all that shared code sees. */
export type AnyKind = Common & {
  readonly lookup: false;
  readonly idField: string;
  readonly identity: Identity;
  readonly stateful: boolean;
  /** Whether its objects carry AWS tags. */
  readonly taggable: boolean;
  readonly lifecycle: Partial<Lifecycle>;
  readonly deviations: readonly string[];
  readonly errors: Required<ErrorNames>;
  readonly list: Look<[scope: Scope], readonly Remote[]>;
  readonly create: Act<[desired: JsonObject, context: CreateContext], Effect & { readonly id: string }>;
  readonly updates: readonly Updater<JsonObject>[];
  readonly delete: Act<[target: Condemned], void>;
  readonly comparable: (observed: JsonObject, desired: JsonObject) => JsonObject;
  readonly ready: (observed: JsonObject) => Readiness;
  readonly explainBlocked?: Look<[target: { readonly id: string; readonly observed: JsonObject }], string | undefined>;
  readonly check?: (resources: readonly StaticResource[]) => readonly CheckFinding[];
};

/** Every kind BEACON knows, by `apiVersion kind`. */
export type Kinds = ReadonlyMap<KindId, AnyKind | AnyLookup>;

/** `NatGateway` -> `natGateway`, `VPC` -> `vpc`, `EIP` -> `eip`. */
export function rootName(kind: string): string {
  return kind.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase());
}

/** Checks a kind's definition and erases its types. */
export function defineKind<Spec extends z.ZodObject, Status extends z.ZodObject>(definition: KindDefinition<Spec, Status>): AnyKind {
  const spec = objectShape(definition.spec);
  const updated = new Set(definition.updates.flatMap((updater) => updater.fields));
  for (const [name, shape] of Object.entries(spec.fields)) {
    const fixed = shape.meta?.immutable === true || shape.meta?.setting === true;
    if (fixed === updated.has(name)) {
      throw new Error(`${definition.kind}.${name} must be immutable, a setting, or in the fields of exactly one updater`);
    }
    if (shape.meta?.late && shape.meta.unset === undefined) throw new Error(`${definition.kind}.${name} is late and needs an unset value`);
  }
  assertKeyFields(definition, spec);
  // The one place where a kind's types are erased: spec values were parsed by its own schema before they come back here.
  const erased = definition as unknown as Pick<AnyKind, "list" | "create" | "updates" | "delete" | "explainBlocked" | "check" | "ready">;
  return Object.freeze({
    ...common(definition),
    lookup: false,
    idField: definition.id,
    identity: definition.identity,
    stateful: definition.stateful ?? false,
    taggable: Object.values(spec.fields).some((shape) => shape.meta?.tags),
    lifecycle: lifecycleDefaults(definition),
    deviations: definition.deviations ?? [],
    errors: { notFound: [], exists: [], wait: [], propagating: [], ...definition.errors },
    list: erased.list,
    create: erased.create,
    updates: erased.updates,
    delete: erased.delete,
    comparable: definition.comparable ?? ((observed) => observed),
    ready: definition.ready ? erased.ready : () => ({ state: "ready" }) as const,
    ...(definition.explainBlocked ? { explainBlocked: erased.explainBlocked } : {}),
    ...(definition.check ? { check: erased.check } : {}),
  } as AnyKind);
}

function assertKeyFields({ kind, identity }: { kind: string; identity: Identity }, spec: ObjectShape): void {
  if (identity.by !== "name") return;
  const { key, optionalKey = [], partOf, name } = identity;
  const named = [...key, ...optionalKey, ...(partOf === undefined ? [] : [partOf]), ...(name ? [name.field] : [])];
  const strange = named.find((field) => !(field in spec.fields));
  if (strange !== undefined) throw new Error(`${kind}.${strange} is named by its identity, and is no field of its spec`);
}

/** As {@link defineKind}, for lookups. */
export function defineLookup<Spec extends z.ZodObject, Status extends z.ZodObject>(definition: LookupDefinition<Spec, Status>): AnyLookup {
  return Object.freeze({ ...common(definition), lookup: true, resolve: definition.resolve as unknown as AnyLookup["resolve"] });
}

function lifecycleDefaults(definition: { stateful?: true; identity: Identity; lifecycle?: Partial<Lifecycle> }): Partial<Lifecycle> {
  const { stateful, identity, lifecycle } = definition;
  const isInterface = identity.by === "name" && identity.nameIsInterface;
  return { ...(stateful ? { replace: "never" } : isInterface ? { replace: "deleteFirst" } : {}), ...lifecycle };
}

function common(definition: Described<z.ZodObject, z.ZodObject>): Common {
  return {
    id: `${definition.apiVersion} ${definition.kind}`,
    apiVersion: definition.apiVersion,
    name: definition.kind,
    root: rootName(definition.kind),
    doc: definition.doc,
    shortNames: definition.shortNames ?? [],
    specSchema: definition.spec,
    statusSchema: definition.status,
    spec: objectShape(definition.spec),
    status: objectShape(definition.status),
  };
}

/** Whether there always is an object, which no resource makes or takes away. */
export function isAlwaysThere({ identity }: AnyKind): boolean {
  return identity.by === "name" && identity.alwaysThere === true;
}

/** Whether the object stays when its resource goes: kept on purpose, only read, or always there. */
export function staysBehind(kind: AnyKind, { deletion, manage }: Lifecycle): boolean {
  return deletion === "retain" || !manage || isAlwaysThere(kind);
}

/**
 * The natural key of a spec or a remote object, as text, whatever its fields' spelling; undefined while a part of it is not known,
 * or for other identities. A field that is absent counts as its `unset`.
 */
export function naturalKey(kind: AnyKind, values: JsonObject): string | undefined {
  if (kind.identity.by !== "name") return undefined;
  const { key, optionalKey = [] } = kind.identity;
  const part = (name: string, absent?: Json): Json | undefined => {
    const { unset, compare } = kind.spec.fields[name]?.meta ?? {};
    const value = values[name] ?? unset ?? absent;
    return value === undefined ? undefined : normalize(value, compare);
  };
  const parts = [...key.map((name) => part(name)), ...optionalKey.map((name) => part(name, ""))];
  if (!parts.every((part) => typeof part === "string" || typeof part === "number" || typeof part === "boolean")) return undefined;
  const text = parts.join(" ");
  return kind.identity.ignoreCase ? text.toLowerCase() : text;
}

/** The natural key as {@link Scope.names} takes it: its fields and their values; empty where {@link naturalKey} is undefined. */
export function scopeNames(kind: AnyKind, values: JsonObject): readonly JsonObject[] {
  if (kind.identity.by !== "name" || naturalKey(kind, values) === undefined) return [];
  const { key, optionalKey = [] } = kind.identity;
  return [Object.fromEntries([...key, ...optionalKey].filter((name) => values[name] !== undefined).map((name) => [name, values[name]]))];
}
