import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { diff, overlay, withoutSecrets } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { objectShape } from "../../src/core/shape.ts";

const shape = objectShape(
  z.strictObject({
    cidr: field(z.string(), { doc: "", immutable: true }),
    size: field(z.int().optional(), { doc: "", unset: 1 }),
    note: field(z.string().optional(), { doc: "", unset: null }),
    capacity: field(z.int().optional(), { doc: "", createOnly: true }),
    password: field(z.string().optional(), { doc: "", secret: true }),
    ports: field(z.array(z.int()).optional(), { doc: "", compare: "set", unset: [] }),
    members: field(z.array(z.string()).optional(), { doc: "", compare: "set", additiveWhen: { field: "mode", is: "additive" } }),
    mode: field(z.enum(["additive", "authoritative"]).optional(), { doc: "", setting: true }),
    indexes: field(z.array(z.strictObject({ name: z.string(), hash: z.string() })).optional(), { doc: "", compare: { keyed: "name" } }),
    limits: field(z.strictObject({ read: z.int().optional(), write: z.int().optional() }).optional(), { doc: "" }),
    tags: tags(),
  }),
);

type Row = {
  readonly why: string;
  readonly desired: JsonObject;
  readonly observed: JsonObject;
  readonly applied?: JsonObject;
  readonly ignore?: readonly string[];
  /** `path cause`, immutable ones with a `!`. */
  readonly differs: readonly string[];
  /** `path why`. */
  readonly leftAlone?: readonly string[];
};

const ROWS: readonly Row[] = [
  { why: "equal values do not differ", desired: { size: 2 }, observed: { size: 2 }, applied: { size: 2 }, differs: [] },
  { why: "the manifest changed: pending", desired: { size: 3 }, observed: { size: 2 }, applied: { size: 2 }, differs: ["size pending"] },
  { why: "AWS changed: drift", desired: { size: 2 }, observed: { size: 9 }, applied: { size: 2 }, differs: ["size drift"] },
  { why: "no record: unknown", desired: { size: 2 }, observed: { size: 9 }, differs: ["size unknown"] },
  { why: "immutable is said", desired: { cidr: "b" }, observed: { cidr: "a" }, applied: { cidr: "a" }, differs: ["cidr pending !"] },
  { why: "a field that nobody declared is not ours", desired: {}, observed: { size: 9 }, applied: {}, differs: [] },
  {
    why: "one that left the manifest goes to its unset value",
    desired: {},
    observed: { size: 2 },
    applied: { size: 2 },
    differs: ["size pending"],
  },
  { why: "unset null: AWS shall have none", desired: {}, observed: { note: "x" }, applied: { note: "x" }, differs: ["note pending"] },
  { why: "unset null: AWS has none", desired: {}, observed: {}, applied: { note: "x" }, differs: [] },
  {
    why: "an ignored field is left alone",
    desired: { size: 2 },
    observed: { size: 9 },
    ignore: ["size"],
    differs: [],
    leftAlone: ["size ignored"],
  },
  {
    why: "createOnly: drift is its owner's",
    desired: { capacity: 2 },
    observed: { capacity: 6 },
    applied: { capacity: 2 },
    differs: [],
    leftAlone: ["capacity createOnly"],
  },
  {
    why: "createOnly: the manifest's own change is sent once",
    desired: { capacity: 3 },
    observed: { capacity: 6 },
    applied: { capacity: 2 },
    differs: ["capacity pending"],
  },
  {
    why: "createOnly: nothing is known of before",
    desired: { capacity: 3 },
    observed: { capacity: 6 },
    differs: [],
    leftAlone: ["capacity createOnly"],
  },
  { why: "a set's order does not count", desired: { ports: [1, 2] }, observed: { ports: [2, 1] }, differs: [] },
  {
    why: "a set is authoritative",
    desired: { ports: [1] },
    observed: { ports: [1, 22] },
    applied: { ports: [1] },
    differs: ["ports drift"],
  },
  {
    why: "an additive set leaves strangers alone",
    desired: { members: ["a"], mode: "additive" },
    observed: { members: ["a", "x"] },
    applied: { members: ["a"] },
    differs: [],
    leftAlone: ["members foreign"],
  },
  {
    why: "an additive set drops what it added",
    desired: { members: ["a"], mode: "additive" },
    observed: { members: ["a", "b"] },
    applied: { members: ["a", "b"] },
    differs: ["members pending"],
  },
  { why: "a setting is not AWS's", desired: { mode: "additive" }, observed: {}, applied: { mode: "authoritative" }, differs: [] },
  {
    why: "keyed: order does not count",
    desired: {
      indexes: [
        { name: "a", hash: "h" },
        { name: "b", hash: "h" },
      ],
    },
    observed: {
      indexes: [
        { name: "b", hash: "h" },
        { name: "a", hash: "h" },
      ],
    },
    differs: [],
  },
  {
    why: "keyed: a changed member differs",
    desired: { indexes: [{ name: "a", hash: "h" }] },
    observed: { indexes: [{ name: "a", hash: "g" }] },
    differs: ["indexes unknown"],
  },
  {
    why: "members of an object are compared one by one",
    desired: { limits: { read: 1 } },
    observed: { limits: { read: 2, write: 5 } },
    differs: ["limits.read unknown"],
  },
  {
    why: "a foreign tag is left alone",
    desired: { tags: { a: "1" } },
    observed: { tags: { a: "1", x: "9" } },
    applied: { tags: { a: "1" } },
    differs: [],
    leftAlone: ["tags.x foreign"],
  },
  {
    why: "a tag that left the manifest goes",
    desired: { tags: {} },
    observed: { tags: { a: "1" } },
    applied: { tags: { a: "1" } },
    differs: ["tags.a pending"],
  },
  {
    why: "a tag that was lost is restored",
    desired: { tags: { a: "1" } },
    observed: { tags: {} },
    applied: { tags: { a: "1" } },
    differs: ["tags.a drift"],
  },
  {
    why: "a tag that was begun to be set is ours",
    desired: { tags: {} },
    observed: { tags: { a: "1" } },
    applied: { tags: { a: { $begun: true } } },
    differs: ["tags.a pending"],
  },
  {
    why: "a secret that AWS does not give back is what was sent",
    desired: { password: "p" },
    observed: {},
    applied: withoutSecrets(shape, { password: "p" }),
    differs: [],
  },
  {
    why: "a new secret is sent",
    desired: { password: "q" },
    observed: {},
    applied: withoutSecrets(shape, { password: "p" }),
    differs: ["password pending"],
  },
];

