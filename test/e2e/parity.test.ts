/**
 * The whole of BEACON's infrastructure in one account, from nothing to nothing, by the real process: production and dev side
 * by side, each held against what the Terraform project brought about (seed.ts), attribute by attribute.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { type Arena, effectsOf, newArena } from "../chaos/arena.ts";
import { beyond, type Held, type World } from "../support/world.ts";
import { differences } from "./holding.ts";
import { DEV, PROD, seedOf, type Variables } from "./seed.ts";

const PRODUCTION = ["-f", "manifests", "--env", "prod"];
const DEVELOPMENT = ["-f", "manifests", "--env", "dev"];
const APPLY_PROD = ["apply", ...PRODUCTION, "--yes", "--confirm", "yes"];
const APPLY_DEV = ["apply", ...DEVELOPMENT, "--yes"];

let arena: Arena;
let empty: World;
let world: World;

before(async () => {
  arena = await newArena();
  empty = await arena.world({ raw: true });
});
after(() => arena.close());

/** Runs it behind the proxy; resolves to the mutating calls it made, BEACON's own table left out. */
async function effects(args: readonly string[], code = 0): Promise<readonly string[]> {
  arena.proxy.clearCalls();
  const ended = await arena.start(args).ended;
  assert.equal(ended.code, code, ended.output);
  return effectsOf(arena.proxy);
}

/** One test for each object that the Terraform project had. */
async function assertParity(variables: Variables): Promise<void> {
  const wrong = seedOf(variables, world).flatMap(({ kind, what, find, holds }) => {
    const found = (world[kind] ?? []).filter(find);
    if (found.length !== 1) return [`${what}: ${found.length} objects`];
    return differences(found[0], holds).map((difference) => `${what}: ${difference}`);
  });
  assert.deepEqual(wrong, []);
}

