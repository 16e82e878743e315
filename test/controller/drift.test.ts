import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attributed, countRounds, driftText, openDrift, warOver, withDrift, without } from "../../src/controller/drift.ts";
import type { Drift, Rounds } from "../../src/core/record.ts";
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
  const correction = { at: AT, lateMs: 60_000 };
  const team: Drift = { path: "tags.Team", from: "manifest", to: "aws", firstSeenAt: AT };
  const before = (more: Partial<Rounds> = {}) => [{ ...roundsOf("tags.Team", 3), ...more }];
  const by = { ...MALLORY, at: AT };
  const rows: readonly { why: string; before: readonly Rounds[]; drift: Drift; counts: readonly [number, number] }[] = [
    { why: "the first", before: [], drift: team, counts: [1, 1] },
    { why: "one more, at once", before: before(), drift: { ...team, by }, counts: [4, 4] },
    {
      why: "a person who tries again half a minute later is no program",
      before: before({ lastAt: new Date(NOW - 30_000).toISOString() }),
      drift: { ...team, by },
      counts: [4, 1],
    },
    {
      why: "where nobody tells when it was, a look may be late by an interval",
      before: before({ lastAt: new Date(NOW - 70_000).toISOString() }),
      drift: team,
      counts: [4, 4],
    },
    { why: "of another path", before: before({ path: "path" }), drift: team, counts: [1, 1] },
    { why: "of another change of the same path", before: before({ change: "another" }), drift: team, counts: [1, 1] },
    { why: "those of yesterday are over", before: before({ lastAt: minutesAgo(24 * 60) }), drift: team, counts: [1, 1] },
  ];
  for (const { why, before, drift, counts } of rows) {
    test(why, () => {
      const rounds = countRounds(before, [drift], correction);
      const own = rounds.find(({ path, lastAt }) => path === drift.path && lastAt === AT);
      assert.deepEqual([own?.count, own?.atOnce], counts);
    });
  }

  test("keep since when, and who it was last", () => {
    const [named] = countRounds([roundsOf("tags.Team", 1)], [{ ...team, by }], correction);
    assert.deepEqual(named, { ...roundsOf("tags.Team", 2), lastAt: AT, by });
    assert.deepEqual(countRounds([roundsOf("tags.Team", 1, MALLORY)], [team], correction)[0]?.by, MALLORY, "nobody is named: as before");
  });

  test("a record does not grow by every slip", () => {
    const many = Array.from({ length: 40 }, (_, n): Drift => ({ ...team, path: `tags.n${n}` }));
    assert.equal(countRounds([], many, correction).length, 20);
  });

  const wars = [
    { why: "five in a row, each at once", rounds: before({ atOnce: 5, count: 5 }), war: true },
    { why: "four are none yet", rounds: before({ atOnce: 4, count: 4 }), war: false },
    { why: "nor are many slow ones", rounds: before({ atOnce: 1, count: 24 }), war: false },
    { why: "a job that comes back all day", rounds: before({ atOnce: 1, count: 25 }), war: true },
    { why: "of another change", rounds: before({ change: "another", atOnce: 9, count: 9 }), war: false },
  ];
  for (const { why, rounds, war } of wars) test(`a war: ${why}`, () => assert.equal(warOver(rounds, team, 5) !== undefined, war));

  test("a record without drift or rounds has no such member", () => {
    const record = recordOf("Role/app", { drift: [team], rounds: [roundsOf("tags.Team", 1)] });
    assert.deepEqual(withDrift(record, [], []), recordOf("Role/app"));
    assert.deepEqual(withDrift(record, []), recordOf("Role/app", { rounds: [roundsOf("tags.Team", 1)] }));
  });
});
