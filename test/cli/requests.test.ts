import assert from "node:assert/strict";
import { test } from "node:test";
import { wasLookedAt } from "../../src/cli/looked.ts";
import { driftSince } from "../../src/cli/render/drift.ts";
import { isStackPaused, pausesAt, pauseText, requireUnpaused, standingNotes } from "../../src/cli/requests.ts";
import { BeaconError } from "../../src/core/errors.ts";
import type { Change, Plan } from "../../src/core/plan.ts";
import type { Attribution, StackRequest, StackStatus } from "../../src/core/record.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { status } from "../state/scene.ts";

const NOW = Date.parse("2026-01-01T12:00:00.000Z");
const signed = { by: "arn:me", at: "2026-01-01T11:00:00.000Z" };
const pause = (target: ResourceKey | "*", until = "2026-01-01T14:00:00.000Z") =>
  ({ type: "pause", target, until, reason: "moving", ...signed }) satisfies StackRequest;

test("a pause counts until its end, the whole stack's first", () => {
  const requests = [pause("VPC/a"), pause("VPC/over", "2026-01-01T12:00:00.000Z"), pause("*")];
  assert.deepEqual(pausesAt(requests, NOW), [pause("*"), pause("VPC/a")]);
  assert.deepEqual([isStackPaused(requests, NOW), isStackPaused(requests, NOW + 7_200_000)], [true, false]);
  assert.equal(pauseText(pause("*")), "paused until 2026-01-01 14:00 UTC by arn:me: moving");
});

test("what a person must know of a stack: pauses, a hold while it holds, what is awaited, why manifests are not taken", () => {
  const hold: StackRequest = { type: "hold", digest: "f1", reason: "rolled back to revision 3 by arn:me", ...signed };
  const grants = { delete: [], replace: [], missing: [] };
  const awaiting = { digest: "7f3a91c2", what: "revision", grants, message: "a change (1 to create)" } as const;
  const notes = (requests: readonly StackRequest[], more: Partial<StackStatus> = {}) =>
    standingNotes({ requests, status: status(more) }, NOW);
  assert.deepEqual(notes([pause("*"), pause("VPC/a")]), [
    "the stack is paused until 2026-01-01 14:00 UTC by arn:me: moving",
    "VPC/a is paused until 2026-01-01 14:00 UTC by arn:me: moving",
  ]);
  assert.match(
    notes([hold], { sourceDigest: "f1" })[0] ?? "",
    /held until they change, or until beaconctl resume: rolled back to revision 3/,
  );
  assert.deepEqual(notes([hold], { sourceDigest: "f2" }), [], "they have changed");
  assert.deepEqual(notes([], { awaiting }), ["awaits approval 7f3a91c2: a change (1 to create) (beaconctl approve)"]);
  assert.deepEqual(notes([], { sourceProblem: "3 problems" }), ["the watched manifests are not accepted: 3 problems"]);
  assert.deepEqual(standingNotes({ requests: [] }, NOW), []);
});

const UNCHANGED: Change = {
  ...{ key: "VPC/a", kind: "ec2.aws/v1 VPC", action: "none", differences: [], leftAlone: [] },
  ...{ dependents: [], retires: [], resolves: false },
};

test("a plan may not change what is paused by name; the stack's own pause is the controller's alone", () => {
  const plan = (action: Change["action"]): Plan => ({
    changes: [{ ...UNCHANGED, action }],
    outputs: [],
    newer: [],
    consents: { delete: 0, replace: 0, missing: 0 },
    digest: "d",
  });
  for (const action of ["update", "create", "delete", "replace"] as const)
    assert.throws(
      () => requireUnpaused(plan(action), [pause("VPC/a")], NOW),
      (error) => error instanceof BeaconError && error.code === "ResourcePaused" && /resume VPC\/a/.test(error.next ?? ""),
    );
  requireUnpaused(plan("none"), [pause("VPC/a")], NOW);
  requireUnpaused(plan("update"), [pause("*"), pause("VPC/b"), pause("VPC/a", "2026-01-01T11:00:00.000Z")], NOW);
});

test("drift is told since it was first seen, and by whom where that is known", () => {
  const by: Attribution = {
    principal: "arn:ops",
    sourceIp: "203.0.113.9",
    userAgent: "cli",
    action: "ec2:AuthorizeSecurityGroupIngress",
    at: "",
    via: "event",
  };
  const at = (time: string) => ({ path: "ingress", firstSeenAt: `2026-01-01T${time}:00.000Z` });
  assert.equal(driftSince([], NOW), "");
  assert.equal(driftSince([at("11:30"), at("10:02")], NOW), "since 10:02 UTC");
  assert.equal(driftSince([at("10:02")], NOW + 86_400_000), "since 2026-01-01 10:02 UTC");
  assert.equal(driftSince([{ ...at("10:02"), by }], NOW), "since 10:02 UTC by arn:ops (AuthorizeSecurityGroupIngress)");
  assert.match(
    driftSince(
      [
        { ...at("10:02"), by },
        { ...at("10:03"), by: { ...by, principal: "arn:b" } },
      ],
      NOW,
    ),
    / and 1 more$/,
  );
});

test("a look counts once it began after the request; with a clock that is behind, once there was time enough", () => {
  const asked: StackRequest = { type: "check", target: "*", by: "me", at: "2026-01-01T12:00:00.000Z" };
  const checks = (time: string) => ({ vpc: { at: `2026-01-01T${time}.000Z`, next: "" } });
  const awaited = { asked, before: checks("11:59:00"), kinds: ["vpc"], heardMs: 1000 };
  const is = (time: string, more: object = {}, nowMs = 2000) =>
    wasLookedAt({ ...awaited, ...more }, status({ checks: checks(time) }), nowMs);
  assert.equal(is("12:00:01"), true);
  assert.equal(is("12:00:01", { heardMs: undefined }), false, "the request was not taken back yet");
  assert.equal(is("11:59:00", {}, 60_000), false, "the same look as before, however long ago");
  assert.equal(is("11:59:30"), false, "one that was under way");
  assert.equal(is("11:59:30", {}, 12_000), true, "the controller's clock is behind");
  assert.equal(is("12:00:01", { kinds: ["vpc", "subnet"] }), false, "another kind was not looked at");
  assert.equal(wasLookedAt(awaited, undefined, 60_000), false);
});
