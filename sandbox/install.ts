/**
 * The sandbox's Python: moto and what it needs, hash-locked, in a virtual environment of its own.
 *
 * Installed on first use into a folder named after the lock file's content, so that versions of BEACON lie side by side. It
 * is made under another name and moved into place whole: an interrupted installation leaves nothing that looks finished,
 * and of two at once the first wins and the other throws its own away.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BeaconError } from "../src/core/errors.ts";
import { run } from "./commands.ts";
import { sandboxHome, shippedFile } from "./places.ts";

/** Told what goes on during an installation; each text is a whole line. */
export type OnNote = (text: string) => void;

export const OTHER_ENDPOINT = "or use any AWS-compatible endpoint with --endpoint URL";

// The lock file is resolved for Python 3.11 and later (sandbox/requirements.in).
const OLDEST_PYTHON: readonly [number, number] = [3, 11];
const PYTHONS = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
// Longer than any installation takes; what is older was left by one that was killed.
const abandonedAfterMs = 60 * 60 * 1000;
const STAGE_PREFIX = ".installing-";

/**
 * Resolves to the Python program that can run the sandbox, installing it on first use (about 30 s and 60 MB of downloads).
 * Throws SandboxUnavailable when there is no Python, or when its package installer fails, with the installer's last lines.
 */
export async function ensureInstalled(options: { onNote?: OnNote; home?: string; pythons?: readonly string[] } = {}): Promise<string> {
  const home = options.home ?? sandboxHome();
  const lock = await readFile(shippedFile("requirements.txt"));
  const target = join(home, `moto-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`);
  if (!existsSync(pythonIn(target))) await install(await findPython(options.pythons), target, options.onNote ?? (() => {}));
  return pythonIn(target);
}

async function install(python: string, target: string, onNote: OnNote): Promise<void> {
  const home = dirname(target);
  onNote(`Installing the local AWS into ${target}, once.`);
  await makeFolder(home);
  await sweep(home);
  const stage = await mkdtemp(join(home, STAGE_PREFIX));
  try {
    await makeEnvironment(python, stage);
    await installPackages(stage, onNote);
    await moveIntoPlace(stage, target);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new BeaconError("SandboxUnavailable", `The folder ${folder} cannot be made: ${(cause as Error).message}.`, {
      next: "choose another with BEACON_SANDBOX_HOME",
      cause,
    });
  }
}

/** The first Python that is new enough. `BEACON_PYTHON` names one and rules the others out. */
export async function findPython(
  names: readonly string[] = process.env.BEACON_PYTHON ? [process.env.BEACON_PYTHON] : PYTHONS,
): Promise<string> {
  const found: string[] = [];
  for (const name of names) {
    const { code, lines } = await run(name, ["-c", "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)"]);
    const [, major, minor, program] = /^(\d+) (\d+) (.+)$/.exec(lines.at(-1) ?? "") ?? [];
    if (code !== 0 || program === undefined) continue;
    if (isNewEnough(Number(major), Number(minor))) return program;
    found.push(`${name} is ${major}.${minor}`);
  }
  throw noPython(found);
}

function isNewEnough(major: number, minor: number): boolean {
  const [oldestMajor, oldestMinor] = OLDEST_PYTHON;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function noPython(found: readonly string[]): BeaconError {
  const oldest = OLDEST_PYTHON.join(".");
  const seen = found.length === 0 ? "none was found" : found.join(", ");
  return new BeaconError("SandboxUnavailable", `The local AWS needs Python ${oldest} or newer; ${seen}.`, {
    next: `install Python ${oldest} or newer (BEACON_PYTHON may name the program), ${OTHER_ENDPOINT}`,
  });
}

async function makeEnvironment(python: string, stage: string): Promise<void> {
  const { code, lines } = await run(python, ["-m", "venv", stage], { env: pythonEnvironment() });
  if (code === 0) return;
  throw new BeaconError("SandboxUnavailable", `Python's virtual environment could not be made with ${python}.\n${lastLines(lines)}`, {
    next: `on Debian and Ubuntu install the package python3-venv, ${OTHER_ENDPOINT}`,
  });
}

async function installPackages(stage: string, onNote: OnNote): Promise<void> {
  const lockFile = shippedFile("requirements.txt");
  const args = [
    "-s",
    "-m",
    "pip",
    "install",
    "--require-hashes",
    "-r",
    lockFile,
    "--no-input",
    "--disable-pip-version-check",
    "--retries",
    "2",
  ];
  const { code, lines } = await run(pythonIn(stage), [...args, "--progress-bar", "off"], {
    env: pythonEnvironment(),
    onLine: packageCounter((await readFile(lockFile, "utf8")).match(/^\S+==/gm)?.length ?? 0, onNote),
  });
  if (code === 0) return;
  throw new BeaconError("SandboxUnavailable", `The local AWS could not be installed; pip said:\n${lastLines(lines)}`, {
    next: `check the network or the package index that pip uses and try again, ${OTHER_ENDPOINT}`,
  });
}

/** Turns pip's chatter into a line for every tenth package and one for the unpacking, which takes as long again. */
export function packageCounter(total: number, onNote: OnNote): (line: string) => void {
  let seen = 0;
  return (line) => {
    if (line.startsWith("Collecting ")) {
      seen += 1;
      if (seen % 10 === 0) onNote(`  fetched ${seen} of ${total} packages`);
    }
    if (line.startsWith("Installing collected packages")) onNote("  unpacking");
  };
}

async function moveIntoPlace(stage: string, target: string): Promise<void> {
  try {
    await rename(stage, target);
  } catch (error) {
    if (existsSync(pythonIn(target))) return;
    // A folder without its Python: the Python it was made with has gone. It is of no use to anybody.
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" && (error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await rm(target, { recursive: true, force: true });
    await rename(stage, target);
  }
}

async function sweep(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(STAGE_PREFIX)) continue;
    const folder = join(home, name);
    const made = await stat(folder).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > abandonedAfterMs) await rm(folder, { recursive: true, force: true });
  }
}

function pythonIn(environment: string): string {
  return process.platform === "win32" ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
}

// The user's own settings for proxies and package indexes stay; those that would install elsewhere go.
function pythonEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONPATH, PYTHONHOME, PIP_TARGET, PIP_PREFIX, PIP_USER, PIP_REQUIREMENT, ...rest } = process.env;
  return rest;
}

function lastLines(lines: readonly string[]): string {
  return lines
    .filter((line) => line.trim() !== "")
    .slice(-6)
    .map((line) => `  ${line}`)
    .join("\n");
}
