import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration } from "../../src/core/duration.ts";

test("durations are shown as precisely as they matter", () => {
  const shown = [0, 210, 9_940, 38_200, 60_000, 250_000, 7_500_000, 180_000_000].map(formatDuration);
  assert.deepEqual(shown, ["0.0 s", "0.2 s", "9.9 s", "38 s", "1 min", "4 min 10 s", "2 h 5 min", "2 d 2 h"]);
});
