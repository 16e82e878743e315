/**
 * The local AWS: starts, finds, empties and stops the server of server.py.
 *
 * A sandbox is named by a folder, so that two side by side never meet: the folder holds what its server said of itself and
 * its log. A server counts as running when its process lives and `GET /` answers with the id in that record; a reused
 * process id or port is thus never taken for it, and never killed.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { BeaconError } from "../src/core/errors.ts";
import { end, isAlive } from "./commands.ts";
import { ensureInstalled, type OnNote, OTHER_ENDPOINT } from "./install.ts";
import { sandboxFolder, shippedFile } from "./places.ts";
import { lastPublished, publish, type ServerRecord } from "./records.ts";

export { findPython as python } from "./install.ts";
export { throwAwayKey } from "./keys.ts";

/** A sandbox that runs. */
export type SandboxState = {
  readonly endpoint: string;
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The folder that names it. */
  readonly dir: string;
};

export type StartOptions = {
  /** The folder that names the sandbox; see {@link sandboxFolder} for the default. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The sandbox ends with this process, however that ends. Default: it stays until `stop`. */
  readonly tied?: boolean;
  /** It ends by itself after so many seconds without a call. Default: never. */
  readonly idleSeconds?: number;
  /** How long takes what takes time at AWS: gateways, load balancers, tables, certificates, instance profiles. Default: no time. */
  readonly delaySeconds?: number;
  readonly onNote?: OnNote;
};

// Nobody asked for a sandbox that a flag has started, so it does not stay for ever; half a day spans a working day's pauses.
const IDLE_HOURS = 12;
// The server is up in 1 to 2 s; the rest is for a slow disk on a first run and a machine under load.
const readyWithinMs = 60_000;
// The server answers `GET /` without waiting for requests in progress.
const answerWithinMs = 5_000;

/**
 * Starts a sandbox, or finds the one that runs in the folder. Throws SandboxUnavailable when it cannot be installed or does
 * not come up, when the port is taken, or when one runs in that folder on another port.
 */
export async function start(options: StartOptions = {}): Promise<SandboxState> {
  const dir = sandboxFolder(options.dir);
  const { number, running } = await look(dir);
  if (running !== undefined) return atPort(running, options.port);
  const python = await ensureInstalled(options.onNote === undefined ? {} : { onNote: options.onNote });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { child, record } = await launch(python, dir, options);
  if (await publish(dir, number, record)) {
    settle(child, options.tied ?? false);
    return stateOf(dir, record);
  }
  child.kill();
  return start(options);
}

/** Finds the running sandbox, or starts one in the background and says so aloud. `started` tells which. */
export async function ensureRunning(
  options: { dir?: string; onNote?: OnNote } = {},
): Promise<SandboxState & { readonly started: boolean }> {
  const running = await status(options);
  if (running !== undefined) return { ...running, started: false };
  const state = await start({ ...options, idleSeconds: IDLE_HOURS * 3600 });
  const where = options.dir === undefined ? "" : ` --sandbox-dir ${options.dir}`;
  options.onNote?.(
    `Started a local AWS at ${state.endpoint}. It ends after ${IDLE_HOURS} h without a call, or with: beaconctl sandbox stop${where}`,
  );
  return { ...state, started: true };
}

/** The sandbox that runs in the folder, if one does. Throws SandboxUnavailable when its server hangs. */
export async function status(options: { dir?: string } = {}): Promise<SandboxState | undefined> {
  return (await look(sandboxFolder(options.dir))).running;
}

/** The last number published in the folder, and the server that has it while it runs: from one read, so that nobody is overlooked. */
async function look(dir: string): Promise<{ number: number; running: SandboxState | undefined }> {
  const { number, record } = await lastPublished(dir);
  const runs = record !== undefined && isAlive(record.pid) && (await answersAs(record));
  return { number, running: runs ? stateOf(dir, record) : undefined };
}

/** Ends the sandbox, and with it everything it holds. `stopped` is false when none ran. */
export async function stop(options: { dir?: string } = {}): Promise<{ readonly stopped: boolean }> {
  const running = await status(options);
  if (running === undefined) return { stopped: false };
  await end(running.pid);
  return { stopped: true };
}

