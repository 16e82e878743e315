import assert from "node:assert/strict";
import { test } from "node:test";
import { followEvents, showEvents } from "../../src/cli/feed.ts";
import type { StackEvent } from "../../src/core/record.ts";
import { PROD, Scene } from "../state/scene.ts";

const event = (second: number, message: string, more: Partial<StackEvent> = {}): StackEvent => ({
  at: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`,
  type: "Drifted",
  message,
  ...more,
});

test("what comes is shown once, two of one millisecond too; what is amended is shown again, as that", async () => {
  const scene = new Scene();
  await scene.world.run(async () => {
    const { journal } = await scene.actor("controller").acquire();
    const { store, process: runtime } = scene.actor("person");
    const write = async (...events: readonly StackEvent[]) => {
      for (const one of events) journal.event(one);
      await journal.commit();
    };
    await write(event(1, "ingress", { id: "d1" }), event(2, "made"));
    const shown: string[] = [];
    const stop = new AbortController();
    const show = ({ message, count }: StackEvent, amended: boolean) =>
      void shown.push(`${message}${count ? ` x${count}` : ""}${amended ? " (amended)" : ""}`);
    const feed = { store, stack: PROD, runtime, show, signal: stop.signal };
    const seen = await showEvents(feed);
    const following = followEvents(feed, seen);
    assert.deepEqual(shown.splice(0), ["ingress", "made"]);

    await scene.world.sleep(3000);
    assert.deepEqual(shown, [], "nothing is shown twice");
    await write(event(2, "made, too"), event(9, "later"));
    await scene.world.sleep(2000);
    assert.deepEqual(shown.splice(0), ["made, too", "later"], "one of a moment that was shown already is none the less new");
    await write(event(1, "ingress, by ops", { id: "d1", count: 2 }));
    await scene.world.sleep(3000);
    assert.deepEqual(shown.splice(0), ["ingress, by ops x2 (amended)"]);
    stop.abort();
    await following;
  });
});
