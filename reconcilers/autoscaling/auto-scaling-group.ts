import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { autoscaling, type Configuration, configurationOut, withNumbersOf } from "../../src/kind/autoscaling.ts";
import { groupFindings } from "../../src/kind/autoscaling-check.ts";
import { GROUP_NOT_FOUND, LOOKS, listGroups } from "../../src/kind/autoscaling-look.ts";
import { aim, nextStep, progressText } from "../../src/kind/autoscaling-refresh.ts";
import {
  instanceRefresh,
  launchTemplateSpecification,
  METRICS,
  mixedInstancesPolicy,
  PROCESSES,
} from "../../src/kind/autoscaling-schemas.ts";
import {
  configurationUpdater,
  groupTagsUpdater,
  listUpdater,
  refreshUpdater,
  settingsOut,
  settingsUpdater,
  tagsOut,
} from "../../src/kind/autoscaling-updates.ts";
import { defineKind, type Readiness, type Updater } from "../../src/kind/kind.ts";
import { defined } from "../../src/kind/listing.ts";
import { arn } from "../../src/kind/schemas.ts";

const ids = (kind: string) => z.array(z.string().min(1).max(511, `must be the ID of a ${kind}`)).min(1);

const settings = {
  minSize: field(z.int().min(0), { doc: "The least number of instances; the group is ready when so many are in service." }),
  maxSize: field(z.int().min(0), { doc: "The largest number of instances." }),
  desiredCapacity: field(z.int().min(0).optional(), {
    doc: "How many instances it begins with; then scaling policies decide. `minSize` when absent.",
    createOnly: true,
  }),
  desiredCapacityType: field(z.enum(["units", "vcpu", "memory-mib"]).optional(), {
    doc: "What sizes are counted in, where types are chosen by their attributes.",
  }),
  vpcZoneIdentifier: field(ids("subnet").optional(), {
    doc: "The subnets, by ID.",
    compare: "set",
    ref: "ec2.aws/v1 Subnet.subnetId",
  }),
  availabilityZones: field(z.array(z.string().min(1).max(255)).min(1).optional(), {
    doc: "The availability zones, where subnets do not say them.",
    compare: "set",
  }),
  healthCheckType: field(
    z
      .string()
      .max(32)
      .regex(
        /^(EC2|EBS|ELB|VPC_LATTICE)(,(EC2|EBS|ELB|VPC_LATTICE))*$/,
        "must be EC2, EBS, ELB or VPC_LATTICE, or several with commas between",
      )
      .optional(),
    { doc: "Whose health checks count beside EC2's own: ELB, EBS, VPC_LATTICE, or several with commas between.", unset: "EC2" },
  ),
  healthCheckGracePeriod: field(z.int().min(0).optional(), { doc: "For how many seconds a new instance may fail them.", unset: 0 }),
  defaultCooldown: field(z.int().min(0).optional(), { doc: "Seconds between two activities of simple scaling policies.", unset: 300 }),
  defaultInstanceWarmup: field(z.int().min(0).optional(), { doc: "Seconds until a new instance counts in metrics.", unset: null }),
  maxInstanceLifetime: field(
    z
      .int()
      .min(0)
      .max(31_536_000)
      .refine((seconds) => seconds === 0 || seconds >= 86_400, "must be 0, or at least 86400: one day")
      .optional(),
    { doc: "After how many seconds an instance is replaced; 0 for never.", unset: 0 },
  ),
  terminationPolicies: field(z.array(z.string().min(1).max(1600)).min(1).optional(), {
    doc: "Which instance goes first: `OldestInstance`, `OldestLaunchTemplate`, … or a Lambda function's ARN, in order.",
    unset: ["Default"],
  }),
  newInstancesProtectedFromScaleIn: field(z.boolean().optional(), { doc: "Whether scaling in spares new instances.", unset: false }),
  capacityRebalance: field(z.boolean().optional(), { doc: "Whether Spot Instances at risk are replaced early.", unset: false }),
  placementGroup: field(z.string().min(1).max(255).optional(), { doc: "The placement group.", unset: null }),
  serviceLinkedRoleArn: field(arn("iam").optional(), { doc: "The role the group acts in; AWS's own when absent." }),
  instanceMaintenancePolicy: field(
    z
      .strictObject({
        minHealthyPercentage: field(z.int().min(0).max(100), { doc: "How much of the capacity stays in service." }),
        maxHealthyPercentage: field(z.int().min(100).max(200), { doc: "How far it may be exceeded." }),
      })
      .optional(),
    { doc: "How instances are replaced, whatever the reason.", unset: null },
  ),
  availabilityZoneDistribution: field(
    z
      .strictObject({
        capacityDistributionStrategy: field(z.enum(["balanced-only", "balanced-best-effort", "reservations-then-balanced"]), {
          doc: "What happens when a zone has no capacity.",
        }),
      })
      .optional(),
    { doc: "How instances spread over zones.", unset: { capacityDistributionStrategy: "balanced-best-effort" } },
  ),
  availabilityZoneImpairmentPolicy: field(
    z
      .strictObject({
        zonalShiftEnabled: field(z.boolean(), { doc: "Whether a zonal shift keeps it out of a zone." }),
        impairedZoneHealthCheckBehavior: field(z.enum(["ReplaceUnhealthy", "IgnoreUnhealthy"]).optional(), {
          doc: "What becomes of unhealthy instances there.",
        }),
      })
      .optional(),
    { doc: "What happens when a zone is impaired.", unset: { zonalShiftEnabled: false } },
  ),
  capacityReservationSpecification: field(
    z
      .strictObject({
        capacityReservationPreference: field(z.enum(["capacity-reservations-only", "capacity-reservations-first", "none", "default"]), {
          doc: "Whether reserved capacity is used.",
        }),
        capacityReservationTarget: field(
          z
            .strictObject({
              capacityReservationIds: field(
                z
                  .array(
                    z
                      .string()
                      .min(1)
                      .max(255)
                      .regex(/^[A-Za-z0-9\-_/]+$/),
                  )
                  .min(1)
                  .optional(),
                {
                  doc: "Reservations.",
                },
              ),
              capacityReservationResourceGroupArns: field(z.array(z.string().min(1).max(1600)).min(1).optional(), {
                doc: "Groups of reservations.",
              }),
            })
            .optional(),
          { doc: "Which reserved capacity." },
        ),
      })
      .optional(),
    { doc: "Reserved capacity.", unset: { capacityReservationPreference: "default" } },
  ),
  instanceLifecyclePolicy: field(
    z
      .strictObject({
        retentionTriggers: field(
          z.strictObject({
            terminateHookAbandon: field(z.enum(["retain", "terminate"]), { doc: "When a termination hook is abandoned." }),
          }),
          { doc: "What becomes of an instance." },
        ),
      })
      .optional(),
    { doc: "Whether instances are kept for a person.", unset: { retentionTriggers: { terminateHookAbandon: "terminate" } } },
  ),
  deletionProtection: field(z.enum(["none", "prevent-force-deletion", "prevent-all-deletion"]).optional(), {
    doc: "Whether AWS refuses to delete the group.",
    unset: "none",
  }),
};

