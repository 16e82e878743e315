import type { PutScalingPolicyType, ScalingPolicy } from "@aws-sdk/client-auto-scaling";
import { z } from "zod";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { field } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { autoscaling } from "../../src/kind/autoscaling.ts";
import {
  policyFindings,
  stepText,
  targetTracking,
  targetTrackingOf,
  targetTrackingOut,
  withOneMetric,
} from "../../src/kind/autoscaling-policy.ts";
import { defineKind, type Remote, type Scope, type Target } from "../../src/kind/kind.ts";
import { chunks, defined } from "../../src/kind/listing.ts";
import { capitals } from "../../src/kind/spelling.ts";

const name = () => z.string().min(1).max(255);

const stepAdjustment = z.strictObject({
  metricIntervalLowerBound: field(z.number().optional(), { doc: "From so far above (or below) the alarm's threshold; absent: no bound." }),
  metricIntervalUpperBound: field(z.number().optional(), { doc: "Up to so far; absent: no bound." }),
  scalingAdjustment: field(z.int(), { doc: "By how much it scales then." }),
});

/** All that one PutScalingPolicy writes, beside the names. */
const settings = {
  adjustmentType: field(z.enum(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]).optional(), {
    doc: "What an adjustment is: instances more or less, a number of them, or percent. For simple and step scaling.",
  }),
  scalingAdjustment: field(z.int().optional(), { doc: "With SimpleScaling: by how much it scales." }),
  cooldown: field(z.int().min(0).optional(), {
    doc: "With SimpleScaling: seconds until the next activity; the group's `defaultCooldown` when absent.",
    unset: null,
  }),
  minAdjustmentMagnitude: field(z.int().min(1).optional(), {
    doc: "With PercentChangeInCapacity: at least so many instances.",
    unset: null,
  }),
  stepAdjustments: field(z.array(stepAdjustment).min(1).max(20).optional(), {
    doc: "With StepScaling: by how much it scales, by the size of the breach.",
    compare: "set",
    text: stepText,
  }),
  metricAggregationType: field(z.enum(["Minimum", "Maximum", "Average"]).optional(), {
    doc: "With StepScaling: how data points are joined.",
    unset: "Average",
  }),
  estimatedInstanceWarmup: field(z.int().min(0).optional(), {
    doc: "With StepScaling and TargetTrackingScaling: seconds until a new instance counts; the group's `defaultInstanceWarmup` when absent.",
    unset: null,
  }),
  targetTrackingConfiguration: field(targetTracking().optional(), { doc: "With TargetTrackingScaling: the metric, and its target." }),
  enabled: field(z.boolean().optional(), { doc: "Whether it scales at all.", unset: true }),
};

const spec = z.strictObject({
  autoScalingGroupName: field(name(), {
    doc: "The group that it scales.",
    immutable: true,
    ref: "autoscaling.aws/v1 AutoScalingGroup.autoScalingGroupName",
  }),
  policyName: field(name().optional(), { doc: "Unique in its group; derived when absent.", immutable: true }),
  policyType: field(z.enum(["SimpleScaling", "StepScaling", "TargetTrackingScaling"]).optional(), {
    doc: "How it scales; SimpleScaling when absent.",
    immutable: true,
  }),
  ...settings,
});

type Spec = z.infer<typeof spec>;

const status = z.strictObject({
  policyArn: field(z.string(), { doc: "The ARN of the policy: what an alarm's actions name." }),
  policyName: field(z.string(), { doc: "The name of the policy." }),
  alarms: field(z.record(z.string(), z.string()).optional(), { doc: "The alarms that trigger it: their ARNs by name." }),
});

export const scalingPolicy = defineKind({
  apiVersion: "autoscaling.aws/v1",
  kind: "ScalingPolicy",
  doc: "When an Auto Scaling group grows and shrinks, and by how much.",
  spec,
  status,
  id: "policyArn",
  identity: {
    by: "name",
    key: ["autoScalingGroupName", "policyName"],
    name: { field: "policyName", maxLength: 255 },
    partOf: "autoScalingGroupName",
    upsert: true,
  },
  deviations: [
    "Dimensions of metrics are maps.",
    "A simple or step policy does nothing by itself: an alarm's actions name its `policyArn`. Of a target tracking policy AWS makes the alarms.",
    "Predictive scaling is not supported.",
  ],
  errors: {
    notFound: ["ValidationError: not found"],
    wait: ["ResourceContentionFault", "ScalingActivityInProgressFault", "ValidationError: pending delete"],
  },
  list: { operations: ["autoscaling:DescribePolicies"], run: list },
  create: {
    operations: ["autoscaling:PutScalingPolicy"],
    run: async (aws, desired) => {
      const policyArn = await put(aws, desired, desired as JsonObject);
      const { targetTrackingConfiguration: tracking } = desired as JsonObject;
      const known = isObject(tracking) ? { targetTrackingConfiguration: { disableScaleIn: false, ...tracking } } : {};
      return { id: policyArn, values: { policyType: "SimpleScaling", enabled: true, ...(desired as JsonObject), ...known, policyArn } };
    },
  },
  updates: [
    {
      fields: Object.keys(settings),
      operations: ["autoscaling:PutScalingPolicy"],
      run: async (aws, target) => {
        const whole = wholeOf(target);
        await put(aws, target.desired, whole);
        return { values: { ...Object.fromEntries(Object.keys(settings).map((field) => [field, undefined])), ...whole } };
      },
    },
  ],
  delete: {
    operations: ["autoscaling:DeletePolicy"],
    run: async (aws, { id, observed }) => {
      const { autoScalingGroupName: group, policyName } = { ...namesIn(id), ...observed };
      await aws.write(autoscaling, "DeletePolicy", { AutoScalingGroupName: String(group), PolicyName: String(policyName) });
    },
  },
  check: (resources) => resources.flatMap((resource) => [...policyFindings(resource)]),
});

