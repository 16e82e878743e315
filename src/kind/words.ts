/**
 * A service's words: deep structures turned from the manifest's spelling into AWS's and back, member by member.
 *
 * A member is spelled with a capital first letter at AWS, unless the dialect says otherwise; lists of names and values are maps here.
 */

import { isObject, type Json } from "../core/json.ts";

/** What is not said by the first letter alone. */
export type Dialect = {
  /** The manifest's spelling to AWS's: `arn` to `ARN`. */
  readonly spellings: Readonly<Record<string, string>>;
  /** Members whose keys are names of somebody's, or values of AWS's, and no members. */
  readonly keyed?: readonly string[];
  /** Maps that are lists at AWS, and what AWS calls the values. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Text that AWS has as bytes. */
  readonly bytes?: readonly string[];
};

/** A dialect at work. `member` is the member whose value is turned. */
export type Words = {
  readonly spelling: (name: string) => string;
  readonly toAws: (value: Json | undefined, member?: string) => unknown;
  /** What is null at AWS is absent. */
  readonly fromAws: (value: unknown, member?: string) => Json | undefined;
};

/** `minSize` -> `MinSize`: how AWS spells what the manifest says. */
export function upper(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** `MinSize` -> `minSize`. */
export function lower(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Makes a dialect work. */
export function wordsOf({ spellings, keyed = [], lists = {}, bytes = [] }: Dialect): Words {
  // Maps, because keys may be names of somebody's, and `constructor` one of them.
  const [spelled, valueNames] = [new Map(Object.entries(spellings)), new Map(Object.entries(lists))];
  const worded = new Map(Object.entries(spellings).map(([ours, aws]) => [aws, ours]));
  const spelling = (name: string) => spelled.get(name) ?? upper(name);
  const word = (name: string) => worded.get(name) ?? lower(name);
  const listIn = (member: string | undefined) => (member === undefined ? undefined : valueNames.get(member));
  const isKeyed = (member: string | undefined) => member !== undefined && keyed.includes(member);

  function toAws(value: Json | undefined, member?: string): unknown {
    if (Array.isArray(value)) return value.map((element) => toAws(element));
    if (!isObject(value)) return member !== undefined && bytes.includes(member) ? new TextEncoder().encode(String(value)) : value;
    const values = listIn(member);
    if (values !== undefined) return Object.entries(value).map(([Name, inner]) => ({ Name, [values]: inner }));
    if (isKeyed(member)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toAws(inner)]));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [spelling(name), toAws(inner, name)]));
  }

  function fromAws(value: unknown, member?: string): Json | undefined {
    if (value === undefined || value === null) return undefined;
    if (value instanceof Uint8Array) return new TextDecoder().decode(value);
    const values = listIn(member);
    if (Array.isArray(value) && values !== undefined) {
      return Object.fromEntries((value as readonly Readonly<Record<string, Json>>[]).map((pair) => [String(pair.Name), pair[values]]));
    }
    if (Array.isArray(value)) return value.map((element) => fromAws(element) ?? null);
    if (typeof value !== "object") return value as Json;
    const members = isKeyed(member)
      ? Object.entries(value).map(([key, inner]) => [key, fromAws(inner)] as const)
      : Object.entries(value).map(([name, inner]) => [word(name), fromAws(inner, word(name))] as const);
    return Object.fromEntries(members.filter(([, inner]) => inner !== undefined));
  }

  return { spelling, toAws, fromAws };
}
