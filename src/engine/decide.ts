/**
 * Decide: what one declared resource needs, as a pure function of what is wanted, remembered and seen.
 *
 * The plan asks once per resource; the executor asks again after every effect, until the answer is `none`.
 */

import { ownershipTags, TAG_GENERATION, TAG_RESOURCE } from "../aws/tags.ts";
import { same } from "../core/compare.ts";
import type { Reason } from "../core/condition.ts";
import { type Diff, type Difference, diff, type FieldChange, type LeftAlone } from "../core/diff.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import type { Action } from "../core/plan.ts";
import type { ResourceRecord, Retiring } from "../core/record.ts";
import { type Resource, type Stack, stackName } from "../core/resource.ts";
import { type AnyKind, isAlwaysThere, naturalKey, type Remote } from "../kind/kind.ts";
import { type Claim, type Identified, identify, type RemoteIndex } from "./identify.ts";
import { derivedName, generationName } from "./names.ts";

/** Everything the decision depends on. */
export type Subject = {
  readonly kind: AnyKind;
  readonly stack: Stack;
  readonly resource: Resource;
  /** The resolved spec; may hold `Unknown`. */
  readonly spec: JsonObject;
  readonly record: ResourceRecord | undefined;
  readonly index: RemoteIndex;
  /** What it is a part of (`identity.partOf`) is a managed resource of the stack. */
  readonly isPart: boolean;
  /** A person asked for a replacement. */
  readonly forceReplace: boolean;
  /** Drift of this path is left as it is. */
  readonly leaves?: (path: string) => boolean;
  /** Fields that follow objects which change in this run; `seen`: the object was looked at since. */
  readonly followed?: { readonly fields: readonly string[]; readonly seen: boolean };
};

/** What is to be done, and everything needed to do or show it. */
export type Decision = {
  readonly action: Exclude<Action, "delete" | "forget">;
  readonly identified: Identified;
  readonly current?: Remote;
  /** The generation that is, or will be, the resource's. */
  readonly generation: number;
  /** The spec to bring about: with ownership tags once the uid is known, and the physical name. */
  readonly desired: JsonObject;
  readonly diff: Diff;
  readonly order?: "createFirst" | "deleteFirst";
  /** A failed object that makes way for a new one: no replacement in the sense of consent. */
  readonly failed?: Remote;
  readonly blocked?: { readonly reason: Reason; readonly message: string };
};

const NO_DIFF: Diff = Object.freeze({ differences: [], leftAlone: [], changes: {} });

/** Pure; its test is a table. */
export function decide(subject: Subject): Decision {
  const { kind, resource } = subject;
  const identified = identify(claimOf(subject), subject.index);
  if (identified.problem) return blocked(subject, identified, identified.problem);
  const current = identified.current;
  if (!current || current.deleting) return absent(subject, identified);
  const readiness = kind.ready(current.values);
  if (readiness.state === "failed" && readiness.recreate && resource.lifecycle.manage) {
    return {
      ...create(subject, identified, identified.generation + 1, [{ generation: identified.generation, id: current.id }]),
      failed: current,
    };
  }
  return present(subject, identified, current);
}

/** Under what the resource's object is looked for. */
export function claimOf(subject: Subject): Claim {
  const { kind, resource, record } = subject;
  const desired = creatable(subject, record?.generation ?? 1, record?.retiring ?? []);
  const unrecorded = { kind, resource, record: undefined };
  return {
    kind,
    stack: stackName(subject.stack),
    key: resource.key,
    ...(resource.renamedFrom ? { formerKey: resource.renamedFrom } : {}),
    record,
    lifecycle: resource.lifecycle,
    name: naturalKey(kind, desired),
    tags: (subject.spec.tags ?? {}) as Claim["tags"],
    overwrites: overwrites(kind, subject.spec),
    isPart: subject.isPart,
    isAsDeclared: (remote) => compare(unrecorded, desired, remote).differences.length === 0,
  };
}

function overwrites(kind: AnyKind, spec: JsonObject): boolean {
  if (isAlwaysThere(kind)) return true;
  return Object.entries(kind.spec.fields).some(([name, { meta }]) => meta?.overwrites && spec[name] === true);
}

/** What is wanted of an object that does not exist, when it will be of this generation. */
function creatable(subject: Subject, generation: number, retiring: readonly Retiring[]): JsonObject {
  const { identity } = subject.kind;
  const name = identity.by === "name" ? identity.name : undefined;
  if (!name) return subject.spec;
  const given = subject.spec[name.field];
  if (given !== undefined && typeof given !== "string") return subject.spec; // Not known yet.
  const chosen = subject.record?.generation === generation ? subject.record.name : undefined;
  const base = given ?? derivedName(subject.stack, subject.resource.key, name);
  // The name that was chosen for this generation is kept, unless the manifest gives another one by now.
  const recorded = given === undefined || chosen === generationName(base, generation, name.maxLength) ? chosen : undefined;
  const taken = retiring.some(({ id }) => subject.index.byId(id)?.values[name.field] === base);
  return { ...subject.spec, [name.field]: recorded ?? (taken ? generationName(base, generation, name.maxLength) : base) };
}

