import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { keyPair } from "../../../reconcilers/ec2/key-pair.ts";
import { parsePublicKey } from "../../../src/kind/public-key.ts";
import { sdkClients } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, removeAll, seen, settle } from "../support.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT";
const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;

function rsaLine(): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return parsePublicKey(String(publicKey.export({ format: "pem", type: "spki" })))?.line ?? assert.fail("no key");
}

test("AWS computes the fingerprints that we do", async () => {
  const bench = await benchFor(keyPair);
  for (const [name, publicKeyMaterial] of Object.entries({ rsa: rsaLine(), ed25519: ED25519 })) {
    const made = await make(bench, { keyName: nameFor(bench, name), publicKeyMaterial });
    const found = await assertHolds(bench, made);
    assert.deepEqual([found.values.keyType, found.values.keyFingerprint], [name, parsePublicKey(publicKeyMaterial)?.fingerprint]);
    await removeAll(bench, made);
  }
});

test("another comment, another format and a final newline are no other key", async () => {
  const bench = await benchFor(keyPair);
  const line = rsaLine();
  const spec = { keyName: nameFor(bench, "web"), publicKeyMaterial: `${line} ops@example.com\n` };
  const made = await make(bench, spec);
  const [found] = await seen(bench, made.id);
  const [, base64 = ""] = line.split(" ");
  const rfc4716 = `---- BEGIN SSH2 PUBLIC KEY ----\n${base64}\n---- END SSH2 PUBLIC KEY ----`;
  for (const publicKeyMaterial of [line, `${line} somebody else`, rfc4716]) {
    assert.equal((await settle(bench, found as never, { ...spec, publicKeyMaterial })).effects, 0, publicKeyMaterial.slice(-30));
  }
  const other = keyPair.comparable(found?.values ?? {}, { publicKeyMaterial: ED25519 });
  assert.notEqual(other.publicKeyMaterial, ED25519, "another key is another key");
  const [known] = await keyPair.list.run(bench.reader, { ids: [made.id], names: [], fields: new Set() });
  assert.equal(known?.values.publicKeyMaterial, undefined, "the key is read where somebody wants it");
  assert.equal(keyPair.comparable(known?.values ?? {}, spec).publicKeyMaterial, spec.publicKeyMaterial, "the fingerprint says the same");
  await removeAll(bench, made);
});

test("a key that was replaced by hand under its name is another object", async () => {
  const bench = await benchFor(keyPair);
  const { ec2 } = await sdkClients();
  const KeyName = nameFor(bench, "web");
  const made = await make(bench, { keyName: KeyName, publicKeyMaterial: ED25519 });
  await ec2.deleteKeyPair({ KeyName });
  await ec2.importKeyPair({ KeyName, PublicKeyMaterial: Buffer.from(rsaLine()) });
  assert.deepEqual(await seen(bench, made.id), []);
  const [theirs] = await keyPair.list.run(bench.reader, { ids: [], names: [{ keyName: KeyName }], fields: new Set() });
  assert.deepEqual([theirs?.values.keyName, theirs?.tags], [KeyName, {}]);
  await keyPair.delete.run(bench.writer, { id: made.id, observed: made.values });
  assert.equal((await ec2.describeKeyPairs({ KeyNames: [KeyName] })).KeyPairs?.length, 1, "the other one was deleted");
  await ec2.deleteKeyPair({ KeyName });
});

test("what is no public key is refused before any call", () => {
  for (const text of ["ssh-rsa AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----", ""]) {
    assert.equal(keyPair.specSchema.safeParse({ publicKeyMaterial: text }).success, false, text);
  }
});
