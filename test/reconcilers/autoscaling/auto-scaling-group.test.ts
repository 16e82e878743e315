import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { autoScalingGroup } from "../../../reconcilers/autoscaling/auto-scaling-group.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { tagsOut } from "../../../src/kind/autoscaling-updates.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { clientSettings, freshProject } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, recorder, removeAll, seen, settle } from "../support.ts";

let ec2: EC2;
let autoscaling: AutoScaling;
let elb: ElasticLoadBalancingV2;
let vpcId: string;
let subnets: string[];
let groupId: string;
let template: string;

before(async () => {
  const settings = await clientSettings();
  [ec2, autoscaling, elb] = [new EC2(settings), new AutoScaling(settings), new ElasticLoadBalancingV2(settings)];
  vpcId = String((await ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
  const made = ["a", "b"].map((zone, index) =>
    ec2.createSubnet({ VpcId: vpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `eu-west-1${zone}` }),
  );
  subnets = (await Promise.all(made)).map(({ Subnet }) => String(Subnet?.SubnetId));
  groupId = String((await ec2.createSecurityGroup({ VpcId: vpcId, GroupName: "web", Description: "web" })).GroupId);
  const LaunchTemplateData = { ImageId: "ami-12345678", InstanceType: "t3.micro" as const, SecurityGroupIds: [groupId] };
  const { LaunchTemplate } = await ec2.createLaunchTemplate({ LaunchTemplateName: freshProject("web"), LaunchTemplateData });
  template = String(LaunchTemplate?.LaunchTemplateId);
});

after(() => {
  for (const client of [ec2, autoscaling, elb]) client.destroy();
});

const base = (bench: Bench, more: JsonObject = {}): JsonObject => ({
  autoScalingGroupName: `${bench.stack.replace("/", "-")}-web`,
  launchTemplate: { launchTemplateId: template, version: "$Latest" },
  vpcZoneIdentifier: subnets,
  minSize: 2,
  maxSize: 4,
  ...more,
});

// AWS adds the template's name, zones and a role; instances come after the answer.
const LATER = ["launchTemplate", "mixedInstancesPolicy", "instanceIds", "instancePrivateIps", "instancesInService"];
const said = (remote: Remote): Remote => ({
  ...remote,
  values: Object.fromEntries(Object.entries(remote.values).filter(([name]) => !LATER.includes(name))),
});

test("a group is made with its settings, tags and target groups, and its instances tell their addresses", async () => {
  const bench = await benchFor(autoScalingGroup);
  const { TargetGroups } = await elb.createTargetGroup({ Name: freshProject("tg"), Protocol: "HTTP", Port: 80, VpcId: vpcId });
  const targetGroupArn = String(TargetGroups?.[0]?.TargetGroupArn);
  const spec = base(bench, {
    targetGroupArns: [targetGroupArn],
    healthCheckType: "ELB",
    healthCheckGracePeriod: 300,
    defaultCooldown: 0,
    defaultInstanceWarmup: 30,
    maxInstanceLifetime: 604_800,
    terminationPolicies: ["OldestInstance"],
    instanceMaintenancePolicy: { minHealthyPercentage: 90, maxHealthyPercentage: 110 },
    tags: { Name: "web", Environment: "test", Project: "beacon" },
    propagateAtLaunch: ["Name", "Environment"],
  });
  const made = await make(bench, spec);
  await assertHolds(bench, said(made));
  const [found] = await seen(bench, made.id);
  const { instanceIds, instancePrivateIps, instancesInService, launchTemplate } = found?.values ?? {};
  assert.deepEqual([(instanceIds as string[]).length, instancesInService], [2, 2]);
  assert.equal((launchTemplate as JsonObject).version, "$Latest");
  const { Reservations = [] } = await ec2.describeInstances({ InstanceIds: instanceIds as string[] });
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  assert.deepEqual(new Set(instancePrivateIps as string[]), new Set(instances.map(({ PrivateIpAddress }) => PrivateIpAddress)));
  assert.deepEqual(new Set(instances.map(({ SubnetId }) => SubnetId)), new Set(subnets), "over both subnets");
  for (const { Tags = [] } of instances) {
    const own = Tags.flatMap(({ Key = "" }) => (Key.startsWith("aws:") ? [] : [Key]));
    assert.deepEqual(own.sort(), ["Environment", "Name"], "tags that nobody propagates, and ownership, stay with the group");
  }
  const { TargetHealthDescriptions = [] } = await elb.describeTargetHealth({ TargetGroupArn: targetGroupArn });
  assert.deepEqual(new Set(TargetHealthDescriptions.map(({ Target }) => Target?.Id)), new Set(instanceIds as string[]));
  const detached = await settle(bench, found as Remote, { ...spec, targetGroupArns: [] });
  assert.equal(detached.effects, 1);
  await settle(bench, detached, spec);
  await removeAll(bench, made);
  await elb.deleteTargetGroup({ TargetGroupArn: targetGroupArn });
});

test("its end takes its instances along, and frees subnets and security groups", async () => {
  const bench = await benchFor(autoScalingGroup);
  const made = await make(bench, base(bench));
  await assert.rejects(ec2.deleteSubnet({ SubnetId: subnets[0] as string }), { name: "DependencyViolation" });
  await assert.rejects(ec2.deleteSecurityGroup({ GroupId: groupId }), { name: "DependencyViolation" });
  await removeAll(bench, made);
  const left = await ec2.describeNetworkInterfaces({ Filters: [{ Name: "group-id", Values: [groupId] }] });
  assert.deepEqual(left.NetworkInterfaces, []);
});

test("several instance types, weights and Spot come in a policy, and a template instead of it", async () => {
  const bench = await benchFor(autoScalingGroup);
  const { launchTemplate, ...rest } = base(bench, { minSize: 0, desiredCapacity: 0 });
  const policy = (spotInstancePools: number): JsonObject => ({
    launchTemplate: {
      launchTemplateSpecification: { launchTemplateId: template, version: 1 },
      overrides: [
        { instanceType: "t3.small", weightedCapacity: 2 },
        { instanceType: "t3.large", weightedCapacity: 4 },
      ],
    },
    instancesDistribution: { onDemandPercentageAboveBaseCapacity: 50, spotAllocationStrategy: "lowest-price", spotInstancePools },
  });
  const made = await make(bench, { ...rest, mixedInstancesPolicy: policy(2) });
  const [found] = await seen(bench, made.id);
  assert.equal((await settle(bench, found as Remote, { ...rest, mixedInstancesPolicy: policy(2) })).effects, 0, "read back as it was said");
  const changed = await settle(bench, found as Remote, { ...rest, mixedInstancesPolicy: policy(3) });
  assert.equal(changed.effects, 1);
  const [after] = await seen(bench, made.id);
  assert.equal((await settle(bench, after as Remote, { ...rest, mixedInstancesPolicy: policy(3) })).effects, 0);
  assert.deepEqual(
    autoScalingGroup.specSchema.partial().safeParse({ mixedInstancesPolicy: after?.values.mixedInstancesPolicy }).success,
    true,
  );
  await settle(bench, after as Remote, { ...rest, launchTemplate: launchTemplate as JsonObject });
  const [plain] = await seen(bench, made.id);
  assert.deepEqual(
    [plain?.values.mixedInstancesPolicy, (plain?.values.launchTemplate as JsonObject | undefined)?.version],
    [undefined, "$Latest"],
  );
  await removeAll(bench, made);
});

test("a version may be a number, and a template a name", async () => {
  const bench = await benchFor(autoScalingGroup);
  const made = await make(bench, base(bench, { minSize: 0, launchTemplate: { launchTemplateId: template, version: 1 } }));
  const [found] = await seen(bench, made.id);
  const { launchTemplateName } = (found as Remote).values.launchTemplate as JsonObject;
  for (const launchTemplate of [
    { launchTemplateId: template, version: 1 },
    { launchTemplateName: String(launchTemplateName), version: "1" },
  ]) {
    assert.equal((await settle(bench, found as Remote, base(bench, { minSize: 0, launchTemplate }))).effects, 0);
  }
  await removeAll(bench, made);
});

test("propagation is changed tag by tag, and another's tags are left as they are", async () => {
  const bench = await benchFor(autoScalingGroup);
  const own = { Name: "web", Environment: "test" };
  const spec = (propagateAtLaunch: string[], tags: JsonObject = own) => base(bench, { minSize: 0, tags, propagateAtLaunch });
  const made = await make(bench, spec(["Name"]));
  const theirs = { ResourceId: made.id, ResourceType: "auto-scaling-group", Key: "Theirs", Value: "x", PropagateAtLaunch: true };
  await autoscaling.createOrUpdateTags({ Tags: [theirs] });
  const [found] = await seen(bench, made.id);
  const changed = await settle(bench, found as Remote, spec(["Environment"], { ...own, Name: "site" }));
  assert.equal(changed.effects, 1, "values and propagation go out together");
  await assertHolds(bench, said(changed));
  const propagated = async () => {
    const { AutoScalingGroups } = await autoscaling.describeAutoScalingGroups({ AutoScalingGroupNames: [made.id] });
    const tags = AutoScalingGroups?.[0]?.Tags ?? [];
    return tags
      .filter(({ PropagateAtLaunch }) => PropagateAtLaunch)
      .map(({ Key, Value }) => `${Key}=${Value}`)
      .sort();
  };
  assert.deepEqual(await propagated(), ["Environment=test", "Theirs=x"]);
  const gone = await settle(bench, changed, spec([], { Environment: "test" }), spec(["Environment"], own));
  await assertHolds(bench, said(gone));
  assert.deepEqual(await propagated(), ["Theirs=x"]);
  await removeAll(bench, made);
});

test("ownership is the group's, and never its instances'", () => {
  const sent = tagsOut("web", { Name: "web", "beacon:stack": "shop/prod" }, ["Name", "beacon:stack"]);
  assert.deepEqual(
    sent.map(({ Key, PropagateAtLaunch }) => [Key, PropagateAtLaunch]),
    [
      ["Name", true],
      ["beacon:stack", false],
    ],
  );
});

test("a look costs one page of groups and one of their instances; a look that waits for a deletion no instance", async () => {
  const bench = await benchFor(autoScalingGroup);
  const names = ["a", "b", "c"].map((name) => `${bench.stack.replace("/", "-")}-${name}`);
  const made = await Promise.all(names.map((autoScalingGroupName) => make(bench, base(bench, { autoScalingGroupName, minSize: 1 }))));
  const before = bench.session.calls().length;
  const fields = new Set(Object.keys(autoScalingGroup.spec.fields).filter((name) => name !== "instanceRefresh"));
  const found = await ownedBy(bench, { fields });
  assert.deepEqual(found.map(({ id }) => id).sort(), names);
  const reads = () => bench.session.calls().filter(({ operation }) => /:Describe/.test(operation));
  assert.deepEqual(
    reads()
      .map(({ operation, calls }) => [operation, calls])
      .sort(),
    [
      ["autoscaling:DescribeAutoScalingGroups", 1],
      ["ec2:DescribeInstances", 1],
    ],
  );
  assert.ok(before > 0);
  const [polled] = await autoScalingGroup.list.run(bench.reader, { ids: [names[0] as string], names: [], fields: new Set() });
  assert.equal(polled?.values.instanceIds, undefined);
  assert.deepEqual(
    reads()
      .map(({ calls }) => calls)
      .sort(),
    [1, 2],
  );
  await removeAll(bench, ...made);
});

test("a group that is being deleted is on its way out, and its name is waited for", async () => {
  const group = { AutoScalingGroupName: "web", Status: "Delete in progress", MinSize: 0, MaxSize: 0 };
  const reader = { pages: async (_service: unknown, operation: string) => (operation === "DescribeAutoScalingGroups" ? [group] : []) };
  const [found] = await autoScalingGroup.list.run(reader as never, { ids: ["web"], names: [], fields: new Set() });
  assert.equal(found?.deleting, true);
  const message = "AutoScalingGroup by this name already exists - A group with the name web already exists and is pending delete.";
  const write = async () => {
    throw new AwsError("AlreadyExistsFault", message, { operation: "autoscaling:CreateAutoScalingGroup", verdict: "refused" });
  };
  const create = autoScalingGroup.create.run({ write } as never, { minSize: 0, maxSize: 0 }, { token: "t" });
  await assert.rejects(create, (error: AwsError) => error.name === "ScalingActivityInProgress" && /pending delete/.test(error.message));
});

test("it is ready with as many instances in service as its minimum", () => {
  const observed = { autoScalingGroupArn: "arn", minSize: 2, instancesInService: 1 };
  const why = "1 of at least 2 instances are in service";
  assert.deepEqual(autoScalingGroup.ready(observed), { state: "waiting", why, changeable: true });
  assert.equal(autoScalingGroup.ready({ ...observed, instancesInService: 2 }).state, "ready");
  assert.equal(autoScalingGroup.ready({ ...observed, suspendedProcesses: ["Launch"] }).state, "ready", "nothing will come");
  assert.equal(autoScalingGroup.ready({ minSize: 0, instancesInService: 0 }).state, "waiting", "its ARN comes with the first look");
});

test("settings that leave the manifest are sent at the values that stand for none", async () => {
  const { sent, writer } = recorder();
  const fields = ["defaultInstanceWarmup", "placementGroup", "instanceMaintenancePolicy", "maxInstanceLifetime"];
  const unset = { before: 1, added: [], removed: [], changed: [], set: {}, drop: [] };
  const changes = Object.fromEntries(fields.map((name) => [name, { ...unset, after: name === "maxInstanceLifetime" ? 0 : null }]));
  const updater = autoScalingGroup.updates.find((candidate) => candidate.fields.includes("placementGroup"));
  const effect = await updater?.run(writer, { id: "web", desired: {}, observed: {}, changes });
  const instanceMaintenancePolicy = { MinHealthyPercentage: -1, MaxHealthyPercentage: -1 };
  const input = {
    DefaultInstanceWarmup: -1,
    PlacementGroup: "",
    InstanceMaintenancePolicy: instanceMaintenancePolicy,
    MaxInstanceLifetime: 0,
  };
  assert.deepEqual(sent, [{ operation: "UpdateAutoScalingGroup", input: { AutoScalingGroupName: "web", ...input } }]);
  assert.deepEqual(effect?.values, {
    defaultInstanceWarmup: undefined,
    placementGroup: undefined,
    instanceMaintenancePolicy: undefined,
    maxInstanceLifetime: 0,
  });
});

test("what AWS would refuse of a group is said before any call", () => {
  const findings = (spec: JsonObject) => {
    const whole = {
      launchTemplate: { launchTemplateId: "lt-1", version: 1 },
      vpcZoneIdentifier: ["subnet-1"],
      minSize: 1,
      maxSize: 2,
      ...spec,
    };
    const declared = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null)) as JsonObject;
    const resource: StaticResource = { key: "AutoScalingGroup/web", spec: declared, refersTo: () => undefined, spanOf: () => undefined };
    return autoScalingGroup
      .check?.([resource])
      .map(({ field, message }) => `${field}: ${message.replaceAll("AutoScalingGroup/web", "it")}`);
  };
  const rows: readonly [spec: JsonObject, found: string[]][] = [
    [{}, []],
    [{ launchTemplate: null, vpcZoneIdentifier: null }, [": it launches nothing", ": it needs subnets"]],
    [{ mixedInstancesPolicy: {} }, ["mixedInstancesPolicy: it has a policy, which names its launch template itself"]],
    [
      { launchTemplate: { version: 1 } },
      ["launchTemplate: a launch template of it is given by `launchTemplateId` or by `launchTemplateName`"],
    ],
    [{ minSize: 3 }, ["maxSize: it has a minimum of 3, and a maximum of 2"]],
    [{ desiredCapacity: 5 }, ["desiredCapacity: it shall begin with 5 instances, which is not between 1 and 2"]],
    [
      { propagateAtLaunch: ["Name"], tags: { Owner: "a" } },
      ["propagateAtLaunch.0: it shall propagate the tag `Name`, and has none of that name"],
    ],
    [
      { instanceMaintenancePolicy: { minHealthyPercentage: 50, maxHealthyPercentage: 200 } },
      ["instanceMaintenancePolicy: `instanceMaintenancePolicy` of it spans 150 percent; AWS takes 100"],
    ],
    [
      { instanceRefresh: { preferences: { checkpointDelay: 5 } } },
      ["instanceRefresh.preferences: `checkpointDelay` of it needs `checkpointPercentages`"],
    ],
    [
      { instanceRefresh: { preferences: { checkpointPercentages: [50, 20] } } },
      ["instanceRefresh.preferences.checkpointPercentages: the checkpoints of it must rise"],
    ],
    [
      { launchTemplate: { launchTemplateId: "lt-1", version: "$Latest" }, instanceRefresh: { preferences: { autoRollback: true } } },
      ["instanceRefresh.preferences.autoRollback: it cannot be rolled back: with `$Latest` it has the new version before its instances do"],
    ],
    [
      {
        launchTemplate: { launchTemplateId: "lt-1", version: { $unknown: "lt" } },
        instanceRefresh: { preferences: { autoRollback: true } },
      },
      [],
    ],
  ];
  for (const [spec, found] of rows) assert.deepEqual(findings(spec), found, JSON.stringify(spec));
});
