import assert from "node:assert/strict";
import { test } from "node:test";
import { allPages, nextPage } from "../../src/aws/pages.ts";

const ROWS: readonly { why: string; page: Record<string, unknown>; next: Record<string, unknown> | undefined }[] = [
  { why: "EC2", page: { NextToken: "t" }, next: { NextToken: "t" } },
  { why: "Logs", page: { nextToken: "t" }, next: { nextToken: "t" } },
  { why: "ELBv2", page: { NextMarker: "m" }, next: { Marker: "m" } },
  { why: "Route 53 Domains", page: { NextPageMarker: "m" }, next: { Marker: "m" } },
  { why: "IAM", page: { Marker: "m", IsTruncated: true }, next: { Marker: "m" } },
  { why: "IAM's last page", page: { Marker: "m", IsTruncated: false }, next: undefined },
  { why: "DynamoDB tables", page: { LastEvaluatedTableName: "a" }, next: { ExclusiveStartTableName: "a" } },
  { why: "DynamoDB items", page: { LastEvaluatedKey: { pk: { S: "a" } } }, next: { ExclusiveStartKey: { pk: { S: "a" } } } },
  { why: "the tagging API's last token is empty", page: { PaginationToken: "" }, next: undefined },
  { why: "the last page", page: { Items: [] }, next: undefined },
];
for (const { why, page, next } of ROWS) test(`next page: ${why}`, () => assert.deepEqual(nextPage(page), next));

test("pages are fetched until one has no token, each with the token of the one before", async () => {
  const asked: unknown[] = [];
  const pages = await allPages(async (more) => {
    asked.push(more);
    return asked.length < 3 ? { NextToken: `t${asked.length}`, Items: [asked.length] } : { Items: [3] };
  });
  assert.deepEqual(asked, [{}, { NextToken: "t1" }, { NextToken: "t2" }]);
  assert.deepEqual(
    pages.flatMap(({ Items }) => Items),
    [1, 2, 3],
  );
});

test("a token that comes twice is an error, not a loop", async () => {
  await assert.rejects(
    allPages(async () => ({ NextToken: "same" })),
    /the same page token came twice/,
  );
});
