import assert from "node:assert/strict";
import { it } from "node:test";
import { untilStopped } from "../../src/cli/stop.ts";
import type { BeaconError } from "../../src/core/errors.ts";
import type { Lease } from "../../src/core/store.ts";

it("a lease lets no call pass once the run is asked to stop, and asks the lease itself before that", () => {
  let asked = 0;
  const assertHeld = () => {
    asked += 1;
  };
  const lease = { assertHeld, signal: new AbortController().signal } as unknown as Lease;
  const stop = new AbortController();
  const seen = untilStopped(lease, stop.signal);
  seen.assertHeld();
  assert.equal(asked, 1);
  stop.abort();
  assert.throws(
    () => seen.assertHeld(),
    (error: BeaconError) => error.code === "Interrupted",
  );
  assert.equal(seen.signal.aborted, false, "calls in flight must not be ended");
});