const spec = z.strictObject({
  autoScalingGroupName: field(
    z
      .string()
      .min(1)
      .max(255)
      // "any ASCII character 33 to 126 ... You cannot use a colon" (CreateAutoScalingGroup).
      .regex(/^[!-9;-~]+$/, "may hold ASCII characters without spaces and colons")
      .optional(),
    { doc: "Unique in the region; derived when absent.", immutable: true },
  ),
  launchTemplate: field(launchTemplateSpecification().optional(), { doc: "What it launches." }),
  mixedInstancesPolicy: field(mixedInstancesPolicy().optional(), { doc: "Instead: several instance types, and Spot Instances." }),
  ...settings,
  targetGroupArns: field(z.array(z.string().min(1).max(511)).optional(), {
    doc: "The target groups its instances join.",
    compare: "set",
    unset: [],
    ref: "elbv2.aws/v1 TargetGroup.targetGroupArn",
  }),
  loadBalancerNames: field(z.array(z.string().min(1).max(255)).optional(), {
    doc: "The Classic Load Balancers its instances join.",
    compare: "set",
    unset: [],
  }),
  enabledMetrics: field(z.array(z.enum(METRICS)).optional(), {
    doc: "The group metrics it sends, each minute.",
    compare: "set",
    unset: [],
  }),
  suspendedProcesses: field(z.array(z.enum(PROCESSES)).optional(), { doc: "What it does not do for now.", compare: "set", unset: [] }),
  tags: tags(),
  propagateAtLaunch: field(
    z
      .array(
        z
          .string()
          .min(1)
          .max(128)
          .regex(/^(?!beacon:)/, "is BEACON's own: ownership is the group's, and not its instances'"),
      )
      .optional(),
    { doc: "Which of its tags, by name, new instances get, too.", compare: "set", unset: [] },
  ),
  instanceRefresh: field(instanceRefresh().optional(), {
    doc: "Replaces the instances when what it launches has changed. Absent: only new instances are launched from it.",
    whole: true,
    follows: ["launchTemplate", "mixedInstancesPolicy"],
  }),
});

