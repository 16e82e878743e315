import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { S3 } from "@aws-sdk/client-s3";
import { bucket } from "../../../reconcilers/s3/bucket.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import { connect } from "../../../src/aws/handle.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { s3 } from "../../../src/kind/s3.ts";
import { clientSettings, TEST_REGION } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, recorder, removeAll, seen, settle } from "../support.ts";

const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;

async function plainClient(more: object = {}): Promise<S3> {
  const { S3: Client } = await import("@aws-sdk/client-s3");
  return new Client({ ...(await clientSettings()), forcePathStyle: true, ...more });
}

test("a new bucket is what AWS's documented defaults say, with its tags, in the session's region", async () => {
  const [bench, plain] = [await benchFor(bucket), await plainClient()];
  const made = await make(bench, { bucket: nameFor(bench, "plain"), tags: { Name: "plain" } });
  const { values } = await assertHolds(bench, made);
  assert.deepEqual(Object.values(values.publicAccessBlockConfiguration as JsonObject), [true, true, true, true]);
  assert.equal(values.bucketArn, `arn:aws:s3:::${made.id}`);
  const { TagSet = [] } = await plain.getBucketTagging({ Bucket: made.id });
  assert.deepEqual(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])), { Name: "plain", "beacon:stack": bench.stack });
  assert.equal((await plain.getBucketLocation({ Bucket: made.id })).LocationConstraint, TEST_REGION);
  await removeAll(bench, made);
});

test("locks, and all that depends on versions, come and go in an order that S3 takes", async () => {
  const bench = await benchFor(bucket);
  const base = { bucket: nameFor(bench, "locked"), objectLockEnabledForBucket: true };
  const made = await make(bench, base);
  await assertHolds(bench, made);
  const rule = { defaultRetention: { mode: "GOVERNANCE", days: 7 } };
  const locked = await settle(bench, made, { ...base, objectLockConfiguration: { rule } }, base);
  await assertHolds(bench, locked);
  const back = await settle(bench, locked, base, { ...base, objectLockConfiguration: { rule } });
  assert.equal((await assertHolds(bench, back)).values.objectLockConfiguration, undefined);
  await removeAll(bench, back);
});

test("versions begin before replication, and end after it", async () => {
  const sent = async (changes: JsonObject, observed: JsonObject) => {
    const { sent: calls, writer } = recorder();
    const updater = bucket.updates.find(({ fields }) => fields.includes("replicationConfiguration"));
    const change = (after: unknown) => ({ before: undefined, after, added: [], removed: [], changed: [], set: {}, drop: [] });
    const given = Object.fromEntries(Object.entries(changes).map(([name, after]) => [name, change(after)]));
    await updater?.run(writer, { id: "b", desired: {}, observed, changes: given as never });
    return calls.map(({ operation }) => operation);
  };
  const replicationConfiguration = { role: "arn:aws:iam::1:role/a", rules: [] };
  const [on, off] = [{ status: "Enabled" }, { status: "Suspended" }];
  assert.deepEqual(await sent({ versioningConfiguration: on, replicationConfiguration }, {}), ["PutBucketVersioning"]);
  assert.deepEqual(await sent({ replicationConfiguration }, {}), ["PutBucketReplication"]);
  assert.deepEqual(await sent({ versioningConfiguration: off, replicationConfiguration: null }, {}), ["DeleteBucketReplication"]);
  assert.deepEqual(await sent({ versioningConfiguration: off }, {}), ["PutBucketVersioning"]);
});

test("a look costs one call for all tags, and for each bucket one and those for what was declared", async () => {
  const bench = await benchFor(bucket);
  const made = await Promise.all(["a", "b"].map((name) => make(bench, { bucket: nameFor(bench, name) })));
  const total = () => bench.session.calls().reduce((sum, { calls }) => sum + calls, 0);
  const before = total();
  const fields = new Set(["bucket", "tags", "versioningConfiguration", "serverSideEncryptionConfiguration"]);
  assert.equal((await ownedBy(bench, { fields })).length, 2);
  assert.equal(total() - before, 1 + 2 * 3);
  await removeAll(bench, ...made);
});

test("tags of others, and AWS's own, stay when ours change", async () => {
  const [bench, plain] = [await benchFor(bucket), await plainClient()];
  const made = await make(bench, { bucket: nameFor(bench, "tagged"), tags: { Gone: "soon" } });
  const { TagSet = [] } = await plain.getBucketTagging({ Bucket: made.id });
  const theirs = [{ Key: "Owner", Value: "them" }];
  await plain.putBucketTagging({ Bucket: made.id, Tagging: { TagSet: [...TagSet, ...theirs] } });
  const settled = await settle(bench, made, { bucket: made.id, tags: { Name: "ours" } }, { bucket: made.id, tags: { Gone: "soon" } });
  const after = (await seen(bench, made.id))[0]?.tags;
  assert.deepEqual(after, { Name: "ours", Owner: "them", "beacon:stack": bench.stack });
  await removeAll(bench, settled);
});

