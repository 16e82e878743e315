import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { isAlive } from "../../sandbox/commands.ts";
import { ensureInstalled } from "../../sandbox/install.ts";
import { shippedFile } from "../../sandbox/places.ts";
import { publish } from "../../sandbox/records.ts";
import { ensureRunning, reset, type SandboxState, start, status, stop } from "../../sandbox/sandbox.ts";
import { sdkClients } from "../support/sandbox.ts";

let folder: string;
const fresh = () => mkdtemp(join(folder, "s-"));
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "beacon-sandboxes-"));
});
after(async () => {
  for (const name of await readdir(folder)) await stop({ dir: join(folder, name) });
  await rm(folder, { recursive: true, force: true });
});

describe("one that runs", () => {
  let dir: string;
  let state: SandboxState;
  const notes: string[] = [];
  before(async () => {
    dir = await fresh();
    const [one, other] = await Promise.all([ensureRunning({ dir, onNote: (text) => notes.push(text) }), ensureRunning({ dir })]);
    assert.deepEqual({ ...one, started: true }, { ...other, started: true }, "two starts at once agree on one server");
    state = one;
  });

  test("is announced, with the way to stop it", () =>
    assert.match(notes.join("\n"), /Started a local AWS at .*beaconctl sandbox stop --sandbox-dir/));

  test("is found again", async () => {
    const { started, ...found } = await ensureRunning({ dir });
    assert.equal(started, false);
    assert.deepEqual(found, await status({ dir }));
    assert.equal(found.pid, state.pid);
  });

  test("is not found in another folder", async () => assert.equal(await status({ dir: join(folder, "none") }), undefined));

  test("refuses to be started on another port", () => assert.rejects(start({ dir, port: 1 }), { code: "SandboxUnavailable" }));

  test("keeps its port from others", async () => {
    const port = Number(new URL(state.endpoint).port);
    await assert.rejects(start({ dir: await fresh(), port }), (error: Error & { code: string }) => {
      assert.equal(error.code, "SandboxUnavailable");
      assert.match(error.message, new RegExp(`cannot listen on 127.0.0.1:${port}`));
      return true;
    });
  });

  test("is not taken for one whose process id and port it has", async () => {
    const other = await fresh();
    await publish(other, 0, { id: "gone", pid: state.pid, port: Number(new URL(state.endpoint).port), startedAt: 0 });
    assert.equal(await status({ dir: other }), undefined);
    assert.deepEqual(await stop({ dir: other }), { stopped: false });
    assert.ok(isAlive(state.pid));
  });

  test("forgets objects and tokens when it is reset", async () => {
    const { ec2 } = await sdkClients(state.endpoint);
    const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
    const ClientToken = "token";
    await ec2.createRouteTable({ VpcId: Vpc?.VpcId, ClientToken });
    await reset({ dir });
    await assert.rejects(ec2.createRouteTable({ VpcId: Vpc?.VpcId, ClientToken }), { name: "InvalidVpcID.NotFound" });
  });

  test("ends when it is stopped, once", async () => {
    assert.deepEqual(await stop({ dir }), { stopped: true });
    assert.equal(isAlive(state.pid), false);
    assert.deepEqual(await stop({ dir }), { stopped: false });
    await assert.rejects(reset({ dir }), { code: "SandboxUnavailable" });
  });
});

test("one that is tied ends with its parent, however that dies", async () => {
  const dir = await fresh();
  const module = pathToFileURL(shippedFile("sandbox.ts")).href;
  const program = `const { start } = await import(${JSON.stringify(module)}); console.log((await start({ dir: ${JSON.stringify(dir)}, tied: true })).pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  assert.ok(isAlive(pid));
  parent.kill("SIGKILL");
  await until(() => !isAlive(pid));
});

test("one that nobody calls ends by itself", async () => {
  const dir = await fresh();
  const { pid } = await start({ dir, idleSeconds: 0.2 });
  await until(() => !isAlive(pid));
  assert.equal(await status({ dir }), undefined);
});

test("one whose folder is deleted ends, as nobody could find it again", async () => {
  const dir = await fresh();
  const { pid } = await start({ dir });
  await rm(dir, { recursive: true });
  await until(() => !isAlive(pid));
});

test("one that does not come up shows the end of its log", async () => {
  const [home, dir] = [await fresh(), await fresh()];
  const python = await ensureInstalled({ home, pythons: [await standIn(join(home, "python"), `cp "$0" "$3/bin/python"`)] });
  await standIn(python, "echo 'No module named moto' >&2; exit 1");
  process.env.BEACON_SANDBOX_HOME = home; // The last test of this process.
  await assert.rejects(start({ dir }), (error: Error & { code: string; next: string }) => {
    assert.equal(error.code, "SandboxUnavailable");
    assert.match(error.message, /sandbox\.log ends with:\n {2}No module named moto$/);
    assert.match(error.next, /^delete .*moto-[0-9a-f]{12} to have it installed anew, or use .*--endpoint URL$/);
    return true;
  });
});

// A program that passes for Python 3.12 and its pip; `venv` is what it does for `-m venv FOLDER`, or instead of everything else.
async function standIn(path: string, venv: string): Promise<string> {
  const script = `#!/bin/sh\ncase "$1" in -c) echo "3 12 $0" ;; -s) ;; -m) mkdir -p "$3/bin" ;; esac\ncase "$1" in -m | -B) ${venv} ;; esac\n`;
  await writeFile(path, script, { mode: 0o755 });
  return path;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}
