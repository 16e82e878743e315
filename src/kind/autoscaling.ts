/** EC2 Auto Scaling groups in the manifest's words and in AWS's. */

import type { AutoScalingGroup, Instance, LaunchTemplateSpecification, MixedInstancesPolicy } from "@aws-sdk/client-auto-scaling";
import { service } from "../aws/service.ts";
import { fromTagList } from "../aws/tags.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { objectShape } from "../core/shape.ts";
import { launchTemplateSpecification, mixedInstancesPolicy } from "./autoscaling-schemas.ts";
import { defined } from "./listing.ts";
import { fromAws, toAws } from "./spelling.ts";

/** EC2 Auto Scaling, loaded at its first call. */
export const autoscaling = service("autoscaling", "AutoScalingClient", () => import("@aws-sdk/client-auto-scaling"));

const TEMPLATE = objectShape(launchTemplateSpecification());
const MIXED = objectShape(mixedInstancesPolicy());

/** What the group launches: one of both. */
export type Configuration = { readonly launchTemplate?: JsonObject; readonly mixedInstancesPolicy?: JsonObject };

/** As AWS takes it: numbers as texts, and the template by ID or by name. */
export function configurationOut({ launchTemplate, mixedInstancesPolicy: policy }: Configuration): {
  LaunchTemplate?: LaunchTemplateSpecification;
  MixedInstancesPolicy?: MixedInstancesPolicy;
} {
  if (policy) return { MixedInstancesPolicy: toAws(asTexts(policy), MIXED) as MixedInstancesPolicy };
  return launchTemplate ? { LaunchTemplate: toAws(asTexts(launchTemplate), TEMPLATE) as LaunchTemplateSpecification } : {};
}

/** As the manifest says it. */
export function configurationOf(found: {
  LaunchTemplate?: LaunchTemplateSpecification | undefined;
  MixedInstancesPolicy?: MixedInstancesPolicy | undefined;
}): Configuration {
  const { LaunchTemplate: template, MixedInstancesPolicy: policy } = found;
  if (policy) return { mixedInstancesPolicy: asNumbers(fromAws(policy, MIXED)) as JsonObject };
  return template ? { launchTemplate: { version: "$Default", ...(fromAws(template, TEMPLATE) as JsonObject) } } : {};
}

/** Every template that the configuration names, the group's own first. */
export function templatesOf({ launchTemplate, mixedInstancesPolicy: policy }: Configuration): readonly JsonObject[] {
  const inner = isObject(policy?.launchTemplate) ? policy.launchTemplate : {};
  const overrides = Array.isArray(inner.overrides) ? inner.overrides.filter(isObject) : [];
  const named = [launchTemplate, inner.launchTemplateSpecification, ...overrides.map((one) => one.launchTemplateSpecification)];
  return named.filter(isObject);
}

// Where AWS has both, the ID says which template it is, and AWS refuses to be told twice.
function asTexts(value: Json): Json {
  if (Array.isArray(value)) return value.map(asTexts);
  if (!isObject(value)) return value;
  const texts = Object.entries(value).map(([name, member]): [string, Json | undefined] => {
    if (name === "launchTemplateName" && value.launchTemplateId !== undefined) return [name, undefined];
    const isText = (name === "version" || name === "weightedCapacity") && typeof member === "number";
    return [name, isText ? String(member) : member === undefined ? member : asTexts(member)];
  });
  return Object.fromEntries(texts);
}

function asNumbers(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => asNumbers(item) as Json);
  if (!isObject(value)) return value;
  const numbers = Object.entries(value).map(([name, member]) => [
    name,
    name === "weightedCapacity" && typeof member === "string" ? Number(member) : asNumbers(member),
  ]);
  return Object.fromEntries(numbers);
}

/** The observed value with numbers where the wanted one has them: a version is text at AWS, and may be a number in a manifest. */
export function withNumbersOf(wanted: Json | undefined, observed: Json | undefined): Json | undefined {
  if (typeof wanted === "number" && observed === String(wanted)) return wanted;
  if (Array.isArray(wanted) && Array.isArray(observed)) return observed.map((item, index) => withNumbersOf(wanted[index], item) as Json);
  if (!isObject(wanted) || !isObject(observed)) return observed;
  return Object.fromEntries(Object.entries(observed).map(([name, member]) => [name, withNumbersOf(wanted[name], member)]));
}

