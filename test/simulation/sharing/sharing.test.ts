import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateSharing } from "./scenario.ts";

test("x", async () => {
  for (let s = 1; s <= Number(process.env.N ?? 3); s++) {
    const t = performance.now();
    const st = await simulateSharing(s);
    console.log(
      s,
      Math.round(performance.now() - t),
      Math.round(st.virtualMs / 1000),
      "takeover",
      Math.max(...st.takeoverMs),
      "handover",
      Math.max(...st.handoverMs),
      "drift",
      Math.max(...st.driftMs),
      st.driftMs.length,
      "settled",
      st.settledMs.map(Math.round).join(" "),
    );
    assert.ok(true);
  }
});
