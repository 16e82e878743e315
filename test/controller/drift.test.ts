import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attributed, countRounds, driftText, openDrift, withDrift, without } from "../../src/controller/drift.ts";
import type { Drift } from "../../src/core/record.ts";
import { AT, MALLORY, NOW, recordOf, roundsOf } from "./sample-changes.ts";

const EARLIER = "2026-01-01T11:00:00.000Z";
const team: Drift = { path: "tags.Team", from: "a", to: "b", firstSeenAt: EARLIER };
const found = { path: "tags.Team", from: "a", to: "b" };
const minutesAgo = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

describe("drift from one look to the next", () => {
  const rows: readonly { why: string; before: readonly Drift[]; now: readonly (typeof found)[]; open: readonly Drift[] }[] = [
    { why: "nothing", before: [], now: [], open: [] },
    { why: "what is new is first seen now", before: [], now: [found], open: [{ ...found, firstSeenAt: AT }] },
    { why: "what goes on keeps its time", before: [team], now: [found], open: [team] },
    { why: "and its author", before: [{ ...team, by: MALLORY }], now: [found], open: [{ ...team, by: MALLORY }] },
    { why: "what has gone is gone", before: [team], now: [], open: [] },
    {
      why: "another value is another drift",
      before: [{ ...team, by: MALLORY }],
      now: [{ ...found, to: "c" }],
      open: [{ ...found, to: "c", firstSeenAt: AT }],
    },
    {
      why: "a new manifest says what it is to be, not when it began",
      before: [team],
      now: [{ ...found, from: "z" }],
      open: [{ ...team, from: "z" }],
    },
  ];
  for (const { why, before, now, open } of rows) test(why, () => assert.deepEqual(openDrift(before, now, AT), open));

  test("the object that is gone has no value, and is told from one whose value is gone", () => {
    const gone = { path: "", from: "vpc-1" };
    assert.deepEqual(openDrift([{ ...gone, firstSeenAt: EARLIER }], [gone], AT), [{ ...gone, firstSeenAt: EARLIER }]);
    assert.equal(driftText([{ ...gone, firstSeenAt: EARLIER }, team]), "the object is gone, tags.Team");
  });

  test("what one list has and the other has not: by path and value", () => {
    assert.deepEqual(without([team], []), [team]);
    assert.deepEqual(without([team], [{ ...team, firstSeenAt: AT, by: MALLORY }]), []);
    assert.deepEqual(without([team], [{ ...team, to: "c" }]), [team]);
  });

  test("a name goes to what has none", () => {
    const eve = { ...MALLORY, principal: "eve" };
    assert.equal(attributed(team, MALLORY).by, MALLORY);
    assert.equal(attributed({ ...team, by: eve }, MALLORY).by, eve);
    assert.equal(attributed(team, undefined), team);
  });
});

describe("rounds", () => {
  const rows = [
    { why: "the first", before: [], counts: { "tags.Team": 1 } },
    { why: "one more", before: [roundsOf("tags.Team", 3)], counts: { "tags.Team": 4 } },
    { why: "of another path, which keeps its own", before: [roundsOf("path", 3)], counts: { path: 3, "tags.Team": 1 } },
    {
      why: "those that began over an hour ago are over",
      before: [{ ...roundsOf("tags.Team", 4), since: minutesAgo(61) }],
      counts: { "tags.Team": 1 },
    },
    { why: "those within the hour are not", before: [{ ...roundsOf("tags.Team", 4), since: minutesAgo(59) }], counts: { "tags.Team": 5 } },
  ];
  for (const { why, before, counts } of rows) {
    test(why, () => {
      const rounds = countRounds(before, [team], AT);
      assert.deepEqual(Object.fromEntries(rounds.map(({ path, count }) => [path, count])), counts);
    });
  }

  test("keep since when, and who it was last", () => {
    assert.deepEqual(countRounds([roundsOf("tags.Team", 1)], [{ ...team, by: MALLORY }], AT), [roundsOf("tags.Team", 2, MALLORY)]);
    assert.deepEqual(countRounds([roundsOf("tags.Team", 1, MALLORY)], [team], AT)[0]?.by, MALLORY, "nobody is named: as before");
  });

  test("a record without drift or rounds has no such member", () => {
    const record = recordOf("Role/app", { drift: [team], rounds: [roundsOf("tags.Team", 1)] });
    assert.deepEqual(withDrift(record, [], []), recordOf("Role/app"));
    assert.deepEqual(withDrift(record, []), recordOf("Role/app", { rounds: [roundsOf("tags.Team", 1)] }));
  });
});
