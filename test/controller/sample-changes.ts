/** What the tests of the controller's judgement share: changes, records and circumstances with everything unsaid at rest. */

import type { Circumstances } from "../../src/controller/judge.ts";
import type { Cause, Difference } from "../../src/core/diff.ts";
import { digest } from "../../src/core/json.ts";
import type { Action, Change, Plan } from "../../src/core/plan.ts";
import type { Attribution, ResourceRecord, Rounds } from "../../src/core/record.ts";
import { LIFECYCLE_DEFAULTS, type Lifecycle, type ResourceKey } from "../../src/core/resource.ts";
import { NO_GRANTS } from "../../src/engine/revision.ts";

export const NOW = Date.UTC(2026, 0, 1, 12);
export const AT = new Date(NOW).toISOString();
export const KEY: ResourceKey = "Role/app";

export const MALLORY: Attribution = {
  principal: "arn:aws:iam::1:user/mallory",
  sourceIp: "198.51.100.7",
  userAgent: "console",
  action: "iam:UpdateRole",
  at: AT,
  via: "event",
};

/** A value that differs. */
export function difference(path: string, cause: Cause, more: Partial<Difference> = {}): Difference {
  return { path, field: path.split(".")[0] ?? path, cause, before: "aws", after: "manifest", immutable: false, ...more } as Difference;
}

export function change(action: Action, more: Partial<Change> = {}): Change {
  return {
    key: KEY,
    kind: "iam.aws/v1 Role",
    action,
    differences: [],
    leftAlone: [],
    dependents: [],
    retires: [],
    resolves: false,
    ...more,
  };
}

/** An object that was there at the last look, and is gone. */
export function vanished(key: ResourceKey = KEY, more: Partial<Change> = {}): Change {
  return change("create", { key, vanished: `id of ${key}`, ...more });
}

export function planOf(...changes: readonly Change[]): Plan {
  return { changes, outputs: [], newer: [], consents: { delete: 0, replace: 0, missing: 0 }, digest: "" };
}

export function recordOf(key: ResourceKey = KEY, more: Partial<ResourceRecord> = {}): ResourceRecord {
  const unsaid = { generation: 1, retiring: [], applied: {}, observed: {}, conditions: [], dependencies: [], revision: 1 };
  return { key, kind: "iam.aws/v1 Role", uid: key, id: `id of ${key}`, lifecycle: LIFECYCLE_DEFAULTS, ...unsaid, ...more };
}

/** Rounds of the change that {@link difference} shows, and a vanished object; the last of them ten seconds ago. */
export function roundsOf(path: string, count: number, by?: Attribution): Rounds {
  const change = digest(path === "" ? undefined : "aws", 12);
  const [since, lastAt] = ["2026-01-01T11:30:00.000Z", "2026-01-01T11:59:50.000Z"];
  return { path, change, count, atOnce: count, since, lastAt, ...(by ? { by } : {}) };
}

/** Where nothing is said: one record of {@link KEY} among nine others, drift is corrected, nothing granted, nothing paused. */
export function circumstances(
  more: Partial<Omit<Circumstances, "lifecycles">> & { lifecycle?: Partial<Lifecycle>; record?: Partial<ResourceRecord> } = {},
): Circumstances {
  const { lifecycle, record, ...rest } = more;
  const others = Array.from({ length: 9 }, (_, n) => recordOf(`Bucket/b${n}`, { kind: "s3.aws/v1 Bucket" }));
  return {
    now: NOW,
    lifecycles: new Map([[KEY, { ...LIFECYCLE_DEFAULTS, ...lifecycle }]]),
    records: new Map([recordOf(KEY, record), ...others].map((one) => [one.key, one])),
    stateful: new Set(),
    grants: NO_GRANTS,
    isPaused: () => false,
    contestedAfter: 5,
    ...rest,
  };
}

/** Grants of one kind. */
export function granting(what: keyof typeof NO_GRANTS, ...keys: readonly ResourceKey[]) {
  return { ...NO_GRANTS, [what]: keys };
}
