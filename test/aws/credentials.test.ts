import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialsOf, remembered } from "../../src/aws/credentials.ts";

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
