/** What a controller does not put back by itself: it says why, does nothing, and goes on once a person has spoken or the reason is gone. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { StackStatus } from "../../../src/core/record.ts";
import { effectsOf } from "../../chaos/arena.ts";
import { type Manifests, newSite, type Site } from "./site.ts";

const DEPOT = { project: "depot", environment: "live" };
const SHELVES = Array.from({ length: 12 }, (_, index) => `LogGroup/shelf-${index + 1}`);
const TABLE = "depot-live-goods";
const ROLE = "depot-live-clerk";

let site: Site;
let manifests: Manifests;

before(async () => {
  site = await newSite();
  manifests = site.manifests("depot");
  await site.run(["apply", "-f", manifests.path, "--yes"]);
  site.control(["--interval", "1s", "--no-events"]);
  await quiet();
});
after(() => site.close());

describe("a stack stalls", { timeout: 240_000 }, () => {
  test("where another writer undoes every correction; both are named, and it goes on when that one has stopped", async () => {
    const key = "LogGroup/shelf-1";
    const end = new AbortController();
    const war = insist(await site.id(DEPOT, key), end.signal);
    try {
      await stalled(
        key,
        "Contested",
        /BEACON.*3 times.*arn:aws:iam::123456789012:user\/test \(logs:PutRetentionPolicy\).*resume LogGroup\/shelf-1/s,
      );
      site.proxy.clearCalls();
      await site.looksAgain(DEPOT);
      await site.looksAgain(DEPOT);
      assert.deepEqual(effectsOf(site.proxy), [], "the war is over");
      // Everything else is put back as ever.
      await site.hands.logs.putRetentionPolicy({ logGroupName: "/depot/live/shelf-2", retentionInDays: 60 });
      await site.until("another is put back", async () => (await retention("/depot/live/shelf-2")) === 7);
    } finally {
      end.abort();
      await war;
    }
    assert.equal(await retention("/depot/live/shelf-1"), 30);
    await site.run(["resume", key, "-f", manifests.path]);
    await quiet();
    assert.equal(await retention("/depot/live/shelf-1"), 7);
  });

  test("where a field was changed that cannot be put back in place; it is replaced when that is asked for", async () => {
    const { iam } = site.hands;
    const { Role: role } = await iam.getRole({ RoleName: ROLE });
    await iam.deleteRole({ RoleName: ROLE });
    await iam.createRole({
      RoleName: ROLE,
      AssumeRolePolicyDocument: decodeURIComponent(String(role?.AssumeRolePolicyDocument)),
      Tags: role?.Tags,
    });
    await stalled("Role/clerk", "ImmutableDrift", /path was changed outside.*--replace Role\/clerk/s);
    await site.looksAgain(DEPOT);
    assert.equal((await iam.getRole({ RoleName: ROLE })).Role?.Path, "/");
    await site.run(["apply", "-f", manifests.path, "--yes", "--replace", "Role/clerk", "--allow", "replace=1"]);
    await quiet();
    assert.equal((await iam.getRole({ RoleName: ROLE })).Role?.Path, "/clerks/");
  });

  test("where data has vanished; an empty table is made once somebody approves", async () => {
    const { dynamodb } = site.hands;
    await dynamodb.deleteTable({ TableName: TABLE });
    await stalled("Table/goods", "Missing", /approve/);
    await site.looksAgain(DEPOT);
    await assert.rejects(dynamodb.describeTable({ TableName: TABLE }), { name: "ResourceNotFoundException" });
    const { awaiting } = await asking();
    assert.deepEqual(awaiting?.grants, { delete: [], replace: [], missing: ["Table/goods"] });
    await site.run(["approve", "-f", manifests.path, "--yes", "--no-wait", "--expect", String(awaiting?.digest)]);
    await quiet();
    assert.equal((await dynamodb.describeTable({ TableName: TABLE })).Table?.TableName, TABLE);
    // It is approved once: the next one that vanishes is asked about again.
    assert.equal((await site.store.load(DEPOT)).revision?.grants, undefined);
  });

  test("where a whole kind is said to be gone; it goes on by itself once that is taken back", async () => {
    const before = await generations();
    site.proxy.clearCalls();
    site.proxy.inject({
      match: { operations: ["logs:DescribeLogGroups"] },
      times: "always",
      fault: { type: "answer", body: '{"logGroups": []}' },
    });
    await stalled("LogGroup/shelf-1", "MassMissing", /approve/);
    const { message, awaiting } = await site.standsAs(DEPOT, "stalled", ({ phase }) => phase === "Stalled");
    assert.match(message, /vanished/);
    assert.deepEqual(awaiting?.grants.missing.toSorted(), SHELVES.toSorted());
    await site.looksAgain(DEPOT);
    await site.looksAgain(DEPOT);
    assert.deepEqual(effectsOf(site.proxy), [], "nothing is done to the stack");
    site.proxy.clearRules();
    await quiet();
    assert.deepEqual(effectsOf(site.proxy), [], "there was nothing to do");
    assert.deepEqual(await generations(), before);
  });

  test("where much was really deleted; it is made anew once somebody approves", async () => {
    const { logs } = site.hands;
    // All of it between two looks.
    const held = site.proxy.inject({
      match: { operations: ["logs:DescribeLogGroups"] },
      times: "always",
      fault: { type: "hold", when: "before" },
    });
    await held.struck;
    const gone = SHELVES.slice(0, 6);
    for (const key of gone) await logs.deleteLogGroup({ logGroupName: await site.id(DEPOT, key) });
    site.proxy.clearRules();
    await stalled("LogGroup/shelf-1", "MassMissing", /approve/);
    await site.looksAgain(DEPOT);
    assert.equal((await logs.describeLogGroups({ logGroupNamePrefix: "/depot/live/" })).logGroups?.length, SHELVES.length - gone.length);
    const { awaiting } = await asking();
    assert.deepEqual(awaiting?.grants.missing.toSorted(), gone.toSorted());
    await site.ask(DEPOT, { type: "approve", digest: String(awaiting?.digest) });
    await quiet();
    const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: "/depot/live/" });
    assert.deepEqual(
      logGroups.map(({ retentionInDays }) => retentionInDays),
      SHELVES.map(() => 7),
    );
    assert.deepEqual(await generations(), new Map(SHELVES.map((key) => [key, gone.includes(key) ? 2 : 1])));
  });

  test("and every stall was told once, with its end", async () => {
    const events = await site.store.events(DEPOT);
    const told = (type: string, key: string) => events.filter((event) => event.type === type && event.resource === key).length;
    // Of the first shelf: the war, and the two times that much was gone.
    for (const [key, times] of [
      ["Role/clerk", 1],
      ["Table/goods", 1],
      ["LogGroup/shelf-1", 3],
      ["LogGroup/shelf-12", 1],
    ] as const) {
      // The role's replacement was carried out by the apply, which took the stack for it.
      const ended = key === "Role/clerk" ? 0 : times;
      assert.deepEqual([told("Stalled", key), told("Recovered", key)], [times, ended], key);
    }
  });
});

/** A program that wants something else, and looks twenty times a second. */
async function insist(logGroupName: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if ((await retention(logGroupName)) !== 30) await site.hands.logs.putRetentionPolicy({ logGroupName, retentionInDays: 30 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function retention(logGroupName: string): Promise<number | undefined> {
  const { logGroups = [] } = await site.hands.logs.describeLogGroups({ logGroupNamePrefix: logGroupName });
  return logGroups.find((group) => group.logGroupName === logGroupName)?.retentionInDays;
}

async function stalled(key: string, reason: string, message: RegExp): Promise<void> {
  await site.until(`${key} stalls: ${reason}`, async () => {
    const { conditions } = await site.record(DEPOT, key);
    return conditions.find((one) => one.type === "Stalled" && one.status && one.reason === reason && message.test(one.message));
  });
}

async function asking(): Promise<StackStatus> {
  return site.standsAs(DEPOT, "it asks", ({ awaiting }) => awaiting !== undefined);
}

async function quiet(): Promise<StackStatus> {
  return site.standsAs(
    DEPOT,
    "quiet",
    ({ phase, counts }) => phase === "Synced" && counts.drifted + counts.stalled === 0 && counts.ready === 14,
  );
}

async function generations(): Promise<ReadonlyMap<string, number>> {
  const { records } = await site.store.load(DEPOT);
  return new Map(SHELVES.map((key) => [key, records.get(key as `${string}/${string}`)?.generation ?? 0]));
}
