/** What the CloudWatch kinds share: the service, and tags. */

import { type Reader, service } from "../aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../aws/tags.ts";
import type { Json } from "../core/json.ts";
import type { Remote, Scope, Updater } from "./kind.ts";
import { listInScope, unlessNamed } from "./listing.ts";
import { taggedResources } from "./tagging.ts";
import { tagsUpdater } from "./updaters.ts";

export const cloudwatch = service("cloudwatch", "CloudWatchClient", () => import("@aws-sdk/client-cloudwatch"));

/** What AWS says of an alarm or a dashboard that is not there. */
export const NOT_FOUND = ["ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError"];

/**
 * The tags of alarms or dashboards that carry all of `tags`, by ARN. `mark` is what tells their ARNs. The tagging API is asked for the
 * whole service: where it does not list dashboards, which no region has for its own, they are found by id and name. Calls
 * tag:GetResources.
 */
async function taggedIn(aws: Reader, mark: ":alarm:" | ":dashboard/", wanted: Tags): Promise<readonly (readonly [string, Tags])[]> {
  return [...(await taggedResources(aws, "cloudwatch", wanted))].filter(([arn]) => arn.includes(mark));
}

/**
 * Alarms or dashboards in a scope, which are told by their names. `remotes` reads those of some names; `known` are the tags that are
 * known already, by ARN.
 */
export function listNamed(
  aws: Reader,
  scope: Scope,
  kind: {
    readonly mark: ":alarm:" | ":dashboard/";
    readonly nameField: string;
    readonly nameOf: (arn: string) => string;
    readonly remotes: (names: readonly string[], known: ReadonlyMap<string, Tags>) => Promise<readonly Remote[]>;
  },
): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  const remotes = (names: readonly string[]) => kind.remotes(names, known);
  return listInScope<Remote>(scope, {
    id: (remote) => remote.id,
    byTags: async (wanted) => {
      const tagged = await taggedIn(aws, kind.mark, wanted);
      for (const [arn, own] of tagged) known.set(arn, own);
      return remotes(tagged.map(([arn]) => kind.nameOf(arn)));
    },
    byIds: remotes,
    byNames: (names) => remotes(names.map((name) => String(name[kind.nameField]))),
    matches: (remote, name) => remote.id === name[kind.nameField],
  });
}

/** An object's tags: of one that was just made, and is not yet among the tagged resources. Calls cloudwatch:ListTagsForResource. */
export async function tagsOf(aws: Reader, ResourceARN: string): Promise<Tags> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(cloudwatch, "ListTagsForResource", { ResourceARN }));
  return fromTagList(answer?.Tags);
}

/** Tags of the object whose ARN is the status field `arn`. A put ignores them, where the object is there. */
export function cloudwatchTags<Spec>(arn: string): Updater<Spec> {
  return tagsUpdater<Spec>({
    operations: ["cloudwatch:TagResource", "cloudwatch:UntagResource"],
    set: (aws, { observed }, set) => aws.write(cloudwatch, "TagResource", { ResourceARN: text(observed[arn]), Tags: toTagList(set) }),
    remove: (aws, { observed }, TagKeys) => aws.write(cloudwatch, "UntagResource", { ResourceARN: text(observed[arn]), TagKeys }),
  });
}

function text(value: Json | undefined): string {
  return value as string;
}
