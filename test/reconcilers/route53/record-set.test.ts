import assert from "node:assert/strict";
import { test } from "node:test";
import type { RRType } from "@aws-sdk/client-route-53";
import fc from "fast-check";
import { kinds } from "../../../reconcilers/index.ts";
import { hostedZone } from "../../../reconcilers/route53/hosted-zone.ts";
import { recordSet } from "../../../reconcilers/route53/record-set.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { changeRecord } from "../../../src/kind/route53.ts";
import { keyOfId, recordOf, recordSetId, valuesOf } from "../../../src/kind/route53-records.ts";
import { RECORD_TYPES } from "../../../src/kind/route53-schemas.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";
import { freshProject } from "../../support/sandbox.ts";
import { declared, manifestsOf } from "../stacks.ts";
import { assertHolds, type Bench, benchFor, make, removeAll, seen, settle } from "../support.ts";

async function zoneFor(): Promise<{
  readonly bench: Bench;
  readonly zone: Remote;
  readonly domain: string;
  readonly clear: () => Promise<void>;
}> {
  const [zones, bench] = await Promise.all([benchFor(hostedZone), benchFor(recordSet)]);
  const domain = `${freshProject()}.example.com`;
  const zone = await make(zones, { name: domain });
  return { bench, zone, domain, clear: () => removeAll(zones, zone) };
}

const ALIAS = { dnsName: "Web-1.eu-west-1.elb.amazonaws.com.", hostedZoneId: "Z32O12XQLNTSW2", evaluateTargetHealth: true };

test("a record becomes an alias and back, and AWS holds what the effects say", async () => {
  const { bench, zone, domain, clear } = await zoneFor();
  const base = { hostedZoneId: zone.id, name: `WWW.${domain}.`, type: "A" };
  const simple = { ...base, ttl: 300, resourceRecords: ["192.0.2.1"] };
  const made = await make(bench, simple);
  assert.equal(made.id, `${zone.id} www.${domain} A`);
  await assertHolds(bench, made);
  const alias = await settle(bench, made, { ...base, aliasTarget: ALIAS }, simple);
  const held = await assertHolds(bench, {
    ...alias,
    values: { ...alias.values, aliasTarget: { ...ALIAS, dnsName: "web-1.eu-west-1.elb.amazonaws.com" } },
  });
  assert.deepEqual([held.values.ttl, held.values.resourceRecords], [undefined, undefined]);
  assert.equal((await settle(bench, held, { ...base, aliasTarget: ALIAS })).effects, 0, "another spelling is no difference");
  // Without a record of what was applied, the declared content alone says what the record shall be.
  const back = await settle(bench, held, simple);
  await assertHolds(bench, back);
  await removeAll(bench, back);
  await clear();
});

test("one routing policy makes way for another; what nobody declared stays", async () => {
  const { bench, zone, domain, clear } = await zoneFor();
  const base = {
    hostedZoneId: zone.id,
    name: `*.${domain}`,
    type: "A",
    setIdentifier: "the first, of two",
    ttl: 60,
    resourceRecords: ["192.0.2.1"],
  };
  const made = await make(bench, { ...base, weight: 0, healthCheckId: "0a1b2c3d-1111-2222-3333-444455556666" });
  const policies: readonly JsonObject[] = [
    { region: "eu-west-1" },
    { failover: "PRIMARY" },
    { multiValueAnswer: true },
    { geoLocation: { countryCode: "US", subdivisionCode: "CA" } },
    { geoLocation: { continentCode: "EU" } },
    { geoProximityLocation: { coordinates: { latitude: "-33.87", longitude: "151.21" }, bias: -5 } },
    { cidrRoutingConfig: { collectionId: "0a1b2c3d-1111-2222-3333-444455556666", locationName: "*" } },
    { weight: 255 },
  ];
  let now: Remote = made;
  for (const policy of policies) {
    now = await settle(bench, now, { ...base, ...policy });
    const held = await assertHolds(bench, now);
    assert.equal(held.values.healthCheckId, "0a1b2c3d-1111-2222-3333-444455556666");
  }
  await removeAll(bench, now);
  await clear();
});

test("a record that somebody changed since the last look is deleted as it is now; one that is gone is gone", async () => {
  const { bench, zone, domain, clear } = await zoneFor();
  const made = await make(bench, { hostedZoneId: zone.id, name: domain, type: "TXT", ttl: 60, resourceRecords: ['"a"'] });
  const theirs = recordOf({ ...made.values, ttl: 90 });
  await changeRecord(bench.writer, zone.id, { Action: "UPSERT", ResourceRecordSet: theirs });
  await recordSet.delete.run(bench.writer, { id: made.id, observed: made.values });
  assert.deepEqual(await seen(bench, made.id), []);
  const again = recordSet.delete.run(bench.writer, { id: made.id, observed: made.values });
  await assert.rejects(again, { name: "InvalidChangeBatch", message: /but it was not found/ });
  await clear();
});