const status = z.strictObject({
  autoScalingGroupName: field(z.string(), { doc: "The name of the group." }),
  autoScalingGroupArn: field(z.string().optional(), { doc: "The ARN of the group." }),
  instanceIds: field(z.array(z.string()).optional(), { doc: "Its instances, sorted; without those on their way out." }),
  instancePrivateIps: field(z.array(z.string()).optional(), { doc: "Their private addresses, in that order, as far as they run." }),
  instancesInService: field(z.number().optional(), { doc: "How much of it is in service and healthy, in the units of its sizes." }),
  launchFailure: field(z.string().optional(), { doc: "Why the last launch failed, while too few are in service." }),
  launchTemplateVersion: field(z.int().optional(), { doc: "With `instanceRefresh`: the version that it launches." }),
  outdatedInstanceIds: field(z.array(z.string()).optional(), { doc: "With `instanceRefresh`: instances of another version." }),
  lastInstanceRefresh: field(
    z
      .strictObject({
        instanceRefreshId: field(z.string(), { doc: "Its ID." }),
        status: field(z.string(), { doc: "Pending, InProgress, Successful, Failed, Cancelled, RollbackSuccessful, …" }),
        statusReason: field(z.string().optional(), { doc: "Why." }),
        percentageComplete: field(z.number().optional(), { doc: "How much is replaced." }),
        instancesToUpdate: field(z.number().optional(), { doc: "How many instances are to be replaced." }),
        desiredConfiguration: field(z.record(z.string(), z.any()).optional(), { doc: "What it brings to the group." }),
        minutes: field(z.int().optional(), { doc: "For how long it has been going on." }),
        covers: field(z.boolean(), { doc: "Whether it was started for what the group launches now." }),
      })
      .optional(),
    { doc: "With `instanceRefresh`: the newest refresh." },
  ),
});

