import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BeaconError } from "../../src/core/errors.ts";
import type { StackRequest } from "../../src/core/record.ts";
import { DEV, PROD, record, revision, Scene, status } from "./scene.ts";

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;
const pause = (target: "*" | `${string}/${string}`, second = 0, reason = "why"): StackRequest => ({
  type: "pause",
  target,
  until: at(59),
  reason,
  by: "me",
  at: at(second),
});

describe("requests", () => {
  test("anybody writes them, whoever holds the lease; one of each type and target", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      await scene.actor("controller").acquire({ controller: true });
      const { store } = scene.actor("person");
      const requests: readonly StackRequest[] = [
        { type: "approve", digest: "7f3a91c2", by: "me", at: at(1) },
        { type: "check", target: "*", by: "me", at: at(1) },
        { type: "check", target: "VPC/main", by: "me", at: at(1) },
        { type: "hold", digest: "d", reason: "r", by: "me", at: at(1) },
        pause("*"),
        pause("VPC/main"),
        { type: "yield", until: at(30), by: "me", at: at(1) },
      ];
      for (const request of requests) await store.ask(PROD, request);
      assert.deepEqual((await store.news(PROD)).requests, requests);
      assert.deepEqual((await store.load(PROD)).requests, requests);
      assert.deepEqual((await store.news(DEV)).requests, []);
      await store.ask(PROD, pause("*", 2, "a better reason"));
      const found = (await store.news(PROD)).requests;
      assert.equal(found.length, requests.length);
      assert.deepEqual(
        found.find(({ at: when }) => when === at(2)),
        pause("*", 2, "a better reason"),
      );
    });
  });

  test("taken back they are gone; one that was asked anew meanwhile stays, one that is gone is no error", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      await store.ask(PROD, pause("*", 1));
      await store.ask(PROD, pause("VPC/main", 1));
      await store.ask(PROD, pause("*", 2));
      await store.withdraw(PROD, [pause("*", 1), pause("VPC/main", 1), pause("VPC/other", 1)]);
      assert.deepEqual((await store.news(PROD)).requests, [pause("*", 2)]);
      await store.withdraw(PROD, [pause("*", 2)]);
      await store.withdraw(PROD, [pause("*", 2)]);
      assert.deepEqual(await store.news(PROD), { requests: [] });
    });
  });

  test("a damaged one is as good as none, and costs neither the others nor the stack", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      await store.ask(PROD, pause("VPC/main"));
      scene.table.put({ pk: "stack#beacon/prod", sk: "request#check#*", format: 1, at: at(0), data: "{" });
      scene.table.put({ pk: "stack#beacon/prod", sk: "status", format: 1, data: "{" });
      assert.deepEqual(await store.news(PROD), { requests: [pause("VPC/main")] });
      assert.equal((await store.load(PROD)).status, undefined);
    });
  });

  test("one of a newer format is refused, and says so", async () => {
    const scene = new Scene();
    scene.table.put({ pk: "stack#beacon/prod", sk: "request#later#", format: 99, data: "{}" });
    await scene.world.run(() =>
      assert.rejects(scene.actor("a").store.news(PROD), (error) => error instanceof BeaconError && error.code === "StateTooNew"),
    );
  });
});

describe("the news", () => {
  test("are the revision, the requests and the status, and none of the records", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      await lease.journal.putRevision(revision(1));
      for (let n = 0; n < 150; n++) lease.journal.put(record(`VPC/v${n}`));
      lease.journal.status(status({ revision: 1 }));
      await lease.journal.commit();
      const { store } = scene.actor("b");
      await store.ask(PROD, pause("*"));
      assert.deepEqual(await store.news(PROD), { revision: revision(1), requests: [pause("*")], status: status({ revision: 1 }) });
    });
  });

  test("a status leaves with the next heartbeat, though nobody commits", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      lease.journal.status(status({ phase: "Converging" }));
      lease.journal.status(status({ phase: "Synced" }));
      const { store } = scene.actor("b");
      assert.equal((await store.news(PROD)).status, undefined);
      await scene.world.sleep(6000);
      assert.equal((await store.news(PROD)).status?.phase, "Synced");
    });
  });

  test("a status of a holder that was deposed does not get in", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const old = scene.actor("old");
      const lease = await old.acquire();
      old.process.freeze();
      const next = await scene.actor("next").acquire();
      next.journal.status(status({ message: "mine" }));
      await next.journal.commit();
      old.process.thaw();
      lease.journal.status(status({ message: "theirs" }));
      await assert.rejects(lease.journal.commit());
      assert.equal((await scene.actor("b").store.news(PROD)).status?.message, "mine");
    });
  });
});
