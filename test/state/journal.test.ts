import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BeaconError } from "../../src/core/errors.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { itemBytes } from "../../state/table.ts";
import type { TableFault } from "../support/memory-table.ts";
import { DEV, PROD, record, revision, Scene } from "./scene.ts";

const code = (expected: string) => (error: unknown) => error instanceof BeaconError && error.code === expected;
const FAULTS: readonly TableFault[] = ["error before", "error after", "lost", "slow", "throttled", "conflict"];

describe("records", () => {
  test("what waits leaves together, beside the lease, at most 100 items at a time", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      for (let n = 0; n < 250; n++) lease.journal.put(record(`VPC/v${n}`));
      await lease.journal.commit();
      assert.deepEqual(
        scene.table.effects.slice(1).map(({ writes }) => writes.length),
        [100, 100, 53],
      );
      assert.equal((await scene.actor("r").store.load(PROD)).records.size, 250);
    });
  });

  test("no transaction is larger than DynamoDB takes", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      // Random text does not compress.
      const noise = () => Array.from({ length: 9000 }, () => scene.world.random().toString(36)).join("");
      for (let n = 0; n < 60; n++) lease.journal.put(record(`VPC/v${n}`, { observed: { noise: noise() } }));
      await lease.journal.commit();
      assert.ok(scene.table.effects.length > 2);
      assert.equal((await scene.actor("r").store.load(PROD)).records.size, 60);
    });
  });

  test("many commits at once cost two transactions: the one under way, and one for all that came after", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      const commits = Array.from({ length: 40 }, async (_, n) => {
        if (n > 0) await scene.world.sleep(1);
        lease.journal.put(record(`VPC/v${n}`));
        await lease.journal.commit();
      });
      await Promise.all(commits);
      assert.equal(scene.table.effects.length, 1 + 2);
    });
  });

  test("a commit that gathers takes along what comes within so long of it, and waits for nothing where nothing is queued", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a", { gatherMs: 10 }).acquire();
      const before = scene.table.effects.length;
      const commits = Array.from({ length: 8 }, async (_, n) => {
        await scene.world.sleep(1 + n);
        lease.journal.put(record(`VPC/v${n}`));
        await lease.journal.commit();
      });
      await Promise.all(commits);
      assert.equal(scene.table.effects.length - before, 1);
      const startedMs = scene.world.elapsedMs;
      await lease.journal.commit();
      assert.equal(scene.world.elapsedMs, startedMs);
    });
  });

  test("of several versions of a record the last is written, and a removal counts as one", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      journal.put(record("VPC/main", { id: "vpc-1" }));
      journal.put(record("VPC/main", { id: "vpc-2" }));
      journal.put(record("VPC/gone"));
      journal.remove("VPC/gone");
      await journal.commit();
      const { records } = await scene.actor("r").store.load(PROD);
      assert.deepEqual([...records.keys()], ["VPC/main"]);
      assert.equal(records.get("VPC/main")?.id, "vpc-2");
      journal.remove("VPC/main");
      await journal.commit();
      assert.equal((await scene.actor("r").store.load(PROD)).records.size, 0);
    });
  });

  test("a commit with nothing to write writes nothing, and resolves after what is under way", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      journal.put(record("VPC/main"));
      void journal.commit();
      await journal.commit();
      assert.equal(scene.table.effects.length, 2);
      assert.ok(scene.table.items.some(({ sk }) => sk === "record#VPC/main"));
    });
  });

  for (const fault of FAULTS) {
    test(`a commit that meets ${fault} once is durable, once`, async () => {
      let faults = 0;
      const scene = new Scene({ fault: ({ writes }) => (writes.length > 1 && faults++ === 0 ? fault : undefined) });
      await scene.world.run(async () => {
        const lease = await scene.actor("a").acquire();
        lease.journal.put(record("VPC/main", { id: "vpc-1" }));
        await lease.journal.commit();
        assert.equal(scene.table.effects.filter(({ writes }) => writes.length > 1).length, 1);
        assert.equal((await scene.actor("r").store.load(PROD)).records.get("VPC/main")?.id, "vpc-1");
        lease.assertHeld();
      });
    });
  }

  test("records that come back are as they were written, large and small", async () => {
    const scene = new Scene();
    const large = record("VPC/large", { observed: { text: "0123456789".repeat(20_000), list: [1, null, { a: true }] } });
    const small = record("Subnet/public-1", { intent: { generation: 2, token: "t", revision: 3, openedAt: 4, misses: 5 } });
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      journal.put(large);
      journal.put(small);
      await journal.commit();
      const { records } = await scene.actor("r").store.load(PROD);
      assert.deepEqual(records.get("VPC/large"), large);
      assert.deepEqual(records.get("Subnet/public-1"), small);
      const stored = scene.table.items.find(({ sk }) => sk === "record#VPC/large");
      assert.ok(stored && itemBytes(stored) < 10_000, "200 KB of text that repeats itself are stored compressed");
    });
  });
});

