import assert from "node:assert/strict";
import { test } from "node:test";
import { LIFECYCLE_DEFAULTS, type Resource } from "../../src/core/resource.ts";
import {
  begun,
  bound,
  contradicts,
  isBegun,
  newRecord,
  settled,
  superseded,
  tokenFor,
  withCondition,
  withIntent,
} from "../../src/engine/records.ts";

const RESOURCE: Resource = {
  key: "VPC/main",
  kind: "ec2.aws/v1 VPC",
  spec: {},
  dependencies: [{ on: "VPC/main" }, { on: "EIP/a" }, { on: "EIP/a", field: "x" }],
  lifecycle: LIFECYCLE_DEFAULTS,
  readyWhen: [],
  declaredAt: "",
};
const RECORD = newRecord(RESOURCE, "u1", 1, 7);

test("a record depends on each other resource once, and never on itself", () => {
  assert.deepEqual(RECORD.dependencies, ["EIP/a"]);
});

test("a token is the same for every send of one create, and another for the next generation", () => {
  assert.equal(tokenFor("u1", 1), tokenFor("u1", 1));
  assert.notEqual(tokenFor("u1", 1), tokenFor("u1", 2));
  assert.match(tokenFor("u1", 1), /^[0-9a-f]{32}$/);
});

test("an intent is closed by the binding", () => {
  const open = withIntent(RECORD, 1, { now: 5, revision: 7, name: "n" });
  const done = bound(open, "vpc-1", 1, 9);
  assert.deepEqual([open.intent?.openedAt, done.intent, done.id, done.boundAt, done.name], [5, undefined, "vpc-1", 9, "n"]);
});

test("binding the same object again keeps the time it was bound", () => {
  assert.equal(bound(bound(RECORD, "vpc-1", 1, 9), "vpc-1", 1, 99).boundAt, 9);
});

test("a superseded object is remembered until it is gone, and a successor with its id takes its place", () => {
  const replaced = superseded(bound(RECORD, "name:x", 1, 9), 2);
  assert.deepEqual([replaced.retiring, replaced.id, replaced.generation], [[{ generation: 1, id: "name:x" }], undefined, 2]);
  assert.deepEqual(bound(replaced, "name:x", 2, 10).retiring, []);
});

test("settling with what was applied before changes nothing but the conditions", () => {
  const at = { resource: RESOURCE, applied: { a: 1 }, observed: {}, revision: 8 };
  const first = settled(RECORD, at, "2026-01-01T00:00:00.000Z");
  const again = settled(first, { ...at, revision: 9 }, "2026-01-02T00:00:00.000Z");
  assert.deepEqual(again, first);
  assert.deepEqual([first.revision, first.appliedAt], [8, Date.parse("2026-01-01T00:00:00.000Z")]);
});

test("a condition's since moves with its status only", () => {
  const first = withCondition([], "Ready", true, "Synced", "", "t1");
  assert.equal(withCondition(first, "Ready", true, "Synced", "again", "t2")[0]?.since, "t1");
  assert.equal(withCondition(first, "Ready", false, "Blocked", "", "t3")[0]?.since, "t3");
});

test("what is begun becomes ours, nested too, and what was applied stays", () => {
  const next = begun({ ...RECORD, applied: { size: 1, tags: { a: "1" } } }, RESOURCE, { size: 2, note: "n", tags: { a: "2", b: "3" } });
  const { size, note, tags } = next.applied as { size: number; note: object; tags: Record<string, object> };
  assert.deepEqual([size, isBegun(note as never), tags.a, isBegun(tags.b as never)], [1, true, "1", true]);
});

test("a look contradicts what was applied where that says something else, not where it says nothing", () => {
  assert.equal(contradicts(1, 2), true);
  assert.equal(contradicts(1, undefined), true);
  assert.equal(contradicts(undefined, 2), false);
  assert.equal(contradicts({ $begun: true }, 2), false);
  assert.equal(contradicts({ a: "1" }, { a: "1", b: "2" }), false);
  assert.equal(contradicts({ a: "1", b: "2" }, { a: "1" }), true);
});
