import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { shapeOf } from "../../src/core/shape.ts";

const rows = [
  { why: "an integer is told from a number", schema: z.int().min(-1).max(5), shape: { type: "integer", minimum: -1, maximum: 5 } },
  { why: "a number has no integer's limits", schema: z.number(), shape: { type: "number" } },
  {
    why: "a pattern is kept for editors",
    schema: z.string().min(1).max(9).regex(/^a/),
    shape: { type: "string", minLength: 1, maxLength: 9, pattern: "^a" },
  },
  { why: "a list of literals reads as an enum", schema: z.literal([1, 3]), shape: { type: "enum", values: [1, 3] } },
];

for (const { why, schema, shape } of rows) {
  test(why, () => assert.deepEqual(shapeOf(schema), { ...shape, optional: false }));
}
