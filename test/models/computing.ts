/** Specs of what launches instances, made sound: members by chance alone would never fit each other. */

import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";

type Repair = (spec: JsonObject) => JsonObject;

/** By kind name. */
export const COMPUTING: Readonly<Record<string, Repair>> = {
  Image: (spec) => (spec.ssmParameter === undefined ? { owners: ["amazon"], ...spec } : { ssmParameter: spec.ssmParameter }),
  LaunchTemplate: (spec) => ({ ...spec, launchTemplateData: templateDataOf(spec.launchTemplateData as JsonObject) }),
  AutoScalingGroup: groupOf,
  ScalingPolicy: policyOf,
};

function without(members: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => value !== undefined && !names.includes(name)));
}

function templateDataOf(data: JsonObject): JsonObject {
  const alone = data.instanceRequirements === undefined ? data : without(data, "instanceType");
  const placed = alone.networkInterfaces === undefined ? alone : without(alone, "securityGroupIds", "securityGroups");
  const { iamInstanceProfile: profile } = placed;
  return { imageId: "ami-1", ...placed, ...(isObject(profile) ? { iamInstanceProfile: { name: profile.name ?? "web" } } : {}) };
}

function groupOf(spec: JsonObject): JsonObject {
  const isMixed = isObject(spec.mixedInstancesPolicy);
  const launched: JsonObject = isMixed
    ? { ...without(spec, "launchTemplate"), mixedInstancesPolicy: mixedOf(spec.mixedInstancesPolicy as JsonObject) }
    : { ...spec, launchTemplate: templateOf(spec.launchTemplate) };
  const [least, most] = [Math.min(Number(spec.minSize), Number(spec.maxSize)), Math.max(Number(spec.minSize), Number(spec.maxSize))];
  const tags = isObject(spec.tags) ? spec.tags : {};
  const refresh = spec.instanceRefresh;
  return {
    vpcZoneIdentifier: ["subnet-1"],
    ...without(launched, "desiredCapacity", "propagateAtLaunch", "instanceMaintenancePolicy"),
    minSize: least,
    maxSize: most,
    ...(spec.desiredCapacity === undefined ? {} : { desiredCapacity: least }),
    ...(spec.propagateAtLaunch === undefined ? {} : { propagateAtLaunch: Object.keys(tags).slice(0, 1) }),
    ...(isObject(spec.instanceMaintenancePolicy) ? { instanceMaintenancePolicy: within100(spec.instanceMaintenancePolicy) } : {}),
    ...(isObject(refresh) ? { instanceRefresh: refreshOf(refresh) } : {}),
  };
}

function templateOf(template: Json | undefined): JsonObject {
  const version = isObject(template) && typeof template.version === "number" ? template.version : "$Latest";
  return { launchTemplateId: "lt-0123456789abcdef0", version };
}

function mixedOf(policy: JsonObject): JsonObject {
  const inner = policy.launchTemplate as JsonObject;
  const overrides = Array.isArray(inner.overrides) ? inner.overrides.filter(isObject) : [];
  const own = (one: JsonObject) =>
    isObject(one.launchTemplateSpecification) ? { launchTemplateSpecification: templateOf(undefined) } : {};
  return {
    ...policy,
    launchTemplate: {
      launchTemplateSpecification: templateOf(inner.launchTemplateSpecification),
      ...(overrides.length > 0 ? { overrides: overrides.map((one) => ({ ...one, ...own(one) })) } : {}),
    },
  };
}

function within100(policy: JsonObject): JsonObject {
  return { ...policy, minHealthyPercentage: 100, maxHealthyPercentage: policy.maxHealthyPercentage ?? 150 };
}

function refreshOf(refresh: JsonObject): JsonObject {
  if (!isObject(refresh.preferences)) return refresh;
  const kept = without(refresh.preferences, "checkpointPercentages", "checkpointDelay", "autoRollback");
  const preferences = kept.maxHealthyPercentage === undefined ? kept : within100(kept);
  return { ...refresh, preferences: { ...preferences, checkpointPercentages: [50, 100] } };
}

function policyOf(spec: JsonObject): JsonObject {
  const { autoScalingGroupName, enabled, policyName, policyType, tags } = spec;
  const common = without({ autoScalingGroupName, enabled, policyName, policyType, tags });
  const isPercent = spec.adjustmentType === "PercentChangeInCapacity";
  const adjusts = { adjustmentType: spec.adjustmentType ?? "ChangeInCapacity", ...(isPercent ? { minAdjustmentMagnitude: 1 } : {}) };
  if (policyType === "StepScaling") {
    const { metricAggregationType, estimatedInstanceWarmup, stepAdjustments = [{ scalingAdjustment: 1 }] } = spec;
    return { ...common, ...adjusts, ...without({ metricAggregationType, estimatedInstanceWarmup, stepAdjustments }) };
  }
  if (policyType !== "TargetTrackingScaling") {
    return { ...common, ...adjusts, scalingAdjustment: spec.scalingAdjustment ?? 1, ...without({ cooldown: spec.cooldown }) };
  }
  const { estimatedInstanceWarmup } = spec;
  return { ...common, ...without({ estimatedInstanceWarmup }), targetTrackingConfiguration: trackingOf(spec.targetTrackingConfiguration) };
}

function trackingOf(tracking: Json | undefined): JsonObject {
  const { customizedMetricSpecification: customized, targetValue = 50, disableScaleIn } = isObject(tracking) ? tracking : {};
  const common = without({ targetValue, disableScaleIn });
  if (!isObject(customized)) return { ...common, predefinedMetricSpecification: { predefinedMetricType: "ASGAverageCPUUtilization" } };
  if (!Array.isArray(customized.metrics)) {
    const named = { metricName: "Backlog", namespace: "Web", statistic: "Average" };
    return { ...common, customizedMetricSpecification: { ...named, ...without(customized) } };
  }
  const metrics = customized.metrics
    .filter(isObject)
    .map((one) => (one.metricStat === undefined ? { expression: "m1", ...one } : without(one, "expression")));
  return { ...common, customizedMetricSpecification: { metrics } };
}
