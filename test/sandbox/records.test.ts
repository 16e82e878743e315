import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { lastPublished, publish } from "../../sandbox/records.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "beacon-records-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const server = (id: string) => ({ id, port: 1, pid: 2, startedAt: 3 });

test("a folder that does not exist holds no server", async () => {
  assert.deepEqual(await lastPublished(join(folder, "none")), { number: 0, record: undefined });
});

test("of many that publish after the same one, one wins", async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
  const won = await Promise.all(ids.map((id) => publish(folder, 0, server(id))));
  assert.equal(won.filter(Boolean).length, 1);
  assert.deepEqual(await lastPublished(folder), { number: 1, record: server(ids[won.indexOf(true)] ?? "") });
  assert.deepEqual(await readdir(folder), ["server.1.json"]);
});

test("the last one counts, and those before it are forgotten", async () => {
  await publish(folder, 0, server("a"));
  await publish(folder, 1, server("b"));
  assert.deepEqual(await lastPublished(folder), { number: 2, record: server("b") });
  assert.deepEqual(await readdir(folder), ["server.2.json"]);
});
