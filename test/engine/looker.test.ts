import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../../src/aws/service.ts";
import { Looker, type Want } from "../../src/engine/looker.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { managedKind } from "../../src/engine/sweep.ts";
import type { Context } from "../../src/engine/types.ts";
import type { AnyKind, Scope } from "../../src/kind/kind.ts";
import { TableStore } from "../../state/store.ts";
import { KINDS } from "../simulation/kinds.ts";
import { MemoryTable } from "../support/memory-table.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

function looking(answer: () => Promise<never[]> = async () => []) {
  const world = new VirtualWorld();
  const runtime = world.process("looker");
  const store = new TableStore(new MemoryTable(world).connect(runtime), runtime);
  const stack = { project: "p", environment: "e" };
  const context: Context = { kinds: KINDS, stack, reader: {} as Reader, store, runtime, settings: DEFAULT_SETTINGS };
  const scopes: Scope[] = [];
  const run = async (_aws: Reader, scope: Scope) => {
    scopes.push(scope);
    return await answer();
  };
  const list = { operations: [], run };
  const kind: AnyKind = { ...managedKind(KINDS, "sim.aws/v1 Tagged"), list };
  return { world, looker: new Looker(context), kind, scopes };
}

const signal = new AbortController().signal;
const want = (over: Partial<Want>): Want => ({ byTags: false, ids: [], names: [], fields: [], ...over });

test("everything that is wanted within one pause goes out as one list, each id once", async () => {
  const { world, looker, kind, scopes } = looking();
  await world.run(async () => {
    const first = looker.look(kind, want({ ids: ["a", "b"], fields: ["size"] }), 100, signal);
    await world.sleep(50);
    const second = looker.look(kind, want({ ids: ["b"], names: [{ name: "n" }], byTags: true }), 100, signal);
    await Promise.all([first, second]);
  });
  assert.deepEqual(scopes, [{ stack: "p/e", ids: ["a", "b"], names: [{ name: "n" }], fields: new Set(["size"]) }]);
});

test("what is wanted after the list has left goes out with the next one", async () => {
  const { world, looker, kind, scopes } = looking();
  await world.run(async () => {
    await looker.look(kind, want({ ids: ["a"] }), 100, signal);
    await looker.look(kind, want({ ids: ["b"] }), 100, signal);
  });
  assert.deepEqual(
    scopes.map(({ ids, stack }) => [ids, stack]),
    [
      [["a"], undefined],
      [["b"], undefined],
    ],
  );
});

test("a list that fails tells all that wait for it which kind could not be read, and the next look tries again", async () => {
  let failing = true;
  const { world, looker, kind, scopes } = looking(async () => {
    if (failing) throw new Error("boom");
    return [];
  });
  await world.run(async () => {
    const both = [looker.look(kind, want({ ids: ["a"] }), 10, signal), looker.look(kind, want({ ids: ["b"] }), 10, signal)];
    for (const end of await Promise.allSettled(both)) {
      assert.equal(end.status, "rejected");
      assert.match(String(end.reason.message), /Tagged objects could not be read.*boom/);
    }
    failing = false;
    await looker.look(kind, want({ ids: ["c"] }), 10, signal);
  });
  assert.equal(scopes.length, 2);
});
