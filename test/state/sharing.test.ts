/** What controllers see of each other: leases in one read, and who lives. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Stack } from "../../src/core/resource.ts";
import { PROD, Scene } from "./scene.ts";

const stackOf = (n: number): Stack => ({ project: `p${n}`, environment: "prod" });

describe("leases", () => {
  test("of many stacks come in one call per hundred; a stack that nobody ever held is left out", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store, process } = scene.actor("a");
      const stacks = Array.from({ length: 205 }, (_, n) => stackOf(n));
      for (const stack of [stackOf(0), stackOf(150), stackOf(204)])
        await store.acquire(stack, { holder: "a", wait: false, controller: true });
      const reads: number[] = [];
      const counting = scene.table.connect(process);
      const { TableStore } = await import("../../state/store.ts");
      const getMany: typeof counting.getMany = (keys) => {
        reads.push(keys.length);
        return counting.getMany(keys);
      };
      const found = await new TableStore({ ...counting, getMany }, process).leases(stacks);
      assert.deepEqual(reads, [100, 100, 5]);
      assert.deepEqual([...found.keys()].toSorted(), ["p0/prod", "p150/prod", "p204/prod"]);
      const { holder, epoch, free, ttlMs, controller } = found.get("p0/prod") ?? {};
      assert.deepEqual({ holder, epoch, free, ttlMs, controller }, { holder: "a", epoch: 1, free: false, ttlMs: 15_000, controller: true });
    });
  });

  test("one that was given up is free, and keeps its epoch; each acquire has an owner of its own", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store, acquire } = scene.actor("a");
      const first = await acquire({ controller: true });
      const owner = (await store.leases([PROD])).get("beacon/prod")?.owner;
      await first.release();
      const freed = (await store.leases([PROD])).get("beacon/prod");
      assert.deepEqual([freed?.free, freed?.epoch], [true, 1]);
      await acquire();
      const again = (await store.leases([PROD])).get("beacon/prod");
      assert.deepEqual([again?.free, again?.epoch, again?.controller], [false, 2, undefined], "a person's apply is no controller");
      assert.notEqual(again?.owner, owner);
    });
  });

  test("a heartbeat that was watched before counts: a dead holder is taken without another TTL", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const dead = scene.actor("dead");
      await dead.acquire({ controller: true });
      dead.process.kill();
      const next = scene.actor("next");
      const seen = (await next.store.leases([PROD])).get("beacon/prod");
      assert.ok(seen);
      const watched = { owner: seen.owner, heartbeat: seen.heartbeat, sinceMs: next.process.monotonic() };
      await scene.world.sleep(seen.ttlMs);
      const startMs = scene.world.elapsedMs;
      await next.acquire({ watched });
      assert.ok(scene.world.elapsedMs - startMs < 200, `${scene.world.elapsedMs - startMs} ms`);
    });
  });

  test("a heartbeat that moved since it was watched is a live holder's", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      await scene.actor("live").acquire({ controller: true });
      const next = scene.actor("next");
      const seen = (await next.store.leases([PROD])).get("beacon/prod");
      assert.ok(seen);
      const watched = { owner: seen.owner, heartbeat: seen.heartbeat, sinceMs: next.process.monotonic() };
      await scene.world.sleep(60_000);
      await assert.rejects(next.acquire({ watched }));
    });
  });
});

describe("members", () => {
  test("are those that beat; one that goes is gone, its beat tells whether it lives", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      assert.deepEqual(await store.members(), []);
      await store.beat("a", 1);
      await store.beat("b", 7);
      await store.beat("a", 2);
      assert.deepEqual(await store.members(), [
        { id: "a", beat: 2 },
        { id: "b", beat: 7 },
      ]);
      await store.beat("b", undefined);
      await store.beat("b", undefined);
      assert.deepEqual(await store.members(), [{ id: "a", beat: 2 }]);
    });
  });

  test("expire by themselves an hour after the last beat", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store, process } = scene.actor("a");
      await store.beat("a", 1);
      const item = scene.table.items.find(({ pk }) => pk === "members");
      const leftS = Number(item?.expiresAt) - process.now() / 1000;
      assert.ok(leftS > 3590 && leftS <= 3600, `${leftS} s`);
    });
  });
});
