import type { CompositeAlarm, MetricAlarm } from "@aws-sdk/client-cloudwatch";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import { type Tags, toTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { cloudwatch, cloudwatchTags, listNamed, NOT_FOUND, tagsOf } from "../../src/kind/cloudwatch.ts";
import { alarmFindings, alarmOf, alarmOut, wholeAlarm, withDefaults } from "../../src/kind/cloudwatch-alarm.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { chunks, defined } from "../../src/kind/listing.ts";
import { optional } from "../../src/kind/schemas.ts";

// Of alarm names: any character but control characters.
const PRINTABLE = /^[ -~\u0080-\uffff]+$/;
// Of dimensions: printable ASCII, and not spaces alone.
const ASCII = /^[ -~]*[!-~][ -~]*$/;

// "p90, tm90, tc90, ts90, wm90, IQM, PR(n:m), TC(X%:X%), TM(X%:X%), TS(X%:X%), WM(X%:X%)" (CloudWatch API Reference, PutMetricAlarm).
const EXTENDED = /^((p|tm|tc|ts|wm)\d{1,3}(\.\d+)?|IQM|(PR|TC|TM|TS|WM)\([^:()]*:[^:()]*\))$/;

const UNITS = [
  ...[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
  ],
  ...["Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second"],
  ...[
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
  ],
] as const;

/** 10, 20, 30 or whole minutes, in seconds. */
const seconds = (schema: z.ZodNumber) =>
  schema.refine((value) => value % 60 === 0 || [10, 20, 30].includes(value), "must be 10, 20, 30 or a multiple of 60");

const dimensions = () =>
  z
    .record(z.string().min(1).max(255).regex(ASCII).regex(/^[^:]/), z.string().min(1).max(1024).regex(ASCII))
    .refine((found) => Object.keys(found).length <= 30, "must have at most 30 dimensions");

const metricName = () => z.string().min(1).max(255);
const namespace = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^:].*$/);
const metricId = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-z][a-zA-Z0-9_]*$/);

const query = z.strictObject({
  id: field(metricId(), { doc: "What expressions call it: a small letter, then letters, digits and underscores." }),
  metricStat: optional(
    z.strictObject({
      metric: field(
        z.strictObject({
          namespace: field(namespace(), { doc: "The metric's namespace." }),
          metricName: field(metricName(), { doc: "The metric's name." }),
          dimensions: optional(dimensions(), "Its dimensions, by name.", { unset: {} }),
        }),
        { doc: "The metric." },
      ),
      period: field(seconds(z.int().min(1)), { doc: "The seconds that a data point stands for." }),
      stat: field(z.string().min(1), { doc: "The statistic, such as Average or p99." }),
      unit: optional(z.enum(UNITS), "The unit, where the metric comes in several."),
    }),
    "A metric.",
  ),
  expression: optional(z.string().min(1).max(2048), "A metric math expression, or a Metrics Insights query."),
  label: optional(z.string().min(1), "What it is called in graphs."),
  returnData: optional(z.boolean(), "Whether it is what the alarm compares; true for one of them.", { unset: true }),
  period: optional(seconds(z.int().min(1)), "The seconds that a data point of an expression stands for."),
  accountId: optional(z.string().min(1).max(255), "The account that has the metric, where it is another."),
});

const actions = (doc: string) => optional(z.array(z.string().min(1).max(1024)).max(5), doc, { compare: "set", unset: [] });
const keys = (doc: string) => optional(z.array(z.string().min(1).max(128)).min(1).max(50), doc, { compare: "set" });

