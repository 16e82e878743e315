/** Physical names: the manifest's if given, else derived; a successor beside its predecessor gets `-g2`. */

import { digest } from "../core/json.ts";
import { type ResourceKey, type Stack, splitKey } from "../core/resource.ts";

/** What a kind takes for a name. `lowerCase`: small letters, digits and single dashes alone, as in a host's name. */
export type NameForm = { readonly maxLength: number; readonly lowerCase?: true };

/** `beacon-prod-backend-main` for `SecurityGroup/backend.main` of beacon/prod, cut to the kind's limit. */
export function derivedName(stack: Stack, key: ResourceKey, { maxLength, lowerCase }: NameForm): string {
  const name = splitKey(key).name.replaceAll(/[^A-Za-z0-9]+/g, "-");
  const whole = `${stack.project}-${stack.environment}-${name}`;
  return cut(
    lowerCase
      ? whole
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, "-")
          .replaceAll(/^-|-$/g, "")
      : whole,
    maxLength,
  );
}

/** `beacon-prod-backend-g2`. */
export function generationName(base: string, generation: number, maxLength: number): string {
  const suffix = `-g${generation}`;
  return cut(base, maxLength - suffix.length) + suffix;
}

// Six hex characters keep two long names that share a beginning apart. Some kinds take no two dashes in a row.
function cut(name: string, maxLength: number): string {
  return name.length <= maxLength ? name : `${name.slice(0, maxLength - 7).replace(/-+$/, "")}-${digest(name, 6)}`;
}
