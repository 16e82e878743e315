import assert from "node:assert/strict";
import { test } from "node:test";
import { knownDriftAt, LIFECYCLE_DEFAULTS } from "../../src/core/resource.ts";

test("an exception covers its field and what is inside, until it expires", () => {
  const known = { path: "tags.Team", until: "2026-12-31T23:59:59.000Z", reason: "a migration" };
  const whole = { ...known, path: "ingress" };
  const lifecycle = { ...LIFECYCLE_DEFAULTS, knownDrift: [known, whole] };
  const before = Date.parse(known.until) - 1;
  const rows = [
    { path: "tags.Team", nowMs: before, is: known, why: "itself" },
    { path: "tags.Teams", nowMs: before, is: undefined, why: "another that begins alike" },
    { path: "tags", nowMs: before, is: undefined, why: "the field around it" },
    { path: "ingress.0.cidrIpv4", nowMs: before, is: whole, why: "a part" },
    { path: "ingress", nowMs: before + 1, is: undefined, why: "expired" },
  ];
  for (const { path, nowMs, is, why } of rows) assert.equal(knownDriftAt(lifecycle, path, nowMs), is, why);
  assert.equal(knownDriftAt(LIFECYCLE_DEFAULTS, "tags", 0), undefined);
});
