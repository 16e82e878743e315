import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BeaconError } from "../../src/core/errors.ts";
import type { Lease } from "../../src/core/store.ts";
import type { TableFault } from "../support/memory-table.ts";
import type { VirtualProcess, VirtualWorld } from "../support/virtual-runtime.ts";
import { DEV, PROD, record, Scene, timed } from "./scene.ts";

const TTL_MS = 15_000;
const code = (expected: string) => (error: unknown) => error instanceof BeaconError && error.code === expected;

describe("acquire", () => {
  test("a lease nobody has is taken at once, and one that was given up too, with the next epoch", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const first = await scene.actor("a").acquire();
      assert.equal(first.epoch, 1);
      await first.release();
      const waitedMs = await timed(scene, async () => assert.equal((await scene.actor("b").acquire()).epoch, 2));
      assert.ok(waitedMs < 100, `${waitedMs} ms`);
    });
  });

  test("while the holder lives, a second is refused within one beat, and told who it is and since when", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      await scene.actor("ci@build-7 (pid 4121)").acquire();
      await scene.world.sleep(60_000);
      const waitedMs = await timed(scene, () =>
        assert.rejects(scene.actor("b").acquire(), (error) => {
          assert.ok(error instanceof BeaconError && error.code === "LeaseHeld");
          assert.equal(error.message, "beacon/prod is being applied by ci@build-7 (pid 4121) since 00:00:00 UTC (heartbeat 1 s ago)");
          assert.match(error.next ?? "", /--wait/);
          return true;
        }),
      );
      assert.ok(waitedMs < TTL_MS / 3 + 1200, `${waitedMs} ms`);
    });
  });

  test("a dead holder's lease is taken after one TTL, with a countdown, whatever the clocks say", async () => {
    const scene = new Scene();
    const left: number[] = [];
    await scene.world.run(async () => {
      const dead = scene.actor("dead", { skewMs: 3_600_000 });
      await dead.acquire();
      dead.process.kill();
      const next = scene.actor("next", { skewMs: -3_600_000 });
      const waitedMs = await timed(scene, async () => {
        const lease = await next.acquire({ onWatch: (_, secondsLeft) => left.push(secondsLeft) });
        assert.equal(lease.epoch, 2);
      });
      assert.ok(waitedMs >= TTL_MS && waitedMs < TTL_MS + 500, `${waitedMs} ms`);
    });
    assert.equal(left[0], 15);
    assert.equal(left.at(-1), 1);
    assert.ok(left.length >= 15 && left.length <= 17);
  });

  test("with --wait, a live holder is waited for, and followed at once when it is done", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      const waiting = scene.actor("b").acquire({ wait: true });
      await scene.world.sleep(100_000);
      await lease.release();
      const waitedMs = await timed(scene, () => waiting);
      assert.ok(waitedMs < 1100, `${waitedMs} ms`);
    });
  });

  test("a wait ends with its signal", async () => {
    const scene = new Scene();
    const control = new AbortController();
    await scene.world.run(async () => {
      await scene.actor("a").acquire();
      const waiting = scene.actor("b").acquire({ wait: true, signal: control.signal });
      await scene.world.sleep(500);
      control.abort(new Error("enough"));
      await assert.rejects(waiting, /enough/);
    });
  });

  test("of many that find a dead holder, one takes its lease", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const dead = scene.actor("dead");
      await dead.acquire();
      dead.process.kill();
      const tries = await Promise.allSettled(["a", "b", "c", "d"].map((name) => scene.actor(name).acquire()));
      assert.deepEqual(tries.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected", "rejected"]);
      const refused = tries.filter((tried) => tried.status === "rejected").map(({ reason }) => (reason as BeaconError).code);
      assert.deepEqual(new Set(refused), new Set(["LeaseHeld"]));
    });
  });

  test("stacks do not disturb each other", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      await scene.actor("a").acquire();
      const b = scene.actor("b");
      const other = await b.store.acquire(DEV, { holder: "b", wait: false });
      assert.equal(other.epoch, 1);
    });
  });

  test("a missing table says what to do", async () => {
    const scene = new Scene();
    scene.table.missing = true;
    await scene.world.run(() => assert.rejects(scene.actor("a").acquire(), code("StateTableMissing")));
  });

  test("a lease written by a newer beaconctl is not touched", async () => {
    const scene = new Scene();
    scene.table.put({ pk: "stack#beacon/prod", sk: "lease", format: 2 });
    await scene.world.run(() => assert.rejects(scene.actor("a").acquire(), code("StateTooNew")));
    assert.equal(scene.table.effects.length, 0);
  });

  for (const fault of ["error before", "error after", "lost", "slow", "throttled", "conflict"] as const) {
    test(`an acquire whose write meets ${fault} ends with one lease, its own`, async () => {
      let faults = 0;
      const scene = new Scene({ fault: ({ operation }) => (operation === "write" && faults++ === 0 ? fault : undefined) });
      await scene.world.run(async () => {
        const lease = await scene.actor("a").acquire();
        assert.equal(lease.epoch, 1);
        lease.assertHeld();
        lease.journal.put(record("VPC/main"));
        await lease.journal.commit();
      });
    });
  }
});

