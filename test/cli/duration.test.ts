import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/cli/duration.ts";
import { BeaconError } from "../../src/core/errors.ts";

test("durations are read with their unit, and refused without", () => {
  assert.deepEqual(
    ["500ms", "90s", "30m", "1.5h", "2d"].map((text) => parseDuration(text, "--timeout")),
    [500, 90_000, 1_800_000, 5_400_000, 172_800_000],
  );
  for (const text of ["30", "m", "-5s", "5 s", "1w"]) {
    assert.throws(
      () => parseDuration(text, "--timeout"),
      (error) => error instanceof BeaconError && error.code === "UsageInvalid",
      text,
    );
  }
});