async function withZone(run: (stand: Stand, zone: string, domain: string) => Promise<void>): Promise<void> {
  const stand = await newStand(kinds, "records", "ap-south-1");
  const zones = await benchFor(hostedZone);
  const domain = `${stand.stack.project}.example.com`;
  const zone = await make(zones, { name: domain });
  try {
    await run(stand, zone.id, domain);
    await stand.settle(undefined, { destroy: true });
    await hostedZone.delete.run(zones.writer, { id: zone.id, observed: zone.values, force: true });
  } finally {
    await stand.close();
  }
}

test("a stranger's record is left alone, unless the manifest overwrites it", async () => {
  await withZone(async (stand, hostedZoneId, domain) => {
    const spec = { hostedZoneId, name: domain, type: "A", ttl: 60, resourceRecords: ["192.0.2.1"] };
    const theirs = { ...spec, ttl: 300, resourceRecords: ["198.51.100.7"] };
    const { id } = await recordSet.create.run(stand.hand, theirs, { token: "" });
    const look = async () => (await recordSet.list.run(stand.hand, { ids: [id], names: [], fields: new Set() }))[0]?.values.ttl;
    const manifests = (more: JsonObject) => manifestsOf(stand, [declared("route53.aws/v1", "RecordSet/a", { ...spec, ...more })]);
    const { plan } = await stand.plan(manifests({}));
    assert.equal(plan.changes[0]?.blocked?.reason, "NotOwned");
    await stand.pass(manifests({}));
    assert.equal(await look(), 300);
    await stand.settle(manifests({ overwrite: true }));
    assert.equal(await look(), 60);
    await stand.settle(manifests({}), {}, "what was taken over stays ours");
  });
});

test("a record that comes between the look and the create is not overwritten where the manifest does not say so", async () => {
  await withZone(async (stand, hostedZoneId, domain) => {
    const spec = { hostedZoneId, name: domain, type: "A", ttl: 60, resourceRecords: ["192.0.2.1"] };
    const manifests = (more: JsonObject) => manifestsOf(stand, [declared("route53.aws/v1", "RecordSet/a", { ...spec, ...more })]);
    const theirs = { ...spec, ttl: 300, resourceRecords: ["198.51.100.7"] };
    const meanwhile = async () => void (await recordSet.create.run(stand.hand, theirs, { token: "" }));
    const done = await stand.pass(manifests({}), {}, { meanwhile });
    assert.deepEqual(
      done?.report.results.map(({ outcome, reason }) => [outcome, reason]),
      [["failed", "NotOwned"]],
    );
    const look = async () => (await recordSet.list.run(stand.hand, { ids: [], names: [spec], fields: new Set() }))[0];
    assert.equal((await look())?.values.ttl, 300);
    await recordSet.delete.run(stand.hand, { id: "", observed: (await look())?.values ?? {} });
    await stand.pass(manifests({ overwrite: true }), {}, { meanwhile });
    await stand.settle(manifests({ overwrite: true }));
    assert.equal((await look())?.values.ttl, 60);
  });
});

test("a record of another type under the name comes once the first is gone, one of another name before", async () => {
  await withZone(async (stand, hostedZoneId, domain) => {
    const manifests = (spec: JsonObject) =>
      manifestsOf(stand, [declared("route53.aws/v1", "RecordSet/a", { hostedZoneId, ttl: 60, ...spec })]);
    const actions = async (spec: JsonObject) => {
      const before = stand.proxy.mutatingCalls.length;
      await stand.settle(manifests(spec));
      return stand.proxy.mutatingCalls
        .slice(before)
        .flatMap(({ body }) => [...body.matchAll(/<Action>(\w+)</g)].map(([, action]) => action));
    };
    assert.deepEqual(await actions({ name: `www.${domain}`, type: "CNAME", resourceRecords: ["example.net"] }), ["CREATE"]);
    assert.deepEqual(await actions({ name: `www.${domain}`, type: "A", resourceRecords: ["192.0.2.1"] }), ["DELETE", "CREATE"]);
    assert.deepEqual(await actions({ name: `web.${domain}`, type: "A", resourceRecords: ["192.0.2.1"] }), ["CREATE", "DELETE"]);
  });
});

