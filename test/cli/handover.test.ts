import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Route, reportOf, requireKept, routeOf } from "../../src/cli/handover.ts";
import type { Proposal } from "../../src/cli/revision.ts";
import { BeaconError } from "../../src/core/errors.ts";
import type { Change, Plan } from "../../src/core/plan.ts";
import type { StackRequest, StackStatus } from "../../src/core/record.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import type { StackState } from "../../src/core/store.ts";
import type { World } from "../../src/engine/types.ts";
import { revision, sourceText, status } from "../state/scene.ts";

const NOW = Date.parse("2026-01-01T00:00:00.000Z");

function change(key: ResourceKey, action: Change["action"]): Change {
  return { key, kind: "ec2.aws/v1 VPC", action, differences: [], leftAlone: [], dependents: [], retires: [], resolves: false };
}

function planOf(...changes: readonly Change[]): Plan {
  return { changes, outputs: [], newer: [], consents: { delete: 0, replace: 0, missing: 0 }, digest: "d" };
}

const lease = (controller: boolean) => ({
  holder: "c",
  epoch: 1,
  heartbeat: 1,
  since: "",
  renewedAt: "",
  ...(controller ? { controller: true as const } : {}),
});

function stateOf(more: Partial<StackState> = {}): StackState {
  return { records: new Map(), requests: [], revision: revision(1), lease: lease(true), status: status(), ...more };
}

const pause = (target: "*" | ResourceKey, until = "2026-01-01T01:00:00.000Z"): StackRequest => ({
  type: "pause",
  target,
  until,
  reason: "r",
  by: "me",
  at: "",
});
const proposal: Proposal = { revision: revision(2), source: sourceText("x") };
const drift = planOf(change("VPC/a", "update"));

const cases: readonly { why: string; state?: Partial<StackState>; plan?: Plan; proposal?: Proposal; chosen?: true; is: Route }[] = [
  {
    why: "somebody else's apply holds the lease, which is refused as ever",
    state: { lease: lease(false) },
    proposal,
    plan: drift,
    is: "own",
  },
  { why: "a new revision", proposal, plan: drift, is: "controller" },
  { why: "a new revision that changes nothing at AWS", proposal, is: "controller" },
  { why: "nothing at all to do: the controller is let be", is: "controller" },
  { why: "the accepted revision is still being brought about", plan: drift, state: { status: status({ converged: 0 }) }, is: "controller" },
  {
    why: "no controller has said yet how far it is",
    plan: drift,
    state: { status: undefined as unknown as StackStatus },
    is: "controller",
  },
  { why: "drift that the controller leaves, such as what it only reports", plan: drift, is: "yielded" },
  { why: "a part of the stack, or a replacement that nothing forces", plan: drift, chosen: true, is: "yielded" },
  {
    why: "the stack is paused, and a person applies all the same",
    proposal,
    plan: drift,
    state: { requests: [pause("*")] },
    is: "yielded",
  },
  {
    why: "a pause that is over is none",
    proposal,
    plan: drift,
    state: { requests: [pause("*", "2025-12-31T00:00:00.000Z")] },
    is: "controller",
  },
  { why: "a pause of one resource is none of the stack", proposal, plan: drift, state: { requests: [pause("VPC/b")] }, is: "controller" },
];

describe("who carries a plan out", () => {
  for (const { why, state, plan = planOf(), proposal: proposed, chosen = false, is } of cases) {
    test(`${why}: ${is}`, () => {
      const world = { state: stateOf(state) } as World;
      assert.equal(routeOf({ seen: { world, plan }, proposal: proposed, chosen, now: NOW }), is);
    });
  }
  test("nobody holds the stack: this process", () => {
    const { lease: _lease, ...state } = stateOf();
    assert.equal(routeOf({ seen: { world: { state } as World, plan: drift }, proposal, chosen: false, now: NOW }), "own");
  });
});

test("manifests with a secret in them are refused before a controller gets them, with what else can be done", () => {
  requireKept(proposal, stateOf());
  requireKept(undefined, stateOf());
  assert.throws(
    () => requireKept({ ...proposal, source: undefined }, stateOf()),
    (error) =>
      error instanceof BeaconError &&
      error.code === "SourceMissing" &&
      /beaconctl pause/.test(error.next ?? "") &&
      /-f/.test(error.next ?? ""),
  );
});

describe("the report of what a controller did", () => {
  const plan = planOf(change("VPC/a", "update"), change("VPC/b", "create"), change("VPC/c", "none"));
  const outcomes = (followed: Parameters<typeof reportOf>[1]) =>
    reportOf(plan, followed, 2)
      .results.map(({ outcome }) => outcome)
      .join(" ");

  test("all is done when the revision is", () => {
    const state = stateOf({ status: status({ revision: 2, converged: 2 }), revision: revision(2, { outputs: { vpcId: "vpc-1" } }) });
    const report = reportOf(plan, { outcome: "done", state, done: new Set() }, 2);
    assert.deepEqual(
      report.results.map(({ key, outcome, message }) => [key, outcome, message]),
      [
        ["VPC/a", "done", "updated"],
        ["VPC/b", "done", "created"],
        ["VPC/c", "done", "unchanged"],
      ],
    );
    assert.deepEqual([report.outputs, report.interrupted], [{ vpcId: "vpc-1" }, false]);
  });

  test("what failed or waits is as the status says; what nobody has told of still waits", () => {
    const unfinished = [{ key: "VPC/a", outcome: "failed", message: "no" }] as const;
    const failed = stateOf({ status: status({ revision: 2, converged: 1, unfinished }) });
    assert.equal(outcomes({ outcome: "failed", state: failed, done: new Set(["VPC/b"]) }), "failed done done");
    assert.equal(
      outcomes({ outcome: "late", state: stateOf(), done: new Set() }),
      "waiting waiting done",
      "a status of before says nothing",
    );
    const earlier = stateOf({ status: status({ revision: 1, unfinished }) });
    assert.equal(outcomes({ outcome: "late", state: earlier, done: new Set() }), "waiting waiting done");
    assert.equal(reportOf(plan, { outcome: "left", state: stateOf(), done: new Set() }, 2).interrupted, true);
  });
});
