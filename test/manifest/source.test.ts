import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { member, spanOf } from "../../src/manifest/node.ts";
import { gitOrigin } from "../../src/manifest/origin.ts";
import { loadSources, sourcesOf } from "../../src/manifest/source.ts";

let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "beacon-source-"));
  await mkdir(join(root, "set", "deep"), { recursive: true });
  await mkdir(join(root, "none"));
  const texts = {
    "set/b.yaml": "kind: B",
    "set/a.yml": "kind: A1\n---\n---\nkind: A2",
    "set/deep/c.yaml": "kind: C",
    "set/notes.txt": "no",
  };
  for (const [file, text] of Object.entries(texts)) await writeFile(join(root, file), text);
});

after(() => rm(root, { recursive: true }));

const kindsOf = (documents: readonly Parameters<typeof member>[0][]) =>
  documents.map((document) => {
    const kind = member(document, "kind");
    return kind?.type === "scalar" ? kind.value : undefined;
  });

test("folders are read recursively and in order, files once, and standard input where it stands", async () => {
  const stdin = () => Promise.resolve(new TextEncoder().encode("kind: In"));
  const set = join(root, "set");
  const { documents, sources, problems } = await loadSources({ paths: [join(set, "b.yaml"), "-", set, set], stdin });
  assert.deepEqual(kindsOf(documents), ["B", "In", "A1", "A2", "C"]);
  assert.deepEqual(
    sources.map(({ file }) => file.replace(`${root}/`, "")),
    ["set/b.yaml", "(stdin)", "set/a.yml", "set/deep/c.yaml"],
  );
  assert.deepEqual(problems, []);
});

test("a mounted ConfigMap is read by its links, once, and a link to the folder it lies in is no trap", async () => {
  const mount = join(root, "mount");
  const data = join(mount, "..2026_11_25_00_00_00.1");
  await mkdir(join(data, "environments"), { recursive: true });
  await writeFile(join(data, "project.yaml"), "kind: P");
  await writeFile(join(data, "environments", "prod.yaml"), "kind: E");
  await symlink("..2026_11_25_00_00_00.1", join(mount, "..data"));
  for (const name of ["project.yaml", "environments"]) await symlink(join("..data", name), join(mount, name));
  await symlink(".", join(data, "environments", "around"));
  const { documents, sources } = await loadSources({ paths: [mount] });
  assert.deepEqual(kindsOf(documents), ["E", "P"]);
  assert.deepEqual(
    sources.map(({ file }) => file.replace(`${mount}/`, "")),
    ["environments/prod.yaml", "project.yaml"],
  );
});

test("what is not there is an error of its own", async () => {
  await assert.rejects(loadSources({ paths: [join(root, "nowhere")] }), { code: "ManifestNotFound" });
  await assert.rejects(loadSources({ paths: [join(root, "none")] }), { code: "ManifestNotFound" });
});

test("every node knows its line and column", () => {
  const { documents } = sourcesOf({ "a.yaml": "# first\nkind: X\nspec:\n  list: [a, bcd]\n" });
  const list = member(member(documents[0], "spec"), "list");
  assert.ok(list?.type === "list" && list.items[1]);
  assert.deepEqual(spanOf(list.items[1].place), { file: "a.yaml", line: 4, column: 13, length: 3 });
});

test("an alias is the anchor's node", () => {
  const { documents, problems } = sourcesOf({ "a.yaml": "x: &x {kind: Y}\ny: *x\n" });
  assert.deepEqual(problems, []);
  assert.equal(member(documents[0], "y"), member(documents[0], "x"));
});

test("the git remote is read without credentials, from clones and worktrees", async () => {
  const clone = join(root, "clone");
  await mkdir(join(clone, ".git", "worktrees", "w"), { recursive: true });
  await mkdir(join(clone, "deep"));
  await writeFile(
    join(clone, ".git", "config"),
    '[remote "other"]\n url = x\n[remote "origin"]\n\turl = https://me:secret@example.com/a/b.git\n',
  );
  assert.equal(await gitOrigin(join(clone, "deep")), "https://example.com/a/b");
  const worktree = join(root, "worktree");
  await mkdir(worktree);
  await writeFile(join(worktree, ".git"), `gitdir: ${join(clone, ".git", "worktrees", "w")}\n`);
  assert.equal(await gitOrigin(worktree), "https://example.com/a/b");
  assert.equal(await gitOrigin(join(root, "set")), undefined);
});
