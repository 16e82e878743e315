/** Messages to Slack: their pace under virtual time, and their way to a real server on loopback. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { ControllerEvent } from "../../src/controller/events.ts";
import { Notifier, PACE, slotMs } from "../../src/controller/notify.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";
import { SAMPLES } from "./sample-events.ts";

type Answer = number | "refused" | "hangs" | { readonly status: number; readonly retryAfter: string };
type Message = { readonly atMs: number; readonly text: string };

const SECRET = "T0/B0/very-secret";

/** A notifier in a virtual world, whose webhook gives these answers one after the other, then 200. */
function setUp(answers: Answer[] = []) {
  const world = new VirtualWorld();
  const runtime = world.process("controller");
  const tries: Message[] = [];
  const arrived: Message[] = [];
  const logged: { level: string; message: string; facts: Readonly<Record<string, unknown>> | undefined }[] = [];
  const fetch = async (_url: unknown, { body, signal }: RequestInit) => {
    const message = { atMs: Math.round(world.elapsedMs), text: (JSON.parse(String(body)) as { text: string }).text };
    tries.push(message);
    const answer = answers.shift() ?? 200;
    if (answer === "refused") throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    if (answer === "hangs") await runtime.sleep(1e9, signal ?? undefined);
    const { status, retryAfter } = typeof answer === "object" ? answer : { status: Number(answer), retryAfter: undefined };
    if (status === 200) arrived.push(message);
    return new Response("", { status, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } });
  };
  const notifier = new Notifier({
    url: `https://hooks.example/services/${SECRET}`,
    runtime,
    log: (level, message, facts) => void logged.push({ level, message, facts }),
    fetch: fetch as typeof globalThis.fetch,
  });
  return { world, notifier, tries, arrived, logged };
}

const inStack = (environment: string, event: ControllerEvent = SAMPLES.driftFound): ControllerEvent => ({
  ...event,
  stack: { project: "beacon", environment },
});

/** How often a topic was told of, over all messages. */
function told(messages: readonly Message[], counted: string): number {
  const heads = messages.flatMap(({ text }) => text.split("\n").filter((line) => line.startsWith(":")));
  return heads.reduce((sum, head) => sum + Number(new RegExp(`([\\d,]+) ${counted}`).exec(head)?.[1]?.replaceAll(",", "") ?? 0), 0);
}

test("a thousand drifts within a moment are one message, and what nobody needs to be told is none", async () => {
  const { world, notifier, arrived } = setUp();
  await world.run(async () => {
    for (let index = 0; index < 1000; index++) {
      notifier.listener({ ...SAMPLES.driftFound, resource: `VPC/v${index}` });
      notifier.listener(SAMPLES.passEnded);
      if (index % 100 === 0) await world.sleep(200);
    }
    await world.sleep(60_000);
    await notifier.close();
  });
  assert.deepEqual(
    arrived.map(({ atMs, text }) => [atMs, text.split("\n")[0]]),
    [[3000, ":warning: beacon/prod: 1,000 drifted"]],
  );
});

test("a stall that goes on is told once, until it is over", async () => {
  const { world, notifier, arrived } = setUp();
  await world.run(async () => {
    for (let minute = 0; minute < 60; minute++) {
      notifier.listener(SAMPLES.stalled);
      await world.sleep(60_000);
    }
    notifier.listener(SAMPLES.recovered);
    notifier.listener(SAMPLES.stalled);
    await world.sleep(60_000);
    await notifier.close();
  });
  assert.deepEqual([told(arrived, "stalled"), told(arrived, "recovered"), arrived.length], [2, 1, 2]);
});

