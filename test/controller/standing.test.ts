import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Judgement } from "../../src/controller/judge.ts";
import { awaitingOf, isNews, isStalled, type Standing, statusOf, withStanding } from "../../src/controller/standing.ts";
import type { Drift, StackStatus } from "../../src/core/record.ts";
import { NO_GRANTS } from "../../src/engine/revision.ts";
import { AT, granting, KEY, recordOf } from "./sample-changes.ts";

const LATER = "2026-01-01T13:00:00.000Z";
const drift: readonly Drift[] = [{ path: "tags.Team", from: "a", to: "b", firstSeenAt: AT }];
const stall = { reason: "Contested", message: "put back 5 times" } as const;
const ready = withStanding(recordOf(), undefined, AT);

describe("a resource's conditions", () => {
  const told = (record: typeof ready) =>
    record.conditions.map(({ type, status, reason, since }) => `${type} ${status} ${reason} ${since.slice(11, 13)}`);

  test("at rest, drifted, stalled, and at rest again: since when moves with the status alone", () => {
    assert.deepEqual(told(ready), ["Ready true Synced 12", "Stalled false Synced 12"]);
    const drifted = withStanding({ ...ready, drift }, undefined, LATER);
    assert.deepEqual(told(drifted), ["Ready true Drifted 12", "Stalled false Synced 12"]);
    const stalled = withStanding(drifted, stall, LATER);
    assert.deepEqual(told(stalled), ["Ready false Contested 13", "Stalled true Contested 13"]);
    assert.ok(isStalled(stalled) && !isStalled(drifted));
    assert.deepEqual(told(withStanding(recordOf(KEY, { conditions: stalled.conditions }), undefined, LATER)), [
      "Ready true Synced 13",
      "Stalled false Synced 13",
    ]);
  });

  test("the same again is no news", () => {
    assert.equal(isNews(ready, withStanding(ready, undefined, LATER)), false);
    assert.equal(isNews(ready, withStanding(ready, stall, LATER)), true);
  });
});

describe("what a person is asked for", () => {
  test("is named by a digest over exactly that", () => {
    const one = awaitingOf("missing", granting("missing", KEY));
    assert.match(one?.digest ?? "", /^[0-9a-f]{8}$/);
    assert.equal(awaitingOf("missing", granting("missing", KEY))?.digest, one?.digest);
    assert.notEqual(awaitingOf("missing", granting("missing", KEY, "Role/b"))?.digest, one?.digest);
    assert.notEqual(awaitingOf("revision", granting("missing", KEY))?.digest, one?.digest);
    assert.notEqual(awaitingOf("revision", NO_GRANTS, { digest: "a" })?.digest, awaitingOf("revision", NO_GRANTS, { digest: "b" })?.digest);
  });

  test("says how much of what; nothing to grant is nothing to ask, but for a revision", () => {
    const grants = { delete: ["Role/a", "Role/b"], replace: ["Role/c"], missing: [] } as const;
    assert.equal(awaitingOf("revision", grants, { message: "a change" })?.message, "a change: 2 to delete, 1 to replace");
    assert.equal(awaitingOf("missing", NO_GRANTS), undefined);
    assert.equal(awaitingOf("revision", NO_GRANTS, { message: "a change" })?.message, "a change");
  });
});

const judgement: Judgement = { act: [], leave: () => false, drift: new Map(), stalls: new Map(), wanting: NO_GRANTS, massMissing: false };
const AT_REST: Standing = {
  revision: 2,
  converged: 2,
  records: new Map([[KEY, ready]]),
  results: [],
  judgement,
  pauses: [],
  checks: {},
  now: AT,
};
const waiting = { key: KEY, action: "create", outcome: "waiting", message: "provisioning" } as const;
const failed = { key: KEY, action: "create", outcome: "failed", reason: "Refused", message: "AccessDenied" } as const;
const pause = { type: "pause", by: "alice", at: AT, target: "*", until: LATER, reason: "a look" } as const;
const awaiting = { digest: "12345678", what: "revision", grants: NO_GRANTS, message: "a change" } as const;
const stalls = new Map([[KEY, stall]]);

describe("a stack's status", () => {
  const rows: readonly { why: string; given: Partial<Standing>; phase: StackStatus["phase"]; says?: RegExp }[] = [
    { why: "all is done", given: {}, phase: "Synced", says: /^$/ },
    { why: "a revision came", given: { revision: 3 }, phase: "Converging", says: /revision 3/ },
    { why: "something waits for AWS", given: { results: [waiting] }, phase: "Converging", says: /provisioning/ },
    { why: "what is done is not unfinished", given: { results: [{ ...waiting, outcome: "done" }] }, phase: "Synced" },
    {
      why: "something failed",
      given: { results: [waiting, { ...failed, key: "Role/b" }] },
      phase: "Stalled",
      says: /Role\/b: AccessDenied/,
    },
    { why: "something needs a person", given: { judgement: { ...judgement, stalls } }, phase: "Stalled", says: /put back 5 times/ },
    { why: "a change needs one", given: { awaiting, results: [failed] }, phase: "AwaitingApproval", says: /beaconctl approve/ },
    {
      why: "too much vanished",
      given: { awaiting, judgement: { ...judgement, massMissing: true, stalls } },
      phase: "Stalled",
      says: /put back/,
    },
    {
      why: "a pause of all is said first",
      given: { pauses: [pause], awaiting, results: [failed] },
      phase: "Paused",
      says: /until .* by alice: a look/,
    },
    { why: "a pause of one is not one of all", given: { pauses: [{ ...pause, target: KEY }] }, phase: "Synced" },
    { why: "drift is left", given: { records: new Map([[KEY, { ...ready, drift }]]) }, phase: "Drifted", says: /Role\/app: tags.Team/ },
    {
      why: "the manifests are wrong",
      given: { sourceProblem: "no such kind\nat line 3" },
      phase: "Synced",
      says: /not accepted: no such kind$/,
    },
    { why: "the manifests are held", given: { held: "held: a rollback" }, phase: "Synced", says: /held: a rollback/ },
  ];
  for (const { why, given, phase, says = /./s } of rows) {
    test(`${phase}: ${why}`, () => {
      const status = statusOf({ ...AT_REST, ...given });
      assert.equal(status.phase, phase);
      if (says.source !== ".") assert.match(status.message, says);
    });
  }

  test("lists what is unfinished once, and counts", () => {
    const records = new Map([
      [KEY, withStanding({ ...ready, drift }, stall, AT)],
      ["Role/b" as const, recordOf("Role/b")],
    ]);
    const status = statusOf({
      ...AT_REST,
      records,
      results: [failed],
      judgement: { ...judgement, stalls: new Map([...stalls, ["Role/b" as const, stall]]) },
    });
    assert.deepEqual(
      status.unfinished.map(({ key, message }) => [key, message]),
      [
        [KEY, "AccessDenied"],
        ["Role/b", stall.message],
      ],
    );
    assert.deepEqual(status.counts, { resources: 2, ready: 0, drifted: 1, stalled: 1 });
  });
});
