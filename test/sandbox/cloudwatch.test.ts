/** The sandbox's CloudWatch: puts of what exists, dashboards that are global, and tags that end with what they are on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { ResourceGroupsTaggingAPI } from "@aws-sdk/client-resource-groups-tagging-api";
import { clientSettings, freshProject } from "../support/sandbox.ts";

const cpu = {
  Namespace: "AWS/EC2",
  MetricName: "CPUUtilization",
  Statistic: "Average" as const,
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 70,
  ComparisonOperator: "GreaterThanThreshold" as const,
};
const tag = (Value: string) => [{ Key: "of", Value }];

const cloudwatchIn = async (region?: string) => new CloudWatch(await clientSettings(undefined, region));

test("a put of an alarm that is there replaces it, and leaves its state and tags", async () => {
  const [cloudwatch, AlarmName] = [await cloudwatchIn(), freshProject()];
  const now = async () => (await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms?.[0];
  await cloudwatch.putMetricAlarm({ ...cpu, AlarmName, Unit: "Percent", Tags: tag("web") });
  assert.equal((await now())?.StateValue, "INSUFFICIENT_DATA");
  await cloudwatch.setAlarmState({ AlarmName, StateValue: "ALARM", StateReason: "Busy" });
  const { Statistic, ...rest } = cpu;
  await cloudwatch.putMetricAlarm({ ...rest, AlarmName, ExtendedStatistic: "IQM", Tags: tag("other") });
  const after = await now();
  assert.deepEqual([after?.Unit, after?.Statistic, after?.ExtendedStatistic, after?.StateValue], [undefined, undefined, "IQM", "ALARM"]);
  const ResourceARN = after?.AlarmArn;
  assert.deepEqual((await cloudwatch.listTagsForResource({ ResourceARN })).Tags, tag("web"));
  await cloudwatch.deleteAlarms({ AlarmNames: [AlarmName] });
});

test("members of an alarm that are new at AWS are kept", async () => {
  const [cloudwatch, AlarmName] = [await cloudwatchIn(), freshProject()];
  const members = {
    EvaluationWindow: { WallClockWindow: { Timezone: "Asia/Seoul" } },
    WarmUpConfiguration: { WarmUpPeriodDurationInMinutes: 10 },
    ActionConfiguration: { AlarmTagsPropagation: { Enabled: true } },
  };
  await cloudwatch.putMetricAlarm({ ...cpu, AlarmName, ...members });
  const [alarm] = (await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms ?? [];
  const { EvaluationWindow, WarmUpConfiguration, ActionConfiguration } = alarm ?? {};
  assert.deepEqual({ EvaluationWindow, WarmUpConfiguration, ActionConfiguration }, members);
  await cloudwatch.deleteAlarms({ AlarmNames: [AlarmName] });
});

test("alarms that are not there are not deleted, and an alarm made anew has no old tags", async () => {
  const [cloudwatch, AlarmName] = [await cloudwatchIn(), freshProject()];
  await cloudwatch.putMetricAlarm({ ...cpu, AlarmName, Tags: tag("web") });
  const AlarmNames = [AlarmName, `${AlarmName}-none`];
  await assert.rejects(cloudwatch.deleteAlarms({ AlarmNames }), { name: "ResourceNotFound" });
  await assert.rejects(cloudwatch.deleteAlarms({ AlarmNames: [AlarmName] }), { name: "ResourceNotFound" }, "the others are");
  await cloudwatch.putMetricAlarm({ ...cpu, AlarmName });
  const [alarm] = (await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms ?? [];
  assert.deepEqual((await cloudwatch.listTagsForResource({ ResourceARN: alarm?.AlarmArn })).Tags, []);
  await cloudwatch.deleteAlarms({ AlarmNames: [AlarmName] });
});

test("a dashboard is in every region, and has the tags that it was made with and those it was given", async () => {
  const [here, there] = [await cloudwatchIn(), await cloudwatchIn("us-west-2")];
  const [DashboardName, value] = [freshProject(), freshProject()];
  const DashboardBody = '{"widgets": []}';
  await here.putDashboard({ DashboardName, DashboardBody, Tags: tag(value) });
  await there.putDashboard({ DashboardName, DashboardBody, Tags: tag("other") });
  const { DashboardArn: ResourceARN = "" } = await there.getDashboard({ DashboardName });
  assert.match(ResourceARN, /^arn:aws:cloudwatch::\d+:dashboard\//);
  await there.tagResource({ ResourceARN, Tags: [{ Key: "Name", Value: "web" }] });
  assert.deepEqual((await here.listTagsForResource({ ResourceARN })).Tags, [...tag(value), { Key: "Name", Value: "web" }]);
  const tagging = new ResourceGroupsTaggingAPI(await clientSettings());
  const TagFilters = [{ Key: "of", Values: [value] }];
  const tagged = async () => (await tagging.getResources({ TagFilters, ResourceTypeFilters: ["cloudwatch"] })).ResourceTagMappingList;
  assert.deepEqual(
    (await tagged())?.map((found) => found.ResourceARN),
    [ResourceARN],
  );
  await here.untagResource({ ResourceARN, TagKeys: ["Name"] });
  assert.deepEqual((await there.listTagsForResource({ ResourceARN })).Tags, tag(value));
  await there.deleteDashboards({ DashboardNames: [DashboardName] });
  assert.deepEqual(await tagged(), []);
  await assert.rejects(here.tagResource({ ResourceARN, Tags: tag("late") }), { name: "ResourceNotFoundException" });
  await here.putDashboard({ DashboardName, DashboardBody });
  assert.deepEqual((await here.listTagsForResource({ ResourceARN })).Tags, [], "one made anew has no old tags");
  await here.deleteDashboards({ DashboardNames: [DashboardName] });
});