const spec = z.strictObject({
  alarmName: optional(z.string().min(1).max(255).regex(PRINTABLE), "Unique in the region; derived when absent.", { immutable: true }),
  alarmDescription: optional(z.string().min(1).max(1024), "What it means.", { unset: null }),
  metricName: optional(metricName(), "The metric that it watches; or `metrics`, or `evaluationCriteria`.", { unset: null }),
  namespace: optional(namespace(), "The metric's namespace, such as AWS/EC2.", { unset: null }),
  dimensions: optional(dimensions(), "The metric's dimensions, by name.", { whole: true, unset: {} }),
  statistic: optional(z.enum(["SampleCount", "Average", "Sum", "Minimum", "Maximum"]), "What is made of a period's values.", {
    unset: null,
  }),
  extendedStatistic: optional(z.string().regex(EXTENDED), "Likewise: a percentile or a trimmed mean, such as p99.", { unset: null }),
  period: optional(seconds(z.int().min(1)), "The seconds that a data point stands for.", { unset: null }),
  unit: optional(z.enum(UNITS), "The unit, where the metric comes in several.", { unset: null }),
  metrics: optional(z.array(query), "Metrics and expressions, one of which is compared.", {
    compare: { keyed: "id" },
    whole: true,
    unset: null,
  }),
  evaluationPeriods: optional(z.int().min(1), "How many data points it looks at.", { unset: null }),
  datapointsToAlarm: optional(z.int().min(1), "How many of them have to breach; all when absent.", { unset: null }),
  threshold: optional(z.number(), "What they are compared with.", { unset: null }),
  thresholdMetricId: optional(metricId(), "Likewise: the id of an ANOMALY_DETECTION_BAND among `metrics`.", { unset: null }),
  comparisonOperator: optional(
    z.enum([
      ...(["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"] as const),
      ...(["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"] as const),
    ]),
    "How they are compared.",
    { unset: null },
  ),
  treatMissingData: optional(z.enum(["breaching", "notBreaching", "ignore", "missing"]), "What data points that are missing count as.", {
    unset: "missing",
  }),
  evaluateLowSampleCountPercentile: optional(z.enum(["evaluate", "ignore"]), "Whether a percentile of few samples counts.", {
    unset: null,
  }),
  evaluationWindow: optional(
    z.strictObject({
      slidingWindow: optional(z.strictObject({}), "It moves on with every evaluation."),
      wallClockWindow: optional(
        z.strictObject({ timezone: optional(z.string().min(1).max(50), "The time zone of the clock.", { unset: "UTC" }) }),
        "It begins with the minute, hour, day or week.",
      ),
    }),
    "Which data it looks at: one of these.",
    { whole: true, unset: { slidingWindow: {} } },
  ),
  warmUpConfiguration: optional(
    z.strictObject({
      warmUpPeriodDurationInMinutes: field(z.int().min(1).max(2880), { doc: "How long." }),
      onlyStartEvaluatingAfterWarmUpPeriodEnds: optional(z.boolean(), "Whether data that comes sooner has to wait, too.", { unset: false }),
    }),
    "How long a new alarm waits for data.",
    { whole: true, unset: null },
  ),
  evaluationCriteria: optional(
    z.strictObject({
      promQlCriteria: field(
        z.strictObject({
          query: field(z.string().min(1).max(10_000), { doc: "The PromQL query; each of its results is judged by itself." }),
          pendingPeriod: optional(z.int().min(0).max(86_400), "How many seconds a result has to breach."),
          recoveryPeriod: optional(z.int().min(0).max(86_400), "How many seconds it has to be well again."),
        }),
        { doc: "A PromQL query." },
      ),
    }),
    "What it watches, where that is a PromQL query.",
    { whole: true, unset: null },
  ),
  evaluationInterval: optional(seconds(z.int().min(10).max(3600)), "How often a PromQL query runs, in seconds.", { unset: null }),
  actionsEnabled: optional(z.boolean(), "Whether its actions are carried out.", { unset: true }),
  alarmActions: actions("What is done when it goes off: ARNs of scaling policies, SNS topics and so on."),
  okActions: actions("What is done when all is well again."),
  insufficientDataActions: actions("What is done when data is missing."),
  actionConfiguration: optional(
    z.strictObject({
      alarmTagsPropagation: optional(
        z.strictObject({
          enabled: field(z.boolean(), { doc: "Whether they do." }),
          includedTagKeys: keys("These tags only."),
          excludedTagKeys: keys("All tags but these."),
        }),
        "Whether notifications say the alarm's tags.",
      ),
    }),
    "What its notifications say.",
    { whole: true, unset: null },
  ),
  tags: tags(),
});

const FIELDS = Object.keys(spec.shape).filter((name) => name !== "alarmName" && name !== "tags");

const status = z.strictObject({
  alarmName: field(z.string(), { doc: "The name of the alarm." }),
  alarmArn: field(z.string(), { doc: "The ARN of the alarm." }),
  stateValue: field(z.string().optional(), { doc: "OK, ALARM or INSUFFICIENT_DATA." }),
});

