/**
 * What `bootstrap --events` makes, as data: a queue, the rule that fills it, and where global services are reported in another region, a
 * rule there that forwards them, with the role that it does so by. Pure.
 *
 * The names are BEACON's: what already has one of them is made to fit.
 */

import { partitionOf } from "../aws/region.ts";
import { isMutating } from "../aws/service.ts";
import type { JsonObject } from "../core/json.ts";
import type { Kinds } from "../kind/kind.ts";
import { operationsOf } from "../kind/operations.ts";
import { eventSourceOf, globalRegionOf, isGlobal } from "./services.ts";

/** Where events are to come. */
export type EventsPlace = {
  readonly region: string;
  readonly accountId: string;
  /** The queue's name, and the rule's. */
  readonly queue: string;
  readonly kinds: Kinds;
};

/** A rule on a region's default bus, and its one target of ours. */
export type WantedRule = {
  readonly region: string;
  readonly name: string;
  readonly description: string;
  readonly pattern: JsonObject;
  readonly target: { readonly Id: string; readonly Arn: string; readonly RoleArn?: string };
};

/** See the file's header. `forward` and `role` are absent in the region where global services are reported. */
export type Wanted = {
  readonly queue: { readonly name: string; readonly arn: string; readonly attributes: Readonly<Record<string, string>> };
  readonly rule: WantedRule;
  readonly forward?: WantedRule;
  readonly role?: { readonly name: string; readonly policyName: string; readonly trust: JsonObject; readonly policy: JsonObject };
};

/** The queue's name where nobody chooses another. */
export const EVENTS_QUEUE = "beacon-events";
const FORWARD = "beacon-events-forward";
const TAGS = { ManagedBy: "beaconctl" } as const;

// An event is worth a look soon or not at all: whoever was off longer looks at everything anyway.
const RETENTION_SECONDS = 3600;
// SQS's longest long poll.
const WAIT_SECONDS = 20;
// To hand on ten events takes milliseconds; after this, another reader gets what one took along when it died.
const VISIBILITY_SECONDS = 30;
/** "The event pattern can be up to 4096 characters" (EventBridge quotas, "Event pattern size"). */
export const PATTERN_CHARACTERS_MAX = 4096;

// What AWS services, CI and autoscaling call all day without a change to any kind's objects, and would fill the queue with.
const BESIDE_THE_POINT = [
  "CompleteLayerUpload",
  "CompleteLifecycleAction",
  "CreateFleet",
  "CreateLogStream",
  "CreateNetworkInterface",
  "CreateNetworkInterfacePermission",
  "DeleteLogStream",
  "DeleteNetworkInterface",
  "InitiateLayerUpload",
  "PutImage",
  "RecordLifecycleActionHeartbeat",
  "RunInstances",
  "SetInstanceHealth",
  "UploadLayerPart",
];

/** Everything as it should be. */
export function wantedFor({ region, accountId, queue, kinds }: EventsPlace): Wanted {
  const partition = partitionOf(region);
  const queueArn = `arn:${partition}:sqs:${region}:${accountId}:${queue}`;
  const services = changedServices(kinds);
  const rule: WantedRule = {
    region,
    name: queue,
    description: "API calls that may change what BEACON manages, for its controllers.",
    pattern: patternOf(services),
    target: { Id: queue, Arn: queueArn },
  };
  const ruleArn = `arn:${partition}:events:${region}:${accountId}:rule/${queue}`;
  const wanted = { queue: { name: queue, arn: queueArn, attributes: attributesOf(queueArn, ruleArn) }, rule };
  if (globalRegionOf(region) === region) return wanted;
  const busArn = `arn:${partition}:events:${region}:${accountId}:event-bus/default`;
  const roleName = `${FORWARD}-${region}`;
  return {
    ...wanted,
    forward: {
      region: globalRegionOf(region),
      name: roleName,
      description: `Calls of global services, for BEACON's controllers in ${region}.`,
      pattern: patternOf(services.filter(isGlobal)),
      target: { Id: roleName, Arn: busArn, RoleArn: `arn:${partition}:iam::${accountId}:role/${roleName}` },
    },
    role: {
      name: roleName,
      policyName: FORWARD,
      trust: policy({ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" }),
      policy: policy({ Effect: "Allow", Action: "events:PutEvents", Resource: busArn }),
    },
  };
}

/** The same tags on everything that takes any. */
export function tagList(): { Key: string; Value: string }[] {
  return Object.entries(TAGS).map(([Key, Value]) => ({ Key, Value }));
}

/** The queue's tags. */
export const QUEUE_TAGS: Readonly<Record<string, string>> = TAGS;

/** Services in which some kind changes something. */
function changedServices(kinds: Kinds): readonly string[] {
  const operations = [...kinds.values()].flatMap(operationsOf).filter(isMutating);
  return [...new Set(operations.map((operation) => operation.slice(0, operation.indexOf(":"))))].sort();
}

// Refused calls come too: a failure of AWS's own may have had its effect.
function patternOf(services: readonly string[]): JsonObject {
  return {
    source: [{ prefix: "aws." }],
    "detail-type": ["AWS API Call via CloudTrail"],
    detail: {
      eventSource: services.map(eventSourceOf),
      eventName: [{ "anything-but": BESIDE_THE_POINT }],
      readOnly: [false, { exists: false }],
    },
  };
}

function attributesOf(queueArn: string, ruleArn: string): Readonly<Record<string, string>> {
  const mayFill = {
    Sid: "BeaconEvents",
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": ruleArn } },
  };
  return {
    MessageRetentionPeriod: String(RETENTION_SECONDS),
    Policy: JSON.stringify(policy(mayFill)),
    ReceiveMessageWaitTimeSeconds: String(WAIT_SECONDS),
    // With SQS's own keys: EventBridge needs no permission for them.
    SqsManagedSseEnabled: "true",
    VisibilityTimeout: String(VISIBILITY_SECONDS),
  };
}

function policy(statement: JsonObject): JsonObject {
  return { Version: "2012-10-17", Statement: [statement] };
}
