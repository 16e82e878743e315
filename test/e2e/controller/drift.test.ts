/**
 * Outside changes to a stack of many kinds under the real controller: seen, recorded, corrected, by nothing but its own looks;
 * and everything that is not its own stays as it is.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Attribution, Drift, StackEvent } from "../../../src/core/record.ts";
import { beyond, type World } from "../../support/world.ts";
import { alike } from "./alike.ts";
import { CHANGED, DELETED, type Outside } from "./drifts.ts";
import { settleAmong } from "./foreign.ts";
import { publishImage } from "./hands.ts";
import { type Manifests, newSite, type Site } from "./site.ts";

const SHOP = { project: "shop", environment: "live" };
/** As many may vanish at once and be made anew without a person's word. */
const AT_ONCE = 3;

let site: Site;
let manifests: Manifests;
let whole: World;
let foreign: World;

before(async () => {
  site = await newSite();
  await site.run(["bootstrap", "--events", "--region", "ap-northeast-2"]);
  await publishImage(site.hands, "shop-1");
  manifests = site.manifests("shop");
  site.control(["-f", manifests.path, "--interval", "1h"]);
  await site.standsAs(SHOP, "the shop", ({ phase, converged }) => phase === "Synced" && converged === 1, 60_000);
  const own = await site.world();
  await settleAmong(site);
  whole = await site.world();
  foreign = beyond(whole, own);
});
after(() => site.close());

describe("drift", { timeout: 180_000 }, () => {
  describe("that AWS's events tell of is put back in place where", { concurrency: CHANGED.length }, () => {
    for (const outside of CHANGED) test(`${outside.what} (${outside.key})`, () => assertCorrected(outside, "event"));
  });

  test("is found without events by another controller", async () => {
    await site.halt();
    site.control(["-f", manifests.path, "--interval", "1s", "--no-events"]);
    await site.looksAgain(SHOP);
  });

  describe("that looks alone tell of is made anew where somebody deletes", { concurrency: AT_ONCE }, () => {
    for (const outside of DELETED) test(`${outside.what} (${outside.key})`, () => assertCorrected(outside, "trail"));
  });

  test("a target group and the rule that sends to it are made anew together", async () => {
    const { elb } = site.hands;
    const since = new Date().toISOString();
    await elb.deleteRule({ RuleArn: await site.id(SHOP, "ListenerRule/api") });
    await elb.deleteTargetGroup({ TargetGroupArn: await site.id(SHOP, "TargetGroup/api") });
    await Promise.all(["ListenerRule/api", "TargetGroup/api"].map((key) => corrected({ key, path: "" }, since)));
  });

  test("what an autoscaler moves, and an image that is newer, change nothing", async () => {
    const { autoscaling, ec2 } = site.hands;
    const since = new Date().toISOString();
    const AutoScalingGroupName = await site.id(SHOP, "AutoScalingGroup/web");
    const template = async () =>
      (await ec2.describeLaunchTemplates({ LaunchTemplateIds: [await site.id(SHOP, "LaunchTemplate/web")] })).LaunchTemplates;
    const desired = async () =>
      (await autoscaling.describeAutoScalingGroups({ AutoScalingGroupNames: [AutoScalingGroupName] })).AutoScalingGroups?.[0];
    const versions = await template();
    await autoscaling.setDesiredCapacity({ AutoScalingGroupName, DesiredCapacity: 3 });
    await publishImage(site.hands, "shop-2");
    await site.looksAgain(SHOP);
    await site.looksAgain(SHOP);
    assert.equal((await desired())?.DesiredCapacity, 3);
    assert.deepEqual(await template(), versions);
    assert.deepEqual(
      (await site.events(SHOP, since)).map(({ type, resource }) => `${type} ${resource}`),
      [],
    );
    await autoscaling.setDesiredCapacity({ AutoScalingGroupName, DesiredCapacity: 1 });
  });

  test("and then the world is what it was, and nothing of it is doubled", async () => {
    await site.standsAs(SHOP, "quiet", ({ phase, counts }) => phase === "Synced" && counts.drifted === 0);
    const [now, then] = [alike(await site.world()), alike(whole)];
    for (const kind of new Set([...Object.keys(now), ...Object.keys(then)])) assert.deepEqual(now[kind], then[kind], kind);
  });

  test("and what belongs to others is untouched", async () => {
    const now = await site.world();
    for (const [kind, objects] of Object.entries(foreign)) {
      for (const object of objects)
        assert.ok(
          (now[kind] ?? []).some((held) => isSame(held, object)),
          `${kind} ${JSON.stringify(object)}`,
        );
    }
  });

  test("and nobody was asked for anything", async () => {
    const asking = ["Stalled", "ApprovalNeeded", "Failed", "SourceInvalid"];
    const asked = (await site.store.events(SHOP)).filter(({ type }) => asking.includes(type));
    assert.deepEqual(asked, []);
  });

  test("the controller ends when it is told to, and gives the stack up", async () => {
    await site.halt();
    assert.equal((await site.store.load(SHOP)).lease?.holder, undefined);
  });
});

async function assertCorrected(outside: Outside, via: Attribution["via"]): Promise<void> {
  const { key, path, action, from, to } = outside;
  const since = new Date().toISOString();
  await outside.change({ hands: site.hands, id: (other) => site.id(SHOP, other) });
  const { firstSeenAt, ...drift } = await corrected(outside, since);
  assert.ok(firstSeenAt >= since && firstSeenAt <= new Date().toISOString(), firstSeenAt);
  if (from !== undefined) assert.deepEqual(drift.from, from);
  if (to !== undefined) assert.deepEqual(drift.to, to);
  // Who it was may become known later, and is written into the same event.
  const named = await site.until(`${key} ${path}: by whom`, async () => {
    const event = await drifted(outside, since);
    return event?.drift?.find((one) => one.path === path)?.by && event;
  });
  const { by } = named.drift?.find((one) => one.path === path) ?? {};
  assert.deepEqual({ action: by?.action, via: by?.via }, { action, via });
  assert.match(String(by?.principal), /^arn:aws:/);
  assert.ok(by?.userAgent.includes("aws-sdk-js") && by.sourceIp !== "", JSON.stringify(by));
  assert.ok(named.message.includes(path || "the object is gone") && named.message.includes(action), named.message);
}

async function drifted({ key, path }: Pick<Outside, "key" | "path">, since: string): Promise<StackEvent | undefined> {
  const events = await site.events(SHOP, since);
  return events.find(({ type, resource, drift }) => type === "Drifted" && resource === key && drift?.some((one) => one.path === path));
}

/** Resolves once the drift was seen and is no more. */
async function corrected(outside: Pick<Outside, "key" | "path">, since: string): Promise<Drift> {
  const { key, path } = outside;
  const event = await site.until(`${key} ${path}: seen`, () => drifted(outside, since));
  await site.until(`${key} ${path}: put back`, async () => {
    const { drift = [], conditions } = await site.record(SHOP, key);
    return drift.every((one) => one.path !== path) && conditions.some(({ type, status }) => type === "Ready" && status);
  });
  return event.drift?.find((one) => one.path === path) ?? assert.fail("no such drift");
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
