import assert from "node:assert/strict";
import { test } from "node:test";
import { dataOf, dataOut, descriptionOf, isOurs } from "../../src/kind/launch-template.ts";
import { type LaunchTemplateData, launchTemplateData } from "../../src/kind/launch-template-schemas.ts";

const DATA: LaunchTemplateData = {
  imageId: "resolve:ssm:/web/image",
  instanceRequirements: { vCpuCount: { min: 2, max: 8 }, memoryMiB: { min: 4096 }, bareMetal: "excluded", acceleratorTypes: ["gpu"] },
  keyName: "web",
  iamInstanceProfile: { name: "web" },
  userData: "#!/bin/bash\necho 'ä' ${HOME}\n",
  ebsOptimized: true,
  blockDeviceMappings: [
    { deviceName: "/dev/xvda", ebs: { volumeSize: 20, volumeType: "gp3", encrypted: true, kmsKeyId: "alias/web", throughput: 250 } },
    { deviceName: "/dev/sdb", noDevice: "" },
  ],
  networkInterfaces: [
    { deviceIndex: 0, groups: ["sg-2", "sg-1"], associatePublicIpAddress: false, connectionTrackingSpecification: { udpTimeout: 60 } },
  ],
  metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 },
  instanceMarketOptions: { marketType: "spot", spotOptions: { maxPrice: "0.05" } },
  tagSpecifications: { instance: { Name: "web", "a:b": "c" }, volume: { Name: "disk" } },
  licenseSpecifications: [{ licenseConfigurationArn: "arn:aws:license-manager:eu-west-1:111122223333:license-configuration:lic-1" }],
  privateDnsNameOptions: { enableResourceNameDnsAAAARecord: true },
};

test("what is sent of a version comes back as it was said", () => {
  assert.ok(launchTemplateData().safeParse(DATA).success);
  const sent = dataOut(DATA);
  assert.equal(Buffer.from(String(sent.UserData), "base64").toString(), DATA.userData);
  assert.deepEqual(sent.TagSpecifications?.[0], {
    ResourceType: "instance",
    Tags: [
      { Key: "Name", Value: "web" },
      { Key: "a:b", Value: "c" },
    ],
  });
  const interfaces = DATA.networkInterfaces?.map((one) => ({ ...one, groups: one.groups?.toSorted() }));
  assert.deepEqual(dataOf(sent as never), { ...DATA, networkInterfaces: interfaces });
});

test("what AWS adds, and the manifest has no words for, is left out", () => {
  const answer = {
    ImageId: "ami-1",
    MetadataOptions: { State: "applied", HttpTokens: "required" },
    SecurityGroupIds: [],
    CpuOptions: {},
    Operator: { Managed: false },
  };
  assert.deepEqual(dataOf(answer as never), { imageId: "ami-1", metadataOptions: { httpTokens: "required" } });
});

test("a version's description is the hash of what it holds", () => {
  const description = descriptionOf(DATA as never);
  assert.match(description, /^beacon:[0-9a-f]{64}$/);
  assert.ok(isOurs(description));
  const { imageId, ...rest } = DATA;
  const same = {
    ...rest,
    imageId,
    securityGroupIds: [],
    networkInterfaces: [{ ...DATA.networkInterfaces?.[0], groups: ["sg-1", "sg-2", "sg-1"] }],
  };
  assert.equal(descriptionOf(same as never), description, "neither order nor what is empty counts");
  assert.notEqual(descriptionOf({ ...DATA, ebsOptimized: false } as never), description);
  assert.notEqual(
    descriptionOf({ ...DATA, blockDeviceMappings: DATA.blockDeviceMappings?.toReversed() } as never),
    description,
    "devices have an order",
  );
});
