import assert from "node:assert/strict";
import { test } from "node:test";
import { indexStep, NO_CHANGE, streamStep, throughputStep, timeToLiveStep, valuesOf } from "../../src/kind/dynamodb.ts";

const index = (indexName: string, hash: string, readCapacityUnits?: number) => ({
  indexName,
  keySchema: { hash },
  projection: { projectionType: "ALL" },
  ...(readCapacityUnits ? { provisionedThroughput: { readCapacityUnits, writeCapacityUnits: 1 } } : {}),
});

test("a table that becomes provisioned names the capacity of every index it has", () => {
  const desired = {
    billingMode: "PROVISIONED",
    provisionedThroughput: { readCapacityUnits: 9, writeCapacityUnits: 9 },
    globalSecondaryIndexes: [index("kept", "a", 5), index("new", "b", 5)],
  } as const;
  const { request } = throughputStep(desired as never, {
    billingMode: "PAY_PER_REQUEST",
    globalSecondaryIndexes: [index("kept", "a"), index("going", "c")],
  });
  assert.deepEqual(request.GlobalSecondaryIndexUpdates, [
    { Update: { IndexName: "kept", ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 1 } } },
    { Update: { IndexName: "going", ProvisionedThroughput: { ReadCapacityUnits: 9, WriteCapacityUnits: 9 } } },
  ]);
  const more = throughputStep(desired as never, { billingMode: "PROVISIONED", globalSecondaryIndexes: [index("kept", "a", 5)] });
  assert.equal(more.request.GlobalSecondaryIndexUpdates, undefined, "a table that stays provisioned changes alone");
});

const observed = {
  keySchema: { hash: "id" },
  attributeDefinitions: { id: "S", a: "S" },
  globalSecondaryIndexes: [index("one", "a", 1)],
  localSecondaryIndexes: [],
};

test("an index's capacity changes in place", () => {
  const change = { ...NO_CHANGE, changed: [{ before: index("one", "a", 1), after: index("one", "a", 7) }] };
  const { request } = indexStep({ attributeDefinitions: { id: "S", a: "S" } }, observed, change);
  assert.deepEqual(request, {
    GlobalSecondaryIndexUpdates: [
      {
        Update: { IndexName: "one", ProvisionedThroughput: { ReadCapacityUnits: 7, WriteCapacityUnits: 1 }, OnDemandThroughput: undefined },
      },
    ],
  });
});

test("an index with other keys is deleted first, and its types with it", () => {
  const change = { ...NO_CHANGE, changed: [{ before: index("one", "a", 1), after: index("one", "b", 1) }], added: [index("two", "c")] };
  const { request, values } = indexStep({ attributeDefinitions: { id: "S", b: "S", c: "N" } }, observed, change);
  assert.deepEqual(request, {
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "one" } }],
  });
  assert.deepEqual(values, { attributeDefinitions: { id: "S" }, globalSecondaryIndexes: [] });
});

test("a stream or an expiry that shall be another is switched off first", () => {
  const stream = streamStep({ streamEnabled: true, streamViewType: "KEYS_ONLY" }, { streamEnabled: true, streamViewType: "NEW_IMAGE" });
  assert.deepEqual(stream.request, { StreamSpecification: { StreamEnabled: false } });
  assert.deepEqual(timeToLiveStep({ enabled: true, attributeName: "a" }, { enabled: true, attributeName: "b" }), {
    enabled: false,
    attributeName: "a",
  });
  assert.deepEqual(timeToLiveStep({ enabled: false }, { enabled: true, attributeName: "b" }), { enabled: true, attributeName: "b" });
});

test("an index that is being deleted is no longer the table's, and its status still is", () => {
  const deleting = { IndexName: "old", IndexStatus: "DELETING" as const, KeySchema: [{ AttributeName: "a", KeyType: "HASH" as const }] };
  const values = valuesOf({ TableName: "t", TableStatus: "UPDATING", GlobalSecondaryIndexes: [deleting] });
  assert.deepEqual([values.globalSecondaryIndexes, values.indexStatuses], [[], { old: "DELETING" }]);
});

test("a table AWS says nothing of has AWS's defaults", () => {
  const { billingMode, tableClass, sseSpecification, streamSpecification } = valuesOf({ TableName: "t" });
  assert.deepEqual(
    [billingMode, tableClass, sseSpecification, streamSpecification],
    ["PROVISIONED", "STANDARD", { enabled: false }, { streamEnabled: false }],
  );
});
