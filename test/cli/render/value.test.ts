import assert from "node:assert/strict";
import { test } from "node:test";
import { renderValue } from "../../../src/cli/render/value.ts";
import type { Json } from "../../../src/core/json.ts";
import { unknown } from "../../../src/core/unknown.ts";

const cases: readonly [value: Json | undefined, text: string][] = [
  [undefined, "(none)"],
  ["10.0.0.0/16", "10.0.0.0/16"],
  ["443", '"443"'],
  [443, "443"],
  ["true", '"true"'],
  [true, "true"],
  ["", '""'],
  [" x", '" x"'],
  [null, "null"],
  [[], "[]"],
  [["a", 1], "[a, 1]"],
  [{ fromPort: 22, gone: undefined, cidrIpv4: "0.0.0.0/0" }, "fromPort: 22, cidrIpv4: 0.0.0.0/0"],
  [{ a: { b: [1] } }, "a: {b: [1]}"],
  [unknown("vpc.main.vpcId"), "<vpc.main.vpcId>"],
  [[unknown("vpc.main.vpcId")], "[<vpc.main.vpcId>]"],
];

for (const [value, text] of cases) {
  test(`value: ${JSON.stringify(value)} is shown as ${text}`, () => assert.equal(renderValue(value), text));
}

test("value: a long one is cut, and says so", () => {
  assert.equal(renderValue("x".repeat(500)).length, 120);
  assert.ok(renderValue("x".repeat(500)).endsWith("…"));
});
