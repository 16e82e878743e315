/** Other programs: run to their end with their output gathered, and asked whether they live. */

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

/** How a program ended. `code` is undefined when it could not be started at all or was killed; `lines` are of both outputs. */
export type Ending = { readonly code: number | undefined; readonly lines: readonly string[] };

/** Runs a program to its end. Never rejects; `onLine` sees each line as it comes. */
export async function run(
  program: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; onLine?: (line: string) => void } = {},
): Promise<Ending> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], windowsHide: true, env: options.env ?? process.env });
  const lines: string[] = [];
  const take = (line: string) => {
    lines.push(line);
    options.onLine?.(line);
  };
  eachLine(child.stdout, take);
  eachLine(child.stderr, take);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  child.once("error", (error) => {
    take(error.message);
    resolve(undefined);
  });
  child.once("close", (code) => resolve(code ?? undefined));
  return { code: await promise, lines };
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? "";
    for (const part of parts) take(part);
  });
  stream.on("end", () => {
    if (rest !== "") take(rest);
  });
}

/** True while a process with this id exists, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

// A server that holds no files ends at once on SIGTERM; five seconds allow for a machine under load.
const endWithinMs = 5_000;

/** Ends a process: SIGTERM, then SIGKILL after 5 s. Resolves when it is gone. */
export async function end(pid: number): Promise<void> {
  const killAt = performance.now() + endWithinMs;
  signal(pid, "SIGTERM");
  while (isAlive(pid)) {
    if (performance.now() > killAt) signal(pid, "SIGKILL");
    await pause(10);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
