/** The real `beaconctl doctor` against the sandbox: as a role with the generated policy, with less, and with something missing at each step. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../src/cli/diagnosis.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { clientSettings, freshProject, sandboxEndpoint, sdkClients, TEST_REGION } from "../support/sandbox.ts";
import { type Ended, run, type Workspace, workspace } from "./beaconctl.ts";

const manifests = (project: string, environment = ""): Readonly<Record<string, string>> => ({
  "m.yaml": `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec: {id: ${project}}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true${environment}}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
---
apiVersion: beacon/v1
kind: Monitor
metadata: {name: cpu}
spec: {alarmState: {alarmName: cpu}}
`,
});

type Keys = { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string; readonly AWS_SESSION_TOKEN?: string };
const ANYBODY: Keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

/** Runs doctor as a person with an account of their own would: credentials and endpoint from the environment, no --sandbox. */
async function doctor(place: Workspace, env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  const here = { AWS_REGION: TEST_REGION, AWS_ENDPOINT_URL: await sandboxEndpoint(), BEACON_STATE_TABLE: place.project, ...env };
  return run(["doctor", "-f", "m.yaml", ...args], place.folder, here).ended;
}

function findings({ stdout, stderr }: Ended): Readonly<Record<string, Finding>> {
  const { checks } = JSON.parse(stdout || assert.fail(stderr)) as { checks: readonly Finding[] };
  return Object.fromEntries(checks.map((finding) => [finding.name, finding]));
}

/** A session of a new role with this policy, as its keys. */
async function session(policy: object): Promise<{ readonly keys: Keys; readonly role: string }> {
  const settings = await clientSettings();
  const [{ IAM }, { STS }] = await Promise.all([import("@aws-sdk/client-iam"), import("@aws-sdk/client-sts")]);
  const [iam, RoleName] = [new IAM(settings), freshProject("doctor")];
  const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };
  const { Role } = await iam.createRole({ RoleName, Path: "/team/", AssumeRolePolicyDocument: JSON.stringify(trust) });
  await iam.putRolePolicy({ RoleName, PolicyName: "own", PolicyDocument: JSON.stringify(policy) });
  const { Credentials } = await new STS(settings).assumeRole({ RoleArn: Role?.Arn, RoleSessionName: "me" });
  const keys = {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? "",
  };
  return { keys, role: Role?.Arn ?? "" };
}

test("a role with the generated policy may do everything; without a part of it, what would be denied is named", async () => {
  await using place = await workspace((project) => manifests(project, `, accountId: "123456789012", region: ${TEST_REGION}`));
  const printed = await run(["iam-policy", "-f", "m.yaml"], place.folder, { BEACON_STATE_TABLE: place.project }).ended;
  const policy = JSON.parse(printed.stdout) as { Statement: { Action: string[] }[] };
  const { keys, role } = await session(policy);
  const well = await doctor(place, keys, "-o", "json");
  const { credentials, account, permissions } = findings(well);
  assert.match(credentials?.text ?? "", new RegExp(`assumed-role/${role.split("/").at(-1)}/me`));
  assert.deepEqual([account?.state, account?.text], ["well", "123456789012, the environment's"]);
  assert.deepEqual([permissions?.state, permissions?.details], ["well", undefined], JSON.stringify(permissions));

  const less = policy.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((action) => !["ec2:CreateVpc", "cloudwatch:DescribeAlarms"].includes(action)),
  }));
  const { keys: poorer } = await session({ ...policy, Statement: less });
  const ended = await doctor(place, poorer);
  assert.equal(ended.exitCode, 8, ended.stderr);
  assert.match(
    ended.stdout,
    /^✗ permissions +2 of \d+ actions would be denied: cloudwatch:DescribeAlarms, ec2:CreateVpc → grant what beaconctl iam-policy --env dev prints$/m,
  );
});

test("where the simulation is denied, that is said with how to grant it, and is no failure of its own", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  const denied = { type: "error", when: "before", status: 403, code: "AccessDenied", message: "not allowed" } as const;
  proxy.inject({ match: { operations: ["iam:*"] }, fault: denied, times: "always" });
  await using place = await workspace(manifests);
  const { keys, role } = await session({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["ec2:*"], Resource: "*" }] });
  const { permissions } = findings(await doctor(place, { ...keys, AWS_ENDPOINT_URL: proxy.endpoint }, "-o", "json"));
  assert.equal(permissions?.state, "open");
  assert.match(
    permissions?.next ?? "",
    new RegExp(`allow iam:SimulatePrincipalPolicy and iam:GetRole on \\S+role/${role.split("/").at(-1)}`),
  );
  assert.deepEqual(proxy.mutatingCalls, [], "it changes nothing");
});

