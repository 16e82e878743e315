/**
 * A soak: outside hands change the shop at random, while calls are throttled, fail, lose their answers and take their time; and
 * when that is over, the shop is what it was, once, and the controller no larger.
 *
 * A short one runs with the other tests; `npm run soak` takes a quarter of an hour, `BEACON_SOAK_SECONDS` any time. The seed is
 * printed, and `BEACON_SOAK_SEED` plays it again, as far as two processes and a clock allow.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AwsCall } from "../../support/aws-call.ts";
import { alike } from "./alike.ts";
import { CHANGED, DELETED } from "./drifts.ts";
import { publishImage } from "./hands.ts";
import { newSite } from "./site.ts";

const SHOP = { project: "shop", environment: "live" };
const SECONDS = Number(process.env.BEACON_SOAK_SECONDS ?? 30);
const SEED = Number(process.env.BEACON_SOAK_SEED ?? Date.now() % 1_000_000);
/** Between two outside changes: each is put right before the next comes, mostly. */
const EVERY_MS = 700;
/** Of the calls to AWS; the rest of what goes wrong is rarer, as it is there. */
const THROTTLED = 0.3;
const FAILED = 0.03;
const LOST = 0.02;
const SLOW = 0.1;
/** What looks, corrections, and repeats of both may take for each second of it. */
const CALLS_PER_SECOND_MAX = 40;
/** A heap breathes: by a third, at most, between the first minute and the last. */
const GROWTH_MAX = 1.35;

const site = await newSite();
after(() => site.close());

test(`${SECONDS} s of drift and faults, seed ${SEED}`, { timeout: (SECONDS + 240) * 1000 }, async (context) => {
  await site.run(["bootstrap", "--events", "--region", "ap-northeast-2"]);
  await publishImage(site.hands, "shop-1");
  const manifests = site.manifests("shop");
  const controller = site.control(["-f", manifests.path, "--interval", "5s"]);
  await site.standsAs(SHOP, "the shop", ({ phase, converged }) => phase === "Synced" && converged === 1, 60_000);
  const whole = alike(await site.world());
  const random = seeded(SEED);
  for (const rule of faults(random)) site.proxy.inject(rule);
  site.proxy.clearCalls();

  const memory: number[] = [];
  const endMs = performance.now() + SECONDS * 1000;
  let changes = 0;
  while (performance.now() < endMs) {
    const rows = random() < 0.8 ? CHANGED : DELETED;
    const row = rows[Math.floor(random() * rows.length)] ?? assert.fail("no rows");
    // What an earlier hand took away cannot be changed by the next one.
    await row.change({ hands: site.hands, id: (key) => site.id(SHOP, key) }).then(
      () => {
        changes += 1;
      },
      () => {},
    );
    memory.push(rssMb(controller.pid));
    await pause(EVERY_MS);
  }
  const calls = site.proxy.calls.filter(({ body }) => !body.includes('"beacon-state"')).length;
  site.proxy.clearRules();

  await site.standsAs(SHOP, "quiet again", ({ phase, counts }) => phase === "Synced" && counts.drifted + counts.stalled === 0, 120_000);
  await site.looksAgain(SHOP);
  const now = alike(await site.world());
  for (const kind of new Set([...Object.keys(now), ...Object.keys(whole)])) assert.deepEqual(now[kind], whole[kind], kind);

  const [early, late] = [median(memory.slice(0, memory.length / 3)), median(memory.slice(-memory.length / 3))];
  context.diagnostic(`${changes} outside changes; ${Math.round(calls / SECONDS)} calls a second; RSS ${early} MB, then ${late} MB`);
  assert.ok(changes > SECONDS / 4, `${changes} changes in ${SECONDS} s test nothing`);
  assert.ok(calls / SECONDS <= CALLS_PER_SECOND_MAX, `${calls} calls in ${SECONDS} s`);
  assert.ok(late <= early * GROWTH_MAX, `RSS grew from ${early} to ${late} MB`);
  await site.halt();
});

/** Of the calls of the shop's own services; the state table is another test's business. */
function faults(random: () => number) {
  const befalls = (share: number) => (call: AwsCall) => !call.body.includes('"beacon-state"') && call.service !== "sqs" && random() < share;
  const rule = (share: number, fault: object) => ({ match: { where: befalls(share) }, fault, times: "always" }) as never;
  return [
    rule(THROTTLED, { type: "throttle" }),
    rule(FAILED, { type: "error", when: "before", status: 500, code: "InternalFailure" }),
    rule(FAILED, { type: "error", when: "after", status: 503, code: "ServiceUnavailable" }),
    rule(LOST, { type: "lostResponse" }),
    rule(SLOW, { type: "delay", when: "after", ms: 300 }),
  ];
}

/** mulberry32: the same sequence for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function rssMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
