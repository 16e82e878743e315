/** What each check makes of what it saw, and what it calls it: tables. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { failureText } from "../../src/monitor/http.ts";
import { CHECKS, monitorOperations, readMonitor } from "../../src/monitor/monitor.ts";

const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-tg/73e2d6bc24d8a067";

const cases: readonly {
  why: string;
  check: string;
  spec: JsonObject;
  observed: unknown;
  healthy: boolean;
  seen: string;
  wanted: string;
}[] = [
  {
    why: "enough healthy targets",
    check: "targetHealth",
    spec: { targetGroupArn: arn, minimumHealthyTargets: 2 },
    observed: { healthy: 2, unhealthy: 1, draining: 1 },
    healthy: true,
    seen: "2 of 4 healthy (1 unhealthy, 1 draining)",
    wanted: "at least 2",
  },
  {
    why: "too few",
    check: "targetHealth",
    spec: { targetGroupArn: arn, minimumHealthyTargets: 3 },
    observed: { healthy: 2 },
    healthy: false,
    seen: "2 of 2 healthy",
    wanted: "at least 3",
  },
  {
    why: "one is the least",
    check: "targetHealth",
    spec: { targetGroupArn: arn },
    observed: {},
    healthy: false,
    seen: "no targets",
    wanted: "at least 1",
  },
  {
    why: "the group is gone",
    check: "targetHealth",
    spec: { targetGroupArn: arn },
    observed: undefined,
    healthy: false,
    seen: "no such target group",
    wanted: "at least 1",
  },
  {
    why: "an active table",
    check: "tableStatus",
    spec: { tableName: "t" },
    observed: "ACTIVE",
    healthy: true,
    seen: "ACTIVE",
    wanted: "ACTIVE",
  },
  {
    why: "a table that changes",
    check: "tableStatus",
    spec: { tableName: "t" },
    observed: "UPDATING",
    healthy: false,
    seen: "UPDATING",
    wanted: "ACTIVE",
  },
  {
    why: "a table that may change",
    check: "tableStatus",
    spec: { tableName: "t", expectedStatuses: ["ACTIVE", "UPDATING"] },
    observed: "UPDATING",
    healthy: true,
    seen: "UPDATING",
    wanted: "ACTIVE or UPDATING",
  },
  {
    why: "no table",
    check: "tableStatus",
    spec: { tableName: "t" },
    observed: undefined,
    healthy: false,
    seen: "no such table",
    wanted: "ACTIVE",
  },
  {
    why: "the expected status",
    check: "http",
    spec: { url: "https://a/" },
    observed: { status: 200 },
    healthy: true,
    seen: "HTTP 200",
    wanted: "HTTP 200",
  },
  {
    why: "a redirect's own status",
    check: "http",
    spec: { url: "https://a/" },
    observed: { status: 301 },
    healthy: false,
    seen: "HTTP 301",
    wanted: "HTTP 200",
  },
  {
    why: "one of several statuses",
    check: "http",
    spec: { url: "https://a/", expectedStatus: [200, 401] },
    observed: { status: 401 },
    healthy: true,
    seen: "HTTP 401",
    wanted: "HTTP 200 or 401",
  },
  {
    why: "no answer is never well",
    check: "http",
    spec: { url: "https://a/", expectedStatus: 503 },
    observed: { failure: "connection refused" },
    healthy: false,
    seen: "connection refused",
    wanted: "HTTP 503",
  },
  {
    why: "an alarm",
    check: "alarmState",
    spec: { alarmName: "a" },
    observed: "ALARM",
    healthy: false,
    seen: "ALARM",
    wanted: "not ALARM",
  },
  {
    why: "an alarm that is at rest",
    check: "alarmState",
    spec: { alarmName: "a" },
    observed: "OK",
    healthy: true,
    seen: "OK",
    wanted: "not ALARM",
  },
  {
    why: "an alarm that has no data is no alarm",
    check: "alarmState",
    spec: { alarmName: "a" },
    observed: "INSUFFICIENT_DATA",
    healthy: true,
    seen: "INSUFFICIENT_DATA",
    wanted: "not ALARM",
  },
  {
    why: "no such alarm",
    check: "alarmState",
    spec: { alarmName: "a" },
    observed: undefined,
    healthy: false,
    seen: "no such alarm",
    wanted: "not ALARM",
  },
];

for (const { why, check, spec, observed, healthy, seen, wanted } of cases) {
  test(`${check}: ${why}`, () => {
    const found = CHECKS.find(({ name }) => name === check);
    assert.deepEqual(found?.judge(spec, observed), { healthy, seen });
    assert.equal(found?.wanted(spec), wanted);
  });
}

test("what is checked is called by a name that a person knows", () => {
  const subjects = {
    targetHealth: { targetGroupArn: arn },
    tableStatus: { tableName: "carts" },
    http: { url: "https://a/b" },
    alarmState: { alarmName: "cpu" },
  };
  assert.deepEqual(
    CHECKS.map(({ name, subject }) => subject(subjects[name as keyof typeof subjects])),
    ["shop-tg", "carts", "https://a/b", "cpu"],
  );
  assert.equal(CHECKS[0]?.subject({ targetGroupArn: "no-arn" }), "no-arn");
});

test("a connection's failure is said in words, and an unknown one by its code", () => {
  const failed = (cause: unknown) => new TypeError("fetch failed", { cause });
  const rows: readonly (readonly [error: Error, text: string])[] = [
    [failed({ code: "ECONNREFUSED" }), "connection refused"],
    [failed({ errors: [{ code: "ECONNREFUSED" }, { code: "ETIMEDOUT" }] }), "connection refused"],
    [failed({ code: "ENOTFOUND" }), "no such host"],
    [failed({ code: "UND_ERR_SOCKET" }), "connection closed without an answer"],
    [failed({ code: "ERR_SOMETHING" }), "failed: ERR_SOMETHING"],
    [failed(new Error("redirect count exceeded")), "failed: redirect count exceeded"],
    [new TypeError("bad port"), "failed: bad port"],
  ];
  for (const [error, text] of rows) assert.equal(failureText(error), text);
});

test("a spec's defaults are filled in, and a value that became known late and does not fit is told", () => {
  const read = readMonitor({ http: { url: "https://a/" } });
  assert.ok(!("wrong" in read));
  const { timeoutMs, retries } = read;
  assert.deepEqual([timeoutMs, retries], [10_000, 2]);
  assert.deepEqual(readMonitor({ http: { url: "ftp://a/" } }), { wrong: "http.url must be a URL that begins with http:// or https://" });
});

test("each check declares what it may call, and no other's calls come with it", () => {
  assert.deepEqual(monitorOperations(["http"]), []);
  assert.deepEqual(monitorOperations(["alarmState", "tableStatus"]), ["dynamodb:DescribeTable", "cloudwatch:DescribeAlarms"]);
  assert.equal(monitorOperations().length, 3);
});