function absent(subject: Subject, identified: Identified): Decision {
  if (!subject.resource.lifecycle.manage) {
    const message = "lifecycle.manage is false, and no such object exists: check its id, name or tags";
    return blocked(subject, identified, { reason: "Missing", message });
  }
  // A create that was begun keeps its generation; what was there and is gone gets the next one.
  const gone = identified.vanished !== undefined || identified.current?.deleting;
  const generation = gone ? identified.generation + 1 : identified.generation;
  return create(subject, identified, generation, identified.retiring);
}

function create(subject: Subject, identified: Identified, generation: number, retiring: readonly Retiring[]): Decision {
  const wanted = creatable(subject, generation, retiring);
  const desired = owned(subject, wanted, identified.uid, generation);
  const base = { action: "create", identified, generation, desired, diff: NO_DIFF } as const;
  return retiring.length > 0 ? { ...base, order: orderBeside(subject, wanted, retiring) } : base;
}

function present(subject: Subject, identified: Identified, current: Remote): Decision {
  const { generation } = identified;
  const desired = owned(subject, named(subject, current), identified.uid, generation);
  const base = { identified, generation, current, desired };
  if (!subject.resource.lifecycle.manage) return { ...base, action: "none", diff: NO_DIFF };
  const found = heedDrift(subject, compare(subject, desired, current));
  // Of an object that is still being made AWS may not tell everything yet.
  const isPending = subject.kind.ready(current.values).state === "waiting";
  const forced = found.differences.some(({ immutable, before }) => immutable && !(isPending && before === undefined));
  if (forced || subject.forceReplace) return replace(subject, { ...base, diff: found });
  if (identified.via === "adopt") return { ...base, action: "adopt", diff: found };
  if (movedFrom(subject, current)) return { ...base, action: "move", diff: found };
  return { ...base, action: found.differences.length > 0 ? "update" : "none", diff: found };
}

/** The three-way difference, all AWS tags of the object on the observed side. */
export function compare(subject: Pick<Subject, "kind" | "record" | "resource" | "followed">, desired: JsonObject, current: Remote): Diff {
  const { kind, record, resource, followed } = subject;
  const observed = kind.comparable(current.tags ? { ...current.values, tags: current.tags } : current.values, desired);
  // Only what was applied to this very object says why it differs now.
  const applied = record?.id === current.id ? record.applied : undefined;
  // What follows a change of the manifests is no drift, though its own words are the same as before.
  const without = (values: JsonObject) => Object.fromEntries(Object.entries(values).filter(([name]) => !followed?.fields.includes(name)));
  return diff({
    shape: kind.spec,
    desired,
    observed: followed?.seen === false ? without(observed) : observed,
    applied: applied && without(applied),
    ignore: resource.lifecycle.ignoreFields,
  });
}

// What an outside hand changed is left where it is ignored; pending changes still go out.
function heedDrift({ resource, leaves }: Subject, found: Diff): Diff {
  const ignoresAll = resource.lifecycle.drift === "ignore";
  const isLeft = ({ cause, path }: Difference) => cause === "drift" && (ignoresAll || leaves?.(path) === true);
  const ignored = found.differences.filter(isLeft);
  if (ignored.length === 0) return found;
  const kept = found.differences.filter((difference) => !isLeft(difference));
  const leftAlone = ignored.map(
    ({ path, before, after }): LeftAlone => ({
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      why: "ignored",
    }),
  );
  const fields = new Set(kept.map((difference) => difference.field));
  const members = new Set(ignored.map(({ path }) => path));
  const changes = Object.fromEntries(
    Object.entries(found.changes).flatMap(([field, change]) =>
      fields.has(field) ? [[field, withoutMembers(change, field, members)]] : [],
    ),
  );
  return { differences: kept, leftAlone: [...found.leftAlone, ...leftAlone], changes };
}

// Members of a map that are left as they are, beside others that are not.
function withoutMembers(change: FieldChange, field: string, paths: ReadonlySet<string>): FieldChange {
  const isLeft = (member: string) => paths.has(`${field}.${member}`);
  const { before, after } = change;
  if (!isObject(after) || ![...Object.keys(after), ...change.drop].some(isLeft)) return change;
  const was = isObject(before) ? Object.entries(before).filter(([member]) => isLeft(member)) : [];
  return {
    ...change,
    after: { ...Object.fromEntries(Object.entries(after).filter(([member]) => !isLeft(member))), ...Object.fromEntries(was) },
    set: Object.fromEntries(Object.entries(change.set).filter(([member]) => !isLeft(member))),
    drop: change.drop.filter((member) => !isLeft(member)),
  };
}

