import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ensureInstalled, packageCounter } from "../../sandbox/install.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "beacon-install-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

// A Python that does as it is told: names its version, copies itself as a virtual environment, and runs `pip` as pip.
async function fakePython({ name = "python", version = "3 12", pip = "echo Collecting moto" } = {}): Promise<string> {
  const program = join(folder, name);
  const script = `#!/bin/sh
case "$1 $2" in
  "-c "*) echo "${version} $0" ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *) ${pip} ;;
esac
`;
  await writeFile(program, script, { mode: 0o755 });
  return program;
}

describe("an installation", { skip: process.platform === "win32" && "the stand-in for Python is a shell script" }, () => {
  test("is made once, and named after the lock file", async () => {
    const installs = join(folder, "installs");
    const python = await fakePython({ pip: `echo x >> ${installs}` });
    const home = join(folder, "home");
    const first = await ensureInstalled({ home, pythons: [python] });
    assert.equal(await ensureInstalled({ home, pythons: [] }), first);
    assert.match(first, /home\/moto-[0-9a-f]{12}\/bin\/python$/);
    assert.equal(await readFile(installs, "utf8"), "x\n");
  });

  test("of two at once the first stays, untouched and alone", async () => {
    const home = join(folder, "home");
    const madeBy = 'echo "$0" > "$(dirname "$0")/../made-by"';
    const slow = await fakePython({ name: "slow", pip: `while [ ! -e ${folder}/go ]; do sleep 0.01; done; ${madeBy}` });
    const late = ensureInstalled({ home, pythons: [slow] });
    const python = await ensureInstalled({ home, pythons: [await fakePython({ pip: madeBy })] });
    const maker = await readFile(join(dirname(python), "../made-by"), "utf8");
    await writeFile(join(folder, "go"), "");
    assert.equal(await late, python);
    assert.equal(await readFile(join(dirname(python), "../made-by"), "utf8"), maker);
    assert.equal((await readdir(home)).length, 1);
  });

  test("one that fails says pip's last lines and leaves nothing", async () => {
    const home = join(folder, "home");
    const pythons = [await fakePython({ pip: "echo 'ERROR: No matching distribution found for moto' >&2; exit 1" })];
    await assert.rejects(ensureInstalled({ home, pythons }), (error: Error & { code: string; next: string }) => {
      assert.equal(error.code, "SandboxUnavailable");
      assert.match(error.message, /No matching distribution found for moto/);
      assert.match(error.next, /--endpoint URL/);
      return true;
    });
    assert.deepEqual(await readdir(home), []);
  });

  test("what a killed one left is swept away, and one under way is not", async () => {
    const home = join(folder, "home");
    const python = await ensureInstalled({ home, pythons: [await fakePython()] });
    await rm(dirname(dirname(python)), { recursive: true });
    const [abandoned, underWay] = [await mkdtemp(join(home, ".installing-")), await mkdtemp(join(home, ".installing-"))];
    await utimes(abandoned, 0, 0);
    await ensureInstalled({ home, pythons: [await fakePython()] });
    assert.deepEqual([existsSync(abandoned), existsSync(underWay)], [false, true]);
  });

  test("one whose Python has gone is made anew", async () => {
    const home = join(folder, "home");
    const pythons = [await fakePython()];
    const python = await ensureInstalled({ home, pythons });
    await rm(python);
    await ensureInstalled({ home, pythons });
    assert.ok(existsSync(python));
  });

  test("an old Python is passed over, and named when there is no other", async () => {
    const old = await fakePython({ version: "3 9" });
    await assert.rejects(ensureInstalled({ home: folder, pythons: ["no-such-python", old] }), {
      code: "SandboxUnavailable",
      message: `The local AWS needs Python 3.11 or newer; ${old} is 3.9.`,
    });
  });

  test("no Python at all names the way around", async () => {
    await assert.rejects(ensureInstalled({ home: folder, pythons: ["no-such-python"] }), {
      code: "SandboxUnavailable",
      next: "install Python 3.11 or newer (BEACON_PYTHON may name the program), or use any AWS-compatible endpoint with --endpoint URL",
    });
  });
});

test("progress is a line for every tenth package, and one for the unpacking", () => {
  const notes: string[] = [];
  const count = packageCounter(12, (text) => notes.push(text));
  for (let number = 1; number <= 12; number++) count(`Collecting package-${number}`);
  count("Installing collected packages: a, b");
  assert.deepEqual(notes, ["  fetched 10 of 12 packages", "  unpacking"]);
});
