/** What the static checks find in a group's manifest, before any AWS call. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { templatesOf } from "./autoscaling.ts";
import { isFlexible } from "./autoscaling-refresh.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

/** Templates, sizes, tags and refreshes that AWS would refuse. */
export function* groupFindings(group: StaticResource): Generator<CheckFinding> {
  yield* launchFindings(group);
  yield* sizeFindings(group);
  yield* tagFindings(group);
  yield* maintenanceFindings(group);
  if (isObject(group.spec.instanceRefresh)) yield* refreshFindings(group, group.spec.instanceRefresh);
}

function* launchFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { launchTemplate, mixedInstancesPolicy, vpcZoneIdentifier, availabilityZones } = spec;
  const both = launchTemplate !== undefined && mixedInstancesPolicy !== undefined;
  if (both) yield { resource: key, field: "mixedInstancesPolicy", message: `${key} has a policy, which names its launch template itself` };
  if (launchTemplate === undefined && mixedInstancesPolicy === undefined) {
    const hint = "set `launchTemplate` or `mixedInstancesPolicy`";
    yield { resource: key, field: "", message: `${key} launches nothing`, hint };
  }
  if (vpcZoneIdentifier === undefined && availabilityZones === undefined) {
    yield { resource: key, field: "", message: `${key} needs subnets`, hint: "set `vpcZoneIdentifier`" };
  }
  for (const template of launchTemplates(spec)) {
    const named = [template.launchTemplateId, template.launchTemplateName].filter((name) => name !== undefined);
    if (named.length === 1) continue;
    const at = launchTemplate === undefined ? "mixedInstancesPolicy" : "launchTemplate";
    yield {
      resource: key,
      field: at,
      message: `a launch template of ${key} is given by \`launchTemplateId\` or by \`launchTemplateName\``,
    };
  }
}

function launchTemplates(spec: JsonObject): readonly JsonObject[] {
  const member = (name: string) => (isObject(spec[name]) ? { [name]: spec[name] } : {});
  return templatesOf({ ...member("launchTemplate"), ...member("mixedInstancesPolicy") });
}

function* sizeFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { minSize: min, maxSize: max, desiredCapacity: desired } = spec;
  if (isAbove(min, max)) yield { resource: key, field: "maxSize", message: `${key} has a minimum of ${min}, and a maximum of ${max}` };
  if (isAbove(min, desired) || isAbove(desired, max)) {
    const message = `${key} shall begin with ${desired} instances, which is not between ${min} and ${max}`;
    yield { resource: key, field: "desiredCapacity", message };
  }
}

function isAbove(left: Json | undefined, right: Json | undefined): boolean {
  return typeof left === "number" && typeof right === "number" && left > right;
}

function* tagFindings({ key, spec: { tags, propagateAtLaunch } }: StaticResource): Generator<CheckFinding> {
  if (!Array.isArray(propagateAtLaunch)) return;
  for (const [index, name] of propagateAtLaunch.entries()) {
    if (typeof name !== "string" || (isObject(tags) && tags[name] !== undefined)) continue;
    const message = `${key} shall propagate the tag \`${name}\`, and has none of that name`;
    yield { resource: key, field: `propagateAtLaunch.${index}`, message };
  }
}

// InstanceMaintenancePolicy, RefreshPreferences: "the difference between them cannot be greater than 100".
function* maintenanceFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const refresh = isObject(spec.instanceRefresh) ? spec.instanceRefresh : {};
  const places = [
    ["instanceMaintenancePolicy", spec.instanceMaintenancePolicy],
    ["instanceRefresh.preferences", refresh.preferences],
  ] as const;
  for (const [field, value] of places) {
    const { minHealthyPercentage: min, maxHealthyPercentage: max } = isObject(value) ? value : {};
    if (typeof min === "number" && typeof max === "number" && max - min > 100) {
      yield { resource: key, field, message: `\`${field}\` of ${key} spans ${max - min} percent; AWS takes 100` };
    }
    if (max !== undefined && min === undefined) {
      yield { resource: key, field, message: `\`${field}\` of ${key} needs \`minHealthyPercentage\` beside its maximum` };
    }
  }
}

function* refreshFindings({ key, spec }: StaticResource, { preferences }: JsonObject): Generator<CheckFinding> {
  if (!isObject(preferences)) return;
  const at = { resource: key, field: "instanceRefresh.preferences" };
  const { checkpointDelay, checkpointPercentages: percentages, autoRollback } = preferences;
  if (checkpointDelay !== undefined && percentages === undefined) {
    yield { ...at, message: `\`checkpointDelay\` of ${key} needs \`checkpointPercentages\`` };
  }
  const isRising = (list: readonly Json[]) => list.every((value, index) => index === 0 || Number(value) > Number(list[index - 1]));
  if (Array.isArray(percentages) && percentages.every((value) => typeof value === "number") && !isRising(percentages)) {
    yield { ...at, field: `${at.field}.checkpointPercentages`, message: `the checkpoints of ${key} must rise` };
  }
  const named = launchTemplates(spec).find((template) => !isObject(template.version) && isFlexible(template));
  if (autoRollback === true && named) {
    const message = `${key} cannot be rolled back: with \`${named.version ?? "$Default"}\` it has the new version before its instances do`;
    const hint = "set `launchTemplate.version` to the template's `latestVersionNumber`";
    yield { ...at, field: `${at.field}.autoRollback`, message, hint };
  }
}
