/** Changes of a zone leave in as few batches as AWS takes them in, and a zone's records are found in as few pages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import fc from "fast-check";
import { AwsError } from "../../src/aws/errors.ts";
import { forOneLook } from "../../src/aws/look.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { allRecords, changeRecord, type RecordChange, recordKey, recordsIn } from "../../src/kind/route53.ts";

function record(Name: string, value = "192.0.2.1"): ResourceRecordSet {
  return { Name, Type: "A", TTL: 60, ResourceRecords: [{ Value: value }] };
}

function change(Action: RecordChange["Action"], Name: string, value?: string): RecordChange {
  return { Action, ResourceRecordSet: record(Name, value) };
}

type Batch = { readonly zone: string; readonly names: readonly string[] };

/** A handle whose requests wait to be let through, and are refused for what `refuses` says of a change. */
class FakeWriter {
  readonly batches: Batch[] = [];
  held: (() => void)[] = [];
  hold = false;
  refuses: (name: string) => string | undefined = () => undefined;

  readonly writer = {
    write: async (_service: unknown, operation: string, input: { HostedZoneId: string; ChangeBatch: { Changes: RecordChange[] } }) => {
      assert.equal(operation, "ChangeResourceRecordSets");
      const names = input.ChangeBatch.Changes.map(({ Action, ResourceRecordSet }) => `${Action} ${ResourceRecordSet.Name}`);
      this.batches.push({ zone: input.HostedZoneId, names });
      if (this.hold) await new Promise<void>((resolve) => this.held.push(resolve));
      const code = names.map((name) => this.refuses(name)).find((found) => found !== undefined);
      if (code) throw new AwsError(code, `[${names.join()}]`, { operation: "route53:ChangeResourceRecordSets", verdict: "refused" });
      return {};
    },
  } as unknown as Writer;
}

const later = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("changes of the same moment leave together, those that come meanwhile together after them", async () => {
  const own = new FakeWriter();
  own.hold = true;
  const first = ["a", "b", "c"].map((name) => changeRecord(own.writer, "Z1", change("CREATE", name)));
  await later();
  const second = ["d", "e"].map((name) => changeRecord(own.writer, "Z1", change("DELETE", name)));
  await later();
  assert.equal(own.batches.length, 1, "one request of a zone at a time");
  own.held.shift()?.();
  await Promise.all(first);
  await later();
  own.held.shift()?.();
  await Promise.all(second);
  assert.deepEqual(own.batches, [
    { zone: "Z1", names: ["CREATE a", "CREATE b", "CREATE c"] },
    { zone: "Z1", names: ["DELETE d", "DELETE e"] },
  ]);
});

test("zones do not wait for each other", async () => {
  const fake = new FakeWriter();
  await Promise.all([changeRecord(fake.writer, "Z1", change("CREATE", "a")), changeRecord(fake.writer, "Z2", change("CREATE", "a"))]);
  assert.deepEqual(fake.batches.map(({ zone }) => zone).sort(), ["Z1", "Z2"]);
});

