/** A plan: what an apply would do, and why. Made without writing anything; its digest names exactly these changes. */

import type { Reason } from "./condition.ts";
import type { Difference, LeftAlone } from "./diff.ts";
import { digest, type Json, type JsonObject } from "./json.ts";
import type { KindId, ResourceKey } from "./resource.ts";

/** What happens to one resource. A closed set: switches over it have no default. */
export type Action = "create" | "update" | "replace" | "delete" | "adopt" | "move" | "forget" | "none" | "blocked";

/** One resource's part of a plan. */
export type Change = {
  readonly key: ResourceKey;
  readonly kind: KindId;
  readonly action: Action;
  /** The object acted on; absent for a create. */
  readonly id?: string;
  /** Update, replace, adopt: what differs. Empty for the rest. */
  readonly differences: readonly Difference[];
  /** Create and replace: the spec that will be set, secrets masked, unknown values as such. */
  readonly desired?: JsonObject;
  /** Differences that are not acted on. */
  readonly leftAlone: readonly LeftAlone[];
  /** Create of something that vanished: it was bound to this id. */
  readonly vanished?: string;
  /** Replace: which comes first. */
  readonly order?: "createFirst" | "deleteFirst";
  /** Replace: the resources that change because this one does. */
  readonly dependents: readonly ResourceKey[];
  /** Move: the key it had. */
  readonly movedFrom?: ResourceKey;
  /** Blocked: why, and what to do. */
  readonly blocked?: { readonly reason: Reason; readonly message: string };
  /** Earlier generations' objects and surplus ones that will be deleted on the way. */
  readonly retires: readonly string[];
  /** An open intent will be resolved first. */
  readonly resolves: boolean;
};

/** How many of each consent a plan needs, `--allow delete=2,replace=1,missing=4`. */
export type Consents = { readonly delete: number; readonly replace: number; readonly missing: number };

/** What an apply would do to a stack. */
export type Plan = {
  readonly changes: readonly Change[];
  /** Outputs that will change, as far as known. */
  readonly outputs: readonly { readonly name: string; readonly before?: Json; readonly after?: Json }[];
  /** Lookups for which AWS has something newer than the pin. */
  readonly newer: readonly { readonly key: ResourceKey; readonly message: string }[];
  readonly consents: Consents;
  /** Eight hex characters over everything the plan would do. */
  readonly digest: string;
};

/** The digest covers what would be done, and to which objects; not how it is shown, nor why. */
export function planDigest(changes: readonly Change[]): string {
  const acted = changes.filter((change) => change.action !== "none");
  return digest(
    acted.map((change) => ({
      key: change.key,
      action: change.action,
      id: change.id ?? null,
      desired: change.desired ?? null,
      retires: change.retires,
      differences: change.differences.map(({ path, after, added, removed }) => ({
        path,
        after: after ?? null,
        added: added ?? [],
        removed: removed ?? [],
      })),
    })),
    8,
  );
}
