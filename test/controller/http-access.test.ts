import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { httpToken, isAuthorized, isOwnName, parseListen, requireToken } from "../../src/controller/http-access.ts";
import { BeaconError } from "../../src/core/errors.ts";

const usage = (text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BeaconError && error.code === "UsageInvalid" && error.next !== undefined, String(error));
  assert.match(error.message, text);
  return true;
};

test("where to listen: an address and a port, and whether only this machine can ask", () => {
  const rows: readonly (readonly [text: string, host: string, port: number, loopback: boolean])[] = [
    ["127.0.0.1:9464", "127.0.0.1", 9464, true],
    ["127.8.9.10:1", "127.8.9.10", 1, true],
    ["localhost:0", "localhost", 0, true],
    ["[::1]:9464", "::1", 9464, true],
    ["0.0.0.0:9464", "0.0.0.0", 9464, false],
    ["[::]:9464", "::", 9464, false],
    ["10.0.0.7:65535", "10.0.0.7", 65_535, false],
    ["127.0.0.1.evil.example:80", "127.0.0.1.evil.example", 80, false],
  ];
  for (const [text, host, port, loopback] of rows) assert.deepEqual(parseListen(text), { host, port, loopback }, text);
  for (const text of [
    "",
    "9464",
    ":9464",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:65536",
    "::1:9464",
    "[1.2.3.4]:80",
    "http://127.0.0.1:80",
  ])
    assert.throws(() => parseListen(text), usage(/--http does not take/), text);
});

test("beyond loopback a token is required", () => {
  const outside = parseListen("0.0.0.0:9464");
  assert.throws(() => requireToken("0.0.0.0:9464", outside, undefined), usage(/--http 0\.0\.0\.0:9464 can be reached from outside/));
  requireToken("0.0.0.0:9464", outside, "t");
  requireToken("127.0.0.1:9464", parseListen("127.0.0.1:9464"), undefined);
});

test("the token is taken from the environment or a file, and must be one", () => {
  const folder = mkdtempSync(join(tmpdir(), "beacon-token-"));
  const file = join(folder, "token");
  const token = "0123456789abcdef";
  try {
    writeFileSync(file, `${token}\n`);
    assert.equal(httpToken({}), undefined);
    assert.equal(httpToken({ BEACON_HTTP_TOKEN: "", BEACON_HTTP_TOKEN_FILE: "" }), undefined);
    assert.equal(httpToken({ BEACON_HTTP_TOKEN: token }), token);
    assert.equal(httpToken({ BEACON_HTTP_TOKEN_FILE: file }), token);
    assert.throws(() => httpToken({ BEACON_HTTP_TOKEN: token, BEACON_HTTP_TOKEN_FILE: file }), usage(/are both set/));
    assert.throws(() => httpToken({ BEACON_HTTP_TOKEN_FILE: join(folder, "none") }), usage(/cannot be read \(ENOENT\)/));
    for (const wrong of ["short", "with blanks in the middle"]) {
      writeFileSync(file, wrong);
      assert.throws(
        () => httpToken({ BEACON_HTTP_TOKEN_FILE: file }),
        (error) => usage(/no token of at least 16/)(error) && !String(error).includes(wrong),
      );
    }
    writeFileSync(file, "");
    assert.throws(() => httpToken({ BEACON_HTTP_TOKEN_FILE: file }), usage(/no token/), "an empty secret is no reason to let everybody in");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a bearer token is the whole of it or nothing", () => {
  const token = "0123456789abcdef";
  for (const header of [`Bearer ${token}`, `bearer  ${token}`]) assert.ok(isAuthorized(header, token), header);
  for (const header of [
    undefined,
    "",
    token,
    "Bearer",
    "Bearer ",
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Basic ${token}`,
    `Bearer x ${token}`,
  ])
    assert.ok(!isAuthorized(header, token), String(header));
  assert.ok(isAuthorized(undefined, undefined));
});

test("a host that is this machine's own", () => {
  for (const host of ["127.0.0.1:9464", "127.0.0.1", "localhost:80", "LocalHost", "[::1]:9464", "[::1]"]) assert.ok(isOwnName(host), host);
  for (const host of [
    undefined,
    "",
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example:9464",
    "10.0.0.1",
    "::1",
    "[::2]:80",
    "a:b:c",
  ])
    assert.ok(!isOwnName(host), String(host));
});
