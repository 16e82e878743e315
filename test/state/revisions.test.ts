import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BeaconError } from "../../src/core/errors.ts";
import type { SourceBundle } from "../../src/core/record.ts";
import type { TableFault } from "../support/memory-table.ts";
import { DEV, PROD, record, revision, Scene, sourceText, status } from "./scene.ts";

const code = (expected: string) => (error: unknown) => error instanceof BeaconError && error.code === expected;
// Random text does not compress: so many characters make a source of several items.
const noise = (scene: Scene, characters: number): string => {
  let text = "";
  while (text.length < characters) text += scene.world.random().toString(36).slice(2);
  return text;
};

describe("accepting without the lease", () => {
  test("a revision lies in the stack, in its history and with its source, while another holds the lease and goes on", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const holder = await scene.actor("controller").acquire({ controller: true });
      const { store } = scene.actor("person");
      await store.accept(PROD, revision(1), sourceText("kind: VPC"));
      const { revision: accepted, lease } = await store.load(PROD);
      assert.deepEqual(accepted, revision(1));
      assert.deepEqual([lease?.holder, lease?.controller], ["controller", true]);
      assert.deepEqual(await store.history(PROD), [revision(1)]);
      assert.deepEqual(await store.source(PROD, 1), sourceText("kind: VPC"));
      assert.deepEqual(await store.stacks(), [PROD]);
      holder.journal.put(record("VPC/main"));
      await holder.journal.commit();
    });
  });

  test("of two that accept at once, one is told that the other came first", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const [a, b] = [scene.actor("a").store, scene.actor("b").store];
      await a.accept(PROD, revision(1), undefined);
      const settled = await Promise.allSettled([
        a.accept(PROD, revision(2, { digest: "a" }), sourceText("a")),
        b.accept(PROD, revision(2, { digest: "b" }), sourceText("b")),
      ]);
      const lost = settled.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      assert.equal(lost.length, 1);
      assert.ok(code("StateConflict")(lost[0]), String(lost[0]));
      const accepted = (await a.load(PROD)).revision?.digest ?? "";
      assert.deepEqual(await a.source(PROD, 2), sourceText(accepted), "the source is the accepted one's");
    });
  });

  test("neither a number that was skipped nor one that is past is accepted", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      await assert.rejects(store.accept(PROD, revision(2), undefined), code("StateConflict"));
      for (const number of [1, 2]) await store.accept(PROD, revision(number), undefined);
      for (const number of [1, 4]) await assert.rejects(store.accept(PROD, revision(number), undefined), code("StateConflict"));
      assert.deepEqual(
        (await store.history(PROD)).map(({ number }) => number),
        [2, 1],
      );
    });
  });

  for (const fault of ["error before", "error after", "lost", "slow", "throttled"] as const satisfies readonly TableFault[]) {
    test(`once and for all, though the first answer is: ${fault}`, async () => {
      let faults = 0;
      const scene = new Scene({ fault: ({ operation }) => (operation === "write" && faults++ === 0 ? fault : undefined) });
      await scene.world.run(async () => {
        const { store } = scene.actor("a");
        await store.accept(PROD, revision(1), sourceText("x"));
        assert.equal((await store.load(PROD)).revision?.number, 1);
        assert.deepEqual(await store.source(PROD, 1), sourceText("x"));
      });
    });
  }

  test("one that a holder writes meanwhile is a conflict for it, too", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      await lease.journal.putRevision(revision(1));
      await scene.actor("b").store.accept(PROD, revision(2), undefined);
      await assert.rejects(lease.journal.putRevision(revision(2, { digest: "mine" })), code("StateConflict"));
      lease.assertHeld();
    });
  });
});

describe("the history", () => {
  test("newest first, up to a limit, each stack its own; outputs that come later are in it", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      for (const number of [1, 2, 3]) await lease.journal.putRevision(revision(number), sourceText(`v${number}`));
      await lease.journal.putRevision(revision(3, { outputs: { vpcId: "vpc-1" } }));
      const { store } = scene.actor("r");
      assert.deepEqual(
        (await store.history(PROD)).map(({ number }) => number),
        [3, 2, 1],
      );
      assert.deepEqual(await store.history(PROD, { limit: 1 }), [revision(3, { outputs: { vpcId: "vpc-1" } })]);
      assert.deepEqual(await store.source(PROD, 3), sourceText("v3"), "outputs alone leave the source");
      assert.deepEqual(await store.history(DEV), []);
    });
  });

  test("fifty are kept, and the sources of what drops out go with it", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      for (let number = 1; number <= 52; number++) await store.accept(PROD, revision(number), sourceText(`v${number}`));
      const numbers = (await store.history(PROD)).map(({ number }) => number);
      assert.deepEqual([numbers.length, numbers[0], numbers.at(-1)], [50, 52, 3]);
      assert.deepEqual([await store.source(PROD, 2), await store.source(PROD, 3)], [undefined, sourceText("v3")]);
      assert.equal(scene.table.items.filter(({ pk }) => pk === "sources#beacon/prod").length, 50);
    });
  });

  test("a large source is kept in chunks, and comes back whole; a missing chunk is a missing source", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      const source = sourceText(noise(scene, 1_200_000));
      await store.accept(PROD, revision(1), source);
      const chunks = scene.table.items.filter(({ pk }) => pk === "sources#beacon/prod");
      assert.ok(chunks.length >= 2 && chunks.length <= 4, `${chunks.length} chunks`);
      assert.deepEqual(await store.source(PROD, 1), source);
      await scene.table.connect(scene.actor("b").process).write([{ remove: { pk: "sources#beacon/prod", sk: chunks.at(-1)?.sk ?? "" } }]);
      assert.equal(await store.source(PROD, 1), undefined);
    });
  });

  test("one that is too large is not kept, and the revision is accepted all the same", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      await store.accept(PROD, revision(1), sourceText(noise(scene, 3_000_000)));
      assert.equal((await store.load(PROD)).revision?.number, 1);
      assert.equal(await store.source(PROD, 1), undefined);
    });
  });

  test("goes with a stack that is deleted; requests and status too", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("a").acquire();
      const { store } = scene.actor("b");
      await lease.journal.putRevision(revision(1), sourceText("x"));
      lease.journal.status(status());
      await store.ask(PROD, { type: "check", target: "*", by: "me", at: "2026-01-01T00:00:00.000Z" });
      await lease.journal.forget();
      await lease.release();
      assert.deepEqual(scene.table.items, []);
    });
  });

  test("a missing table has none", async () => {
    const scene = new Scene();
    scene.table.missing = true;
    await scene.world.run(async () => {
      const { store } = scene.actor("a");
      assert.deepEqual(await store.history(PROD), []);
      assert.deepEqual(await store.news(PROD), { requests: [] });
      await assert.rejects(store.accept(PROD, revision(1), undefined), code("StateTableMissing"));
    });
  });
});

test("a source is the very texts it was", async () => {
  const scene = new Scene();
  const source: SourceBundle = {
    sources: [{ file: "m/ü.yaml", directory: "/home/me/m", text: "kind: VPC\n---\n# ✓\n" }],
    files: { "/home/me/m/user-data.sh": "#!/bin/sh\necho $VAR\r\n" },
    params: ["a=1", 'b="x"'],
    paramsFiles: [{ file: "p.yaml", text: "a: 2\n" }],
    environment: "prod",
    region: "eu-west-1",
    origin: "https://example.com/repo",
  };
  await scene.world.run(async () => {
    const { store } = scene.actor("a");
    await store.accept(PROD, revision(1), source);
    assert.deepEqual(await store.source(PROD, 1), source);
  });
});
