import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { same } from "../../src/core/compare.ts";
import type { Compare } from "../../src/core/field.ts";
import type { Json } from "../../src/core/json.ts";

type Row = { readonly why: string; readonly compare: Compare; readonly left: Json; readonly right: Json; readonly same: boolean };

const allow = (action: Json, resource: Json): Json => ({ Statement: [{ Effect: "Allow", Action: action, Resource: resource }] });

const ROWS: readonly Row[] = [
  { why: "exact: the order of a list counts", compare: "exact", left: [1, 2], right: [2, 1], same: false },
  { why: "exact: the order of members does not", compare: "exact", left: { a: 1, b: 2 }, right: { b: 2, a: 1 }, same: true },
  { why: "exact: an undefined member is an absent one", compare: "exact", left: { a: 1, b: undefined }, right: { a: 1 }, same: true },
  { why: "exact: text is not a number", compare: "exact", left: "443", right: 443, same: false },
  { why: "set: order and repetition do not count", compare: "set", left: ["a", "b", "a"], right: ["b", "a"], same: true },
  { why: "set: members do", compare: "set", left: ["a"], right: ["a", "b"], same: false },
  { why: "set: of objects, too", compare: "set", left: [{ p: 1, q: 2 }, { p: 3 }], right: [{ p: 3 }, { q: 2, p: 1 }], same: true },
  {
    why: "keyed: order does not count",
    compare: { keyed: "n" },
    left: [{ n: 1, v: 1 }, { n: 2 }],
    right: [{ n: 2 }, { n: 1, v: 1 }],
    same: true,
  },
  { why: "keyed: what a member holds does", compare: { keyed: "n" }, left: [{ n: 1, v: 1 }], right: [{ n: 1, v: 2 }], same: false },
  {
    why: "dns-name: case, final dot and escapes do not count",
    compare: "dns-name",
    left: "*.Example.com",
    right: "\\052.example.com.",
    same: true,
  },
  { why: "dns-name: labels do", compare: "dns-name", left: "a.example.com", right: "b.example.com", same: false },
  { why: "json: spaces and order of members do not count", compare: "json", left: '{"a": 1, "b": 2}', right: '{"b":2,"a":1}', same: true },
  { why: "json: an object says what its text says", compare: "json", left: { a: 1 }, right: '{"a":1}', same: true },
  { why: "json: what does not parse is text", compare: "json", left: "{", right: "{ ", same: false },
  {
    why: "iam-policy: one action is a list of one",
    compare: "iam-policy",
    left: allow("s3:Get", "*"),
    right: allow(["s3:Get"], ["*"]),
    same: true,
  },
  {
    why: "iam-policy: the order of actions does not count",
    compare: "iam-policy",
    left: allow(["a", "b"], "*"),
    right: allow(["b", "a"], "*"),
    same: true,
  },
  { why: "iam-policy: another resource counts", compare: "iam-policy", left: allow("a", "*"), right: allow("a", "arn:x"), same: false },
  {
    why: "iam-policy: one principal is a list of one",
    compare: "iam-policy",
    left: { Statement: { Effect: "Allow", Principal: { AWS: "1" } } },
    right: { Statement: [{ Effect: "Allow", Principal: { AWS: ["1"] } }] },
    same: true,
  },
  {
    why: "iam-policy: an account's ID says what the ARN of its root says",
    compare: "iam-policy",
    left: { Statement: { Effect: "Allow", Principal: { AWS: "111122223333" } } },
    right: { Statement: { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" } } },
    same: true,
  },
  {
    why: "iam-policy: a role of the account is somebody else",
    compare: "iam-policy",
    left: { Statement: { Effect: "Allow", Principal: { AWS: "111122223333" } } },
    right: { Statement: { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:role/a" } } },
    same: false,
  },
  {
    why: "iam-policy: everybody is written in two ways",
    compare: "iam-policy",
    left: { Statement: { Effect: "Allow", Principal: "*" } },
    right: { Statement: { Effect: "Allow", Principal: { AWS: ["*"] } } },
    same: true,
  },
  {
    why: "iam-policy: conditions compare texts",
    compare: "iam-policy",
    left: { Statement: { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": false } } } },
    right: { Statement: { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": ["false"] } } } },
    same: true,
  },
];

for (const row of ROWS) {
  test(row.why, () => {
    assert.equal(same(row.left, row.right, row.compare), row.same);
    assert.equal(same(row.right, row.left, row.compare), row.same);
  });
}

test("an absent value equals only an absent one", () => {
  assert.equal(same(undefined, undefined, "set"), true);
  assert.equal(same(undefined, [], "set"), false);
});

test("every mode takes a value for itself, and a shuffled set for the same set", () => {
  const json = fc.jsonValue() as fc.Arbitrary<Json>;
  for (const compare of ["exact", "set", "json", "iam-policy", { keyed: "n" }] as const) {
    fc.assert(fc.property(json, (value) => same(value, structuredClone(value), compare)));
  }
  const shuffled = fc.array(json).chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
  fc.assert(fc.property(shuffled, ([list, other]) => same(list, other, "set")));
});
