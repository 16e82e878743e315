/**
 * Instance refreshes, level by level: what a look tells of the group decides what is to be done, whoever did what before.
 *
 * Instances are *outdated* when they run another template version than the group launches. A refresh *covers* what the group
 * launches when it was started for just that: one is started where none does, and one that failed is not tried again. Where the
 * group names a version by number, the refresh itself brings the new number to the group when it succeeds (AWS's desired
 * configuration), so that it can be rolled back; with `$Latest` or `$Default` the group has the new version already.
 */

import type { Instance, InstanceRefresh } from "@aws-sdk/client-auto-scaling";
import { AwsError } from "../aws/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { type Configuration, configurationOf, templatesOf } from "./autoscaling.ts";
import { defined } from "./listing.ts";

const ACTIVE = ["Pending", "InProgress", "Baking"];
const ENDING = ["Cancelling", "RollbackInProgress"];

/** A version that a name stands for: its number, and when it was made (epoch milliseconds). */
export type Version = { readonly number: number; readonly madeMs: number };

/** The versions behind `$Latest` and `$Default`, by {@link versionKey}. */
export type Versions = ReadonlyMap<string, Version>;

/** Names a template's version: `lt-1 $Latest`. */
export function versionKey(template: JsonObject): string {
  return `${template.launchTemplateId ?? template.launchTemplateName} ${template.version ?? "$Default"}`;
}

/** Whether the version is a name, which comes to stand for another one without the group's doing. */
export function isFlexible({ version }: JsonObject): boolean {
  return !/^\d+$/.test(String(version ?? "$Default"));
}

/** What is observed of the group's refreshes; `newest` is the last one that was started. */
export function refreshValues(
  configuration: Configuration,
  found: { readonly instances: readonly Instance[]; readonly newest: InstanceRefresh | undefined; readonly nowMs: number },
  versions: Versions,
): JsonObject {
  const templates = templatesOf(configuration);
  const numbers = templates.map((template) =>
    isFlexible(template) ? versions.get(versionKey(template))?.number : Number(template.version),
  );
  const isCurrent = ({ LaunchTemplate: own }: Instance) =>
    templates.some((template, index) => {
      const isSame = own?.LaunchTemplateId === template.launchTemplateId || own?.LaunchTemplateName === template.launchTemplateName;
      return isSame && own?.Version === String(numbers[index]);
    });
  const outdated = found.instances.filter((instance) => !isCurrent(instance)).flatMap(({ InstanceId }) => InstanceId ?? []);
  return defined({
    launchTemplateVersion: numbers[0],
    outdatedInstanceIds: outdated.sort(),
    lastInstanceRefresh: found.newest && refreshOf(configuration, found.newest, { templates, versions, nowMs: found.nowMs }),
  });
}

function refreshOf(
  configuration: Configuration,
  refresh: InstanceRefresh,
  { templates, versions, nowMs }: { templates: readonly JsonObject[]; versions: Versions; nowMs: number },
): JsonObject {
  const startedMs = refresh.StartTime?.getTime() ?? nowMs;
  const desired = refresh.DesiredConfiguration && configurationOf(refresh.DesiredConfiguration);
  const made = templates.filter(isFlexible).map((template) => versions.get(versionKey(template))?.madeMs ?? 0);
  const isForThis = desired ? isHeldBy(desired as JsonObject, configuration as JsonObject) : made.length === templates.length;
  const isRunning = isActive({ status: refresh.Status }) || ENDING.includes(refresh.Status ?? "");
  return defined({
    instanceRefreshId: refresh.InstanceRefreshId,
    status: refresh.Status,
    statusReason: refresh.StatusReason,
    percentageComplete: refresh.PercentageComplete,
    instancesToUpdate: refresh.InstancesToUpdate,
    desiredConfiguration: desired as JsonObject | undefined,
    minutes: isRunning ? Math.floor((nowMs - startedMs) / 60_000) : undefined,
    covers: isForThis && made.every((madeMs) => startedMs >= madeMs),
  });
}

