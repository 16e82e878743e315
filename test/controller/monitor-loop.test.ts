/** The Monitors of a stack over hours of virtual time: what is told, how often AWS is looked at, and what a new revision changes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../../src/aws/service.ts";
import type { ControllerEvent } from "../../src/controller/events.ts";
import { MonitorLoop } from "../../src/controller/monitor-loop.ts";
import type { CompiledMonitor, View } from "../../src/core/compiled.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { unknown } from "../../src/core/unknown.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

type Answer = number | "down" | "hangs";

/** An http Monitor; `url` may be what a resource says. */
function monitor(name: string, more: JsonObject = {}, needs: readonly ResourceKey[] = []): CompiledMonitor {
  const spec: JsonObject = { http: { url: `https://${name}/` }, retries: 0, interval: "60s", ...more };
  const resolve = (view: View): JsonObject =>
    needs.length === 0 ? spec : { ...spec, http: { url: view(needs[0] as ResourceKey)?.url ?? unknown("vpc.main.url") } };
  return { key: `Monitor/${name}`, check: "http", spec, needs, declaredAt: "m.yaml:1:1", resolve };
}

/** A loop in a virtual world; endpoints answer what `answers` says of their host, 200 otherwise. */
function setUp() {
  const world = new VirtualWorld();
  const runtime = world.process("controller");
  const answers: Record<string, Answer> = {};
  const checks: { host: string; atMs: number }[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  const fetch = async (url: unknown, { signal }: RequestInit) => {
    const { host } = new URL(String(url));
    checks.push({ host, atMs: world.elapsedMs });
    const answer = answers[host] ?? 200;
    if (answer === "down") throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    if (answer === "hangs") await runtime.sleep(3_600_000, signal ?? undefined);
    return new Response("", { status: Number(answer) || 200 });
  };
  const listener = (event: ControllerEvent): void => {
    if (event.type === "monitorFailed") told.push(`${event.monitor} failed: ${event.message}`);
    else if (event.type === "monitorRecovered") told.push(`${event.monitor} recovered after ${Math.round(event.afterMs / 1000)} s`);
    else told.push(event.type);
  };
  const tools = { reader: undefined as unknown as Reader, fetch: fetch as typeof globalThis.fetch };
  const stack = { project: "beacon", environment: "prod" };
  const loop = new MonitorLoop({ stack, tools, runtime, listener, signal: stop.signal });
  const stateOf = (name: string) => loop.snapshot().find(({ monitor: own }) => own === name);
  const run = (main: () => Promise<void>) =>
    world.run(async () => {
      await main();
      stop.abort();
    });
  return { world, answers, checks, told, stop, loop, stateOf, run };
}

const nothingNeeded = async (): Promise<View> => assert.fail("nobody needs a look");

test("each is checked at once and then on its own interval, within its jitter, and a quiet day tells nothing", async () => {
  const { world, checks, told, loop, run } = setUp();
  await run(async () => {
    loop.watch([monitor("often", { interval: "30s" }), monitor("seldom", { interval: "1h" }), monitor("usual", {})], nothingNeeded);
    await world.sleep(4 * 3_600_000 - 1);
  });
  const times = (host: string) => checks.filter((check) => check.host === host).map(({ atMs }) => atMs);
  assert.deepEqual(
    ["often", "seldom", "usual"].map((host) => times(host)[0]),
    [0, 0, 0],
  );
  const gaps = times("often")
    .map((atMs, index, all) => atMs - (all[index - 1] ?? Number.NaN))
    .slice(1);
  assert.ok(
    gaps.every((ms) => ms >= 28_500 && ms <= 31_500),
    `30 s and 5 percent: ${Math.min(...gaps)} to ${Math.max(...gaps)}`,
  );
  assert.ok(new Set(gaps.map(Math.round)).size > 100, "no two gaps are alike");
  assert.ok(times("seldom").length >= 4 && times("seldom").length <= 5);
  assert.ok(Math.abs(times("usual").length - 240) < 5);
  assert.deepEqual(told, []);
});

test("an alert once it failed so often in a row, and one recovery with how long it was bad", async () => {
  const { world, answers, told, loop, stateOf, run } = setUp();
  await run(async () => {
    loop.watch([monitor("web", { failureThreshold: 3 }), monitor("fine")], nothingNeeded);
    await world.sleep(90_000);
    answers.web = 503;
    await world.sleep(90_000);
    assert.deepEqual(told, []);
    assert.deepEqual([stateOf("web")?.state, stateOf("web")?.failing], ["unhealthy", false]);
    await world.sleep(600_000);
    assert.deepEqual(told, ["web failed: HTTP 503, wanted HTTP 200"]);
    assert.deepEqual([stateOf("web")?.seen, stateOf("web")?.failing, stateOf("fine")?.failing], ["HTTP 503", true, false]);
    answers.web = 200;
    await world.sleep(120_000);
  });
  assert.equal(told.length, 2);
  assert.match(told[1] ?? "", /^web recovered after (6|7)\d\d s$/);
  assert.deepEqual([stateOf("web")?.state, stateOf("web")?.failing], ["healthy", false]);
});

test("what nobody could look at is shown, and is neither failed nor recovered; the others are checked all the same", async () => {
  const { world, checks, told, loop, stateOf, run } = setUp();
  let looks = 0;
  let problem: Error | undefined = new Error("VPC objects could not be read: not allowed");
  const present = async (): Promise<View> => {
    looks += 1;
    if (problem) throw problem;
    return () => ({ url: "https://looked-up/" });
  };
  await run(async () => {
    loop.watch([monitor("blind", {}, ["VPC/main"]), monitor("fine")], present);
    await world.sleep(600_000);
    assert.deepEqual([stateOf("blind")?.state, stateOf("blind")?.seen], ["unknown", "VPC objects could not be read: not allowed"]);
    assert.equal(stateOf("fine")?.state, "healthy");
    assert.ok(looks > 5, "it is tried again on its interval");
    problem = undefined;
    await world.sleep(70_000);
    assert.equal(stateOf("blind")?.state, "healthy");
  });
  assert.ok(checks.some(({ host }) => host === "looked-up"));
  assert.deepEqual(told, []);
});

test("what is not there yet is unhealthy", async () => {
  const { world, told, loop, run } = setUp();
  await run(async () => {
    loop.watch([monitor("early", {}, ["VPC/main"])], async () => () => undefined);
    await world.sleep(10_000);
  });
  assert.deepEqual(told, ["early failed: not there yet, wanted HTTP 200"]);
});

test("those that come together share one look at AWS, which is not kept for the next round", async () => {
  const { world, loop, run } = setUp();
  let looks = 0;
  const present = async (): Promise<View> => {
    looks += 1;
    await world.sleep(2000);
    return () => ({ url: "https://looked-up/" });
  };
  await run(async () => {
    loop.watch(
      Array.from({ length: 20 }, (_, index) => monitor(`m${index}`, {}, ["VPC/main"])),
      present,
    );
    await world.sleep(55_000);
    assert.equal(looks, 1);
    await world.sleep(3_600_000);
  });
  assert.ok(looks > 55 && looks < 125, `at most two a minute for all twenty, not ${looks}`);
});

test("one that hangs is given up after its timeout, and never checked twice at once", async () => {
  const { world, answers, checks, told, loop, run } = setUp();
  answers.slow = "hangs";
  await run(async () => {
    loop.watch([monitor("slow", { interval: "5s", timeout: "20s" }), monitor("quick", { interval: "5s" })], nothingNeeded);
    await world.sleep(100_000);
  });
  assert.deepEqual(told, ["slow failed: no answer in 20 s, wanted HTTP 200"]);
  const counts = ["slow", "quick"].map((host) => checks.filter((check) => check.host === host).length);
  assert.ok((counts[0] ?? 0) <= 6 && (counts[1] ?? 0) >= 19, `slow and quick were checked ${counts} times`);
});

test("a new revision leaves unchanged ones alone, checks changed and new ones at once, and ends those that are gone", async () => {
  const { world, answers, checks, told, loop, stateOf, run } = setUp();
  Object.assign(answers, { same: 503, gone: 503 });
  await run(async () => {
    loop.watch([monitor("same", { interval: "1h" }), monitor("changed", { interval: "1h" }), monitor("gone")], nothingNeeded);
    await world.sleep(1000);
    assert.equal(told.length, 2);
    checks.length = 0;
    loop.watch([monitor("same", { interval: "1h" }), monitor("changed", { interval: "2h" }), monitor("new")], nothingNeeded);
    await world.sleep(1000);
    assert.deepEqual(checks.map(({ host }) => host).sort(), ["changed", "new"]);
    assert.deepEqual([stateOf("same")?.failing, stateOf("gone")], [true, undefined]);
    answers.same = 200;
    await world.sleep(3 * 3_600_000);
  });
  assert.equal(checks.filter(({ host }) => host === "gone").length, 0);
  assert.match(told.slice(2).join(), /^same recovered after 3\d\d\d s$/, "the state of the unchanged one outlived the revision");
});

test("once it is stopped nothing is checked or told, whatever was under way", async () => {
  const { world, answers, checks, told, stop, loop } = setUp();
  Object.assign(answers, { slow: "hangs", down: "down" });
  await world.run(async () => {
    loop.watch([monitor("slow", { retries: 5 }), monitor("retrying", { retries: 5 })], nothingNeeded);
    await world.sleep(500);
    stop.abort();
    checks.length = 0;
    await world.sleep(3_600_000);
  });
  assert.deepEqual([checks, told], [[], []]);
});
