/** A new template version rolls a group's instances: by the real engine, in the apply that makes the version, and once. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AutoScaling, type InstanceRefresh } from "@aws-sdk/client-auto-scaling";
import { EC2 } from "@aws-sdk/client-ec2";
import { stringify } from "yaml";
import { autoScalingGroup } from "../../../reconcilers/autoscaling/auto-scaling-group.ts";
import { kinds } from "../../../reconcilers/index.ts";
import type { CompiledStack } from "../../../src/core/compiled.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { RunReport } from "../../../src/engine/types.ts";
import { compile } from "../../../src/manifest/compile.ts";
import { formatProblems } from "../../../src/manifest/problems.ts";
import { sourcesOf } from "../../../src/manifest/source.ts";
import { Life } from "../../conformance/life.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";
import { error500After, error500Before } from "../../support/fault-rules.ts";
import { clientSettings } from "../../support/sandbox.ts";

// A region that no other test uses.
const REGION = "ca-west-1";

type Wanted = {
  readonly instanceType: string;
  readonly version?: unknown;
  readonly refresh?: JsonObject | undefined;
  readonly minSize?: number;
  readonly desired?: number;
};

const LATEST = `\${launchTemplate.web.latestVersionNumber}`;

let stand: Stand;
let subnet: string;
let ec2: EC2;
let autoscaling: AutoScaling;

before(async () => {
  const settings = await clientSettings(undefined, REGION);
  [ec2, autoscaling] = [new EC2(settings), new AutoScaling(settings)];
  const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
  const made = await ec2.createSubnet({ VpcId: Vpc?.VpcId as string, CidrBlock: "10.0.0.0/24" });
  subnet = made.Subnet?.SubnetId as string;
});

describe("an instance refresh", { concurrency: 1 }, () => {
  it("rolls the instances of a group that follows $Latest, in the apply that makes the version", async () => {
    await using site = await newSite();
    await site.settle({ instanceType: "t3.micro", refresh: {} });
    const old = await site.instances();
    const { plan } = await stand.plan(site.manifests({ instanceType: "t3.small", refresh: {} }));
    const change = plan.changes.find(({ key }) => key === "AutoScalingGroup/web");
    assert.deepEqual(
      change?.differences.map(({ path, cause }) => [path, cause]),
      [["instanceRefresh", "pending"]],
      "the plan says so",
    );
    await site.settle({ instanceType: "t3.small", refresh: {} });
    const young = await site.instances();
    assert.deepEqual(
      young.map(({ type, version }) => [type, version]),
      [
        ["t3.small", "2"],
        ["t3.small", "2"],
      ],
    );
    assert.equal(
      old.some(({ id }) => young.some((one) => one.id === id)),
      false,
      "an old instance is still there",
    );
    assert.equal((await site.refreshes()).length, 1);
    assert.deepEqual(
      await site.calls(() => site.settle({ instanceType: "t3.small", refresh: {} })),
      [],
      "a second apply changes something",
    );
  });

  it("brings a version's number to the group by the refresh, and shows it in the plan", async () => {
    await using site = await newSite();
    const refresh = { preferences: { minHealthyPercentage: 50, autoRollback: true } };
    await site.settle({ instanceType: "t3.micro", version: LATEST, refresh });
    const { plan } = await stand.plan(site.manifests({ instanceType: "t3.small", version: LATEST, refresh }));
    const change = plan.changes.find(({ key }) => key === "AutoScalingGroup/web");
    assert.ok(
      change?.differences.some(({ path }) => path === "launchTemplate.version"),
      "the plan does not say that the version changes",
    );
    const calls = await site.calls(() => site.settle({ instanceType: "t3.small", version: LATEST, refresh }));
    assert.equal(calls.includes("autoscaling:UpdateAutoScalingGroup"), false, calls.join());
    assert.deepEqual(
      (await site.instances()).map(({ version }) => version),
      ["2", "2"],
    );
    assert.equal((await site.group()).LaunchTemplate?.Version, "2");
    const [refreshed] = await site.refreshes();
    assert.deepEqual([refreshed?.Status, refreshed?.Preferences?.MinHealthyPercentage], ["Successful", 50]);
  });

  it("leaves the instances alone where nobody asked for a refresh", async () => {
    await using site = await newSite();
    await site.settle({ instanceType: "t3.micro" });
    await site.settle({ instanceType: "t3.small" });
    assert.deepEqual(
      (await site.instances()).map(({ version }) => version),
      ["1", "1"],
    );
  });

  it("is rolled back when it fails, stalls, and is not tried again until something else is to be launched", async () => {
    await using site = await newSite();
    const refresh = { preferences: { autoRollback: true } };
    await site.settle({ instanceType: "t3.micro", version: LATEST, refresh });
    const broken = { instanceType: "t9.24xlarge", version: LATEST, refresh };
    for (const what of ["the first apply", "the second apply"]) {
      const result = await site.fail(broken);
      assert.match(result.message, /^InstanceRefreshFailed: .* is RollbackSuccessful: Invalid value 't9.24xlarge' for InstanceType/, what);
    }
    assert.equal((await site.refreshes()).length, 1, "it was tried again");
    assert.equal((await site.group()).LaunchTemplate?.Version, "1");
    await site.settle({ instanceType: "t3.small", version: LATEST, refresh });
    assert.deepEqual(
      (await site.instances()).map(({ type }) => type),
      ["t3.small", "t3.small"],
    );
  });

  it("stalls with $Latest, too, and a later version starts another", async () => {
    await using site = await newSite();
    await site.settle({ instanceType: "t3.micro", refresh: {} });
    assert.match((await site.fail({ instanceType: "t9.24xlarge", refresh: {} })).message, /is Failed: Invalid value 't9.24xlarge'/);
    assert.match((await site.fail({ instanceType: "t9.24xlarge", refresh: {} })).message, /is Failed/);
    assert.equal((await site.refreshes()).length, 1);
    // EC2 tells to the second when a version was made; here, the failure was not even one before the next version.
    backdateRefreshes();
    await site.settle({ instanceType: "t3.small", refresh: {} });
    assert.deepEqual(
      (await site.instances()).map(({ type }) => type),
      ["t3.small", "t3.small"],
    );
  });

  it("is cancelled where the manifest wants another version meanwhile", async () => {
    await using site = await newSite();
    // As many instances as it takes to be still at work when it is seen.
    const many = { version: LATEST, refresh: {}, desired: 20 };
    await site.settle({ ...many, instanceType: "t3.micro" });
    const LaunchTemplateId = (await site.group()).LaunchTemplate?.LaunchTemplateId;
    const AutoScalingGroupName = site.name;
    const LaunchTemplate = { LaunchTemplateId, Version: "1" };
    // A person's refresh to where the group is already, which takes its time.
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName, DesiredConfiguration: { LaunchTemplate } });
    await site.settle({ ...many, instanceType: "t3.small" });
    assert.deepEqual(
      (await site.refreshes()).map(({ Status }) => Status),
      ["Successful", "Cancelled"],
    );
    assert.deepEqual([...new Set((await site.instances()).map(({ version }) => version))], ["2"]);
  });

  it("waits for a refresh that goes on, and lets other changes through", async () => {
    await using site = await newSite();
    await site.settle({ instanceType: "t3.micro", refresh: {} });
    await autoscaling.startInstanceRefresh({ AutoScalingGroupName: site.name });
    const calls = await site.calls(() => site.settle({ instanceType: "t3.micro", refresh: {}, minSize: 1 }));
    assert.deepEqual(calls, ["autoscaling:UpdateAutoScalingGroup"]);
    assert.deepEqual(
      (await site.refreshes()).map(({ Status }) => Status),
      ["Successful"],
    );
  });

  for (const fault of [{ type: "lostResponse" }, error500After, error500Before, { type: "throttle" }] as const) {
    it(`is started once, though its start meets ${JSON.stringify(fault)}`, async () => {
      await using site = await newSite();
      await site.settle({ instanceType: "t3.micro", refresh: {} });
      stand.proxy.inject({ match: { operations: ["autoscaling:StartInstanceRefresh"] }, fault });
      await site.settle({ instanceType: "t3.small", refresh: {} });
      assert.deepEqual(
        (await site.refreshes()).map(({ Status }) => Status),
        ["Successful"],
      );
    });
  }

  it("goes on after the death of the engine that started it", async () => {
    await using site = await newSite();
    await site.settle({ instanceType: "t3.micro", refresh: {} });
    // The version, the default, the refresh.
    const life = new Life({ nth: 3, when: "after" });
    await stand.pass(site.manifests({ instanceType: "t3.small", refresh: {} }), {}, { life });
    assert.equal(life.diedOf, "autoscaling:StartInstanceRefresh", stand.proxy.mutatingCalls.map((c) => c.name).join());
    await site.settle({ instanceType: "t3.small", refresh: {} });
    assert.equal((await site.refreshes()).length, 1);
  });

  it("is cancelled when it takes longer than it may, and rolled back where it can be", async () => {
    for (const { version, preferences, status } of [
      { version: "$Latest", preferences: {}, status: "Cancelled" },
      { version: LATEST, preferences: { autoRollback: true }, status: "RollbackSuccessful" },
    ]) {
      await using site = await newSite();
      const wanted = { version, refresh: { timeoutMinutes: 5, preferences }, desired: 20 };
      await site.settle({ ...wanted, instanceType: "t3.micro" });
      backdateRefreshes();
      backdate("ec2:DescribeLaunchTemplateVersions", "createTime", 2);
      assert.match((await site.fail({ ...wanted, instanceType: "t3.small" })).message, new RegExp(`is ${status}`));
      assert.equal((await site.refreshes()).length, 1);
    }
  });

  it("a group whose instances cannot be launched says why, and can be corrected", async () => {
    await using site = await newSite();
    const life = new Life({ nth: 2, when: "after" });
    await stand.pass(site.manifests({ instanceType: "t9.24xlarge" }), {}, { life });
    assert.equal(life.diedOf, "autoscaling:CreateAutoScalingGroup");
    const { world } = await stand.plan(site.manifests({ instanceType: "t9.24xlarge" }));
    const [group] = world.remotes.get("autoscaling.aws/v1 AutoScalingGroup") ?? [];
    assert.deepEqual(autoScalingGroup.ready(group?.values ?? {}), {
      state: "waiting",
      why: "0 of at least 2 instances are in service: Invalid value 't9.24xlarge' for InstanceType. Launching EC2 instance failed.",
      changeable: true,
    });
    await site.settle({ instanceType: "t9.24xlarge", minSize: 0 });
  });
});

function backdateRefreshes(): void {
  backdate("autoscaling:DescribeInstanceRefreshes", "StartTime", 1);
}

/** What a description tells of this year seems to be so many years ago. */
function backdate(operation: string, element: string, years: number): void {
  const year = new Date().getUTCFullYear();
  const fault = { type: "delayState", from: `<${element}>${year}-`, to: `<${element}>${year - years}-` } as const;
  stand.proxy.inject({ match: { operations: [operation] }, fault, times: "always" });
}

