/**
 * The three-way difference: desired (the revision), observed (AWS) and applied (what we last brought about).
 *
 * Every difference has a cause, so that a person sees not only what will change but why:
 * *pending* (the manifest changed), *drift* (AWS changed), *unknown* (the record is lost). A field that nobody declared
 * is *foreign*: not ours, left alone.
 */

import { formOf, keyOf, same } from "./compare.ts";
import type { Compare } from "./field.ts";
import { digest, isObject, type Json, type JsonArray, type JsonObject } from "./json.ts";
import type { ObjectShape, Shape } from "./shape.ts";

/** Why a field differs. */
export type Cause = "pending" | "drift" | "unknown";

/** One differing value. */
export type Difference = {
  /** `tags.Name`, `ingress`, `onDemandThroughput.maxReadRequestUnits`. */
  readonly path: string;
  /** The top-level spec field. */
  readonly field: string;
  readonly cause: Cause;
  /** As observed; absent where AWS has none. Secrets are masked. */
  readonly before?: Json;
  /** As desired, possibly holding an `Unknown`; absent where it will be removed. Secrets are masked. */
  readonly after?: Json;
  /** Of sets and keyed lists: the members that will be added and removed, and those changed in place. */
  readonly added?: readonly Json[];
  readonly removed?: readonly Json[];
  readonly changed?: readonly { readonly before: Json; readonly after: Json }[];
  readonly immutable: boolean;
};

/** A difference that is left alone, and why. */
export type LeftAlone = {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  readonly why: "createOnly" | "ignored" | "foreign";
};

/** What an updater gets of one top-level field. Unused members are empty. */
export type FieldChange = {
  /** The whole field as observed and as it shall be (undeclared nested members as observed). */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** Lists compared as `set` or `keyed`. */
  readonly added: readonly Json[];
  readonly removed: readonly Json[];
  readonly changed: readonly { readonly before: Json; readonly after: Json }[];
  /** Maps, tags among them: members to set and keys to drop. */
  readonly set: JsonObject;
  readonly drop: readonly string[];
};

/** The three ways of one resource. */
export type DiffInput = {
  readonly shape: ObjectShape;
  /** Declared fields, ownership tags among the tags. */
  readonly desired: JsonObject;
  readonly observed: JsonObject;
  /** As recorded, secrets hashed; absent when there is no record. */
  readonly applied: JsonObject | undefined;
  /** Top-level fields whose differences are left alone. */
  readonly ignore: readonly string[];
};

/** Everything that differs, by path for people and by field for updaters. */
export type Diff = {
  readonly differences: readonly Difference[];
  readonly leftAlone: readonly LeftAlone[];
  readonly changes: Readonly<Record<string, FieldChange>>;
};

/** Compares the three ways, field by field. Pure. */
export function diff(input: DiffInput): Diff {
  const found: Found = { differences: [], leftAlone: [] };
  for (const [name, shape] of Object.entries(input.shape.fields)) diffField(name, shape, input, found);
  const changed = new Set(found.differences.map((difference) => difference.field));
  const changes = Object.fromEntries([...changed].map((name) => [name, fieldChange(name, input, found.differences)]));
  return { differences: found.differences.map((difference) => masked(difference, input.shape)), leftAlone: found.leftAlone, changes };
}

/** Secrets as hashes: what may be stored and compared. */
export function withoutSecrets(shape: ObjectShape, spec: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(spec).map(([name, value]) => [name, shape.fields[name]?.meta?.secret && value !== undefined ? hashed(value) : value]),
  );
}

/** A secret's stand-in: equal secrets have equal stand-ins. */
export function hashed(value: Json): Json {
  return isObject(value) && typeof value.$sha256 === "string" ? value : { $sha256: digest(value) };
}

type Found = { differences: Difference[]; leftAlone: LeftAlone[] };

/** One place in the three trees. `path` and `field` are for the report; `known` says whether there is a record. */
type Place = {
  readonly path: string;
  readonly field: string;
  readonly shape: Shape;
  readonly desired: Json | undefined;
  readonly observed: Json | undefined;
  readonly applied: Json | undefined;
  readonly known: boolean;
  readonly immutable: boolean;
  readonly additive: boolean;
};

function diffField(name: string, shape: Shape, input: DiffInput, found: Found): void {
  const meta = shape.meta;
  if (meta?.setting) return;
  const hide = (value: Json | undefined) => (meta?.secret && value !== undefined ? hashed(value) : value);
  const applied = input.applied?.[name];
  const place: Place = {
    path: name,
    field: name,
    shape,
    desired: hide(input.desired[name]),
    // A secret that AWS does not give back is taken to be what was last sent.
    observed: meta?.secret && input.observed[name] === undefined ? applied : hide(input.observed[name]),
    applied,
    known: input.applied !== undefined,
    immutable: meta?.immutable === true,
    additive: meta?.additiveWhen !== undefined && same(input.desired[meta.additiveWhen.field], meta.additiveWhen.is, "exact"),
  };
  const own: Found = { differences: [], leftAlone: [] };
  diffPlace(place, own);
  const why = leaveAlone(place, input.ignore);
  if (why) found.leftAlone.push(...own.differences.map(({ path, before, after }) => ({ path, ...values(before, after), why })));
  else found.differences.push(...own.differences);
  found.leftAlone.push(...own.leftAlone);
}

