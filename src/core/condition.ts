/** Conditions: what a person is told about a resource. Kubernetes' shape, with a closed list of reasons. */

/** Every reason a condition can have, and what it means; docs/errors.md lists them, and a test compares. */
export const REASONS = Object.freeze({
  Synced: "AWS holds what the manifest says, and the object is ready.",
  Creating: "The object is being created.",
  Updating: "The object is being changed in place.",
  Replacing: "A successor is being brought up, or the old object taken down.",
  Deleting: "The object is being deleted.",
  Provisioning: "AWS has accepted the object and is still preparing it.",
  DependencyNotReady: "Another resource must be ready first.",
  Blocked: "AWS refuses for now, because something still uses the object.",
  Resolving: "An earlier create had no answer; BEACON is looking for its object before it acts again.",
  Missing: "The object is gone from AWS, and its kind is not re-created without approval.",
  MassMissing: "More objects vanished at once than drift correction may re-create without approval.",
  NotOwned: "An object of this name exists that this stack does not own.",
  Conflict: "More than one object, or another owner's tags, claim to be this resource.",
  Protected: "The plan would delete or replace a protected object.",
  ReplacementForbidden: "An immutable field changed and `lifecycle.replace` is `never`.",
  ImmutableDrift: "An immutable field was changed outside; only a replacement could put it back.",
  Refused: "AWS refused the request and would refuse it again: permissions, limits or a value it does not take.",
  Failed: "AWS reports the object as failed.",
  Contested: "Another writer undoes every correction; both are named, and one of them has to stop.",
  Drifted: "AWS differs from the manifest, and `lifecycle.drift` says to report only.",
} as const);

/** CamelCase, from the closed list. */
export type Reason = keyof typeof REASONS;

/** Kubernetes' own three: usable, being worked on, in need of a person. */
export type ConditionType = "Ready" | "Reconciling" | "Stalled";

/** One condition of a resource. `since` is an ISO 8601 time; `message` says what to do where something is to be done. */
export type Condition = {
  readonly type: ConditionType;
  readonly status: boolean;
  readonly reason: Reason;
  readonly message: string;
  readonly since: string;
};