describe("revisions", () => {
  test("a revision follows the one before it, and may be written again with its outputs", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      const { store } = scene.actor("r");
      await journal.putRevision(revision(1));
      await journal.putRevision(revision(1, { outputs: { vpcId: "vpc-1" } }));
      assert.deepEqual((await store.load(PROD)).revision?.outputs, { vpcId: "vpc-1" });
      await journal.putRevision(revision(2));
      assert.equal((await store.load(PROD)).revision?.number, 2);
    });
  });

  test("a revision that moved meanwhile is a conflict, and the lease goes on", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      await lease.journal.putRevision(revision(1));
      await lease.journal.putRevision(revision(2));
      await assert.rejects(lease.journal.putRevision(revision(2, { digest: "another" })), code("StateConflict"));
      await assert.rejects(lease.journal.putRevision(revision(4)), code("StateConflict"));
      await assert.rejects(lease.journal.putRevision(revision(1)), code("StateConflict"));
      lease.assertHeld();
      lease.journal.put(record("VPC/main"));
      await lease.journal.commit();
      assert.equal((await scene.actor("r").store.load(PROD)).revision?.digest, "digest-2");
    });
  });

  for (const fault of FAULTS) {
    test(`a revision whose write meets ${fault} is no conflict with itself`, async () => {
      let faults = 0;
      const scene = new Scene({ fault: ({ writes }) => (writes.length > 1 && faults++ === 0 ? fault : undefined) });
      await scene.world.run(async () => {
        const { journal } = await scene.actor("a").acquire();
        await journal.putRevision(revision(1));
        await journal.putRevision(revision(2));
        assert.equal((await scene.actor("r").store.load(PROD)).revision?.number, 2);
      });
    });
  }

  test("a large revision is kept in pieces, and a smaller one after it leaves nothing of it behind in sight", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      const { store } = scene.actor("r");
      const resources = Array.from({ length: 60_000 }, () => `VPC/${scene.world.random().toString(36)}` as ResourceKey);
      const large = revision(1, { resources });
      await journal.putRevision(large);
      assert.ok(scene.table.items.some(({ sk }) => sk === "revision#1"));
      assert.deepEqual((await store.load(PROD)).revision, large);
      await journal.putRevision(revision(2));
      assert.deepEqual((await store.load(PROD)).revision, revision(2));
      await journal.forget();
      assert.deepEqual(
        scene.table.items.map(({ sk }) => sk),
        ["lease"],
      );
    });
  });
});