test("a new sandbox: nothing is missing; after an apply the table is there, and a lease is told with its holder", async () => {
  await using place = await workspace(manifests, { ownTable: true });
  const fresh = await place.beaconctl("doctor", "-f", "m.yaml");
  assert.equal(fresh.exitCode, 0, fresh.stdout);
  assert.match(fresh.stdout, /^– state table +\S+ is not there yet/m);
  assert.match(fresh.stdout, /^✓ manifests +\S+\/dev: 1 resource, 0 lookups, 1 Monitor$/m);
  assert.match(fresh.stdout, /^✓ permissions +all \d+ actions/m);
  assert.equal((await place.beaconctl("apply", "-f", "m.yaml", "--yes")).exitCode, 0);
  const { dynamodb } = await sdkClients();
  const { Items = [] } = await dynamodb.scan({ TableName: place.project });
  const lease = Items.find(({ holder }) => holder !== undefined);
  assert.ok(lease, "what is changed is there");
  await dynamodb.putItem({ TableName: place.project, Item: { ...lease, free: { BOOL: false }, holder: { S: "ci@build-7 (pid 4121)" } } });
  const after = await place.beaconctl("doctor", "-f", "m.yaml");
  assert.equal(after.exitCode, 0, after.stdout);
  assert.match(after.stdout, new RegExp(`^✓ state table +${place.project}$`, "m"));
  assert.match(after.stdout, /^– lease +ci@build-7 \(pid 4121\) holds \S+\/dev since .*, last heartbeat .* → beaconctl apply --wait/m);
});

test("the state table: absent, another's, and not as bootstrap leaves it", async () => {
  await using place = await workspace(manifests);
  const table = async (): Promise<Finding | undefined> => findings(await doctor(place, ANYBODY, "-o", "json"))["state table"];
  assert.deepEqual(await table(), {
    name: "state table",
    state: "wrong",
    text: `${place.project} is not in ${TEST_REGION}`,
    next: "beaconctl bootstrap --env dev",
  });
  const { dynamodb } = await sdkClients();
  await dynamodb.createTable({
    TableName: place.project,
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  assert.match((await table())?.text ?? "", /is another's/);
  await dynamodb.deleteTable({ TableName: place.project });
  const env = { AWS_REGION: TEST_REGION, AWS_ENDPOINT_URL: await sandboxEndpoint(), BEACON_STATE_TABLE: place.project, ...ANYBODY };
  assert.equal((await run(["bootstrap", "-f", "m.yaml"], place.folder, env).ended).exitCode, 0);
  assert.equal((await table())?.state, "well");
  await dynamodb.updateTable({ TableName: place.project, DeletionProtectionEnabled: false });
  assert.match((await table())?.text ?? "", /it may be deleted$/);
});

test("what is missing on the way is told with what to do, and leaves open what rests on it", async () => {
  await using place = await workspace((project) => manifests(project, ', accountId: "999999999999"'));
  const cases: readonly { why: string; env: NodeJS.ProcessEnv; wrong: string; text: RegExp; next: RegExp; open: readonly string[] }[] = [
    {
      why: "no region",
      env: { AWS_REGION: "" },
      wrong: "region",
      text: /no region/,
      next: /--region/,
      open: ["credentials", "account", "state table", "lease", "permissions"],
    },
    {
      why: "no credentials",
      env: {},
      wrong: "credentials",
      text: /no AWS credentials/,
      next: /--profile/,
      open: ["account", "state table", "lease", "permissions"],
    },
    {
      why: "no way there",
      env: { ...ANYBODY, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      wrong: "credentials",
      text: /could not be reached/,
      next: /network/,
      open: ["account", "state table", "lease", "permissions"],
    },
    {
      why: "another account",
      env: ANYBODY,
      wrong: "account",
      text: /123456789012.*999999999999/,
      next: /accountId/,
      open: ["state table", "lease", "permissions"],
    },
  ];
  for (const { why, env, wrong, text, next, open } of cases) {
    const ended = await doctor(place, env, "-o", "json");
    const found = findings(ended);
    assert.equal(ended.exitCode, 8, why);
    assert.deepEqual(
      Object.values(found)
        .filter(({ state }) => state === "wrong")
        .map(({ name }) => name),
      [wrong],
      why,
    );
    assert.match(found[wrong]?.text ?? "", text, why);
    assert.match(found[wrong]?.next ?? "", next, why);
    assert.deepEqual(
      open.map((name) => found[name]?.state),
      open.map(() => "open"),
      why,
    );
  }
});

test("manifests with problems are one finding; the rest is looked at all the same", async () => {
  await using place = await workspace((project) => ({ "m.yaml": `${manifests(project)["m.yaml"]}\n  nothing: here\n` }));
  const ended = await place.beaconctl("doctor", "-f", "m.yaml");
  assert.equal(ended.exitCode, 8, ended.stdout);
  assert.match(ended.stdout, /^✗ manifests +1 problem, the first: .* → beaconctl validate shows them all$/m);
  assert.match(ended.stdout, /^✓ account /m);
  assert.match(ended.stdout, /^– permissions +not asked without manifests$/m);
});

test("without a Python the local AWS cannot be installed: a failure where it is asked for, and else none", async () => {
  await using place = await workspace(manifests);
  const env = { ...ANYBODY, BEACON_PYTHON: "/nonexistent/python" };
  assert.equal(findings(await doctor(place, env, "-o", "json")).python?.state, "open");
  const asked = findings(await doctor(place, env, "-o", "json", "--sandbox", "--endpoint", await sandboxEndpoint()));
  assert.deepEqual([asked.python?.state, /Python 3\.11/.test(asked.python?.next ?? "")], ["wrong", true]);
});
