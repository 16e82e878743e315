/** Launch templates, groups, refreshes and policies on the sandbox behave as AWS's do, where moto's do not. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { clientSettings, freshProject } from "../support/sandbox.ts";

let ec2: EC2;
let autoscaling: AutoScaling;
let elb: ElasticLoadBalancingV2;
let vpcId: string;
let subnetId: string;
let groupId: string;

const refused = (name: string, message = /./) => ({ name, message });
const LaunchTemplateData = { ImageId: "ami-12345678", InstanceType: "t3.micro" as const };

before(async () => {
  const settings = await clientSettings();
  [ec2, autoscaling, elb] = [new EC2(settings), new AutoScaling(settings), new ElasticLoadBalancingV2(settings)];
  const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
  vpcId = String(Vpc?.VpcId);
  subnetId = String((await ec2.createSubnet({ VpcId: vpcId, CidrBlock: "10.0.0.0/24" })).Subnet?.SubnetId);
  groupId = String((await ec2.createSecurityGroup({ VpcId: vpcId, GroupName: "web", Description: "web" })).GroupId);
});

after(() => {
  ec2.destroy();
  autoscaling.destroy();
  elb.destroy();
});

async function newTemplate(versions = 1): Promise<string> {
  const LaunchTemplateName = freshProject("lt");
  const TagSpecifications = [{ ResourceType: "launch-template" as const, Tags: [{ Key: "Name", Value: "own" }] }];
  const { LaunchTemplate } = await ec2.createLaunchTemplate({ LaunchTemplateName, LaunchTemplateData, TagSpecifications });
  const LaunchTemplateId = String(LaunchTemplate?.LaunchTemplateId);
  for (let version = 1; version < versions; version++) await ec2.createLaunchTemplateVersion({ LaunchTemplateId, LaunchTemplateData });
  return LaunchTemplateId;
}

async function newGroup(LaunchTemplateId: string, more: object = {}): Promise<string> {
  const AutoScalingGroupName = freshProject("g");
  const LaunchTemplate = { LaunchTemplateId, Version: "$Latest" };
  await autoscaling.createAutoScalingGroup({
    AutoScalingGroupName,
    MinSize: 2,
    MaxSize: 4,
    VPCZoneIdentifier: subnetId,
    LaunchTemplate,
    ...more,
  });
  return AutoScalingGroupName;
}

async function groupNamed(name: string) {
  const { AutoScalingGroups = [] } = await autoscaling.describeAutoScalingGroups({ AutoScalingGroupNames: [name] });
  return AutoScalingGroups[0] ?? assert.fail(`no group ${name}`);
}

const end = (AutoScalingGroupName: string) => autoscaling.deleteAutoScalingGroup({ AutoScalingGroupName, ForceDelete: true });

describe("launch templates", () => {
  test("versions go, but for the default; no number is given twice", async () => {
    const LaunchTemplateId = await newTemplate(4);
    const answer = await ec2.deleteLaunchTemplateVersions({ LaunchTemplateId, Versions: ["1", "2", "4", "9"] });
    assert.deepEqual(
      answer.SuccessfullyDeletedLaunchTemplateVersions?.map(({ VersionNumber }) => VersionNumber),
      [2, 4],
    );
    assert.deepEqual(
      answer.UnsuccessfullyDeletedLaunchTemplateVersions?.map(({ VersionNumber, ResponseError }) => [VersionNumber, ResponseError?.Code]),
      [
        [1, "unexpectedError"],
        [9, "launchTemplateVersionDoesNotExist"],
      ],
    );
    const { LaunchTemplates = [] } = await ec2.describeLaunchTemplates({ LaunchTemplateIds: [LaunchTemplateId] });
    assert.deepEqual([LaunchTemplates[0]?.LatestVersionNumber, LaunchTemplates[0]?.DefaultVersionNumber], [3, 1]);
    const { LaunchTemplateVersion } = await ec2.createLaunchTemplateVersion({ LaunchTemplateId, LaunchTemplateData });
    assert.equal(LaunchTemplateVersion?.VersionNumber, 5);
    const unknown = ec2.describeLaunchTemplateVersions({ LaunchTemplateId, Versions: ["2"] });
    await assert.rejects(unknown, refused("InvalidLaunchTemplateId.VersionNotFound"));
  });

  test("long lists come in pages", async () => {
    const LaunchTemplateId = await newTemplate(18);
    assert.equal((await ec2.describeLaunchTemplateVersions({ LaunchTemplateId })).LaunchTemplateVersions?.length, 18);
    const first = await ec2.describeLaunchTemplateVersions({ LaunchTemplateId, MaxResults: 10 });
    const rest = await ec2.describeLaunchTemplateVersions({ LaunchTemplateId, MaxResults: 10, NextToken: first.NextToken });
    assert.deepEqual([first.LaunchTemplateVersions?.length, rest.LaunchTemplateVersions?.length, rest.NextToken], [10, 8, undefined]);
  });

  test("a template's own tags are its own, and are told as they are now", async () => {
    const LaunchTemplateId = await newTemplate();
    await ec2.createTags({ Resources: [LaunchTemplateId], Tags: [{ Key: "Later", Value: "x" }] });
    const { LaunchTemplates = [] } = await ec2.describeLaunchTemplates({ LaunchTemplateIds: [LaunchTemplateId] });
    assert.deepEqual(LaunchTemplates[0]?.Tags?.map(({ Key }) => Key).sort(), ["Later", "Name"]);
    const { LaunchTemplateVersions = [] } = await ec2.describeLaunchTemplateVersions({ LaunchTemplateId });
    assert.deepEqual(LaunchTemplateVersions[0]?.LaunchTemplateData, LaunchTemplateData);
  });

  test("one unknown id fails the call", async () => {
    const LaunchTemplateIds = [await newTemplate(), "lt-0123456789abcdef0"];
    await assert.rejects(ec2.describeLaunchTemplates({ LaunchTemplateIds }), refused("InvalidLaunchTemplateId.NotFound"));
  });
});

describe("auto scaling groups", () => {
  test("a name is taken once, and a group with instances is deleted by force alone", async () => {
    const template = await newTemplate();
    const name = await newGroup(template);
    const again = newGroup(template, { AutoScalingGroupName: name });
    await assert.rejects(again, refused("AlreadyExistsFault", /already exists/));
    assert.equal((await groupNamed(name)).Instances?.length, 2, "the first is as it was");
    await assert.rejects(autoscaling.deleteAutoScalingGroup({ AutoScalingGroupName: name }), refused("ResourceInUseFault"));
    await end(name);
    await assert.rejects(end(name), refused("ValidationError", /name not found/));
  });

  test("protection of the group holds, and that of its instances from scale-in holds no deletion up", async () => {
    const protection = { DeletionProtection: "prevent-force-deletion", NewInstancesProtectedFromScaleIn: true };
    const name = await newGroup(await newTemplate(), protection);
    const ids = ((await groupNamed(name)).Instances ?? []).map(({ InstanceId }) => String(InstanceId));
    await assert.rejects(end(name), refused("ValidationError", /protected/));
    await autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: name, DeletionProtection: "none" });
    await end(name);
    const { Reservations = [] } = await ec2.describeInstances({ InstanceIds: ids });
    const states = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ State }) => State?.Name));
    assert.deepEqual(states, ["terminated", "terminated"]);
  });

  test("instances are spread over the subnets, and told to those alone who want them", async () => {
    const { Subnet } = await ec2.createSubnet({ VpcId: vpcId, CidrBlock: "10.0.1.0/24" });
    const both = [subnetId, String(Subnet?.SubnetId)];
    const name = await newGroup(await newTemplate(), { VPCZoneIdentifier: both.join(",") });
    const { Instances = [] } = await groupNamed(name);
    const { Reservations = [] } = await ec2.describeInstances({ InstanceIds: Instances.map(({ InstanceId }) => String(InstanceId)) });
    const subnets = Reservations.flatMap((one) => (one.Instances ?? []).map(({ SubnetId }) => String(SubnetId)));
    assert.deepEqual(subnets.sort(), both.sort());
    const asked = { AutoScalingGroupNames: [name], IncludeInstances: false };
    assert.deepEqual((await autoscaling.describeAutoScalingGroups(asked)).AutoScalingGroups?.[0]?.Instances ?? [], []);
    await end(name);
  });

  test("an instance that ends leaves the target groups", async () => {
    const target = { Name: freshProject("tg"), VpcId: vpcId, Protocol: "HTTP" as const, Port: 80 };
    const TargetGroupArn = String((await elb.createTargetGroup(target)).TargetGroups?.[0]?.TargetGroupArn);
    const registered = async () =>
      ((await elb.describeTargetHealth({ TargetGroupArn })).TargetHealthDescriptions ?? []).map(({ Target }) => Target?.Id).sort();
    const name = await newGroup(await newTemplate(), { TargetGroupARNs: [TargetGroupArn] });
    const ids = ((await groupNamed(name)).Instances ?? []).map(({ InstanceId }) => InstanceId);
    assert.deepEqual(await registered(), ids.toSorted());
    await autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: name, MinSize: 1, DesiredCapacity: 1 });
    assert.deepEqual(
      await registered(),
      ((await groupNamed(name)).Instances ?? []).map(({ InstanceId }) => InstanceId),
    );
    await end(name);
    assert.deepEqual(await registered(), []);
    await elb.deleteTargetGroup({ TargetGroupArn });
  });

  test("instances are as their template says, and free their subnet and groups at their end", async () => {
    const LaunchTemplateId = await newTemplate();
    const Data = { ...LaunchTemplateData, InstanceType: "t3.large" as const, KeyName: "web", SecurityGroupIds: [groupId] };
    await ec2.createLaunchTemplateVersion({ LaunchTemplateId, LaunchTemplateData: Data });
    const name = await newGroup(LaunchTemplateId);
    const { Instances = [] } = await groupNamed(name);
    assert.deepEqual(
      Instances.map(({ LaunchTemplate }) => LaunchTemplate?.Version),
      ["2", "2"],
    );
    const { Reservations = [] } = await ec2.describeInstances({ InstanceIds: Instances.map(({ InstanceId }) => String(InstanceId)) });
    const [one] = Reservations[0]?.Instances ?? [];
    assert.deepEqual(
      [one?.InstanceType, one?.KeyName, one?.SecurityGroups?.[0]?.GroupId, one?.SubnetId],
      ["t3.large", "web", groupId, subnetId],
    );
    await assert.rejects(ec2.deleteSecurityGroup({ GroupId: groupId }), refused("DependencyViolation"));
    await end(name);
    const left = await ec2.describeNetworkInterfaces({ Filters: [{ Name: "subnet-id", Values: [subnetId] }] });
    assert.deepEqual(left.NetworkInterfaces, []);
  });

  test("a type that EC2 does not have is never launched, and the activities say so", async () => {
    const LaunchTemplateId = await newTemplate();
    await ec2.createLaunchTemplateVersion({
      LaunchTemplateId,
      LaunchTemplateData: { ...LaunchTemplateData, InstanceType: "t9.24xlarge" as never },
    });
    const name = await newGroup(LaunchTemplateId);
    assert.deepEqual((await groupNamed(name)).Instances, []);
    const { Activities = [] } = await autoscaling.describeScalingActivities({ AutoScalingGroupName: name });
    assert.match(String(Activities[0]?.StatusMessage), /Invalid value 't9.24xlarge' for InstanceType/);
    await end(name);
  });

  test("what its launch template lacks is a validation error", async () => {
    const message = /fully-formed launch template. The specified launch template, with template ID lt-0123456789abcdef0, does not exist/;
    await assert.rejects(newGroup("lt-0123456789abcdef0"), refused("ValidationError", message));
  });

  test("settings that nobody mentions stay", async () => {
    const policy = { MinHealthyPercentage: 90, MaxHealthyPercentage: 110 };
    const name = await newGroup(await newTemplate(), {
      MaxInstanceLifetime: 86_400,
      InstanceMaintenancePolicy: policy,
      DefaultCooldown: 60,
    });
    await autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: name, MaxSize: 5 });
    const { MaxInstanceLifetime, InstanceMaintenancePolicy, DefaultCooldown, HealthCheckGracePeriod } = await groupNamed(name);
    assert.deepEqual([MaxInstanceLifetime, InstanceMaintenancePolicy, DefaultCooldown, HealthCheckGracePeriod], [86_400, policy, 60, 0]);
    const none = { MaxInstanceLifetime: 0, InstanceMaintenancePolicy: { MinHealthyPercentage: -1, MaxHealthyPercentage: -1 } };
    await autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: name, ...none });
    const bare = await groupNamed(name);
    assert.deepEqual([bare.MaxInstanceLifetime, bare.InstanceMaintenancePolicy], [undefined, undefined]);
    await end(name);
    const LaunchTemplateSpecification = { LaunchTemplateId: await newTemplate(), Version: "1" };
    const MixedInstancesPolicy = { LaunchTemplate: { LaunchTemplateSpecification, Overrides: [{ InstanceType: "t3.small" }] } };
    const mixed = await newGroup("", { LaunchTemplate: undefined, MixedInstancesPolicy });
    await autoscaling.updateAutoScalingGroup({ AutoScalingGroupName: mixed, MaxSize: 5 });
    const held = (await groupNamed(mixed)).MixedInstancesPolicy?.LaunchTemplate;
    assert.deepEqual(held?.Overrides, MixedInstancesPolicy.LaunchTemplate.Overrides);
    await end(mixed);
  });
});

describe("instance refreshes", () => {
  const statusOf = async (AutoScalingGroupName: string) =>
    (await autoscaling.describeInstanceRefreshes({ AutoScalingGroupName })).InstanceRefreshes?.[0];

  test("instances are replaced one after the other, by the version the group launches", async () => {
    const LaunchTemplateId = await newTemplate();
    const AutoScalingGroupName = await newGroup(LaunchTemplateId);
    await ec2.createLaunchTemplateVersion({ LaunchTemplateId, LaunchTemplateData: { ...LaunchTemplateData, InstanceType: "t3.small" } });
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName });
    await assert.rejects(autoscaling.startInstanceRefresh({ AutoScalingGroupName }), refused("InstanceRefreshInProgressFault"));
    const seen = [];
    for (let look = 0; look < 3; look++) seen.push(await statusOf(AutoScalingGroupName));
    assert.deepEqual(
      seen.map((refresh) => [refresh?.Status, refresh?.PercentageComplete]),
      [
        ["InProgress", 0],
        ["InProgress", 50],
        ["Successful", 100],
      ],
    );
    assert.deepEqual(
      (await groupNamed(AutoScalingGroupName)).Instances?.map(({ InstanceType }) => InstanceType),
      ["t3.small", "t3.small"],
    );
    await assert.rejects(autoscaling.cancelInstanceRefresh({ AutoScalingGroupName }), refused("ActiveInstanceRefreshNotFoundFault"));
    await end(AutoScalingGroupName);
  });

  test("a configuration comes to the group when the refresh has succeeded, and not when it is cancelled or rolled back", async () => {
    const LaunchTemplateId = await newTemplate(2);
    const AutoScalingGroupName = await newGroup(LaunchTemplateId, { LaunchTemplate: { LaunchTemplateId, Version: "1" } });
    const DesiredConfiguration = { LaunchTemplate: { LaunchTemplateId, Version: "2" } };
    const versions = async () => {
      const { LaunchTemplate, Instances = [] } = await groupNamed(AutoScalingGroupName);
      return [LaunchTemplate?.Version, ...Instances.map((instance) => instance.LaunchTemplate?.Version)].join();
    };
    const looks = async (count: number) => {
      for (let look = 0; look < count; look++) await statusOf(AutoScalingGroupName);
      return (await statusOf(AutoScalingGroupName))?.Status;
    };
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName, DesiredConfiguration });
    await autoscaling.cancelInstanceRefresh({ AutoScalingGroupName });
    assert.equal((await statusOf(AutoScalingGroupName))?.Status, "Cancelled");
    assert.equal(await versions(), "1,1,1");
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName, DesiredConfiguration });
    assert.equal(await looks(1), "InProgress");
    await autoscaling.rollbackInstanceRefresh({ AutoScalingGroupName });
    assert.equal(await looks(2), "RollbackSuccessful");
    assert.equal(await versions(), "1,1,1");
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName, DesiredConfiguration });
    assert.equal(await looks(2), "Successful");
    assert.equal(await versions(), "2,2,2");
    await end(AutoScalingGroupName);
  });

  test("instances that are as they should be are skipped where that is asked for", async () => {
    const AutoScalingGroupName = await newGroup(await newTemplate());
    const ids = async () => (await groupNamed(AutoScalingGroupName)).Instances?.map(({ InstanceId }) => InstanceId).join();
    const before = await ids();
    for (const SkipMatching of [true, false]) {
      await autoscaling.startInstanceRefresh({ AutoScalingGroupName, Preferences: { SkipMatching } });
      for (let look = 0; look < 3; look++) await statusOf(AutoScalingGroupName);
      assert.equal((await statusOf(AutoScalingGroupName))?.Status, "Successful");
      assert.equal((await ids()) === before, SkipMatching);
    }
    await end(AutoScalingGroupName);
  });

  test("it can be rolled back only with a configuration of its own and a version's number", async () => {
    const LaunchTemplateId = await newTemplate();
    const AutoScalingGroupName = await newGroup(LaunchTemplateId);
    await assert.rejects(
      autoscaling.startInstanceRefresh({ AutoScalingGroupName, Preferences: { AutoRollback: true } }),
      refused("ValidationError"),
    );
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName });
    await assert.rejects(autoscaling.rollbackInstanceRefresh({ AutoScalingGroupName }), refused("IrreversibleInstanceRefreshFault"));
    await end(AutoScalingGroupName);
  });
});

test("a policy belongs to its group, keeps its ARN when it is written again, and goes with the group", async () => {
  const template = await newTemplate();
  const names = [await newGroup(template), await newGroup(template)];
  const put = (AutoScalingGroupName: string, ScalingAdjustment: number) =>
    autoscaling.putScalingPolicy({ AutoScalingGroupName, PolicyName: "up", AdjustmentType: "ChangeInCapacity", ScalingAdjustment });
  const [first, second] = [await put(names[0] as string, 1), await put(names[1] as string, 2)];
  assert.match(String(first.PolicyARN), new RegExp(`autoScalingGroupName/${names[0]}:policyName/up$`));
  assert.notEqual(first.PolicyARN, second.PolicyARN);
  assert.equal((await put(names[0] as string, 3)).PolicyARN, first.PolicyARN);
  await autoscaling.deletePolicy({ AutoScalingGroupName: names[1] as string, PolicyName: "up" });
  const { ScalingPolicies = [] } = await autoscaling.describePolicies({ PolicyNames: ["up"], AutoScalingGroupName: names[0] as string });
  assert.deepEqual(
    ScalingPolicies.map(({ ScalingAdjustment, Enabled, Cooldown }) => [ScalingAdjustment, Enabled, Cooldown]),
    [[3, true, undefined]],
  );
  for (const name of names) await end(name);
  const left = await autoscaling.describePolicies({ PolicyNames: [String(first.PolicyARN)] });
  assert.deepEqual(left.ScalingPolicies, []);
});

test("images of one day were made on that day", async () => {
  const { Images = [] } = await ec2.describeImages({ Owners: ["amazon"], Filters: [{ Name: "name", Values: ["al2023-ami-2023.*"] }] });
  assert.ok(Images.length > 0);
  for (const { Name = "", CreationDate } of Images) {
    const [, year, month, day] = /\.(20\d\d)(\d\d)(\d\d)\./.exec(Name) ?? [];
    assert.equal(CreationDate, `${year}-${month}-${day}T00:00:00.000Z`);
  }
});
