/** Without region, credentials, network or state table, each command says so in one line and what to do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { sandboxEndpoint, TEST_REGION } from "../support/sandbox.ts";
import { type Ended, run, workspace } from "./beaconctl.ts";

const manifests = (project: string): Readonly<Record<string, string>> => ({
  "m.yaml": `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec: {id: ${project}}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true, accountId: "999999999999"}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
`,
});

const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

function assertError(ended: Ended, exitCode: number, what: RegExp, next: RegExp): void {
  assert.equal(ended.exitCode, exitCode, ended.stderr);
  assert.equal(ended.stdout, "", "errors leave stdout alone");
  const lines = ended.stderr.trim().split("\n");
  assert.equal(lines.length, 2, `two lines, not: ${ended.stderr}`);
  assert.match(lines[0] ?? "", what);
  assert.match(lines[1] ?? "", next);
}

const cases: readonly { why: string; args: readonly string[]; env?: NodeJS.ProcessEnv; exitCode: number; what: RegExp; next: RegExp }[] = [
  { why: "an unknown command", args: ["aply"], exitCode: 2, what: /^error: unknown command 'aply'/, next: /^next: Did you mean apply\?/ },
  { why: "an unknown option", args: ["diff", "--evn", "x"], exitCode: 2, what: /unknown option '--evn'/, next: /Did you mean --env\?/ },
  { why: "an unknown kind", args: ["explain", "subnte"], exitCode: 2, what: /no kind is called subnte/, next: /did you mean Subnet\?/ },
  { why: "an unknown field", args: ["explain", "vpc.cidrblok"], exitCode: 2, what: /VPC has no field cidrblok/, next: /VPC\.cidrBlock/ },
  { why: "no manifests", args: ["diff", "-f", "nowhere"], exitCode: 2, what: /nowhere does not exist/, next: /-f/ },
  { why: "no region", args: ["diff", "-f", "m.yaml"], exitCode: 3, what: /no region/, next: /--region/ },
  {
    why: "no credentials",
    args: ["diff", "-f", "m.yaml"],
    env: { AWS_REGION: TEST_REGION },
    exitCode: 3,
    what: /credentials/,
    next: /profile/,
  },
  {
    why: "no network",
    args: ["diff", "-f", "m.yaml", "--endpoint", "http://127.0.0.1:1"],
    env: { AWS_REGION: TEST_REGION, ...keys },
    exitCode: 3,
    what: /127\.0\.0\.1:1/,
    next: /endpoint|network/,
  },
];

for (const { why, args, env, exitCode, what, next } of cases) {
  test(`${why}: one line and what to do`, async () => {
    await using place = await workspace(manifests);
    assertError(await run(args, place.folder, env ?? {}).ended, exitCode, what, next);
  });
}

test("another account than the environment's is refused before anything is read", async () => {
  await using place = await workspace(manifests);
  const env = { AWS_REGION: TEST_REGION, AWS_ENDPOINT_URL: await sandboxEndpoint(), ...keys };
  assertError(await run(["diff", "-f", "m.yaml"], place.folder, env).ended, 3, /account 123456789012.*999999999999/, /--profile/);
});

test("without a state table diff works, and apply says how to make one", async () => {
  await using place = await workspace((project) => ({
    "m.yaml": (manifests(project)["m.yaml"] as string).replace(/, accountId: "\d+"/, ""),
  }));
  const env = { AWS_REGION: TEST_REGION, AWS_ENDPOINT_URL: await sandboxEndpoint(), BEACON_STATE_TABLE: place.project, ...keys };
  assert.equal((await run(["diff", "-f", "m.yaml"], place.folder, env).ended).exitCode, 1);
  const applied = await run(["apply", "-f", "m.yaml", "--yes"], place.folder, env).ended;
  assert.equal(applied.exitCode, 3, applied.stderr);
  assert.match(applied.stderr, /^next: .*beaconctl bootstrap/m);
});

test("a refusal that nobody foresaw is told in AWS's words, and is no bug of ours", async () => {
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using place = await workspace(manifests, { endpoint: proxy.endpoint });
  const denied = { type: "error", when: "before", status: 400, code: "AccessDeniedException", message: "not allowed" } as const;
  proxy.inject({
    match: { operations: ["dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "dynamodb:PutItem"] },
    fault: denied,
    times: "always",
  });
  const applied = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(applied.exitCode, 3, applied.stderr);
  assert.match(applied.stderr, /^error: dynamodb:\w+: not allowed \(AccessDeniedException\)/m);
});
