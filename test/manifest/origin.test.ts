import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gitCommit, gitOrigin } from "../../src/manifest/origin.ts";

const root = mkdtempSync(join(tmpdir(), "beacon-origin-"));
after(() => rmSync(root, { recursive: true }));

const [ONE, TWO] = ["1".repeat(40), "2".repeat(40)];
const CONFIG = '[remote "origin"]\n\turl = https://example.com/a/b.git\n';

/** A folder with these files, as git leaves them. */
function folder(name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(root, name);
}

test("the commit is that of the branch, wherever git keeps it, or of a detached head", async () => {
  const head = "ref: refs/heads/main\n";
  const packed = `# pack-refs with: peeled fully-peeled sorted\n${TWO} refs/heads/main\n${ONE} refs/heads/x/refs/heads/main\n`;
  const cases: readonly (readonly [why: string, files: Readonly<Record<string, string>>, is: string | undefined])[] = [
    ["loose", { ".git/HEAD": head, ".git/refs/heads/main": `${ONE}\n` }, ONE],
    ["packed", { ".git/HEAD": head, ".git/packed-refs": packed }, TWO],
    ["loose over packed", { ".git/HEAD": head, ".git/refs/heads/main": `${ONE}\n`, ".git/packed-refs": packed }, ONE],
    ["detached", { ".git/HEAD": `${ONE}\n` }, ONE],
    ["before the first commit", { ".git/HEAD": head }, undefined],
    ["no head", {}, undefined],
  ];
  for (const [why, files, is] of cases) assert.equal(await gitCommit(folder(why, { ".git/config": CONFIG, ...files })), is, why);
  const deep = folder("loose", { "manifests/prod/a.yaml": "" });
  assert.equal(await gitCommit(join(deep, "manifests", "prod")), ONE, "from below");
});

test("a worktree has a head of its own, and shares branches; a submodule is a repository of its own", async () => {
  const main = folder("main", {
    ".git/config": CONFIG,
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/refs/heads/main": `${ONE}\n`,
    ".git/refs/heads/side": `${TWO}\n`,
    ".git/worktrees/w/HEAD": "ref: refs/heads/side\n",
    ".git/modules/m/config": '[remote "origin"]\n\turl = https://example.com/m\n',
    ".git/modules/m/HEAD": `${TWO}\n`,
    "m/.git": "gitdir: ../.git/modules/m\n",
  });
  const worktree = folder("worktree", { ".git": `gitdir: ${join(main, ".git/worktrees/w")}\n` });
  assert.deepEqual([await gitCommit(worktree), await gitOrigin(worktree)], [TWO, "https://example.com/a/b"]);
  assert.deepEqual([await gitCommit(join(main, "m")), await gitOrigin(join(main, "m"))], [TWO, "https://example.com/m"]);
  assert.deepEqual([await gitCommit(main), await gitOrigin(main)], [ONE, "https://example.com/a/b"]);
});
