import assert from "node:assert/strict";
import { test } from "node:test";
import { TTL_MS } from "../../../state/store.ts";
import { type SharingStory, simulateSharing } from "./scenario.ts";

// A few of the hundred that `npm run simulation` plays, so that every test run plays some.
const SEEDS = 8;

test(`${SEEDS} seeds of replicas that share stacks: each in one hand, none dropped, none moved without need`, async () => {
  const stories: SharingStory[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) stories.push(await simulateSharing(seed));
  const calm = stories.filter(({ isHard }) => !isHard);
  const all = (of: (story: SharingStory) => readonly number[]) => calm.flatMap(of).toSorted((left, right) => left - right);
  const takeovers = all(({ takeoverMs }) => takeoverMs);
  assert.ok(takeovers.length > 0 && (takeovers.at(-1) ?? 0) < TTL_MS + 2_000, `takeovers took ${takeovers} ms`);
  assert.ok((takeovers[0] ?? 0) > TTL_MS * 0.5, "a lease was taken from a holder that could still have been alive");
  assert.ok(all(({ handoverMs }) => handoverMs).length > 0, "nobody was told to stop");
  assert.ok(all(({ driftMs }) => driftMs).length > 100, "the hand did next to nothing");
});

test("a seed replays exactly", async () => {
  const [first, second] = [await simulateSharing(4), await simulateSharing(4)];
  assert.deepEqual(first.trace, second.trace);
});