test("one message a stack; never two within a second, nor more than twenty in a minute; nothing is lost meanwhile", async () => {
  const { world, notifier, arrived } = setUp();
  let sent = 0;
  await world.run(async () => {
    for (let second = 0; second < 300; second++) {
      for (let index = 0; index < 40; index++) {
        notifier.listener(inStack(`e${index}`));
        sent += 1;
      }
      await world.sleep(1000);
    }
    await world.sleep(300_000);
    await notifier.close();
  });
  assert.equal(told(arrived, "drifted"), sent);
  const times = arrived.map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  assert.ok(Math.min(...gaps) >= 1000, `${Math.min(...gaps)} ms between two`);
  const busiest = Math.max(...times.map((start) => times.filter((atMs) => atMs >= start && atMs < start + 60_000).length));
  assert.equal(busiest, 20);
  assert.ok(arrived.every(({ text }) => text.split("\n").filter((line) => line.startsWith(":")).length === 1));
});

test("more stacks than it holds digests for share one, and are still counted", async () => {
  const { world, notifier, arrived } = setUp();
  await world.run(async () => {
    for (let index = 0; index < 500; index++) notifier.listener(inStack(`e${index}`));
    await world.sleep(3_600_000);
    await notifier.close();
  });
  assert.equal(told(arrived, "drifted"), 500);
  assert.match(arrived.at(-1)?.text ?? "", /other stacks: 400 drifted\n• drifted: beacon\/e100: SecurityGroup/);
});

const failures: readonly { why: string; answers: Answer[]; waitMs: readonly [min: number, max: number] }[] = [
  { why: "429 says when", answers: [{ status: 429, retryAfter: "30" }], waitMs: [30_000, 30_000] },
  { why: "429 without a word", answers: [429], waitMs: [1000, 2000] },
  { why: "5xx", answers: [503], waitMs: [1000, 2000] },
  { why: "no connection", answers: ["refused"], waitMs: [1000, 2000] },
  { why: "a webhook that was revoked is tried again, seldom", answers: [404], waitMs: [60_000, 60_000] },
];

for (const { why, answers, waitMs } of failures) {
  test(`a message that failed is sent again: ${why}`, async () => {
    const { world, notifier, tries, arrived, logged } = setUp([...answers]);
    await world.run(async () => {
      notifier.listener(SAMPLES.driftFound);
      await world.sleep(4000);
      notifier.listener(SAMPLES.driftFound);
      await world.sleep(120_000);
      await notifier.close();
    });
    const [first, second] = tries;
    const waited = (second?.atMs ?? 0) - (first?.atMs ?? 0);
    assert.ok(waited >= waitMs[0] && waited <= waitMs[1], `waited ${waited} ms`);
    assert.equal(told(arrived, "drifted"), 2);
    assert.deepEqual(
      logged.filter(({ level }) => level === "warn").map(({ message }) => message),
      ["notification not sent"],
    );
    assert.doesNotMatch(JSON.stringify(logged), /very-secret|hooks\.example/);
  });
}

test("a webhook that is down for an hour is asked ever less often, and told everything afterwards in few words", async () => {
  const answers: Answer[] = Array.from({ length: 4000 }, () => 503);
  const { world, notifier, tries, arrived } = setUp(answers);
  await world.run(async () => {
    for (let second = 0; second < 3600; second++) {
      notifier.listener({ ...SAMPLES.driftFound, resource: `VPC/v${second}` });
      await world.sleep(1000);
    }
    answers.length = 0;
    await world.sleep(120_000);
    await notifier.close();
  });
  const inHour = tries.filter(({ atMs }) => atMs < 3_600_000).length;
  assert.ok(inHour > 50 && inHour < 200, `${inHour} tries in an hour`);
  assert.equal(told(arrived, "drifted"), 3600);
  assert.ok(arrived.every(({ text }) => text.length < 6000));
});

test("a text that is refused goes out as numbers alone, and holds up nothing for ever", async () => {
  const { world, notifier, arrived } = setUp([400]);
  await world.run(async () => {
    notifier.listener(SAMPLES.driftFound);
    await world.sleep(120_000);
    await notifier.close();
  });
  assert.deepEqual(
    arrived.map(({ text }) => text),
    [":warning: beacon/prod: 1 drifted\n… and 1 more: beaconctl events --stack beacon/prod"],
  );
});

