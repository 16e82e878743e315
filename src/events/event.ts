/**
 * An API call that AWS reports: CloudTrail's record, as EventBridge delivers it or LookupEvents answers.
 *
 * Records are written by whoever called, so nothing in one is trusted: what is not as documented makes no event, texts are
 * cut and stripped of control characters before anybody prints them, and what is gathered has a limit. A call counts as BEACON's own
 * by its user agent. Anybody can send that, and hides from this path alone: what they change is seen by the next look.
 */

import type { OperationName } from "../aws/service.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { operationOf, serviceOf } from "./services.ts";

/** One call, as far as it matters here. */
export type ApiEvent = {
  /** CloudTrail's eventID. */
  readonly id: string;
  /** Epoch milliseconds; AWS records whole seconds, rounded down. */
  readonly at: number;
  /** IAM prefix: `elasticloadbalancing`. */
  readonly service: string;
  /** As the SDK spells it: `ec2:AuthorizeSecurityGroupIngress`. */
  readonly action: OperationName;
  /** Where AWS recorded it. */
  readonly region: string;
  /** Absent where the call succeeded. */
  readonly errorCode?: string;
  /** ARN of the caller; an AWS service's name where it acted by itself. */
  readonly principal: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** Every text in the request's parameters and in the answer, long ones left out. */
  readonly names: ReadonlySet<string>;
  /** Members of the request that hold texts: `groupId`, `roleName`. */
  readonly members: ReadonlySet<string>;
  /** A BEACON process sent it. */
  readonly own: boolean;
  /** How it came. */
  readonly via: "event" | "trail";
};

// AWS's ids and names have 2048 characters at most (ARNs), those of every kind here far fewer; longer texts are documents.
const NAME_CHARACTERS_MAX = 512;
// A call that names more objects than this is a flood, not a change.
const NAMES_MAX = 2000;
// CloudTrail keeps 1 KB of a user agent; a person reads the beginning.
const TEXT_CHARACTERS_MAX = 256;

// As src/aws/clients.ts signs its calls; CloudTrail puts the user agents of some services in brackets.
const OWN_AGENT = /(?:^|[\s[])beaconctl\/\S/;

/** The event in a message of the queue; undefined for any other message. Never throws. */
export function parseMessage(body: string | undefined): ApiEvent | undefined {
  const event = parsedJson(body);
  return isObject(event) ? parseRecord(event.detail, "event") : undefined;
}

/** The event in a record as LookupEvents has it, JSON text; undefined for what is no API call's record. Never throws. */
export function parseTrailRecord(text: string | undefined): ApiEvent | undefined {
  return parseRecord(parsedJson(text), "trail");
}

/** The event of a CloudTrail record; undefined where it has no id, time, service or action. */
export function parseRecord(record: unknown, via: ApiEvent["via"]): ApiEvent | undefined {
  if (!isObject(record)) return undefined;
  const { eventID: id, eventName, eventTime, eventSource, errorCode, requestParameters, responseElements } = record;
  const service = typeof eventSource === "string" ? serviceOf(eventSource) : undefined;
  const at = typeof eventTime === "string" ? Date.parse(eventTime) : Number.NaN;
  if (typeof id !== "string" || !id || typeof eventName !== "string" || !/^\w+$/.test(eventName) || !service || Number.isNaN(at))
    return undefined;
  const userAgent = printable(record.userAgent);
  const gathered = gather(requestParameters, responseElements);
  return {
    id: printable(id),
    at,
    service,
    action: operationOf(service, eventName),
    region: printable(record.awsRegion),
    ...(typeof errorCode === "string" && errorCode ? { errorCode: printable(errorCode) } : {}),
    principal: principalOf(record.userIdentity),
    sourceIp: printable(record.sourceIPAddress),
    userAgent,
    ...gathered,
    own: OWN_AGENT.test(userAgent),
    via,
  };
}

// Codes of failures that may have had an effect; with any other the call did nothing.
const DOUBTFUL = /Server\.|Internal|Unavailable|ServiceFailure|Timeout/;

/** Whether AWS refused the call, so that it changed nothing. */
export function isRefused({ errorCode }: Pick<ApiEvent, "errorCode">): boolean {
  return errorCode !== undefined && !DOUBTFUL.test(errorCode);
}

function principalOf(identity: unknown): string {
  if (!isObject(identity)) return "unknown";
  const { arn, invokedBy, principalId, type } = identity;
  const said = [arn, invokedBy, principalId, type].find((value) => typeof value === "string" && value !== "");
  return printable(said ?? "unknown");
}

type Gathered = Pick<ApiEvent, "names" | "members">;

// By hand, not by recursion: a record may be nested as deep as its sender likes.
function gather(request: unknown, answer: unknown): Gathered {
  const names = new Set<string>();
  const members = new Set<string>();
  const open: { value: unknown; member: string; asked: boolean }[] = [
    { value: answer, member: "", asked: false },
    { value: request, member: "", asked: true },
  ];
  while (open.length > 0 && names.size < NAMES_MAX) {
    const { value, member, asked } = open.pop() as (typeof open)[number];
    if (typeof value === "string" && value !== "" && value.length <= NAME_CHARACTERS_MAX) {
      names.add(value);
      if (asked) members.add(member);
    } else if (Array.isArray(value)) {
      for (const inner of value) open.push({ value: inner, member, asked });
    } else if (isObject(value)) {
      // EC2's lists stand in an object of their own.
      for (const [name, inner] of Object.entries(value as JsonObject))
        open.push({ value: inner, member: name === "items" ? member : name, asked });
    }
  }
  return { names, members };
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function printable(value: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a caller named itself must not move the reader's cursor.
  return typeof value === "string" ? value.slice(0, TEXT_CHARACTERS_MAX).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "") : "";
}