describe("the rest of the memory", () => {
  test("events come back in order, newest last, cut and filtered, apart from the records", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { journal } = await scene.actor("a").acquire();
      const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
      journal.event({ at: at(1), resource: "VPC/main", type: "Created", message: "one" });
      journal.event({ at: at(1), resource: "VPC/main", type: "Updated", message: "two" });
      journal.event({ at: at(2), type: "LeaseTaken", message: "three" });
      journal.event({ at: at(3), resource: "VPC/main", type: "Drifted", message: "four" });
      await journal.commit();
      const { store } = scene.actor("r");
      const said = async (options: object) => (await store.events(PROD, options)).map(({ message }) => message);
      assert.deepEqual(await said({}), ["one", "two", "three", "four"]);
      assert.deepEqual(await said({ limit: 2 }), ["three", "four"]);
      assert.deepEqual(await said({ resource: "VPC/main", limit: 2 }), ["two", "four"]);
      assert.deepEqual(await said({ after: at(1) }), ["three", "four"]);
      assert.deepEqual(await store.events(DEV), []);
      const item = scene.table.items.find(({ pk }) => pk === "events#beacon/prod");
      assert.equal(item?.expiresAt, Date.parse(at(1)) / 1000 + 30 * 86_400);
    });
  });

  test("the table knows the stacks that have a revision; a forgotten one leaves only its events", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const actor = scene.actor("a");
      const lease = await actor.acquire();
      await lease.journal.putRevision(revision(1));
      const other = await actor.store.acquire(DEV, { holder: "a", wait: false });
      await other.journal.putRevision(revision(1));
      assert.deepEqual(await actor.store.stacks(), [DEV, PROD]);
      lease.journal.put(record("VPC/main"));
      lease.journal.event({ at: "2026-01-01T00:00:00.000Z", type: "Deleted", message: "all" });
      await lease.journal.forget();
      await lease.release();
      assert.deepEqual(await actor.store.stacks(), [DEV]);
      assert.ok(!scene.table.items.some(({ pk }) => pk === "stack#beacon/prod"));
      assert.equal((await actor.store.events(PROD)).length, 1);
    });
  });

  test("a release of a forgotten stack whose answer is lost is done all the same", async () => {
    let fault: TableFault | undefined;
    const scene = new Scene({ fault: ({ operation }) => (operation === "write" ? fault : undefined) });
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      await lease.journal.forget();
      lease.journal.event({ at: "2026-01-01T00:00:00.000Z", type: "Deleted", message: "all" });
      fault = "error after";
      const releasing = lease.release();
      await scene.world.sleep(30);
      fault = undefined;
      await releasing;
      assert.equal(scene.lease(), undefined);
    });
  });

  test("a missing table reads as nothing", async () => {
    const scene = new Scene();
    scene.table.missing = true;
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      assert.deepEqual(await store.load(PROD), { records: new Map(), requests: [] });
      assert.deepEqual(await store.events(PROD), []);
      assert.deepEqual(await store.stacks(), []);
    });
  });

  test("a table that cannot be reached is tried a few times, then said in one line", async () => {
    let calls = 0;
    const scene = new Scene({ fault: () => (calls++ < 1000 ? "error before" : undefined) });
    await scene.world.run(async () => {
      await assert.rejects(scene.actor("a").store.load(PROD), (error) => error instanceof BeaconError);
      assert.equal(calls, 6);
      calls = 995;
      assert.equal((await scene.actor("a").store.load(PROD)).records.size, 0);
    });
  });

  test("the state shows who holds the lease, and nobody once it is free", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const actor = scene.actor("a");
      const lease = await actor.acquire();
      assert.equal((await actor.store.load(PROD)).lease?.holder, "a");
      await lease.release();
      assert.equal((await actor.store.load(PROD)).lease, undefined);
    });
  });

  test("an item of a newer format is refused, naming both formats", async () => {
    const scene = new Scene();
    scene.table.put({ pk: "stack#beacon/prod", sk: "record#VPC/main", format: 2, data: "{}" });
    await scene.world.run(async () => {
      await assert.rejects(
        scene.actor("a").store.load(PROD),
        (error) => code("StateTooNew")(error) && /format 2.*up to 1/.test((error as Error).message),
      );
    });
  });

  test("a record that cannot be read is as good as lost; a revision or a lease is not", async () => {
    const pk = "stack#beacon/prod";
    const damaged = [
      { pk, sk: "record#VPC/main", format: 1, data: "{garbage" },
      { pk, sk: "record#VPC/bytes", format: 1, data: new Uint8Array([1, 2, 3]) },
      { pk, sk: "record#VPC/none", format: 1 },
      { pk, sk: "record#VPC/other", format: 1, data: '{"key":"VPC/main"}' },
    ];
    const scene = new Scene();
    for (const item of damaged) scene.table.put(item);
    await scene.world.run(async () => assert.equal((await scene.actor("a").store.load(PROD)).records.size, 0));
    scene.table.put({ pk, sk: "revision", format: 1, number: 3, chunks: 1, data: new Uint8Array([1, 2, 3]) });
    await scene.world.run(() => assert.rejects(scene.actor("a").store.load(PROD), code("StateDamaged")));
    const leased = new Scene();
    leased.table.put({ pk, sk: "lease", format: 1 });
    await leased.world.run(() => assert.rejects(leased.actor("a").acquire(), code("StateDamaged")));
  });
});
