/**
 * Attributes of load balancers, target groups and listeners: AWS's lists of dotted names and texts, in the manifest as an
 * object whose members are typed. `idle_timeout.timeout_seconds` is `idleTimeout.timeoutSeconds`.
 */

import { z } from "zod";
import type { Writer } from "../aws/service.ts";
import type { FieldChange } from "../core/diff.ts";
import { field } from "../core/field.ts";
import { equal, isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ObjectShape, Shape } from "../core/shape.ts";
import type { Effect, OperationName, Target, Updater } from "./kind.ts";

/** An attribute in AWS's words; the SDK's three types of them are alike. */
type Attribute = { readonly Key?: string | undefined; readonly Value?: string | undefined };

/** Members around attributes: absent, or with all of theirs at the values they have when nobody sets them. */
export function group<S extends z.ZodRawShape>(members: S, doc: string): z.ZodOptional<z.ZodObject<S, z.core.$strict>> {
  return field(z.strictObject(members).optional(), { doc, unset: {} });
}

/** One that is on or off. */
export const onOff = (doc: string, unset?: boolean) => attribute(z.boolean().optional(), doc, unset);
/** One with a number. */
export const count = (min: number, max: number, doc: string, unset?: Json) => attribute(z.int().min(min).max(max).optional(), doc, unset);
/** One with a text that AWS may have none of. */
export const text = (max: number, doc: string, unset?: string) => attribute(z.string().max(max).optional(), doc, unset);
/** One of several texts. */
export const oneOf = <const T extends readonly string[]>(values: T, doc: string, unset?: T[number]) =>
  attribute(z.enum(values).optional(), doc, unset);

/** One of any other type. */
export function attribute<S extends z.ZodType>(schema: S, doc: string, unset?: Json): S {
  return field(schema, { doc, ...(unset === undefined ? {} : { unset }) });
}

type Leaf = { readonly path: readonly string[]; readonly shape: Shape };

function* leavesOf(shape: ObjectShape, path: readonly string[] = []): Generator<Leaf> {
  for (const [name, member] of Object.entries(shape.fields)) {
    if (member.type === "object") yield* leavesOf(member, [...path, name]);
    else yield { path: [...path, name], shape: member };
  }
}

/** `accessLogs`, `s3`, `bucket` -> `access_logs.s3.bucket`. */
function keyOf(path: readonly string[]): string {
  return path.map((step) => step.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)).join(".");
}

/** The attributes' names at AWS. */
export function namesOf(shape: ObjectShape): readonly string[] {
  return [...leavesOf(shape)].map(({ path }) => keyOf(path));
}

/** AWS's list as the manifest says it: "" is a value only where it is an attribute's value when nobody sets it. */
export function attributesOf(shape: ObjectShape, list: readonly Attribute[] | undefined): JsonObject {
  const values = new Map((list ?? []).map(({ Key, Value }) => [Key, Value]));
  return collected(
    [...leavesOf(shape)].flatMap((leaf): [Leaf, Json][] => {
      const value = values.get(keyOf(leaf.path));
      const isAbsent = value === undefined || (value === "" && leaf.shape.meta?.unset !== "");
      return isAbsent ? [] : [[leaf, typed(value, leaf.shape)]];
    }),
  );
}

function typed(value: string, shape: Shape): Json {
  if (shape.type === "boolean") return value === "true";
  if (shape.type === "integer") return Number(value);
  if (shape.type !== "union") return value;
  if (value === "true" || value === "false") return value === "true";
  return /^\d+$/.test(value) ? Number(value) : value;
}

/** What AWS gives a new object, by the attributes' `unset` values; `applies` says which of them it has at all. */
export function initialAttributes(shape: ObjectShape, applies: (path: readonly string[]) => boolean): JsonObject {
  const leaves = [...leavesOf(shape)].filter(({ path }) => applies(path));
  return collected(leaves.flatMap((leaf): [Leaf, Json][] => (leaf.shape.meta?.unset === undefined ? [] : [[leaf, leaf.shape.meta.unset]])));
}

function collected(pairs: readonly (readonly [Leaf, Json])[]): JsonObject {
  return pairs.reduce<JsonObject>((values, [{ path }, value]) => withMember(values, path, value), {});
}

function withMember(values: JsonObject, [name, ...rest]: readonly string[], value: Json | undefined): JsonObject {
  if (name === undefined) return values;
  const inner = values[name];
  const next = rest.length === 0 ? value : withMember(isObject(inner) ? inner : {}, rest, value);
  return { ...values, [name]: next };
}

function memberOf(values: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, name) => (isObject(value) ? value[name] : undefined), values);
}

// "Array Members: Maximum number of 20 items" (ModifyLoadBalancerAttributes).
const ATTRIBUTES_MAX = 20;

/**
 * The attributes of an object, as many a call as AWS takes. What belongs together (a log's bucket, a cookie's name) goes
 * together: of a group in which something differs, everything is sent that the manifest declares.
 */
export function attributesUpdater<Spec extends { attributes?: unknown }>(
  shape: ObjectShape,
  operation: OperationName,
  send: (aws: Writer, target: Target<Spec>, attributes: { Key: string; Value: string }[]) => Promise<unknown>,
): Updater<Spec> {
  return {
    fields: ["attributes"],
    operations: [operation],
    run: async (aws, target): Promise<Effect> => {
      const { before, after } = target.changes.attributes as FieldChange;
      const step = nextAttributes(shape, { before, after, declared: target.desired.attributes as Json | undefined });
      await send(
        aws,
        target,
        step.map(([{ path }, value]) => ({ Key: keyOf(path), Value: String(value) })),
      );
      const attributes = step.reduce((values, [{ path }, value]) => withMember(values, path, value), isObject(before) ? before : {});
      return { values: { attributes } };
    },
  };
}

type Ways = { readonly before: Json | undefined; readonly after: Json | undefined; readonly declared: Json | undefined };

function nextAttributes(shape: ObjectShape, { before, after, declared }: Ways): readonly (readonly [Leaf, Json])[] {
  const leaves = [...leavesOf(shape)].map((leaf) => ({
    leaf,
    from: memberOf(before, leaf.path),
    to: memberOf(after, leaf.path),
    isDeclared: memberOf(declared, leaf.path) !== undefined,
  }));
  const differs = ({ from, to }: (typeof leaves)[number]) => to !== undefined && !equal(from, to);
  const touched = new Set(leaves.filter(differs).map(({ leaf }) => leaf.path[0]));
  const wanted = leaves.filter((one) => touched.has(one.leaf.path[0]) && (one.isDeclared || differs(one)));
  return wanted.slice(0, ATTRIBUTES_MAX).map(({ leaf, to }) => [leaf, to as Json]);
}
