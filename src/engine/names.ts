/** Physical names: the manifest's if given, else derived; a successor beside its predecessor gets `-g2`. */

import { digest } from "../core/json.ts";
import { type ResourceKey, type Stack, splitKey } from "../core/resource.ts";

/** `beacon-prod-backend-main` for `SecurityGroup/backend.main` of beacon/prod, cut to the kind's limit. */
export function derivedName(stack: Stack, key: ResourceKey, maxLength: number): string {
  const name = splitKey(key).name.replaceAll(/[^A-Za-z0-9]+/g, "-");
  return cut(`${stack.project}-${stack.environment}-${name}`, maxLength);
}

/** `beacon-prod-backend-g2`. */
export function generationName(base: string, generation: number, maxLength: number): string {
  const suffix = `-g${generation}`;
  return cut(base, maxLength - suffix.length) + suffix;
}

// Six hex characters keep two long names that share a beginning apart.
function cut(name: string, maxLength: number): string {
  return name.length <= maxLength ? name : `${name.slice(0, maxLength - 7)}-${digest(name, 6)}`;
}