type Site = AsyncDisposable & {
  readonly name: string;
  manifests(wanted: Wanted): CompiledStack;
  settle(wanted: Wanted): Promise<void>;
  /** Applies, and answers with what became of the group: it must fail. */
  fail(wanted: Wanted): Promise<RunReport["results"][number]>;
  /** The mutating calls that go out meanwhile. */
  calls(act: () => Promise<unknown>): Promise<readonly string[]>;
  group(): ReturnType<typeof groupNamed>;
  instances(): Promise<readonly { readonly id: string; readonly type: string; readonly version: string }[]>;
  refreshes(): Promise<readonly InstanceRefresh[]>;
};

async function groupNamed(name: string) {
  const { AutoScalingGroups = [] } = await autoscaling.describeAutoScalingGroups({ AutoScalingGroupNames: [name] });
  return AutoScalingGroups[0] ?? assert.fail(`there is no group ${name}`);
}

async function newSite(): Promise<Site> {
  stand = await newStand(kinds, "refresh", REGION);
  const name = `${stand.stack.project}-web`;
  const manifests = (wanted: Wanted) => compiled(name, wanted);
  return {
    name,
    manifests,
    settle: async (wanted) => void (await stand.settle(manifests(wanted))),
    fail: async (wanted) => {
      const pass = await stand.pass(manifests(wanted));
      const result = pass?.report.results.find(({ key }) => key === "AutoScalingGroup/web");
      assert.equal(result?.outcome, "failed", JSON.stringify(pass?.report.results));
      return result as RunReport["results"][number];
    },
    calls: async (act) => {
      const from = stand.proxy.mutatingCalls.length;
      await act();
      return stand.proxy.mutatingCalls.slice(from).map((call) => call.name);
    },
    group: () => groupNamed(name),
    instances: async () => {
      const { Instances = [] } = await groupNamed(name);
      return Instances.map((one) => ({
        id: String(one.InstanceId),
        type: String(one.InstanceType),
        version: String(one.LaunchTemplate?.Version),
      }));
    },
    refreshes: async () => (await autoscaling.describeInstanceRefreshes({ AutoScalingGroupName: name })).InstanceRefreshes ?? [],
    [Symbol.asyncDispose]: async () => {
      await stand.settle(undefined, { destroy: true });
      await stand.close();
    },
  };
}

