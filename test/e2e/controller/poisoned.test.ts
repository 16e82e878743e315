/** One stack that fails for ever, and a flood of events, beside a stack that is to be kept as ever by the same controller. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SQS } from "@aws-sdk/client-sqs";
import { clientSettings } from "../../support/sandbox.ts";
import { newSite, type Site } from "./site.ts";

const YARD = { project: "yard", environment: "live" };
const WELL = { project: "well", environment: "live" };
const PLAIN = "/yard/live/plain";
const CORRECTIONS = 5;
const FLOOD = 5000;
/** SQS takes so many messages in one call. */
const BATCH = 10;
const MINUTE_MS = 60_000;

let site: Site;
let usualMs: number;

before(async () => {
  site = await newSite();
  await site.run(["bootstrap", "--events", "--region", "ap-northeast-2"]);
  await site.run(["apply", "-f", site.manifests("yard").path, "--yes"]);
  for (const [name, fault] of [
    ["refused", { type: "error", when: "before", status: 400, code: "InvalidParameterException" }],
    ["broken", { type: "error", when: "before", status: 500, code: "InternalFailure" }],
    ["slowed", { type: "throttle" }],
  ] as const) {
    site.proxy.inject({ match: { operations: ["logs:CreateLogGroup"], contains: `/well/live/${name}` }, times: "always", fault });
  }
  site.control(["-f", site.manifests("well").path, "--interval", "1s", "--no-events"]);
});
after(() => site.close());

describe("a stack that fails for ever", { timeout: 240_000 }, () => {
  test("says what fails, and brings about what it can", async () => {
    await site.standsAs(WELL, "it says what fails", ({ unfinished }) => {
      const named = new Set<string>(unfinished.map(({ key }) => key));
      return named.has("LogGroup/group-refused") && named.has("LogGroup/group-broken") && named.has("Role/poor");
    });
    await site.until("the good one", async () => (await retention("/well/live/good")) === 7);
    const { phase } = (await site.status(WELL)) ?? {};
    assert.ok(phase === "Stalled" || phase === "Converging", String(phase));
  });

  test("does not slow another, whose drift is put back as soon as ever", async () => {
    const times = await corrections();
    usualMs = median(times);
    // A look every second, and a pass of less than one, on a machine that does other things too.
    assert.ok(usualMs < 8000, `${times} ms`);
  });

  test("does not hammer AWS", async () => {
    site.proxy.clearCalls();
    const startedMs = performance.now();
    for (let look = 0; look < 10; look++) await site.looksAgain(YARD);
    const perMinute = (part: string) =>
      (site.proxy.calls.filter(({ name, body }) => name === "logs:CreateLogGroup" && body.includes(part)).length * MINUTE_MS) /
      (performance.now() - startedMs);
    const attached = site.proxy.calls.filter(({ name }) => name === "iam:AttachRolePolicy").length;
    assert.deepEqual([perMinute("/well/live/refused"), attached], [0, 0], "what AWS refuses is not tried again");
    // What may pass is tried again, after a second at first and twice that each time.
    assert.ok(perMinute("/well/live/broken") <= 20, `${perMinute("/well/live/broken")} a minute`);
    assert.ok(perMinute("/well/live/slowed") <= 60, `${perMinute("/well/live/slowed")} a minute`);
  });

  test("is brought about once it is not poisoned any more", async () => {
    site.proxy.clearRules();
    await site.until(
      "the others",
      async () => (await retention("/well/live/broken")) === 7 && (await retention("/well/live/slowed")) === 7,
    );
    await site.run(["check", "--stack", "well/live", "--region", "ap-northeast-2", "--no-wait"]);
    await site.until("the refused one", async () => (await retention("/well/live/refused")) === 7);
  });
});

test(`${FLOOD} events at once are few looks, and nobody waits for them`, { timeout: 120_000 }, async () => {
  await site.halt();
  const controller = site.control(["--interval", "1h"]);
  await site.looksAgain(YARD);
  const settled = controller.output.length;
  site.proxy.clearCalls();
  await flood();
  const startedMs = performance.now();
  await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
  await site.until("drift amid the flood is put back", async () => (await retention()) === 7);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < Math.max(8000, 3 * usualMs), `${tookMs} ms`);
  await site.until("the flood is over", async () => (await left()) === 0);
  const passes = controller.output
    .slice(settled)
    .split("\n")
    .filter((line) => line.includes("pass ended") && line.includes("event"));
  const looks = site.proxy.calls.filter(({ name }) => name === "logs:DescribeLogGroups");
  assert.ok(passes.length > 0 && passes.length < FLOOD / BATCH / 2, `${passes.length} passes`);
  assert.ok(looks.length < FLOOD / BATCH, `${looks.length} looks`);
});

/** How long each of a few drifts stood, in milliseconds. */
async function corrections(): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < CORRECTIONS; round++) {
    const startedMs = performance.now();
    // Another value each time: the very same again and again is a war.
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: [30, 60, 90, 120, 150][round] });
    await site.until("drift is put back", async () => (await retention()) === 7);
    times.push(Math.round(performance.now() - startedMs));
  }
  return times;
}

const median = (values: readonly number[]) => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number;

async function retention(logGroupName = PLAIN): Promise<number | undefined> {
  const { logGroups = [] } = await site.hands.logs.describeLogGroups({ logGroupNamePrefix: logGroupName });
  return logGroups.find((group) => group.logGroupName === logGroupName)?.retentionInDays;
}

async function queue(): Promise<{ sqs: SQS; QueueUrl: string }> {
  const sqs = new SQS(await clientSettings(site.endpoint, "ap-northeast-2"));
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: "beacon-events" });
  return { sqs, QueueUrl: QueueUrl ?? assert.fail("no queue") };
}

/** Calls of somebody's on one of the yard's groups, as EventBridge reports them: all of them are in the queue when it resolves. */
async function flood(): Promise<void> {
  const { sqs, QueueUrl } = await queue();
  const batches = Array.from({ length: FLOOD / BATCH }, () =>
    Array.from({ length: BATCH }, (_, at) => ({ Id: String(at), MessageBody: reported() })),
  );
  for (const Entries of batches) await sqs.sendMessageBatch({ QueueUrl, Entries });
  sqs.destroy();
}

function reported(): string {
  const detail = {
    eventVersion: "1.11",
    eventID: randomUUID(),
    eventTime: new Date().toISOString(),
    eventSource: "logs.amazonaws.com",
    eventName: "PutSubscriptionFilter",
    awsRegion: "ap-northeast-2",
    sourceIPAddress: "192.0.2.7",
    userAgent: "aws-cli/2.30",
    userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/mallory", accountId: "123456789012" },
    requestParameters: { logGroupName: PLAIN },
    responseElements: null,
  };
  return JSON.stringify({ "detail-type": "AWS API Call via CloudTrail", source: "aws.logs", detail });
}

async function left(): Promise<number> {
  const { sqs, QueueUrl } = await queue();
  const { Attributes } = await sqs.getQueueAttributes({
    QueueUrl,
    AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
  });
  sqs.destroy();
  return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
}
