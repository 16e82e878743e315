import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InstanceRefresh } from "@aws-sdk/client-auto-scaling";
import type { JsonObject } from "../../src/core/json.ts";
import {
  hasFailed,
  isHeldBy,
  nextStep,
  progressText,
  refreshValues,
  type Step,
  type Versions,
} from "../../src/kind/autoscaling-refresh.ts";

const refresh = (status: string, more: JsonObject = {}) => ({
  lastInstanceRefresh: { instanceRefreshId: "r-1", status, covers: false, ...more },
});
const OUTDATED = { outdatedInstanceIds: ["i-1"] };

describe("what is done about a group's instances", () => {
  const rows: readonly { why: string; observed: JsonObject; settings?: JsonObject; step: Step }[] = [
    { why: "all run what the group launches", observed: { outdatedInstanceIds: [] }, step: "nothing" },
    { why: "nobody looked", observed: {}, step: "nothing" },
    { why: "some do not", observed: OUTDATED, step: "start" },
    {
      why: "some do not, and an earlier refresh was for something else",
      observed: { ...OUTDATED, ...refresh("Successful") },
      step: "start",
    },
    { why: "an earlier one for something else failed", observed: { ...OUTDATED, ...refresh("Failed") }, step: "start" },
    { why: "one is at work", observed: { ...OUTDATED, ...refresh("InProgress", { covers: true, minutes: 300 }) }, step: "nothing" },
    {
      why: "one is at work for too long",
      observed: refresh("InProgress", { minutes: 30 }),
      settings: { timeoutMinutes: 30 },
      step: "cancel",
    },
    {
      why: "one is nearly at work for too long",
      observed: refresh("Pending", { minutes: 29 }),
      settings: { timeoutMinutes: 30 },
      step: "nothing",
    },
    { why: "one bakes for too long", observed: refresh("Baking", { minutes: 31 }), settings: { timeoutMinutes: 30 }, step: "cancel" },
    {
      why: "one is being cancelled",
      observed: { ...OUTDATED, ...refresh("Cancelling", { minutes: 99 }) },
      settings: { timeoutMinutes: 1 },
      step: "nothing",
    },
    { why: "one is being rolled back", observed: { ...OUTDATED, ...refresh("RollbackInProgress") }, step: "nothing" },
    { why: "the one for this failed", observed: { ...OUTDATED, ...refresh("Failed", { covers: true }) }, step: "giveUp" },
    { why: "the one for this was cancelled", observed: { ...OUTDATED, ...refresh("Cancelled", { covers: true }) }, step: "giveUp" },
    {
      why: "the one for this was rolled back",
      observed: { ...OUTDATED, ...refresh("RollbackSuccessful", { covers: true }) },
      step: "giveUp",
    },
    {
      why: "the one for this left protected instances alone",
      observed: { ...OUTDATED, ...refresh("Successful", { covers: true }) },
      step: "nothing",
    },
    { why: "the one for this failed, and a hand replaced the rest", observed: refresh("Failed", { covers: true }), step: "nothing" },
  ];
  for (const { why, observed, settings = {}, step } of rows) it(`${step}: ${why}`, () => assert.equal(nextStep(observed, settings), step));
});

