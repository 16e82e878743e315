/** What the Elastic Load Balancing kinds share: the service, finding by tags, ARNs and names, and tags. */

import type { Listener } from "@aws-sdk/client-elastic-load-balancing-v2";
import { type Reader, service } from "../aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../aws/tags.ts";
import { isObject, type Json } from "../core/json.ts";
import type { StaticResource, Updater } from "./kind.ts";
import { batched, chunks, type Finders, picked, unlessNamed } from "./listing.ts";
import { taggedResources } from "./tagging.ts";
import { tagsUpdater } from "./updaters.ts";

/** Elastic Load Balancing, loaded at its first call. */
export const elbv2 = service(
  "elasticloadbalancing",
  "ElasticLoadBalancingV2Client",
  () => import("@aws-sdk/client-elastic-load-balancing-v2"),
);

/** What AWS says when one of several objects is not there: about the call as a whole. */
export const NOT_FOUND = [
  "LoadBalancerNotFoundException",
  "TargetGroupNotFoundException",
  "ListenerNotFoundException",
  "RuleNotFoundException",
];

// "You can specify up to 20 load balancers in a single call" (DescribeLoadBalancers), and as many resources (DescribeTags).
const BATCH = 20;
/** The largest page of every listing. */
export const PAGE = 400;

/** The ARNs of one type of object that carry these tags; `known` gets the tags of each. Calls tag:GetResources. */
export async function taggedArns(aws: Reader, type: string, tags: Tags, known: Map<string, Tags>): Promise<readonly string[]> {
  const all = await taggedResources(aws, "elasticloadbalancing", tags);
  const own = [...all].filter(([arn]) => arn.split(":")[5]?.split("/")[0] === type);
  for (const [arn, found] of own) known.set(arn, found);
  return own.map(([arn]) => arn);
}

/** How load balancers, or target groups, are found. `pages`: those of some ARNs or names, or all. `known` gets tags by ARN. */
export function findersOf<T>(
  aws: Reader,
  known: Map<string, Tags>,
  objects: {
    readonly type: string;
    readonly pages: (some: { readonly arns?: string[]; readonly names?: string[] }) => Promise<readonly T[]>;
    readonly arn: (object: T) => string | undefined;
    readonly name: (object: T) => string | undefined;
  },
): Finders<T> {
  const { type, pages, arn, name } = objects;
  const shared = { notFound: NOT_FOUND, all: () => pages({}) };
  const byArns = (keys: readonly string[]) => batched(keys, { ...shared, size: BATCH, some: (arns) => pages({ arns }), key: arn });
  return {
    id: arn,
    byTags: async (wanted) => byArns(await taggedArns(aws, type, wanted, known)),
    byIds: byArns,
    byNames: (names) =>
      picked(
        names.map((one) => String(one.name)),
        { ...shared, some: (some) => pages({ names: some }), key: name },
      ),
    matches: (object, one) => name(object) === one.name,
  };
}

/** What hangs on a parent is asked by parent, each once: an ARN of an object that is gone would fail a call for several. */
export function byParent<T>(
  ask: (parent: string) => Promise<readonly T[]>,
  arn: (object: T) => string | undefined,
): {
  readonly at: (parents: readonly string[]) => Promise<readonly T[]>;
  readonly byArns: (arns: readonly string[]) => Promise<readonly T[]>;
} {
  const answers = new Map<string, Promise<readonly T[]>>();
  const asked = (parent: string) => {
    const answer = answers.get(parent) ?? ask(parent);
    answers.set(parent, answer);
    return answer;
  };
  const at = async (parents: readonly string[]) => (await Promise.all([...new Set(parents)].map(asked))).flat();
  const byArns = async (arns: readonly string[]) => {
    const found = await at(arns.map(parentArn));
    return found.filter((object) => arns.includes(String(arn(object))));
  };
  return { at, byArns };
}

/** The tags of all these objects: those that are known, and the rest in batches. Calls elasticloadbalancing:DescribeTags. */
export async function allTags(aws: Reader, arns: readonly string[], known: ReadonlyMap<string, Tags>): Promise<ReadonlyMap<string, Tags>> {
  const unknown = arns.filter((arn) => !known.has(arn));
  const read = await Promise.all(chunks(unknown, BATCH).map((batch) => tagsOf(aws, batch)));
  return new Map([...known, ...read.flat()]);
}

// One object that went meanwhile fails the batch: each is then asked by itself, and what is gone has no tags.
async function tagsOf(aws: Reader, ResourceArns: string[]): Promise<(readonly [string, Tags])[]> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeTags", { ResourceArns }));
  if (answer) return (answer.TagDescriptions ?? []).map(({ ResourceArn, Tags: list }) => [String(ResourceArn), fromTagList(list)]);
  if (ResourceArns.length === 1) return [];
  return (await Promise.all(ResourceArns.map((arn) => tagsOf(aws, [arn])))).flat();
}

/** The tags of any of these objects. */
export function elbv2Tags<Spec>(): Updater<Spec> {
  return tagsUpdater({
    operations: ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
    set: (aws, { id }, tags) => aws.write(elbv2, "AddTags", { ResourceArns: [id], Tags: toTagList(tags) }),
    remove: (aws, { id }, TagKeys) => aws.write(elbv2, "RemoveTags", { ResourceArns: [id], TagKeys }),
  });
}

/** Tags for a create call; undefined where there are none, because AWS refuses an empty list. */
export function tagList(tags: Tags | undefined): { Key: string; Value: string }[] | undefined {
  return tags && Object.keys(tags).length > 0 ? toTagList(tags) : undefined;
}

/** The listeners of a load balancer; none where it does not exist. Calls elasticloadbalancing:DescribeListeners. */
export async function listenersOf(aws: Reader, LoadBalancerArn: string): Promise<readonly Listener[]> {
  const found = await unlessNamed(NOT_FOUND, aws.pages(elbv2, "DescribeListeners", { LoadBalancerArn, PageSize: PAGE }, "Listeners"));
  return found ?? [];
}

/** `app/web/50dc6c495c0c9188` of a load balancer's ARN: what CloudWatch's dimensions call it. */
export function fullName(arn: string): string {
  return arn.slice(arn.indexOf("/") + 1);
}

/** The load balancer of a listener, and the listener of a rule: their ARNs are parts of its own. */
export function parentArn(arn: string): string {
  const parent = arn.slice(0, arn.lastIndexOf("/"));
  return parent.replace(":listener/", ":loadbalancer/").replace(":listener-rule/", ":listener/");
}

/** What a field refers to, for telling whether two resources mean the same: a resource's key, or the ARN itself. */
export function referent(resource: StaticResource, field: string): string {
  return resource.refersTo(field)?.key ?? JSON.stringify(resource.spec[field]);
}

/** What two members of a list both have as `by`, though it should tell them apart; undefined where there are none. */
export function twice(list: Json | undefined, by: string): string | undefined {
  const known = (Array.isArray(list) ? list : []).flatMap((member) =>
    isObject(member) && typeof member[by] === "string" ? [member[by]] : [],
  );
  return known.find((value, index) => known.indexOf(value) < index);
}
