import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Circumstances, judge } from "../../src/controller/judge.ts";
import type { Reason } from "../../src/core/condition.ts";
import type { Change } from "../../src/core/plan.ts";
import type { Grants } from "../../src/core/record.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { unknown } from "../../src/core/unknown.ts";
import { change, circumstances, difference, granting, KEY, MALLORY, planOf, recordOf, roundsOf, vanished } from "./sample-changes.ts";

type Row = {
  readonly why: string;
  readonly change: Change;
  readonly given?: Parameters<typeof circumstances>[0];
  /** What comes of it; absent members: nothing of the kind. */
  readonly act?: true;
  readonly drift?: readonly string[];
  readonly stall?: Reason;
  readonly wants?: keyof Grants;
  readonly leaves?: readonly string[];
};

const pending = difference("description", "pending");
const lost = difference("description", "unknown");
const drifted = difference("tags.Team", "drift");
const fixed = { immutable: true } as const;
const paused = { isPaused: (key: ResourceKey) => key === KEY };
const report = { lifecycle: { drift: "report" } } as const;
const ignore = { lifecycle: { drift: "ignore" } } as const;
const stateful = { stateful: new Set(["iam.aws/v1 Role"]) } as Pick<Circumstances, "stateful">;
const known = (until: string) => ({ lifecycle: { knownDrift: [{ path: "tags.Team", until, reason: "a trial" }] } });
const TOMORROW = "2026-01-02T00:00:00Z";
const YESTERDAY = "2025-12-31T00:00:00Z";
const war = (path: string, count = 5) => ({ record: { rounds: [roundsOf(path, count, MALLORY)] } });