test("a bucket with objects stays and says how many; forced, all versions go first", async () => {
  const [bench, plain] = [await benchFor(bucket), await plainClient()];
  const spec = { bucket: nameFor(bench, "full"), versioningConfiguration: { status: "Enabled" } };
  const made = await settle(bench, await make(bench, spec), spec);
  for (const Body of ["one", "two"]) await plain.putObject({ Bucket: made.id, Key: "a b+c/ü%.txt", Body });
  await plain.deleteObject({ Bucket: made.id, Key: "a b+c/ü%.txt" });
  const deletion = bucket.delete.run(bench.writer, { id: made.id, observed: made.values });
  await assert.rejects(deletion, (error: AwsError) => {
    assert.equal(error.verdict, "refused");
    assert.match(error.message, /holds 3 objects, versions and delete markers: delete them, or set lifecycle\.deletion: force/);
    return true;
  });
  assert.ok(!bucket.errors.wait.includes("BucketNotEmpty"), "nothing waits for it");
  await bucket.delete.run(bench.writer, { id: made.id, observed: made.values, force: true });
  assert.deepEqual(await seen(bench, made.id), []);
});

test("a bucket is emptied page by page, and an object that must not go ends it", async () => {
  const pages = [["a", "b"], ["c"], []].map((keys) => ({ Versions: keys.map((Key) => ({ Key, VersionId: "v" })) }));
  const sent: string[] = [];
  const aws = {
    read: async () => pages.shift(),
    write: async (_service: unknown, operation: string, { Delete }: { Delete?: { Objects: { Key: string }[] } }) => {
      sent.push([operation, ...(Delete?.Objects ?? []).map(({ Key }) => Key)].join(" "));
      return {};
    },
  };
  await bucket.delete.run(aws as never, { id: "x", observed: {}, force: true });
  assert.deepEqual(sent, ["DeleteObjects a b", "DeleteObjects c", "DeleteBucket"]);
  const Errors = [{ Key: "a", VersionId: "v", Code: "AccessDenied", Message: "locked" }];
  const locked = { read: async () => ({ Versions: [{ Key: "a", VersionId: "v" }] }), write: async () => ({ Errors }) };
  await assert.rejects(bucket.delete.run(locked as never, { id: "x", observed: {}, force: true }), /x cannot be emptied: a \(v\): locked/);
});

test("a bucket of another account is nobody's here, whatever it says of itself", async () => {
  const bench = await benchFor(bucket);
  const { STS } = await import("@aws-sdk/client-sts");
  const { Credentials } = await new STS(await clientSettings()).assumeRole({
    RoleArn: "arn:aws:iam::111122223333:role/other",
    RoleSessionName: "test",
  });
  const credentials = {
    accessKeyId: String(Credentials?.AccessKeyId),
    secretAccessKey: String(Credentials?.SecretAccessKey),
    sessionToken: String(Credentials?.SessionToken),
  };
  const theirs = await plainClient({ credentials });
  const Bucket = nameFor(bench, "theirs");
  const Tags = [{ Key: "beacon:stack", Value: bench.stack }];
  await theirs.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: TEST_REGION, Tags } });
  const [found] = await bucket.list.run(bench.reader, { ids: [], names: [{ bucket: Bucket }], fields: new Set() });
  assert.equal(found?.id, Bucket);
  assert.match(String(found?.foreign), /^belongs to another account/);
  assert.equal(found?.tags, undefined);
  await assert.rejects(make(bench, { bucket: Bucket }), (error: AwsError) => bucket.errors.exists.includes(error.name));
  await theirs.deleteBucket({ Bucket });
});

test("only what the account is said to own is taken for its own, and a bucket elsewhere is told", async () => {
  const asked: unknown[] = [];
  const reading = (status: number) => ({
    read: async (_service: unknown, operation: string, input: object) => {
      if (operation === "GetCallerIdentity") return { Account: "123456789012" };
      asked.push(input);
      throw new AwsError(status === 404 ? "NotFound" : "Unknown", "", { operation: `s3:${operation}`, verdict: "refused", status });
    },
  });
  const lookAt = (status: number) => bucket.list.run(reading(status) as never, { ids: ["b"], names: [], fields: new Set() });
  assert.deepEqual(await lookAt(404), []);
  assert.match(String((await lookAt(301))[0]?.foreign), /another region/);
  await assert.rejects(lookAt(400));
  assert.deepEqual(asked[0], { Bucket: "b", ExpectedBucketOwner: "123456789012" });
});

