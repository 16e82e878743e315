/**
 * A value that AWS will choose: known only once another resource exists.
 *
 * A plan is made before anything is created, so a subnet's `vpcId` may have no value yet. It then holds an
 * {@link Unknown}, which says where the value will come from, and prints as `<vpc.main.vpcId>`.
 */

import { isObject, type Json } from "./json.ts";

/** Stands for a value that will be known after the resource it comes from exists. */
export type Unknown = { readonly $unknown: string };

/** `unknown("vpc.main.vpcId")` prints as `<vpc.main.vpcId>`. */
export function unknown(expression: string): Unknown {
  return Object.freeze({ $unknown: expression });
}

/** True for an {@link Unknown} itself; {@link holdsUnknown} looks inside too. */
export function isUnknown(value: Json | undefined): value is Unknown {
  return isObject(value) && typeof value.$unknown === "string";
}

/** True when the value is, or holds at any depth, an {@link Unknown}. */
export function holdsUnknown(value: Json | undefined): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return isObject(value) && Object.values(value).some(holdsUnknown);
}
