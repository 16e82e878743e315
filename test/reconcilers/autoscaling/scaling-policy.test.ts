import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { EC2 } from "@aws-sdk/client-ec2";
import { scalingPolicy } from "../../../reconcilers/autoscaling/scaling-policy.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { clientSettings, freshProject } from "../../support/sandbox.ts";
import { assertHolds, benchFor, make, removeAll, seen, settle } from "../support.ts";

let ec2: EC2;
let autoscaling: AutoScaling;
const groups: string[] = [];

before(async () => {
  const settings = await clientSettings();
  [ec2, autoscaling] = [new EC2(settings), new AutoScaling(settings)];
  for (const name of [freshProject("g"), freshProject("g")]) {
    const LaunchTemplateData = { ImageId: "ami-12345678", InstanceType: "t3.micro" as const };
    await ec2.createLaunchTemplate({ LaunchTemplateName: name, LaunchTemplateData });
    const LaunchTemplate = { LaunchTemplateName: name };
    const AvailabilityZones = ["eu-west-1a"];
    await autoscaling.createAutoScalingGroup({ AutoScalingGroupName: name, MinSize: 0, MaxSize: 1, LaunchTemplate, AvailabilityZones });
    groups.push(name);
  }
});

after(async () => {
  for (const AutoScalingGroupName of groups) await autoscaling.deleteAutoScalingGroup({ AutoScalingGroupName, ForceDelete: true });
  for (const client of [ec2, autoscaling]) client.destroy();
});

const inGroup = (policyName: string, more: JsonObject): JsonObject => ({ autoScalingGroupName: groups[0] as string, policyName, ...more });

test("a step policy is changed in every field", async () => {
  const bench = await benchFor(scalingPolicy);
  const spec = inGroup("steps", {
    policyType: "StepScaling",
    adjustmentType: "PercentChangeInCapacity",
    minAdjustmentMagnitude: 2,
    stepAdjustments: [
      { metricIntervalLowerBound: 0, metricIntervalUpperBound: 20, scalingAdjustment: 10 },
      { metricIntervalLowerBound: 20, scalingAdjustment: 30 },
    ],
    metricAggregationType: "Maximum",
    estimatedInstanceWarmup: 60,
  });
  const made = await make(bench, spec);
  await assertHolds(bench, made);
  const next = inGroup("steps", {
    policyType: "StepScaling",
    adjustmentType: "ChangeInCapacity",
    stepAdjustments: [{ metricIntervalUpperBound: 0, scalingAdjustment: -1 }],
    enabled: false,
  });
  const changed = await settle(bench, made, next, spec);
  assert.equal(changed.effects, 1, "one call writes all of it");
  const held = await assertHolds(bench, changed);
  assert.deepEqual(
    [held.values.minAdjustmentMagnitude, held.values.estimatedInstanceWarmup, held.values.metricAggregationType],
    [undefined, undefined, "Average"],
  );
  assert.equal(held.id, made.id, "its ARN stays");
  await removeAll(bench, changed);
});

test("a target tracking policy goes from one metric to another, and keeps what nobody declares", async () => {
  const bench = await benchFor(scalingPolicy);
  const tracking = (targetTrackingConfiguration: JsonObject, more: JsonObject = {}) =>
    inGroup("target", { policyType: "TargetTrackingScaling", targetTrackingConfiguration, ...more });
  const cpu = tracking({ predefinedMetricSpecification: { predefinedMetricType: "ASGAverageCPUUtilization" }, targetValue: 50 });
  const made = await make(bench, cpu);
  await assertHolds(bench, made);
  await autoscaling.putScalingPolicy({
    AutoScalingGroupName: groups[0] as string,
    PolicyName: "target",
    PolicyType: "TargetTrackingScaling",
    TargetTrackingConfiguration: {
      PredefinedMetricSpecification: { PredefinedMetricType: "ASGAverageCPUUtilization" },
      TargetValue: 50,
      DisableScaleIn: true,
    },
    EstimatedInstanceWarmup: 90,
  });
  const [theirs] = await seen(bench, made.id);
  const backlog = {
    metricName: "Backlog",
    namespace: "Web",
    statistic: "Average",
    dimensions: { Queue: "jobs", Stage: "test" },
    period: 30,
  };
  const custom = tracking({ customizedMetricSpecification: backlog, targetValue: 7.5 });
  const changed = await settle(bench, theirs as Remote, custom, cpu);
  const held = await assertHolds(bench, changed);
  assert.deepEqual(held.values.targetTrackingConfiguration, {
    customizedMetricSpecification: backlog,
    disableScaleIn: true,
    targetValue: 7.5,
  });
  assert.equal(held.values.estimatedInstanceWarmup, 90, "nobody declared it");
  const metrics = [
    {
      id: "m1",
      metricStat: { metric: { namespace: "Web", metricName: "Jobs", dimensions: { Queue: "jobs" } }, stat: "Sum" },
      returnData: false,
    },
    { id: "e1", expression: "m1 / 2", label: "Half", returnData: true },
  ];
  const maths = tracking({ customizedMetricSpecification: { metrics }, targetValue: 7.5 });
  const calculated = await settle(bench, changed, maths, custom);
  assert.deepEqual((await settle(bench, (await seen(bench, made.id))[0] as Remote, maths, maths)).effects, 0);
  await removeAll(bench, calculated);
});

