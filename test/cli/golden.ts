/** Golden texts: `UPDATE_GOLDEN=1` rewrites them, and the diff is then read by a person. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Compares `actual` with test/golden/`name`. */
export function assertGolden(name: string, actual: string): void {
  const file = new URL(`../golden/${name}`, import.meta.url).pathname;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${actual}\n`);
  }
  assert.equal(`${actual}\n`, readFileSync(file, "utf8"), `differs from test/golden/${name}; UPDATE_GOLDEN=1 rewrites it`);
}