export const alarm = defineKind({
  apiVersion: "cloudwatch.aws/v1",
  kind: "Alarm",
  doc: "Watches a metric, an expression or a query, and acts when it breaches a threshold.",
  spec,
  status,
  id: "alarmName",
  identity: { by: "name", key: ["alarmName"], upsert: true, name: { field: "alarmName", maxLength: 255 } },
  deviations: ["Dimensions are maps by name.", "Composite alarms and log alarms are not supported."],
  errors: { notFound: NOT_FOUND, wait: ["ResourceConflict", "ConflictException", "ConcurrentModificationException"] },
  list: { operations: ["tag:GetResources", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"], run: list },
  create: {
    operations: ["cloudwatch:PutMetricAlarm"],
    run: async (aws, { tags: own = {}, alarmName, ...said }) => {
      const id = alarmName as string;
      const Tags = Object.keys(own).length > 0 ? toTagList(own) : undefined;
      await aws.write(cloudwatch, "PutMetricAlarm", { ...alarmOut(said as JsonObject), AlarmName: id, Tags });
      // The answer is empty: whoever wants the ARN has it looked up.
      const known = { ...(said as JsonObject), ...withDefaults(said as JsonObject) };
      return { id, values: { ...defined(known), alarmName: id, tags: own } };
    },
  },
  updates: [
    {
      fields: FIELDS,
      operations: ["cloudwatch:PutMetricAlarm"],
      run: async (aws, { id, desired, observed, changes }) => {
        const declared = FIELDS.filter((name) => changes[name] || (desired as JsonObject)[name] !== undefined);
        const said = Object.fromEntries(
          declared.map((name) => [name, changes[name] ? (changes[name].after ?? undefined) : ((desired as JsonObject)[name] as Json)]),
        );
        const seen = Object.fromEntries(FIELDS.map((name) => [name, observed[name]]));
        // AWS replaces all of it, whatever is left out.
        const whole = wholeAlarm(said, seen);
        await aws.write(cloudwatch, "PutMetricAlarm", { ...alarmOut(whole), AlarmName: id });
        return { values: { ...Object.fromEntries(FIELDS.map((name) => [name, undefined])), ...whole, ...withDefaults(whole) } };
      },
    },
    cloudwatchTags("alarmArn"),
  ],
  delete: {
    operations: ["cloudwatch:DeleteAlarms"],
    run: async (aws, { id }) => void (await aws.write(cloudwatch, "DeleteAlarms", { AlarmNames: [id] })),
  },
  check: (resources) => resources.flatMap((resource) => [...alarmFindings(resource)]),
});

function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  return listNamed(aws, scope, {
    mark: ":alarm:",
    nameField: "alarmName",
    nameOf,
    remotes: (names, known) => remotes(aws, names, known),
  });
}

/** `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`, whose name may have colons. */
function nameOf(arn: string): string {
  return arn.split(":").slice(6).join(":");
}

async function remotes(aws: Reader, names: readonly string[], known: ReadonlyMap<string, Tags>): Promise<readonly Remote[]> {
  const { metric, composite } = await describe(aws, names);
  // Composite alarms share the names: one in the way is somebody else's, whatever it is.
  const others = composite.map(({ AlarmName, AlarmArn }) => defined({ alarmName: AlarmName, alarmArn: AlarmArn }));
  const all = [...metric.map((found) => ({ alarmName: String(found.AlarmName), ...alarmOf(found, FIELDS) })), ...others];
  return Promise.all(
    all.map(async (values: JsonObject) => {
      const arn = values.alarmArn as string;
      const own = known.get(arn) ?? (await tagsOf(aws, arn));
      return { id: values.alarmName as string, values: { ...values, tags: own }, tags: own };
    }),
  );
}

// "AlarmNames: Array Members: Maximum number of 100 items" (CloudWatch API Reference, DescribeAlarms), which come in one page.
const NAMES_MAX = 100;

async function describe(
  aws: Reader,
  names: readonly string[],
): Promise<{ readonly metric: readonly MetricAlarm[]; readonly composite: readonly CompositeAlarm[] }> {
  const asked = chunks([...new Set(names)], NAMES_MAX).map((AlarmNames) =>
    aws.read(cloudwatch, "DescribeAlarms", { AlarmNames, AlarmTypes: ["MetricAlarm", "CompositeAlarm"], MaxRecords: NAMES_MAX }),
  );
  const answers = await Promise.all(asked);
  return {
    metric: answers.flatMap(({ MetricAlarms = [] }) => MetricAlarms),
    composite: answers.flatMap(({ CompositeAlarms = [] }) => CompositeAlarms),
  };
}
