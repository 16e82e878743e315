import assert from "node:assert/strict";
import { test } from "node:test";
import { createStyle } from "../../../src/cli/io.ts";
import { type ErrorView, renderError } from "../../../src/cli/render/error.ts";
import { BeaconError } from "../../../src/core/errors.ts";

const view: ErrorView = { json: false, verbose: false, style: createStyle(false) };
const held = new BeaconError("LeaseHeld", "beacon/prod is being applied by ci@build-7 (pid 4121)", {
  where: "manifests/project.yaml:1:1",
  next: "wait for it with --wait",
  cause: new Error("inner"),
});

test("an error is one block: what, where, what to do", () => {
  assert.deepEqual(renderError(held, view), {
    text: "error: beacon/prod is being applied by ci@build-7 (pid 4121)\n  at manifests/project.yaml:1:1\nnext: wait for it with --wait",
    exitCode: 5,
  });
});

test("--verbose adds the cause", () => {
  assert.match(renderError(held, { ...view, verbose: true }).text, /cause: Error: inner/);
});

test("as JSON an error has its code, and no empty members", () => {
  const { error } = JSON.parse(renderError(held, { ...view, json: true }).text) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error), ["code", "message", "where", "next"]);
  assert.equal(error.code, "LeaseHeld");
});

test("anything else is a bug, says so, and shows its stack only when asked", () => {
  const bug = new TypeError("x is not a function");
  const quiet = renderError(bug, view);
  assert.equal(quiet.exitCode, 70);
  assert.match(quiet.text, /^bug: TypeError: x is not a function\nnext: run it again with --verbose/);
  assert.match(renderError(bug, { ...view, verbose: true }).text, /error\.test\.ts/);
});
