/** docs/errors.md and docs/operations.md say what the code does: no more and no less. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { consentOptions } from "../src/cli/asking.ts";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { EXIT_CODES, exitCodeOf } from "../src/cli/exit.ts";
import { awsOptions, commonOptions, type OptionDefinition, sandboxOptions, sourceOptions } from "../src/cli/options.ts";
import { stackOption } from "../src/cli/session.ts";
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

const SHARED: Readonly<Record<string, readonly OptionDefinition[]>> = {
  manifests: sourceOptions,
  stack: [stackOption],
  AWS: awsOptions.filter((option) => !sandboxOptions.includes(option)),
  sandbox: sandboxOptions,
  consent: consentOptions,
  every: commonOptions,
};

test("docs/operations.md lists every option that commands share", () => {
  const expected = Object.entries(SHARED).flatMap(([group, options]) =>
    options.map(({ flags, description }) => [group, flags, description]),
  );
  assert.deepEqual(tableUnder(read("operations.md"), "Options that commands share"), expected);
});

test("docs/operations.md lists every command, with what it shares, its own options and its formats", async () => {
  const expected = await Promise.all(
    COMMANDS.map(async ({ name, summary, load }) => {
      const { options } = await load();
      const groups = Object.keys(SHARED).filter((group) => SHARED[group]?.every((option) => options.includes(option)));
      const shared = groups.flatMap((group) => SHARED[group] ?? []);
      const own = options.filter((option) => !shared.includes(option) && !option.flags.startsWith("-o"));
      const formats = options.find(({ flags }) => flags.startsWith("-o"))?.choices ?? [];
      return [name, summary, groups.join(", "), own.map(({ flags }) => flags).join(", "), formats.join(" ")];
    }),
  );
  assert.deepEqual(tableUnder(read("operations.md"), "Commands"), expected);
});

test("docs/operations.md lists every environment variable of BEACON's own", () => {
  const files = ["src", "state", "sandbox"].flatMap((folder) =>
    globSync(`${folder}/**/*.{ts,py}`, { cwd: new URL("..", import.meta.url), exclude: ["**/node_modules/**"] }),
  );
  const sources = files.map((file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8"));
  const used = new Set(sources.flatMap((text) => text.match(/BEACON_[A-Z_]+/g) ?? []));
  const listed = tableUnder(read("operations.md"), "Environment variables").flatMap(([name = ""]) => name.match(/BEACON_[A-Z_]+/g) ?? []);
  assert.deepEqual(listed.toSorted(), [...used].toSorted());
});
