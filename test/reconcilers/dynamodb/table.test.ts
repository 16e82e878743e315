import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../../reconcilers/dynamodb/table.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, settle } from "../support.ts";

const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;
const keys = { keySchema: { hash: "customer", range: "placedAt" }, attributeDefinitions: { customer: "S", placedAt: "N" } };
const byState = { indexName: "by-state", keySchema: { hash: "state" }, projection: { projectionType: "KEYS_ONLY" } };

test("a table's create says what AWS then holds", async () => {
  const bench = await benchFor(table);
  const made = await make(bench, {
    ...keys,
    tableName: nameFor(bench, "orders"),
    billingMode: "PAY_PER_REQUEST",
    attributeDefinitions: { ...keys.attributeDefinitions, state: "S" },
    globalSecondaryIndexes: [byState],
    localSecondaryIndexes: [
      { indexName: "by-state-here", keySchema: { hash: "customer", range: "state" }, projection: { projectionType: "ALL" } },
    ],
    streamSpecification: { streamEnabled: true, streamViewType: "NEW_IMAGE" },
    sseSpecification: { enabled: true },
    tags: { Name: "orders" },
  });
  const found = await assertHolds(bench, made);
  assert.equal((found.values.sseSpecification as JsonObject).enabled, true);
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, made);
});

test("capacity, stream, expiry, backups, protection, policy and tags change in place, and unset puts them back", async () => {
  const bench = await benchFor(table);
  const base = {
    ...keys,
    tableName: nameFor(bench, "orders"),
    billingMode: "PROVISIONED",
    provisionedThroughput: { readCapacityUnits: 5, writeCapacityUnits: 5 },
    tags: { Gone: "soon" },
  };
  const made = await make(bench, base);
  const policy = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: "123456789012" }, Action: ["dynamodb:GetItem"], Resource: [made.values.tableArn as string] },
    ],
  };
  const wanted = {
    ...base,
    provisionedThroughput: { readCapacityUnits: 6, writeCapacityUnits: 7 },
    streamSpecification: { streamEnabled: true, streamViewType: "NEW_IMAGE" },
    timeToLiveSpecification: { enabled: true, attributeName: "expiresAt" },
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: 7 },
    deletionProtectionEnabled: true,
    sseSpecification: { enabled: true },
    tableClass: "STANDARD_INFREQUENT_ACCESS",
    resourcePolicy: policy,
    tags: { Kept: "long" },
  };
  const changed = await settle(bench, made, wanted, base);
  assert.equal(changed.effects, 10, "eight fields, one call to set tags and one to remove them");
  await assertHolds(bench, changed);
  await assert.rejects(table.delete.run(bench.writer, { id: made.id, observed: {} }), "AWS's deletion protection holds");
  const other = {
    ...wanted,
    streamSpecification: { streamEnabled: true, streamViewType: "KEYS_ONLY" },
    timeToLiveSpecification: { enabled: true, attributeName: "until" },
  };
  const moved = await settle(bench, changed, other, wanted);
  assert.equal(moved.effects, 4, "both are switched off before they are switched on anew");
  await assertHolds(bench, moved);
  const { tags, ...plain } = base;
  const back = await settle(bench, moved, { ...plain, provisionedThroughput: wanted.provisionedThroughput }, { ...other, tags: {} });
  const found = await assertHolds(bench, back);
  assert.deepEqual(
    [
      found.values.streamSpecification,
      found.values.timeToLiveSpecification,
      found.values.deletionProtectionEnabled,
      found.values.resourcePolicy,
      tags,
    ],
    [{ streamEnabled: false }, { enabled: false }, false, undefined, { Gone: "soon" }],
  );
  const limits = { maxReadRequestUnits: 40, maxWriteRequestUnits: 40 };
  const onDemand = await settle(bench, back, { ...keys, billingMode: "PAY_PER_REQUEST", onDemandThroughput: limits });
  assert.equal(onDemand.effects, 1);
  assert.equal((await assertHolds(bench, onDemand)).values.provisionedThroughput, undefined);
  await removeAll(bench, onDemand);
});

test("indexes come and go one a call, the attribute types with them", async () => {
  const bench = await benchFor(table);
  const base = { ...keys, tableName: nameFor(bench, "orders"), billingMode: "PAY_PER_REQUEST" };
  const made = await make(bench, base);
  const byRegion = { indexName: "by-region", keySchema: { hash: "region" }, projection: { projectionType: "ALL" } };
  const two = {
    ...base,
    attributeDefinitions: { ...keys.attributeDefinitions, state: "S", region: "S" },
    globalSecondaryIndexes: [byState, byRegion],
  };
  const both = await settle(bench, made, two, base);
  assert.equal(both.effects, 2);
  await assertHolds(bench, both);
  const sorted = { ...byState, keySchema: { hash: "state", range: "placedAt" } };
  const one = { ...base, attributeDefinitions: { ...keys.attributeDefinitions, state: "S" }, globalSecondaryIndexes: [sorted] };
  const changed = await settle(bench, both, one, two);
  assert.equal(changed.effects, 3, "one index deleted and made anew with other keys, one deleted");
  const found = await assertHolds(bench, changed);
  assert.deepEqual(found.values.attributeDefinitions, { ...keys.attributeDefinitions, state: "S" });
  await removeAll(bench, changed);
});

test("a look reads expiry, backups and policy only where somebody declared them", async () => {
  const bench = await benchFor(table);
  const made = await make(bench, { ...keys, tableName: nameFor(bench, "orders"), billingMode: "PAY_PER_REQUEST" });
  const [found] = await ownedBy(bench, {
    fields: new Set(["tags"]),
    names: [{ tableName: made.id }, { tableName: nameFor(bench, "nothing") }],
  });
  assert.equal(found?.id, made.id);
  assert.deepEqual(
    bench.session
      .calls()
      .filter(({ mutating }) => !mutating)
      .map(({ operation, calls }) => [operation, calls]),
    [
      ["dynamodb:DescribeTable", 2],
      ["tag:GetResources", 1],
    ],
  );
  await removeAll(bench, made);
});

const states = [
  { observed: { tableStatus: "CREATING" }, state: "waiting" },
  { observed: { tableStatus: "ACTIVE", indexStatuses: { a: "CREATING" } }, state: "waiting" },
  { observed: { tableStatus: "ACTIVE", indexStatuses: { a: "ACTIVE" } }, state: "ready" },
  { observed: { tableStatus: "INACCESSIBLE_ENCRYPTION_CREDENTIALS" }, state: "failed" },
];

for (const { observed, state } of states) {
  test(`a table that is ${JSON.stringify(observed)} is ${state}`, () => assert.equal(table.ready(observed).state, state));
}

const onDemand = { ...keys, billingMode: "PAY_PER_REQUEST" };
const rows = [
  { why: "a whole table is fine", spec: onDemand, fields: [] },
  { why: "a billing mode that is not known yet is fine", spec: { ...keys, billingMode: { $unknown: "x" } }, fields: [] },
  { why: "AWS's default billing mode needs a capacity", spec: keys, fields: [""] },
  { why: "paid by request there is none", spec: { ...onDemand, provisionedThroughput: {} }, fields: ["provisionedThroughput"] },
  { why: "keys have types", spec: { ...onDemand, globalSecondaryIndexes: [byState] }, fields: ["attributeDefinitions"] },
  {
    why: "only keys have types",
    spec: { ...onDemand, attributeDefinitions: { ...keys.attributeDefinitions, state: "S" } },
    fields: ["attributeDefinitions.state"],
  },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "Table/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      table.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}