describe("the whole of it", { concurrency: 1, timeout: 300_000 }, () => {
  test("production comes up from nothing, as Terraform had it", async () => {
    const calls = await effects(APPLY_PROD);
    assert.ok(calls.length > 60);
    world = await arena.world({ raw: true });
    await assertParity(PROD);
  });

  test("a second apply changes nothing, and a look finds nothing to do", async () => {
    assert.deepEqual(await effects(APPLY_PROD), []);
    assert.deepEqual(await effects(["diff", ...PRODUCTION]), []);
  });

  test("instances start with the scripts, their variables set", () => {
    for (const [name, wanted] of [
      [
        "backend",
        { DYNAMODB_VECTORS_TABLE: "prod-beacon-vectors", ENVIRONMENT: "prod", AWS_REGION: "ap-northeast-2", CLOUDWATCH_LOGS: "true" },
      ],
      ["frontend", { BACKEND_URL: "https://api.beacon.sk-shieldus.com", ENVIRONMENT: "prod" }],
    ] as const) {
      const template = (world.LaunchTemplate ?? []).find(({ LaunchTemplateName }) => LaunchTemplateName === `beacon-prod-${name}-lt`);
      const script = Buffer.from(String(template?.Data.UserData), "base64").toString("utf8");
      assert.ok(script.startsWith("#!/bin/bash\n"));
      assert.equal(spawnSync("bash", ["-n"], { input: script }).status, 0, `${name}'s script is bash`);
      const repository = `123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/beacon-${name}`;
      assert.deepEqual(assignments(script, ["ECR_REPOSITORY_URL", ...Object.keys(wanted)]), { ECR_REPOSITORY_URL: repository, ...wanted });
    }
  });

  test("outputs are those of outputs.tf, instances' addresses read live", async () => {
    const { output } = await arena.run(["outputs", ...PRODUCTION, "-o", "json"], "outputs");
    const outputs = JSON.parse(output.slice(output.indexOf("{"))) as Record<string, Held>;
    const balancer = (name: string) => held("LoadBalancer", `beacon-prod-${name}-alb`).DNSName;
    assert.deepEqual(Object.keys(outputs).sort(), OUTPUTS);
    assert.equal(outputs.vpcId, held("VPC", "beacon-prod-vpc").VpcId);
    assert.deepEqual([outputs.frontendLoadBalancerDns, outputs.backendLoadBalancerDns], [balancer("frontend"), balancer("backend")]);
    assert.deepEqual(outputs.backendInstanceIps.toSorted(), addresses("beacon-prod-backend"));
    assert.deepEqual(outputs.frontendInstanceIps.toSorted(), addresses("beacon-prod-frontend"));
    assert.deepEqual(outputs.applicationUrls, {
      frontend: "https://beacon.sk-shieldus.com",
      backend: "https://api.beacon.sk-shieldus.com",
      api: "https://api.beacon.sk-shieldus.com/api",
    });
    assert.deepEqual(outputs.infrastructureSummary, {
      environment: "prod",
      region: "ap-northeast-2",
      frontendDeployed: true,
      backendDeployed: true,
      domainNames: { frontend: "beacon.sk-shieldus.com", backend: "api.beacon.sk-shieldus.com" },
      scaling: { frontend: { min: 2, max: 10, desired: 3, type: "t3.medium" }, backend: { min: 2, max: 20, desired: 4, type: "t3.large" } },
    });
  });

  test("dev comes up beside it, and production is as it was", async () => {
    await effects(APPLY_DEV);
    world = await arena.world({ raw: true });
    await assertParity(DEV);
    await assertParity(PROD);
    assert.deepEqual(await effects(["diff", ...PRODUCTION]), []);
  });

  test("a change of one parameter touches what it must, and nothing else", async () => {
    const days = await effects([...APPLY_DEV, "--param", "logRetentionDays=3"]);
    assert.deepEqual(new Set(days), new Set(["logs:PutRetentionPolicy"]));
    assert.equal(days.length, 4, "three groups of tables, and the flow log's");
    const type = await effects([...APPLY_DEV, "--param", "logRetentionDays=3", "--param", "backendInstanceType=t3.micro"]);
    assert.deepEqual(type, ["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"]);
  });

  test("what a toggle switches off goes, and comes back with it", async () => {
    const before = (await arena.world({ raw: true })) as Record<string, readonly Held[]>;
    const off = [...APPLY_DEV, "--param", "deployFrontend=false", "--param", "enableDynamodb=false", "--allow", "delete=100"];
    await effects(off);
    const without = await arena.world({ raw: true });
    const frontend = (kind: string, seen: World) =>
      (seen[kind] ?? []).filter((object: Held) => JSON.stringify(object).includes("beacon-dev-frontend"));
    for (const kind of ["LoadBalancer", "TargetGroup", "AutoScalingGroup", "LaunchTemplate", "Role", "InstanceProfile", "Alarm"]) {
      assert.ok(frontend(kind, before).length > 0, `${kind} was there`);
      assert.deepEqual(frontend(kind, without), [], `${kind} is gone`);
    }
    assert.deepEqual(
      (without.Table ?? []).filter(({ TableName }) => TableName.startsWith("dev-")),
      [],
    );
    assert.equal((without.Table ?? []).filter(({ TableName }) => TableName.startsWith("prod-")).length, 6, "production's tables stay");
    await effects(APPLY_DEV);
    world = await arena.world({ raw: true });
    await assertParity(DEV);
  });

  test("all is deleted, and nothing but AWS's own is left", async () => {
    await effects(["delete", "--env", "dev", ...DEVELOPMENT.slice(0, 2), "--yes", "--allow", "delete=200"]);
    await effects(["delete", ...PRODUCTION, "--confirm", "destroy-prod", "--include-protected", "--yes"]);
    assert.deepEqual(beyond(await arena.world({ raw: true }), empty), {});
  });
});

function held(kind: string, name: string): Held {
  return (world[kind] ?? []).find((object) => object.Tags?.Name === name) ?? assert.fail(`${kind} ${name} is not there`);
}

function addresses(name: string): readonly string[] {
  return (world.Instance ?? [])
    .filter(({ Tags }) => Tags.Name === name)
    .map(({ PrivateIpAddress }) => PrivateIpAddress)
    .sort();
}

/** What a shell has in these variables after the script's assignments. */
function assignments(script: string, names: readonly string[]): Record<string, string> {
  const head = script.slice(0, script.indexOf("\n# "));
  const print = names.map((name) => `printf '%s\\0' "$${name}"`).join("\n");
  const { stdout } = spawnSync("bash", ["-c", `${head}\n${print}`], { encoding: "utf8" });
  return Object.fromEntries(
    stdout
      .split("\0")
      .slice(0, -1)
      .map((value, index) => [names[index], value]),
  );
}

/** outputs.tf, in lowerCamelCase. */
const OUTPUTS = [
  "applicationUrls",
  "backendAutoScalingGroupArn",
  "backendInstanceIps",
  "backendLoadBalancerDns",
  "certificateArn",
  "dynamodbTableArns",
  "dynamodbTableNames",
  "ecrRepositoryUrls",
  "frontendAutoScalingGroupArn",
  "frontendInstanceIps",
  "frontendLoadBalancerDns",
  "hostedZoneId",
  "infrastructureSummary",
  "privateSubnetIds",
  "publicSubnetIds",
  "vpcCidr",
  "vpcId",
];
