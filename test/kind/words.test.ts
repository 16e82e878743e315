import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../src/core/json.ts";
import { wordsOf } from "../../src/kind/words.ts";

const { spelling, toAws, fromAws } = wordsOf({
  spellings: { arn: "ARN", okActions: "OKActions" },
  keyed: ["bodies"],
  lists: { dimensions: "Value", attributes: "Values" },
  bytes: ["searchString"],
});

const pairs: readonly { why: string; ours: JsonObject; aws: JsonObject | { SearchString: Uint8Array } }[] = [
  { why: "a first letter", ours: { metricName: "cpu" }, aws: { MetricName: "cpu" } },
  { why: "a spelling of its own", ours: { arn: "a", okActions: ["b"] }, aws: { ARN: "a", OKActions: ["b"] } },
  { why: "members in lists", ours: { rules: [{ arn: "a" }, { arn: "b" }] }, aws: { Rules: [{ ARN: "a" }, { ARN: "b" }] } },
  { why: "keys that are names", ours: { bodies: { arn: { arn: "a" } } }, aws: { Bodies: { arn: { ARN: "a" } } } },
  { why: "a map that is a list", ours: { dimensions: { arn: "a" } }, aws: { Dimensions: [{ Name: "arn", Value: "a" }] } },
  { why: "an empty map that is a list", ours: { dimensions: {} }, aws: { Dimensions: [] } },
  { why: "a map of lists", ours: { attributes: { a: ["x"] } }, aws: { Attributes: [{ Name: "a", Values: ["x"] }] } },
  { why: "text that is bytes", ours: { searchString: "é" }, aws: { SearchString: new Uint8Array([0xc3, 0xa9]) } },
  { why: "names of what every object has", ours: { bodies: { constructor: "a" } }, aws: { Bodies: { constructor: "a" } } },
  { why: "numbers, booleans and empty members", ours: { a: 1, b: false, c: {}, d: [] }, aws: { A: 1, B: false, C: {}, D: [] } },
];

for (const { why, ours, aws } of pairs) {
  test(`${why}: there and back`, () => {
    assert.deepEqual(toAws(ours), aws);
    assert.deepEqual(fromAws(aws), ours);
  });
}

test("what is null or undefined at AWS is absent", () => {
  assert.deepEqual(fromAws({ A: null, B: undefined, C: [{ D: null }], Bodies: { e: null } }), { c: [{}], bodies: {} });
});

test("a member that is called as every object's own are is spelled like any other", () => {
  assert.deepEqual([spelling("constructor"), spelling("toString")], ["Constructor", "ToString"]);
});

const name = fc.constantFrom("arn", "okActions", "metricName", "rules", "constructor", "a");
const key = fc.constantFrom("arn", "constructor", "toString", "A-b", "x");
const mapOf = <T>(keys: fc.Arbitrary<string>, values: fc.Arbitrary<T>) =>
  fc.dictionary(keys, values, { maxKeys: 3, noNullPrototype: true });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small", maxDepth: 4 }, fc.string(), fc.integer(), fc.boolean(), tie("list"), tie("object")),
  list: fc.array(tie("value"), { maxLength: 3 }),
  object: fc
    .tuple(
      mapOf(name, tie("value")),
      fc.record({ bodies: mapOf(key, tie("value")), dimensions: mapOf(key, fc.string()), searchString: fc.string() }, { requiredKeys: [] }),
    )
    .map(([plain, special]) => ({ ...plain, ...special })),
}));

test("whatever is sent comes back the same", () => {
  fc.assert(
    fc.property(value, (ours) => assert.deepEqual(fromAws(toAws(ours as JsonObject)), ours)),
    { seed: 20260 },
  );
});
