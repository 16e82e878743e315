/** A resource: one named instance of a kind, as a manifest declares it. */

import type { JsonObject } from "./json.ts";

/** `ec2.aws/v1 VPC`: apiVersion and kind. */
export type KindId = `${string} ${string}`;

/** `VPC/main`, `Subnet/public-1`, `TargetGroup/backend.main`: unique in a stack. */
export type ResourceKey = `${string}/${string}`;

/** Project x environment: the unit of lease, revision and plan. */
export type Stack = { readonly project: string; readonly environment: string };

/** `beacon/prod`, as it stands in the `beacon:stack` tag and in the state table's keys. */
export function stackName(stack: Stack): string {
  return `${stack.project}/${stack.environment}`;
}

/** Drift that somebody knows of: until then it is neither corrected nor told. */
export type KnownDrift = {
  /** A field, `ingress`, or a part of one, `tags.Team`. */
  readonly path: string;
  /** ISO 8601. */
  readonly until: string;
  /** In the words of whoever allows it. */
  readonly reason: string;
};

/** What deletion, replacement and drift may do to a resource. */
export type Lifecycle = {
  /** `delete` it, `force` it with all it holds, `retain` the remote object and forget it, or `protect` it: refuse deletion and replacement. */
  readonly deletion: "delete" | "force" | "retain" | "protect";
  /** Whether the successor is created before or after the old object is deleted, or never. */
  readonly replace: "createFirst" | "deleteFirst" | "never";
  /** `correct` drift, only `report` it, or `ignore` it. */
  readonly drift: "correct" | "report" | "ignore";
  /** How often it is looked for; absent: as the environment says, or the controller. */
  readonly driftIntervalMs?: number;
  /** Drift that is left alone whatever the mode. */
  readonly knownDrift?: readonly KnownDrift[];
  /** Top-level spec fields whose differences are left alone. */
  readonly ignoreFields: readonly string[];
  /** `true`: take over an existing object of this name; a string: the object with this id. */
  readonly adopt: boolean | string;
  /** `false`: the object is read, by id, name or tags, and never written. */
  readonly manage: boolean;
};

/** What a resource has when its manifest says nothing; kinds may override `replace`. */
export const LIFECYCLE_DEFAULTS: Lifecycle = Object.freeze({
  deletion: "delete",
  replace: "createFirst",
  drift: "correct",
  ignoreFields: Object.freeze([]),
  adopt: false,
  manage: true,
});

/** Whether an exception still holds. */
export function isKnownUntil({ until }: KnownDrift, nowMs: number): boolean {
  return nowMs < Date.parse(until);
}

/** The exception that still holds for drift at this path (`ingress`, `tags.Team`): its own, or that of a field around it. */
export function knownDriftAt({ knownDrift = [] }: Lifecycle, path: string, nowMs: number): KnownDrift | undefined {
  return knownDrift.find((known) => isKnownUntil(known, nowMs) && (path === known.path || path.startsWith(`${known.path}.`)));
}

/** Whether the object goes when its resource does. */
export function isDeletable({ deletion }: Lifecycle): boolean {
  return deletion === "delete" || deletion === "force";
}

/** A CEL expression whose value depends on other resources; stands in a spec where the value will be. */
export type Expression = { readonly $expr: string };

/** Why one resource comes after another. */
export type Dependency = {
  readonly on: ResourceKey;
  /** Top-level spec field whose expression refers to `on`; absent for `dependsOn` and `readyWhen`. */
  readonly field?: string;
};

/** One resource of a compiled revision: expanded (`forEach`, `includeWhen`), with everything static evaluated. */
export type Resource = {
  readonly key: ResourceKey;
  readonly kind: KindId;
  /** Values in the manifest's words; {@link Expression} leaves where the value comes from another resource. */
  readonly spec: JsonObject;
  readonly dependencies: readonly Dependency[];
  readonly lifecycle: Lifecycle;
  /** CEL conditions on `self` that must hold, beside the kind's own, before dependents start. */
  readonly readyWhen: readonly Expression[];
  /** `each` of the `forEach` this resource came from; part of what its expressions see. */
  readonly each?: JsonObject;
  /** The key this resource had before: its record and object are moved. */
  readonly renamedFrom?: ResourceKey;
  /** The instances of blueprints that it is inside of, `WebService/backend`, the innermost first. */
  readonly within?: readonly ResourceKey[];
  /** `manifests/network.yaml:7:1`. */
  readonly declaredAt: string;
};

/** Splits `Subnet/public-1` into `Subnet` and `public-1`. */
export function splitKey(key: ResourceKey): { kind: string; name: string } {
  const slash = key.indexOf("/");
  return { kind: key.slice(0, slash), name: key.slice(slash + 1) };
}
