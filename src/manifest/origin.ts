/** Where a checkout comes from: its git remote, read from git's own files so that no process is started. */

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** The URL of the remote `origin`, without credentials and without `.git`; undefined outside a clone or without that remote. */
export async function gitOrigin(directory: string): Promise<string | undefined> {
  const config = await findConfig(resolve(directory));
  const url = config && originUrl(config);
  return url && withoutCredentials(url);
}

async function findConfig(directory: string): Promise<string | undefined> {
  const git = join(directory, ".git");
  const config = await readFile(join(git, "config"), "utf8").catch(() => undefined);
  if (config !== undefined) return config;
  // In a worktree `.git` is a file that names a folder below the main repository's .git/worktrees.
  const link = /^gitdir: (.+)$/m.exec(await readFile(git, "utf8").catch(() => ""))?.[1];
  if (link !== undefined) return readFile(resolve(directory, link, "..", "..", "config"), "utf8").catch(() => undefined);
  const parent = dirname(directory);
  return parent === directory ? undefined : findConfig(parent);
}

function originUrl(config: string): string | undefined {
  const section = config.split(/^\[/m).find((part) => part.startsWith('remote "origin"]'));
  return section && /^\s*url\s*=\s*(.+?)\s*$/m.exec(section)?.[1];
}

function withoutCredentials(url: string): string {
  return url.replace(/^(\w+:\/\/)[^@/]*@/, "$1").replace(/\.git$/, "");
}
