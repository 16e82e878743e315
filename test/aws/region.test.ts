import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { defaultRegion } from "../../src/aws/region.ts";

const NAMES = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] as const;
const kept = NAMES.map((name) => [name, process.env[name]] as const);
const folder = mkdtempSync(join(tmpdir(), "beacon-region-"));

before(() => {
  const config = join(folder, "config");
  writeFileSync(config, "[default]\nregion = eu-west-1\n[profile ops]\nregion = ap-northeast-2\n[profile bare]\noutput = json\n");
  for (const name of NAMES) delete process.env[name];
  Object.assign(process.env, { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials") });
});
after(() => {
  for (const [name, value] of kept) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

test("the region is the environment variable's, else the profile's in the shared files, as in the SDK's chain", async () => {
  const rows: readonly { why: string; env: NodeJS.ProcessEnv; profile?: string; region: string | undefined }[] = [
    { why: "the default profile", env: {}, region: "eu-west-1" },
    { why: "the profile of AWS_PROFILE", env: { AWS_PROFILE: "ops" }, region: "ap-northeast-2" },
    { why: "the profile given", env: { AWS_PROFILE: "bare" }, profile: "ops", region: "ap-northeast-2" },
    { why: "a profile without a region", env: {}, profile: "bare", region: undefined },
    { why: "the variable before the profile", env: { AWS_REGION: "us-west-2" }, profile: "ops", region: "us-west-2" },
    { why: "the CLI's variable", env: { AWS_DEFAULT_REGION: "us-west-1" }, region: "us-west-1" },
  ];
  for (const { why, env, profile, region } of rows) {
    Object.assign(process.env, env);
    assert.equal(await defaultRegion(profile), region, why);
    for (const name of Object.keys(env)) delete process.env[name];
  }
});
