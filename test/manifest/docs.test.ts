/** Every example of docs/manifests.md compiles, or fails where it says so. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { validateAll } from "../../src/manifest/compile.ts";
import { FUNCTIONS } from "../../src/manifest/functions.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { sourcesOf } from "../../src/manifest/source.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "manifests.md"), "utf8");
const examples = [...page.matchAll(/^```yaml( fails)?\n([\s\S]*?)^```$/gm)].map(([, fails, text = ""], index) => ({
  index,
  text,
  fails: fails !== undefined,
}));

// What an example may refer to without declaring it.
const STAGE: Readonly<Record<string, string>> = {
  "kind: Project":
    "apiVersion: beacon/v1\nkind: Project\nmetadata: { name: shop }\nspec: { parameters: { zones: { type: integer, default: 2 } } }\n",
  "kind: Environment": "apiVersion: beacon/v1\nkind: Environment\nmetadata: { name: dev }\n",
  "kind: VPC\nmetadata: { name: main }": "apiVersion: ec2.aws/v1\nkind: VPC\nmetadata: { name: main }\nspec: { cidrBlock: 10.0.0.0/16 }\n",
};

function staged(text: string): Record<string, string> {
  const declares = (start: string) =>
    text
      .replace(/metadata:\n {2}name: main/g, "metadata: { name: main }")
      .replace(/ +#.*/g, "")
      .includes(start);
  const missing = Object.entries(STAGE).filter(([start]) => !declares(start));
  return { "example.yaml": text, ...Object.fromEntries(missing.map(([, stage], index) => [`stage-${index}.yaml`, stage])) };
}

for (const { index, text, fails } of examples) {
  const name = /kind: (\w+)/.exec(text)?.[1];
  test(`example ${index + 1} (${name}) ${fails ? "fails" : "compiles"}`, () => {
    const sources = sourcesOf(staged(text));
    const { problems } = validateAll(sources, { kinds });
    assert.equal(problems.length > 0, fails, formatProblems(problems, sources));
  });
}

test("the page has examples, and names every function", () => {
  assert.ok(examples.length > 8);
  for (const name of Object.keys(FUNCTIONS)) assert.match(page, new RegExp(`\\b${name}\\(`), name);
});
