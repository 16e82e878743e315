/** What AWS refuses of launch templates, groups and policies without its models saying so (see facts.ts). */

import type { OperationName } from "../../src/aws/service.ts";
import type { Limits } from "./model.ts";

// "Constraint: Maximum 128 ASCII characters" (EC2 API Reference, ClientToken of these calls).
const TOKEN: Limits = { min: 1, max: 128, pattern: "[ -~]*" };
const PROCESSES =
  "Launch Terminate AddToLoadBalancer AlarmNotification AZRebalance HealthCheck InstanceRefresh ReplaceUnhealthy ScheduledActions";
const METRICS =
  "GroupMinSize GroupMaxSize GroupDesiredCapacity GroupInServiceInstances GroupPendingInstances GroupStandbyInstances GroupTerminatingInstances GroupTotalInstances GroupInServiceCapacity GroupPendingCapacity GroupStandbyCapacity GroupTerminatingCapacity GroupTotalCapacity WarmPoolDesiredCapacity WarmPoolWarmedCapacity WarmPoolPendingCapacity WarmPoolTerminatingCapacity WarmPoolTotalCapacity GroupAndWarmPoolDesiredCapacity GroupAndWarmPoolTotalCapacity";
const HEALTH_CHECKS = "(EC2|EBS|ELB|VPC_LATTICE)";

export const COMPUTING_FACTS: Readonly<Record<string, Limits>> = {
  "ec2.ImportKeyPairRequest.KeyName": { min: 1, max: 255, pattern: "[!-~]([ -~]*[!-~])?" },
  "ec2.CreateLaunchTemplateRequest.LaunchTemplateName": { min: 3, max: 128, pattern: "[a-zA-Z0-9().\\-/_]+" },
  "ec2.CreateLaunchTemplateRequest.ClientToken": TOKEN,
  "ec2.CreateLaunchTemplateVersionRequest.ClientToken": TOKEN,
  "ec2.ModifyLaunchTemplateRequest.ClientToken": TOKEN,
  "ec2.DeleteLaunchTemplateVersionsRequest.Versions": { min: 1, max: 200 },
  // User data: 16 KB before, and a third more after Base64.
  "ec2.RequestLaunchTemplateData.UserData": { max: 21_848, pattern: "[A-Za-z0-9+/]*={0,2}" },
  "ec2.LaunchTemplateEbsBlockDeviceRequest.VolumeSize": { min: 1, max: 65_536 },
  "ec2.LaunchTemplateInstanceMetadataOptionsRequest.HttpPutResponseHopLimit": { min: 1, max: 64 },
  "ec2.CreditSpecificationRequest.CpuCredits": { enum: ["standard", "unlimited"] },
  // "any ASCII character 33 to 126 ... You cannot use a colon" (CreateAutoScalingGroup).
  "autoscaling.CreateAutoScalingGroupType.AutoScalingGroupName": { pattern: "[!-9;-~]+" },
  "autoscaling.Tag.Key": { pattern: "(?!aws:)[^]*" },
  "autoscaling.MaxRecords": { min: 1, max: 100 },
  "autoscaling.AutoScalingGroupNames": { max: 100 },
  "autoscaling.PolicyNames": { min: 1, max: 50 },
  "autoscaling.TargetGroupARNs": { max: 10 },
  "autoscaling.ProcessNames": { min: 1 },
  "autoscaling.CreateAutoScalingGroupType.HealthCheckType": { pattern: `${HEALTH_CHECKS}(,${HEALTH_CHECKS})*` },
  "autoscaling.UpdateAutoScalingGroupType.HealthCheckType": { pattern: `${HEALTH_CHECKS}(,${HEALTH_CHECKS})*` },
  "autoscaling.CreateAutoScalingGroupType.DesiredCapacityType": { enum: ["units", "vcpu", "memory-mib"] },
  "autoscaling.UpdateAutoScalingGroupType.DesiredCapacityType": { enum: ["units", "vcpu", "memory-mib"] },
  "autoscaling.EnableMetricsCollectionQuery.Granularity": { enum: ["1Minute"] },
  "autoscaling.LaunchTemplateSpecification.Version": { pattern: "\\d+|\\$Latest|\\$Default|[^]+" },
  "autoscaling.LaunchTemplateOverrides.WeightedCapacity": { pattern: "[1-9]\\d{0,2}" },
  "autoscaling.OnDemandPercentageAboveBaseCapacity": { min: 0, max: 100 },
  "autoscaling.SpotInstancePools": { min: 1, max: 20 },
};

type Members = Readonly<Record<string, unknown>>;
type Rule = (input: Members) => readonly string[];

const given = (input: Members, ...names: readonly string[]) => names.filter((name) => input[name] !== undefined);

/** What is not given stands for all of them: nobody means that. */
function among(member: string, known: string): Rule {
  return (input) => {
    const list = (input[member] ?? []) as readonly string[];
    const strange = list.filter((one) => !known.split(" ").includes(one));
    return [...strange.map((one) => `AWS knows no ${one}`), ...(list.length === 0 ? [`no ${member}`] : [])];
  };
}

/** "Conditional: You must specify either a LaunchTemplateId or a LaunchTemplateName", wherever a template is named. */
function templateProblems(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(templateProblems);
  const members = value as Members;
  const names = given(members, "LaunchTemplateId", "LaunchTemplateName");
  const own = "Version" in members && names.length !== 1 ? [`a template needs its ID or its name: ${names.join(", ") || "none"}`] : [];
  return [...own, ...Object.values(members).flatMap(templateProblems)];
}

