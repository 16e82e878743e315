import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, suggestion } from "../../src/core/suggest.ts";

test("the nearest name, if any is near", () => {
  const rows = [
    { name: "cidrblock", known: ["cidrBlock", "vpcId"], near: "cidrBlock", why: "case" },
    { name: "mian", known: ["main", "x"], near: "main", why: "two letters swapped" },
    { name: "subnetid", known: ["subnetIds", "subnetId"], near: "subnetId", why: "the nearer of two" },
    { name: "3", known: ["1", "2"], near: undefined, why: "a single letter is near to nothing" },
    { name: "vpc", known: ["natGateway"], near: undefined, why: "too far" },
  ];
  for (const { name, known, near, why } of rows) assert.equal(nearest(name, known), near, why);
});

test("a hint names the nearest, or the few that there are", () => {
  assert.equal(suggestion("mian", ["main"]), "did you mean `main`?");
  assert.equal(suggestion("id", ["vpcId", "state", "ownerId"]), "did you mean `vpcId` or `ownerId`?", "as in Terraform's x.id");
  assert.equal(suggestion("x", ["one", "two"]), "known: one, two");
  assert.equal(suggestion("x", "abcdefghi"), undefined);
});
