/** One suite over every kind, driven by the kinds' examples alone. */

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { AnyKind } from "../../src/kind/kind.ts";
import { type Example, readExamples } from "./example.ts";
import { MISHAPS, surviveEverywhere } from "./faults.ts";
import { SCENARIOS } from "./scenarios.ts";
import { newSubject, type Subject } from "./subject.ts";
import { type Calls, declaredCalls, watchedKinds } from "./watched-kinds.ts";

// Stacks under way at once: enough to keep the sandbox and this process busy while others wait for an answer.
const CONCURRENCY = 6;

const calls: Calls = new Map();
const watched = watchedKinds(kinds, calls);
const examples = readExamples();
const managed = [...watched.values()].filter((kind): kind is AnyKind => !kind.lookup);

describe("every kind", { concurrency: CONCURRENCY }, () => {
  for (const kind of managed) {
    const example = examples.get(kind.id);
    if (!example) continue;
    for (const { title, run } of SCENARIOS) it(`${kind.name}: ${title}`, () => onFreshStack(kind, example, run));
    for (const mishap of MISHAPS) {
      it(`${kind.name}: survives ${mishap.title} at every mutating call of its life`, () =>
        onFreshStack(kind, example, (subject) => surviveEverywhere(subject, mishap)));
    }
  }

  after(() => {
    for (const kind of watched.values()) {
      const unused = [...declaredCalls(kind)].filter((call) => !calls.get(kind.id)?.has(call));
      assert.deepEqual(unused, [], `${kind.name} declares operations that nothing here makes it call`);
    }
  });
});

it("every kind has an example", () => {
  assert.deepEqual([...watched.keys()].filter((id) => !examples.has(id)), []);
});

async function onFreshStack(kind: AnyKind, example: Example, run: (subject: Subject) => Promise<void>): Promise<void> {
  const subject = await newSubject(watched, kind, example);
  try {
    await run(subject);
  } finally {
    await subject.close();
  }
}
