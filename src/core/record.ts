/** What BEACON remembers of a stack. A cache: ids and ownership tags in AWS are the truth. */

import type { Condition } from "./condition.ts";
import type { Json, JsonObject } from "./json.ts";
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

/** One value that AWS holds otherwise than what was brought about. */
export type Drift = {
  /** `tags.Team`, `ingress`; empty where the whole object is gone. */
  readonly path: string;
  /** What it was, and is to be again. Secrets are masked. */
  readonly from?: Json;
  /** What AWS has. */
  readonly to?: Json;
  /** ISO 8601. */
  readonly firstSeenAt: string;
  /** Absent until it is known. */
  readonly by?: Attribution;
};

/**
 * How often the very same change of a path had to be undone: what tells a slip from a war. `atOnce`: the last ones in a row that came
 * right after the correction; `count`: all of the last day.
 */
export type Rounds = {
  readonly path: string;
  /** Names the change: a fingerprint of what AWS had. */
  readonly change: string;
  readonly count: number;
  readonly atOnce: number;
  /** ISO 8601 times of the first and the last correction. */
  readonly since: string;
  readonly lastAt: string;
  /** Who made the change last. */
  readonly by?: Attribution;
};

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
  /** Drift that is there now and not corrected yet; absent without any. */
  readonly drift?: readonly Drift[];
  /** Corrections of the last day, by path and change; absent without any. */
  readonly rounds?: readonly Rounds[];
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
  /** Under this name it can be amended: the same one again takes its place. */
  readonly id?: string;
  /** Of something that happened again and again: how often, and when last. `at` is the first time. */
  readonly count?: number;
  readonly lastAt?: string;
  /** Of Drifted and Corrected: what differed. */
  readonly drift?: readonly Drift[];
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
  /** Why, in the words of whoever accepted it. */
  readonly message?: string;
  /** The git commit that was checked out where the manifests were; their files may have changed since. */
  readonly commit?: string;
  /** The revision whose content this one has again. */
  readonly rollbackOf?: number;
  /** What was approved with it: only these may it delete, replace, or bring back though they vanished. */
  readonly grants?: Grants;
  /** Keys of the resources it declares. */
  readonly resources: readonly ResourceKey[];
  /** Outputs as evaluated after the last apply of this revision. */
  readonly outputs: JsonObject;
};

/** Resources whose deletion, replacement or re-creation a person, or the environment's policy, has approved. */
export type Grants = {
  readonly delete: readonly ResourceKey[];
  readonly replace: readonly ResourceKey[];
  readonly missing: readonly ResourceKey[];
};

/** Everything that a revision was compiled from: the same texts give the same stack again, on any machine. */
export type SourceBundle = {
  /** Manifest files in their order. */
  readonly sources: readonly { readonly file: string; readonly directory: string; readonly text: string }[];
  /** Files that expressions read, by absolute path, or from `~/` where they are in a home folder. */
  readonly files: Readonly<Record<string, string>>;
  /** `--param`, and the texts of `--params` files, in order. */
  readonly params: readonly string[];
  readonly paramsFiles: readonly { readonly file: string; readonly text: string }[];
  readonly environment: string;
  /** What `env.region` is where the Environment names none. */
  readonly region?: string;
  /** The git remote of the manifests. */
  readonly origin?: string;
};

/** A lookup's answer, kept until its spec changes or `--refresh` names it. */
export type Pin = { readonly specDigest: string; readonly values: JsonObject; readonly at: string };

/** Who holds a stack, as others see it. The expiry is judged by watching `heartbeat` move, never by clocks. */
export type LeaseView = {
  readonly holder: string;
  readonly epoch: number;
  /** A counter that each renewal raises. */
  readonly heartbeat: number;
  /** A controller holds it: what is to be done is asked of it. */
  readonly controller?: true;
  /** ISO 8601 times, for people. */
  readonly since: string;
  readonly renewedAt: string;
};

/** What people ask of whoever holds the stack. Anyone may write one, without the lease. `by` and `at` are for people. */
export type StackRequest = { readonly by: string; readonly at: string } & (
  | {
      readonly type: "pause";
      /** `*`: the whole stack. */
      readonly target: ResourceKey | "*";
      /** ISO 8601: it ends by itself. */
      readonly until: string;
      readonly reason: string;
    }
  /** `digest`: of what the status says awaits approval. */
  | { readonly type: "approve"; readonly digest: string }
  /**
   * Look now. `cause`: who changed something, where another controller has heard of it. `resumes`: what was given up is tried anew:
   * a person has seen to its cause, or settled it with the other writer.
   */
  | { readonly type: "check"; readonly target: ResourceKey | "*"; readonly cause?: Attribution; readonly resumes?: true }
  /** The watched files are held back while their digest is this one: a rollback stays until they change, or until `resume`. */
  | { readonly type: "hold"; readonly digest: string; readonly reason: string }
  /** Hand the lease to somebody who does a thing of his own, until then (ISO 8601). */
  | { readonly type: "yield"; readonly until: string }
);

/** What a controller waits for a person's word on. */
export type Awaiting = {
  /** Names exactly this; the approval repeats it. */
  readonly digest: string;
  /** A revision that is proposed; objects that vanished. */
  readonly what: "revision" | "missing";
  readonly grants: Grants;
  readonly message: string;
};

/** How a stack stands, as the controller that holds it says. */
export type StackStatus = {
  readonly phase: "Synced" | "Converging" | "Drifted" | "Stalled" | "AwaitingApproval" | "Paused";
  readonly message: string;
  /** The revision worked on, and the newest one that was wholly brought about. */
  readonly revision: number;
  readonly converged: number;
  /** Of the revision worked on: what failed or still waits. */
  readonly unfinished: readonly {
    readonly key: ResourceKey;
    readonly outcome: "waiting" | "failed" | "skipped";
    readonly message: string;
  }[];
  readonly awaiting?: Awaiting;
  /** Why the watched manifests are not accepted: their problems. */
  readonly sourceProblem?: string;
  /** The digest of the watched manifests, once they were read. */
  readonly sourceDigest?: string;
  readonly counts: { readonly resources: number; readonly ready: number; readonly drifted: number; readonly stalled: number };
  /** By kind: when it was last looked at, and when it is next (ISO 8601). */
  readonly checks: Readonly<Record<string, { readonly at: string; readonly next: string }>>;
  readonly updatedAt: string;
};
