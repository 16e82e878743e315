/** Scaling policies: target tracking in the manifest's words and in AWS's, and what the static checks find. */

import type { TargetTrackingConfiguration } from "@aws-sdk/client-auto-scaling";
import { z } from "zod";
import { field } from "../core/field.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { objectShape } from "../core/shape.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";
import { capitals, fromAws } from "./spelling.ts";

const dimensions = () => field(z.record(z.string().min(1), z.string().min(1)).optional(), { doc: "Its dimensions, by name." });
const unit = () => field(z.string().min(1).optional(), { doc: "Its unit." });
const period = () => field(z.literal([10, 30, 60]).optional(), { doc: "Its period, in seconds; 60 when absent." });

const metricStat = () =>
  z.strictObject({
    metric: field(
      z.strictObject({
        namespace: field(z.string().min(1), { doc: "Its namespace." }),
        metricName: field(z.string().min(1), { doc: "Its name." }),
        dimensions: dimensions(),
      }),
      { doc: "The metric." },
    ),
    stat: field(z.string().min(1).max(100), { doc: "Its statistic, such as Average or p90." }),
    unit: unit(),
    period: period(),
  });

const query = () =>
  z.strictObject({
    id: field(
      z
        .string()
        .max(64)
        .regex(/^[a-z][a-zA-Z0-9_]*$/, "must begin with a small letter, and hold letters, digits and _ only"),
      { doc: "What expressions call it." },
    ),
    expression: field(z.string().min(1).max(2047).optional(), { doc: "What is calculated from the others." }),
    metricStat: field(metricStat().optional(), { doc: "Or a metric." }),
    label: field(z.string().min(1).max(2047).optional(), { doc: "What people call it." }),
    period: period(),
    returnData: field(z.boolean().optional(), { doc: "Whether it is the one that is tracked.", unset: true }),
  });

/** What a target tracking policy holds at its target. */
export const targetTracking = () =>
  z.strictObject({
    targetValue: field(z.number(), { doc: "The metric's target." }),
    predefinedMetricSpecification: field(
      z
        .strictObject({
          predefinedMetricType: field(
            z.enum([
              ...(["ASGAverageCPUUtilization", "ASGAverageCPUUtilizationHighResolution", "ASGAverageNetworkIn"] as const),
              ...(["ASGAverageNetworkOut", "ALBRequestCountPerTarget"] as const),
            ]),
            { doc: "Which." },
          ),
          resourceLabel: field(z.string().min(1).max(1023).optional(), {
            doc: "With ALBRequestCountPerTarget: `app/NAME/ID/targetgroup/NAME/ID`, the ends of both ARNs.",
          }),
        })
        .optional(),
      { doc: "A metric that AWS knows." },
    ),
    customizedMetricSpecification: field(
      z
        .strictObject({
          metricName: field(z.string().min(1).optional(), { doc: "Its name." }),
          namespace: field(z.string().min(1).optional(), { doc: "Its namespace." }),
          dimensions: dimensions(),
          statistic: field(z.enum(["Average", "Minimum", "Maximum", "SampleCount", "Sum"]).optional(), { doc: "Its statistic." }),
          unit: unit(),
          period: period(),
          metrics: field(z.array(query()).min(1).max(10).optional(), { doc: "Instead: several, and what is calculated from them." }),
        })
        .optional(),
      { doc: "Or any metric." },
    ),
    disableScaleIn: field(z.boolean().optional(), { doc: "Whether it only ever adds instances.", unset: false }),
  });

const SHAPE = objectShape(targetTracking());

/** As AWS takes it: dimensions as lists. */
export function targetTrackingOut(tracking: JsonObject): TargetTrackingConfiguration {
  return capitals(dimensionsOut(tracking)) as TargetTrackingConfiguration;
}

/** As the manifest says it. */
export function targetTrackingOf(found: TargetTrackingConfiguration | undefined): Json | undefined {
  return found && { disableScaleIn: false, ...(fromAws(dimensionsOf(found), SHAPE) as JsonObject) };
}

/** The policy with its metric as it is wanted, whole: AWS refuses two, and one that is given up may still be observed. */
export function withOneMetric(tracking: JsonObject, wanted: Json | undefined): JsonObject {
  const given = METRICS.flatMap((name): [string, Json][] => {
    const metric = isObject(wanted) ? wanted[name] : undefined;
    return metric === undefined ? [] : [[name, metric]];
  });
  if (given.length === 0) return tracking;
  return { ...Object.fromEntries(Object.entries(tracking).filter(([name]) => !METRICS.includes(name))), ...Object.fromEntries(given) };
}

const METRICS = ["predefinedMetricSpecification", "customizedMetricSpecification"];