function compiled(name: string, { instanceType, version = "$Latest", refresh, minSize = 2, desired = 2 }: Wanted): CompiledStack {
  const { project, environment } = stand.stack;
  const documents = [
    { apiVersion: "beacon/v1", kind: "Project", metadata: { name: project }, spec: { id: project } },
    { apiVersion: "beacon/v1", kind: "Environment", metadata: { name: environment }, spec: { region: REGION } },
    {
      apiVersion: "ec2.aws/v1",
      kind: "LaunchTemplate",
      metadata: { name: "web" },
      spec: { launchTemplateName: name, launchTemplateData: { imageId: "ami-12345678", instanceType } },
    },
    {
      apiVersion: "autoscaling.aws/v1",
      kind: "AutoScalingGroup",
      metadata: { name: "web" },
      spec: {
        autoScalingGroupName: name,
        launchTemplate: { launchTemplateId: `\${launchTemplate.web.launchTemplateId}`, version },
        vpcZoneIdentifier: [subnet],
        minSize,
        maxSize: 20,
        desiredCapacity: desired,
        ...(refresh ? { instanceRefresh: refresh } : {}),
      },
    },
  ];
  const sources = sourcesOf({ "web.yaml": documents.map((document) => stringify(document)).join("---\n") });
  const compilation = compile(sources, { kinds: stand.kinds, environment, params: [], paramsFiles: [] });
  return compilation.ok ? compilation.stack : assert.fail(formatProblems(compilation.problems, sources));
}

after(() => {
  ec2.destroy();
  autoscaling.destroy();
});