test("closing sends what is left at once, in one message, and takes nothing more", async () => {
  const { world, notifier, arrived, logged } = setUp();
  await world.run(async () => {
    for (let index = 0; index < 30; index++) notifier.listener(inStack(`e${index}`));
    await Promise.all([notifier.close(), notifier.close()]);
    notifier.listener(SAMPLES.stalled);
    await world.sleep(60_000);
  });
  assert.equal(arrived.length, 1);
  assert.ok((arrived[0]?.atMs ?? 0) < 1000);
  assert.match(arrived[0]?.text ?? "", /beacon\/e0: 1 drifted[\s\S]*… and 16 more of 16 other stacks$/);
  assert.deepEqual(
    logged.filter(({ level }) => level === "warn"),
    [],
  );
});

const ends: readonly { why: string; answers: Answer[] }[] = [
  { why: "does not answer", answers: ["hangs"] },
  { why: "is down", answers: Array.from({ length: 50 }, () => 503) },
  { why: "asks for more patience than there is", answers: [{ status: 429, retryAfter: "600" }] },
];

for (const { why, answers } of ends) {
  test(`closing ends in time where the webhook ${why}, and says what was not sent`, async () => {
    const { world, notifier, arrived, logged } = setUp([...answers]);
    let tookMs = 0;
    await world.run(async () => {
      notifier.listener(SAMPLES.driftFound);
      notifier.listener(SAMPLES.stalled);
      const startedMs = world.elapsedMs;
      await notifier.close(5000);
      tookMs = world.elapsedMs - startedMs;
    });
    assert.ok(tookMs <= 5000, `took ${tookMs} ms`);
    assert.deepEqual(
      [arrived.length, logged.at(-1)?.message, logged.at(-1)?.facts?.notes],
      [0, "notifications not sent before the end", 2],
    );
  });
}

test("the next slot: a second after the last, and a minute after the twentieth before", () => {
  const rows: readonly { why: string; sent: readonly number[]; slot: number }[] = [
    { why: "the first may leave", sent: [], slot: 0 },
    { why: "a second after the last", sent: [5000], slot: 6000 },
    { why: "nineteen leave room", sent: Array.from({ length: 19 }, (_, index) => index * 1000), slot: 19_000 },
    { why: "twenty fill the minute", sent: Array.from({ length: 20 }, (_, index) => index * 1000), slot: 60_000 },
  ];
  for (const { why, sent, slot } of rows) assert.equal(slotMs(sent, PACE), slot, why);
});

test("a real server gets JSON in UTF-8; its 429 is waited for, its 500 is tried again", async () => {
  const bodies: string[] = [];
  const answers: readonly [status: number, headers: Record<string, string>][] = [
    [429, { "retry-after": "0" }],
    [500, {}],
  ];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    assert.deepEqual([request.method, request.headers["content-type"], request.url], ["POST", "application/json", `/services/${SECRET}`]);
    const [status, headers] = answers[bodies.length] ?? [200, {}];
    bodies.push(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(status, headers).end("ok");
    if (status === 200) done.resolve();
  });
  const done = Promise.withResolvers<void>();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/${SECRET}`;
  const notifier = new Notifier({
    url,
    // Its waits are a hundred times as short.
    runtime: { ...systemRuntime, sleep: (ms, signal) => systemRuntime.sleep(ms / 100, signal), monotonic: () => performance.now() * 100 },
    log: () => {},
  });
  try {
    notifier.listener({ ...SAMPLES.stalled, message: "größer → schlimmer" });
    await done.promise;
    await notifier.close();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(bodies.length, 3);
  assert.equal(new Set(bodies).size, 1);
  assert.match((JSON.parse(bodies[0] ?? "{}") as { text: string }).text, /größer → schlimmer$/);
});
