/**
 * Which resources a call may have changed.
 *
 * Errs on the side of looking: a resource that the call names by id, ARN or name is hit whatever the action, because AWS has
 * operations that BEACON never calls (ModifySecurityGroupRules). A call that is one of a kind's own and names nothing that could be told
 * apart hits the whole kind: a look costs the same list either way. A call on somebody else's object hits nothing.
 */

import { isMutating, type OperationName } from "../aws/service.ts";
import { canonicalDnsName } from "../core/dns-name.ts";
import type { Json } from "../core/json.ts";
import type { ResourceRecord } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { AnyKind, Kinds } from "../kind/kind.ts";
import { operationsOf } from "../kind/operations.ts";
import { type ApiEvent, isRefused } from "./event.ts";

/** One resource, and what ties the call to it: it is *named* (id, ARN, name), something of it is *mentioned* (an instance of a group, a
 * VPC it stands in), or nothing tells which of the *kind* it is about. */
export type Hit = { readonly key: ResourceKey; readonly by: "named" | "mentioned" | "kind" };

/** The stack that is asked about. */
export type MappingScope = { readonly kinds: Kinds; readonly records: ReadonlyMap<ResourceKey, ResourceRecord> };

/** The resources that the call may have changed, in the records' order. Empty for BEACON's own calls and for refused ones. */
export function keysOf(event: ApiEvent, { kinds, records }: MappingScope): readonly Hit[] {
  if (event.own || isRefused(event)) return [];
  const spoken = spokenOf(event.names);
  const isTold = [...event.names].some(isGiven);
  const named: Hit[] = [];
  const unnamed: ResourceRecord[] = [];
  for (const record of records.values()) {
    const kind = kinds.get(record.kind);
    if (!kind || kind.lookup) continue;
    const by = tieOf(event, spoken, { record, kind });
    if (by) named.push({ key: record.key, by });
    else if (!isTold && mayMeanAny(event, kind)) unnamed.push(record);
  }
  const met = new Set(named.filter(({ by }) => by === "named").map(({ key }) => records.get(key)?.kind));
  const others = unnamed.filter(({ kind }) => !met.has(kind)).map(({ key }): Hit => ({ key, by: "kind" }));
  return [...named, ...others];
}

/** A record and its kind. */
export type Subject = { readonly record: ResourceRecord; readonly kind: AnyKind };

/** What in the call ties it to this one resource, if anything does. */
export function tieTo(event: ApiEvent, subject: Subject): "named" | "mentioned" | undefined {
  return tieOf(event, spokenOf(event.names), subject);
}

/** Operations of the kind that change something. */
export function changesOf(kind: AnyKind): ReadonlySet<OperationName> {
  return remembered(changes, kind, () => new Set(operationsOf(kind).filter(isMutating)));
}

const changes = new WeakMap<AnyKind, ReadonlySet<OperationName>>();
const services = new WeakMap<AnyKind, ReadonlySet<string>>();
const known = new WeakMap<ResourceRecord, Names>();

/** What a record is called. */
type Names = {
  /** Given by AWS, and nobody else's. */
  readonly given: readonly string[];
  /** Chosen by somebody, so that other services may have the same for something else. */
  readonly chosen: readonly string[];
  /** The parts of an id that is made of several: all of them together name it. */
  readonly parts: readonly string[];
  /** Ids that its status mentions. */
  readonly mentioned: readonly string[];
};

function tieOf(event: ApiEvent, spoken: ReadonlySet<string>, { record, kind }: Subject): "named" | "mentioned" | undefined {
  const names = remembered(known, record, () => namesOf(record, kind));
  if (names.given.some((name) => spoken.has(name))) return "named";
  if (servicesOf(kind).has(event.service)) {
    if (names.chosen.some((name) => spoken.has(name))) return "named";
    if (names.parts.length > 0 && names.parts.every((part) => spoken.has(part))) return "named";
  }
  return names.mentioned.some((name) => spoken.has(name)) ? "mentioned" : undefined;
}

function mayMeanAny(event: ApiEvent, kind: AnyKind): boolean {
  if (!changesOf(kind).has(event.action)) return false;
  // CloudTrail's `bucketName` is S3's `Bucket`, and where several may be given AWS says `alarmNames`.
  const members = [kind.idField, `${kind.idField}Name`, `${kind.idField}s`];
  return !members.some((member) => event.members.has(member));
}

function servicesOf(kind: AnyKind): ReadonlySet<string> {
  return remembered(services, kind, () => new Set([...changesOf(kind)].map((operation) => operation.slice(0, operation.indexOf(":")))));
}

function namesOf(record: ResourceRecord, kind: AnyKind): Names {
  const { identity } = kind;
  const values = { ...record.applied, ...record.observed };
  const field = identity.by === "name" ? (identity.name?.field ?? (identity.key.length === 1 ? identity.key[0] : undefined)) : undefined;
  const ownNames = [record.id, record.name, field === undefined ? undefined : values[field]].filter(isText);
  const status = Object.keys(kind.status.fields).map((name) => [name, record.observed[name]] as const);
  const arns = status.flatMap(([name, value]) => (/arn$/i.test(name) && isText(value) ? [value] : []));
  const inStatus = status.flatMap(([, value]) => textsIn(value)).filter(isGiven);
  const own = [...new Set([...ownNames, ...arns, ...inStatus.filter((text) => PART.test(text))])];
  const parts = record.id?.split(/\s+/) ?? [];
  return {
    given: own.filter(isGiven),
    chosen: own.filter((name) => !isGiven(name)).map(spelled),
    parts: parts.length > 1 ? parts.map(spelled) : [],
    mentioned: inStatus.filter((text) => !own.includes(text)),
  };
}

// `sg-0abc1234`, `subnet-cidr-assoc-0abc1234`, a UUID, an ARN, a hosted zone's `Z0123456789ABC`.
const GIVEN = /^(?:[a-z]+(?:-[a-z]+)*-(?:[0-9a-f]{8}|[0-9a-f]{17})|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|arn:.+|Z[A-Z0-9]{10,})$/;
// Associations are of the object that lists them.
const PART = /assoc-[0-9a-f]+$/;

function isGiven(text: string): boolean {
  return GIVEN.test(text);
}

/** What the call says, in every spelling that a record may have of it. */
function spokenOf(names: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...names].flatMap((name) => [name, spelled(name), ...lastParts(name)]));
}

// Route 53 ends names with a dot and says `/hostedzone/Z1`; log groups' ARNs may end with `:*`.
function spelled(name: string): string {
  return name.includes(".") && !name.startsWith("arn:") ? canonicalDnsName(name) : name;
}

/** `arn:aws:dynamodb:eu-west-1:1:table/x` -> `x`; `/hostedzone/Z1` -> `Z1`; `arn:…:log-group:/x:*` -> `/x`. */
function lastParts(name: string): readonly string[] {
  if (name.startsWith("/hostedzone/")) return [name.slice("/hostedzone/".length)];
  if (!name.startsWith("arn:")) return [];
  const bare = name.replace(/:\*$/, "");
  const resource = bare.split(":").slice(5).join(":");
  return [bare, resource, resource.replace(/^[a-z-]+[:/]/, "")];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function textsIn(value: Json | undefined): readonly string[] {
  if (isText(value)) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap((inner) => textsIn(inner)) : [];
}

function remembered<Key extends object, Value>(cache: WeakMap<Key, Value>, key: Key, make: () => Value): Value {
  const found = cache.get(key) ?? make();
  cache.set(key, found);
  return found;
}