export const autoScalingGroup = defineKind({
  apiVersion: "autoscaling.aws/v1",
  kind: "AutoScalingGroup",
  doc: "Keeps a number of instances running, over several availability zones.",
  shortNames: ["asg"],
  spec,
  status,
  id: "autoScalingGroupName",
  identity: { by: "name", key: ["autoScalingGroupName"], name: { field: "autoScalingGroupName", maxLength: 255 } },
  deviations: [
    "`vpcZoneIdentifier` is a list of subnet IDs; a version of a launch template may be a number.",
    "`tags` is the group's own map; `propagateAtLaunch` lists the names of those that instances get, too. Ownership tags never propagate.",
    "`enabledMetrics`, `suspendedProcesses` and `instanceRefresh`, calls of their own at AWS, are fields here.",
    "`instanceRefresh` starts a refresh when instances run another template version than the group launches, once for each version: one that failed, was cancelled or was rolled back is not tried again, and the group says so until something else is to be launched. With a version's number the refresh brings the new one to the group when it succeeds; with `$Latest` and `$Default` the group has it already, and `autoRollback` is not possible.",
    "It is deleted with its instances (`ForceDelete`), unless `deletionProtection` is on.",
    "Launch configurations, traffic sources (VPC Lattice), lifecycle hooks, warm pools, scheduled actions and notifications are not supported.",
  ],
  errors: {
    notFound: GROUP_NOT_FOUND,
    // What a refresh is found to be doing already, or no longer, makes the group worth another look.
    exists: ["AlreadyExistsFault", "InstanceRefreshInProgressFault", "ActiveInstanceRefreshNotFoundFault"],
    wait: [
      ...["ScalingActivityInProgressFault", "ResourceInUseFault", "ResourceContentionFault", "ServiceLinkedRoleFailure"],
      "ValidationError: pending delete",
    ],
    propagating: [
      "ValidationError: Invalid IAM Instance Profile",
      "ValidationError: The specified launch template",
      "ValidationError: Provided Target Groups may not be valid",
      "ValidationError: The security group",
      "ValidationError: The subnet ID",
      "ValidationError: The key pair",
    ],
  },
  list: { operations: LOOKS, run: listGroups },
  create: {
    operations: ["autoscaling:CreateAutoScalingGroup"],
    run: async (aws, desired) => {
      const group = desired.autoScalingGroupName as string;
      const {
        launchTemplate,
        mixedInstancesPolicy: policy,
        targetGroupArns = [],
        loadBalancerNames = [],
        propagateAtLaunch = [],
      } = desired;
      const own = settingsOf(desired as JsonObject);
      const configuration = defined({ launchTemplate, mixedInstancesPolicy: policy } as JsonObject) as Configuration;
      try {
        await aws.write(autoscaling, "CreateAutoScalingGroup", {
          AutoScalingGroupName: group,
          MinSize: desired.minSize,
          MaxSize: desired.maxSize,
          ...settingsOut(own),
          ...configurationOut(configuration),
          TargetGroupARNs: targetGroupArns.length > 0 ? targetGroupArns : undefined,
          LoadBalancerNames: loadBalancerNames.length > 0 ? loadBalancerNames : undefined,
          Tags: tagsOut(group, desired.tags ?? {}, propagateAtLaunch),
        });
      } catch (error) {
        throw isNamed(error, ["AlreadyExists: pending delete"]) ? stillGoing(error) : error;
      }
      const known = { autoScalingGroupName: group, targetGroupArns, loadBalancerNames, propagateAtLaunch, tags: desired.tags ?? {} };
      const none = { enabledMetrics: [], suspendedProcesses: [], instanceIds: [], instancePrivateIps: [], instancesInService: 0 };
      return { id: group, values: { ...DEFAULTS, ...own, ...(configuration as JsonObject), ...known, ...none } };
    },
  },
  updates: [
    configurationUpdater,
    settingsUpdater(Object.keys(settings)),
    listUpdater("targetGroupArns", ["autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:DetachLoadBalancerTargetGroups"], {
      add: (aws, group, TargetGroupARNs) => aws.write(autoscaling, "AttachLoadBalancerTargetGroups", { ...group, TargetGroupARNs }),
      remove: (aws, group, TargetGroupARNs) => aws.write(autoscaling, "DetachLoadBalancerTargetGroups", { ...group, TargetGroupARNs }),
    }),
    listUpdater("loadBalancerNames", ["autoscaling:AttachLoadBalancers", "autoscaling:DetachLoadBalancers"], {
      add: (aws, group, LoadBalancerNames) => aws.write(autoscaling, "AttachLoadBalancers", { ...group, LoadBalancerNames }),
      remove: (aws, group, LoadBalancerNames) => aws.write(autoscaling, "DetachLoadBalancers", { ...group, LoadBalancerNames }),
    }),
    listUpdater("enabledMetrics", ["autoscaling:EnableMetricsCollection", "autoscaling:DisableMetricsCollection"], {
      add: (aws, group, Metrics) => aws.write(autoscaling, "EnableMetricsCollection", { ...group, Metrics, Granularity: "1Minute" }),
      remove: (aws, group, Metrics) => aws.write(autoscaling, "DisableMetricsCollection", { ...group, Metrics }),
    }),
    listUpdater("suspendedProcesses", ["autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses"], {
      add: (aws, group, ScalingProcesses) => aws.write(autoscaling, "SuspendProcesses", { ...group, ScalingProcesses }),
      remove: (aws, group, ScalingProcesses) => aws.write(autoscaling, "ResumeProcesses", { ...group, ScalingProcesses }),
    }),
    groupTagsUpdater,
    refreshUpdater,
  ] as Updater<z.infer<typeof spec>>[],
  delete: {
    operations: ["autoscaling:DeleteAutoScalingGroup"],
    run: async (aws, { id }) =>
      void (await aws.write(autoscaling, "DeleteAutoScalingGroup", { AutoScalingGroupName: id, ForceDelete: true })),
  },
  comparable,
  ready: (observed) => readinessOf(observed as JsonObject),
  check: (resources) => resources.flatMap((resource) => [...groupFindings(resource)]),
});

