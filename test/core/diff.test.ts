import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { diff, overlay, withoutNulls, withoutSecrets } from "../../src/core/diff.ts";
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
    actions: field(
      z
        .array(
          z.strictObject({
            type: z.string(),
            host: field(z.string().optional(), { doc: "", unset: "any" }),
            note: field(z.string().optional(), { doc: "", unset: null }),
            given: z.string().optional(),
            groups: field(
              z.array(z.strictObject({ name: z.string(), weight: field(z.int().optional(), { doc: "", unset: 1 }) })).optional(),
              {
                doc: "",
                compare: { keyed: "name" },
              },
            ),
          }),
        )
        .optional(),
      { doc: "" },
    ),
    conditions: field(
      z
        .array(
          z.strictObject({
            name: z.string(),
            values: field(z.array(z.string()), { doc: "", compare: "set" }),
            mode: field(z.string().optional(), { doc: "", unset: "all" }),
          }),
        )
        .optional(),
      { doc: "", compare: "set" },
    ),
    attributes: field(
      z
        .strictObject({
          idle: field(z.int().optional(), { doc: "", unset: 60 }),
          logs: field(
            z
              .strictObject({
                enabled: field(z.boolean().optional(), { doc: "", unset: false }),
                bucket: z.string().optional(),
                prefix: field(z.string().optional(), { doc: "", unset: null }),
              })
              .optional(),
            { doc: "", unset: {} },
          ),
        })
        .optional(),
      { doc: "", unset: {} },
    ),
    rules: field(
      z
        .array(
          z.strictObject({
            name: z.string(),
            window: field(z.int().optional(), { doc: "", unset: 300 }),
            labels: field(z.array(z.string()).optional(), { doc: "", compare: "set" }),
            body: z.strictObject({ on: field(z.boolean().optional(), { doc: "", unset: false }) }).optional(),
            steps: field(z.array(z.strictObject({ at: z.int(), do: z.string() })).optional(), { doc: "", compare: { keyed: "at" } }),
          }),
        )
        .optional(),
      { doc: "", compare: { keyed: "name" }, whole: true, unset: [] },
    ),
    action: field(
      z.strictObject({ allow: z.strictObject({}).optional(), block: z.strictObject({ code: z.int().optional() }).optional() }).optional(),
      { doc: "", whole: true },
    ),
    dimensions: field(z.record(z.string(), z.string()).optional(), { doc: "", whole: true, unset: {} }),
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
  {
    why: "in an element of a list, what is not declared is wanted at its unset value, whether AWS says it or not",
    desired: { actions: [{ type: "a" }, { type: "b", host: "any" }] },
    observed: { actions: [{ type: "a", host: "any" }, { type: "b" }] },
    differs: [],
  },
  {
    why: "and differs where AWS has another",
    desired: { actions: [{ type: "a" }] },
    observed: { actions: [{ type: "a", host: "other" }] },
    applied: { actions: [{ type: "a" }] },
    differs: ["actions drift"],
  },
  {
    why: "or has one where there should be none",
    desired: { actions: [{ type: "a" }] },
    observed: { actions: [{ type: "a", note: "x" }] },
    applied: { actions: [{ type: "a", note: "x" }] },
    differs: ["actions pending"],
  },
  {
    why: "what has no unset value is AWS's own there",
    desired: { actions: [{ type: "a" }] },
    observed: { actions: [{ type: "a", given: "x" }] },
    differs: [],
  },
  {
    why: "keyed within a list: neither order nor what is unset counts",
    desired: { actions: [{ type: "a", groups: [{ name: "x" }, { name: "y", weight: 2 }] }] },
    observed: {
      actions: [
        {
          type: "a",
          groups: [
            { name: "y", weight: 2 },
            { name: "x", weight: 1 },
          ],
        },
      ],
    },
    differs: [],
  },
  {
    why: "keyed within a list: all else counts",
    desired: { actions: [{ type: "a", groups: [{ name: "x" }] }] },
    observed: { actions: [{ type: "a", groups: [{ name: "x", weight: 2 }] }] },
    applied: { actions: [{ type: "a", groups: [{ name: "x" }] }] },
    differs: ["actions drift"],
  },
  {
    why: "a set's elements may be sets themselves, and leave out what is unset",
    desired: {
      conditions: [
        { name: "x", values: ["1", "2", "2"] },
        { name: "y", values: ["3"], mode: "all" },
      ],
    },
    observed: {
      conditions: [
        { name: "y", values: ["3"] },
        { name: "x", values: ["2", "1"], mode: "all" },
      ],
    },
    differs: [],
  },
  {
    why: "a set's element with another value is another element",
    desired: { conditions: [{ name: "x", values: ["1"] }] },
    observed: { conditions: [{ name: "x", values: ["1"], mode: "any" }] },
    applied: { conditions: [{ name: "x", values: ["1"] }] },
    differs: ["conditions drift"],
  },
  {
    why: "a member that left the manifest goes to its unset value",
    desired: { attributes: { logs: {} } },
    observed: { attributes: { idle: 90, logs: { enabled: true, bucket: "b", prefix: "p" } } },
    applied: { attributes: { idle: 90, logs: { enabled: true, bucket: "b", prefix: "p" } } },
    differs: ["attributes.idle pending", "attributes.logs.enabled pending", "attributes.logs.prefix pending"],
  },
  {
    why: "with the members around it",
    desired: {},
    observed: { attributes: { idle: 60, logs: { enabled: true, bucket: "b" } } },
    applied: { attributes: { logs: { enabled: true, bucket: "b" } } },
    differs: ["attributes.logs.enabled pending"],
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
    why: "of a whole, what AWS fills in is no difference where it is as when it is not set",
    desired: { rules: [{ name: "a", body: {} }] },
    observed: { rules: [{ name: "a", window: 300, body: { on: false } }] },
    differs: [],
  },
  {
    why: "of a whole, saying it is no difference either",
    desired: { rules: [{ name: "a", window: 300 }] },
    observed: { rules: [{ name: "a" }] },
    differs: [],
  },
  {
    why: "of a whole, neither is the order of its sets and keyed lists",
    desired: {
      rules: [
        {
          name: "a",
          labels: ["x", "y"],
          steps: [
            { at: 1, do: "p" },
            { at: 0, do: "q" },
          ],
        },
      ],
    },
    observed: {
      rules: [
        {
          name: "a",
          steps: [
            { at: 0, do: "q" },
            { at: 1, do: "p" },
          ],
          labels: ["y", "x"],
        },
      ],
    },
    differs: [],
  },
  {
    why: "of a whole, a member that nobody declared is a difference",
    desired: { rules: [{ name: "a" }] },
    observed: { rules: [{ name: "a", labels: ["x"] }] },
    applied: { rules: [{ name: "a" }] },
    differs: ["rules drift"],
  },
  {
    why: "of a whole, a member that left the manifest is one",
    desired: { rules: [{ name: "a" }] },
    observed: { rules: [{ name: "a", labels: ["x"] }] },
    applied: { rules: [{ name: "a", labels: ["x"] }] },
    differs: ["rules pending"],
  },
  {
    why: "of a whole, a member that the schema does not know is one",
    desired: { rules: [{ name: "a" }] },
    observed: { rules: [{ name: "a", strange: 1 }] },
    differs: ["rules unknown"],
  },
  {
    why: "a whole with another member is another, though neither holds anything",
    desired: { action: { allow: {} } },
    observed: { action: { block: {} } },
    applied: { action: { block: {} } },
    differs: ["action pending"],
  },
  {
    why: "a whole that is not known yet differs",
    desired: { action: { $unknown: "a.b" } },
    observed: { action: { allow: {} } },
    differs: ["action unknown"],
  },
  {
    why: "a whole that nobody declared is not ours",
    desired: {},
    observed: { action: { block: {} }, dimensions: { a: "1" } },
    differs: [],
  },
  {
    why: "a whole map is ours with every key",
    desired: { dimensions: { a: "1" } },
    observed: { dimensions: { a: "1", b: "2" } },
    differs: ["dimensions unknown"],
  },
  {
    why: "a whole map that left the manifest goes",
    desired: {},
    observed: { dimensions: { a: "1" } },
    applied: { dimensions: { a: "1" } },
    differs: ["dimensions pending"],
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

test("the change of a whole keeps nothing that was not declared", () => {
  const { changes } = diff({
    shape,
    desired: { action: { allow: {} }, dimensions: { a: "1" } },
    observed: { action: { block: { code: 403 } }, dimensions: { b: "2" } },
    applied: undefined,
    ignore: [],
  });
  assert.deepEqual([changes.action?.after, changes.dimensions?.after], [{ allow: {} }, { a: "1" }]);
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

test("the change of an object brings members that left the manifest to their unset values, and keeps those that were never ours", () => {
  const found = diff({
    shape,
    desired: { attributes: { idle: 90 } },
    observed: { attributes: { idle: 60, logs: { enabled: true, bucket: "b", prefix: "p" } } },
    applied: { attributes: { logs: { enabled: true, prefix: "p" } } },
    ignore: [],
  });
  assert.deepEqual(found.changes.attributes?.after, { idle: 90, logs: { enabled: false, bucket: "b", prefix: null } });
});

const specs: fc.Arbitrary<JsonObject> = fc.record(
  {
    size: fc.nat(3),
    note: fc.constantFrom("a", "b"),
    ports: fc.array(fc.nat(4), { maxLength: 4 }),
    members: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    attributes: fc.record(
      {
        idle: fc.nat(2),
        logs: fc.record({ enabled: fc.boolean(), prefix: fc.constantFrom("a", "b") }, { requiredKeys: [], noNullPrototype: true }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    limits: fc.record({ read: fc.nat(2), write: fc.nat(2) }, { requiredKeys: [], noNullPrototype: true }),
    rules: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("a", "b"), window: fc.constantFrom(60, 300) }, { requiredKeys: ["name"], noNullPrototype: true }),
      {
        selector: ({ name }) => name,
      },
    ),
    dimensions: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"), { noNullPrototype: true }),
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

test("what AWS shall have none of is not said to it, at any depth", () => {
  assert.deepEqual(withoutNulls({ idle: 60, logs: { bucket: "b", prefix: null }, note: null }), { idle: 60, logs: { bucket: "b" } });
  assert.equal(withoutNulls(null), null);
});

test("overlay keeps what is not overlaid", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      assert.deepEqual(overlay(spec, {}), spec);
      assert.deepEqual(overlay(spec, spec), spec);
    }),
  );
});
