/**
 * Manifests that change under a controller which watches them, and what people may ask of it: accepted or not, approved, paused,
 * held back, handed over.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { StackStatus } from "../../../src/core/record.ts";
import { type Manifests, newSite, type Site } from "./site.ts";

const YARD = { project: "yard", environment: "live" };
const PLAIN = "/yard/live/plain";
const KEYS = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT ops@example.com",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN6uM0vw3iAGxniNzOP3yFY89DevUXHWapmiueqszE6f ops@example.com",
] as const;

let site: Site;
let manifests: Manifests;

before(async () => {
  site = await newSite();
});
after(() => site.close());

/** The yard, and a key pair, whose material cannot be changed in place. */
async function begin(environment = ""): Promise<void> {
  manifests = site.manifests("yard");
  if (environment) manifests.edit("project.yaml", "  default: true\n", `  default: true\n  ${environment}\n`);
  manifests.write("key.yaml", keyPair(KEYS[0]));
  site.control(["-f", manifests.path, "--interval", "1s", "--no-events"]);
}

async function end(): Promise<void> {
  await site.halt();
  await site.empty();
}

const keyPair = (material: string) => `
apiVersion: ec2.aws/v1
kind: KeyPair
metadata: { name: main }
spec: { publicKeyMaterial: ${material} }
`;

describe("manifests that are watched", { timeout: 180_000 }, () => {
  beforeEach(async () => {
    await begin();
    await converged(1);
  });
  afterEach(end);

  test("are brought about by themselves when they change", async () => {
    manifests.edit("project.yaml", "retentionInDays: 7", "retentionInDays: 14");
    await converged(2);
    assert.equal(await retention(), 14);
    const [revision] = await site.store.history(YARD);
    assert.deepEqual([revision?.number, revision?.acceptedBy], [2, "policy of live"]);
  });

  test("change nothing while they are invalid; drift is put back meanwhile, and they are taken once they are right", async () => {
    manifests.edit("project.yaml", "retentionInDays: 7", "retentionDays: 14");
    const status = await site.standsAs(YARD, "told", ({ sourceProblem }) => sourceProblem !== undefined);
    assert.match(String(status.sourceProblem), /retentionDays/);
    assert.match(String(status.sourceProblem), /project\.yaml/);
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
    await site.until("drift is put back", async () => (await retention()) === 7);
    await site.looksAgain(YARD);
    const { revision } = await site.store.load(YARD);
    assert.equal(revision?.number, 1);
    const invalid = (await site.store.events(YARD)).filter(({ type }) => type === "SourceInvalid");
    assert.equal(invalid.length, 1, "it is told once");
    manifests.edit("project.yaml", "retentionDays: 14", "retentionInDays: 14");
    assert.equal((await converged(2)).sourceProblem, undefined);
    assert.equal(await retention(), 14);
  });

  test("delete nothing until somebody approves just that", async () => {
    manifests.edit("project.yaml", "name: corrected\n", "name: kept\n");
    const { awaiting } = await waiting();
    assert.deepEqual(awaiting?.grants, { delete: ["LogGroup/corrected"], replace: [], missing: [] });
    // What is in force stays so, and is kept.
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
    await site.until("drift is put back", async () => (await retention()) === 7);
    await site.ask(YARD, { type: "approve", digest: "0badd00d" });
    await site.until("the wrong approval is taken back", async () => (await site.store.load(YARD)).requests.length === 0);
    await site.looksAgain(YARD);
    assert.equal((await site.store.load(YARD)).revision?.number, 1);
    assert.equal(await retention("/yard/live/corrected"), 7);
  });

  test("replace nothing until somebody approves just that, and then once", async () => {
    const [before] = await keys();
    manifests.write("key.yaml", keyPair(KEYS[1]));
    const { awaiting } = await waiting();
    assert.deepEqual(awaiting?.grants, { delete: [], replace: ["KeyPair/main"], missing: [] });
    await site.looksAgain(YARD);
    assert.deepEqual(await keys(), [before]);
    await site.ask(YARD, { type: "approve", digest: String(awaiting?.digest) });
    const { awaiting: left } = await converged(2);
    assert.equal(left, undefined);
    await site.until("there is another key, and one only", async () => {
      const found = await keys();
      return found.length === 1 && found[0] !== before;
    });
    const { revision, records } = await site.store.load(YARD);
    assert.deepEqual([revision?.grants, records.get("KeyPair/main")?.generation], [undefined, 2]);
  });

  test("are held back while they are what somebody holds, and no longer", async () => {
    manifests.edit("project.yaml", "retentionInDays: 7", "retentionInDays: 14");
    const { sourceDigest } = await converged(2);
    await site.ask(YARD, { type: "hold", digest: String(sourceDigest), reason: "rolled back" });
    await site.run(["rollback", "1", "-f", manifests.path, "--yes"]);
    const held = await converged(3);
    assert.match(held.message, /held/);
    await site.looksAgain(YARD);
    assert.deepEqual([(await site.store.load(YARD)).revision?.number, await retention()], [3, 7]);
    manifests.edit("project.yaml", "retentionInDays: 14", "retentionInDays: 30");
    await converged(4);
    assert.equal(await retention(), 30);
  });
});