function dimensionsOut(value: Json): Json {
  if (Array.isArray(value)) return value.map(dimensionsOut);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]): [string, Json | undefined] => {
    if (name !== "dimensions" || !isObject(member)) return [name, member === undefined ? member : dimensionsOut(member)];
    return [name, Object.entries(member).map(([key, text]) => ({ name: key, value: text }))];
  });
  return Object.fromEntries(members);
}

function dimensionsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dimensionsOf);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => {
    if (name !== "Dimensions" || !Array.isArray(member)) return [name, dimensionsOf(member)];
    return [name, Object.fromEntries(member.filter(isObject).map((one) => [String(one.Name), one.Value]))];
  });
  return Object.fromEntries(members);
}

/** `10 from 0 to 20`: by how much, between which bounds. */
export function stepText({ metricIntervalLowerBound: from, metricIntervalUpperBound: to, scalingAdjustment: by }: JsonObject): string {
  return `${by}${from === undefined ? "" : ` from ${from}`}${to === undefined ? "" : ` to ${to}`}`;
}

type Rules = { readonly needs: readonly string[]; readonly refuses: readonly string[] };

// EC2 Auto Scaling API Reference, PutScalingPolicy.
const RULES: Readonly<Record<string, Rules>> = {
  SimpleScaling: {
    needs: ["adjustmentType", "scalingAdjustment"],
    refuses: ["stepAdjustments", "metricAggregationType", "estimatedInstanceWarmup", "targetTrackingConfiguration"],
  },
  StepScaling: {
    needs: ["adjustmentType", "stepAdjustments"],
    refuses: ["scalingAdjustment", "cooldown", "targetTrackingConfiguration"],
  },
  TargetTrackingScaling: {
    needs: ["targetTrackingConfiguration"],
    refuses: ["adjustmentType", "scalingAdjustment", "cooldown", "minAdjustmentMagnitude", "stepAdjustments", "metricAggregationType"],
  },
};

/** Fields that do not go with the policy's type, and metrics that are missing or too many. */
export function* policyFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const type = typeof spec.policyType === "string" ? spec.policyType : "SimpleScaling";
  const rules = isObject(spec.policyType) ? undefined : RULES[type];
  for (const field of rules?.needs ?? []) {
    if (spec[field] === undefined) yield { resource: key, field: "", message: `${key} is a ${type} policy and needs \`${field}\`` };
  }
  for (const field of rules?.refuses ?? []) {
    if (spec[field] !== undefined) yield { resource: key, field, message: `${key} is a ${type} policy and takes no \`${field}\`` };
  }
  if (spec.minAdjustmentMagnitude !== undefined && typeof spec.adjustmentType === "string" && !spec.adjustmentType.startsWith("Percent")) {
    const message = `\`minAdjustmentMagnitude\` of ${key} goes with PercentChangeInCapacity only`;
    yield { resource: key, field: "minAdjustmentMagnitude", message };
  }
  if (isObject(spec.targetTrackingConfiguration)) yield* trackingFindings(key, spec.targetTrackingConfiguration);
}

function* trackingFindings(resource: StaticResource["key"], tracking: JsonObject): Generator<CheckFinding> {
  const at = { resource, field: "targetTrackingConfiguration" };
  const given = METRICS.filter((name) => tracking[name] !== undefined);
  if (given.length !== 1) yield { ...at, message: `${resource} tracks one metric, predefined or customized, and not ${given.length}` };
  const { predefinedMetricSpecification: predefined, customizedMetricSpecification: customized } = tracking;
  if (isObject(predefined) && (predefined.predefinedMetricType === BY_TARGET) !== (predefined.resourceLabel !== undefined)) {
    const message = `\`resourceLabel\` of ${resource} goes with ${BY_TARGET}, which needs it`;
    yield { ...at, field: `${at.field}.predefinedMetricSpecification`, message };
  }
  if (!isObject(customized)) return;
  const single = ["metricName", "namespace", "statistic"].filter((name) => customized[name] !== undefined);
  if (customized.metrics === undefined ? single.length < 3 : Object.keys(customized).length > 1) {
    const message = `the metric of ${resource} is given by \`metricName\`, \`namespace\` and \`statistic\`, or by \`metrics\` alone`;
    yield { ...at, field: `${at.field}.customizedMetricSpecification`, message };
  }
  for (const [index, one] of (Array.isArray(customized.metrics) ? customized.metrics : []).entries()) {
    if (!isObject(one) || (one.expression === undefined) !== (one.metricStat === undefined)) continue;
    const message = `a metric of ${resource} has an \`expression\` or a \`metricStat\``;
    yield { ...at, field: `${at.field}.customizedMetricSpecification.metrics.${index}`, message };
  }
}

const BY_TARGET = "ALBRequestCountPerTarget";