/** What a group has when nobody says anything (CreateAutoScalingGroup). */
const DEFAULTS: JsonObject = {
  healthCheckType: "EC2",
  healthCheckGracePeriod: 0,
  defaultCooldown: 300,
  maxInstanceLifetime: 0,
  terminationPolicies: ["Default"],
  newInstancesProtectedFromScaleIn: false,
  capacityRebalance: false,
  deletionProtection: "none",
};

function settingsOf(desired: JsonObject): JsonObject {
  const members = Object.keys(settings).map((name) => [name, desired[name]] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

// The name is free again when the old group's instances are gone, which takes minutes.
function stillGoing(error: AwsError): AwsError {
  return new AwsError("ScalingActivityInProgress", error.message, { operation: error.operation, verdict: error.verdict, cause: error });
}

function comparable(observed: JsonObject, desired: JsonObject): JsonObject {
  const launched = { ...observed, ...aim(observed) };
  const seen = {
    ...launched,
    launchTemplate: withNumbersOf(desired.launchTemplate, launched.launchTemplate),
    mixedInstancesPolicy: withNumbersOf(desired.mixedInstancesPolicy, launched.mixedInstancesPolicy),
    healthCheckType: hasSameChecks(observed, desired) ? desired.healthCheckType : observed.healthCheckType,
    propagateAtLaunch: ownAmong(observed, desired),
  };
  if (!isObject(desired.instanceRefresh)) return seen;
  const isDue = nextStep(observed, desired.instanceRefresh) !== "nothing";
  return { ...seen, instanceRefresh: isDue ? undefined : desired.instanceRefresh };
}

// EC2's own check cannot be left out, and the order does not count.
function hasSameChecks({ healthCheckType: left }: JsonObject, { healthCheckType: right }: JsonObject): boolean {
  const checks = (text: unknown) => [...new Set(["EC2", ...String(text).split(",")])].sort().join();
  return left !== undefined && right !== undefined && checks(left) === checks(right);
}

// A tag that nobody declared may propagate as it likes.
function ownAmong(observed: JsonObject, { tags: own, propagateAtLaunch: wanted }: JsonObject): readonly string[] {
  const declared = new Set([...Object.keys(isObject(own) ? own : {}), ...(Array.isArray(wanted) ? wanted.map(String) : [])]);
  return Array.isArray(observed.propagateAtLaunch) ? observed.propagateAtLaunch.map(String).filter((key) => declared.has(key)) : [];
}

function readinessOf(observed: JsonObject): Readiness {
  const refresh = progressText(observed);
  if (refresh) return { state: "waiting", why: refresh.why, ...(refresh.changeable ? { changeable: true } : {}) };
  if (observed.autoScalingGroupArn === undefined) return { state: "waiting", why: "AWS has yet to tell of the group" };
  const { minSize: wanted, instancesInService: serving, suspendedProcesses: suspended, launchFailure: failure } = observed;
  const launchesNone = Array.isArray(suspended) && suspended.includes("Launch");
  if (launchesNone || typeof serving !== "number" || typeof wanted !== "number" || serving >= wanted) return { state: "ready" };
  const why = `${serving} of at least ${wanted} instances are in service${failure === undefined ? "" : `: ${failure}`}`;
  return { state: "waiting", why, changeable: true };
}
