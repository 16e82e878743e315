/** A name that nobody gives is one that the kind takes, whatever project, environment and resource are called. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { kinds } from "../../reconcilers/index.ts";
import { derivedName, generationName } from "../../src/engine/names.ts";
import { NAME } from "../../src/manifest/envelope.ts";

const given = fc.stringMatching(NAME, { size: "medium" });

for (const [id, kind] of kinds) {
  const form = !kind.lookup && kind.identity.by === "name" ? kind.identity.name : undefined;
  if (!form) continue;
  test(`${id} takes the names that are derived for it`, () => {
    const problemsOf = (name: string) => kind.specSchema.partial().safeParse({ [form.field]: name }).error?.issues;
    fc.assert(
      fc.property(given, given, given, fc.integer({ min: 2, max: 99 }), (project, environment, resource, generation) => {
        const first = derivedName({ project, environment }, `Kind/${resource}`, form);
        for (const name of [first, generationName(first, generation, form.maxLength)]) assert.deepEqual(problemsOf(name), undefined, name);
      }),
    );
  });
}
