import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialsOf, remembered } from "../../src/aws/credentials.ts";
import { startAwsServer } from "../support/aws-server.ts";

test("the chain is asked once for many clients, and again before the key expires", async () => {
  let nowMs = 0;
  let asked = 0;
  const provide = remembered(
    async () => ({ accessKeyId: `key-${++asked}`, secretAccessKey: "s", expiration: new Date(3_600_000) }),
    () => nowMs,
  );
  await Promise.all([provide(), provide(), provide()]);
  assert.equal(asked, 1);
  nowMs = 3_600_000 - 299_000;
  await provide();
  assert.equal(asked, 2);
});

test("a failure is not remembered", async () => {
  let asked = 0;
  const provide = remembered(async () => {
    if (++asked === 1) throw new Error("no token");
    return { accessKeyId: "k", secretAccessKey: "s" };
  });
  await assert.rejects(provide(), /no token/);
  assert.equal((await provide()).accessKeyId, "k");
});

test("the sandbox never sees a real key", async () => {
  assert.equal((await credentialsOf({ region: "x", sandbox: true })()).accessKeyId, "sandbox");
});

test("the environment's role is assumed with the keys of the chain", async () => {
  const server = await startAwsServer();
  const role = "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>";
  const credentials = `<Credentials>${role}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`;
  server.answer({ body: `<AssumeRoleResponse><AssumeRoleResult>${credentials}</AssumeRoleResult></AssumeRoleResponse>` });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIA1", AWS_SECRET_ACCESS_KEY: "s" });
  try {
    const roleArn = "arn:aws:iam::123456789012:role/deployer";
    const provide = credentialsOf({ region: "ap-northeast-2", endpoint: server.endpoint, roleArn });
    assert.equal((await provide()).accessKeyId, "ASIA1");
    await provide();
    assert.equal(server.requests.length, 1);
    assert.equal(new URLSearchParams(server.requests[0]?.body).get("RoleArn"), roleArn);
  } finally {
    server.close();
    restore({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  }
});

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
