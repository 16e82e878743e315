/** docs/parity.md against the manifests: what it names is there, and what is there it names. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { loadSources } from "../../src/manifest/source.ts";

const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT ops@example.com";
const text = readFileSync(new URL("../../docs/parity.md", import.meta.url), "utf8");
const named = new Set([...text.matchAll(/`([A-Z]\w+\/[\w.-]+)`/g)].map(([, key]) => key as string));

let stack: CompiledStack;
before(async () => {
  const sources = await loadSources({ paths: ["manifests"] });
  const result = compile(sources, { kinds, environment: "prod", params: [`publicKey=${PUBLIC_KEY}`, "autoUpdateNameservers=true"] });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  stack = result.stack;
});

/** The frontend's resources are the backend's mirror, and named as such. */
const isMirror = (key: string) => /\/frontend\./.test(key);

test("every key it names is one of the manifests'", () => {
  const keys = new Set<string>([...stack.resources, ...stack.lookups, ...stack.monitors].map(({ key }) => key));
  assert.deepEqual(
    [...named].filter((key) => !keys.has(key) && !key.startsWith("WebService/")),
    [],
  );
});

test("every resource, lookup and check of the manifests has a row", () => {
  const keys = [...stack.resources, ...stack.lookups, ...stack.monitors].map(({ key }) => key);
  assert.deepEqual(
    keys.filter((key) => !named.has(key) && !isMirror(key)),
    [],
  );
});

test("every parameter and every output of the project has a row", () => {
  const project = readFileSync(new URL("../../manifests/project.yaml", import.meta.url), "utf8");
  const membersOf = (section: string) => {
    const body = (project.split(`\n  ${section}:\n`)[1] as string).split(/\n {2}\w/)[0] as string;
    return [...body.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name as string);
  };
  const absent = [...membersOf("parameters"), ...membersOf("outputs")].filter((name) => !text.includes(`\`${name}\``));
  assert.deepEqual(absent, []);
});
