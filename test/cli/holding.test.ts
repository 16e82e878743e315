import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const holding = new URL("../../src/cli/holding.ts", import.meta.url);
// As containers have it: a number without a name.
const NOBODY = 54_321;

/** Runs code as that user, in an environment of its own. */
const asNobody = (code: string, env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    uid: NOBODY,
    gid: NOBODY,
    env: { HOME: "/", ...env },
    cwd: "/",
    encoding: "utf8",
  });
const readable = `(await import("node:fs")).readFileSync(${JSON.stringify(fileURLToPath(holding))})`;
const print = `console.log((await import(${JSON.stringify(holding.href)})).holderName())`;

test("a user without a name holds leases by its number, or by what BEACON_HOLDER says", (t) => {
  if (process.getuid?.() !== 0 || asNobody(readable).status !== 0) return t.skip("takes root, and files that others may read");
  const own = asNobody(print);
  assert.equal(own.status, 0, own.stderr);
  assert.match(own.stdout, /^uid-54321@\S+ \(pid \d+\)$/m);
  assert.match(asNobody(print, { BEACON_HOLDER: "beacon" }).stdout, /^beacon@/);
});
