/** Launch template versions in the manifest's words and in AWS's, and what tells them apart. */

import type { RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData } from "@aws-sdk/client-ec2";
import { fromTagList, type Tags, toTagList } from "../aws/tags.ts";
import { digest, isObject, type Json, type JsonObject } from "../core/json.ts";
import { objectShape, type Shape } from "../core/shape.ts";
import { type LaunchTemplateData, launchTemplateData } from "./launch-template-schemas.ts";
import { fromAws, isEmpty, toAws } from "./spelling.ts";

const SHAPE = objectShape(launchTemplateData());

/** Begins the description of every version that BEACON makes. */
const MARK = "beacon:";

/** A version's description: the hash of its content, so that a version is found again by what it holds. */
export function descriptionOf(data: JsonObject): string {
  return MARK + digest(normal(data));
}

/** Whether BEACON made the version that has this description. */
export function isOurs(description: Json | undefined): boolean {
  return typeof description === "string" && description.startsWith(MARK);
}

/** The content with sets in one order and without what says nothing, so that equal contents have equal texts. */
export function normal(data: JsonObject): JsonObject {
  return normalIn(data, SHAPE) as JsonObject;
}

function normalIn(value: Json, shape: Shape): Json {
  if (Array.isArray(value)) {
    const items = shape.type === "array" ? value.map((item) => normalIn(item, shape.element)) : value;
    return shape.meta?.compare === "set" ? [...new Set(items as string[])].sort() : items;
  }
  if (!isObject(value)) return value;
  const inner = (name: string) => (shape.type === "object" ? shape.fields[name] : shape.type === "map" ? shape.element : undefined);
  const members = Object.entries(value).map(([name, member]) => {
    const known = inner(name);
    return [name, known && member !== undefined ? normalIn(member, known) : member] as const;
  });
  return Object.fromEntries(members.filter(([, member]) => !isEmpty(member)));
}

/** As AWS takes it: user data in Base64, tags as lists. */
export function dataOut(data: LaunchTemplateData): RequestLaunchTemplateData {
  const { userData, tagSpecifications, ...rest } = normal(data as JsonObject);
  const tagged = Object.entries((tagSpecifications ?? {}) as Record<string, Tags>);
  const specifications = tagged.map(([type, tags]) => ({ ResourceType: type as ResourceType, Tags: toTagList(tags) }));
  return {
    ...(toAws(rest, SHAPE) as RequestLaunchTemplateData),
    UserData: userData === undefined ? undefined : Buffer.from(String(userData)).toString("base64"),
    TagSpecifications: specifications.length > 0 ? specifications : undefined,
  };
}

/** As the manifest says it; what the manifest has no words for is left out. */
export function dataOf({ UserData, TagSpecifications, ...rest }: ResponseLaunchTemplateData = {}): JsonObject {
  const tags = (TagSpecifications ?? []).map(({ ResourceType, Tags }) => [ResourceType as string, fromTagList(Tags)] as const);
  return normal({
    ...(fromAws(rest, SHAPE) as JsonObject),
    userData: UserData === undefined ? undefined : Buffer.from(UserData, "base64").toString(),
    tagSpecifications: Object.fromEntries(tags),
  });
}