test("an id names its record set, whatever the set identifier holds", () => {
  const key = fc.record({
    zone: fc.constantFrom("Z1", "Z0123456789"),
    Name: fc.constantFrom("example.com", "*.a_b.example.com", "0/25.2.0.192.in-addr.arpa"),
    Type: fc.constantFrom(...(RECORD_TYPES as readonly RRType[])),
    SetIdentifier: fc.option(fc.string({ minLength: 1, maxLength: 128 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(key, ({ SetIdentifier, ...rest }) => {
      const whole = SetIdentifier === undefined ? rest : { ...rest, SetIdentifier };
      assert.deepEqual(keyOfId(recordSetId(whole)), whole);
    }),
  );
  for (const strange of ["", "Z1", "Z1 example.com"]) assert.equal(keyOfId(strange), undefined);
});

test("a record set reads back as it was said, AWS's spellings aside", () => {
  const record = {
    Name: "\\052.example.com.",
    Type: "A" as const,
    SetIdentifier: "a",
    GeoProximityLocation: { AWSRegion: "eu-west-1", Coordinates: { Latitude: "1", Longitude: "2" }, Bias: 3 },
    AliasTarget: { DNSName: "X.elb.amazonaws.com.", HostedZoneId: "Z2", EvaluateTargetHealth: false },
  };
  const values = valuesOf("Z1", record);
  assert.deepEqual(values, {
    recordSetId: "Z1 *.example.com A a",
    hostedZoneId: "Z1",
    name: "*.example.com",
    type: "A",
    setIdentifier: "a",
    multiValueAnswer: false,
    geoProximityLocation: { awsRegion: "eu-west-1", coordinates: { latitude: "1", longitude: "2" }, bias: 3 },
    aliasTarget: { dnsName: "x.elb.amazonaws.com", hostedZoneId: "Z2", evaluateTargetHealth: false },
  });
  const { Name, AliasTarget, ...rest } = recordOf(values);
  const { Name: _name, AliasTarget: _alias, ...same } = record;
  assert.deepEqual([Name, AliasTarget?.DNSName, rest], ["*.example.com", "x.elb.amazonaws.com", same]);
});

const SIMPLE = { ttl: 60, resourceRecords: ["192.0.2.1"] };
const CHECKS: readonly { readonly why: string; readonly spec: JsonObject; readonly fields: readonly string[]; readonly zone?: string }[] = [
  { why: "a simple record", spec: SIMPLE, fields: [] },
  { why: "an alias", spec: { aliasTarget: ALIAS }, fields: [] },
  { why: "neither", spec: {}, fields: [""] },
  { why: "no TTL", spec: { resourceRecords: ["192.0.2.1"] }, fields: [""] },
  { why: "both", spec: { ...SIMPLE, aliasTarget: ALIAS }, fields: ["ttl"] },
  { why: "two policies", spec: { ...SIMPLE, setIdentifier: "a", weight: 1, region: "eu-west-1" }, fields: ["region"] },
  { why: "a policy without a set identifier", spec: { ...SIMPLE, weight: 0 }, fields: ["weight"] },
  { why: "a set identifier without a policy", spec: { ...SIMPLE, setIdentifier: "a", multiValueAnswer: false }, fields: ["setIdentifier"] },
  { why: "not of the zone", spec: { ...SIMPLE, name: "www.example.org" }, zone: "example.com", fields: ["name"] },
  { why: "of the zone, in another spelling", spec: { ...SIMPLE, name: "WWW.example.com." }, zone: "example.com", fields: [] },
  {
    why: "the zone itself is no CNAME",
    spec: { ...SIMPLE, name: "example.com", type: "CNAME", resourceRecords: ["a.b"] },
    zone: "example.com",
    fields: ["name"],
  },
  { why: "a CNAME leads to one name", spec: { ...SIMPLE, type: "CNAME", resourceRecords: ["a.b", "c.d"] }, fields: ["resourceRecords.1"] },
  { why: "text needs quotes", spec: { ...SIMPLE, type: "TXT", resourceRecords: ["text"] }, fields: ["resourceRecords.0"] },
  { why: "text in several parts", spec: { ...SIMPLE, type: "TXT", resourceRecords: ['"a \\" b" "c"'] }, fields: [] },
  {
    why: "text in parts that are too long",
    spec: { ...SIMPLE, type: "TXT", resourceRecords: [`"${"x".repeat(256)}"`] },
    fields: ["resourceRecords.0"],
  },
  { why: "a value twice", spec: { ...SIMPLE, resourceRecords: ["192.0.2.1", "192.0.2.1"] }, fields: ["resourceRecords.1"] },
  {
    why: "what is not known yet is not judged",
    spec: { aliasTarget: { $unknown: "x" }, name: { $unknown: "y" } },
    zone: "example.com",
    fields: [],
  },
];
for (const { why, spec, fields, zone } of CHECKS) {
  const whole: StaticResource = { key: "HostedZone/z", spec: { name: zone ?? null }, refersTo: () => undefined, spanOf: () => undefined };
  const resource: StaticResource = {
    ...whole,
    key: "RecordSet/a",
    spec,
    refersTo: (name) => (name === "hostedZoneId" ? whole : undefined),
  };
  test(`check: ${why}`, () =>
    assert.deepEqual(
      recordSet.check?.([resource]).map(({ field }) => field),
      fields,
    ));
}
