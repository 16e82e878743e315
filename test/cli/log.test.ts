import assert from "node:assert/strict";
import { test } from "node:test";
import { textLine } from "../../src/cli/log.ts";

test("a log line as text: time, level, message, and the facts as fields", () => {
  const line = JSON.stringify({
    level: "info",
    time: "2026-11-23T14:03:10.123Z",
    msg: "run ended",
    stack: "beacon/prod",
    calls: 61,
    interrupted: false,
  });
  assert.equal(textLine(line), "14:03:10.123  info   run ended  stack=beacon/prod  calls=61  interrupted=false\n");
});
