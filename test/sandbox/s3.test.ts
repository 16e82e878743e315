/** What the launcher adds to moto's S3: what a new bucket has, configurations as they were sent, and names that are taken. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { S3 } from "@aws-sdk/client-s3";
import { clientSettings, freshProject, TEST_REGION } from "../support/sandbox.ts";

let s3: S3;
let ownEast: S3;
let theirs: S3;
before(async () => {
  const [{ S3: Client }, { STS }] = await Promise.all([import("@aws-sdk/client-s3"), import("@aws-sdk/client-sts")]);
  const settings = await clientSettings();
  const RoleArn = "arn:aws:iam::111122223333:role/other";
  const { Credentials: other } = await new STS(settings).assumeRole({ RoleArn, RoleSessionName: "test" });
  const credentials = {
    accessKeyId: String(other?.AccessKeyId),
    secretAccessKey: String(other?.SecretAccessKey),
    sessionToken: String(other?.SessionToken),
  };
  s3 = new Client({ ...settings, forcePathStyle: true });
  ownEast = new Client({ ...settings, region: "us-east-1", forcePathStyle: true });
  theirs = new Client({ ...settings, forcePathStyle: true, credentials });
});

async function newBucket(client = s3, Tags: { Key: string; Value: string }[] = []): Promise<string> {
  const Bucket = freshProject("bucket");
  await client.createBucket({ Bucket, CreateBucketConfiguration: { Tags } });
  return Bucket;
}

const refused = (name: string) => ({ name, $fault: "client" as const });

test("tags given at the create are there, also with characters that XML escapes, and go with the bucket", async () => {
  const Tags = [{ Key: "Name", Value: "a < b & c" }];
  const Bucket = await newBucket(s3, Tags);
  assert.deepEqual((await s3.getBucketTagging({ Bucket })).TagSet, Tags);
  await s3.deleteBucket({ Bucket });
  await s3.createBucket({ Bucket });
  await assert.rejects(s3.getBucketTagging({ Bucket }), refused("NoSuchTagSet"));
});

test("a new bucket is private, encrypted by S3, and without ACLs", async () => {
  const Bucket = await newBucket();
  const { PublicAccessBlockConfiguration } = await s3.getPublicAccessBlock({ Bucket });
  assert.deepEqual(Object.values(PublicAccessBlockConfiguration ?? {}), [true, true, true, true]);
  const { OwnershipControls } = await s3.getBucketOwnershipControls({ Bucket });
  assert.equal(OwnershipControls?.Rules?.[0]?.ObjectOwnership, "BucketOwnerEnforced");
  const { ServerSideEncryptionConfiguration } = await s3.getBucketEncryption({ Bucket });
  assert.equal(ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, "AES256");
});

test("a second create in us-east-1 succeeds, as AWS has it, and touches no tag; elsewhere it is refused", async () => {
  const east = await newBucket(ownEast, [{ Key: "a", Value: "1" }]);
  await ownEast.createBucket({ Bucket: east });
  assert.equal((await ownEast.getBucketTagging({ Bucket: east })).TagSet?.length, 1);
  const Bucket = await newBucket();
  await assert.rejects(s3.createBucket({ Bucket }), refused("BucketAlreadyOwnedByYou"));
});

test("a bucket of another account is closed, and its name taken", async () => {
  const Bucket = await newBucket(theirs);
  await assert.rejects(s3.headBucket({ Bucket }), (error: { $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.$metadata?.httpStatusCode, 403);
    return true;
  });
  await assert.rejects(s3.createBucket({ Bucket }), refused("BucketAlreadyExists"));
});

test("configurations are answered as they were sent", async () => {
  const Bucket = await newBucket();
  const Rules = [
    {
      ID: "a",
      Status: "Enabled" as const,
      Filter: { And: { Prefix: "p", ObjectSizeGreaterThan: 5, Tags: [{ Key: "k", Value: "v" }] } },
      NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
    },
  ];
  const TransitionDefaultMinimumObjectSize = "varies_by_storage_class" as const;
  await s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules }, TransitionDefaultMinimumObjectSize });
  const { Rules: found, TransitionDefaultMinimumObjectSize: size } = await s3.getBucketLifecycleConfiguration({ Bucket });
  assert.deepEqual([found, size], [Rules, TransitionDefaultMinimumObjectSize]);
  await s3.deleteBucketLifecycle({ Bucket });
  await assert.rejects(s3.getBucketLifecycleConfiguration({ Bucket }), refused("NoSuchLifecycleConfiguration"));
  await s3.putBucketRequestPayment({ Bucket, RequestPaymentConfiguration: { Payer: "Requester" } });
  assert.equal((await s3.getBucketRequestPayment({ Bucket })).Payer, "Requester");
});

test("a log needs a bucket to go to, and keeps none from being deleted", async () => {
  const [Bucket, TargetBucket] = [await newBucket(), await newBucket()];
  const log = (target: string) =>
    s3.putBucketLogging({ Bucket, BucketLoggingStatus: { LoggingEnabled: { TargetBucket: target, TargetPrefix: "" } } });
  await assert.rejects(log(freshProject("nowhere")), refused("NoSuchBucket"));
  await log(TargetBucket);
  await s3.headBucket({ Bucket });
  await s3.deleteBucket({ Bucket: TargetBucket });
});

test("a bucket is deleted only without objects, versions and delete markers", async () => {
  const Bucket = await newBucket();
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  await s3.putObject({ Bucket, Key: "k", Body: "v" });
  await s3.deleteObject({ Bucket, Key: "k" });
  await assert.rejects(s3.deleteBucket({ Bucket }), refused("BucketNotEmpty"));
  const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket });
  const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key: String(Key), VersionId: String(VersionId) }));
  await s3.deleteObjects({ Bucket, Delete: { Objects } });
  await s3.deleteBucket({ Bucket });
});

test("a bucket is in the region that was asked for it", async () => {
  const Bucket = await newBucket();
  assert.equal((await s3.headBucket({ Bucket })).BucketRegion, TEST_REGION);
});
