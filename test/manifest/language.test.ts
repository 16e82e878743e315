import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { kindsByRoot } from "../../src/manifest/language.ts";

test("every kind has a root name of its own", () => {
  const roots = kindsByRoot(kinds);
  assert.equal(roots.size, kinds.size);
  assert.equal(roots.get("natGateway")?.id, "ec2.aws/v1 NatGateway");
  const [first] = kinds.values();
  assert.ok(first);
  assert.throws(() => kindsByRoot(new Map([...kinds, ["x.aws/v1 Again", { ...first, id: "x.aws/v1 Again" }]])), /is taken/);
  assert.throws(() => kindsByRoot(new Map([["x.aws/v1 Env", { ...first, root: "env" }]])), /env is taken/);
});
