import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ResourceKey } from "../../src/core/resource.ts";
import { derivedName, generationName } from "../../src/engine/names.ts";

const stack = { project: "beacon", environment: "prod" };

test("a derived name spells project, environment and resource", () => {
  assert.equal(derivedName(stack, "SecurityGroup/backend.main", { maxLength: 255 }), "beacon-prod-backend-main");
});

test("a name without capitals is one that a host could have", () => {
  const form = { maxLength: 63, lowerCase: true } as const;
  assert.equal(derivedName({ project: "Beacon_1", environment: "prod" }, "Bucket/Backups.main-", form), "beacon-1-prod-backups-main");
});

test("a successor's name says its generation", () => {
  assert.equal(generationName("beacon-prod-x", 2, 32), "beacon-prod-x-g2");
});

test("names fit their limit, stay apart when cut, and are the same every time", () => {
  const names = fc.string({ minLength: 1, maxLength: 60 }).map((text): ResourceKey => `TargetGroup/${text}`);
  fc.assert(
    fc.property(names, fc.integer({ min: 20, max: 64 }), fc.integer({ min: 2, max: 99 }), (key, maxLength, generation) => {
      const name = derivedName(stack, key, { maxLength });
      assert.ok(name.length <= maxLength && generationName(name, generation, maxLength).length <= maxLength);
      assert.equal(name, derivedName(stack, key, { maxLength }));
    }),
  );
  const dashed: ResourceKey = `TargetGroup/${"x".repeat(12)}.${"y".repeat(12)}`;
  assert.doesNotMatch(derivedName(stack, dashed, { maxLength: 32 }), /--/, "also where it is cut at a dash");
  const long = "x".repeat(40);
  const cut = (key: ResourceKey) => derivedName(stack, key, { maxLength: 32 });
  assert.notEqual(cut(`TargetGroup/${long}a`), cut(`TargetGroup/${long}b`));
});