describe("holding", () => {
  test("a quiet holder writes only its heartbeat, three times per TTL", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      await scene.world.sleep(10 * TTL_MS);
      lease.assertHeld();
      await lease.journal.commit();
      assert.ok(Math.abs(scene.table.effects.length - 31) <= 1, `${scene.table.effects.length} writes`);
      assert.ok(scene.table.effects.every(({ writes }) => writes.length === 1));
    });
  });

  test("records that renew the lease make heartbeats unnecessary", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      for (let times = 0; times < 30; times++) {
        lease.journal.put(record("VPC/main"));
        await lease.journal.commit();
        await scene.world.sleep(1000);
      }
      assert.equal(scene.table.effects.filter(({ writes }) => writes.length === 1).length, 1);
    });
  });

  test("when the table is out of reach, the lease ends before anybody may take it, and calls are told", async () => {
    let down = false;
    const scene = new Scene({ fault: ({ operation }) => (down && operation === "write" ? "error before" : undefined) });
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      const startMs = scene.world.elapsedMs;
      down = true;
      let endedMs = 0;
      lease.signal.addEventListener("abort", () => {
        endedMs = scene.world.elapsedMs - startMs;
      });
      await scene.world.sleep(TTL_MS);
      assert.ok(endedMs > TTL_MS * 0.8 && endedMs < TTL_MS - 1000, `ended after ${endedMs} ms`);
      assert.throws(() => lease.assertHeld(), code("LeaseLost"));
      assert.ok(code("LeaseLost")(lease.signal.reason));
    });
  });

  test("a holder frozen past its time starts nothing when it wakes, and the next one's records stand", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const frozen = scene.actor("frozen");
      const old = await frozen.acquire();
      frozen.process.freeze();
      const next = await scene.actor("next").acquire();
      next.journal.put(record("VPC/main", { id: "new" }));
      await next.journal.commit();
      frozen.process.thaw();
      assert.throws(() => old.assertHeld(), code("LeaseLost"));
      old.journal.put(record("VPC/main", { id: "old" }));
      await assert.rejects(old.journal.commit(), (error) => code("LeaseLost")(error) && /it passed to next/.test((error as Error).message));
      const { records } = await scene.actor("reader").store.load(PROD);
      assert.equal(records.get("VPC/main")?.id, "new");
      next.assertHeld();
    });
  });

  test("records still get out after the deadline while nobody took the lease, but the lease stays lost", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const frozen = scene.actor("frozen");
      const lease = await frozen.acquire();
      frozen.process.freeze();
      await scene.world.sleep(3 * TTL_MS);
      frozen.process.thaw();
      lease.journal.put(record("VPC/main", { id: "vpc-1" }));
      await lease.journal.commit();
      assert.throws(() => lease.assertHeld(), code("LeaseLost"));
      const { records } = await scene.actor("reader").store.load(PROD);
      assert.equal(records.get("VPC/main")?.id, "vpc-1");
    });
  });

  test("the deadline counts from the first send of a renewal whose answer was lost", async () => {
    let fault: TableFault | undefined;
    const scene = new Scene({ fault: ({ operation }) => (operation === "write" ? fault : undefined) });
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      fault = "lost";
      lease.journal.put(record("VPC/main"));
      const committing = lease.journal.commit();
      await scene.world.sleep(100);
      const effectMs = scene.world.elapsedMs;
      fault = undefined;
      await committing;
      fault = "error before";
      let endedMs = 0;
      lease.signal.addEventListener("abort", () => {
        endedMs = scene.world.elapsedMs;
      });
      await scene.world.sleep(2 * TTL_MS);
      assert.ok(endedMs - effectMs < TTL_MS - 1000, `ended ${endedMs - effectMs} ms after the heartbeat others see`);
    });
  });

  test("a renewal that arrives late does not undo a newer one", async () => {
    let fault: TableFault | undefined;
    const scene = new Scene({ fault: ({ operation }) => (operation === "write" ? fault : undefined) });
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      fault = "slow";
      lease.journal.put(record("VPC/main", { id: "old" }));
      const committing = lease.journal.commit();
      await scene.world.sleep(10);
      fault = undefined;
      await committing;
      lease.journal.put(record("VPC/main", { id: "new" }));
      await lease.journal.commit();
      await scene.world.sleep(20_000);
      const { records } = await scene.actor("reader").store.load(PROD);
      assert.equal(records.get("VPC/main")?.id, "new");
      lease.assertHeld();
    });
  });

  test("when the state is lost under a holder and another begins anew, the old one's writes are refused, though epochs repeat", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const old = await scene.actor("old").acquire();
      scene.table.clear();
      const next = await scene.actor("next").acquire();
      assert.equal(next.epoch, old.epoch);
      old.journal.put(record("VPC/main"));
      await assert.rejects(old.journal.commit(), code("LeaseLost"));
      next.assertHeld();
    });
  });

  test("a table that vanishes ends the lease and says so", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      scene.table.missing = true;
      lease.journal.put(record("VPC/main"));
      await assert.rejects(lease.journal.commit(), code("StateTableMissing"));
      assert.ok(lease.signal.aborted);
    });
  });
});

