import assert from "node:assert/strict";
import { test } from "node:test";
import type { MonitorState } from "../../src/monitor/run.ts";
import { FIRST_STANDING, kept, nextStanding, type Standing } from "../../src/monitor/standing.ts";

/** Results 10 ms apart, the first at 10: `+` healthy, `-` unhealthy, `?` unknown; `~`: the Monitor was changed. */
const cases: readonly { why: string; threshold: number; states: string; told: string }[] = [
  { why: "a healthy one tells nobody", threshold: 1, states: "+ + +", told: "" },
  {
    why: "alert and recovery once each, with how long it was bad",
    threshold: 1,
    states: "- - + + -",
    told: "10:alert 30:recovery after 20 50:alert",
  },
  { why: "so many in a row", threshold: 3, states: "- - + - - - - +", told: "60:alert 80:recovery after 40" },
  { why: "one that came back before its alert has nothing to recover from", threshold: 2, states: "- + - +", told: "" },
  { why: "what nobody could see is no failure, however long", threshold: 1, states: "? ? ? ? +", told: "" },
  { why: "what nobody could see does not end a row of failures", threshold: 2, states: "- ? - +", told: "30:alert 40:recovery after 30" },
  { why: "what nobody could see is no recovery", threshold: 1, states: "- ? ? +", told: "10:alert 40:recovery after 30" },
  { why: "a change forgets failures that nobody was told of", threshold: 2, states: "- ~ - -", told: "40:alert" },
  {
    why: "a change does not repeat an alert, and its recovery is told",
    threshold: 2,
    states: "- - ~ - +",
    told: "20:alert 50:recovery after 40",
  },
];

for (const { why, threshold, states, told } of cases) {
  test(why, () => {
    const meaning: Readonly<Record<string, MonitorState>> = { "+": "healthy", "-": "unhealthy", "?": "unknown" };
    let standing: Standing = FIRST_STANDING;
    const said = states.split(" ").flatMap((letter, index) => {
      const state = meaning[letter];
      if (state === undefined) standing = kept(standing);
      if (state === undefined) return [];
      const atMs = (index + 1) * 10;
      const next = nextStanding(standing, { state, atMs }, threshold);
      standing = next.standing;
      if (next.tell === undefined) return [];
      return [`${atMs}:${next.tell.type}${next.tell.type === "recovery" ? ` after ${next.tell.afterMs}` : ""}`];
    });
    assert.equal(said.join(" "), told);
  });
}
