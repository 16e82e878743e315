import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../src/aws/handle.ts";
import { BOOTSTRAP_OPERATIONS, STATE_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { bootstrap } from "../../state/bootstrap.ts";
import { condition, DynamoTable } from "../../state/dynamo-table.ts";
import { isTableMissing } from "../../state/patience.ts";
import { TableStore } from "../../state/store.ts";
import { ConditionFailed, type Table } from "../../state/table.ts";
import { MemoryTable } from "../support/memory-table.ts";
import { freshProject, sandboxEndpoint } from "../support/sandbox.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";
import { PROD, record, revision, sourceText, status } from "./scene.ts";

/** What both implementations of the port must do alike, so that what is proven over one holds over the other. */
const CONTRACT: readonly { readonly what: string; readonly holds: (table: Table, pk: string) => Promise<void> }[] = [
  {
    what: "an item comes back as it was put, and not at all after its removal",
    holds: async (table, pk) => {
      const item = { pk, sk: "a", text: "ü", number: 1.5, flag: false, bytes: new Uint8Array([0, 255]) };
      await table.write([{ put: item }]);
      const back = await table.get({ pk, sk: "a" });
      assert.ok(back, "it is there");
      assert.deepEqual({ ...back, bytes: [...(back.bytes as Uint8Array)] }, { ...item, bytes: [0, 255] });
      await table.write([{ remove: { pk, sk: "a" } }]);
      assert.equal(await table.get({ pk, sk: "a" }), undefined);
      await table.write([{ remove: { pk, sk: "a" } }]);
    },
  },
  {
    what: "a query gives the partition in order, above a key, from the end, up to a limit",
    holds: async (table, pk) => {
      await table.write(["c", "a", "b"].map((sk) => ({ put: { pk, sk } })));
      await table.write([{ put: { pk: `${pk}-other`, sk: "d" } }]);
      const keys = async (options: object) => (await table.query(pk, options)).map(({ sk }) => sk).join("");
      assert.equal(await keys({}), "abc");
      assert.equal(await keys({ after: "a" }), "bc");
      assert.equal(await keys({ newestFirst: true, limit: 2 }), "cb");
      assert.equal(await keys({ limit: 1, after: "a" }), "b");
    },
  },
  {
    what: "a requirement that does not hold refuses all, and is named by its place",
    holds: async (table, pk) => {
      await table.write([{ put: { pk, sk: "a", number: 1, owner: "me" } }]);
      const refused = (failed: readonly number[]) => (error: unknown) => {
        assert.ok(error instanceof ConditionFailed, String(error));
        assert.deepEqual(error.failed, failed);
        return true;
      };
      await assert.rejects(table.write([{ put: { pk, sk: "a" }, when: ["absent"] }]), refused([0]));
      await assert.rejects(table.write([{ put: { pk, sk: "a" }, when: [{ number: 1, owner: "you" }] }]), refused([0]));
      await assert.rejects(
        table.write([
          { put: { pk, sk: "b" } },
          { remove: { pk, sk: "a" }, when: [{ number: 2 }] },
          { put: { pk, sk: "c" }, when: ["absent"] },
          { put: { pk, sk: "d" }, when: [{ number: 1 }] },
        ]),
        refused([1, 3]),
      );
      assert.deepEqual(
        (await table.query(pk)).map(({ sk }) => sk),
        ["a"],
      );
    },
  },
  {
    what: "one requirement of several is enough",
    holds: async (table, pk) => {
      const when = ["absent", { number: 1 }, { number: 2, owner: "me" }] as const;
      await table.write([{ put: { pk, sk: "a", number: 1 }, when }]);
      await table.write([{ put: { pk, sk: "a", number: 2, owner: "me" }, when }]);
      await table.write([{ put: { pk, sk: "a", number: 3 }, when }, { put: { pk, sk: "b" } }]);
      await assert.rejects(table.write([{ put: { pk, sk: "a", number: 4 }, when }]), ConditionFailed);
    },
  },
];

describe("the item port in memory", () => {
  for (const { what, holds } of CONTRACT) {
    test(what, async () => {
      const world = new VirtualWorld();
      await world.run(() => holds(new MemoryTable(world).connect(world.process("a")), "p"));
    });
  }
});

describe("the item port over DynamoDB", () => {
  const name = freshProject("state");

  async function session() {
    const endpoint = await sandboxEndpoint();
    return connect({ region: "eu-west-1", endpoint, sandbox: true, readOperations: new Set(), operations: new Set() });
  }

  async function open(tableName = name): Promise<DynamoTable> {
    const aws = await session();
    await bootstrap(aws.caller(BOOTSTRAP_OPERATIONS), systemRuntime, { table: name });
    return new DynamoTable(aws.caller(STATE_OPERATIONS), tableName);
  }

  for (const { what, holds } of CONTRACT) test(what, async () => holds(await open(), freshProject("p")));

  test("a partition larger than a page comes back whole", async () => {
    const table = await open();
    const pk = freshProject("p");
    for (let n = 0; n < 5; n++) await table.write([{ put: { pk, sk: `item-${n}`, data: "x".repeat(350_000) } }]);
    assert.equal((await table.query(pk)).length, 5);
    assert.equal((await table.query(pk, { limit: 4, newestFirst: true })).at(-1)?.sk, "item-1");
  });

  test("a table that does not exist is told from an item that does not", async () => {
    const nowhere = await open(`${name}-nowhere`);
    await assert.rejects(nowhere.get({ pk: "a", sk: "b" }), isTableMissing);
    await assert.rejects(nowhere.query("a"), isTableMissing);
    await assert.rejects(nowhere.write([{ put: { pk: "a", sk: "b" } }]), isTableMissing);
    await assert.rejects(nowhere.write([{ put: { pk: "a", sk: "b" } }, { put: { pk: "a", sk: "c" } }]), isTableMissing);
  });

  test("of many that put at once, one wins", async () => {
    const table = await open();
    const pk = freshProject("p");
    const puts = Array.from({ length: 16 }, (_, n) => table.write([{ put: { pk, sk: "lease", n }, when: ["absent"] }]));
    const settled = await Promise.allSettled(puts);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
    assert.ok(settled.every((result) => result.status === "fulfilled" || result.reason instanceof ConditionFailed));
  });

  test("a stack's whole life in the store", async () => {
    const store = new TableStore(await open(), systemRuntime, { ttlMs: 1000 });
    const stack = { ...PROD, project: freshProject() };
    const lease = await store.acquire(stack, { holder: "a", wait: false });
    await assert.rejects(
      store.acquire(stack, { holder: "b", wait: false }),
      (error) => error instanceof BeaconError && error.code === "LeaseHeld",
    );
    await lease.journal.putRevision(revision(1));
    for (let n = 0; n < 120; n++) lease.journal.put(record(`VPC/v${n}`));
    lease.journal.event({ at: new Date().toISOString(), type: "Created", message: "all" });
    await lease.journal.commit();
    const state = await store.load(stack);
    assert.deepEqual([state.records.size, state.revision?.number, state.lease?.holder], [120, 1, "a"]);
    assert.equal((await store.events(stack)).length, 1);
    await lease.release();
    const next = await store.acquire(stack, { holder: "b", wait: false });
    assert.equal(next.epoch, 2);
    await next.journal.forget();
    await next.release();
    assert.deepEqual(await store.load(stack), { records: new Map(), requests: [] });
    assert.ok(!(await store.stacks()).some(({ project }) => project === stack.project));
  });

  test("what moves beside the lease: revisions with their sources, requests, a status, leases and members", async () => {
    const store = new TableStore(await open(), systemRuntime);
    const stack = { ...PROD, project: freshProject() };
    const lease = await store.acquire(stack, { holder: "a", wait: false, controller: true });
    await store.accept(stack, revision(1), sourceText("one"));
    await store.accept(stack, revision(2), sourceText("x".repeat(10_000) + Math.random()));
    await assert.rejects(
      store.accept(stack, revision(2, { digest: "other" }), undefined),
      (error) => error instanceof BeaconError && error.code === "StateConflict",
    );
    const pause = { type: "pause", target: "*", until: "2026-01-02", reason: "r", by: "me", at: "2026-01-01" } as const;
    await store.ask(stack, pause);
    await store.ask(stack, { ...pause, target: "VPC/main" });
    lease.journal.put(record("VPC/main"));
    lease.journal.status(status({ revision: 2 }));
    await lease.journal.commit();
    assert.deepEqual(await store.news(stack), {
      revision: revision(2),
      requests: [pause, { ...pause, target: "VPC/main" }],
      status: status({ revision: 2 }),
    });
    await store.withdraw(stack, [pause, { ...pause, target: "VPC/main", at: "2025-12-31" }]);
    assert.deepEqual((await store.news(stack)).requests, [{ ...pause, target: "VPC/main" }]);
    assert.deepEqual(
      (await store.history(stack)).map(({ number }) => number),
      [2, 1],
    );
    assert.deepEqual(await store.source(stack, 1), sourceText("one"));
    assert.equal((await store.source(stack, 2))?.sources[0]?.text.slice(0, 3), "xxx");
    assert.equal(await store.source(stack, 3), undefined);
    const leases = await store.leases([stack, { ...stack, environment: "nowhere" }]);
    assert.deepEqual(
      [...leases].map(([name, { controller, free }]) => [name, controller, free]),
      [[`${stack.project}/prod`, true, false]],
    );
    await store.beat(stack.project, 3);
    assert.ok((await store.members()).some(({ id, beat }) => id === stack.project && beat === 3));
    await store.beat(stack.project, undefined);
    assert.ok(!(await store.members()).some(({ id }) => id === stack.project));
    await lease.release();
  });
});

test("conditions name no attribute directly, because DynamoDB reserves many words", () => {
  assert.deepEqual(condition(["absent", { owner: "me", free: false }]), {
    ConditionExpression: "attribute_not_exists(pk) or (#n1x0 = :v1x0 and #n1x1 = :v1x1)",
    ExpressionAttributeNames: { "#n1x0": "owner", "#n1x1": "free" },
    ExpressionAttributeValues: { ":v1x0": { S: "me" }, ":v1x1": { BOOL: false } },
  });
  assert.deepEqual(condition(["absent"]), { ConditionExpression: "attribute_not_exists(pk)" });
  assert.deepEqual(condition(undefined), {});
});
