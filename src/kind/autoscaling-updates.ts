/** How an EC2 Auto Scaling group is changed: its settings in one call, its lists, its tags, and its instances. */

import type { RefreshPreferences, RefreshStrategy, Tag, UpdateAutoScalingGroupType } from "@aws-sdk/client-auto-scaling";
import type { OperationName, Writer } from "../aws/service.ts";
import type { Tags } from "../aws/tags.ts";
import type { FieldChange } from "../core/diff.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { objectShape } from "../core/shape.ts";
import { autoscaling, type Configuration, configurationOut, templatesOf } from "./autoscaling.ts";
import { aim, hasFailed, isActive, isFlexible, lastRefresh, nextStep, refreshFailed } from "./autoscaling-refresh.ts";
import { instanceRefresh } from "./autoscaling-schemas.ts";
import type { Effect, Target, Updater } from "./kind.ts";
import { capitals, toAws } from "./spelling.ts";
import { upper } from "./words.ts";

type Any = Updater<JsonObject>;
type Changing = Target<JsonObject> & { readonly changes: Readonly<Record<string, FieldChange>> };

// Where AWS's name has other capitals than its first letter.
const NAMES: Readonly<Record<string, string>> = { vpcZoneIdentifier: "VPCZoneIdentifier", serviceLinkedRoleArn: "ServiceLinkedRoleARN" };

/** What a field that has left the manifest is sent as, where AWS has a value of its own for "none" (UpdateAutoScalingGroup). */
const NONE: Readonly<Record<string, unknown>> = {
  defaultInstanceWarmup: -1,
  placementGroup: "",
  instanceMaintenancePolicy: { MinHealthyPercentage: -1, MaxHealthyPercentage: -1 },
};

/** Settings as the calls that create and update a group take them. */
export function settingsOut(values: JsonObject): Omit<UpdateAutoScalingGroupType, "AutoScalingGroupName"> {
  const members = Object.entries(values).map(([name, value]) => {
    const out = value === null ? NONE[name] : name === "vpcZoneIdentifier" ? (value as string[]).join(",") : capitals(value);
    return [NAMES[name] ?? upper(name), out];
  });
  return Object.fromEntries(members);
}

/** All that differs in one call: "any properties that you don't specify are not changed". */
export function settingsUpdater(fields: readonly string[]): Any {
  return {
    fields,
    operations: ["autoscaling:UpdateAutoScalingGroup"],
    run: async (aws, { id, changes }) => {
      const changed = fields.filter((name) => changes[name]).map((name) => [name, changes[name]?.after ?? null] as const);
      await aws.write(autoscaling, "UpdateAutoScalingGroup", { AutoScalingGroupName: id, ...settingsOut(Object.fromEntries(changed)) });
      return { values: Object.fromEntries(changed.map(([name, value]) => [name, value ?? undefined])) };
    },
  };
}

type ListCall = (aws: Writer, group: { AutoScalingGroupName: string }, members: string[]) => Promise<unknown>;

// "You can specify up to 10 target groups", and as many load balancers; the other lists are shorter than what a call takes.
const ATTACHED_MAX = 10;

/** A set, by one call that adds and, on the next round, one that removes. */
export function listUpdater(name: string, operations: readonly OperationName[], calls: { add: ListCall; remove: ListCall }): Any {
  return {
    fields: [name],
    operations,
    run: async (aws, { id, changes }) => {
      const { before, added = [], removed = [] } = changes[name] ?? {};
      const present = Array.isArray(before) ? before : [];
      const [adds, group] = [added.length > 0, { AutoScalingGroupName: id }];
      const some = (adds ? added : removed).slice(0, ATTACHED_MAX).map(String);
      await calls[adds ? "add" : "remove"](aws, group, some);
      return { values: { [name]: adds ? [...present, ...some] : present.filter((member) => !some.includes(String(member))) } };
    },
  };
}

/** A group's own tags as AWS takes them; ownership is the group's alone, and never its instances'. */
export function tagsOut(group: string, tags: Tags, propagated: readonly string[]): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({
    ResourceId: group,
    ResourceType: "auto-scaling-group",
    Key,
    Value,
    PropagateAtLaunch: propagated.includes(Key) && !Key.startsWith("beacon:"),
  }));
}

/** Tags, and which of them instances get: first one call that sets, then, on the next round, one that removes. */
export const groupTagsUpdater: Any = {
  fields: ["tags", "propagateAtLaunch"],
  operations: ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"],
  run: async (aws, { id, desired, observed, changes }) => {
    const [before, propagatedBefore] = [(observed.tags ?? {}) as Tags, texts(observed.propagateAtLaunch)];
    const { added = [], removed = [] } = changes.propagateAtLaunch ?? {};
    const propagated = [...propagatedBefore.filter((key) => !removed.includes(key)), ...texts(added)];
    const declared = { ...before, ...(desired.tags as Tags | undefined) };
    const touched = [...added, ...removed].map(String).filter((key) => declared[key] !== undefined);
    const set = { ...(changes.tags?.set as Tags | undefined), ...Object.fromEntries(touched.map((key) => [key, declared[key] as string])) };
    if (Object.keys(set).length > 0) {
      await aws.write(autoscaling, "CreateOrUpdateTags", { Tags: tagsOut(id, set, propagated) });
      return { values: { tags: { ...before, ...set }, propagateAtLaunch: propagated } };
    }
    const drop = changes.tags?.drop ?? [];
    const gone = drop.map((Key) => ({ ResourceId: id, ResourceType: "auto-scaling-group", Key }));
    await aws.write(autoscaling, "DeleteTags", { Tags: gone });
    const left = Object.fromEntries(Object.entries(before).filter(([key]) => !drop.includes(key)));
    return { values: { tags: left, propagateAtLaunch: propagated.filter((key) => !drop.includes(key)) } };
  },
};

