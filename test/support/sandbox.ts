/**
 * The sandbox that tests share, and plain SDK clients to look at it with.
 *
 * A run started with `--test-global-setup=test/support/global-setup.ts` has one server for all its test files; a file run by
 * itself starts one of its own, which ends with it. Either way it is one AWS account for everybody: tests keep apart by
 * fresh stacks ({@link freshProject}), never by emptying it. `BEACON_TEST_ENDPOINT` names another endpoint to test against.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SandboxState, start } from "../../sandbox/sandbox.ts";

export const ENDPOINT_VARIABLE = "BEACON_TEST_ENDPOINT";
export const TEST_REGION = "eu-west-1";

let shared: Promise<string> | undefined;

/** The endpoint that this process's tests share; starts a server when nobody has. */
export function sandboxEndpoint(): Promise<string> {
  const given = process.env[ENDPOINT_VARIABLE];
  shared ??= given === undefined ? startOwn().then((state) => state.endpoint) : Promise.resolve(given);
  return shared;
}

/** Starts a server that meets no other and ends with this process, however that ends. */
export async function startOwn(options: { readonly delaySeconds?: number } = {}): Promise<SandboxState> {
  const dir = mkdtempSync(join(tmpdir(), "beacon-test-sandbox-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  return start({ dir, tied: true, ...options });
}

/** A project name that nobody has used before: its stacks hold nothing yet. Fits every name limit with 50 characters to spare. */
export function freshProject(prefix = "t"): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
}

/** What every SDK client needs to talk to the sandbox. Retries are off: a test should see what the server said. */
export async function clientSettings(endpoint?: string, region = TEST_REGION) {
  return {
    endpoint: endpoint ?? (await sandboxEndpoint()),
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
}

/** Plain SDK clients at `endpoint`, else at the shared sandbox. */
export async function sdkClients(endpoint?: string, region = TEST_REGION) {
  const settings = await clientSettings(endpoint, region);
  const [ec2, dynamodb, logs, tagging] = await Promise.all([
    import("@aws-sdk/client-ec2"),
    import("@aws-sdk/client-dynamodb"),
    import("@aws-sdk/client-cloudwatch-logs"),
    import("@aws-sdk/client-resource-groups-tagging-api"),
  ]);
  return {
    ec2: new ec2.EC2(settings),
    dynamodb: new dynamodb.DynamoDB(settings),
    logs: new logs.CloudWatchLogs(settings),
    tagging: new tagging.ResourceGroupsTaggingAPI(settings),
  };
}

export type SdkClients = Awaited<ReturnType<typeof sdkClients>>;