describe("an environment's policy", { timeout: 120_000 }, () => {
  afterEach(end);

  test("manual: every change waits, the first among them", async () => {
    await begin("approval: manual");
    await site.until("it is asked for", async () => (await site.store.events(YARD)).find(({ type }) => type === "ApprovalNeeded"));
    assert.equal(await retention(), undefined);
  });

  test("auto with deletion allowed: what leaves the manifests is deleted by itself", async () => {
    await begin("approval: { mode: auto, allow: [delete] }");
    await converged(1);
    manifests.edit("project.yaml", "name: corrected\n", "name: kept\n");
    manifests.edit("project.yaml", "/yard/${env.name}/corrected", "/yard/${env.name}/kept");
    await converged(2);
    assert.deepEqual([await retention("/yard/live/corrected"), await retention("/yard/live/kept")], [undefined, 7]);
  });
});

describe("people ask for", { timeout: 120_000 }, () => {
  beforeEach(async () => {
    await begin();
    await converged(1);
  });
  afterEach(end);

  test("a pause of one resource: it stays as it is, the others are put back; and it ends by itself", async () => {
    const until = Date.now() + 8000;
    await site.ask(YARD, { type: "pause", target: "LogGroup/plain", until: new Date(until).toISOString(), reason: "an experiment" });
    await site.until("it is heard", async () => (await site.looksAgain(YARD)) !== undefined);
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
    await site.hands.logs.putRetentionPolicy({ logGroupName: "/yard/live/corrected", retentionInDays: 30 });
    await site.until("the other is put back", async () => (await retention("/yard/live/corrected")) === 7);
    await assertUntouched(until);
    await site.until("it is put back when the pause is over", async () => (await retention()) === 7);
    await site.until("the pause is gone", async () => (await site.store.load(YARD)).requests.length === 0);
  });

  test("a pause of everything: nothing is put back, until somebody resumes", async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await site.ask(YARD, { type: "pause", target: "*", until, reason: "an experiment" });
    await site.standsAs(YARD, "paused", ({ phase, message }) => phase === "Paused" && message.includes("an experiment"));
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
    manifests.edit("project.yaml", "name: known\n", "name: unknown\n");
    await site.looksAgain(YARD);
    await site.looksAgain(YARD);
    const { revision, records } = await site.store.load(YARD);
    assert.deepEqual([await retention(), revision?.number], [30, 1]);
    assert.equal(records.get("LogGroup/plain")?.drift?.[0]?.path, "retentionInDays", "it is told all the same");
    manifests.edit("project.yaml", "name: unknown\n", "name: known\n");
    await site.run(["resume", "-f", manifests.path]);
    await site.until("it is put back", async () => (await retention()) === 7);
  });

  test("the stack: it is handed over at once, and taken again when the time is over", async () => {
    const until = Date.now() + 6000;
    await site.ask(YARD, { type: "yield", until: new Date(until).toISOString() });
    const lease = await site.until("the lease is free", async () => site.store.acquire(YARD, { holder: "test", wait: false }));
    await site.hands.logs.putRetentionPolicy({ logGroupName: PLAIN, retentionInDays: 30 });
    await assertUntouched(until);
    await lease.release();
    await site.until("it is put back by who took the stack again", async () => (await retention()) === 7);
  });
});

/** Nothing is done about what somebody does to the group until then. */
async function assertUntouched(untilMs: number): Promise<void> {
  await site.until("the time to come", async () => {
    const now = await retention();
    if (Date.now() < untilMs) assert.equal(now, 30);
    return Date.now() >= untilMs;
  });
}

async function converged(revision: number): Promise<StackStatus> {
  return site.standsAs(YARD, `revision ${revision}`, (status) => status.converged === revision && status.phase === "Synced");
}

async function waiting(): Promise<StackStatus> {
  return site.standsAs(YARD, "it asks", ({ phase, awaiting }) => phase === "AwaitingApproval" && awaiting !== undefined);
}

async function retention(logGroupName = PLAIN): Promise<number | undefined> {
  const { logGroups = [] } = await site.hands.logs.describeLogGroups({ logGroupNamePrefix: logGroupName });
  return logGroups.find((group) => group.logGroupName === logGroupName)?.retentionInDays;
}

async function keys(): Promise<readonly (string | undefined)[]> {
  return ((await site.hands.ec2.describeKeyPairs({})).KeyPairs ?? []).map(({ KeyPairId }) => KeyPairId);
}
