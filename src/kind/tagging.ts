/** Finding objects by tags across services, for APIs that have no filter of their own. */

import { type Reader, service } from "../aws/service.ts";
import { fromTagList, type Tags } from "../aws/tags.ts";

const tagging = service("tag", "ResourceGroupsTaggingAPIClient", () => import("@aws-sdk/client-resource-groups-tagging-api"));

// The API's largest page.
const PAGE = 100;

/**
 * The tags of every object of `type` (`dynamodb:table`, or a whole service: `logs`) that carries all of `tags`, by ARN.
 * Eventually consistent: a new object is missing for a while, and a deleted one lingers. Calls tag:GetResources.
 */
export async function taggedResources(aws: Reader, type: string, tags: Tags): Promise<ReadonlyMap<string, Tags>> {
  const TagFilters = Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] }));
  const request = { TagFilters, ResourceTypeFilters: [type], ResourcesPerPage: PAGE };
  const found = await aws.pages(tagging, "GetResources", request, "ResourceTagMappingList");
  return new Map(found.map((resource) => [String(resource.ResourceARN), fromTagList(resource.Tags)]));
}