/** Spec and status of a group, but for what other calls tell. */
export function groupValues(group: AutoScalingGroup): JsonObject {
  const { MinHealthyPercentage: min, MaxHealthyPercentage: max } = group.InstanceMaintenancePolicy ?? {};
  return defined({
    autoScalingGroupName: group.AutoScalingGroupName,
    autoScalingGroupArn: group.AutoScalingGroupARN,
    ...configurationOf(group),
    minSize: group.MinSize,
    maxSize: group.MaxSize,
    desiredCapacity: group.DesiredCapacity,
    desiredCapacityType: group.DesiredCapacityType,
    vpcZoneIdentifier: group.VPCZoneIdentifier ? group.VPCZoneIdentifier.split(",").map((id) => id.trim()) : undefined,
    availabilityZones: group.AvailabilityZones,
    targetGroupArns: group.TargetGroupARNs ?? [],
    loadBalancerNames: group.LoadBalancerNames ?? [],
    healthCheckType: group.HealthCheckType,
    healthCheckGracePeriod: group.HealthCheckGracePeriod ?? 0,
    defaultCooldown: group.DefaultCooldown,
    defaultInstanceWarmup: group.DefaultInstanceWarmup,
    maxInstanceLifetime: group.MaxInstanceLifetime ?? 0,
    terminationPolicies: group.TerminationPolicies,
    newInstancesProtectedFromScaleIn: group.NewInstancesProtectedFromScaleIn ?? false,
    capacityRebalance: group.CapacityRebalance ?? false,
    placementGroup: group.PlacementGroup,
    serviceLinkedRoleArn: group.ServiceLinkedRoleARN,
    instanceMaintenancePolicy: (min ?? -1) < 0 ? undefined : { minHealthyPercentage: min, maxHealthyPercentage: max },
    ...policyValues(group),
    deletionProtection: group.DeletionProtection ?? "none",
    enabledMetrics: (group.EnabledMetrics ?? []).flatMap(({ Metric }) => Metric ?? []),
    suspendedProcesses: (group.SuspendedProcesses ?? []).flatMap(({ ProcessName }) => ProcessName ?? []),
    tags: fromTagList(group.Tags),
    propagateAtLaunch: Object.keys(fromTagList((group.Tags ?? []).filter(({ PropagateAtLaunch }) => PropagateAtLaunch))),
  });
}

function policyValues(group: AutoScalingGroup): JsonObject {
  const { CapacityReservationPreference: preference, CapacityReservationTarget: target } = group.CapacityReservationSpecification ?? {};
  const { ZonalShiftEnabled: shift, ImpairedZoneHealthCheckBehavior: behavior } = group.AvailabilityZoneImpairmentPolicy ?? {};
  return {
    availabilityZoneDistribution: group.AvailabilityZoneDistribution && {
      capacityDistributionStrategy: group.AvailabilityZoneDistribution.CapacityDistributionStrategy,
    },
    availabilityZoneImpairmentPolicy:
      shift === undefined ? undefined : defined({ zonalShiftEnabled: shift, impairedZoneHealthCheckBehavior: behavior }),
    capacityReservationSpecification:
      preference &&
      defined({
        capacityReservationPreference: preference,
        capacityReservationTarget:
          target &&
          defined({
            capacityReservationIds: target.CapacityReservationIds,
            capacityReservationResourceGroupArns: target.CapacityReservationResourceGroupArns,
          }),
      }),
    instanceLifecyclePolicy: group.InstanceLifecyclePolicy?.RetentionTriggers && {
      retentionTriggers: defined({ terminateHookAbandon: group.InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon }),
    },
  };
}

/** Whether the instance belongs to what the group is: not on its way out, nor only warmed. */
export function isMember({ LifecycleState: state }: Instance): boolean {
  return !/^(Terminat|Detach|Warmed|Quarantined)/.test(String(state));
}

/** Of the group's instances: which there are, and how much of them is in service, in the units of its sizes. */
export function instanceValues(group: AutoScalingGroup, addresses: ReadonlyMap<string, string>): JsonObject {
  const members = (group.Instances ?? []).filter(isMember);
  const instanceIds = members.flatMap(({ InstanceId }) => InstanceId ?? []).sort();
  const serving = members.filter(({ LifecycleState, HealthStatus }) => LifecycleState === "InService" && HealthStatus === "Healthy");
  return {
    instanceIds,
    instancePrivateIps: instanceIds.flatMap((id) => addresses.get(id) ?? []),
    instancesInService: serving.reduce((sum, { WeightedCapacity }) => sum + Number(WeightedCapacity ?? 1), 0),
  };
}
