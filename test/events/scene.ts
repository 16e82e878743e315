/** What the tests of events share: records of kinds, and CloudTrail records of calls. */

import { kinds } from "../../reconcilers/index.ts";
import type { ResourceRecord } from "../../src/core/record.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { type ApiEvent, parseRecord } from "../../src/events/event.ts";
import type { AnyKind } from "../../src/kind/kind.ts";
import { record as plainRecord } from "../state/scene.ts";

export const AT = "2026-11-24T12:00:00Z";
export const AT_MS = Date.parse(AT);
export const OUTSIDER = "arn:aws:iam::123456789012:user/mallory";
export const OWN_AGENT = "aws-sdk-js/3.1169.0 ua/2.1 os/linux lang/js md/nodejs#26.10.0 api/ec2#3.1169.0 beaconctl/0.1.0";

/** A record of CloudTrail's, as the user guide's examples have it. */
export function trailRecord(eventSource: string, eventName: string, more: object = {}): Record<string, unknown> {
  return {
    eventVersion: "1.11",
    userIdentity: { type: "IAMUser", principalId: "AIDA", arn: OUTSIDER, accountId: "123456789012", userName: "mallory" },
    eventTime: AT,
    eventSource: `${eventSource}.amazonaws.com`,
    eventName,
    awsRegion: "eu-west-1",
    sourceIPAddress: "192.0.2.7",
    userAgent: "aws-cli/2.30",
    requestParameters: null,
    responseElements: null,
    eventID: crypto.randomUUID(),
    ...more,
  };
}

/** Such a call, read. */
export function call(eventSource: string, eventName: string, requestParameters: object, more: object = {}): ApiEvent {
  const event = parseRecord(trailRecord(eventSource, eventName, { requestParameters, ...more }), "event");
  if (!event) throw new Error(`${eventName} is no event`);
  return event;
}

/** A kind by its name, `SecurityGroup`. */
export function kindNamed(name: string): AnyKind {
  const found = [...kinds.values()].find((kind) => kind.name === name);
  if (!found || found.lookup) throw new Error(`there is no kind ${name}`);
  return found;
}

/** A record of the kind that its key names. */
export function record(key: ResourceKey, more: Partial<ResourceRecord> = {}): ResourceRecord {
  return plainRecord(key, { kind: kindNamed(key.slice(0, key.indexOf("/"))).id, ...more });
}