describe("release and unlock", () => {
  test("release flushes, frees the lease, keeps its epoch, and can be repeated", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      lease.journal.put(record("VPC/main"));
      await Promise.all([lease.release(), lease.release()]);
      await lease.release();
      assert.equal(scene.table.effects.length, 2, "the last records and the release are one write");
      assert.deepEqual([scene.lease()?.free, scene.lease()?.epoch], [true, 1]);
      assert.ok(scene.table.items.some(({ sk }) => sk === "record#VPC/main"));
      assert.throws(() => lease.assertHeld(), code("LeaseLost"));
      const writes = scene.table.effects.length;
      await scene.world.sleep(10 * TTL_MS);
      assert.equal(scene.table.effects.length, writes, "its heart has stopped");
    });
  });

  test("a lease lost to another is released without a word, unless records did not get out", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const holder = scene.actor("a");
      const lease = await holder.acquire();
      await scene.actor("b").store.unlock(PROD);
      lease.journal.put(record("VPC/main"));
      await assert.rejects(lease.release(), code("LeaseLost"));
      const second = await holder.acquire();
      await scene.actor("b").store.unlock(PROD);
      await second.release();
    });
  });

  test("unlock frees a live lease, names who lost it, and its holder is told at its next write", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      const other = scene.actor("b");
      assert.equal((await other.store.unlock(PROD))?.holder, "a");
      assert.equal(await other.store.unlock(PROD), undefined);
      await assert.rejects(
        (async () => {
          lease.journal.put(record("VPC/main"));
          await lease.journal.commit();
        })(),
        code("LeaseLost"),
      );
      assert.equal((await other.acquire()).epoch, 3);
    });
  });
});

describe("over many seeds", () => {
  const FAULTS: readonly TableFault[] = ["error before", "error after", "throttled", "conflict", "lost", "slow"];

  /** Three processes fight for one lease while calls fail and processes freeze and die. */
  async function fight(seed: number): Promise<void> {
    const scene = new Scene({
      seed,
      fault: () => (scene.world.chance(0.2) ? FAULTS[scene.world.between(0, FAULTS.length - 1)] : undefined),
    });
    let epochInTable = 0;
    scene.table.onEffect = ({ writes, process }) => {
      const record = writes.find((write) => "put" in write && write.put.sk.startsWith("record#"));
      if (!record || !("put" in record)) return;
      assert.ok(Number(record.put.epoch) >= epochInTable, `${process.name}, deposed, wrote a record`);
      epochInTable = Number(record.put.epoch);
    };
    let epochAsserted = 0;
    const assertHeld = (lease: Lease): void => {
      lease.assertHeld();
      assert.ok(lease.epoch >= epochAsserted, `${lease.holder}, deposed, may still start calls`);
      epochAsserted = lease.epoch;
    };
    await scene.world.run(async () => {
      await Promise.all(["a", "b", "c"].map((name) => Promise.race([life(scene, name, assertHeld), scene.world.sleep(400_000)])));
      assertHeld(await scene.actor("last").acquire({ wait: true }));
    });
  }

  async function life(scene: Scene, name: string, assertHeld: (lease: Lease) => void): Promise<void> {
    const { world } = scene;
    const actor = scene.actor(name, { skewMs: world.between(-100_000, 100_000), rate: 1 + world.between(-5, 5) / 1000 });
    void trouble(world, actor.process);
    const lease = await actor.acquire({ wait: true });
    try {
      for (let steps = 0; steps < 150; steps++) {
        assertHeld(lease);
        if (steps % 10 === 0) {
          lease.journal.put(record("VPC/main", { id: `${name}-${lease.epoch}` }));
          await lease.journal.commit();
        }
        await actor.process.sleep(world.between(0, 400));
      }
    } catch (error) {
      if (!code("LeaseLost")(error)) throw error;
    }
    await lease.release().catch(() => {});
  }

  async function trouble(world: VirtualWorld, process: VirtualProcess): Promise<void> {
    await world.sleep(world.between(0, 60_000));
    if (world.chance(0.3)) return process.kill();
    process.freeze();
    await world.sleep(world.between(0, 40_000));
    process.thaw();
  }

  test("a deposed holder starts nothing, none of its writes takes effect, and the lease can always be had again", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      await fight(seed).catch((error) => {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      });
    }
  });
});
