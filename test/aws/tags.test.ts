import assert from "node:assert/strict";
import { test } from "node:test";
import { fromTagList, type Ownership, ownershipTags, parseOwnership, toTagList, withoutOwnership } from "../../src/aws/tags.ts";

const OWNER: Ownership = { stack: "beacon/prod", resource: "TargetGroup/backend.main", uid: "u1", generation: 2, deletion: "protect" };

test("ownership survives the way through AWS tags", () => {
  assert.deepEqual(parseOwnership(fromTagList(toTagList(ownershipTags(OWNER)))), OWNER);
  const plain = { ...OWNER, deletion: "delete" } as const;
  assert.ok(!("beacon:deletion" in ownershipTags(plain)));
  assert.deepEqual(parseOwnership(ownershipTags(plain)), plain);
});

test("tags that do not prove ownership prove nothing", () => {
  const tags = ownershipTags(OWNER);
  for (const key of ["beacon:stack", "beacon:resource", "beacon:uid", "beacon:generation"]) {
    assert.equal(parseOwnership({ ...tags, [key]: "" }), undefined, key);
  }
  assert.equal(parseOwnership({ ...tags, "beacon:generation": "0" }), undefined);
  assert.equal(parseOwnership({ ...tags, "beacon:resource": "main" }), undefined);
  assert.equal(parseOwnership(undefined), undefined);
});

test("AWS's own tags are dropped, ownership tags are told apart from a manifest's", () => {
  const list = [{ Key: "aws:cloudformation:stack-name", Value: "x" }, { Key: "Name" }, ...toTagList(ownershipTags(OWNER))];
  assert.deepEqual(withoutOwnership(fromTagList(list)), { Name: "" });
  assert.deepEqual(fromTagList(undefined), {});
});
