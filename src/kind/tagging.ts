/** Finding objects by tags across services, for APIs that have no filter of their own. */

import { type Reader, service } from "../aws/service.ts";
import { fromTagList, type Tags } from "../aws/tags.ts";
import { canonical } from "../core/json.ts";

const load = () => import("@aws-sdk/client-resource-groups-tagging-api");
const regional = service("tag", "ResourceGroupsTaggingAPIClient", load);
// What is in no region (hosted zones) is indexed in this one.
const global = service("tag", "ResourceGroupsTaggingAPIClient", load, { region: "us-east-1" });

// The API's largest page.
const PAGE = 100;

type Found = ReadonlyMap<string, Tags>;
type Question = { readonly types: Set<string>; readonly answer: Promise<Found> };

const open = new WeakMap<Reader, Map<string, Question>>();

/**
 * The tags of every object of `type` (`dynamodb:table`, or a whole service: `logs`) that carries all of `tags`, by ARN.
 * Eventually consistent: a new object is missing for a while, and a deleted one lingers. Calls tag:GetResources, once for
 * all kinds that ask for the same tags at the same moment. `isGlobal`: the service knows no regions.
 */
export async function taggedResources(aws: Reader, type: string, tags: Tags, { isGlobal = false } = {}): Promise<Found> {
  const questions = open.get(aws) ?? new Map<string, Question>();
  open.set(aws, questions);
  const key = `${isGlobal ? "global" : "regional"} ${canonical(tags)}`;
  const tagging = isGlobal ? global : regional;
  const question = questions.get(key) ?? ask({ aws, tagging, tags }, () => questions.delete(key));
  questions.set(key, question);
  question.types.add(type);
  return new Map([...(await question.answer)].filter(([arn]) => isOfType(arn, type)));
}

// A look asks all of its kinds in one go: whoever asks before the first answer could be sent for is heard.
function ask({ aws, tagging, tags }: { aws: Reader; tagging: typeof regional; tags: Tags }, close: () => void): Question {
  const types = new Set<string>();
  const answer = Promise.resolve().then(async () => {
    close();
    const TagFilters = Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] }));
    const request = { TagFilters, ResourceTypeFilters: [...types].sort(), ResourcesPerPage: PAGE };
    const found = await aws.pages(tagging, "GetResources", request, "ResourceTagMappingList");
    return new Map(found.map((resource) => [String(resource.ResourceARN), fromTagList(resource.Tags)]));
  });
  return { types, answer };
}

/** Whether the ARN is one of a type as the tagging API writes it: `arn:aws:SERVICE:REGION:ACCOUNT:TYPE/...`, or `:regional/TYPE/...`. */
function isOfType(arn: string, wanted: string): boolean {
  const [, , service, , , ...rest] = arn.split(":");
  const [wantedService, wantedType] = wanted.split(":");
  const [first, second] = rest.join(":").split(/[:/]/);
  const type = first === "regional" || first === "global" ? second : first;
  return service === wantedService && (wantedType === undefined || type === wantedType);
}
