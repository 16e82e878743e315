/** The files that a compilation reads: each once, from the disk or from what was kept of another compilation. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { remembered } from "./remembered.ts";

/** Where texts come from. Paths are absolute, begin with `~/`, or are as `--params` has them. */
export type FileSource = {
  /** Throws an error with a `code` where there is no such file. */
  readonly read: (path: string) => string;
  /** A public key that stands in for the file of this path, which is not there; only on the sandbox. */
  readonly publicKey?: (path: string) => string;
};

/** The files of this machine. */
export const DISK: FileSource = Object.freeze({
  read: (path) => readFileSync(path.startsWith("~/") ? join(homedir(), path.slice(2)) : path, "utf8"),
});

/** Nothing but these. */
export function keptFiles(texts: ReadonlyMap<string, string>): FileSource {
  const read = (path: string) => {
    const text = texts.get(path);
    if (text === undefined) throw Object.assign(new Error(`${path} was not kept`), { code: "not kept with the revision" });
    return text;
  };
  return { read };
}

/** The files that the expressions of one environment read. */
export class FilesRead {
  /** By absolute path; what is in a home folder, which is another one on another machine, by its path from `~/`. */
  readonly texts = new Map<string, string>();
  readonly #source: FileSource;

  constructor(source: FileSource) {
    this.#source = source;
  }

  /** The text of a file, read at most once, so that a revision does not change under a run. Throws as its source does. */
  read(path: string): string {
    return remembered(this.texts, path, () => this.#source.read(path));
  }

  /** Likewise of a public key, for which another may stand in where there is no file. `name`: as the manifest has it. */
  readPublicKey(path: string, name: string): string {
    const { publicKey } = this.#source;
    try {
      return this.read(path);
    } catch (error) {
      if (!publicKey || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return remembered(this.texts, path, () => publicKey(name));
    }
  }
}
