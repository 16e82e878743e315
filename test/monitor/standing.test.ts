import assert from "node:assert/strict";
import { test } from "node:test";
import type { MonitorState } from "../../src/monitor/run.ts";
import { FIRST_STANDING, nextStanding } from "../../src/monitor/standing.ts";

const cases: readonly { why: string; threshold: number; states: string; told: string }[] = [
  { why: "a healthy one tells nobody", threshold: 1, states: "+ + +", told: "" },
  { why: "alert and recovery once each", threshold: 1, states: "- - + + -", told: "1:alert 3:recovery 5:alert" },
  { why: "so many in a row", threshold: 3, states: "- - + - - - - +", told: "6:alert 8:recovery" },
  { why: "one that came back before its alert has nothing to recover from", threshold: 2, states: "- + - +", told: "" },
  { why: "what nobody could see counts as failed", threshold: 2, states: "? ? +", told: "2:alert 3:recovery" },
];

for (const { why, threshold, states, told } of cases) {
  test(why, () => {
    const meaning: Readonly<Record<string, MonitorState>> = { "+": "healthy", "-": "unhealthy", "?": "unknown" };
    let standing = FIRST_STANDING;
    const said = states.split(" ").flatMap((state, index) => {
      const next = nextStanding(standing, meaning[state] as MonitorState, threshold);
      standing = next.standing;
      return next.tell ? [`${index + 1}:${next.tell}`] : [];
    });
    assert.equal(said.join(" "), told);
  });
}