/** Empties the sandbox. Throws SandboxUnavailable when none runs. */
export async function reset(options: { dir?: string } = {}): Promise<void> {
  const running = await status(options);
  if (running === undefined)
    throw new BeaconError("SandboxUnavailable", "No sandbox runs.", { next: "start one: beaconctl sandbox start" });
  const answer = await fetch(`${running.endpoint}/moto-api/reset`, { method: "POST" });
  if (!answer.ok) throw new BeaconError("SandboxUnavailable", `The sandbox answered ${answer.status} when asked to empty itself.`);
}

function atPort(running: SandboxState, port: number | undefined): SandboxState {
  if (port === undefined || port === 0 || running.endpoint.endsWith(`:${port}`)) return running;
  throw new BeaconError("SandboxUnavailable", `A sandbox runs at ${running.endpoint} already (pid ${running.pid}, ${running.dir}).`, {
    next: "stop it with `beaconctl sandbox stop`, or name another folder with --sandbox-dir",
  });
}

function stateOf(dir: string, record: ServerRecord): SandboxState {
  const startedAt = new Date(record.startedAt).toISOString();
  return Object.freeze({ endpoint: `http://127.0.0.1:${record.port}`, pid: record.pid, startedAt, dir });
}

async function answersAs(record: ServerRecord): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${record.port}/`, { signal: AbortSignal.timeout(answerWithinMs) });
    return ((await answer.json()) as { id?: unknown } | null)?.id === record.id;
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "TimeoutError") return false; // Refused, or no JSON: somebody else's port.
    throw new BeaconError("SandboxUnavailable", `Process ${record.pid} on port ${record.port} does not answer.`, {
      next: `if it is a beaconctl sandbox, end it (kill ${record.pid}) and start another, ${OTHER_ENDPOINT}`,
      cause,
    });
  }
}

/** Starts the server and waits for its first line. It ends with this process until {@link settle} says otherwise. */
async function launch(python: string, dir: string, options: StartOptions): Promise<{ child: ChildProcess; record: ServerRecord }> {
  const log = join(dir, "sandbox.log");
  writeFileSync(log, "", { mode: 0o600 });
  const logFile = openSync(log, "a");
  const behaviour = ["--port", String(options.port ?? 0), "--delay-seconds", String(options.delaySeconds ?? 0)];
  const endings = ["--exit-with-parent", "--exit-with-folder", dir, "--exit-when-idle-seconds", String(options.idleSeconds ?? 0)];
  const child = spawn(python, ["-B", "-E", "-s", shippedFile("server.py"), ...behaviour, ...endings], {
    cwd: dir,
    // A session of its own: a Ctrl-C in the terminal is for the command, which may still have calls to finish.
    detached: true,
    stdio: ["pipe", "pipe", logFile],
    env: serverEnvironment(),
    windowsHide: true,
  });
  closeSync(logFile);
  child.stdin?.on("error", () => {}); // The server may be gone before `keep` is said; its exit tells.
  const line = await firstLine(child);
  if (line?.ready === true) return { child, record: line as unknown as ServerRecord };
  child.kill("SIGKILL");
  throw line === undefined ? await didNotComeUp(log, python) : portTaken(String(line.error));
}

async function firstLine(child: ChildProcess): Promise<Record<string, unknown> | undefined> {
  if (child.stdout === null) return undefined;
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(readyWithinMs);
  try {
    const [line] = (await Promise.race([
      once(lines, "line", { signal }),
      once(lines, "close", { signal }),
      once(child, "error", { signal }).then(() => []),
    ])) as [string?];
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
  } catch {
    return undefined;
  } finally {
    lines.close();
  }
}

function portTaken(error: string): BeaconError {
  return new BeaconError("SandboxUnavailable", `The sandbox ${error}.`, {
    next: "choose another with --port, or leave it out for a free one",
  });
}

async function didNotComeUp(log: string, python: string): Promise<BeaconError> {
  const tail = (await readFile(log, "utf8")).trimEnd().split("\n").slice(-6);
  const said = tail.map((line) => `  ${line}`).join("\n");
  return new BeaconError("SandboxUnavailable", `The sandbox did not come up; ${log} ends with:\n${said}`, {
    next: `delete ${dirname(dirname(python))} to have it installed anew, ${OTHER_ENDPOINT}`,
  });
}

// From here on the server must not keep this process from ending.
function settle(child: ChildProcess, tied: boolean): void {
  if (!tied) child.stdin?.end("keep\n");
  child.stdout?.destroy();
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
}

// Nothing of the user's AWS or Python settings may reach the server.
function serverEnvironment(): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LC_ALL"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
