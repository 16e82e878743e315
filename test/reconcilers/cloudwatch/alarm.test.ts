import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudWatch, type PutMetricAlarmInput } from "@aws-sdk/client-cloudwatch";
import { alarm } from "../../../reconcilers/cloudwatch/alarm.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { clientSettings } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:operators";
const plain = async () => new CloudWatch(await clientSettings());
const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;
const cpu: JsonObject = {
  namespace: "AWS/EC2",
  metricName: "CPUUtilization",
  statistic: "Average",
  period: 120,
  evaluationPeriods: 2,
  threshold: 70,
  comparisonOperator: "GreaterThanThreshold",
};
const specOf = (bench: Bench, name = "cpu"): JsonObject => ({ alarmName: nameFor(bench, name), ...cpu });

test("an update sends what the manifest does not say as AWS has it, and leaves tags and state", async () => {
  const [bench, cloudwatch] = [await benchFor(alarm), await plain()];
  const spec: JsonObject = { ...specOf(bench), dimensions: { InstanceId: "i-1" }, tags: { Name: "cpu" } };
  const made = await make(bench, spec);
  const AlarmName = made.id;
  const [before] = (await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms ?? [];
  const outside = { Unit: "Percent" as const, OKActions: [TOPIC], AlarmDescription: "Theirs" };
  await cloudwatch.putMetricAlarm({ ...(before as unknown as PutMetricAlarmInput), ...outside });
  await cloudwatch.setAlarmState({ AlarmName, StateValue: "OK", StateReason: "Seen" });
  const [found] = await seen(bench, AlarmName);
  const changed = await settle(bench, found ?? made, { ...spec, threshold: 80, dimensions: { InstanceId: "i-2" } }, spec);
  assert.equal(changed.effects, 1);
  const [now] = (await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms ?? [];
  assert.deepEqual([now?.Unit, now?.OKActions, now?.AlarmDescription], ["Percent", [TOPIC], "Theirs"]);
  assert.deepEqual([now?.Threshold, now?.Dimensions, now?.StateValue], [80, [{ Name: "InstanceId", Value: "i-2" }], "OK"]);
  assert.deepEqual((await assertHolds(bench, changed)).tags, { Name: "cpu", "beacon:stack": bench.stack });
  await removeAll(bench, changed);
});

test("an alarm that comes to watch something else keeps nothing that AWS refuses beside it, whoever set it", async () => {
  const [bench, cloudwatch] = [await benchFor(alarm), await plain()];
  const base = { ...specOf(bench), dimensions: { InstanceId: "i-1" }, treatMissingData: "breaching" };
  const made = await make(bench, base);
  const [before] = (await cloudwatch.describeAlarms({ AlarmNames: [made.id] })).MetricAlarms ?? [];
  await cloudwatch.putMetricAlarm({ ...(before as unknown as PutMetricAlarmInput), Unit: "Percent" });
  const { alarmName, evaluationPeriods, comparisonOperator, threshold } = base as JsonObject;
  const metric = { namespace: "AWS/EC2", metricName: "CPUUtilization", dimensions: { InstanceId: "i-1" } };
  const metrics = [{ id: "cpu", metricStat: { metric, period: 60, stat: "p90" } }];
  const math = { alarmName, evaluationPeriods, comparisonOperator, threshold, metrics } as JsonObject;
  const [found] = await seen(bench, made.id);
  const changed = await settle(bench, found ?? made, math, base);
  const { values } = await assertHolds(bench, changed);
  const gone = ["namespace", "metricName", "statistic", "period", "unit"].filter((name) => values[name] !== undefined);
  assert.deepEqual(gone, []);
  assert.deepEqual([values.dimensions, values.treatMissingData], [{}, "missing"], "what was said and no longer is, is as AWS has it unset");
  await removeAll(bench, changed);
});

test("a look costs one call for the tags of all, and one for a hundred alarms", async () => {
  const [bench, others] = [await benchFor(alarm), await benchFor(alarm)];
  const made = await Promise.all(["a", "b:c", "d"].map((name) => make(bench, specOf(bench, name))));
  const foreign = await make(others, specOf(others, "theirs"));
  const reads = () => bench.session.calls().filter(({ mutating }) => !mutating);
  const before = new Map(reads().map(({ operation, calls }) => [operation, calls]));
  const found = await ownedBy(bench, { ids: made.map(({ id }) => id) });
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  assert.deepEqual(
    reads().map(({ operation, calls }) => [operation, calls - (before.get(operation) ?? 0)]),
    [
      ["cloudwatch:DescribeAlarms", 1],
      ["tag:GetResources", 1],
    ],
  );
  const named = await ownedBy(bench, { names: [{ alarmName: foreign.id }, { alarmName: nameFor(bench, "nobody") }] });
  assert.equal(named.find(({ id }) => id === foreign.id)?.tags?.["beacon:stack"], others.stack, "a foreign alarm says whose it is");
  await removeAll(bench, ...made);
  await removeAll(others, foreign);
});

test("names go out a hundred a call, and a composite alarm of one is somebody else's", async () => {
  const asked: number[] = [];
  const reader = {
    read: async (_service: unknown, operation: string, { AlarmNames = [] }: { AlarmNames?: string[] }) => {
      if (operation === "ListTagsForResource") return { Tags: [{ Key: "owner", Value: "them" }] };
      asked.push(AlarmNames.length);
      const CompositeAlarms = AlarmNames.filter((name) => name === "alarm-7").map((AlarmName) => ({ AlarmName, AlarmArn: "arn" }));
      return { MetricAlarms: [], CompositeAlarms };
    },
  };
  const names = Array.from({ length: 230 }, (_, index) => ({ alarmName: `alarm-${index}` }));
  const found = await alarm.list.run(reader as never, { ids: [], names, fields: new Set() });
  assert.deepEqual(asked, [100, 100, 30]);
  assert.deepEqual(
    found.map(({ id, tags }) => [id, tags]),
    [["alarm-7", { owner: "them" }]],
  );
});

const stat = { metric: { namespace: "AWS/EC2", metricName: "CPUUtilization" }, period: 60, stat: "Sum" };
const { namespace, metricName, statistic, period, ...judged } = cpu;
const math = (...metrics: JsonObject[]): JsonObject => ({ ...(judged as JsonObject), metrics });
const band = {
  evaluationPeriods: 2,
  comparisonOperator: "GreaterThanUpperThreshold",
  thresholdMetricId: "band",
  metrics: [
    { id: "m", metricStat: stat },
    { id: "band", expression: "ANOMALY_DETECTION_BAND(m, 2)" },
  ],
};
const promQl = { evaluationCriteria: { promQlCriteria: { query: "up == 0" } } };
const checks: readonly { why: string; spec: JsonObject; fields: readonly string[] }[] = [
  { why: "a metric and a threshold are fine", spec: cpu, fields: [] },
  { why: "a metric and an expression are fine", spec: math({ id: "m", metricStat: stat }), fields: [] },
  { why: "a band is fine", spec: band, fields: [] },
  { why: "a query is fine", spec: { ...promQl, evaluationInterval: 60 }, fields: [] },
  { why: "what is not known yet is fine", spec: math({ $unknown: "x" }), fields: [] },
  { why: "something is watched", spec: judged as JsonObject, fields: [""] },
  { why: "one thing is watched", spec: { ...cpu, metrics: [{ id: "m", metricStat: stat }] }, fields: ["metrics"] },
  { why: "a metric has a namespace", spec: { ...cpu, namespace: undefined as never }, fields: [""] },
  { why: "a metric has one statistic", spec: { ...cpu, extendedStatistic: "p90" }, fields: ["extendedStatistic"] },
  { why: "a metric has a statistic", spec: { ...cpu, statistic: undefined as never }, fields: [""] },
  { why: "there is a threshold", spec: { ...cpu, threshold: undefined as never }, fields: [""] },
  { why: "metrics have periods of their own", spec: { ...math({ id: "m", metricStat: stat }), period: 60 }, fields: ["period"] },
  { why: "a query has an interval", spec: promQl, fields: [""] },
  {
    why: "a query says itself what breaches",
    spec: { ...promQl, evaluationInterval: 60, threshold: 1, treatMissingData: "missing" },
    fields: ["threshold", "treatMissingData"],
  },
  {
    why: "a number is not compared as a band is",
    spec: { ...cpu, comparisonOperator: "LessThanLowerThreshold" },
    fields: ["comparisonOperator"],
  },
  {
    why: "a band is not compared as a number is",
    spec: { ...band, comparisonOperator: "LessThanThreshold" },
    fields: ["comparisonOperator"],
  },
  { why: "a band is one of the metrics", spec: { ...band, thresholdMetricId: "other" }, fields: ["thresholdMetricId"] },
  { why: "no more points breach than are looked at", spec: { ...cpu, datapointsToAlarm: 3 }, fields: ["datapointsToAlarm"] },
  {
    why: "low counts are for percentiles",
    spec: { ...cpu, evaluateLowSampleCountPercentile: "ignore" },
    fields: ["evaluateLowSampleCountPercentile"],
  },
  { why: "a metric has what it stands for", spec: math({ id: "m" }), fields: ["metrics.0"] },
  {
    why: "metrics have names of their own",
    spec: math({ id: "m", metricStat: stat, returnData: false }, { id: "m", expression: "1" }),
    fields: ["metrics.1.id"],
  },
  { why: "one metric is compared", spec: math({ id: "m", metricStat: stat }, { id: "e", expression: "m" }), fields: ["metrics"] },
];

for (const { why, spec, fields } of checks) {
  test(`before any call: ${why}`, () => {
    const known = JSON.parse(JSON.stringify(spec)) as JsonObject;
    const resource: StaticResource = { key: "Alarm/cpu", spec: known, refersTo: () => undefined, spanOf: () => undefined };
    assert.deepEqual(
      alarm.check?.([resource]).map(({ field }) => field),
      fields,
    );
  });
}