for (const row of ROWS) {
  test(row.why, () => {
    const found = diff({ shape, desired: row.desired, observed: row.observed, applied: row.applied, ignore: row.ignore ?? [] });
    assert.deepEqual(
      found.differences.map(({ path, cause, immutable }) => `${path} ${cause}${immutable ? " !" : ""}`),
      row.differs,
    );
    assert.deepEqual(
      found.leftAlone.map(({ path, why }) => `${path} ${why}`),
      row.leftAlone ?? [],
    );
  });
}

test("a secret is never shown", () => {
  const found = diff({ shape, desired: { password: "new" }, observed: { password: "old" }, applied: undefined, ignore: [] });
  assert.deepEqual([found.differences[0]?.before, found.differences[0]?.after], ["(secret)", "(secret)"]);
});

test("the change of an object's member keeps the members that nobody declared", () => {
  const found = diff({
    shape,
    desired: { limits: { read: 1 } },
    observed: { limits: { read: 2, write: 5 } },
    applied: undefined,
    ignore: [],
  });
  assert.deepEqual(found.changes.limits?.after, { read: 1, write: 5 });
});

const specs: fc.Arbitrary<JsonObject> = fc.record(
  {
    size: fc.nat(3),
    note: fc.constantFrom("a", "b"),
    ports: fc.array(fc.nat(4), { maxLength: 4 }),
    members: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    limits: fc.record({ read: fc.nat(2), write: fc.nat(2) }, { requiredKeys: [], noNullPrototype: true }),
    tags: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), { noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** What AWS holds once every change was carried out as an updater would. */
function carriedOut(observed: JsonObject, changes: ReturnType<typeof diff>["changes"]): JsonObject {
  const after = Object.entries(changes).map(([name, change]) => {
    if (name !== "tags") return [name, change.after ?? undefined];
    const kept = Object.entries({ ...(observed.tags as JsonObject | undefined), ...change.set }).filter(
      ([key]) => !change.drop.includes(key),
    );
    return [name, Object.fromEntries(kept)];
  });
  return { ...observed, ...Object.fromEntries(after) };
}

test("carrying out the changes leaves no difference, and touches nothing that was not declared or applied", () => {
  fc.assert(
    fc.property(specs, specs, fc.option(specs, { nil: undefined }), (desired, observed, applied) => {
      const { changes } = diff({ shape, desired, observed, applied, ignore: [] });
      const after = carriedOut(observed, changes);
      assert.deepEqual(diff({ shape, desired, observed: after, applied, ignore: [] }).differences, []);
      for (const name of Object.keys(changes)) assert.ok(name in desired || (applied && name in applied), `${name} is not ours`);
    }),
  );
});

test("overlay keeps what is not overlaid", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      assert.deepEqual(overlay(spec, {}), spec);
      assert.deepEqual(overlay(spec, spec), spec);
    }),
  );
});
