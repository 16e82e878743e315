import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { sandboxFolder, sandboxHome, shippedFile } from "../../sandbox/places.ts";

const rows: { why: string; env: Record<string, string>; platform: NodeJS.Platform; home: string }[] = [
  { why: "Linux", env: { HOME: "/home/u" }, platform: "linux", home: "/home/u/.cache/beaconctl/sandbox" },
  { why: "XDG", env: { HOME: "/home/u", XDG_CACHE_HOME: "/c" }, platform: "linux", home: "/c/beaconctl/sandbox" },
  {
    why: "a relative XDG folder does not count",
    env: { HOME: "/home/u", XDG_CACHE_HOME: "c" },
    platform: "linux",
    home: "/home/u/.cache/beaconctl/sandbox",
  },
  { why: "macOS", env: { HOME: "/Users/u" }, platform: "darwin", home: "/Users/u/Library/Caches/beaconctl/sandbox" },
  { why: "Windows", env: { HOME: "/u", LOCALAPPDATA: "/local" }, platform: "win32", home: "/local/beaconctl/sandbox" },
  { why: "one's own choice", env: { HOME: "/home/u", BEACON_SANDBOX_HOME: "/mine" }, platform: "linux", home: "/mine" },
];
for (const { why, env, platform, home } of rows) {
  test(`the home of the sandbox: ${why}`, () => assert.equal(sandboxHome(env, platform), home));
}

test("a sandbox is named by the flag, else the variable, else one per user", () => {
  const env = { BEACON_SANDBOX_HOME: "/mine", BEACON_SANDBOX_DIR: "/named" };
  assert.equal(sandboxFolder("/flag", env), "/flag");
  assert.equal(sandboxFolder(undefined, env), "/named");
  assert.equal(sandboxFolder(undefined, { BEACON_SANDBOX_HOME: "/mine" }), "/mine/default");
});

test("what ships is found", () => assert.ok(existsSync(shippedFile("server.py"))));