function replace(subject: Subject, base: Omit<Decision, "action">): Decision {
  const { lifecycle } = subject.resource;
  const fields = base.diff.differences.filter((difference) => difference.immutable).map((difference) => difference.path);
  const change = fields.length > 0 ? `${fields.join(", ")} cannot be changed in place` : "a replacement was asked for";
  if (base.identified.via === "adopt") {
    const message = `${change}, and adoption never replaces: make the manifest say what the object is`;
    return { ...base, action: "blocked", blocked: { reason: "NotOwned", message } };
  }
  if (lifecycle.deletion === "protect") {
    const message = `${change}, and lifecycle.deletion is protect: run beaconctl unprotect, or undo the change`;
    return { ...base, action: "blocked", blocked: { reason: "Protected", message } };
  }
  if (lifecycle.replace === "never") {
    const message = `${change}, and lifecycle.replace is never: set it to deleteFirst, or undo the change`;
    return { ...base, action: "blocked", blocked: { reason: "ReplacementForbidden", message } };
  }
  const generation = base.generation + 1;
  const retiring = base.current
    ? [...base.identified.retiring, { generation: base.generation, id: base.current.id }]
    : base.identified.retiring;
  const beside = creatable(subject, generation, retiring);
  const order = orderBeside(subject, beside, retiring);
  const next = order === "deleteFirst" ? creatable(subject, generation, []) : beside;
  return { ...base, action: "replace", generation, order, desired: owned(subject, next, base.identified.uid, generation) };
}

// A successor with the same natural key (a subnet of the same range), or with what only one object can have, cannot exist
// beside its predecessor.
function orderBeside(subject: Subject, successor: JsonObject, retiring: readonly Retiring[]): "createFirst" | "deleteFirst" {
  const collides = retiring.some(({ id }) => {
    const predecessor = subject.index.byId(id);
    return (
      predecessor !== undefined && (sameName(subject.kind, successor, predecessor) || sharesExclusive(subject.kind, successor, predecessor))
    );
  });
  return collides || subject.resource.lifecycle.replace !== "createFirst" ? "deleteFirst" : "createFirst";
}

function sharesExclusive(kind: AnyKind, desired: JsonObject, current: Remote): boolean {
  const exclusive = Object.keys(kind.spec.fields).filter((name) => kind.spec.fields[name]?.meta?.exclusive);
  return exclusive.some(
    (name) => desired[name] !== undefined && same(desired[name], current.values[name], kind.spec.fields[name]?.meta?.compare),
  );
}

function sameName(kind: AnyKind, desired: JsonObject, current: Remote): boolean {
  const name = naturalKey(kind, desired);
  return name !== undefined && name === naturalKey(kind, current.values);
}

// A name nobody gave was chosen at the create and is kept; a given one may carry its generation's suffix.
function named(subject: Subject, current: Remote): JsonObject {
  const { identity } = subject.kind;
  const name = identity.by === "name" ? identity.name : undefined;
  if (!name) return subject.spec;
  const [given, actual] = [subject.spec[name.field], current.values[name.field]];
  if (typeof given !== "string" || typeof actual !== "string" || given === actual) return subject.spec;
  const suffixed = Array.from({ length: subject.record?.generation ?? 1 }, (_, index) => generationName(given, index + 1, name.maxLength));
  const ours = suffixed.includes(actual) || actual === generationName(given, currentGeneration(current), name.maxLength);
  return ours ? { ...subject.spec, [name.field]: actual } : subject.spec;
}

function currentGeneration(current: Remote): number {
  return Number(current.tags?.[TAG_GENERATION] ?? 1);
}

function owned(subject: Subject, spec: JsonObject, uid: string | undefined, generation: number): JsonObject {
  if (!subject.kind.taggable || !subject.resource.lifecycle.manage) return spec;
  const declared = isObject(spec.tags) ? spec.tags : {};
  if (uid === undefined) return { ...spec, tags: declared };
  const { resource, stack } = subject;
  const ownership = ownershipTags({
    stack: stackName(stack),
    resource: resource.key,
    uid,
    generation,
    deletion: resource.lifecycle.deletion,
  });
  return { ...spec, tags: { ...declared, ...ownership } };
}

function movedFrom(subject: Subject, current: Remote): boolean {
  const former = subject.resource.renamedFrom;
  return former !== undefined && (subject.record?.key === former || current.tags?.[TAG_RESOURCE] === former);
}

function blocked(subject: Subject, identified: Identified, problem: NonNullable<Decision["blocked"]>): Decision {
  const { generation } = identified;
  return { action: "blocked", identified, generation, desired: subject.spec, diff: NO_DIFF, blocked: problem };
}
