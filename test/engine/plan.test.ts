import assert from "node:assert/strict";
import { test } from "node:test";
import { isEmptyPlan } from "../../src/cli/render/plan.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ResourceRecord, Revision } from "../../src/core/record.ts";
import { LIFECYCLE_DEFAULTS, type Lifecycle, type ResourceKey } from "../../src/core/resource.ts";
import { unknown } from "../../src/core/unknown.ts";
import { liveOutputs, makePlan } from "../../src/engine/plan.ts";
import { newRecord } from "../../src/engine/records.ts";
import type { PlanOptions, World } from "../../src/engine/types.ts";
import type { Remote } from "../../src/kind/kind.ts";
import { KINDS } from "../simulation/kinds.ts";
import { compile, type Declared, STACK } from "../simulation/manifests.ts";

const TAGGED = "sim.aws/v1 Tagged";

function declared(key: ResourceKey, over: Partial<Declared> = {}): Declared {
  return { key, mode: "m1", size: 1, links: [], peers: [], lifecycle: {}, ...over };
}

function record(key: ResourceKey, id: string | undefined, lifecycle: Partial<Lifecycle> = {}): ResourceRecord {
  const resource = {
    key,
    kind: TAGGED,
    spec: {},
    dependencies: [],
    lifecycle: { ...LIFECYCLE_DEFAULTS, ...lifecycle },
    readyWhen: [],
    declaredAt: "",
  } as const;
  return { ...newRecord(resource, `uid-${key}`, 1, 1), ...(id === undefined ? {} : { id }) };
}

function remote(key: ResourceKey, id: string): Remote {
  const tags = { Name: key, "beacon:stack": "sim/test", "beacon:resource": key, "beacon:uid": `uid-${key}`, "beacon:generation": "1" };
  return { id, values: { mode: "m1", size: 1, objectId: id, state: "available" }, tags };
}

function plan(
  given: { manifest?: readonly Declared[]; records?: readonly ResourceRecord[]; remotes?: readonly Remote[] },
  options: PlanOptions = {},
) {
  const { manifest = [], records = [], remotes = [] } = given;
  const world: World = {
    compiled: compile(manifest),
    state: { records: new Map(records.map((one) => [one.key, one])), requests: [] },
    pins: {},
    newer: [],
    remotes: new Map([[TAGGED, remotes]]),
    orphans: [],
  };
  return makePlan({ kinds: KINDS, stack: STACK }, world, options);
}

const said = (made: ReturnType<typeof plan>) =>
  made.changes.map(({ action, key, blocked }) => [action, key, blocked?.reason].filter(Boolean).join(" "));

test("what is declared is decided, what is recorded and not declared is deleted", () => {
  const made = plan({ manifest: [declared("Tagged/a")], records: [record("Tagged/b", "t-2")], remotes: [remote("Tagged/b", "t-2")] });
  assert.deepEqual(said(made), ["create Tagged/a", "delete Tagged/b"]);
  assert.deepEqual(made.consents, { delete: 1, replace: 0, missing: 0 });
});

test("a removed resource whose object is gone, or retained, is forgotten; a protected one is blocked", () => {
  const records = [
    record("Tagged/gone", "t-1"),
    record("Tagged/kept", "t-2", { deletion: "retain" }),
    record("Tagged/safe", "t-3", { deletion: "protect" }),
  ];
  const remotes = [remote("Tagged/kept", "t-2"), remote("Tagged/safe", "t-3")];
  assert.deepEqual(said(plan({ records, remotes })), ["forget Tagged/gone", "forget Tagged/kept", "blocked Tagged/safe Protected"]);
  const destroyed = plan({ records, remotes }, { destroy: true, includeProtected: true });
  assert.deepEqual(said(destroyed), ["forget Tagged/gone", "forget Tagged/kept", "delete Tagged/safe"]);
});

test("a plan for some resources has them and what they need, and deletes nothing", () => {
  const manifest = [declared("Tagged/a"), declared("Tagged/b", { parent: "Tagged/a" }), declared("Tagged/c")];
  const made = plan({ manifest, records: [record("Tagged/old", "t-9")], remotes: [remote("Tagged/old", "t-9")] }, { only: ["Tagged/b"] });
  assert.deepEqual(said(made), ["create Tagged/a", "create Tagged/b"]);
});

test("three that vanished are created again, four need consent", () => {
  const keys = ["Tagged/a", "Tagged/b", "Tagged/c", "Tagged/d"] as const;
  const gone = (count: number) => {
    const some = keys.slice(0, count);
    return plan({ manifest: some.map((key) => declared(key)), records: some.map((key) => record(key, `t-${key}`)) }).consents.missing;
  };
  assert.deepEqual([gone(3), gone(4)], [0, 4]);
});

test("what is replaced names the dependents that change with it, a child of it among them", () => {
  const manifest = [declared("Tagged/a", { mode: "m2" }), declared("Tagged/b", { parent: "Tagged/a" })];
  const child = remote("Tagged/b", "t-2");
  const remotes = [remote("Tagged/a", "t-1"), { ...child, values: { ...child.values, parent: "t-1" } }];
  const made = plan({ manifest, records: [record("Tagged/a", "t-1"), record("Tagged/b", "t-2")], remotes });
  assert.deepEqual(said(made), ["replace Tagged/a", "replace Tagged/b"]);
  assert.deepEqual(made.changes[0]?.dependents, ["Tagged/b"]);
  assert.equal(made.consents.replace, 2);
});

test("an output that changes by itself makes no difference; that it appears, or goes, does", () => {
  const outputs = (now: JsonObject, live: readonly string[], before: JsonObject) => {
    const compiled = { ...compile([]), outputs: () => now, liveOutputs: new Set(live) };
    const state = { records: new Map(), requests: [], revision: { outputs: before } as unknown as Revision };
    const world: World = { compiled, state, pins: {}, newer: [], remotes: new Map(), orphans: [] };
    const context = { kinds: KINDS, stack: STACK };
    return { plan: makePlan(context, world, {}), live: liveOutputs(context, world) };
  };
  const changed = outputs({ ips: ["1", "2"], name: "a" }, ["ips"], { ips: ["1"], name: "a" });
  assert.deepEqual(changed.plan.outputs, []);
  assert.ok(isEmptyPlan(changed.plan));
  assert.deepEqual(changed.live, { ips: ["1", "2"] });
  assert.deepEqual(outputs({ ips: ["1", "2"] }, [], { ips: ["1"] }).plan.outputs, [{ name: "ips", before: ["1"], after: ["1", "2"] }]);
  assert.deepEqual(outputs({ ips: ["1"] }, ["ips"], {}).plan.outputs, [{ name: "ips", after: ["1"] }]);
  assert.deepEqual(outputs({}, [], { ips: ["1"] }).plan.outputs, [{ name: "ips", before: ["1"] }]);
  assert.deepEqual(outputs({ ips: unknown("x") }, ["ips"], { ips: ["1"] }).live, {}, "what is not known is as recorded");
});

test("the digest is of what would be done: why, and what is left alone, does not count; the objects do", () => {
  const manifest = [declared("Tagged/a", { size: 2 })];
  const known = plan({ manifest, records: [record("Tagged/a", "t-1")], remotes: [remote("Tagged/a", "t-1")] });
  const stateLost = plan({ manifest, remotes: [remote("Tagged/a", "t-1")] });
  const another = plan({ manifest, remotes: [remote("Tagged/a", "t-2")] });
  assert.equal(known.digest, stateLost.digest);
  assert.notEqual(known.digest, another.digest);
});