describe("what is observed of a group's refreshes", () => {
  const nowMs = Date.parse("2026-11-24T12:00:00Z");
  const at = (time: string) => new Date(`2026-11-24T${time}Z`);
  const runs = (InstanceId: string, Version: string) =>
    ({ InstanceId, LaunchTemplate: { LaunchTemplateId: "lt-1", LaunchTemplateName: "web", Version } }) as never;
  const versions: Versions = new Map([["lt-1 $Latest", { number: 3, madeMs: Date.parse("2026-11-24T11:00:00Z") }]]);
  const latest = { launchTemplate: { launchTemplateId: "lt-1", launchTemplateName: "web", version: "$Latest" } };
  const pinned = { launchTemplate: { launchTemplateId: "lt-1", version: "3" } };
  const values = (configuration: object, newest?: InstanceRefresh, instances = [runs("i-2", "2"), runs("i-1", "3")]) =>
    refreshValues(configuration as never, { instances, newest, nowMs }, versions);

  it("instances of another version are outdated, by number and by name", () => {
    for (const configuration of [latest, pinned, { launchTemplate: { launchTemplateName: "web", version: "3" } }]) {
      assert.deepEqual(values(configuration), { launchTemplateVersion: 3, outdatedInstanceIds: ["i-2"] });
    }
  });
  it("of a policy, instances of any of its templates are current", () => {
    const overrides = [{ launchTemplateSpecification: { launchTemplateId: "lt-1", version: "2" } }];
    const policy = { mixedInstancesPolicy: { launchTemplate: { launchTemplateSpecification: latest.launchTemplate, overrides } } };
    assert.deepEqual(values(policy).outdatedInstanceIds, []);
  });
  it("an instance without a template is outdated", () => {
    assert.deepEqual(values(latest, undefined, [{ InstanceId: "i-3" } as never]).outdatedInstanceIds, ["i-3"]);
  });
  it("a refresh covers a named version that was made before it", () => {
    const covers = (StartTime: Date) => (values(latest, { Status: "Failed", StartTime }).lastInstanceRefresh as JsonObject).covers;
    assert.deepEqual([covers(at("11:00:01")), covers(at("10:59:59"))], [true, false]);
  });
  it("a refresh covers a number that it brings along", () => {
    const to = (Version: string, template = "lt-1") =>
      ({
        Status: "Failed",
        DesiredConfiguration: { LaunchTemplate: { LaunchTemplateId: template, LaunchTemplateName: "web", Version } },
      }) as InstanceRefresh;
    const covers = (newest: InstanceRefresh) => (values(pinned, newest).lastInstanceRefresh as JsonObject).covers;
    assert.deepEqual(
      [covers(to("3")), covers(to("2")), covers(to("3", "lt-2")), covers({ Status: "Failed" })],
      [true, false, false, false],
    );
  });
  it("what goes on says for how long", () => {
    const going = values(latest, { Status: "InProgress", StartTime: at("11:30:30"), PercentageComplete: 40 });
    assert.equal((going.lastInstanceRefresh as JsonObject).minutes, 29);
  });
});

it("a refresh to what is wanted, that came to nothing, is not tried again", () => {
  const wanted = { launchTemplate: { launchTemplateId: "lt-1", version: 4 } };
  const desiredConfiguration = { launchTemplate: { launchTemplateId: "lt-1", launchTemplateName: "web", version: "4" } };
  assert.equal(hasFailed(refresh("RollbackSuccessful", { desiredConfiguration }), wanted), true);
  assert.equal(hasFailed(refresh("Successful", { desiredConfiguration }), wanted), false);
  assert.equal(hasFailed(refresh("Pending", { desiredConfiguration }), wanted), false);
  assert.equal(hasFailed(refresh("Failed", { desiredConfiguration }), { launchTemplate: { launchTemplateId: "lt-1", version: 5 } }), false);
  assert.equal(hasFailed(refresh("Failed"), wanted), false);
});

it("one configuration holds of another that says more", () => {
  const policy = { launchTemplate: { overrides: [{ instanceType: "t3.micro", weightedCapacity: 2 }] } };
  const more = {
    launchTemplate: { overrides: [{ instanceType: "t3.micro", weightedCapacity: "2" }] },
    instancesDistribution: { spotInstancePools: 2 },
  };
  assert.equal(isHeldBy(policy, more), true);
  assert.equal(isHeldBy(more, policy), false);
  assert.equal(isHeldBy({ launchTemplateId: "lt-1" }, { launchTemplateId: "lt-1", version: "$Default" }), true);
});

it("whoever waits is told how far it is", () => {
  assert.deepEqual(progressText(refresh("InProgress", { percentageComplete: 40, instancesToUpdate: 3 })), {
    why: "instance refresh InProgress: 40 % of the instances are replaced, 3 to go",
    changeable: true,
  });
  assert.deepEqual(progressText(refresh("RollbackInProgress", { statusReason: "an alarm went off" })), {
    why: "instance refresh RollbackInProgress: 0 % of the instances are replaced (an alarm went off)",
    changeable: false,
  });
  assert.equal(progressText(refresh("Successful")), undefined);
});