const ROWS: readonly Row[] = [
  { why: "nothing differs", change: change("none") },
  { why: "an earlier generation is finished business of ours", change: change("none", { retires: ["old"] }), act: true },
  { why: "so is a create that had no answer", change: change("none", { resolves: true }), act: true },
  { why: "finishing waits while paused", change: change("none", { retires: ["old"] }), given: paused },

  { why: "what was declared is made", change: change("create"), act: true },
  { why: "not while paused", change: change("create"), given: paused },
  { why: "drift modes say nothing of what was never there", change: change("create"), given: ignore, act: true },
  { why: "taken over where the manifest says so", change: change("adopt"), act: true },
  { why: "taking over waits while paused", change: change("adopt"), given: paused },
  { why: "a rename keeps the object", change: change("move"), act: true },
  { why: "what is gone and not declared is forgotten", change: change("forget"), act: true },
  {
    why: "what cannot be decided says why",
    change: change("blocked", { blocked: { reason: "NotOwned", message: "another's" } }),
    stall: "NotOwned",
  },
  { why: "even where it is not known why", change: change("blocked"), stall: "Conflict" },

  { why: "what vanished is made anew", change: vanished(), act: true, drift: [""] },
  { why: "only told of, where drift is reported", change: vanished(), given: report, drift: [""] },
  { why: "not even that, where it is ignored", change: vanished(), given: ignore },
  { why: "told of, and left, while paused", change: vanished(), given: paused, drift: [""] },
  { why: "data that vanished waits for a person", change: vanished(), given: stateful, drift: [""], stall: "Missing", wants: "missing" },
  {
    why: "who approved an empty one",
    change: vanished(),
    given: { ...stateful, grants: granting("missing", KEY) },
    act: true,
    drift: [""],
  },
  {
    why: "an approval waits for the end of a pause",
    change: vanished(),
    given: { ...stateful, ...paused, grants: granting("missing", KEY) },
    drift: [""],
  },
  {
    why: "the approval of a deletion is none of an empty one",
    change: vanished(),
    given: { ...stateful, grants: granting("delete", KEY) },
    drift: [""],
    stall: "Missing",
    wants: "missing",
  },
  { why: "made anew over and over is a war", change: vanished(), given: war(""), drift: [""], stall: "Contested" },
  { why: "four rounds are none yet", change: vanished(), given: war("", 4), act: true, drift: [""] },

  { why: "a change of the manifest goes out", change: change("update", { differences: [pending] }), act: true },
  { why: "not while paused", change: change("update", { differences: [pending] }), given: paused },
  { why: "where records are lost, the manifest is what counts", change: change("update", { differences: [lost] }), act: true },
  { why: "drift is put back", change: change("update", { differences: [drifted] }), act: true, drift: ["tags.Team"] },
  { why: "told of, and left, while paused", change: change("update", { differences: [drifted] }), given: paused, drift: ["tags.Team"] },
  { why: "or where it is only reported", change: change("update", { differences: [drifted] }), given: report, drift: ["tags.Team"] },
  {
    why: "a change goes out beside drift that is put back",
    change: change("update", { differences: [pending, drifted] }),
    act: true,
    drift: ["tags.Team"],
  },
  {
    why: "and beside drift that is only reported, which stays",
    change: change("update", { differences: [pending, drifted] }),
    given: report,
    act: true,
    drift: ["tags.Team"],
    leaves: ["tags.Team"],
  },
  {
    why: "neither, while paused",
    change: change("update", { differences: [pending, drifted] }),
    given: { ...report, ...paused },
    drift: ["tags.Team"],
    leaves: ["tags.Team"],
  },
  { why: "a change goes out where drift is ignored", change: change("update", { differences: [pending] }), given: ignore, act: true },
  { why: "known drift is none", change: change("update", { differences: [drifted] }), given: known(TOMORROW) },
  {
    why: "until its time is over",
    change: change("update", { differences: [drifted] }),
    given: known(YESTERDAY),
    act: true,
    drift: ["tags.Team"],
  },
  {
    why: "it stays beside a change that goes out",
    change: change("update", { differences: [pending, drifted] }),
    given: known(TOMORROW),
    act: true,
    leaves: ["tags.Team"],
  },
  {
    why: "and beside other drift",
    change: change("update", { differences: [drifted, difference("path", "drift")] }),
    given: known(TOMORROW),
    act: true,
    drift: ["path"],
    leaves: ["tags.Team"],
  },
  {
    why: "five rounds are a war, which ends",
    change: change("update", { differences: [drifted] }),
    given: war("tags.Team"),
    drift: ["tags.Team"],
    stall: "Contested",
  },
  {
    why: "rounds of another value are another matter",
    change: change("update", { differences: [drifted] }),
    given: war("tags.Owner"),
    act: true,
    drift: ["tags.Team"],
  },
  {
    why: "the environment says when it is one",
    change: change("update", { differences: [drifted] }),
    given: { ...war("tags.Team", 2), contestedAfter: 2 },
    drift: ["tags.Team"],
    stall: "Contested",
  },
  {
    why: "what a person wants goes out in the middle of a war",
    change: change("update", { differences: [drifted, pending] }),
    given: war("tags.Team"),
    act: true,
    drift: ["tags.Team"],
  },
  {
    why: "a war that is only reported is none",
    change: change("update", { differences: [drifted] }),
    given: { ...report, ...war("tags.Team") },
    drift: ["tags.Team"],
  },

  {
    why: "a replacement waits for a person",
    change: change("replace", { differences: [difference("path", "pending", fixed)] }),
    stall: "Blocked",
    wants: "replace",
  },
  {
    why: "who approved it",
    change: change("replace", { differences: [difference("path", "pending", fixed)] }),
    given: { grants: granting("replace", KEY) },
    act: true,
  },
  {
    why: "an approval waits for the end of a pause",
    change: change("replace", { differences: [difference("path", "pending", fixed)] }),
    given: { ...paused, grants: granting("replace", KEY) },
  },
  { why: "one without a cause, too: an object that failed", change: change("replace"), stall: "Blocked", wants: "replace" },
  {
    why: "drift beside it is told of",
    change: change("replace", { differences: [difference("path", "pending", fixed), drifted] }),
    drift: ["tags.Team"],
    stall: "Blocked",
    wants: "replace",
  },
  {
    why: "drift is never replaced, nor can that be approved",
    change: change("replace", { differences: [difference("path", "drift", fixed)] }),
    given: { grants: granting("replace", KEY) },
    drift: ["path"],
    stall: "ImmutableDrift",
  },
  {
    why: "it is no trouble where it is only reported",
    change: change("replace", { differences: [difference("path", "drift", fixed)] }),
    given: report,
    drift: ["path"],
  },
  { why: "a deletion waits for a person", change: change("delete"), stall: "Blocked", wants: "delete" },
  { why: "who approved it", change: change("delete"), given: { grants: granting("delete", KEY) }, act: true },
  { why: "an approval waits for the end of a pause", change: change("delete"), given: { ...paused, grants: granting("delete", KEY) } },
  { why: "a pause keeps nobody from asking", change: change("delete"), given: paused, stall: "Blocked", wants: "delete" },
];

describe("one change", () => {
  for (const { why, change: one, given, act, drift = [], stall, wants, leaves = [] } of ROWS) {
    test(`${one.action}${given ? " under circumstances" : ""}: ${why}`, () => {
      const judgement = judge(planOf(one), circumstances(given));
      assert.deepEqual(judgement.act, act ? [one] : []);
      assert.deepEqual(
        (judgement.drift.get(KEY) ?? []).map(({ path }) => path),
        drift,
      );
      assert.equal(judgement.stalls.get(KEY)?.reason, stall);
      const wanted = { delete: [], replace: [], missing: [], ...(wants ? { [wants]: [KEY] } : {}) };
      assert.deepEqual(judgement.wanting, wanted);
      const paths = [...one.differences.map(({ path }) => path), "elsewhere"];
      assert.deepEqual(
        paths.filter((path) => judgement.leave(KEY, path)),
        leaves,
      );
      assert.equal(judgement.massMissing, false);
    });
  }

  test("drift says what was, and what AWS has", () => {
    const { drift } = judge(planOf(change("update", { differences: [drifted] })), circumstances());
    assert.deepEqual(drift.get(KEY), [{ path: "tags.Team", from: "manifest", to: "aws" }]);
  });

  test("a war names both writers, since when, and what to do", () => {
    const { stalls } = judge(planOf(change("update", { differences: [drifted] })), circumstances(war("tags.Team")));
    const message = stalls.get(KEY)?.message ?? "";
    for (const part of ["tags.Team", "5 times", "2026-01-01T11:30", "mallory", "iam:UpdateRole", `beaconctl resume ${KEY}`])
      assert.ok(message.includes(part), `${part} in: ${message}`);
  });
});

