import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WorkQueue } from "../../src/controller/work-queue.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

function scene() {
  const world = new VirtualWorld(1);
  const process = world.process("controller");
  return { world, process, queue: new WorkQueue<string>(process), stop: new AbortController() };
}

/** Takes `times` batches, each with the virtual time it came at. */
async function batches({ world, queue, stop }: ReturnType<typeof scene>, times: number, aheadMs = 0) {
  const taken: { readonly atMs: number; readonly keys: readonly string[] }[] = [];
  for (let round = 0; round < times; round++) {
    const due = await queue.take(stop.signal, aheadMs);
    taken.push({ atMs: Math.round(world.elapsedMs), keys: [...due.keys()].sort() });
  }
  return taken;
}

describe("the work queue", () => {
  test("any number of triggers for one key is one entry, due at the earliest", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("a", 500, "interval");
      one.queue.add("a", 100, "event");
      one.queue.add("a", 900, "retry");
      const due = await one.queue.take(one.stop.signal);
      assert.equal(Math.round(one.world.elapsedMs), 100);
      assert.deepEqual([...(due.get("a")?.triggers ?? [])], ["event"]);
      assert.equal(one.queue.dueMs("a"), undefined, "nothing of it is left");
    });
  });

  test("what is added while its key is worked on is due again", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("a", 0, "event");
      await one.queue.take(one.stop.signal);
      one.queue.add("a", 0, "event");
      one.queue.add("a", 60_000, "interval");
      assert.deepEqual(await batches(one, 1), [{ atMs: 0, keys: ["a"] }]);
    });
  });

  test("an earlier key wakes a wait for a later one; keys of about one time come together", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("late", 1000, "interval");
      one.queue.add("later", 1050, "interval");
      const taken = batches(one, 2, 100);
      await one.process.sleep(200);
      one.queue.add("soon", 50, "event");
      assert.deepEqual(await taken, [
        { atMs: 250, keys: ["soon"] },
        { atMs: 1000, keys: ["late", "later"] },
      ]);
    });
  });

  test("an empty queue waits, and wakes for the first key", async () => {
    const one = scene();
    await one.world.run(async () => {
      const taken = batches(one, 1);
      await one.process.sleep(300);
      one.queue.add("a", 0, "request");
      assert.deepEqual(await taken, [{ atMs: 300, keys: ["a"] }]);
    });
  });

  test("a stop ends the wait, whether a key is there or not", async () => {
    for (const keys of [[], ["a"]]) {
      const one = scene();
      await one.world.run(async () => {
        for (const key of keys) one.queue.add(key, 60_000, "interval");
        const taken = assert.rejects(one.queue.take(one.stop.signal), /enough/);
        await one.process.sleep(10);
        one.stop.abort(new Error("enough"));
        await taken;
      });
    }
  });

  test("a thousand nudges of one key leave one timer and one entry", async () => {
    const one = scene();
    await one.world.run(async () => {
      for (let nudge = 0; nudge < 1000; nudge++) {
        one.queue.add("a", 0, "event");
        await one.queue.take(one.stop.signal);
        one.queue.add("a", 1000, "interval");
      }
      assert.deepEqual(await batches(one, 1), [{ atMs: 1000, keys: ["a"] }]);
      assert.deepEqual(one.queue.backlog(), { depth: 0, oldestMs: 0 });
    });
  });

  test("whoever watches for some triggers is told when a key is due for one of them, and the key stays", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("a", 100, "interval");
      const told = one.queue.whenDue(new Set(["event"]), one.stop.signal).then(() => Math.round(one.world.elapsedMs));
      await one.process.sleep(300);
      one.queue.add("a", 0, "event");
      assert.equal(await told, 300);
      assert.deepEqual(await batches(one, 1), [{ atMs: 300, keys: ["a"] }]);
    });
  });

  test("a trigger that comes sooner than it was to come is told with its key", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("a", 3_600_000, "request");
      one.queue.add("a", 0, "request");
      const due = await one.queue.take(one.stop.signal);
      assert.deepEqual([...(due.get("a")?.triggers ?? [])], ["request"]);
    });
  });

  test("the backlog counts what is due, and how long it has been", async () => {
    const one = scene();
    await one.world.run(async () => {
      one.queue.add("a", 100, "interval");
      one.queue.add("b", 5000, "interval");
      await one.process.sleep(400);
      assert.deepEqual(one.queue.backlog(), { depth: 1, oldestMs: 300 });
      one.queue.drop("a");
      assert.equal(one.queue.backlog().depth, 0);
    });
  });
});
