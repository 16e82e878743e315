/** The functions that read files: user data that a shell takes as it is meant, and public keys. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { kinds } from "../../reconcilers/index.ts";
import { throwAwayKey } from "../../sandbox/keys.ts";
import type { Resource } from "../../src/core/resource.ts";
import { type Compilation, type CompileOptions, compile, validateAll } from "../../src/manifest/compile.ts";
import { assigned } from "../../src/manifest/file-functions.ts";
import { sourcesOf } from "../../src/manifest/source.ts";

const folder = mkdtempSync(join(tmpdir(), "beacon-file-functions-"));
after(() => rmSync(folder, { recursive: true }));

const PROJECT = `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true }
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: other }
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: x }
spec: { tags: { V: "\${`;

function sources(expression: string) {
  return sourcesOf({ "project.yaml": `${PROJECT}${expression}}" } }\n` }, folder);
}

function compiled(expression: string, options: Partial<CompileOptions> = {}): Compilation {
  return compile(sources(expression), { kinds, ...options });
}

function tagIn(compilation: Compilation): unknown {
  assert.ok(compilation.ok, compilation.problems.map(({ message }) => message).join("\n"));
  const { spec } = compilation.stack.resources[1] as Resource;
  return (spec.tags as { V: string }).V;
}

function messageOf(compilation: Compilation): string {
  assert.ok(!compilation.ok, "it compiles");
  return compilation.problems.map(({ message, span }) => `${span?.file}:${span?.line}:${span?.column} ${message}`).join("\n");
}

/** The script with a last line that prints the variables, run by bash. */
function printedBy(script: string, names: readonly string[]): string {
  const checked = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
  assert.equal(checked.stderr, "", "bash -n has something to say");
  const ran = spawnSync("bash", ["-c", `${script}\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}`], { encoding: "utf8" });
  return ran.stdout;
}

test("user data's values reach the shell as they are, whatever is in them", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
  const spice = fc.array(fc.constantFrom("'", '"', "\\", "\n", "$HOME", "`id`", "$(id)", "!", "#", " ", "'\\''", "\r\n"), { maxLength: 8 });
  fc.assert(
    fc.property(text, spice, (plain, pieces) => {
      const value = plain + pieces.join(plain);
      const script = assigned("#!/bin/bash\nset -eu\n", new Map([["VALUE", value]]));
      assert.equal(printedBy(script, ["VALUE"]), `${value}\0`);
    }),
    { numRuns: 40, seed: 1 },
  );
});

test("assignments stand after the first line where that names the shell, and first where it does not", () => {
  const values = { A: "1", B: true, C: 2n, D: ["x", "it's"], E: new Map([["k", "v"]]), F: null };
  const lines = "A='1'\nB='true'\nC='2'\nD='[\"x\",\"it'\\''s\"]'\nE='{\"k\":\"v\"}'\nF=''\n";
  const rows = [
    { script: "#!/bin/bash\necho ${A}\n", gives: `#!/bin/bash\n${lines}echo \${A}\n`, why: "the shell's own ${A} is left alone" },
    { script: "#!/bin/bash", gives: `#!/bin/bash\n${lines}`, why: "a last line without an end is a line" },
    { script: "#!/bin/sh -e\r\necho\r\n", gives: `#!/bin/sh -e\r\n${lines}echo\r\n`, why: "whatever ends it" },
    { script: "echo\n#!/bin/bash\n", gives: `${lines}echo\n#!/bin/bash\n`, why: "only the first line counts" },
    { script: "", gives: lines, why: "no script at all" },
  ];
  for (const { script, gives, why } of rows) assert.equal(assigned(script, values), gives, why);
  assert.throws(() => assigned("", { "A-B": "1" }), /"A-B" is no name of a shell variable/);
});

/** An OpenSSH public key's bytes: each part after its length. */
function wire(...parts: readonly (string | Buffer)[]): string {
  const pieces = parts.map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.from(part as string).length);
    return Buffer.concat([length, Buffer.from(part as string)]);
  });
  return Buffer.concat(pieces).toString("base64");
}

const GOOD = `ssh-ed25519 ${wire("ssh-ed25519", Buffer.alloc(32, 7))} me@home`;

test("a public key file gives its key, without the end of its line", () => {
  writeFileSync(join(folder, "good.pub"), `${GOOD}\n`);
  assert.equal(tagIn(compiled("publicKey('good.pub')")), GOOD);
});

test("what is no public key is told, with its place", () => {
  const { privateKey } = generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const rows = [
    {
      text: privateKey,
      says: /key holds a private key; the public one is in the file that ends with \.pub/,
      why: "the wrong one of the pair",
    },
    { text: "", says: /key holds no OpenSSH public key/, why: "an empty file" },
    { text: `${GOOD}\n${GOOD}\n`, says: /one line/, why: "two keys" },
    { text: GOOD.replace("ssh-ed25519 ", "ssh-rsa "), says: /no OpenSSH public key/, why: "another type than its bytes say" },
    { text: `ssh-dss ${wire("ssh-dss", "x")}`, says: /begins with ssh-rsa or ssh-ed25519/, why: "a type that EC2 does not import" },
    { text: "ssh-ed25519 AAAA", says: /no OpenSSH public key/, why: "cut off" },
  ];
  for (const { text, says, why } of rows) {
    writeFileSync(join(folder, "key"), text);
    const message = messageOf(compiled("publicKey('key')"));
    assert.match(message, says, why);
    assert.match(message, /^project\.yaml:18:20 /, why);
  }
});

test("a missing key file is an error; on the sandbox one throw-away key stands in for it, said aloud", () => {
  const expression = "publicKey('~/nowhere/id_rsa.pub')";
  assert.match(
    messageOf(compiled(expression)),
    /^project\.yaml:18:20 .*the file ~\/nowhere\/id_rsa\.pub cannot be read \(ENOENT\); looked for \//,
  );
  const dir = join(folder, "sandbox");
  const sandbox = { throwAwayKey: () => throwAwayKey({ dir }) };
  const [first, second] = [compiled(expression, { sandbox }), compiled(expression, { sandbox })];
  assert.match(String(tagIn(first)), /^ssh-ed25519 AAAA\S{64} beacon-sandbox-throw-away$/);
  assert.equal(tagIn(first), tagIn(second), "two runs on one sandbox see one key");
  const notice = "the file ~/nowhere/id_rsa.pub does not exist: a throw-away key stands in for it on the sandbox";
  assert.deepEqual(first.notices, [notice]);
  assert.deepEqual(validateAll(sources(expression), { kinds, sandbox }), { problems: [], notices: [notice], environments: ["dev"] });
  assert.notEqual(throwAwayKey({ dir: join(folder, "another") }), tagIn(first), "another sandbox has a key of its own");
  writeFileSync(join(folder, "mine.pub"), GOOD);
  const own = compiled("publicKey('mine.pub')", { sandbox });
  assert.deepEqual([tagIn(own), own.notices], [GOOD, []], "a file that is there is read, there too");
});

test("a file is missed even where its text is needed later, and its name is worked out", () => {
  const text = (name: string) => `userData(${name}, {'ID': eip.other.allocationId})`;
  assert.match(messageOf(compiled(text("env.name + '.sh'"))), /the file dev\.sh cannot be read \(ENOENT\)/);
  assert.match(messageOf(compiled("file('nothing.txt')")), /^project\.yaml:18:20 .*the file nothing\.txt cannot be read/);
});
