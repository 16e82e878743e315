import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualWorld } from "./virtual-runtime.ts";

test("an hour passes at once, and sleepers wake in the order of their times", async () => {
  const world = new VirtualWorld();
  const woken: string[] = [];
  const process = world.process("a");
  await world.run(async () => {
    const late = process.sleep(3_600_000).then(() => woken.push("late"));
    const early = process.sleep(10).then(() => woken.push("early"));
    await Promise.all([late, early]);
  });
  assert.deepEqual(woken, ["early", "late"]);
  assert.equal(world.elapsedMs, 3_600_000);
});

test("the same seed gives the same interleaving, other seeds others", async () => {
  const order = async (seed: number) => {
    const world = new VirtualWorld(seed);
    const woken: number[] = [];
    await world.run(() => Promise.all([1, 2, 3, 4, 5, 6].map((n) => world.sleep(1).then(() => woken.push(n)))));
    return woken.join("");
  };
  assert.equal(await order(7), await order(7));
  const seen = new Set(await Promise.all([1, 2, 3, 4, 5].map(order)));
  assert.ok(seen.size > 1);
});

test("a killed process stops at its await; a frozen one goes on late, with its clock moved on", async () => {
  const world = new VirtualWorld();
  const [dead, frozen] = [world.process("dead"), world.process("frozen")];
  let reached = false;
  let slept = 0;
  await world.run(async () => {
    void dead.sleep(10).then(() => {
      reached = true;
    });
    const start = frozen.monotonic();
    const waking = frozen.sleep(10).then(() => {
      slept = frozen.monotonic() - start;
    });
    dead.kill();
    frozen.freeze();
    await world.sleep(1000);
    frozen.thaw();
    await waking;
  });
  assert.equal(reached, false);
  assert.equal(slept, 1000);
});

test("an aborted sleep rejects with the reason, and leaves no wake-up behind", async () => {
  const world = new VirtualWorld();
  const control = new AbortController();
  const reason = new Error("lost");
  await world.run(async () => {
    const sleeping = world.process("a").sleep(5000, control.signal);
    control.abort(reason);
    await assert.rejects(sleeping, reason);
  });
  assert.equal(world.elapsedMs, 0);
});

test("a run that nothing can wake says so instead of hanging", async () => {
  const world = new VirtualWorld(42);
  await assert.rejects(
    world.run(() => new Promise(() => {})),
    /seed 42: .*nothing is left that could wake it/,
  );
});
