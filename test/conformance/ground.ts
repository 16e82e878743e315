/**
 * The ground a kind's scenarios stand on: what its example needs beside the resource itself, brought up once in a stack of its
 * own. The scenarios' own stacks then hold the resource alone, with the ids written out as a person may write them, so that a
 * look at one costs a call or two.
 */

import type { Json, JsonObject } from "../../src/core/json.ts";
import { isObject } from "../../src/core/json.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { isUnknown } from "../../src/core/unknown.ts";
import type { AnyKind, Kinds } from "../../src/kind/kind.ts";
import { type Document, type Example, keyOf, referrers } from "./example.ts";
import { newStand, type Stand } from "./stand.ts";
import { resolveIn, Subject } from "./subject.ts";

export class Ground {
  readonly #stand: Stand;
  /** The example, standing on this ground. */
  readonly example: Example;

  constructor(stand: Stand, example: Example) {
    this.#stand = stand;
    this.example = example;
  }

  /** Takes everything down. */
  async clear(): Promise<void> {
    await this.#stand.settle(undefined, { destroy: true }, "clearing the ground");
    await this.close();
  }

  /** Leaves everything where it is. */
  async close(): Promise<void> {
    await this.#stand.close();
  }
}

/** Brings up what the example needs. */
export async function newGround(kinds: Kinds, kind: AnyKind, example: Example, region: string): Promise<Ground> {
  const stand = await newStand(kinds, "ground", region);
  const subject = new Subject(kind, example, stand);
  await subject.settle(undefined, "bringing up what it needs");
  const { world } = await stand.plan(subject.manifests(undefined));
  const literal = (spec: JsonObject, key: ResourceKey, state = spec): JsonObject =>
    known(spec, resolveIn(world, subject.manifests(state), key)) as JsonObject;
  const ownSpec = (state: JsonObject) => literal(state, example.key);
  const standing = (document: Document): Document => {
    const key = keyOf(document);
    const { dependsOn: _there, ...rest } = document;
    return { ...rest, spec: key === example.key ? ownSpec(subject.base) : literal(document.spec ?? {}, key, subject.base) } as Document;
  };
  return new Ground(stand, {
    ...example,
    others: referrers(example).map(standing),
    subject: standing(example.subject),
    states: example.states.map(ownSpec),
    immutable: example.immutable && ownSpec(example.immutable),
  });
}

/** The value with everything that is known written out; expressions stay where it is not. */
function known(declared: Json | undefined, resolved: Json | undefined): Json | undefined {
  if (isUnknown(resolved)) return declared;
  if (Array.isArray(declared) && Array.isArray(resolved)) return resolved.map((item, index) => known(declared[index], item) as Json);
  // AWS's own ${...} would be read as an expression again.
  if (typeof resolved === "string") return resolved.replaceAll("${", () => "$${");
  if (!isObject(declared) || !isObject(resolved)) return resolved;
  return Object.fromEntries(Object.entries(resolved).map(([name, value]) => [name, known(declared[name], value)]));
}
