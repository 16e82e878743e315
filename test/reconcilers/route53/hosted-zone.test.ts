import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../../reconcilers/index.ts";
import { hostedZone } from "../../../reconcilers/route53/hosted-zone.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { Reader } from "../../../src/aws/service.ts";
import { ownershipTags } from "../../../src/aws/tags.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { changeRecord } from "../../../src/kind/route53.ts";
import { ownerBy, referenceFor } from "../../../src/kind/route53-zones.ts";
import { Life } from "../../conformance/life.ts";
import { newStand } from "../../conformance/stand.ts";
import { freshProject } from "../../support/sandbox.ts";
import { declared, manifestsOf } from "../stacks.ts";
import { assertHolds, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";

const newDomain = () => `${freshProject()}.example.com`;
const OWNER = { stack: "shop/prod", resource: "HostedZone/main", uid: "u".repeat(26), generation: 3, deletion: "delete" } as const;

test("a public zone lives and goes; more tags than a call takes follow in several", async () => {
  const bench = await benchFor(hostedZone);
  const spec = { name: newDomain() };
  const made = await make(bench, spec);
  assert.equal((made.values.nameServers as string[]).length, 4);
  const tags = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`k${index}`, `v${index}`]));
  const tagged = await settle(bench, made, { ...spec, comment: "x", tags });
  assert.equal(tagged.effects, 3, "the comment, and two calls for the tags");
  await assertHolds(bench, tagged);
  const bare = await settle(bench, tagged, spec, { comment: "x", tags });
  const held = await assertHolds(bench, bare);
  assert.deepEqual(Object.keys(held.tags ?? {}), ["beacon:stack"]);
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, bare);
});

test("a zone is found by its name, whatever the spelling, among others of that name", async () => {
  const bench = await benchFor(hostedZone);
  const name = newDomain();
  const made = await make(bench, { name });
  const look = (wanted: JsonObject) => bench.kind.list.run(bench.reader, { ids: [], names: [wanted], fields: new Set() });
  assert.deepEqual(
    (await look({ name: `${name.toUpperCase()}.` })).map(({ id }) => id),
    [made.id],
  );
  assert.deepEqual(await look({ name, privateZone: true }), [], "a private zone of the name is another");
  await removeAll(bench, made);
});

test("what a zone's create was called says whose it is, before any tag does", async () => {
  const bench = await benchFor(hostedZone);
  const spec = { name: newDomain(), tags: { ...ownershipTags({ ...OWNER, uid: freshProject() }) } };
  const made = await make(bench, spec);
  const [found] = await seen(bench, made.id);
  assert.deepEqual([found?.tags, found?.owner?.resource, found?.owner?.generation], [{}, "HostedZone/main", 3]);
  await assert.rejects(make(bench, spec), { name: "HostedZoneAlreadyExists" }, "the same create makes no second zone");
  await removeAll(bench, made);
});

test("references are short enough, the same each time, and read back", () => {
  const reference = referenceFor(ownershipTags(OWNER), "token");
  assert.deepEqual(ownerBy(reference), OWNER);
  const long = { ...OWNER, stack: `${"p".repeat(100)}/prod`, resource: "HostedZone/main" } as const;
  const short = referenceFor(ownershipTags(long), "token");
  assert.ok(short.length <= 128 && short.includes(OWNER.uid));
  assert.equal(ownerBy(short), undefined, "who it is then is a matter of the record");
  assert.equal(referenceFor({ Owner: "somebody" }, "token"), "token");
  for (const strange of [undefined, "", "beacon", "beacon a b c d", "2026-11-24T10:00:00", `${reference} x`]) {
    assert.equal(ownerBy(strange), undefined);
  }
});

test("records and tags lost at once, after a create that had no tags yet: the zone is found all the same", async () => {
  const stand = await newStand(kinds, "zone", "ap-south-1");
  try {
    const manifests = manifestsOf(stand, [declared("route53.aws/v1", "HostedZone/main", { name: `${stand.stack.project}.example.com` })]);
    const life = new Life({ nth: 1, when: "after" });
    await stand.pass(manifests, {}, { life });
    assert.equal(life.diedOf, "route53:CreateHostedZone");
    stand.loseState();
    const { report } = await stand.settle(manifests);
    assert.deepEqual(
      stand.proxy.mutatingCalls.map(({ name }) => name),
      ["route53:CreateHostedZone", "route53:ChangeTagsForResource"],
      JSON.stringify(report.results),
    );
    await stand.settle(undefined, { destroy: true });
  } finally {
    await stand.close();
  }
});

