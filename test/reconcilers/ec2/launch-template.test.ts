import assert from "node:assert/strict";
import { test } from "node:test";
import { launchTemplate } from "../../../reconcilers/ec2/launch-template.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { descriptionOf } from "../../../src/kind/launch-template.ts";
import { sdkClients } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, removeAll, seen, settle } from "../support.ts";

const nameFor = (bench: Bench) => `${bench.stack.replace("/", "-")}-web`;
const data = (instanceType: string): JsonObject => ({ imageId: "ami-12345678", instanceType });

async function versionsOf(LaunchTemplateId: string) {
  const { ec2 } = await sdkClients();
  const { LaunchTemplateVersions = [] } = await ec2.describeLaunchTemplateVersions({ LaunchTemplateId });
  return LaunchTemplateVersions.map(({ VersionNumber, DefaultVersion, VersionDescription, LaunchTemplateData }) => ({
    number: VersionNumber,
    isDefault: DefaultVersion,
    description: VersionDescription,
    type: LaunchTemplateData?.InstanceType,
  })).sort((left, right) => Number(left.number) - Number(right.number));
}

test("a template holds all that it was made with", async () => {
  const bench = await benchFor(launchTemplate);
  const made = await make(bench, {
    launchTemplateName: nameFor(bench),
    launchTemplateData: {
      ...data("t3.medium"),
      keyName: "web",
      iamInstanceProfile: { arn: "arn:aws:iam::111122223333:instance-profile/web" },
      userData: "#!/bin/bash\necho ready\n",
      blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { volumeSize: 20, volumeType: "gp3", encrypted: true } }],
      networkInterfaces: [{ deviceIndex: 0, groups: ["sg-12345678"], associatePublicIpAddress: false }],
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 },
      monitoring: { enabled: true },
      placement: { tenancy: "default" },
      creditSpecification: { cpuCredits: "standard" },
      cpuOptions: { coreCount: 1, threadsPerCore: 2 },
      instanceMarketOptions: { marketType: "spot", spotOptions: { spotInstanceType: "one-time" } },
      hibernationOptions: { configured: false },
      tagSpecifications: { instance: { Name: "web" }, volume: { Name: "disk" } },
    },
    tags: { Name: "web" },
  });
  await assertHolds(bench, made);
  await removeAll(bench, made);
});

test("going back to an earlier content makes it the latest again: groups may follow $Latest", async () => {
  const bench = await benchFor(launchTemplate);
  const spec = (instanceType: string) => ({ launchTemplateName: nameFor(bench), launchTemplateData: data(instanceType) });
  let remote = await make(bench, spec("t3.micro"));
  for (const type of ["t3.small", "t3.micro"]) remote = await settle(bench, remote, spec(type));
  const versions = await versionsOf(remote.id);
  assert.deepEqual(
    versions.map(({ number, type, isDefault }) => [number, type, isDefault]),
    [
      [1, "t3.micro", false],
      [2, "t3.small", false],
      [3, "t3.micro", true],
    ],
  );
  assert.deepEqual(
    versions.map(({ description }) => description),
    ["t3.micro", "t3.small", "t3.micro"].map((type) => descriptionOf(data(type))),
  );
  await removeAll(bench, remote);
});

test("an outside hand's default version and latest version are seen, and put right", async () => {
  const bench = await benchFor(launchTemplate);
  const { ec2 } = await sdkClients();
  const spec = { launchTemplateName: nameFor(bench), launchTemplateData: data("t3.small") };
  let remote = await make(bench, { ...spec, launchTemplateData: data("t3.micro") });
  remote = await settle(bench, remote, spec);
  const LaunchTemplateId = remote.id;
  await ec2.modifyLaunchTemplate({ LaunchTemplateId, DefaultVersion: "1" });
  const [moved] = await seen(bench, remote.id);
  const back = await settle(bench, moved as never, spec);
  assert.equal(back.effects, 1, "the version is there: it is made the default again");
  await ec2.createLaunchTemplateVersion({
    LaunchTemplateId,
    SourceVersion: "2",
    LaunchTemplateData: { InstanceType: "t3.large", KeyName: "theirs" },
  });
  const [meddled] = await seen(bench, remote.id);
  const right = await settle(bench, meddled as never, spec);
  assert.deepEqual(
    (await versionsOf(remote.id)).map(({ number, type, isDefault }) => [number, type, isDefault]),
    [
      [1, "t3.micro", false],
      [2, "t3.small", false],
      [3, "t3.large", false],
      [4, "t3.small", true],
    ],
  );
  await assertHolds(bench, right);
  await removeAll(bench, right);
});

test("a version of the same content that somebody else made is no difference, and one with more is", async () => {
  const bench = await benchFor(launchTemplate);
  const { ec2 } = await sdkClients();
  const spec = { launchTemplateName: nameFor(bench), launchTemplateData: data("t3.small") };
  const { LaunchTemplate } = await ec2.createLaunchTemplate({
    LaunchTemplateName: spec.launchTemplateName,
    LaunchTemplateData: { ImageId: "ami-12345678", InstanceType: "t3.small" },
  });
  const id = String(LaunchTemplate?.LaunchTemplateId);
  const [theirs] = await seen(bench, id);
  const tags = { tags: {} };
  const observed = launchTemplate.comparable({ ...theirs?.values, ...tags }, spec);
  assert.deepEqual(observed.launchTemplateData, spec.launchTemplateData);
  await ec2.createLaunchTemplateVersion({
    LaunchTemplateId: id,
    LaunchTemplateData: { ImageId: "ami-12345678", InstanceType: "t3.small" },
  });
  const [again] = await seen(bench, id);
  await settle(bench, again as never, spec);
  assert.deepEqual(
    (await versionsOf(id)).map(({ number, isDefault }) => [number, isDefault]),
    [
      [1, false],
      [2, true],
    ],
    "it becomes the default version, and no third one is made",
  );
  await ec2.createLaunchTemplateVersion({
    LaunchTemplateId: id,
    LaunchTemplateData: { ImageId: "ami-12345678", InstanceType: "t3.small", KeyName: "k" },
  });
  const [more] = await seen(bench, id);
  assert.deepEqual(launchTemplate.comparable(more?.values ?? {}, spec).launchTemplateData, { ...spec.launchTemplateData, keyName: "k" });
  await ec2.deleteLaunchTemplate({ LaunchTemplateId: id });
});