function texts(list: Json | readonly Json[] | undefined): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

const REFRESH = objectShape(instanceRefresh());

/**
 * What the group launches. A group that refreshes its instances gets another configuration by a refresh, which brings it to the
 * group when it has succeeded; one without instances, or without a refresh, gets it at once.
 */
export const configurationUpdater: Any = {
  fields: ["launchTemplate", "mixedInstancesPolicy"],
  operations: ["autoscaling:UpdateAutoScalingGroup", "autoscaling:StartInstanceRefresh", "autoscaling:CancelInstanceRefresh"],
  run: async (aws, target) => {
    const { id, desired, observed } = target;
    const wanted = wantedConfiguration(target);
    // One that goes on leads elsewhere: else nothing would differ.
    if (isActive(lastRefresh(observed)) && (aim(observed) || isObject(desired.instanceRefresh))) return cancel(aws, id, observed);
    const hasInstances = texts(observed.instanceIds).length > 0;
    if (!isObject(desired.instanceRefresh) || !hasInstances) {
      await aws.write(autoscaling, "UpdateAutoScalingGroup", { AutoScalingGroupName: id, ...configurationOut(wanted) });
      return { values: { launchTemplate: undefined, mixedInstancesPolicy: undefined, ...(wanted as JsonObject) } };
    }
    if (hasFailed(observed, wanted)) throw refreshFailed(observed);
    return start(aws, target, wanted);
  },
};

/** Replaces instances that run another version than the group launches, once for each version; stops what takes too long. */
export const refreshUpdater: Any = {
  fields: ["instanceRefresh"],
  operations: ["autoscaling:StartInstanceRefresh", "autoscaling:CancelInstanceRefresh", "autoscaling:RollbackInstanceRefresh"],
  run: async (aws, target) => {
    const { id, desired, observed } = target;
    const settings = isObject(desired.instanceRefresh) ? desired.instanceRefresh : {};
    const own = presentConfiguration(observed);
    switch (nextStep(observed, settings)) {
      case "start":
        return start(aws, target, templatesOf(own).some(isFlexible) ? undefined : own);
      case "cancel":
        return canRollBack(observed, settings) ? rollBack(aws, id, observed) : cancel(aws, id, observed);
      case "giveUp":
        throw refreshFailed(observed);
      case "nothing":
        return { values: {} };
    }
  },
};

function presentConfiguration({ launchTemplate, mixedInstancesPolicy }: JsonObject): Configuration {
  return {
    ...(isObject(launchTemplate) ? { launchTemplate } : {}),
    ...(isObject(mixedInstancesPolicy) ? { mixedInstancesPolicy } : {}),
  };
}

/** The declared one; of a policy, what nobody declared stays as it is. */
function wantedConfiguration({ desired, observed, changes }: Changing): Configuration {
  const { launchTemplate, mixedInstancesPolicy } = desired;
  if (isObject(mixedInstancesPolicy)) {
    const after = changes.mixedInstancesPolicy?.after;
    return { mixedInstancesPolicy: isObject(after) ? after : mixedInstancesPolicy };
  }
  if (!isObject(launchTemplate)) return presentConfiguration(observed);
  const before = isObject(observed.launchTemplate) ? observed.launchTemplate : {};
  const isSame = ["launchTemplateId", "launchTemplateName"].some(
    (name) => launchTemplate[name] !== undefined && launchTemplate[name] === before[name],
  );
  return { launchTemplate: isSame && before.version !== undefined ? { version: before.version, ...launchTemplate } : launchTemplate };
}

async function start(aws: Writer, { id, desired }: Changing, configuration: Configuration | undefined): Promise<Effect> {
  const settings = isObject(desired.instanceRefresh) ? desired.instanceRefresh : {};
  const { Strategy, Preferences } = toAws(settings, REFRESH) as { Strategy?: RefreshStrategy; Preferences?: RefreshPreferences };
  const answer = await aws.write(autoscaling, "StartInstanceRefresh", {
    AutoScalingGroupName: id,
    Strategy,
    Preferences,
    DesiredConfiguration: configuration && configurationOut(configuration),
  });
  const leads = configuration ? { desiredConfiguration: configuration as JsonObject } : {};
  const known = { instanceRefreshId: answer.InstanceRefreshId ?? "", status: "Pending", percentageComplete: 0, covers: true };
  return { values: { lastInstanceRefresh: { ...known, ...leads } } };
}

async function cancel(aws: Writer, id: string, observed: JsonObject): Promise<Effect> {
  await aws.write(autoscaling, "CancelInstanceRefresh", { AutoScalingGroupName: id });
  return { values: { lastInstanceRefresh: { ...lastRefresh(observed), status: "Cancelling" } } };
}

function canRollBack(observed: JsonObject, { preferences }: JsonObject): boolean {
  return isObject(preferences) && preferences.autoRollback === true && lastRefresh(observed)?.desiredConfiguration !== undefined;
}

async function rollBack(aws: Writer, id: string, observed: JsonObject): Promise<Effect> {
  await aws.write(autoscaling, "RollbackInstanceRefresh", { AutoScalingGroupName: id });
  return { values: { lastInstanceRefresh: { ...lastRefresh(observed), status: "RollbackInProgress" } } };
}
