/** What launch templates, mixed instances policies and instance refreshes look like in a group's manifest. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { instanceRequirements } from "./instance-requirements.ts";
import { launchTemplateName } from "./schemas.ts";

/** A template and its version. A number is a version's, too: AWS writes it as text. */
export const launchTemplateSpecification = () =>
  z.strictObject({
    launchTemplateId: field(z.string().min(1).max(255).optional(), {
      doc: "The launch template, by ID.",
      ref: "ec2.aws/v1 LaunchTemplate.launchTemplateId",
    }),
    launchTemplateName: field(launchTemplateName().optional(), { doc: "Or by name.", ref: "ec2.aws/v1 LaunchTemplate.launchTemplateName" }),
    version: field(z.union([z.int().min(1), z.string().min(1).max(255)]).optional(), {
      doc: "A version's number, `$Latest` or `$Default`.",
      unset: "$Default",
      ref: "ec2.aws/v1 LaunchTemplate.latestVersionNumber",
    }),
  });

// EC2 Auto Scaling API Reference, InstanceRequirements.
const requirements = () =>
  instanceRequirements({
    types: ["gpu", "fpga", "inference"],
    manufacturers: ["nvidia", "amd", "amazon-web-services", "xilinx"],
    names: ["a100", "v100", "k80", "t4", "m60", "radeon-pro-v520", "vu9p"],
  });

const override = () =>
  z.strictObject({
    instanceType: field(z.string().min(1).max(255).optional(), { doc: "An instance type." }),
    instanceRequirements: field(requirements().optional(), { doc: "Or what every type must have." }),
    weightedCapacity: field(z.int().min(1).max(999).optional(), { doc: "How many units of capacity one such instance is." }),
    launchTemplateSpecification: field(launchTemplateSpecification().optional(), { doc: "A launch template of its own." }),
  });

const distribution = () =>
  z.strictObject({
    onDemandAllocationStrategy: field(z.enum(["prioritized", "lowest-price"]).optional(), { doc: "Which On-Demand type is taken." }),
    onDemandBaseCapacity: field(z.int().min(0).optional(), { doc: "How much is On-Demand in any case." }),
    onDemandPercentageAboveBaseCapacity: field(z.int().min(0).max(100).optional(), { doc: "How much of the rest is." }),
    spotAllocationStrategy: field(
      z.enum(["lowest-price", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized"]).optional(),
      { doc: "Which Spot type is taken." },
    ),
    spotInstancePools: field(z.int().min(1).max(20).optional(), { doc: "With lowest-price: over how many pools." }),
    spotMaxPrice: field(z.string().max(255).optional(), { doc: "The most that is paid an hour; the On-Demand price when absent." }),
  });

/** Several instance types, and how much of them is Spot. */
export const mixedInstancesPolicy = () =>
  z.strictObject({
    launchTemplate: field(
      z.strictObject({
        launchTemplateSpecification: field(launchTemplateSpecification(), { doc: "The launch template." }),
        overrides: field(z.array(override()).min(1).max(40).optional(), { doc: "What is launched instead of its own type, in order." }),
      }),
      { doc: "What is launched." },
    ),
    instancesDistribution: field(distribution().optional(), { doc: "On-Demand and Spot." }),
  });

const preferences = () =>
  z.strictObject({
    minHealthyPercentage: field(z.int().min(0).max(100).optional(), { doc: "How much of the group stays in service; 90 when absent." }),
    maxHealthyPercentage: field(z.int().min(100).max(200).optional(), { doc: "How far the group may grow meanwhile; 100 when absent." }),
    instanceWarmup: field(z.int().min(0).optional(), { doc: "Seconds from in service to the next instance." }),
    checkpointPercentages: field(z.array(z.int().min(1).max(100)).min(1).optional(), { doc: "Where it pauses." }),
    checkpointDelay: field(z.int().min(0).max(172_800).optional(), { doc: "For how many seconds; 3600 when absent." }),
    skipMatching: field(z.boolean().optional(), { doc: "Whether instances that are right already stay." }),
    autoRollback: field(z.boolean().optional(), { doc: "Whether a refresh that fails is undone; needs a version's number." }),
    scaleInProtectedInstances: field(z.enum(["Refresh", "Ignore", "Wait"]).optional(), { doc: "What becomes of protected instances." }),
    standbyInstances: field(z.enum(["Terminate", "Ignore", "Wait"]).optional(), { doc: "What becomes of instances on standby." }),
    alarmSpecification: field(
      z.strictObject({ alarms: field(z.array(z.string().min(1).max(255)).min(1).max(10), { doc: "The alarms' names." }) }).optional(),
      { doc: "Alarms that make it fail.", ref: "cloudwatch.aws/v1 Alarm.alarmName" },
    ),
    bakeTime: field(z.int().min(0).max(172_800).optional(), { doc: "Seconds at the end before it is complete." }),
  });

/** How instances are replaced when the template has a new version. */
export const instanceRefresh = () =>
  z.strictObject({
    strategy: field(z.enum(["Rolling", "ReplaceRootVolume"]).optional(), { doc: "Whether instances or only their root volumes are new." }),
    preferences: field(preferences().optional(), { doc: "At what pace, and what happens when it fails." }),
    timeoutMinutes: field(z.int().min(1).max(20_160).optional(), {
      doc: "After how many minutes a refresh is cancelled, or rolled back with `autoRollback`.",
    }),
  });

/** EC2 Auto Scaling API Reference, EnableMetricsCollection. */
export const METRICS = [
  ...(["GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances"] as const),
  ...(["GroupStandbyInstances", "GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity"] as const),
  ...(["GroupPendingCapacity", "GroupStandbyCapacity", "GroupTerminatingCapacity", "GroupTotalCapacity"] as const),
  ...(["WarmPoolDesiredCapacity", "WarmPoolWarmedCapacity", "WarmPoolPendingCapacity", "WarmPoolTerminatingCapacity"] as const),
  ...(["WarmPoolTotalCapacity", "GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity"] as const),
] as const;

/** EC2 Auto Scaling API Reference, SuspendProcesses. */
export const PROCESSES = [
  ...(["Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh"] as const),
  ...(["ReplaceUnhealthy", "ScheduledActions"] as const),
] as const;
