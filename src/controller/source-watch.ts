/**
 * Watches manifests: reads them again when a file has changed.
 *
 * Looks at names, sizes and times once a second rather than waiting for the system's notices: those do not come over network
 * mounts, and come wrongly where a mounted ConfigMap is swapped by a link. A look at a few dozen files costs a millisecond.
 */

import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Stack, stackName } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";
import type { SourceState, WatchedSource } from "./tools.ts";

/** What is watched, and how it is read. `read` never rejects: what is wrong with the manifests is part of what they are. */
export type WatchOptions = {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly read: () => Promise<SourceState>;
  readonly runtime: Pick<Runtime, "sleep">;
};

const EVERY_MS = 1000;
// Between two files that one program writes.
const STILL_MS = 200;
// 5 s: what is written to all the time, a log among the manifests, must not keep everything else from being seen.
const STILL_LOOKS_MAX = 25;

/** See the file's header. */
export class SourceWatch implements WatchedSource {
  readonly #options: WatchOptions;
  readonly #listeners = new Set<() => void>();
  #state: SourceState | undefined;
  #stack: Stack | undefined;
  #seen = "";
  #hasChanged = false;
  /** Files that expressions read. Kept while the manifests are invalid: one of them may be what is missing. */
  #files: readonly string[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Whose manifests they are; undefined until they were valid once. */
  get stack(): Stack | undefined {
    return this.#stack;
  }

  current(stack: Stack): SourceState | undefined {
    return this.#stack && stackName(this.#stack) === stackName(stack) ? this.#state : undefined;
  }

  /** What they are, whosever they are. */
  get state(): SourceState | undefined {
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads them, and again after each change, until it is told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#untilStill(stop);
      await this.refresh();
      await this.#options.runtime.sleep(EVERY_MS, stop).catch(() => {});
    }
  }

  /** A checkout writes one file after the other: what it has written by half is not read. */
  async #untilStill(stop: AbortSignal): Promise<void> {
    let before = this.#seen;
    for (let looks = 0; looks < STILL_LOOKS_MAX; looks++) {
      const now = await this.#signature();
      if (now === before || stop.aborted) return;
      before = now;
      await this.#options.runtime.sleep(STILL_MS, stop).catch(() => {});
    }
  }

  #signature(): Promise<string> {
    return signature([...this.#options.paths, ...this.#files]);
  }

  /** Reads them if a file has changed since. */
  async refresh(): Promise<void> {
    const seen = await this.#signature();
    if (seen === this.#seen) return;
    this.#seen = seen;
    const state = await this.#options.read();
    const isNews = state.digest !== this.#state?.digest;
    this.#hasChanged ||= isNews && this.#state !== undefined;
    this.#state = state.ok && this.#hasChanged ? { ...state, hasChanged: true } : state;
    if (state.ok) {
      this.#stack = state.compiled.stack;
      this.#files = state.files;
    }
    if (isNews) for (const listener of this.#listeners) listener();
  }
}

async function signature(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all([...new Set(paths)].map(signatureOf));
  return parts.flat().join("\n");
}

async function signatureOf(path: string): Promise<readonly string[]> {
  const info = await stat(path.startsWith("~/") ? join(homedir(), path.slice(2)) : path).catch(() => undefined);
  if (!info) return [`${path} is not there`];
  if (!info.isDirectory()) return [`${path} ${info.size} ${info.mtimeMs} ${info.ino}`];
  const names = await readdir(path).catch(() => []);
  const inside = await Promise.all(names.sort().map((name) => signatureOf(join(path, name))));
  return inside.flat();
}