test("policies of one name in two groups are two, found in one call; a name nobody has is nothing", async () => {
  const bench = await benchFor(scalingPolicy);
  const up = { adjustmentType: "ChangeInCapacity", scalingAdjustment: 1, cooldown: 300 };
  const made = await Promise.all(groups.map((autoScalingGroupName) => make(bench, { autoScalingGroupName, policyName: "up", ...up })));
  const [first, second] = made as [Remote, Remote];
  assert.notEqual(first.id, second.id);
  const names = [
    { autoScalingGroupName: groups[1] as string, policyName: "up" },
    { autoScalingGroupName: groups[0] as string, policyName: "down" },
  ];
  const found = await scalingPolicy.list.run(bench.reader, { ids: [first.id], names, fields: new Set() });
  assert.deepEqual(found.map(({ id }) => id).sort(), [first.id, second.id].sort());
  const other = await scalingPolicy.list.run(bench.reader, { ids: [first.id], names: [], fields: new Set() });
  assert.deepEqual(
    other.map(({ id }) => id),
    [first.id],
    "the one of the other group was not asked for",
  );
  assert.equal(bench.session.calls().find(({ operation }) => operation === "autoscaling:DescribePolicies")?.calls, 2);
  assert.deepEqual(await scalingPolicy.list.run(bench.reader, { stack: bench.stack, ids: [], names: [], fields: new Set() }), []);
  await removeAll(bench, ...made);
});

test("names go out in batches of fifty", async () => {
  const asked: number[] = [];
  const pages = async (_service: unknown, _operation: string, { PolicyNames }: { PolicyNames: string[] }) => {
    asked.push(PolicyNames.length);
    return [];
  };
  const names = Array.from({ length: 120 }, (_, index) => ({ autoScalingGroupName: `g-${index % 3}`, policyName: `p-${index}` }));
  await scalingPolicy.list.run({ pages } as never, { ids: [], names, fields: new Set() });
  assert.deepEqual(asked, [50, 50, 20]);
});

test("fields that do not go with the policy's type are said before any call", () => {
  const findings = (spec: JsonObject) => {
    const resource: StaticResource = { key: "ScalingPolicy/up", spec, refersTo: () => undefined, spanOf: () => undefined };
    return scalingPolicy.check?.([resource]).map(({ field, message }) => `${field}: ${message.replaceAll("ScalingPolicy/up", "it")}`);
  };
  const [simple, tracking] = [{ adjustmentType: "ChangeInCapacity", scalingAdjustment: 1 }, { policyType: "TargetTrackingScaling" }];
  const byTarget = { predefinedMetricType: "ALBRequestCountPerTarget" };
  const rows: readonly [spec: JsonObject, found: string[]][] = [
    [simple, []],
    [{ adjustmentType: "ExactCapacity" }, [": it is a SimpleScaling policy and needs `scalingAdjustment`"]],
    [{ ...simple, stepAdjustments: [] }, ["stepAdjustments: it is a SimpleScaling policy and takes no `stepAdjustments`"]],
    [
      { ...simple, minAdjustmentMagnitude: 1 },
      ["minAdjustmentMagnitude: `minAdjustmentMagnitude` of it goes with PercentChangeInCapacity only"],
    ],
    [
      { policyType: "StepScaling", adjustmentType: "ExactCapacity", stepAdjustments: [], cooldown: 1 },
      ["cooldown: it is a StepScaling policy and takes no `cooldown`"],
    ],
    [tracking, [": it is a TargetTrackingScaling policy and needs `targetTrackingConfiguration`"]],
    [
      { ...tracking, targetTrackingConfiguration: { targetValue: 1 } },
      ["targetTrackingConfiguration: it tracks one metric, predefined or customized, and not 0"],
    ],
    [
      { ...tracking, targetTrackingConfiguration: { predefinedMetricSpecification: byTarget } },
      [
        "targetTrackingConfiguration.predefinedMetricSpecification: `resourceLabel` of it goes with ALBRequestCountPerTarget, which needs it",
      ],
    ],
    [
      { ...tracking, targetTrackingConfiguration: { customizedMetricSpecification: { metricName: "Jobs" } } },
      [
        "targetTrackingConfiguration.customizedMetricSpecification: the metric of it is given by `metricName`, `namespace` and `statistic`, or by `metrics` alone",
      ],
    ],
  ];
  for (const [spec, found] of rows) assert.deepEqual(findings(spec), found, JSON.stringify(spec));
});