function leaveAlone(place: Place, ignore: readonly string[]): LeftAlone["why"] | undefined {
  if (ignore.includes(place.field)) return "ignored";
  // Its owner changes it at will; only a new value in the manifest, against a known old one, is sent.
  const kept = !place.known || place.desired === undefined || same(place.desired, place.applied, place.shape.meta?.compare);
  return place.shape.meta?.createOnly && kept ? "createOnly" : undefined;
}

function diffPlace(place: Place, found: Found): void {
  const wanted = withUnset(place);
  const { shape } = wanted;
  const { compare, whole } = shape.meta ?? {};
  if (wanted.desired === undefined && (shape.type !== "map" || whole)) return;
  if (shape.type === "array" && typeof compare === "object") diffKeyed(wanted, shape, compare.keyed, found);
  else if (whole) diffWhole(wanted, found);
  else if (shape.type === "object" && !compare) diffMembers(wanted, shape, found);
  else if (shape.type === "map") diffMap(wanted, shape.element, found);
  else if (shape.type === "array" && compare === "set") diffSet(wanted, shape.element, found);
  else if (!sameDeep(wanted.desired, wanted.observed, shape)) found.differences.push(difference(wanted, compare));
}

// A field that left the manifest is wanted at the value AWS has when it is not set.
function withUnset(place: Place): Place {
  const removed = place.desired === undefined && place.applied !== undefined;
  const unset = place.shape.meta?.unset;
  if (!removed || unset === undefined || place.immutable) return place;
  const observed = place.observed === undefined ? unset : place.observed;
  return { ...place, desired: unset, observed };
}

function diffMembers(place: Place, shape: ObjectShape, found: Found): void {
  const at = (value: Json | undefined, name: string) => (isObject(value) ? value[name] : undefined);
  if (!isObject(place.desired)) {
    if (!same(place.desired, place.observed, "exact")) found.differences.push(difference(place, "exact"));
    return;
  }
  for (const [name, member] of Object.entries(shape.fields)) {
    diffPlace(
      {
        ...place,
        path: `${place.path}.${name}`,
        shape: member,
        desired: at(place.desired, name),
        observed: at(place.observed, name),
        applied: at(place.applied, name),
        immutable: place.immutable || member.meta?.immutable === true,
      },
      found,
    );
  }
}

// Maps, tags among them, are compared key by key: a key that was neither declared nor applied is not ours.
function diffMap(place: Place, element: Shape, found: Found): void {
  const [desired, observed, applied] = [place.desired, place.observed, place.applied].map(ownMembers) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ];
  for (const key of new Set([...Object.keys(desired), ...Object.keys(observed)])) {
    const [to, from] = [desired[key], observed[key]];
    if (sameDeep(to, from, element)) continue;
    const path = `${place.path}.${key}`;
    const ours = to !== undefined || applied[key] !== undefined;
    if (ours)
      found.differences.push(difference({ ...place, path, desired: to, observed: from, applied: applied[key] }, element.meta?.compare));
    else found.leftAlone.push({ path, ...values(from, undefined), why: "foreign" });
  }
}

// Keys are free: one that is named as a member every object has (`constructor`) must not be found where nobody wrote it.
function ownMembers(value: Json | undefined): JsonObject {
  return Object.assign(Object.create(null), isObject(value) ? value : {});
}

function diffSet(place: Place, element: Shape, found: Found): void {
  const [desired, observed, applied] = [list(place.desired), list(place.observed), forms(list(place.applied), element)];
  const [wanted, present] = [forms(desired, element), forms(observed, element)];
  const isIn = (members: ReadonlySet<string>, member: Json) => members.has(formOf(member, element));
  const added = desired.filter((member) => !isIn(present, member));
  const surplus = observed.filter((member) => !isIn(wanted, member));
  const removed = place.additive ? surplus.filter((member) => isIn(applied, member)) : surplus;
  if (added.length + removed.length > 0) found.differences.push({ ...difference(place, "set"), added, removed });
  for (const member of surplus) {
    if (!removed.includes(member)) found.leftAlone.push({ path: place.path, before: member, why: "foreign" });
  }
}

function diffWhole(place: Place, found: Found): void {
  if (isAlike(place.desired, place.observed, place.shape)) return;
  found.differences.push(difference(place, place.shape.meta?.compare));
}

/** Whether both say the same as wholes. */
function isAlike(desired: Json | undefined, observed: Json | undefined, shape: Shape): boolean {
  return formOf(desired ?? null, shape) === formOf(observed ?? null, shape);
}