type Changing = Target<Spec> & { readonly changes: Readonly<Record<string, { readonly after: Json | undefined } | undefined>> };

/** The call replaces the whole policy: what nobody declares is sent as it is, and what has left the manifest is not. */
function wholeOf({ desired, observed, changes }: Changing): JsonObject {
  const declared = desired as JsonObject;
  const members = Object.keys(settings).map((field): [string, Json | undefined] => {
    const change = changes[field];
    if (change) return [field, change.after];
    return [field, declared[field] === undefined ? observed[field] : declared[field]];
  });
  const whole = defined(Object.fromEntries(members));
  const { targetTrackingConfiguration: tracking } = whole;
  return isObject(tracking)
    ? { ...whole, targetTrackingConfiguration: withOneMetric(tracking, declared.targetTrackingConfiguration) }
    : whole;
}

async function put(aws: Writer, { autoScalingGroupName, policyName, policyType }: Spec, own: JsonObject): Promise<string> {
  const answer = await aws.write(autoscaling, "PutScalingPolicy", {
    AutoScalingGroupName: autoScalingGroupName,
    PolicyName: policyName as string,
    PolicyType: policyType ?? "SimpleScaling",
    ...settingsOut(own),
  });
  return String(answer.PolicyARN);
}

function settingsOut(own: JsonObject): Omit<PutScalingPolicyType, "AutoScalingGroupName" | "PolicyName"> {
  const { targetTrackingConfiguration: tracking, stepAdjustments: steps } = own;
  return {
    AdjustmentType: own.adjustmentType as string | undefined,
    ScalingAdjustment: own.scalingAdjustment as number | undefined,
    Cooldown: own.cooldown as number | undefined,
    MinAdjustmentMagnitude: own.minAdjustmentMagnitude as number | undefined,
    StepAdjustments: Array.isArray(steps) ? steps.filter(isObject).map(stepOut) : undefined,
    MetricAggregationType: own.metricAggregationType as string | undefined,
    EstimatedInstanceWarmup: own.estimatedInstanceWarmup as number | undefined,
    TargetTrackingConfiguration: isObject(tracking) ? targetTrackingOut(tracking) : undefined,
    Enabled: own.enabled as boolean | undefined,
  };
}

function stepOut(step: JsonObject): { MetricIntervalLowerBound?: number; MetricIntervalUpperBound?: number; ScalingAdjustment: number } {
  return capitals(step) as ReturnType<typeof stepOut>;
}

// "Maximum number of 50 items" (DescribePolicies, PolicyNames).
const NAMES_MAX = 50;

/** By names, of all groups in one call; the API filters by nothing else, and policies have no tags. */
async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const [ids, wanted] = [new Set(scope.ids), new Set(scope.names.map(keyOf))];
  const names = [...scope.names.map(({ policyName }) => policyName), ...scope.ids.map((id) => namesIn(id).policyName)];
  const batches = chunks([...new Set(names.map(String))], NAMES_MAX);
  const found = batches.map((PolicyNames) =>
    aws.pages(autoscaling, "DescribePolicies", { PolicyNames, MaxRecords: 100 }, "ScalingPolicies"),
  );
  const policies = (await Promise.all(found)).flat().map(valuesOf);
  const ours = policies.filter((values) => ids.has(String(values.policyArn)) || wanted.has(keyOf(values)));
  return ours.map((values) => ({ id: String(values.policyArn), values }));
}

function keyOf({ autoScalingGroupName, policyName }: JsonObject): string {
  return `${autoScalingGroupName} ${policyName}`;
}

/** `arn:aws:autoscaling:REGION:ACCOUNT:scalingPolicy:UUID:autoScalingGroupName/GROUP:policyName/POLICY`. */
function namesIn(id: string): { readonly autoScalingGroupName: string; readonly policyName: string } {
  const [, autoScalingGroupName = "", policyName = ""] = /:autoScalingGroupName\/(.+?):policyName\/(.+)$/.exec(id) ?? [];
  return { autoScalingGroupName, policyName };
}

function valuesOf(policy: ScalingPolicy): JsonObject {
  const steps = (policy.StepAdjustments ?? []).map((step) =>
    defined({
      metricIntervalLowerBound: step.MetricIntervalLowerBound,
      metricIntervalUpperBound: step.MetricIntervalUpperBound,
      scalingAdjustment: step.ScalingAdjustment,
    }),
  );
  return defined({
    autoScalingGroupName: policy.AutoScalingGroupName,
    policyName: policy.PolicyName,
    policyArn: policy.PolicyARN,
    policyType: policy.PolicyType ?? "SimpleScaling",
    adjustmentType: policy.AdjustmentType,
    scalingAdjustment: policy.ScalingAdjustment,
    cooldown: policy.Cooldown,
    minAdjustmentMagnitude: policy.MinAdjustmentMagnitude,
    stepAdjustments: steps.length > 0 ? steps : undefined,
    metricAggregationType: policy.MetricAggregationType,
    estimatedInstanceWarmup: policy.EstimatedInstanceWarmup,
    targetTrackingConfiguration: targetTrackingOf(policy.TargetTrackingConfiguration),
    enabled: policy.Enabled ?? true,
    alarms: Object.fromEntries((policy.Alarms ?? []).map(({ AlarmName, AlarmARN }) => [AlarmName, AlarmARN ?? ""])),
  });
}
