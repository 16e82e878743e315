/** What the EC2 kinds share: the service, finding by filters, tags, and who is in the way of a deletion. */

import type { Filter, NetworkInterface, ResourceType, TagSpecification } from "@aws-sdk/client-ec2";
import { type Reader, service } from "../aws/service.ts";
import { type Tags, toTagList } from "../aws/tags.ts";
import type { Updater } from "./kind.ts";
import { chunks, type Finders } from "./listing.ts";
import { tagsUpdater } from "./updaters.ts";

/** EC2, loaded at its first call. */
export const ec2 = service("ec2", "EC2Client", () => import("@aws-sdk/client-ec2"));

// EC2 takes 200 filter values a request (EC2 user guide, "List and filter"); some are left for a kind's own filters.
const FILTER_VALUES_MAX = 190;

/** How long a new object may stay hidden from some calls: up to 5 minutes (EC2 API guide, "Eventual consistency"). */
export const EC2_CONSISTENCY_MS = 5 * 60_000;

/** An EC2 filter; `*`, `?` and `\` in the values are taken as they are, not as wildcards. */
export function filter(name: string, values: readonly string[]): Filter {
  return { Name: name, Values: values.map((value) => value.replaceAll(/[\\*?]/g, "\\$&")) };
}

/**
 * Finders over a Describe call that takes filters. Ids go into a filter, never into the call's Ids parameter, because one
 * id that no longer exists would fail the whole call.
 */
export function ec2Finders<T>(
  describe: (filters: Filter[]) => Promise<readonly T[]>,
  idFilter: string,
  id: (object: T) => string | undefined,
): Pick<Finders<T>, "id" | "byTags" | "byIds"> {
  return {
    id,
    byTags: (tags) => describe(Object.entries(tags).map(([key, value]) => filter(`tag:${key}`, [value]))),
    byIds: (ids) => inChunks(ids, FILTER_VALUES_MAX, (some) => describe([filter(idFilter, some)])),
  };
}

/** Asks for `values` in pieces of at most `size`, all at once, and joins the answers. */
export async function inChunks<V, T>(values: readonly V[], size: number, ask: (some: V[]) => Promise<readonly T[]>): Promise<T[]> {
  return (await Promise.all(chunks(values, size).map(ask))).flat();
}

/** Tags for a create call; undefined where there are none, because AWS refuses an empty list. */
export function tagSpecifications(type: ResourceType, tags: Tags | undefined): TagSpecification[] | undefined {
  return tags && Object.keys(tags).length > 0 ? [{ ResourceType: type, Tags: toTagList(tags) }] : undefined;
}

/** The tags of any EC2 object. */
export function ec2Tags<Spec>(): Updater<Spec> {
  return tagsUpdater({
    operations: ["ec2:CreateTags", "ec2:DeleteTags"],
    set: (aws, { id }, tags) => aws.write(ec2, "CreateTags", { Resources: [id], Tags: toTagList(tags) }),
    remove: (aws, { id }, keys) => aws.write(ec2, "DeleteTags", { Resources: [id], Tags: keys.map((Key) => ({ Key })) }),
  });
}

/** The first network interface that matches, in words; undefined when there is none. Calls ec2:DescribeNetworkInterfaces. */
export async function interfaceInTheWay(aws: Reader, filters: Filter[]): Promise<string | undefined> {
  const answer = await aws.read(ec2, "DescribeNetworkInterfaces", { Filters: filters, MaxResults: FEW });
  const [first] = answer.NetworkInterfaces ?? [];
  return first && interfaceText(first);
}

/** The smallest page EC2 allows: enough to name one object. */
export const FEW = 5;

/** `network interface eni-1 of instance i-1`, `network interface eni-1 (Interface for NAT Gateway nat-1)`. */
export function interfaceText(found: NetworkInterface): string {
  const instance = found.Attachment?.InstanceId;
  const owner = instance ? ` of instance ${instance}` : found.Description ? ` (${found.Description})` : "";
  return `network interface ${found.NetworkInterfaceId}${owner}`;
}
