import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsPerson, policyOn } from "../../src/controller/acceptance.ts";
import { judge } from "../../src/controller/judge.ts";
import type { EnvironmentSettings } from "../../src/core/compiled.ts";
import { BeaconError } from "../../src/core/errors.ts";
import type { Change } from "../../src/core/plan.ts";
import type { Grants, Revision } from "../../src/core/record.ts";
import { NO_GRANTS, spent } from "../../src/engine/revision.ts";
import { AT, change, circumstances, difference, KEY, planOf, vanished } from "./sample-changes.ts";

type Approval = EnvironmentSettings["approval"];

const auto: Approval = { mode: "auto", allow: { replace: false, delete: false } };
const manual: Approval = { ...auto, mode: "manual" };
const all: Approval = { mode: "auto", allow: { replace: true, delete: true } };
const pending = difference("description", "pending");
const drifted = difference("tags.Team", "drift");
const replacement = change("replace", { differences: [difference("path", "pending", { immutable: true })] });
const paused = { isPaused: () => true };

type Row = {
  readonly why: string;
  readonly changes: readonly Change[];
  readonly accepted: readonly Approval[];
  readonly grants?: Partial<Grants>;
  readonly given?: Parameters<typeof circumstances>[0];
};

const ROWS: readonly Row[] = [
  { why: "nothing at all", changes: [], accepted: [auto, manual, all] },
  { why: "a comment", changes: [change("none")], accepted: [auto, manual, all] },
  { why: "something new", changes: [change("create")], accepted: [auto, all] },
  { why: "a change in place", changes: [change("update", { differences: [pending] })], accepted: [auto, all] },
  { why: "drift is no part of a change", changes: [change("update", { differences: [drifted] })], accepted: [auto, manual, all] },
  { why: "but hides none", changes: [change("update", { differences: [drifted, pending] })], accepted: [auto, all] },
  { why: "nor is what has vanished", changes: [vanished()], accepted: [auto, manual, all] },
  {
    why: "nor what was changed outside for good",
    changes: [change("replace", { differences: [difference("path", "drift", { immutable: true })] })],
    accepted: [auto, manual, all],
  },
  { why: "a replacement", changes: [replacement], accepted: [all], grants: { replace: [KEY] } },
  { why: "a deletion", changes: [change("delete")], accepted: [all], grants: { delete: [KEY] } },
  { why: "what is taken over", changes: [change("adopt")], accepted: [auto, all] },
  { why: "what is renamed", changes: [change("move")], accepted: [auto, all] },
  { why: "what would be made once its name is free", changes: [change("blocked")], accepted: [auto, all] },
  { why: "a pause hides no change", changes: [change("update", { differences: [pending] })], given: paused, accepted: [auto, all] },
  {
    why: "nor do many that have vanished",
    changes: [...["Role/a", "Role/b", "Role/c", "Role/d"].map((key) => vanished(key as typeof KEY)), change("create")],
    accepted: [auto, all],
  },
];

describe("what policy says to a change", () => {
  for (const { why, changes, accepted, grants = {}, given } of ROWS) {
    test(why, () => {
      for (const approval of [auto, manual, all]) {
        const plan = planOf(...changes);
        const said = policyOn(plan, judge(plan, circumstances(given)), { approval });
        assert.deepEqual(said, { isAccepted: accepted.includes(approval), grants: { ...NO_GRANTS, ...grants } }, JSON.stringify(approval));
      }
    });
  }

  test("each of replace and delete is allowed by itself", () => {
    const plan = planOf(replacement, change("delete", { key: "Role/old" }));
    const judgement = judge(plan, circumstances());
    for (const allow of [
      { replace: true, delete: false },
      { replace: false, delete: true },
    ])
      assert.equal(policyOn(plan, judgement, { approval: { mode: "auto", allow } }).isAccepted, false);
  });
});

describe("grants", () => {
  const revision: Revision = {
    ...{ number: 3, digest: "d", source: "s", acceptedAt: AT, acceptedBy: "alice", region: "eu-west-1", accountId: "1" },
    ...{ confirm: {}, pins: {}, resources: [], outputs: {} },
    grants: { delete: ["Role/a", "Role/b"], replace: ["Role/c"], missing: ["Role/d"] },
  };
  const nothing = { replaced: [], deleted: [], made: [] };
  const rows = [
    { why: "nothing was done", done: nothing, left: undefined },
    { why: "something else was", done: { ...nothing, replaced: ["Role/a"] }, left: undefined },
    { why: "a deletion", done: { ...nothing, deleted: ["Role/a"] }, left: { ...revision.grants, delete: ["Role/b"] } },
    { why: "a replacement", done: { ...nothing, replaced: ["Role/c"] }, left: { ...revision.grants, replace: [] } },
    { why: "a re-creation", done: { ...nothing, made: ["Role/d"] }, left: { ...revision.grants, missing: [] } },
  ];
  for (const { why, done, left } of rows)
    test(`are used up by what they were for: ${why}`, () => assert.deepEqual(spent(revision, done)?.grants, left));

  test("used up, they are gone from the revision", () => {
    const rest = spent(revision, { replaced: ["Role/c"], deleted: ["Role/a", "Role/b"], made: ["Role/d"] });
    assert.ok(rest && !("grants" in rest));
    assert.equal(spent(rest, { ...nothing, deleted: ["Role/a"] }), undefined);
  });
});

test("what no waiting helps with needs a person", () => {
  for (const code of ["SourceMissing", "RevisionOutdated", "StateDamaged", "StateTooNew"] as const)
    assert.ok(needsPerson(new BeaconError(code, "")));
  assert.ok(!needsPerson(new BeaconError("ReadFailed", "")));
  assert.ok(!needsPerson(new Error("anything")));
});
