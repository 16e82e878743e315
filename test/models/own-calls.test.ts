/** BEACON's own calls: the state table's making and its items, the way of events, and the questions who is calling and who did it. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { AwsError } from "../../src/aws/errors.ts";
import type { Caller } from "../../src/aws/handle.ts";
import { whoAmI } from "../../src/aws/identity.ts";
import { CONTROLLER_OPERATIONS, EVENTS_BOOTSTRAP_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { OperationName, Reader } from "../../src/aws/service.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { bootstrapEvents } from "../../src/events/bootstrap.ts";
import { EventQueue } from "../../src/events/queue.ts";
import { TrailLookup } from "../../src/events/trail.ts";
import { bootstrap } from "../../state/bootstrap.ts";
import { DynamoTable } from "../../state/dynamo-table.ts";
import { TableStore } from "../../state/store.ts";
import type { Table } from "../../state/table.ts";
import { InstantTable } from "../conformance/instant-table.ts";
import { kindNamed } from "../events/scene.ts";
import { record } from "../state/scene.ts";
import { findings } from "./checking.ts";
import { loadModels } from "./model.ts";

before(() => loadModels("dynamodb", "sts", "sqs", "events", "iam", "cloudtrail"));

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

/** Answers of services that hold what they were told last: everything is missing at first, and then not as it should be. */
function toldOfEvents(): (name: string, input: object) => object {
  const told = new Map<string, Record<string, unknown>>();
  const of = (name: string, missing: string): Record<string, unknown> => {
    const found = told.get(name);
    if (!found) throw new AwsError(missing, "", { operation: name, verdict: "refused" });
    return found;
  };
  return (name, input) => {
    const { Name, Rule = Name } = input as { Name?: string; Rule?: string };
    told.set(Rule === undefined ? name : `${name} ${Rule}`, input as Record<string, unknown>);
    if (name === "GetQueueUrl") return { ...of("CreateQueue", "QueueDoesNotExist"), QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q" };
    if (name === "GetQueueAttributes") return told.get("SetQueueAttributes") ?? {};
    if (name === "DescribeRule") return of(`PutRule ${Rule}`, "ResourceNotFoundException");
    if (name === "ListTargetsByRule") return told.get(`PutTargets ${Rule}`) ?? {};
    const trust = told.get("UpdateAssumeRolePolicy")?.PolicyDocument ?? "{}";
    if (name === "GetRole") return { ...of("CreateRole", "NoSuchEntity"), Role: { AssumeRolePolicyDocument: trust } };
    if (name === "GetRolePolicy") return of("PutRolePolicy", "NoSuchEntity");
    if (name === "DescribeTrails") return { trailList: [{ Name: "management", HasCustomEventSelectors: true }] };
    return name === "GetTrailStatus" ? { IsLogging: true } : {};
  };
}

test("the way of events is made by requests that AWS takes", async () => {
  const { aws, problems, operations } = checking(toldOfEvents());
  await bootstrapEvents(aws, systemRuntime, { region: "eu-west-1", accountId: "111122223333", queue: "beacon-events", kinds });
  assert.deepEqual(problems, []);
  assert.deepEqual([...operations].sort(), [...EVENTS_BOOTSTRAP_OPERATIONS].sort());
});

test("events are read, and CloudTrail is asked, by requests that AWS takes", async () => {
  const stop = new AbortController();
  const { aws, problems, operations } = checking((name) => {
    if (name === "DeleteMessageBatch") stop.abort();
    if (name === "ReceiveMessage") return { Messages: [{ Body: "{}", ReceiptHandle: "handle" }] };
    return { QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q" };
  });
  await new EventQueue({ caller: aws, queue: "beacon-events", runtime: systemRuntime }).run(() => undefined, stop.signal);
  const reader = { read: aws.call } as unknown as Reader;
  const subject = {
    kind: kindNamed("SecurityGroup"),
    record: record("SecurityGroup/web", { kind: kindNamed("SecurityGroup").id, id: "sg-1" }),
  };
  const drift = { key: "SecurityGroup/web", path: "ingress", since: Date.now() } as const;
  await new TrailLookup({ reader, region: "eu-west-1", runtime: systemRuntime }).find(drift, subject);
  assert.deepEqual(problems, []);
  assert.deepEqual([...operations].sort(), [...CONTROLLER_OPERATIONS].sort());
});

test("the question who is calling is one that AWS takes", async () => {
  const { aws, problems } = checking(() => ({ Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/ops" }));
  await whoAmI({ caller: () => aws, sandbox: false } as never);
  assert.deepEqual(problems, []);
});
