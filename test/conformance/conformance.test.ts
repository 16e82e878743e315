/** One suite over every kind, driven by the kinds' examples alone: each is docs page and fixture at once. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { parse } from "yaml";
import { kinds } from "../../reconcilers/index.ts";
import type { AnyKind } from "../../src/kind/kind.ts";
import { changedFields, type Example, mutableFields, readExamples } from "./example.ts";
import { MISHAPS, surviveEverywhere } from "./faults.ts";
import { Place } from "./place.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type Calls, declaredCalls, watchedKinds } from "./watched-kinds.ts";

// As many regions as the sandbox has, so that kinds stay out of each other's lists.
const REGIONS = [
  "eu-central-1",
  "eu-west-2",
  "eu-west-3",
  "eu-north-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ap-south-1",
  "sa-east-1",
];

type Beyond = Readonly<Record<string, readonly { readonly call: string; readonly why: string }[]>>;
const beyond = parse(readFileSync(new URL("beyond.yaml", import.meta.url), "utf8")) as Beyond;

const calls: Calls = new Map();
const watched = watchedKinds(kinds, calls);
const examples = readExamples();
const managed = [...watched.values()].filter((kind): kind is AnyKind => !kind.lookup);

it("every kind has an example", () => {
  assert.deepEqual(
    [...watched.keys()].filter((id) => !examples.has(id)),
    [],
  );
});

describe("every kind", { concurrency: true }, () => {
  for (const [index, kind] of managed.entries()) {
    const example = examples.get(kind.id);
    if (example) conformance(kind, example, REGIONS[index % REGIONS.length] as string);
  }
});

function conformance(kind: AnyKind, example: Example, region: string): void {
  describe(kind.name, { concurrency: 1 }, () => {
    const place = new Place(watched, kind, { example, region });
    for (const scenario of SCENARIOS) it(`${kind.name}: ${scenario.title}`, () => place.run(scenario));
    for (const mishap of MISHAPS) {
      const title = `survives ${mishap.title} at every mutating call of its life`;
      it(`${kind.name}: ${title}`, () => place.run({ title, run: (subject) => surviveEverywhere(subject, mishap) }));
    }
    it(`${kind.name}: calls every operation it declares`, () => assertAllCalled(kind, example));
    it(`${kind.name}: its example changes every mutable field`, () => {
      const changed = new Set([...changedFields(example), ...example.elsewhere]);
      assert.deepEqual(
        mutableFields(kind).filter((name) => !changed.has(name)),
        [],
        `${kind.name}: no update step changes them`,
      );
    });
    after(() => place.clear());
  });
}

function assertAllCalled(kind: AnyKind, example: Example): void {
  const called = calls.get(kind.id) ?? new Set();
  const excepted = (beyond[kind.name] ?? []).map(({ call }) => call);
  const unused = [...declaredCalls(kind, example.elsewhere)].filter((call) => !called.has(call) && !excepted.includes(call));
  assert.deepEqual(unused, [], `${kind.name} declares operations that nothing here makes it call`);
  assert.deepEqual(
    excepted.filter((call) => called.has(call)),
    [],
    `${kind.name}: beyond.yaml names calls that are made after all`,
  );
}
