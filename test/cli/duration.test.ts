import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDuration } from "../../src/cli/duration.ts";
import { BeaconError } from "../../src/core/errors.ts";

test("durations are read with their unit, and refused without", () => {
  assert.deepEqual(
    ["500ms", "90s", "30m", "1.5h"].map((text) => parseDuration(text, "--timeout")),
    [500, 90_000, 1_800_000, 5_400_000],
  );
  for (const text of ["30", "m", "-5s", "5 s", "1d"]) {
    assert.throws(
      () => parseDuration(text, "--timeout"),
      (error) => error instanceof BeaconError && error.code === "UsageInvalid",
      text,
    );
  }
});

test("durations are shown as precisely as they matter", () => {
  const shown = [0, 210, 9_940, 38_200, 60_000, 250_000, 7_500_000, 180_000_000].map(formatDuration);
  assert.deepEqual(shown, ["0.0 s", "0.2 s", "9.9 s", "38 s", "1 min", "4 min 10 s", "2 h 5 min", "2 d 2 h"]);
});
