/**
 * A kind's example as its conformance fixture (the format is described in scripts/generate.ts): the base manifests, the states
 * that its update steps lead through, and the change that forces a replacement.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { JsonObject } from "../../src/core/json.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { type AnyKind, type AnyLookup, rootName } from "../../src/kind/kind.ts";

/** A manifest as plain data. */
export type Document = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: JsonObject;
};

export type Example = {
  readonly key: ResourceKey;
  /** What the resource needs to stand alone. */
  readonly others: readonly Document[];
  /** The resource itself, in its base state. */
  readonly subject: Document;
  /** Its specs: the base, then after each update step. */
  readonly states: readonly JsonObject[];
  /** A spec that forces a replacement of the base. */
  readonly immutable: JsonObject | undefined;
  /** Mutable fields that no step can change; they are tested beside the kind. */
  readonly elsewhere: readonly string[];
};

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../reconcilers");

/** Every kind's example, by kind id. */
export function readExamples(): ReadonlyMap<string, Example> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".example.yaml"));
  const examples = files.map((path) => exampleOf(parse(readFileSync(join(folder, path), "utf8")) as ExampleFile));
  return new Map(examples.map((example) => [`${example.subject.apiVersion} ${example.subject.kind}`, example]));
}

type ExampleFile = {
  readonly base: readonly Document[];
  readonly update?: readonly JsonObject[];
  readonly immutable?: JsonObject;
  readonly elsewhere?: JsonObject;
};

function exampleOf({ base, update = [], immutable, elsewhere = {} }: ExampleFile): Example {
  const subject = base.find(({ metadata }, index) => metadata.name === "example" && index === base.length - 1) as Document;
  const states = [subject.spec ?? {}];
  for (const step of update) states.push(changed(states.at(-1) as JsonObject, step));
  return {
    key: keyOf(subject),
    others: base.filter((document) => document !== subject),
    subject,
    states,
    immutable: immutable && changed(subject.spec ?? {}, immutable),
    elsewhere: Object.keys(elsewhere),
  };
}

export function keyOf({ kind, metadata }: Document): ResourceKey {
  return `${kind}/${metadata.name}`;
}

/** The spec with new values for some members; null removes one. */
export function changed(spec: JsonObject, step: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries({ ...spec, ...step }).filter(([, value]) => value !== null));
}

/** The documents that do not refer to the subject, directly or through another: what is left when it is taken out. */
export function withoutSubject({ subject, others }: Example): readonly Document[] {
  const gone = new Set([subject]);
  for (const document of gone) {
    const reference = `${rootName(document.kind)}.${document.metadata.name}.`;
    for (const other of others) if (JSON.stringify(other).includes(reference)) gone.add(other);
  }
  return others.filter((document) => !gone.has(document));
}

/** The documents that refer to the subject, directly or through another. */
export function referrers(example: Example): readonly Document[] {
  const kept = withoutSubject(example);
  return example.others.filter((document) => !kept.includes(document));
}

/** Fields that one of the update steps changes. */
export function changedFields({ states }: Example): ReadonlySet<string> {
  const steps = states.slice(1).map((state, index) => differingFields(states[index] as JsonObject, state));
  return new Set(steps.flat());
}

/** Top-level members of which the specs say different things. */
export function differingFields(left: JsonObject, right: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].filter(
    (name) => JSON.stringify(left[name]) !== JSON.stringify(right[name]),
  );
}

/** Fields that a manifest can change in place. */
export function mutableFields(kind: AnyKind | AnyLookup): readonly string[] {
  return Object.entries(kind.spec.fields).flatMap(([name, { meta }]) => (meta?.immutable || meta?.setting ? [] : [name]));
}
