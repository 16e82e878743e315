import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./scenario.ts";

// A few of the thousands that `npm run simulation` plays, so that every test run plays some.
const SEEDS = 40;

test(`the first ${SEEDS} seeds come right, and fall silent`, async () => {
  let applies = 0;
  for (let seed = 1; seed <= SEEDS; seed++) applies += (await simulate(seed)).applies;
  assert.ok(applies > 3 * SEEDS, `a story has several applies, and all together had ${applies}`);
});

test("a seed replays exactly", async () => {
  const [first, second] = [await simulate(7), await simulate(7)];
  assert.deepEqual(first.trace, second.trace);
});
