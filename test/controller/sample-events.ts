/** One event of every type, as a controller tells them. The types close the set: a new one does not compile until it is here. */

import type { ControllerEvent } from "../../src/controller/events.ts";
import type { Attribution, Drift } from "../../src/core/record.ts";
import type { ResourceKey, Stack } from "../../src/core/resource.ts";

export const stack: Stack = { project: "beacon", environment: "prod" };
export const resource: ResourceKey = "SecurityGroup/backend";

export const by: Attribution = {
  principal: "arn:aws:iam::111122223333:user/ops",
  sourceIp: "203.0.113.9",
  userAgent: "aws-cli/2.27",
  action: "ec2:CreateTags",
  at: "2026-01-01T00:00:00.000Z",
  via: "event",
};

export function drifted(path: string, more: Partial<Drift> = {}): Drift {
  return { path, from: "a", to: "b", firstSeenAt: "2026-01-01T00:00:01.000Z", ...more };
}

const drift = [drifted("tags.Team")];

export const SAMPLES: { readonly [Type in ControllerEvent["type"]]: Extract<ControllerEvent, { type: Type }> } = {
  leaseTaken: { type: "leaseTaken", stack, epoch: 4, waitedMs: 15_000 },
  leaseLost: { type: "leaseLost", stack, why: "no heartbeat arrived" },
  leaseReleased: { type: "leaseReleased", stack },
  passEnded: { type: "passEnded", stack, triggers: ["interval"], elapsedMs: 1234.5678, looked: 12, acted: 1, outcome: "acted" },
  passFailed: { type: "passFailed", stack, message: "AWS could not be reached", retryInMs: 5000 },
  driftFound: { type: "driftFound", stack, resource, drift, mode: "correct" },
  driftCorrected: { type: "driftCorrected", stack, resource, drift, afterMs: 2900 },
  driftGone: { type: "driftGone", stack, resource, drift },
  driftAttributed: { type: "driftAttributed", stack, resource, drift: [drifted("tags.Team", { by })] },
  stalled: { type: "stalled", stack, resource, reason: "Contested", message: "somebody undoes it" },
  recovered: { type: "recovered", stack, resource, message: "goes on by itself again" },
  revisionAccepted: { type: "revisionAccepted", stack, revision: 8, by: "ci", message: "new tables" },
  revisionConverged: { type: "revisionConverged", stack, revision: 8, elapsedMs: 61_000 },
  approvalNeeded: { type: "approvalNeeded", stack, digest: "7f3a91c2", message: "1 resource would be replaced" },
  sourceInvalid: { type: "sourceInvalid", stack, message: "error: unknown field `cidrblock`\n  ┌─ m.yaml:7:9" },
  paused: { type: "paused", stack, target: "*", until: "2026-01-01T02:00:00Z", reason: "maintenance", by: "ops" },
  resumed: { type: "resumed", stack, target: "*" },
  monitorFailed: { type: "monitorFailed", stack, monitor: "backend", subject: "https://a/", message: "HTTP 503, wanted HTTP 200" },
  monitorRecovered: { type: "monitorRecovered", stack, monitor: "backend", subject: "https://a/", afterMs: 250_000 },
};