test("a name in the account's own namespace is asked for there", async () => {
  const { sent, writer } = recorder();
  const name = "logs-123456789012-ap-northeast-2-an";
  await bucket.create.run(writer, { bucket: name }, { token: "" });
  await bucket.create.run(writer, { bucket: "plain" }, { token: "" });
  assert.deepEqual(
    sent.map(({ input }) => input),
    [{ Bucket: name, BucketNamespace: "account-regional" }, { Bucket: "plain" }],
  );
});

test("at an endpoint of one's own, buckets are named in the path", async (context) => {
  const seenUrls: string[] = [];
  const server = createServer((request, response) => {
    seenUrls.push(`${request.headers.host} ${request.url}`);
    response.writeHead(404).end();
  });
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://localhost:${(server.address() as AddressInfo).port}`;
  const operations = new Set(["s3:HeadBucket"] as const);
  const session = connect({ endpoint, region: TEST_REGION, sandbox: true, readOperations: operations, operations });
  context.after(() => session.close());
  await assert.rejects(session.reader.read(s3, "HeadBucket", { Bucket: "abc" }), { name: "NotFound" });
  assert.deepEqual(seenUrls, [`${new URL(endpoint).host} /abc/`]);
});

const expires = { id: "a", status: "Enabled", expiration: { days: 1 } };
const replicationConfiguration = { role: "arn:aws:iam::1:role/a", rules: [] };
const lifecycle = (...rules: JsonObject[]) => ({ lifecycleConfiguration: { rules } });

const rows: readonly { readonly why: string; readonly spec: JsonObject; readonly fields: readonly string[] }[] = [
  { why: "a rule that expires objects", spec: lifecycle(expires), fields: [] },
  { why: "a rule does something", spec: lifecycle({ id: "a", status: "Enabled" }), fields: ["lifecycleConfiguration.rules.0"] },
  {
    why: "two rules of one name are one too many",
    spec: lifecycle(expires, expires),
    fields: ["lifecycleConfiguration.rules.1.id"],
  },
  {
    why: "an expiration has one reason",
    spec: lifecycle({ ...expires, expiration: { days: 1, date: "2030-01-01" } }),
    fields: ["lifecycleConfiguration.rules.0.expiration"],
  },
  {
    why: "a transition has one day",
    spec: lifecycle({ id: "a", status: "Enabled", transitions: [{ storageClass: "GLACIER" }] }),
    fields: ["lifecycleConfiguration.rules.0.transitions.0"],
  },
  {
    why: "several conditions stand in `and`",
    spec: lifecycle({ ...expires, filter: { prefix: "a", objectSizeGreaterThan: 1 } }),
    fields: ["lifecycleConfiguration.rules.0.filter"],
  },
  {
    why: "S3's own keys take no KMS key",
    spec: { serverSideEncryptionConfiguration: { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256", kmsMasterKeyId: "k" } } },
    fields: ["serverSideEncryptionConfiguration.applyServerSideEncryptionByDefault.kmsMasterKeyId"],
  },
  {
    why: "locks need a bucket made for them",
    spec: { objectLockConfiguration: { rule: { defaultRetention: { mode: "GOVERNANCE", days: 1 } } } },
    fields: ["objectLockConfiguration"],
  },
  {
    why: "a retention is in days or in years",
    spec: {
      objectLockEnabledForBucket: true,
      objectLockConfiguration: { rule: { defaultRetention: { mode: "GOVERNANCE", days: 1, years: 1 } } },
    },
    fields: ["objectLockConfiguration.rule.defaultRetention"],
  },
  {
    why: "a bucket with locks keeps versions",
    spec: { objectLockEnabledForBucket: true, versioningConfiguration: { status: "Suspended" } },
    fields: ["versioningConfiguration.status"],
  },
  { why: "a replicated bucket keeps versions", spec: { replicationConfiguration }, fields: ["replicationConfiguration"] },
  {
    why: "which it may be known to do later",
    spec: { replicationConfiguration, versioningConfiguration: { $unknown: "bucket.other.versioningConfiguration" } },
    fields: [],
  },
  {
    why: "a site redirects everything or shows something",
    spec: { websiteConfiguration: { redirectAllRequestsTo: { hostName: "a" }, indexDocument: { suffix: "i" } } },
    fields: ["websiteConfiguration"],
  },
  { why: "a site shows something", spec: { websiteConfiguration: { errorDocument: { key: "e" } } }, fields: ["websiteConfiguration"] },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "Bucket/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      bucket.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

for (const [name, isName] of [
  ["beacon-prod-backups", true],
  ["a.b-c.1", true],
  ["ab", false],
  ["Beacon", false],
  ["-a-", false],
  ["a..b", false],
  ["192.168.0.1", false],
  ["xn--a", false],
  ["a--x-s3", false],
] as const) {
  test(`${name} is ${isName ? "a" : "no"} bucket's name`, () =>
    assert.equal(bucket.specSchema.safeParse({ bucket: name }).success, isName));
}
