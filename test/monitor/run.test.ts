/** One Monitor's looks under virtual time: retries, timeouts, and what AWS refuses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError, type Verdict } from "../../src/aws/errors.ts";
import type { Reader } from "../../src/aws/service.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { unknown } from "../../src/core/unknown.ts";
import { type MonitorResult, runMonitor } from "../../src/monitor/run.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

type Answer = number | "refused" | { readonly afterMs: number };

/** Runs an http Monitor whose endpoint answers so, one answer a look; the last one repeats. */
async function run(answers: readonly Answer[], more: JsonObject = {}): Promise<MonitorResult & { readonly requests: RequestInit[] }> {
  const world = new VirtualWorld();
  const runtime = world.process("monitor");
  const requests: RequestInit[] = [];
  const fetch = async (_url: unknown, init: RequestInit) => {
    requests.push(init);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    if (answer === "refused") throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    if (typeof answer === "object") await runtime.sleep(answer.afterMs, init.signal ?? undefined);
    return new Response("", { status: typeof answer === "number" ? answer : 200 });
  };
  const tools = { reader: undefined as unknown as Reader, fetch: fetch as typeof globalThis.fetch };
  let result: MonitorResult | undefined;
  await world.run(async () => {
    result = await runMonitor("Monitor/web", { http: { url: "https://a/" }, ...more }, tools, runtime);
  });
  return { ...(result as MonitorResult), requests };
}

test("a healthy one is looked at once", async () => {
  const { state, seen, attempts, elapsedMs, subject, wanted, check, key } = await run([200]);
  assert.deepEqual({ state, seen, attempts, elapsedMs }, { state: "healthy", seen: "HTTP 200", attempts: 1, elapsedMs: 0 });
  assert.deepEqual({ key, check, subject, wanted }, { key: "Monitor/web", check: "http", subject: "https://a/", wanted: "HTTP 200" });
});

test("a blip is looked at again, a second later", async () => {
  const { state, attempts, elapsedMs } = await run([503, "refused", 200]);
  assert.deepEqual({ state, attempts, elapsedMs }, { state: "healthy", attempts: 3, elapsedMs: 2000 });
});

test("what stays unhealthy is told as last seen, after so many looks", async () => {
  const { state, seen, attempts } = await run([503, 502, 500, 200]);
  assert.deepEqual({ state, seen, attempts }, { state: "unhealthy", seen: "HTTP 500", attempts: 3 });
  assert.equal((await run([503, 200], { retries: 0 })).attempts, 1);
});

test("an answer that comes too late is none, and its request is given up", async () => {
  const { state, seen, attempts, elapsedMs, requests } = await run([{ afterMs: 60_000 }], { timeout: "3s", retries: 1 });
  assert.deepEqual({ state, seen, attempts, elapsedMs }, { state: "unhealthy", seen: "no answer in 3 s", attempts: 2, elapsedMs: 7000 });
  assert.ok(requests.every(({ signal }) => signal?.aborted));
});

test("redirects are followed only where the Monitor says so", async () => {
  const modes = async (spec: JsonObject) =>
    (await run([200], { http: { url: "https://a/", ...spec } })).requests.map(({ redirect }) => redirect);
  assert.deepEqual(await modes({}), ["manual"]);
  assert.deepEqual(await modes({ followRedirects: true }), ["follow"]);
});

test("a resource that is not there yet is not healthy, and nothing is sent for it", async () => {
  const { state, seen, subject, wanted, attempts, requests } = await run([200], { http: { url: unknown("local.url") } });
  assert.deepEqual(
    { state, seen, subject, wanted, attempts },
    { state: "unhealthy", seen: "not there yet", subject: "<local.url>", wanted: "HTTP 200", attempts: 0 },
  );
  assert.equal(requests.length, 0);
});

test("a value that became known late and does not fit is told, and nothing is sent", async () => {
  const { state, seen, requests } = await run([200], { http: { url: "file:///etc/passwd" } });
  assert.deepEqual([state, seen, requests.length], ["unhealthy", "http.url must be a URL that begins with http:// or https://", 0]);
});

/** Runs a tableStatus Monitor whose look AWS answers with this error. */
async function failing(name: string, verdict: Verdict): Promise<MonitorResult> {
  const world = new VirtualWorld();
  const runtime = world.process("monitor");
  const reader = {
    read: async () => {
      throw new AwsError(name, "why", { operation: "dynamodb:DescribeTable", verdict });
    },
  } as unknown as Reader;
  let result: MonitorResult | undefined;
  await world.run(async () => {
    result = await runMonitor("Monitor/t", { tableStatus: { tableName: "carts" } }, { reader, fetch }, runtime);
  });
  return result as MonitorResult;
}

const errors: readonly { why: string; name: string; verdict: Verdict; state: string; seen: string; attempts: number }[] = [
  {
    why: "what AWS refuses is not asked again",
    name: "AccessDeniedException",
    verdict: "refused",
    state: "unknown",
    seen: "could not be read: why (AccessDeniedException)",
    attempts: 1,
  },
  {
    why: "a failure that may pass is",
    name: "InternalServerError",
    verdict: "ambiguous",
    state: "unknown",
    seen: "could not be read: why (InternalServerError)",
    attempts: 3,
  },
  {
    why: "what does not exist was seen not to",
    name: "ResourceNotFoundException",
    verdict: "refused",
    state: "unhealthy",
    seen: "no such table",
    attempts: 3,
  },
];

for (const { why, name, verdict, state, seen, attempts } of errors) {
  test(why, async () => {
    const result = await failing(name, verdict);
    assert.deepEqual([result.state, result.seen, result.attempts], [state, seen, attempts]);
  });
}
