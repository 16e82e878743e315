/** The repository checks itself: the layer rule of the design, and the sizes that keep the code readable. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

const root = new URL("..", import.meta.url).pathname;

/** Who may import whom: down only. A file may always import its own folder; main.ts sees everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/core": [],
  "src/aws": ["src/core"],
  "src/kind": ["src/core", "src/aws"],
  state: ["src/core", "src/aws"],
  sandbox: ["src/core"],
  reconcilers: ["src/core", "src/kind", "src/aws"],
  "src/monitor": ["src/core", "src/aws"],
  "src/events": ["src/core", "src/kind", "src/aws"],
  "src/manifest": ["src/core", "src/kind", "src/monitor"],
  "src/engine": ["src/core", "src/kind", "src/aws"],
  "src/controller": ["src/core", "src/kind", "src/aws", "src/monitor", "src/events", "src/manifest", "src/engine"],
  "src/cli": ["src/core", "src/kind", "src/aws", "src/monitor", "src/events", "src/manifest", "src/engine", "src/controller"],
};

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

type SourceFile = { readonly path: string; readonly text: string };

const product: readonly SourceFile[] = globSync("{src,state,reconcilers,sandbox}/**/*.ts", { cwd: root })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** `src/core/json.ts` -> `src/core`; `state/store.ts` -> `state`. */
function layerOf(path: string): string {
  return path.startsWith("src/") ? path.split("/").slice(0, 2).join("/") : (path.split("/")[0] as string);
}

/** Every import of a file, static and dynamic: `from "x"`, `import "x"`, `import("x")`. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string);
}

function resolved(file: SourceFile): string[] {
  return importsOf(file.text)
    .filter((target) => target.startsWith("."))
    .map((target) => normalize(join(dirname(file.path), target)));
}

test("imports go down only", () => {
  const wrong = product
    .filter((file) => file.path !== "src/main.ts")
    .flatMap((file) => {
      const own = layerOf(file.path);
      const allowed = [own, ...(MAY_IMPORT[own] ?? [])];
      return resolved(file)
        .filter((target) => !allowed.includes(layerOf(target)))
        .map((target) => `${file.path} imports ${target}`);
    });
  assert.deepEqual(wrong, []);
});

test("every folder of the product has a place in the layer rule", () => {
  const folders = new Set(product.filter((file) => file.path !== "src/main.ts").map((file) => layerOf(file.path)));
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in MAY_IMPORT)),
    [],
  );
});

test("a kind's file imports no other kind's file", () => {
  const kinds = product.filter((file) => file.path.startsWith("reconcilers/") && file.path !== "reconcilers/index.ts");
  const wrong = kinds.flatMap((file) => resolved(file).filter((target) => target.startsWith("reconcilers/")));
  assert.deepEqual(wrong, []);
});

test("core imports zod and node alone", () => {
  const outside = product
    .filter((file) => layerOf(file.path) === "src/core")
    .flatMap((file) => importsOf(file.text))
    .filter((target) => !target.startsWith(".") && !target.startsWith("node:") && target !== "zod");
  assert.deepEqual(outside, []);
});

test("no SDK client is loaded before its first call", () => {
  const wrong = product.flatMap(({ path, text }) =>
    [...text.matchAll(/^import (?!type)[^;]*from "(@aws-sdk\/[^"]+)"/gm)].map((match) => `${path} imports ${match[1]} at load`),
  );
  assert.deepEqual(wrong, []);
});

test("shared code knows no kind by name", () => {
  // BEACON's own documents (Project, Environment, ...) are not kinds of resources.
  const literal = /[!=]==\s*"(?!Project"|Environment"|Blueprint"|Monitor")(?:[A-Z][A-Za-z]*|[a-z0-9]+\.aws\/v1[^"]*)"/;
  const wrong = product
    .filter((file) => layerOf(file.path) !== "reconcilers")
    .flatMap(({ path, text }) => text.split("\n").map((line, index) => ({ place: `${path}:${index + 1}`, line })))
    .filter(({ line }) => /\bkind\b/i.test(line) && literal.test(line))
    .map(({ place, line }) => `${place} ${line.trim()}`);
  assert.deepEqual(wrong, []);
});

test(`files stay under ${FILE_LINES_MAX} lines`, () => {
  const wrong = product
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX);
  assert.deepEqual(wrong, []);
});

test(`functions stay within ${FUNCTION_LINES_MAX} lines`, () => {
  const wrong = product.flatMap(({ path, text }) =>
    functionsOf(text)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ line, lines }) => `${path}:${line} has ${lines} lines`),
  );
  assert.deepEqual(wrong, []);
});

/** Functions by the formatter's indentation: from the line that opens a body to the next line that closes at its depth. */
function functionsOf(text: string): { line: number; lines: number }[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const opens = /^(\s*)(?:export |default |async |static |private )*(?:function\b.*|.*=>|(?:#?\w+|get \w+)\(.*\).*) \{$/.exec(line);
    if (!opens || /^\s*(?:if|for|while|switch|\} else|catch|return|with)\b/.test(line)) return [];
    const indent = opens[1] as string;
    const end = lines.findIndex((candidate, at) => at > index && candidate.startsWith(`${indent}}`));
    return end < 0 ? [] : [{ line: index + 1, lines: end - index + 1 }];
  });
}
