import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Yields } from "../../src/controller/yields.ts";
import type { StackRequest } from "../../src/core/record.ts";
import { EPOCH_MS, VirtualWorld } from "../support/virtual-runtime.ts";

const PROD = { project: "beacon", environment: "prod" };

/** Made now by a clock that is `offMs` ahead. */
function asked(world: VirtualWorld, { offMs = 0, forMs = 120_000 } = {}): readonly StackRequest[] {
  const at = EPOCH_MS + world.elapsedMs + offMs;
  return [{ type: "yield", by: "alice", at: new Date(at).toISOString(), until: new Date(at + forMs).toISOString() }];
}

describe("who asked for a stack", () => {
  for (const minutes of [-9, -1, 0, 1, 9]) {
    test(`has it for as long as was asked, by a clock that is ${minutes} minutes ahead`, async () => {
      const world = new VirtualWorld(1);
      const [yields, requests] = [new Yields(world.process("controller")), asked(world, { offMs: minutes * 60_000 })];
      await world.run(async () => {
        assert.equal(yields.isOn(PROD, requests), true);
        await world.sleep(119_000);
        assert.equal(yields.isOn(PROD, requests), true);
        await world.sleep(2_000);
        assert.equal(yields.isOn(PROD, requests), false);
      });
    });
  }

  test("asked again, the time begins anew; taken back, it is over at once", async () => {
    const world = new VirtualWorld(1);
    const yields = new Yields(world.process("controller"));
    await world.run(async () => {
      for (let renewal = 0; renewal < 5; renewal++) {
        const requests = asked(world);
        assert.equal(yields.isOn(PROD, requests), true);
        await world.sleep(90_000);
        assert.equal(yields.isOn(PROD, requests), true);
      }
      assert.equal(yields.isOn(PROD, []), false);
    });
  });

  test("what somebody who is gone left behind counts for nothing", async () => {
    const world = new VirtualWorld(1);
    const requests = asked(world);
    await world.run(async () => {
      await world.sleep(800_000);
      assert.equal(new Yields(world.process("controller")).isOn(PROD, requests), false);
    });
  });
});
