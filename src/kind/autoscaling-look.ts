/** Looking at EC2 Auto Scaling groups: the groups, their instances' addresses and, where they are refreshed, what they run. */

import type { AutoScalingGroup, DescribeAutoScalingGroupsCommandInput, InstanceRefresh } from "@aws-sdk/client-auto-scaling";
import type { Reader } from "../aws/service.ts";
import { fromTagList } from "../aws/tags.ts";
import type { JsonObject } from "../core/json.ts";
import { autoscaling, configurationOf, groupValues, instanceValues, isMember, templatesOf } from "./autoscaling.ts";
import { isFlexible, refreshValues, type Version, type Versions, versionKey } from "./autoscaling-refresh.ts";
import { ec2, filter, inChunks } from "./ec2.ts";
import type { Remote, Scope } from "./kind.ts";
import { listInScope, unlessNamed } from "./listing.ts";

// "The default value is 50 and the maximum value is 100" (DescribeAutoScalingGroups, MaxRecords; as many names can be asked for).
const GROUPS_MAX = 100;
// EC2 takes 200 filter values a request.
const INSTANCES_MAX = 200;

/** What {@link listGroups} may call. */
export const LOOKS = [
  "autoscaling:DescribeAutoScalingGroups",
  "autoscaling:DescribeScalingActivities",
  "autoscaling:DescribeInstanceRefreshes",
  "ec2:DescribeInstances",
  "ec2:DescribeLaunchTemplateVersions",
] as const;

/** Pages of groups, one look at all their instances, and what else is in the scope's fields. */
export async function listGroups(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  // Whoever waits for a group to be gone asks for no fields, and needs none of its instances.
  const isDetailed = scope.fields.size > 0;
  const describe = (asked: DescribeAutoScalingGroupsCommandInput) => {
    const request = { ...asked, IncludeInstances: isDetailed, MaxRecords: GROUPS_MAX };
    return aws.pages(autoscaling, "DescribeAutoScalingGroups", request, "AutoScalingGroups");
  };
  const named = (names: readonly string[]) => inChunks(names, GROUPS_MAX, (AutoScalingGroupNames) => describe({ AutoScalingGroupNames }));
  const groups = await listInScope<AutoScalingGroup>(scope, {
    id: (group) => group.AutoScalingGroupName,
    byTags: (wanted) => describe({ Filters: Object.entries(wanted).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] })) }),
    byIds: named,
    byNames: (names) => named(names.map(({ autoScalingGroupName }) => String(autoScalingGroupName))),
    matches: (group, { autoScalingGroupName }) => group.AutoScalingGroupName === autoScalingGroupName,
  });
  const [addresses, versions] = await Promise.all([
    isDetailed ? addressesOf(aws, groups) : undefined,
    scope.fields.has("instanceRefresh") ? versionsOf(aws, groups) : undefined,
  ]);
  return Promise.all(
    groups.map(async (group) => ({
      id: String(group.AutoScalingGroupName),
      values: {
        ...groupValues(group),
        ...(addresses ? await membersOf(aws, group, addresses) : {}),
        ...(versions ? await refreshesOf(aws, group, versions) : {}),
      },
      tags: fromTagList(group.Tags),
      ...(/delete in progress/i.test(group.Status ?? "") ? { deleting: true as const } : {}),
    })),
  );
}

/** The private addresses of running instances, by id. */
async function addressesOf(aws: Reader, groups: readonly AutoScalingGroup[]): Promise<ReadonlyMap<string, string>> {
  const ids = groups.flatMap(({ Instances = [] }) => Instances.filter(isMember).flatMap(({ InstanceId }) => InstanceId ?? []));
  const reservations = await inChunks(ids, INSTANCES_MAX, (some) =>
    aws.pages(ec2, "DescribeInstances", { Filters: [filter("instance-id", some)], MaxResults: 1000 }, "Reservations"),
  );
  const running = reservations.flatMap(({ Instances = [] }) => Instances.filter(({ State }) => State?.Name === "running"));
  return new Map(
    running.flatMap(({ InstanceId, PrivateIpAddress }) => (InstanceId && PrivateIpAddress ? [[InstanceId, PrivateIpAddress]] : [])),
  );
}

async function membersOf(aws: Reader, group: AutoScalingGroup, addresses: ReadonlyMap<string, string>): Promise<JsonObject> {
  const values = instanceValues(group, addresses);
  if (Number(values.instancesInService) >= (group.MinSize ?? 0)) return values;
  // Too few: AWS tells of its last try why.
  const request = { AutoScalingGroupName: group.AutoScalingGroupName, MaxRecords: 1 };
  const [last] = (await aws.read(autoscaling, "DescribeScalingActivities", request)).Activities ?? [];
  return last?.StatusCode === "Failed" && last.StatusMessage ? { ...values, launchFailure: last.StatusMessage } : values;
}

const NO_TEMPLATE = [
  ...["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.VersionNotFound"],
];

/** What `$Latest` and `$Default` stand for now, each asked for once. */
async function versionsOf(aws: Reader, groups: readonly AutoScalingGroup[]): Promise<Versions> {
  const named = groups.flatMap((group) => templatesOf(configurationOf(group)).filter(isFlexible));
  const distinct = new Map(named.map((template) => [versionKey(template), template]));
  const found = [...distinct].map(async ([key, template]): Promise<[string, Version][]> => {
    const { launchTemplateId, launchTemplateName, version } = template as Record<string, string | undefined>;
    const which = launchTemplateId ? { LaunchTemplateId: launchTemplateId } : { LaunchTemplateName: launchTemplateName };
    const request = { ...which, Versions: [version ?? "$Default"] };
    const answer = await unlessNamed(NO_TEMPLATE, aws.read(ec2, "DescribeLaunchTemplateVersions", request));
    const { VersionNumber, CreateTime } = answer?.LaunchTemplateVersions?.[0] ?? {};
    return VersionNumber === undefined ? [] : [[key, { number: VersionNumber, madeMs: CreateTime?.getTime() ?? 0 }]];
  });
  return new Map((await Promise.all(found)).flat());
}

async function refreshesOf(aws: Reader, group: AutoScalingGroup, versions: Versions): Promise<JsonObject> {
  const request = { AutoScalingGroupName: group.AutoScalingGroupName, MaxRecords: GROUPS_MAX };
  // One page: it holds the newest ones.
  const answer = await unlessNamed(GROUP_NOT_FOUND, aws.read(autoscaling, "DescribeInstanceRefreshes", request));
  const newest = (answer?.InstanceRefreshes ?? []).toSorted((left, right) => startOf(right) - startOf(left))[0];
  const instances = (group.Instances ?? []).filter(isMember);
  return refreshValues(configurationOf(group), { instances, newest, nowMs: Date.now() }, versions);
}

/** What AWS says of a group that does not exist. */
export const GROUP_NOT_FOUND = ["ValidationError: name not found"];

function startOf({ StartTime }: InstanceRefresh): number {
  return StartTime?.getTime() ?? 0;
}
