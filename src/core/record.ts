/** What BEACON remembers of a stack. A cache: ids and ownership tags in AWS are the truth. */

import type { Condition } from "./condition.ts";
import type { JsonObject } from "./json.ts";
import type { KindId, Lifecycle, ResourceKey } from "./resource.ts";

/** Every stored item carries it: an older binary refuses a newer format, a newer one reads the previous. */
export const STATE_FORMAT = 1;

/** Written before a create is sent; closed when the object is bound or proven not to exist. Never holds the request. */
export type Intent = {
  readonly generation: number;
  /** Derived from uid and generation, so that a replay sends the same. */
  readonly token: string;
  /** Under which it was opened; for people. */
  readonly revision: number;
  /** Epoch milliseconds of the first send. */
  readonly openedAt: number;
  /** How often a look, at least one poll apart, did not find the object (tag kinds: three misses and the window). */
  readonly misses: number;
};

/** An object of an earlier generation that is still to be deleted. */
export type Retiring = { readonly generation: number; readonly id: string };

/** Everything remembered of one resource. */
export type ResourceRecord = {
  readonly key: ResourceKey;
  readonly kind: KindId;
  /** Chosen once, in every object's `beacon:uid` tag; survives renames. */
  readonly uid: string;
  /** 1 for the first object; one more with each replacement or re-creation. */
  readonly generation: number;
  /** The remote id of this generation's object. */
  readonly id?: string;
  /** Epoch milliseconds; a bound object is not concluded missing within the kind's consistency window after it. */
  readonly boundAt?: number;
  readonly intent?: Intent;
  readonly retiring: readonly Retiring[];
  /** Set when deletion has begun (epoch milliseconds): the record stays until a run has confirmed the absence twice. */
  readonly deleting?: { readonly since: number };
  /** The physical name that was derived for this generation. */
  readonly name?: string;
  /** The spec values last brought about, secrets as hashes. */
  readonly applied: JsonObject;
  /** Epoch milliseconds when `applied` last changed: for the kind's consistency window after it, AWS may show what was before. */
  readonly appliedAt?: number;
  /** Spec and status values at the last look. */
  readonly observed: JsonObject;
  readonly conditions: readonly Condition[];
  readonly dependencies: readonly ResourceKey[];
  readonly lifecycle: Lifecycle;
  /** The revision whose spec `applied` came from. */
  readonly revision: number;
};

/** Who caused a drift, as AWS recorded the call that did. */
export type Attribution = {
  /** ARN of the user, or of the role's session; the name of an AWS service that acted by itself (`autoscaling.amazonaws.com`). */
  readonly principal: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** `ec2:AuthorizeSecurityGroupIngress`, in the SDK's spelling. */
  readonly action: `${string}:${string}`;
  /** ISO 8601, to the second. */
  readonly at: string;
  /** From the event as it came, or looked up in CloudTrail later. */
  readonly via: "event" | "trail";
};

/** Something that happened, kept with a TTL. */
export type StackEvent = {
  /** ISO 8601, with milliseconds. */
  readonly at: string;
  readonly resource?: ResourceKey;
  /** CamelCase, as Kubernetes' events: Created, Updated, Drifted, Corrected, Deleted, Failed, LeaseTaken, … */
  readonly type: string;
  readonly message: string;
};

/** An accepted, compiled manifest set. Holds no secret; enough to delete the stack without manifests. */
export type Revision = {
  readonly number: number;
  readonly digest: string;
  /** The project's `spec.id` or git remote. */
  readonly source: string;
  readonly acceptedAt: string;
  readonly acceptedBy: string;
  readonly region: string;
  readonly accountId: string;
  readonly roleArn?: string;
  readonly confirm: { readonly apply?: string; readonly delete?: string };
  /** Lookup results by resource key, with the digest of the spec they answer. */
  readonly pins: Readonly<Record<string, Pin>>;
  /** Keys of the resources it declares. */
  readonly resources: readonly ResourceKey[];
  /** Outputs as evaluated after the last apply of this revision. */
  readonly outputs: JsonObject;
};

/** A lookup's answer, kept until its spec changes or `--refresh` names it. */
export type Pin = { readonly specDigest: string; readonly values: JsonObject; readonly at: string };

/** Who holds a stack, as others see it. The expiry is judged by watching `heartbeat` move, never by clocks. */
export type LeaseView = {
  readonly holder: string;
  readonly epoch: number;
  /** A counter that each renewal raises. */
  readonly heartbeat: number;
  /** ISO 8601 times, for people. */
  readonly since: string;
  readonly renewedAt: string;
};
