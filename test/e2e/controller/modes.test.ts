/** What is done about drift: put back, told, left alone, or left alone for a while; as the resource says, or its environment. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { StackEvent } from "../../../src/core/record.ts";
import { newSite, type Site, type StackName } from "./site.ts";

const LIVE = { project: "yard", environment: "live" };
const QUIET = { project: "yard", environment: "quiet" };
const DECLARED = 7;
const DRIFTED = 30;
/** Long enough for several looks on a machine under load, which do nothing about it. */
const KNOWN_FOR_MS = 12_000;

let site: Site;
let knownUntil: number;

before(async () => {
  site = await newSite();
  knownUntil = Date.now() + KNOWN_FOR_MS;
  const manifests = site.manifests("yard");
  for (const { environment } of [LIVE, QUIET]) {
    const until = new Date(knownUntil).toISOString();
    await site.run(["apply", "-f", manifests.path, "--env", environment, "--yes", "--param", `known=${until}`]);
  }
  site.control(["--interval", "1s", "--no-events"]);
  for (const stack of [LIVE, QUIET]) await site.standsAs(stack, "held", ({ phase }) => phase === "Synced");
});
after(() => site.close());

describe("drift of a resource whose mode is", { timeout: 120_000, concurrency: true }, () => {
  test("correct is put back, wherever that is said", async () => {
    const since = await drift(LIVE, "corrected");
    await drift(LIVE, "plain");
    await drift(QUIET, "corrected");
    for (const [stack, name] of [
      [LIVE, "corrected"],
      [LIVE, "plain"],
      [QUIET, "corrected"],
    ] as const) {
      await site.until(`${name}: put back`, async () => (await retention(stack, name)) === DECLARED);
      assert.equal((await seen(stack, name, since)).length, 1);
    }
  });

  test("report is told and stays as it is, until somebody puts it back", async () => {
    const since = await drift(LIVE, "reported");
    const [event] = await seen(LIVE, "reported", since);
    const [told] = event?.drift ?? [];
    assert.deepEqual([told?.path, told?.from, told?.to], ["retentionInDays", DECLARED, DRIFTED]);
    await site.looksAgain(LIVE);
    const status = await site.looksAgain(LIVE);
    assert.equal(await retention(LIVE, "reported"), DRIFTED);
    assert.ok(status.counts.drifted >= 1 && status.message.includes("LogGroup/reported"), status.message);
    const { conditions, drift: open = [] } = await site.record(LIVE, "LogGroup/reported");
    assert.equal(open.length, 1);
    assert.ok(conditions.some(({ type, reason }) => type === "Ready" && reason === "Drifted"));
    assert.equal((await drifted(LIVE, "reported", since)).length, 1, "it is told once");
    await site.hands.logs.putRetentionPolicy({ logGroupName: "/yard/live/reported", retentionInDays: DECLARED });
    await site.until("it is told that it has gone", async () =>
      (await site.events(LIVE, since)).some(({ type, resource }) => type === "DriftGone" && resource === "LogGroup/reported"),
    );
    await site.until("it is recorded no more", async () => (await site.record(LIVE, "LogGroup/reported")).drift === undefined);
  });

  test("report by the environment's word is likewise, also where the object is gone", async () => {
    const since = new Date().toISOString();
    await site.hands.logs.deleteLogGroup({ logGroupName: "/yard/quiet/plain" });
    const [event] = await seen(QUIET, "plain", since);
    assert.equal(event?.drift?.[0]?.path, "");
    await site.looksAgain(QUIET);
    await site.looksAgain(QUIET);
    assert.equal(await retention(QUIET, "plain"), undefined);
  });

  test("ignore is not even told", async () => {
    const since = await drift(LIVE, "ignored");
    await site.looksAgain(LIVE);
    await site.looksAgain(LIVE);
    assert.equal(await retention(LIVE, "ignored"), DRIFTED);
    assert.deepEqual(await drifted(LIVE, "ignored", since), []);
    assert.equal((await site.record(LIVE, "LogGroup/ignored")).drift, undefined);
  });

  test("known is left alone until it expires, and put back then", async () => {
    const since = await drift(LIVE, "known");
    await site.until("its time to come", async () => {
      const at = Date.now();
      const now = await retention(LIVE, "known");
      // Asked before the time, answered before it: it must still stand.
      if (Date.now() < knownUntil) assert.equal(now, DRIFTED);
      return at > knownUntil;
    });
    const [event] = await seen(LIVE, "known", since);
    assert.ok(event !== undefined && Date.parse(event.at) >= knownUntil, JSON.stringify(event));
    await site.until("known: put back", async () => (await retention(LIVE, "known")) === DECLARED);
  });
});

/** An outside hand changes it; resolves to the time before. */
async function drift({ environment }: StackName, name: string): Promise<string> {
  const since = new Date().toISOString();
  await site.hands.logs.putRetentionPolicy({ logGroupName: `/yard/${environment}/${name}`, retentionInDays: DRIFTED });
  return since;
}

async function retention({ environment }: StackName, name: string): Promise<number | undefined> {
  const logGroupName = `/yard/${environment}/${name}`;
  const { logGroups = [] } = await site.hands.logs.describeLogGroups({ logGroupNamePrefix: logGroupName });
  return logGroups.find((group) => group.logGroupName === logGroupName)?.retentionInDays;
}

async function drifted(stack: StackName, name: string, since: string): Promise<readonly StackEvent[]> {
  return (await site.events(stack, since)).filter(({ type, resource }) => type === "Drifted" && resource === `LogGroup/${name}`);
}

async function seen(stack: StackName, name: string, since: string): Promise<readonly StackEvent[]> {
  return site.until(`${name}: seen`, async () => {
    const events = await drifted(stack, name, since);
    return events.length > 0 && events;
  });
}