test("a zone with records is not deleted unless it is told to; what is in the way is named", async () => {
  const bench = await benchFor(hostedZone);
  const name = newDomain();
  const made = await make(bench, { name });
  const records = ["a", "b"].map((host) => ({
    Name: `${host}.${name}`,
    Type: "A" as const,
    TTL: 60,
    ResourceRecords: [{ Value: "192.0.2.1" }],
  }));
  await Promise.all(records.map((ResourceRecordSet) => changeRecord(bench.writer, made.id, { Action: "CREATE", ResourceRecordSet })));
  const target = { id: made.id, observed: made.values };
  await assert.rejects(hostedZone.delete.run(bench.writer, target), { name: "HostedZoneNotEmpty" });
  assert.equal(await hostedZone.explainBlocked?.run(bench.reader, target), `its record a.${name} A, and 1 more`);
  await hostedZone.delete.run(bench.writer, { ...target, force: true });
  assert.deepEqual(await seen(bench, made.id), []);
});

/** Answers of the API's that the sandbox does not give. */
function reader(answers: Readonly<Record<string, (input: never) => object>>): Reader {
  const read = async (_service: unknown, operation: string, input: unknown) => answers[operation]?.(input as never) ?? {};
  return { read } as unknown as Reader;
}

const zone = (Id: string, Name = "example.com.") => ({
  Id: `/hostedzone/${Id}`,
  Name,
  CallerReference: Id,
  Config: { PrivateZone: false },
});

test("zones of one name are looked for page by page, and no further", async () => {
  const asked: object[] = [];
  const aws = reader({
    ListHostedZonesByName: (input: { HostedZoneId?: string }) => {
      asked.push(input);
      if (input.HostedZoneId === undefined) {
        return { HostedZones: [zone("Z1")], IsTruncated: true, NextDNSName: "example.com.", NextHostedZoneId: "Z2" };
      }
      return {
        HostedZones: [zone("Z2"), zone("Z3", "example.org.")],
        IsTruncated: true,
        NextDNSName: "example.org.",
        NextHostedZoneId: "Z4",
      };
    },
    GetHostedZone: ({ Id }: { Id: string }) => ({ HostedZone: zone(Id), DelegationSet: { NameServers: ["ns-1", "ns-0"] } }),
    ListTagsForResources: ({ ResourceIds }: { ResourceIds: string[] }) => ({
      ResourceTagSets: ResourceIds.map((ResourceId) => ({ ResourceId, Tags: [{ Key: "Id", Value: ResourceId }] })),
    }),
  });
  const found = await hostedZone.list.run(aws, { ids: [], names: [{ name: "example.com" }], fields: new Set() });
  assert.deepEqual(
    found.map(({ id, tags, values }) => [id, tags?.Id, values.nameServers]),
    ["Z1", "Z2"].map((id) => [id, id, ["ns-0", "ns-1"]]),
  );
  assert.deepEqual(asked, [{ DNSName: "example.com" }, { DNSName: "example.com.", HostedZoneId: "Z2" }]);
});

test("a zone that goes while tags are read takes nobody's along", async () => {
  const batches: number[] = [];
  const aws = reader({
    GetHostedZone: ({ Id }: { Id: string }) => ({ HostedZone: zone(Id) }),
    ListTagsForResources: ({ ResourceIds }: { ResourceIds: string[] }) => {
      batches.push(ResourceIds.length);
      if (ResourceIds.includes("Z3")) throw new AwsError("NoSuchHostedZone", "", { operation: "", verdict: "refused" });
      return { ResourceTagSets: ResourceIds.map((ResourceId) => ({ ResourceId, Tags: [{ Key: "Id", Value: ResourceId }] })) };
    },
  });
  const ids = Array.from({ length: 12 }, (_, index) => `Z${index}`);
  const found = await hostedZone.list.run(aws, { ids, names: [], fields: new Set() });
  assert.deepEqual(
    found.map(({ id, tags }) => (id === "Z3" ? tags?.Id === undefined : tags?.Id === id)),
    ids.map(() => true),
  );
  assert.equal(Math.max(...batches), 10, "AWS takes ten");
});

const CHECKS: readonly { readonly why: string; readonly spec: JsonObject; readonly fields: readonly string[] }[] = [
  { why: "a public zone", spec: { name: "example.com" }, fields: [] },
  { why: "a private zone", spec: { name: "internal", privateZone: true, vpcs: [] }, fields: [] },
  { why: "a public zone has no VPCs", spec: { name: "example.com", vpcs: [] }, fields: ["vpcs"] },
  { why: "a private zone needs a VPC", spec: { name: "example.com", privateZone: true }, fields: ["privateZone"] },
  {
    why: "a private zone is delegated to nobody",
    spec: { name: "a.b", privateZone: true, vpcs: [], delegationSetId: "N1" },
    fields: ["delegationSetId"],
  },
  { why: "nobody has a top-level domain", spec: { name: "com." }, fields: ["name"] },
  { why: "what is not known yet is not judged", spec: { name: { $unknown: "x" }, privateZone: { $unknown: "y" } }, fields: [] },
];
for (const { why, spec, fields } of CHECKS) {
  const resource: StaticResource = { key: "HostedZone/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(`check: ${why}`, () =>
    assert.deepEqual(
      hostedZone.check?.([resource]).map(({ field }) => field),
      fields,
    ));
}
