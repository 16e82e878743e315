/** BEACON's own calls: the state table's making and its items, and the question who is calling. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import type { Caller } from "../../src/aws/handle.ts";
import { whoAmI } from "../../src/aws/identity.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { OperationName } from "../../src/aws/service.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { bootstrap } from "../../state/bootstrap.ts";
import { DynamoTable } from "../../state/dynamo-table.ts";
import { TableStore } from "../../state/store.ts";
import type { Table } from "../../state/table.ts";
import { InstantTable } from "../conformance/instant-table.ts";
import { record } from "../state/scene.ts";
import { findings } from "./checking.ts";
import { loadModels } from "./model.ts";

before(() => loadModels("dynamodb", "sts"));

/** A caller that answers what `answers` says, and what AWS would refuse. */
function checking(answers: (operation: string, input: object) => object) {
  const problems: string[] = [];
  const operations = new Set<string>();
  const call = async (service: { id: string }, name: string, input: object): Promise<object> => {
    const operation: OperationName = `${service.id}:${name}`;
    operations.add(operation);
    // The SDK fills a token that is not given, and BEACON never sends such a write again.
    problems.push(...findings({ operation, input }).filter((text) => !text.endsWith("ClientRequestToken is left to chance")));
    return answers(name, input);
  };
  return { aws: { call } as unknown as Caller, problems, operations };
}

test("the state table is made by requests that AWS takes", async () => {
  const done = new Set<string>();
  const answers = (name: string): object => {
    done.add(name);
    const [Status, TimeToLiveStatus] = ["UpdateContinuousBackups", "UpdateTimeToLive"].map((step) =>
      done.has(step) ? "ENABLED" : "DISABLED",
    );
    if (name === "DescribeTable" && !done.has("CreateTable"))
      throw new AwsError("ResourceNotFoundException", "", { operation: name, verdict: "refused" });
    if (name === "DescribeTable") return { Table: { TableStatus: "ACTIVE", DeletionProtectionEnabled: done.has("UpdateTable") } };
    if (name === "DescribeTimeToLive") return { TimeToLiveDescription: { TimeToLiveStatus } };
    return { ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: Status } } };
  };
  const { aws, problems, operations } = checking(answers);
  let elapsedMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    elapsedMs += ms;
  };
  await bootstrap(aws, { ...systemRuntime, monotonic: () => elapsedMs, sleep }, { table: "beacon-state" });
  assert.deepEqual(problems, []);
  for (const name of ["CreateTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups"])
    assert.ok(operations.has(`dynamodb:${name}`), name);
});

test("what the store reads and writes, AWS takes", async () => {
  const memory = new InstantTable();
  const { aws, problems, operations } = checking(() => ({}));
  const sent = new DynamoTable(aws, "beacon-state");
  // The items live in memory; every read and write is put into DynamoDB's words as well.
  const table: Table = {
    get: (key) => sent.get(key).then(() => memory.get(key)),
    getMany: (keys) => sent.getMany(keys).then(() => memory.getMany(keys)),
    query: (pk, options) => sent.query(pk, options).then(() => memory.query(pk, options)),
    write: (writes, token) => sent.write(writes, token).then(() => memory.write(writes, token)),
  };
  const store = new TableStore(table, systemRuntime);
  const stack = { project: "p".repeat(127), environment: "e".repeat(128) };
  const lease = await store.acquire(stack, { holder: "ci@build-7 (pid 4121)", wait: false });
  const keys = Array.from({ length: 150 }, (_, index): ResourceKey => `LogGroup/${"n".repeat(200)}-${index}`);
  for (const key of keys) lease.journal.put(record(key));
  await lease.journal.commit();
  for (const key of keys) lease.journal.remove(key);
  await lease.journal.commit();
  await store.load(stack);
  await lease.release();
  assert.deepEqual([...new Set(problems)], []);
  for (const name of ["GetItem", "Query", "PutItem", "TransactWriteItems"]) assert.ok(operations.has(`dynamodb:${name}`), name);
});

test("the question who is calling is one that AWS takes", async () => {
  const { aws, problems } = checking(() => ({ Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/ops" }));
  await whoAmI({ caller: () => aws, sandbox: false } as never);
  assert.deepEqual(problems, []);
});
