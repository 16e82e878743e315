/** docs/errors.md and docs/operations.md say what the code does: no more and no less. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EXIT_CODES, exitCodeOf } from "../src/cli/exit.ts";
import { REASONS } from "../src/core/condition.ts";
import { ERROR_CODES, type ErrorCode } from "../src/core/errors.ts";

const read = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");

/** The rows of the table under a heading, as cells without backticks. */
function tableUnder(text: string, heading: string): string[][] {
  const section = text.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

test("docs/errors.md lists every error code with its exit code and meaning", () => {
  const expected = Object.entries(ERROR_CODES).map(([code, meaning]) => [
    code,
    String(exitCodeOf(code as ErrorCode)),
    meaning.replaceAll("`", ""),
  ]);
  assert.deepEqual(tableUnder(read("errors.md"), "Error codes"), expected);
});

test("docs/errors.md lists every reason and its meaning", () => {
  const expected = Object.entries(REASONS).map(([reason, meaning]) => [reason, meaning.replaceAll("`", "")]);
  assert.deepEqual(tableUnder(read("errors.md"), "Reasons of conditions"), expected);
});

test("docs/operations.md lists every exit code", () => {
  assert.deepEqual(
    tableUnder(read("operations.md"), "Exit codes"),
    Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning]),
  );
});