test("old versions that BEACON made are deleted beyond the limit, never the default, the latest, or another's", async () => {
  const bench = await benchFor(launchTemplate);
  const { ec2 } = await sdkClients();
  const spec = (instanceType: string, more: JsonObject = {}) => ({
    launchTemplateName: nameFor(bench),
    launchTemplateData: data(instanceType),
    ...more,
  });
  let remote = await make(bench, spec("t3.nano"));
  const LaunchTemplateId = remote.id;
  await ec2.createLaunchTemplateVersion({
    LaunchTemplateId,
    LaunchTemplateData: { InstanceType: "m5.large" },
    VersionDescription: "by hand",
  });
  remote = (await seen(bench, remote.id))[0] as never;
  for (const type of ["t3.micro", "t3.small", "t3.medium"]) remote = await settle(bench, remote, spec(type));
  assert.deepEqual(
    (await versionsOf(remote.id)).map(({ number }) => number),
    [1, 2, 3, 4, 5],
    "five are kept where nobody says",
  );
  const fewer = spec("t3.medium", { versionsKept: 2 });
  remote = await settle(bench, remote, fewer);
  assert.deepEqual(
    (await versionsOf(remote.id)).map(({ number }) => number),
    [2, 4, 5],
  );
  await assertHolds(bench, remote);
  await ec2.modifyLaunchTemplate({ LaunchTemplateId, DefaultVersion: "2" });
  await ec2.modifyLaunchTemplate({ LaunchTemplateId, DefaultVersion: "4" });
  const observed = {
    ...remote.values,
    defaultVersionNumber: 4,
    latestVersionNumber: 9,
    versionDescriptions: { 4: "beacon:4", 8: "beacon:8", 9: descriptionOf(data("t3.medium")) },
  };
  const kept = launchTemplate.comparable(observed, { ...fewer, versionsKept: 2 }).launchTemplateData as JsonObject;
  assert.deepEqual([kept.defaultVersion, kept.oldVersions], [4, undefined], "first the default is put right");
  await removeAll(bench, remote);
});

test("a version whose answer was lost, and which no look shows yet, is not made twice", async () => {
  const bench = await benchFor(launchTemplate);
  const spec = { launchTemplateName: nameFor(bench), launchTemplateData: data("t3.micro") };
  const made = await make(bench, spec);
  const wanted = { ...spec, launchTemplateData: data("t3.small") };
  for (const _send of ["lost", "again"]) await settle(bench, made, wanted);
  assert.deepEqual(
    (await versionsOf(made.id)).map(({ number, type }) => [number, type]),
    [
      [1, "t3.micro"],
      [2, "t3.small"],
    ],
  );
  await removeAll(bench, made);
});

test("an id that no longer exists does not fail the look at the others", async () => {
  const bench = await benchFor(launchTemplate);
  const made = await make(bench, { launchTemplateName: nameFor(bench), launchTemplateData: data("t3.micro") });
  const found = await seen(bench, made.id, "lt-0123456789abcdef0");
  assert.deepEqual(
    found.map(({ id }) => id),
    [made.id],
  );
  assert.deepEqual(await seen(bench, "lt-0123456789abcdef0"), []);
  await removeAll(bench, made);
});

test("a look that waits for a deletion reads no versions", async () => {
  const bench = await benchFor(launchTemplate);
  const made = await make(bench, { launchTemplateName: nameFor(bench), launchTemplateData: data("t3.micro") });
  await launchTemplate.list.run(bench.reader, { ids: [made.id], names: [], fields: new Set() });
  assert.equal(
    bench.session.calls().find(({ operation }) => operation === "ec2:DescribeLaunchTemplateVersions"),
    undefined,
  );
  await removeAll(bench, made);
});

test("what AWS takes only one of is said before any call", () => {
  const findings = (launchTemplateData: JsonObject) => {
    const resource: StaticResource = {
      key: "LaunchTemplate/web",
      spec: { launchTemplateData },
      refersTo: () => undefined,
      spanOf: () => undefined,
    };
    return launchTemplate.check?.([resource]).map(({ field, message }) => `${field}: ${message}`);
  };
  assert.deepEqual(findings({ instanceType: "t3.micro", securityGroupIds: ["sg-1"] }), []);
  assert.deepEqual(findings({ networkInterfaces: [{}], securityGroupIds: ["sg-1"] }), [
    "launchTemplateData.securityGroupIds: LaunchTemplate/web has `networkInterfaces` and `securityGroupIds`; AWS takes one of them",
  ]);
  assert.deepEqual(findings({ iamInstanceProfile: { name: "a", arn: "b" } }), [
    "launchTemplateData.iamInstanceProfile: the instance profile of LaunchTemplate/web is given by `name` or by `arn`",
  ]);
  assert.deepEqual(findings({}), ["launchTemplateData: LaunchTemplate/web says nothing of what it launches"]);
});

test("user data has 16 KB of room", () => {
  const fits = (bytes: number) => launchTemplate.specSchema.safeParse({ launchTemplateData: { userData: "x".repeat(bytes) } }).success;
  assert.deepEqual([fits(16_384), fits(16_385)], [true, false]);
});
