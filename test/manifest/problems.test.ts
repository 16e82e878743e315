/** Every kind of mistake, with what a person sees of it. `UPDATE_GOLDEN=1` writes the expected texts anew. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { type CompileOptions, compile, validateAll } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { loadSources } from "../../src/manifest/source.ts";

const cases = join(import.meta.dirname, "cases");
const goldens = join(import.meta.dirname, "..", "golden", "manifest");

type CaseOptions = { environment?: string; params?: string[]; paramsFiles?: string[]; compile?: boolean };

async function problemsOf(name: string): Promise<string> {
  const directory = relative(process.cwd(), join(cases, name));
  const file = join(directory, "options.json");
  const given: CaseOptions = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const { compile: compileOnly, ...rest } = given;
  const options: CompileOptions = { kinds, ...rest, paramsFiles: (given.paramsFiles ?? []).map((path) => join(directory, path)) };
  // A parameter file lies beside the manifests without being one.
  const paths = readdirSync(directory)
    .filter((path) => path.endsWith(".yaml"))
    .map((path) => join(directory, path));
  const sources = await loadSources({ paths });
  const { problems } = compileOnly ? compile(sources, options) : validateAll(sources, options);
  return formatProblems(problems, sources).replaceAll(join(process.cwd(), directory), "…").replaceAll(`${directory}/`, "");
}

for (const name of readdirSync(cases)) {
  test(`what is said of ${name}`, async () => {
    const text = await problemsOf(name);
    const golden = join(goldens, `${name}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, "utf8"));
  });
}

test("every golden belongs to a case", () => {
  assert.deepEqual(
    readdirSync(goldens).map((file) => file.replace(/\.txt$/, "")),
    readdirSync(cases),
  );
});
