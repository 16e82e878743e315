/**
 * The state table: made, and kept as it should be.
 *
 * One flow: look, decide, act, and look again until there is nothing to do. The table's name makes a repeated create safe, so
 * an answer that was lost costs one more look; and a second run finds nothing to do.
 */

import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { isNamed } from "../src/aws/errors.ts";
import type { Caller } from "../src/aws/handle.ts";
import { BeaconError } from "../src/core/errors.ts";
import type { Runtime } from "../src/core/store.ts";
import { dynamodb } from "./dynamo-table.ts";
import { explained, passes, patiently } from "./patience.ts";

/** What a bootstrap did. */
export type Bootstrap = {
  readonly created: boolean;
  /** The settings that were not as they should be. */
  readonly changed: readonly Step[];
};

/** What one look found; `status` is absent where there is no table. */
export type TableFacts = {
  readonly status: string | undefined;
  readonly protected: boolean;
  readonly expires: boolean;
  readonly backedUp: boolean;
  /** Whether its keys are those that items are written with: what bootstrap did not make has others. */
  readonly keyed?: boolean;
};

/** One call that brings the table nearer to what it should be; `wait` is none. */
export type Step = "create" | "wait" | "protect" | "expire" | "backUp";

const EXPIRES_AT = "expiresAt";
const POLL_MS = 1000;
// AWS's own waiter for a new table gives up after 25 looks, 20 s apart.
const PATIENCE_MS = 500_000;
// Another bootstrap is at it, or the table is too new for its settings: a later look tells.
const BUSY = ["ResourceInUseException", "LimitExceededException", "ContinuousBackupsUnavailableException", "ValidationException"];

/** Makes the table, on demand, encrypted, protected, with point-in-time recovery and expiring events; resolves when it can be used. */
export async function bootstrap(aws: Caller, runtime: Runtime, { table }: { table: string }): Promise<Bootstrap> {
  try {
    return await settle(aws, runtime, table);
  } catch (error) {
    throw explained(error);
  }
}

async function settle(aws: Caller, runtime: Runtime, table: string): Promise<Bootstrap> {
  const done = new Set<Step>();
  const endMs = runtime.monotonic() + PATIENCE_MS;
  while (true) {
    const step = nextStep(await patiently(runtime, () => look(aws, table)));
    if (!step) return { created: done.has("create"), changed: done.has("create") ? [] : [...done] };
    if (runtime.monotonic() > endMs)
      throw new BeaconError("StillWaiting", `the table ${table} is not ready yet (${step})`, { next: "run bootstrap again" });
    const again = done.has(step);
    const outcome = await tryStep(aws, table, step);
    if (outcome !== "busy") done.add(step);
    // What was accepted shows in the next look; on AWS a moment later.
    if (again || outcome !== "accepted") await runtime.sleep(POLL_MS);
  }
}

/** What is to be done next, if anything. */
export function nextStep({ status, protected: isProtected, expires, backedUp }: TableFacts): Step | undefined {
  if (status === undefined) return "create";
  if (status !== "ACTIVE") return "wait";
  if (!isProtected) return "protect";
  if (!expires) return "expire";
  return backedUp ? undefined : "backUp";
}

/** One look at the table, by somebody who only wants to know. Throws as {@link bootstrap} does. */
export async function inspect(aws: Caller, runtime: Runtime, { table }: { table: string }): Promise<TableFacts> {
  try {
    return await patiently(runtime, () => look(aws, table));
  } catch (error) {
    throw explained(error);
  }
}

async function look(aws: Caller, TableName: string): Promise<TableFacts> {
  try {
    const { Table } = await aws.call(dynamodb, "DescribeTable", { TableName });
    if (Table?.TableStatus !== "ACTIVE")
      return { status: Table?.TableStatus ?? "CREATING", protected: true, expires: true, backedUp: true };
    const [ttl, backups] = await Promise.all([
      aws.call(dynamodb, "DescribeTimeToLive", { TableName }),
      aws.call(dynamodb, "DescribeContinuousBackups", { TableName }),
    ]);
    return {
      status: "ACTIVE",
      protected: Table.DeletionProtectionEnabled === true,
      expires: /^ENABL/.test(ttl.TimeToLiveDescription?.TimeToLiveStatus ?? ""),
      backedUp: backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === "ENABLED",
      keyed: keysOf(Table) === "pk S HASH, sk S RANGE",
    };
  } catch (error) {
    if (isNamed(error, ["ResourceNotFoundException"])) return { status: undefined, protected: false, expires: false, backedUp: false };
    throw error;
  }
}

function keysOf({ KeySchema = [], AttributeDefinitions = [] }: TableDescription): string {
  const typeOf = (name: string | undefined) => AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
  return KeySchema.map(({ AttributeName, KeyType }) => `${AttributeName} ${typeOf(AttributeName)} ${KeyType}`).join(", ");
}

/** `unknown`: there was no answer. `busy`: it was not done, and may be done later. */
async function tryStep(aws: Caller, table: string, step: Step): Promise<"accepted" | "unknown" | "busy"> {
  try {
    await act(aws, table, step);
    return step === "wait" ? "busy" : "accepted";
  } catch (error) {
    if (passes(error)) return error.verdict === "ambiguous" ? "unknown" : "busy";
    if (isNamed(error, BUSY)) return "busy";
    throw error;
  }
}

async function act(aws: Caller, TableName: string, step: Step): Promise<void> {
  switch (step) {
    case "create":
      await aws.call(dynamodb, "CreateTable", {
        TableName,
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
        ],
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        BillingMode: "PAY_PER_REQUEST",
        SSESpecification: { Enabled: true },
        DeletionProtectionEnabled: true,
        Tags: [{ Key: "ManagedBy", Value: "beaconctl" }],
      });
      return;
    case "wait":
      return;
    case "protect":
      await aws.call(dynamodb, "UpdateTable", { TableName, DeletionProtectionEnabled: true });
      return;
    case "expire":
      await aws.call(dynamodb, "UpdateTimeToLive", { TableName, TimeToLiveSpecification: { AttributeName: EXPIRES_AT, Enabled: true } });
      return;
    case "backUp":
      await aws.call(dynamodb, "UpdateContinuousBackups", {
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
      return;
  }
}
