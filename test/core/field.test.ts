import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { field, tags } from "../../src/core/field.ts";
import { shapeOf } from "../../src/core/shape.ts";

const ROWS = [
  { why: "letters of any script, and the signs all services take", tags: { "Náme 1_.:/=+-@": "wért 2_.:/=+-@" }, fits: true, ec2: true },
  { why: "an empty value", tags: { Name: "" }, fits: true, ec2: true },
  { why: "a sign in a name that EC2 alone takes", tags: { "Owner!": "a" }, fits: false, ec2: true },
  { why: "a sign in a value that EC2 alone takes", tags: { Owner: "a (b)" }, fits: false, ec2: true },
  { why: "an empty name", tags: { "": "a" }, fits: false, ec2: false },
  { why: "a name of 128 characters", tags: { ["n".repeat(128)]: "a" }, fits: true, ec2: true },
  { why: "a longer name", tags: { ["n".repeat(129)]: "a" }, fits: false, ec2: false },
  { why: "a value of 256 characters", tags: { Name: "v".repeat(256) }, fits: true, ec2: true },
  { why: "a longer value", tags: { Name: "v".repeat(257) }, fits: false, ec2: false },
  { why: "a name that is AWS's own", tags: { "aws:name": "a" }, fits: false, ec2: false },
];

for (const { why, tags: value, fits, ec2 } of ROWS) {
  test(`${why}: ${fits ? "taken" : ec2 ? "taken by EC2" : "refused"}`, () => {
    assert.equal(tags().safeParse(value).success, fits);
    assert.equal(tags({ anyCharacter: true }).safeParse(value).success, ec2);
  });
}

test("a field that is described after its shape was read is refused: nobody would see what is said of it", () => {
  const shared = z.strictObject({ name: field(z.string(), { doc: "A name." }) });
  shapeOf(shared);
  assert.throws(() => field(shared, { doc: "The whole.", whole: true }), /came after the schema's shape was read/);
});
