import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { parsePublicKey } from "../../src/kind/public-key.ts";

// Made by ssh-keygen, with the fingerprints that `ssh-keygen -l` and `openssl md5 -c` give.
const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT";
const ED25519_SHA256 = "zjFiEEtTBpP6cXpqUeZXEES3uhMuQ4fT4YB8t8tTPHk=";

/** The same RSA key in every format that EC2 imports. */
function rsaTexts(modulusLength = 2048) {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength });
  const der = publicKey.export({ format: "der", type: "spki" });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const number = (text: string) =>
    Buffer.concat([Buffer.alloc((Buffer.from(text, "base64url")[0] as number) > 127 ? 1 : 0), Buffer.from(text, "base64url")]);
  const length = (size: number) => Buffer.from([size >>> 24, size >>> 16, size >>> 8, size]);
  const wire = Buffer.concat([Buffer.from("ssh-rsa"), number(e), number(n)].flatMap((part) => [length(part.length), part])).toString(
    "base64",
  );
  const lines = (text: string, size: number) => text.match(new RegExp(`.{1,${size}}`, "g"))?.join("\n");
  const header = 'Comment: "a key, \\\nin two lines"\nSubject: ops';
  return {
    openSsh: `ssh-rsa ${wire} ops@example.com\n`,
    pem: String(publicKey.export({ format: "pem", type: "spki" })),
    base64Der: String(lines(der.toString("base64"), 64)),
    rfc4716: `---- BEGIN SSH2 PUBLIC KEY ----\n${header}\n${lines(wire, 70)}\n---- END SSH2 PUBLIC KEY ----\n`,
    md5: createHash("md5").update(der).digest("hex").match(/../g)?.join(":"),
  };
}

test("an RSA key is the same in every format, whatever its comment, with AWS's fingerprint", () => {
  const { md5, ...texts } = rsaTexts();
  const keys = Object.entries(texts).map(([format, text]) => [format, parsePublicKey(text)] as const);
  for (const [format, key] of keys) {
    assert.deepEqual({ ...key, line: "" }, { keyType: "rsa", line: "", fingerprint: md5 }, format);
    assert.equal(key?.line, texts.openSsh.split(" ").slice(0, 2).join(" "), format);
  }
});

test("an ED25519 key has OpenSSH's fingerprint", () => {
  assert.deepEqual(parsePublicKey(`${ED25519} someone\n`), { keyType: "ed25519", line: ED25519, fingerprint: ED25519_SHA256 });
});

test("what EC2 does not import is no key", () => {
  const refused = {
    "a DSA or ECDSA key": "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==",
    "a key of another length": rsaTexts(3072).openSsh,
    "a key that is cut off": ED25519.slice(0, -20),
    "another key's type": ED25519.replace("ssh-ed25519 ", "ssh-rsa "),
    "two keys": `${ED25519}\n${ED25519}`,
    "a private key": String(
      generateKeyPairSync("rsa", {
        modulusLength: 2048,
        privateKeyEncoding: { format: "pem", type: "pkcs8" },
        publicKeyEncoding: { format: "pem", type: "spki" },
      }).privateKey,
    ),
    "no key at all": "hello",
    nothing: "",
  };
  for (const [why, text] of Object.entries(refused)) assert.equal(parsePublicKey(text), undefined, why);
});
