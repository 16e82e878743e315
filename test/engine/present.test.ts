/** What is there now, for those who ask about a few resources: what is looked at for it, and what is left alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../../src/aws/service.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { LIFECYCLE_DEFAULTS, type ResourceKey } from "../../src/core/resource.ts";
import type { StateReader } from "../../src/core/store.ts";
import { presentView } from "../../src/engine/present.ts";
import { newRecord } from "../../src/engine/records.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { managedKind } from "../../src/engine/sweep.ts";
import type { Context } from "../../src/engine/types.ts";
import type { AnyKind, AnyLookup, Kinds, Remote } from "../../src/kind/kind.ts";
import { KINDS } from "../simulation/kinds.ts";
import { compile, type Declared, STACK } from "../simulation/manifests.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

const declared = (key: ResourceKey, over: Partial<Declared> = {}): Declared => ({
  key,
  mode: "m1",
  size: 1,
  links: [],
  peers: [],
  lifecycle: {},
  ...over,
});

const remote = (key: ResourceKey, id: string, values: JsonObject = {}): Remote => ({
  id,
  values: { mode: "m1", size: 1, objectId: id, state: "available", ...values },
  tags: { Name: key, "beacon:stack": "sim/test", "beacon:resource": key, "beacon:uid": `uid-${key}`, "beacon:generation": "1" },
});

function zones(note: () => void): AnyLookup {
  const run = async () => {
    note();
    return { names: ["a"] };
  };
  const { lookup: _managed, ...described } = managedKind(KINDS, "sim.aws/v1 Named");
  return { ...described, id: "sim.aws/v1 Zones", name: "Zones", lookup: true, resolve: { operations: [], run } };
}

/** A world with these objects; `looked` names every kind that is listed, and every lookup that is asked. */
function world(remotes: Readonly<Record<string, readonly Remote[]>>, recorded: Readonly<Record<ResourceKey, string>> = {}) {
  const looked: string[] = [];
  const kinds: Kinds = new Map<AnyKind["id"], AnyKind | AnyLookup>([
    ...[...KINDS.keys()].map((id) => {
      const kind = managedKind(KINDS, id);
      const run = async () => {
        looked.push(kind.name);
        return remotes[kind.name] ?? [];
      };
      return [id, { ...kind, list: { operations: [], run } }] as const;
    }),
    ["sim.aws/v1 Zones", zones(() => looked.push("Zones"))],
  ]);
  const records = Object.entries(recorded).map(([key, id]) => {
    const kind = `sim.aws/v1 ${key.slice(0, key.indexOf("/"))}` as const;
    const resource = {
      key: key as ResourceKey,
      kind,
      spec: {},
      dependencies: [],
      lifecycle: LIFECYCLE_DEFAULTS,
      readyWhen: [],
      declaredAt: "",
    };
    return [resource.key, { ...newRecord(resource, `uid-${key}`, 1, 1), id }] as const;
  });
  const store = { load: async () => ({ records: new Map(records) }) } as unknown as StateReader;
  const runtime = new VirtualWorld().process("present");
  const context: Context = { kinds, stack: STACK, reader: {} as Reader, store, runtime, settings: DEFAULT_SETTINGS };
  return { context, looked };
}

const stack = (...manifest: readonly Declared[]): CompiledStack => ({
  ...compile(manifest),
  lookups: [{ key: "Zones/all", kind: "sim.aws/v1 Zones", spec: {}, declaredAt: "" }],
});

test("only what is asked for, and what it needs, is looked at: no other kind, and no lookup", async () => {
  const recorded = { "Tagged/a": "t-1", "Named/other": "n-1" } as const;
  const { context, looked } = world({ Tagged: [remote("Tagged/a", "t-1")], Named: [remote("Named/other", "n-1")] }, recorded);
  const compiled = stack(declared("Tagged/a"), declared("Named/other", { name: "other" }), declared("Token/c"));
  const view = await presentView(context, compiled, ["Tagged/a"]);
  assert.equal(view("Tagged/a")?.objectId, "t-1");
  assert.equal(view("Named/other"), undefined);
  assert.deepEqual(looked, ["Tagged"]);
});

test("what is there now is told, not what an apply would make of it", async () => {
  const { context } = world({ Tagged: [remote("Tagged/a", "t-1", { mode: "m1", size: 1 })] }, { "Tagged/a": "t-1" });
  const view = await presentView(context, stack(declared("Tagged/a", { mode: "m2", size: 9 })), ["Tagged/a"]);
  assert.deepEqual([view("Tagged/a")?.objectId, view("Tagged/a")?.size], ["t-1", 1], "a replacement is planned, and has not happened");
});

test("an object is found without a record, by its tags or its name, and through what it lives in", async () => {
  const { context, looked } = world({
    Tagged: [remote("Tagged/a", "t-1")],
    Named: [remote("Named/b", "name:b", { name: "b", parent: "t-1" })],
  });
  const compiled = stack(declared("Tagged/a"), declared("Named/b", { name: "b", parent: "Tagged/a" }));
  const view = await presentView(context, compiled, ["Named/b"]);
  assert.equal(view("Named/b")?.objectId, "name:b");
  assert.deepEqual([...new Set(looked)].sort(), ["Named", "Tagged"]);
});

test("what does not exist, and what is gone, is not known", async () => {
  const { context } = world({}, { "Tagged/a": "t-1" });
  const view = await presentView(context, stack(declared("Tagged/a"), declared("Tagged/b")), ["Tagged/a", "Tagged/b"]);
  assert.deepEqual([view("Tagged/a"), view("Tagged/b")], [undefined, undefined]);
});

test("a lookup that is asked for is answered", async () => {
  const { context, looked } = world({});
  const view = await presentView(context, stack(declared("Tagged/a")), ["Zones/all"]);
  assert.deepEqual(view("Zones/all"), { names: ["a"] });
  assert.deepEqual(looked, ["Zones"]);
});
