/**
 * Which server runs in a sandbox's folder: files `server.1.json`, `server.2.json`, ... of which the highest counts.
 *
 * A number is taken by creating its file, which only one process can: two that start a sandbox in one folder at once agree on
 * the winner without a lock that somebody could leave behind. Files of servers that ended stay until a later one is published.
 */

import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a server said of itself when it came up. */
export type ServerRecord = { readonly id: string; readonly port: number; readonly pid: number; readonly startedAt: number };

/** The last server published in a folder, alive or not. `number` is 0, and there is no record, where none ever was. */
export type Published = { readonly number: number; readonly record: ServerRecord | undefined };

/** Reads the last record. A folder that does not exist holds none. */
export async function lastPublished(folder: string): Promise<Published> {
  const number = Math.max(0, ...(await numbers(folder)));
  if (number === 0) return { number, record: undefined };
  try {
    return { number, record: JSON.parse(await readFile(fileOf(folder, number), "utf8")) as ServerRecord };
  } catch (error) {
    // Removed between the two reads by somebody who published a later one.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return lastPublished(folder);
    throw error;
  }
}

/** Publishes a server as the one after `number`. Resolves to false when somebody else was faster. */
export async function publish(folder: string, number: number, record: ServerRecord): Promise<boolean> {
  const draft = join(folder, `.draft-${record.id}`);
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  try {
    await link(draft, fileOf(folder, number + 1)); // Unlike a rename it fails where the name is taken, and shows no half-written file.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft);
  }
  await forgetBefore(folder, number + 1);
  return true;
}

async function forgetBefore(folder: string, number: number): Promise<void> {
  for (const old of await numbers(folder)) if (old < number) await rm(fileOf(folder, old), { force: true });
}

async function numbers(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.map((name) => Number(/^server\.(\d+)\.json$/.exec(name)?.[1] ?? 0)).filter((number) => number > 0);
}

function fileOf(folder: string, number: number): string {
  return join(folder, `server.${number}.json`);
}
