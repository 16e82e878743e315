import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { EnvironmentSettings } from "../../src/core/compiled.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { sourcesOf } from "../../src/manifest/source.ts";

function settings(spec: string): EnvironmentSettings {
  const project = "apiVersion: beacon/v1\nkind: Project\nmetadata: { name: shop }\n";
  const environment = `apiVersion: beacon/v1\nkind: Environment\nmetadata: { name: dev }\nspec: { default: true, ${spec} }\n`;
  const sources = sourcesOf({ "a.yaml": `${project}---\n${environment}` });
  const result = compile(sources, { kinds });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return result.stack.environment;
}

test("a controller accepts changes by itself, and what deletes or replaces only where the environment names it", () => {
  const rows = [
    { spec: "", mode: "auto", replace: false, delete: false, why: "nothing said" },
    { spec: "approval: auto", mode: "auto", replace: false, delete: false, why: "the mode alone" },
    { spec: "approval: manual", mode: "manual", replace: false, delete: false, why: "a person every time" },
    { spec: "approval: { mode: manual }", mode: "manual", replace: false, delete: false, why: "the same with more words" },
    { spec: "approval: { allow: [replace] }", mode: "auto", replace: true, delete: false, why: "one" },
    { spec: "approval: { mode: auto, allow: [replace, delete] }", mode: "auto", replace: true, delete: true, why: "both" },
  ];
  for (const { spec, mode, why, ...allow } of rows) assert.deepEqual(settings(spec).approval, { mode, allow }, why);
});

test("what an environment does not say of drift stays unsaid: the controller has its own pace", () => {
  assert.deepEqual(settings("").drift, { mode: "correct" });
  assert.deepEqual(settings("drift: { mode: report, interval: 5m, contestedAfter: 3 }").drift, {
    mode: "report",
    intervalMs: 300_000,
    contestedAfter: 3,
  });
});
