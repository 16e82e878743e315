import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { tableFindings } from "../../src/kind/dynamodb-check.ts";

const CAPACITY = { readCapacityUnits: 1, writeCapacityUnits: 1 };
const BASE = { keySchema: { hash: "a", range: "b" }, attributeDefinitions: { a: "S", b: "S" }, billingMode: "PAY_PER_REQUEST" };
const ALL = { projectionType: "ALL" };
const index = (more: JsonObject): JsonObject => ({ indexName: "one", keySchema: { hash: "b" }, projection: ALL, ...more });
const local = (more: JsonObject): JsonObject => ({ indexName: "two", keySchema: { hash: "a", range: "b" }, projection: ALL, ...more });
const REMOTE = { $unknown: "vpc.main.vpcId" };

const ROWS: readonly { why: string; spec: JsonObject; at: readonly string[] }[] = [
  { why: "a sound table", spec: { globalSecondaryIndexes: [index({})], localSecondaryIndexes: [local({})] }, at: [] },
  { why: "a key of no type", spec: { attributeDefinitions: { a: "S" } }, at: ["attributeDefinitions"] },
  { why: "a type of no key", spec: { attributeDefinitions: { a: "S", b: "S", c: "N" } }, at: ["attributeDefinitions.c"] },
  {
    why: "one attribute for both keys",
    spec: { keySchema: { hash: "a", range: "a" }, attributeDefinitions: { a: "S" } },
    at: ["keySchema"],
  },
  { why: "no capacity", spec: { billingMode: "PROVISIONED" }, at: ["billingMode"] },
  {
    why: "an index without capacity",
    spec: { billingMode: "PROVISIONED", provisionedThroughput: CAPACITY, globalSecondaryIndexes: [index({})] },
    at: ["globalSecondaryIndexes.0"],
  },
  { why: "a capacity on demand", spec: { provisionedThroughput: CAPACITY }, at: ["provisionedThroughput"] },
  {
    why: "an index with a capacity on demand",
    spec: { globalSecondaryIndexes: [index({ provisionedThroughput: CAPACITY })] },
    at: ["globalSecondaryIndexes.0.provisionedThroughput"],
  },
  {
    why: "limits of a provisioned table",
    spec: { billingMode: "PROVISIONED", provisionedThroughput: CAPACITY, onDemandThroughput: {} },
    at: ["onDemandThroughput"],
  },
  { why: "a billing mode that is not known yet", spec: { billingMode: REMOTE, provisionedThroughput: CAPACITY }, at: [] },
  {
    why: "INCLUDE of nothing",
    spec: { globalSecondaryIndexes: [index({ projection: { projectionType: "INCLUDE" } })] },
    at: ["globalSecondaryIndexes.0.projection"],
  },
  {
    why: "attributes beside ALL",
    spec: { globalSecondaryIndexes: [index({ projection: { ...ALL, nonKeyAttributes: ["c"] } })] },
    at: ["globalSecondaryIndexes.0.projection.nonKeyAttributes"],
  },
  {
    why: "two indexes of one name",
    spec: { globalSecondaryIndexes: [index({})], localSecondaryIndexes: [local({ indexName: "one" })] },
    at: ["localSecondaryIndexes.0.indexName"],
  },
  {
    why: "a local index with another partition key",
    spec: { localSecondaryIndexes: [local({ keySchema: { hash: "b", range: "a" } })] },
    at: ["localSecondaryIndexes.0.keySchema.hash"],
  },
  {
    why: "a local index without a sort key",
    spec: { localSecondaryIndexes: [local({ keySchema: { hash: "a" } })] },
    at: ["localSecondaryIndexes.0.keySchema"],
  },
  {
    why: "a local index of a table without a sort key",
    spec: { keySchema: { hash: "a" }, localSecondaryIndexes: [local({})] },
    at: ["localSecondaryIndexes.0"],
  },
  {
    why: "more than 100 included attributes",
    spec: {
      globalSecondaryIndexes: ["one", "two", "six"].map((indexName, which) =>
        index({
          indexName,
          projection: { projectionType: "INCLUDE", nonKeyAttributes: Array.from({ length: 34 }, (_, name) => `${which}-${name}`) },
        }),
      ),
    },
    at: ["globalSecondaryIndexes"],
  },
  { why: "a stream without a view", spec: { streamSpecification: { streamEnabled: true } }, at: ["streamSpecification"] },
  {
    why: "a view without a stream",
    spec: { streamSpecification: { streamEnabled: false, streamViewType: "KEYS_ONLY" } },
    at: ["streamSpecification.streamViewType"],
  },
  { why: "expiry by nothing", spec: { timeToLiveSpecification: { enabled: true } }, at: ["timeToLiveSpecification"] },
  {
    why: "no expiry, by an attribute",
    spec: { timeToLiveSpecification: { enabled: false, attributeName: "t" } },
    at: ["timeToLiveSpecification.attributeName"],
  },
  {
    why: "days of no recovery",
    spec: { pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false, recoveryPeriodInDays: 7 } },
    at: ["pointInTimeRecoverySpecification.recoveryPeriodInDays"],
  },
  { why: "a key of no encryption", spec: { sseSpecification: { enabled: false, sseType: "KMS" } }, at: ["sseSpecification.sseType"] },
];

for (const { why, spec, at } of ROWS) {
  test(why, () => {
    const resource = { key: "Table/x" as const, spec: { ...BASE, ...spec }, refersTo: () => undefined, spanOf: () => undefined };
    assert.deepEqual(
      [...tableFindings(resource)].map(({ field }) => field),
      at,
    );
  });
}