function diffKeyed(place: Place, { element, meta }: Extract<Shape, { type: "array" }>, keyed: string, found: Found): void {
  const alike = meta?.whole ? isAlike : sameDeep;
  const index = (value: Json | undefined) => new Map(list(value).map((member) => [keyOf(member, keyed), member]));
  const [desired, observed] = [index(place.desired), index(place.observed)];
  const added = [...desired].filter(([key]) => !observed.has(key)).map(([, member]) => member);
  const removed = [...observed].filter(([key]) => !desired.has(key)).map(([, member]) => member);
  const changed = [...desired].flatMap(([key, after]) => {
    const before = observed.get(key);
    return before === undefined || alike(after, before, element) ? [] : [{ before, after }];
  });
  if (added.length + removed.length + changed.length === 0) return;
  found.differences.push({ ...difference(place, { keyed }), added, removed, changed });
}

function difference(place: Place, compare: Compare | undefined): Difference {
  return {
    path: place.path,
    field: place.field,
    cause: cause(place, compare),
    ...values(place.observed, place.desired),
    immutable: place.immutable,
  };
}

function cause(place: Place, compare: Compare | undefined): Cause {
  if (!place.known) return "unknown";
  return same(place.desired, place.applied, compare) ? "drift" : "pending";
}

/**
 * True when everything `desired` declares, at any depth, is what `observed` has. Elements of lists and maps are ours as a whole:
 * a member that one does not declare is wanted at its unset value, where it has one.
 */
function sameDeep(desired: Json | undefined, observed: Json | undefined, shape: Shape): boolean {
  const compare = shape.meta?.compare;
  if (compare === undefined && shape.type === "object" && isObject(desired) && isObject(observed)) {
    return sameMembers(desired, observed, shape);
  }
  if (shape.type !== "array" || !Array.isArray(desired) || !Array.isArray(observed)) return same(desired, observed, compare);
  if (compare !== undefined && typeof compare !== "object") return formOf(desired, shape) === formOf(observed, shape);
  if (desired.length !== observed.length) return false;
  if (compare === undefined) return desired.every((value, index) => sameDeep(value, observed[index], shape.element));
  const present = new Map(observed.map((member) => [keyOf(member, compare.keyed), member]));
  return desired.every((member) => sameDeep(member, present.get(keyOf(member, compare.keyed)), shape.element));
}

function sameMembers(desired: JsonObject, observed: JsonObject, shape: ObjectShape): boolean {
  return Object.entries(shape.fields).every(([name, member]) => {
    const [declared, unset] = [desired[name], member.meta?.unset];
    const [wanted, present] = [declared === undefined ? unset : declared, observed[name] === undefined ? unset : observed[name]];
    return wanted === undefined || sameDeep(wanted, present, member);
  });
}

function fieldChange(name: string, input: DiffInput, differences: readonly Difference[]): FieldChange {
  const shape = input.shape.fields[name] as Shape;
  const { compare, whole } = shape.meta ?? {};
  const own = differences.filter((found) => found.field === name);
  const [before, declared] = [input.observed[name], input.desired[name]];
  const desired = declared === undefined ? shape.meta?.unset : declared;
  const direct = own.filter((found) => shape.type === "map" && found.path !== name);
  const key = (path: string) => path.slice(name.length + 1);
  return {
    before,
    after: shape.type === "map" || compare || whole ? desired : overlay(before, withRemoved(desired, input.applied?.[name], shape)),
    added: own.flatMap((found) => found.added ?? []),
    removed: own.flatMap((found) => found.removed ?? []),
    changed: own.flatMap((found) => found.changed ?? []),
    set: Object.fromEntries(direct.filter((found) => found.after !== undefined).map((found) => [key(found.path), found.after])),
    drop: direct.filter((found) => found.after === undefined).map((found) => key(found.path)),
  };
}

/** What is declared, and the members that have left the manifest at their unset values. */
function withRemoved(desired: Json | undefined, applied: Json | undefined, shape: Shape): Json | undefined {
  if (shape.type !== "object" || shape.meta?.compare || !isObject(desired) || !isObject(applied)) return desired;
  const members = Object.entries(shape.fields).map(([name, member]): [string, Json | undefined] => {
    const left = desired[name] === undefined && applied[name] !== undefined;
    return [name, withRemoved(left ? member.meta?.unset : desired[name], applied[name], member)];
  });
  return { ...desired, ...Object.fromEntries(members.filter(([, value]) => value !== undefined)) };
}

/** `over` laid upon `under`, object by object: what AWS's replacing updates are sent. */
export function overlay(under: Json | undefined, over: Json | undefined): Json | undefined {
  if (over === undefined) return under;
  if (!isObject(under) || !isObject(over)) return over;
  const members = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...members].map((name) => [name, overlay(under[name], over[name])]));
}

/** The value without members that are null: what AWS shall have none of is not said to it. */
export function withoutNulls(value: Json | undefined): Json | undefined {
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]));
}

const MASK = "(secret)";

function masked(found: Difference, shape: ObjectShape): Difference {
  if (!shape.fields[found.field]?.meta?.secret) return found;
  return { ...found, ...values(found.before === undefined ? undefined : MASK, found.after === undefined ? undefined : MASK) };
}

function values(before: Json | undefined, after: Json | undefined): { before?: Json; after?: Json } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

function list(value: Json | undefined): JsonArray {
  return Array.isArray(value) ? value : [];
}

function forms(members: JsonArray, element: Shape): ReadonlySet<string> {
  return new Set(members.map((member) => formOf(member, element)));
}
