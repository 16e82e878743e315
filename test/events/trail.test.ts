import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Reader } from "../../src/aws/service.ts";
import type { UnexplainedDrift } from "../../src/events/attribution.ts";
import type { Subject } from "../../src/events/mapping.ts";
import { TrailLookup } from "../../src/events/trail.ts";
import { EPOCH_MS, VirtualWorld } from "../support/virtual-runtime.ts";
import { kindNamed, OUTSIDER, record, trailRecord } from "./scene.ts";

const MINUTE = 60_000;
const GROUP = "sg-0123456789abcdef0";
const subject: Subject = { kind: kindNamed("SecurityGroup"), record: record("SecurityGroup/web", { id: GROUP, name: "web" }) };
const drift: UnexplainedDrift = { key: "SecurityGroup/web", path: "ingress", since: EPOCH_MS, after: EPOCH_MS - 5 * MINUTE };
const recorded = (eventTime = new Date(EPOCH_MS - MINUTE).toISOString()) =>
  trailRecord("ec2", "AuthorizeSecurityGroupIngress", { eventTime, requestParameters: { groupId: GROUP } });

type Question = { readonly region: string | undefined; readonly name: string; readonly from: Date; readonly until: Date };

/** A CloudTrail that knows `records` by name, and remembers what it was asked. */
function fakeTrail(records: Record<string, readonly unknown[]> = {}) {
  const world = new VirtualWorld();
  const runtime = world.process("a");
  const asked: Question[] = [];
  let failing = 0;
  const read = async (service: { region?: string }, operation: string, input: Record<string, unknown>): Promise<object> => {
    assert.equal(operation, "LookupEvents");
    const [attribute] = input.LookupAttributes as { AttributeKey: string; AttributeValue: string }[];
    assert.equal(attribute?.AttributeKey, "ResourceName");
    const name = attribute?.AttributeValue ?? "";
    asked.push({ region: service.region, name, from: input.StartTime as Date, until: input.EndTime as Date });
    await world.sleep(100);
    if (failing > 0) {
      failing -= 1;
      throw new Error("down");
    }
    return { Events: (records[name] ?? []).map((one) => ({ CloudTrailEvent: JSON.stringify(one) })) };
  };
  const lookup = new TrailLookup({ reader: { read } as unknown as Reader, region: "eu-west-1", runtime });
  const fail = (times: number) => {
    failing = times;
  };
  return { world, lookup, asked, records, fail, sleep: (ms: number) => world.sleep(ms) };
}

test("it asks for the resource's calls around the drift, and says who", async () => {
  const { world, lookup, asked } = fakeTrail({ [GROUP]: [recorded()] });
  const finding = await world.run(() => lookup.find(drift, subject));
  assert.equal(finding.state, "found");
  assert.deepEqual(finding.state === "found" && [finding.attribution.principal, finding.attribution.via], [OUTSIDER, "trail"]);
  const [{ region, name, from, until } = assert.fail("nothing was asked")] = asked;
  assert.deepEqual([asked.length, region, name], [1, "eu-west-1", GROUP]);
  assert.ok(from.getTime() <= EPOCH_MS - 5 * MINUTE && from.getTime() > EPOCH_MS - 15 * MINUTE);
  assert.ok(until.getTime() > EPOCH_MS && until.getTime() <= EPOCH_MS + 10 * MINUTE);
});

test("the physical name is asked for where the id is unknown to CloudTrail", async () => {
  const { world, lookup, asked } = fakeTrail({ web: [recorded()] });
  assert.equal((await world.run(() => lookup.find(drift, subject))).state, "found");
  assert.deepEqual(
    asked.map(({ name }) => name),
    [GROUP, "web"],
  );
});

test("a resource of a global service is asked for where that reports", async () => {
  const { world, lookup, asked } = fakeTrail();
  const zone = "Z0123456789ABCDEFGHIJ";
  const set = { kind: kindNamed("RecordSet"), record: record("RecordSet/www", { id: `${zone} www.example.com A` }) };
  await world.run(() => lookup.find({ key: "RecordSet/www", path: "ttl", since: EPOCH_MS }, set));
  assert.deepEqual(
    asked.map(({ region, name }) => `${region} ${name}`),
    [`us-east-1 ${zone}`],
  );
});

test("who asks the same meanwhile, or soon after, waits for the same answer", async () => {
  const { world, lookup, asked } = fakeTrail({ [GROUP]: [recorded()] });
  await world.run(async () => {
    const other = { ...drift, path: "tags", since: drift.since + 1000 };
    const findings = await Promise.all([lookup.find(drift, subject), lookup.find(other, subject), lookup.find(drift, subject)]);
    assert.deepEqual(
      findings.map(({ state }) => state),
      ["found", "found", "found"],
    );
    await lookup.find(drift, subject);
  });
  assert.equal(asked.length, 1);
});

test("CloudTrail lags: nobody is asked for again, not sooner than said, until it must know", async () => {
  const { world, lookup, asked, records, sleep } = fakeTrail();
  const only = { ...subject, record: record("SecurityGroup/web", { id: GROUP }) };
  await world.run(async () => {
    const first = await lookup.find(drift, only);
    assert.ok(first.state === "later" && first.notBefore > EPOCH_MS);
    await sleep(MINUTE / 2);
    assert.equal((await lookup.find(drift, only)).state, "later");
    assert.equal(asked.length, 1);
    await sleep(MINUTE);
    records[GROUP] = [recorded()];
    assert.equal((await lookup.find(drift, only)).state, "found");
    assert.equal(asked.length, 2);
  });
});

test("once CloudTrail must know, nobody is an answer, and it is not asked again", async () => {
  const { world, lookup, asked, sleep } = fakeTrail();
  await world.run(async () => {
    await sleep(30 * MINUTE);
    assert.deepEqual(await lookup.find(drift, subject), { state: "nobody" });
    const before = asked.length;
    await sleep(60 * MINUTE);
    assert.deepEqual(await lookup.find(drift, subject), { state: "nobody" });
    assert.equal(asked.length, before);
  });
});

test("a failure is the asker's, and is not remembered", async () => {
  const { world, lookup, fail } = fakeTrail({ [GROUP]: [recorded()] });
  fail(1);
  await world.run(async () => {
    await assert.rejects(lookup.find(drift, subject), /down/);
    assert.equal((await lookup.find(drift, subject)).state, "found");
  });
});

describe("what it remembers is bounded", () => {
  test("the oldest question is forgotten, the newest are not", async () => {
    const { world, lookup, asked } = fakeTrail();
    const numbered = (index: number): Subject => ({
      kind: subject.kind,
      record: record(`SecurityGroup/g${index}`, { id: `sg-${index.toString(16).padStart(17, "0")}` }),
    });
    await world.run(async () => {
      await Promise.all(Array.from({ length: 501 }, (_, index) => lookup.find(drift, numbered(index))));
      assert.equal(asked.length, 501);
      await lookup.find(drift, numbered(500));
      assert.equal(asked.length, 501);
      await lookup.find(drift, numbered(0));
      assert.equal(asked.length, 502);
    });
  });
});
