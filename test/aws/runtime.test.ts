import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, systemRuntime } from "../../src/aws/runtime.ts";

test("ids have 26 lower-case characters and differ", () => {
  const ids = Array.from({ length: 100 }, () => systemRuntime.uid());
  assert.ok(ids.every((id) => /^[0-9a-z]{26}$/.test(id)));
  assert.equal(new Set(ids).size, ids.length);
});

test("an aborted sleep rejects with the signal's own reason, before and during", async () => {
  const reason = new Error("lease lost");
  await assert.rejects(systemRuntime.sleep(60_000, AbortSignal.abort(reason)), reason);
  const control = new AbortController();
  const sleeping = systemRuntime.sleep(60_000, control.signal);
  control.abort(reason);
  await assert.rejects(sleeping, reason);
});

test("a back-off doubles up to its cap and is never above it", () => {
  let next = 0;
  const runtime = { uid: () => `id-${next++}` };
  const longest = (attempt: number) => Math.max(...Array.from({ length: 200 }, () => backoffMs(runtime, attempt, 100, 1000)));
  assert.ok(longest(0) <= 100 && longest(0) > 80);
  assert.ok(longest(2) <= 400 && longest(2) > 320);
  assert.ok(longest(20) <= 1000 && longest(20) > 800);
});