const roles = (count: number) => Array.from({ length: count }, (_, n): ResourceKey => `Role/r${n}`);

/** `count` roles among `more` buckets, the first `gone` of which are gone. */
function losing(count: number, gone: number, more: number, given: Partial<Circumstances> = {}) {
  const buckets = Array.from({ length: more }, (_, n) => recordOf(`Bucket/b${n}`, { kind: "s3.aws/v1 Bucket" }));
  const records = new Map([...roles(count).map((key) => recordOf(key)), ...buckets].map((record) => [record.key, record]));
  const changes = [
    ...roles(gone).map((key) => vanished(key)),
    change("update", { key: "Bucket/b0", kind: "s3.aws/v1 Bucket", differences: [pending] }),
  ];
  return judge(planOf(...changes), { ...circumstances(), records, ...given });
}

describe("many at once", () => {
  const rows = [
    { why: "three of ten are a slip", of: 5, gone: 3, more: 5, mass: false },
    { why: "four of ten are not", of: 5, gone: 4, more: 5, mass: true },
    { why: "ten of a hundred are a tenth", of: 11, gone: 10, more: 89, mass: false },
    { why: "eleven of a hundred are more", of: 12, gone: 11, more: 88, mass: true },
    { why: "all of a kind is an empty answer", of: 2, gone: 2, more: 50, mass: true },
    { why: "the only one of a kind may well be gone", of: 1, gone: 1, more: 50, mass: false },
  ];
  for (const { why, of, gone, more, mass } of rows) {
    test(`${gone} of ${of} roles, in a stack of ${of + more}: ${why}`, () => {
      const judgement = losing(of, gone, more);
      assert.equal(judgement.massMissing, mass);
      assert.equal(judgement.act.length, mass ? 0 : gone + 1, "all or nothing, what has nothing to do with it included");
      assert.deepEqual(judgement.wanting.missing, mass ? roles(gone) : []);
      for (const key of roles(gone)) assert.equal(judgement.stalls.get(key)?.reason, mass ? "MassMissing" : undefined);
    });
  }

  test("approved, they are all made anew; approved in part, nothing is done", () => {
    assert.equal(losing(5, 4, 5, { grants: granting("missing", ...roles(4)) }).act.length, 5);
    const partly = losing(5, 4, 5, { grants: granting("missing", ...roles(3)) });
    assert.equal(partly.massMissing, true);
    assert.deepEqual(partly.wanting.missing, ["Role/r3"]);
  });

  test("where nothing would be made anew in any case, nobody is asked", () => {
    for (const drift of ["report", "ignore"] as const) {
      const lifecycles = new Map(roles(4).map((key) => [key, { ...recordOf(key).lifecycle, drift }]));
      const judgement = losing(5, 4, 5, { lifecycles });
      assert.equal(judgement.massMissing, false, "there would be nothing to approve");
      assert.deepEqual(
        judgement.act.map(({ key }) => key),
        ["Bucket/b0"],
        drift,
      );
    }
  });
});

describe("what follows something that vanished", () => {
  const follower = (more: Partial<Change> = {}) =>
    change("replace", {
      key: "Subnet/a",
      kind: "ec2.aws/v1 Subnet",
      differences: [difference("vpcId", "pending", { ...fixed, after: unknown("vpc.main.vpcId") })],
      ...more,
    });
  const records = new Map(
    [recordOf("Subnet/a", { dependencies: ["VPC/main"] }), recordOf("VPC/main"), recordOf("Role/x")].map((record) => [record.key, record]),
  );

  test("is not asked about until that is there again", () => {
    const { act, wanting, stalls } = judge(planOf(vanished("VPC/main"), follower()), { ...circumstances(), records });
    assert.deepEqual(
      act.map(({ key }) => key),
      ["VPC/main"],
    );
    assert.deepEqual(wanting.replace, []);
    assert.equal(stalls.size, 0);
  });

  test("is asked about where the manifest replaces it", () => {
    const own = [difference("vpcId", "pending", { ...fixed, after: "vpc-2" })];
    for (const changes of [
      [vanished("VPC/main"), follower({ differences: own })],
      [change("replace", { key: "VPC/main" }), follower()],
    ])
      assert.ok(judge(planOf(...changes), { ...circumstances(), records }).wanting.replace.includes("Subnet/a"));
  });
});