function groupProblems(input: Members): string[] {
  const life = input.MaxInstanceLifetime as number | undefined;
  const { MinHealthyPercentage: min, MaxHealthyPercentage: max } = (input.InstanceMaintenancePolicy ?? {}) as Record<
    string,
    number | undefined
  >;
  return [
    ...templateProblems(input),
    ...(life !== undefined && life !== 0 && life < 86_400 ? [`a lifetime of ${life} is neither 0 nor a day`] : []),
    ...((min === undefined) === (max === undefined) ? [] : ["a maintenance policy has both percentages"]),
    ...(min !== undefined && max !== undefined && max - min > 100 ? [`a maintenance policy spans ${max - min} percent`] : []),
  ];
}

function policyProblems(input: Members): string[] {
  const wanted: Readonly<Record<string, readonly string[]>> = {
    SimpleScaling: ["AdjustmentType", "ScalingAdjustment"],
    StepScaling: ["AdjustmentType", "StepAdjustments"],
    TargetTrackingScaling: ["TargetTrackingConfiguration"],
  };
  const type = String(input.PolicyType ?? "SimpleScaling");
  const missing = (wanted[type] ?? []).filter((name) => input[name] === undefined);
  const others = Object.values(wanted)
    .flat()
    .filter((name) => !(wanted[type] ?? []).includes(name));
  const tracking = (input.TargetTrackingConfiguration ?? {}) as Members;
  const metrics = given(tracking, "PredefinedMetricSpecification", "CustomizedMetricSpecification");
  return [
    ...missing.map((name) => `${type} needs ${name}`),
    ...given(input, ...others).map((name) => `${type} takes no ${name}`),
    ...(input.TargetTrackingConfiguration !== undefined && metrics.length !== 1 ? [`one metric, and not ${metrics.length}`] : []),
    ...(type !== "SimpleScaling" && input.Cooldown !== undefined ? ["a cooldown goes with SimpleScaling"] : []),
  ];
}

function refreshProblems(input: Members): string[] {
  const preferences = (input.Preferences ?? {}) as Record<string, number | boolean | undefined>;
  const { MinHealthyPercentage: min, MaxHealthyPercentage: max } = preferences as Record<string, number | undefined>;
  return [
    ...templateProblems(input),
    ...(max !== undefined && min === undefined ? ["a maximum needs a minimum"] : []),
    ...(max !== undefined && min !== undefined && max - min > 100 ? [`the percentages span ${max - min}`] : []),
    ...(preferences.AutoRollback && input.DesiredConfiguration === undefined ? ["a rollback needs a desired configuration"] : []),
    ...(preferences.CheckpointDelay !== undefined && preferences.CheckpointPercentages === undefined ? ["a delay needs checkpoints"] : []),
  ];
}

/** "If you specify ..., you can't specify ..." (RequestLaunchTemplateData). */
function dataProblems({ LaunchTemplateData: data = {} }: Members): string[] {
  const members = data as Members;
  return [
    ...(given(members, "InstanceType", "InstanceRequirements").length > 1 ? ["a type, and what types must have"] : []),
    ...(given(members, "NetworkInterfaces", "SecurityGroupIds", "SecurityGroups")[0] === "NetworkInterfaces" &&
    given(members, "SecurityGroupIds", "SecurityGroups").length > 0
      ? ["interfaces and groups"]
      : []),
    ...(Object.keys(members).length === 0 ? ["a template without content"] : []),
  ];
}

export const COMPUTING_RULES: Readonly<Record<OperationName, Rule>> = {
  "ec2:CreateLaunchTemplate": dataProblems,
  "ec2:CreateLaunchTemplateVersion": dataProblems,
  "autoscaling:CreateAutoScalingGroup": (input) => [
    ...groupProblems(input),
    ...(given(input, "LaunchTemplate", "MixedInstancesPolicy").length === 1 ? [] : ["one launch template or one policy"]),
    ...(given(input, "VPCZoneIdentifier", "AvailabilityZones").length === 0 ? ["neither subnets nor zones"] : []),
  ],
  "autoscaling:UpdateAutoScalingGroup": (input) => [
    ...groupProblems(input),
    ...(given(input, "LaunchTemplate", "MixedInstancesPolicy").length > 1 ? ["a launch template and a policy"] : []),
    ...(Object.keys(input).filter((name) => input[name] !== undefined).length < 2 ? ["nothing to update"] : []),
  ],
  "autoscaling:PutScalingPolicy": policyProblems,
  "autoscaling:EnableMetricsCollection": among("Metrics", METRICS),
  "autoscaling:DisableMetricsCollection": among("Metrics", METRICS),
  "autoscaling:SuspendProcesses": among("ScalingProcesses", PROCESSES),
  "autoscaling:ResumeProcesses": among("ScalingProcesses", PROCESSES),
  "autoscaling:StartInstanceRefresh": refreshProblems,
  "autoscaling:CreateOrUpdateTags": ({ Tags = [] }) => ((Tags as readonly unknown[]).length === 0 ? ["no tags"] : []),
  "autoscaling:DeleteTags": ({ Tags = [] }) => ((Tags as readonly unknown[]).length === 0 ? ["no tags"] : []),
};
