/** Where a checkout comes from: its git remote and commit, read from git's own files so that no process is started. */

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** The URL of the remote `origin`, without credentials and without `.git`; undefined outside a clone or without that remote. */
export async function gitOrigin(directory: string): Promise<string | undefined> {
  const git = await findGit(resolve(directory));
  const config = git && (await textOf(join(git.common, "config")));
  const url = config && originUrl(config);
  return url && withoutCredentials(url);
}

/**
 * The commit that is checked out; undefined outside a clone and before its first commit. Whether files have changed since, only
 * git itself could say.
 */
export async function gitCommit(directory: string): Promise<string | undefined> {
  const git = await findGit(resolve(directory));
  const head = git && (await textOf(join(git.own, "HEAD")))?.trim();
  if (!head) return undefined;
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  return ref === undefined ? head : commitOf(ref, git);
}

/** A checkout's own folder of git, and the one that all checkouts of its repository share. */
type Git = { readonly own: string; readonly common: string };

async function findGit(directory: string): Promise<Git | undefined> {
  const git = join(directory, ".git");
  if ((await textOf(join(git, "config"))) !== undefined) return { own: git, common: git };
  // In a worktree `.git` is a file that names a folder below the main repository's .git/worktrees; in a submodule, a whole one.
  const link = /^gitdir: (.+)$/m.exec((await textOf(git)) ?? "")?.[1];
  if (link !== undefined) {
    const own = resolve(directory, link);
    const whole = (await textOf(join(own, "config"))) !== undefined;
    return { own, common: whole ? own : resolve(own, "..", "..") };
  }
  const parent = dirname(directory);
  return parent === directory ? undefined : findGit(parent);
}

async function commitOf(ref: string, { own, common }: Git): Promise<string | undefined> {
  const loose = (await textOf(join(own, ref))) ?? (await textOf(join(common, ref)));
  if (loose !== undefined) return loose.trim();
  const packed = (await textOf(join(common, "packed-refs"))) ?? "";
  return packed
    .split("\n")
    .find((line) => line.endsWith(` ${ref}`))
    ?.split(" ")[0];
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function originUrl(config: string): string | undefined {
  const section = config.split(/^\[/m).find((part) => part.startsWith('remote "origin"]'));
  return section && /^\s*url\s*=\s*(.+?)\s*$/m.exec(section)?.[1];
}

function withoutCredentials(url: string): string {
  return url.replace(/^(\w+:\/\/)[^@/]*@/, "$1").replace(/\.git$/, "");
}