/** Whether everything that one configuration says holds of the other. AWS may have more: a template's name beside its ID, defaults. */
export function isHeldBy(said: Json | undefined, found: Json | undefined): boolean {
  if (Array.isArray(said)) {
    return Array.isArray(found) && found.length === said.length && said.every((item, index) => isHeldBy(item, found[index]));
  }
  if (!isObject(said)) return said === undefined || String(said) === String(found);
  if (!isObject(found)) return false;
  if (said.launchTemplateId !== undefined || said.launchTemplateName !== undefined) return isSameTemplate(said, found);
  return Object.entries(said).every(([name, member]) => isHeldBy(member, found[name]));
}

function isSameTemplate(left: JsonObject, right: JsonObject): boolean {
  const name = left.launchTemplateId !== undefined && right.launchTemplateId !== undefined ? "launchTemplateId" : "launchTemplateName";
  return left[name] === right[name] && String(left.version ?? "$Default") === String(right.version ?? "$Default");
}

/** Whether the refresh goes on, and could be stopped. */
export function isActive(refresh: JsonObject | undefined): boolean {
  return ACTIVE.includes(String(refresh?.status));
}

/** The refresh as observed, where there is one. */
export function lastRefresh(observed: JsonObject): JsonObject | undefined {
  return isObject(observed.lastInstanceRefresh) ? observed.lastInstanceRefresh : undefined;
}

/** What a refresh that goes on will make of the group. */
export function aim(observed: JsonObject): Configuration | undefined {
  const refresh = lastRefresh(observed);
  return isActive(refresh) && isObject(refresh?.desiredConfiguration) ? (refresh.desiredConfiguration as Configuration) : undefined;
}

/** What is to be done about the group's instances. */
export type Step = "nothing" | "start" | "cancel" | "giveUp";

/** Pure. See the file's header. */
export function nextStep(observed: JsonObject, settings: JsonObject): Step {
  const refresh = lastRefresh(observed);
  if (isActive(refresh)) {
    const { timeoutMinutes } = settings;
    return typeof timeoutMinutes === "number" && Number(refresh?.minutes ?? 0) >= timeoutMinutes ? "cancel" : "nothing";
  }
  const outdated = Array.isArray(observed.outdatedInstanceIds) ? observed.outdatedInstanceIds.length : 0;
  if (outdated === 0 || ENDING.includes(String(refresh?.status))) return "nothing";
  // Some instances may stay by a person's own wish: protected from scale-in, on standby.
  if (refresh?.covers === true) return refresh.status === "Successful" ? "nothing" : "giveUp";
  return "start";
}

/** Whether the last refresh was for this, and came to nothing. */
export function hasFailed(observed: JsonObject, wanted: Configuration): boolean {
  const refresh = lastRefresh(observed);
  const desired = refresh?.desiredConfiguration;
  const isOver = refresh !== undefined && !isActive(refresh) && refresh.status !== "Successful";
  return isOver && isObject(desired) && isHeldBy(wanted as JsonObject, desired);
}

/** Says why no other refresh is started. */
export function refreshFailed(observed: JsonObject): AwsError {
  const { instanceRefreshId, status, statusReason } = lastRefresh(observed) ?? {};
  const why = statusReason === undefined ? "" : `: ${String(statusReason).replace(/\.$/, "")}`;
  const next = "change what the group launches, or start a refresh by hand";
  const message = `the instance refresh ${instanceRefreshId} is ${status}${why}; ${next}`;
  return new AwsError("InstanceRefreshFailed", message, { operation: "autoscaling:StartInstanceRefresh", verdict: "refused" });
}

/** How far a refresh is, for the person who waits; undefined when none goes on. */
export function progressText(observed: JsonObject): { readonly why: string; readonly changeable: boolean } | undefined {
  const refresh = lastRefresh(observed);
  if (!refresh || !(isActive(refresh) || ENDING.includes(String(refresh.status)))) return undefined;
  const left = typeof refresh.instancesToUpdate === "number" ? `, ${refresh.instancesToUpdate} to go` : "";
  const reason = refresh.statusReason === undefined ? "" : ` (${refresh.statusReason})`;
  const why = `instance refresh ${refresh.status}: ${refresh.percentageComplete ?? 0} % of the instances are replaced${left}${reason}`;
  return { why, changeable: isActive(refresh) };
}
