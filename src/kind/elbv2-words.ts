/** Deep structures of Elastic Load Balancing in the manifest's words and in AWS's. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";
import { wordsOf } from "./words.ts";

const words = wordsOf({
  spellings: { privateIpv4Address: "PrivateIPv4Address", ipv6Address: "IPv6Address" },
  keyed: ["authenticationRequestExtraParams"],
});

/** The value in AWS's words. */
export function toAws(value: unknown): unknown {
  return words.toAws(value as Json | undefined);
}

/** AWS's value in the manifest's words: what the shape has of it, as AWS also tells states and former spellings. */
export function fromAws(value: unknown, shape: Shape): Json | undefined {
  return known(words.fromAws(value), shape);
}

function known(value: Json | undefined, shape: Shape): Json | undefined {
  if (shape.type === "array" && Array.isArray(value)) return value.map((element) => known(element, shape.element) ?? null);
  if (shape.type !== "object" || !isObject(value)) return value;
  const members = Object.entries(shape.fields).map(([name, member]) => [name, known(value[name], member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined)) as JsonObject;
}