test("a refused batch is sent again change by change, and each hears of its own", async () => {
  const fake = new FakeWriter();
  fake.refuses = (name) => (name.endsWith("b") ? "InvalidChangeBatch" : undefined);
  const ends = await Promise.allSettled(["a", "b", "c"].map((name) => changeRecord(fake.writer, "Z1", change("CREATE", name))));
  assert.deepEqual(
    ends.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal((ends[1] as PromiseRejectedResult).reason.message, "[CREATE b]");
  assert.deepEqual(
    fake.batches.map(({ names }) => names.join()),
    ["CREATE a,CREATE b,CREATE c", "CREATE a", "CREATE b", "CREATE c"],
  );
  await changeRecord(fake.writer, "Z1", change("CREATE", "d"));
});

test("what is wrong with the zone or the connection is wrong for all, and nothing is sent again", async () => {
  for (const code of ["NoSuchHostedZone", "InternalFailure"]) {
    const fake = new FakeWriter();
    fake.refuses = () => code;
    const ends = await Promise.allSettled(["a", "b"].map((name) => changeRecord(fake.writer, "Z1", change("CREATE", name))));
    assert.deepEqual(
      ends.map((end) => (end.status === "rejected" ? end.reason.name : end.status)),
      [code, code],
    );
    assert.equal(fake.batches.length, 1);
  }
});

test("of one record a batch holds one change; the same change twice is one", async () => {
  const fake = new FakeWriter();
  await Promise.all([
    changeRecord(fake.writer, "Z1", change("UPSERT", "a")),
    changeRecord(fake.writer, "Z1", change("UPSERT", "a")),
    changeRecord(fake.writer, "Z1", change("UPSERT", "A.", "192.0.2.2")),
    changeRecord(fake.writer, "Z1", change("CREATE", "b")),
  ]);
  assert.deepEqual(
    fake.batches.map(({ names }) => names),
    [["UPSERT a"], ["UPSERT A.", "CREATE b"]],
  );
});

test("a batch holds no more than AWS takes, and everything goes out in its order", async () => {
  const size = fc.record({ action: fc.constantFrom("CREATE" as const, "UPSERT" as const), values: fc.integer({ min: 1, max: 400 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 20 }), fc.integer({ min: 1, max: 300 }), async (sizes, length) => {
      const batches: RecordChange[][] = [];
      const write = async (_service: unknown, _operation: string, input: { ChangeBatch: { Changes: RecordChange[] } }) => {
        batches.push(input.ChangeBatch.Changes);
      };
      const aws = { write } as unknown as Writer;
      const changes = sizes.map(({ action, values }, index): RecordChange => {
        const ResourceRecords = Array.from({ length: values }, () => ({ Value: "x".repeat(length) }));
        return { Action: action, ResourceRecordSet: { Name: `n${index}`, Type: "TXT", TTL: 60, ResourceRecords } };
      });
      await Promise.all(changes.map((one) => changeRecord(aws, "Z1", one)));
      assert.deepEqual(batches.flat(), changes);
      for (const batch of batches) {
        const values = batch.flatMap(({ Action, ResourceRecordSet: { ResourceRecords = [] } }) =>
          ResourceRecords.map(({ Value = "" }) => ({ times: Action === "UPSERT" ? 2 : 1, length: Value.length })),
        );
        const elements = values.reduce((sum, { times }) => sum + times, 0);
        const characters = values.reduce((sum, value) => sum + value.times * value.length, 0);
        assert.ok(batch.length === 1 || (elements <= 1000 && characters <= 32_000), `${elements} elements, ${characters} characters`);
      }
    }),
    { numRuns: 50 },
  );
});

/** A zone whose pages hold `pageSize` records, in AWS's order. */
function zoneOf(names: readonly string[], pageSize: number): { readonly reader: Reader; readonly asked: string[] } {
  const reversed = (name: string) => name.split(".").reverse().join(".");
  const records = names
    .map((name) => record(`${name}.`))
    .sort((left, right) => (reversed(`${left.Name}`) < reversed(`${right.Name}`) ? -1 : 1));
  const asked: string[] = [];
  const read = async (_service: unknown, _operation: string, { HostedZoneId, StartRecordName: from }: Record<string, string>) => {
    asked.push(from ?? "");
    if (HostedZoneId === "ZGONE") throw new AwsError("NoSuchHostedZone", "", { operation: "", verdict: "refused" });
    const start =
      from === undefined ? 0 : records.findIndex(({ Name }) => reversed(String(Name)) >= reversed(from.endsWith(".") ? from : `${from}.`));
    const rest = start < 0 ? [] : records.slice(start);
    const following = rest[pageSize];
    return {
      ResourceRecordSets: rest.slice(0, pageSize),
      IsTruncated: following !== undefined,
      ...(following ? { NextRecordName: following.Name, NextRecordType: following.Type } : {}),
    };
  };
  return { reader: { read } as unknown as Reader, asked };
}

const key = (Name: string) => ({ Name, Type: "A" as const });
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n${String(index).padStart(4, "0")}.example.com`);

const LOOKS: readonly { readonly why: string; readonly zone: number; readonly wanted: readonly string[]; readonly calls: number }[] = [
  { why: "nothing wanted costs nothing", zone: 10, wanted: [], calls: 0 },
  { why: "a small zone is one page, whatever is wanted and is not there", zone: 10, wanted: [...numbered(8), "x.example.com"], calls: 1 },
  { why: "what the first page holds costs no more", zone: 5000, wanted: numbered(90), calls: 1 },
  { why: "few in a large zone are asked for by name", zone: 5000, wanted: ["n4000.example.com", "gone.example.com"], calls: 3 },
  { why: "many in a large zone are read on, until few are left", zone: 1000, wanted: numbered(1000), calls: 10 },
];
for (const { why, zone, wanted, calls } of LOOKS) {
  test(`a look at a zone: ${why}`, async () => {
    const { reader, asked } = zoneOf(numbered(zone), 100);
    const found = await recordsIn(reader, "Z1", wanted.map(key));
    const there = new Set(numbered(zone));
    assert.deepEqual(
      found.map(recordKey).sort(),
      wanted
        .filter((name) => there.has(name))
        .map((name) => recordKey(key(name)))
        .sort(),
    );
    assert.equal(asked.length, calls);
  });
}

test("records are found whatever the spelling of their names", async () => {
  const { reader } = zoneOf(["\\052.example.com"], 100);
  assert.equal((await recordsIn(reader, "Z1", [key("*.Example.com")])).length, 1);
});

test("a zone that is gone holds nothing", async () => {
  const { reader } = zoneOf([], 100);
  assert.deepEqual(await recordsIn(reader, "ZGONE", [key("a")]), []);
  assert.deepEqual(await allRecords(reader, "ZGONE"), []);
});

test("two kinds that look at a zone in one look share its page", async () => {
  const { reader, asked } = zoneOf(numbered(10), 100);
  const look = forOneLook(reader);
  const found = await Promise.all([recordsIn(look, "Z1", [key("n0001.example.com")]), recordsIn(look, "Z1", [key("n0002.example.com")])]);
  await recordsIn(look, "Z1", [key("n0003.example.com")]);
  assert.deepEqual(
    found.map(({ length }) => length),
    [1, 1],
  );
  assert.equal(asked.length, 1);
});

test("all records of a zone are read page by page", async () => {
  const { reader, asked } = zoneOf(numbered(250), 100);
  assert.equal((await allRecords(reader, "Z1")).length, 250);
  assert.equal(asked.length, 3);
});
