/** A controller's view as data: two stacks, one of them held. */

import type { ControllerSnapshot, ControllerView, StackSnapshot } from "../../src/controller/snapshot.ts";
import type { JsonObject } from "../../src/core/json.ts";

export const HELD: StackSnapshot = {
  stack: "beacon/prod",
  held: true,
  holder: "beacon-1",
  epoch: 7,
  queue: { depth: 3, oldestMs: 1500 },
  status: {
    phase: "Drifted",
    message: "1 resource has drifted",
    revision: 8,
    converged: 7,
    unfinished: [],
    awaiting: { digest: "7f3a", what: "missing", grants: { delete: [], replace: [], missing: [] }, message: "40 vanished" },
    counts: { resources: 62, ready: 60, drifted: 1, stalled: 1 },
    checks: {},
    updatedAt: "2026-01-01T00:00:00.000Z",
  },
  monitors: [
    { monitor: "backend", check: "http", subject: "https://a/", state: "unhealthy", seen: "HTTP 503", wanted: "HTTP 200", failing: true },
    { monitor: "table", check: "tableStatus", subject: "t", state: "unknown", seen: "denied", wanted: "ACTIVE", failing: false },
  ],
};
export const ELSEWHERE: StackSnapshot = { stack: "beacon/dev", held: false, holder: "beacon-2", queue: { depth: 0, oldestMs: 0 } };

export const RESOURCES: readonly JsonObject[] = [
  { key: "VPC/main", kind: "ec2.aws/v1 VPC" },
  { key: "TargetGroup/backend.main", kind: "elbv2.aws/v1 TargetGroup" },
];

export type SampleView = ControllerView & { snapshotNow: ControllerSnapshot };

/** `snapshotNow` can be changed between two looks. */
export function sampleView(parts: Partial<ControllerView> = {}): SampleView {
  const view: SampleView = {
    snapshotNow: {
      id: "beacon-1",
      version: "0.1.0",
      startedAt: "2026-01-01T00:00:00.000Z",
      replicas: 2,
      ready: true,
      stacks: [HELD, ELSEWHERE],
      calls: [
        { operation: "ec2:DescribeVpcs", mutating: false, calls: 10, retries: 3, throttles: 2, failures: 1 },
        { operation: "dynamodb:Query", mutating: false, calls: 5, retries: 0, throttles: 0, failures: 0 },
      ],
    },
    snapshot: () => view.snapshotNow,
    resources: (stack) => (stack === HELD.stack ? RESOURCES : undefined),
    resource: (stack, key) => (stack === HELD.stack ? RESOURCES.find((resource) => resource.key === key) : undefined),
    events: async () => [{ at: "2026-01-01T00:00:00.000Z", type: "Drifted", message: "tags.Team" }],
    plan: (stack) => (stack === HELD.stack ? { stack, changes: [] } : undefined),
    ...parts,
  };
  return view;
}
