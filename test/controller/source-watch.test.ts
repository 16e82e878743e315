import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { SourceWatch } from "../../src/controller/source-watch.ts";
import type { SourceState } from "../../src/controller/tools.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { digest } from "../../src/core/json.ts";
import type { Stack } from "../../src/core/resource.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

const PROD: Stack = { project: "beacon", environment: "prod" };
const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(parent = tmpdir()): string {
  const made = mkdtempSync(join(parent, "beacon-watch-"));
  folders.push(made);
  return made;
}

/** Manifests whose language is "stack" or "read PATH", in `main.yaml`; anything else is invalid. */
class Scene {
  readonly dir: string;
  readonly main: string;
  readonly watch: SourceWatch;
  reads = 0;
  news = 0;

  constructor(dir = folder(), text = "stack") {
    this.dir = dir;
    this.main = join(dir, "main.yaml");
    writeFileSync(this.main, text);
    this.watch = new SourceWatch({ paths: [dir], read: async () => this.#read(), runtime: new VirtualWorld(1).process("controller") });
    this.watch.onChange(() => {
      this.news += 1;
    });
  }

  write(text: string, file = this.main): void {
    writeFileSync(file, text);
  }

  /** What the watch says after one more look. */
  async seen(): Promise<string> {
    await this.watch.refresh();
    const { state } = this.watch;
    return state?.ok ? state.digest : `invalid: ${state?.problem}`;
  }

  #read(): SourceState {
    this.reads += 1;
    try {
      const text = readFileSync(this.main, "utf8");
      const path = /^read (.*)$/.exec(text)?.[1];
      if (!path && !text.startsWith("stack")) return { ok: false, digest: digest(text, 16), problem: text };
      const more = path ? readFileSync(path.replace(/^~/, homedir()), "utf8") : "";
      const compiled = { stack: PROD } as CompiledStack;
      return { ok: true, digest: `${text}${more && ` ${more}`}`, compiled, files: path ? [path] : [] };
    } catch (error) {
      return { ok: false, digest: (error as NodeJS.ErrnoException).code ?? "", problem: (error as NodeJS.ErrnoException).code ?? "" };
    }
  }
}

describe("watched manifests", () => {
  test("are read once, and again when a file changes", async () => {
    const one = new Scene();
    assert.equal(await one.seen(), "stack");
    const { reads } = one;
    assert.equal(await one.seen(), "stack");
    assert.equal(one.reads, reads, "nothing changed");
    one.write("stack two");
    assert.equal(await one.seen(), "stack two");
    assert.equal(one.news, 2);
  });

  test("only what was seen to change says so", async () => {
    const scene = new Scene();
    const said = () => scene.watch.state?.ok && scene.watch.state.hasChanged === true;
    await scene.seen();
    assert.equal(said(), false, "as it was found");
    await scene.seen();
    assert.equal(said(), false, "read again, and the same");
    scene.write("stack, another");
    await scene.seen();
    assert.equal(said(), true);
  });

  test("a new file and a removed one are changes; what says the same is no news", async () => {
    const one = new Scene();
    await one.seen();
    const other = join(one.dir, "more.yaml");
    for (const act of [() => one.write("more", other), () => rmSync(other)]) {
      const { reads } = one;
      act();
      await one.seen();
      assert.equal(one.reads, reads + 1);
    }
    assert.equal(one.news, 1);
  });

  test("invalid, then valid: the stack is still theirs meanwhile", async () => {
    const one = new Scene();
    await one.seen();
    one.write("nonsense");
    assert.equal(await one.seen(), "invalid: nonsense");
    assert.equal(one.watch.current(PROD)?.ok, false, "who holds the stack is told");
    assert.equal(one.watch.current({ ...PROD, environment: "dev" }), undefined, "nobody else is");
    one.write("stack again");
    assert.equal(await one.seen(), "stack again");
  });

  test("invalid from the start: they are nobody's until they are valid", async () => {
    const one = new Scene(folder(), "nonsense");
    await one.seen();
    assert.equal(one.watch.stack, undefined);
    assert.equal(one.watch.current(PROD), undefined);
    one.write("stack");
    await one.seen();
    assert.deepEqual(one.watch.stack, PROD);
  });

  test("deleted and restored", async () => {
    const one = new Scene();
    await one.seen();
    rmSync(one.dir, { recursive: true });
    assert.equal(await one.seen(), "invalid: ENOENT");
    mkdirSync(one.dir);
    one.write("stack");
    assert.equal(await one.seen(), "stack");
  });

  for (const [what, parent] of [
    ["", tmpdir()],
    [", in the home folder", homedir()],
  ] as const) {
    test(`a file that an expression reads${what} is watched, too, and after it was gone`, async () => {
      const file = join(folder(parent), "script.sh");
      writeFileSync(file, "one");
      const one = new Scene(folder(), `read ${parent === homedir() ? file.replace(homedir(), "~") : file}`);
      assert.match(await one.seen(), / one$/);
      // From now on it is known which file that is.
      await one.seen();
      writeFileSync(file, "two!");
      assert.match(await one.seen(), / two!$/);
      rmSync(file);
      assert.equal(await one.seen(), "invalid: ENOENT");
      await one.seen();
      writeFileSync(file, "three");
      assert.match(await one.seen(), / three$/);
    });
  }

  test("a mounted ConfigMap that is swapped by its link", async () => {
    const dir = folder();
    const version = (name: string, text: string) => {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, "main.yaml"), text);
      symlinkSync(name, join(dir, "..data_tmp"));
      renameSync(join(dir, "..data_tmp"), join(dir, "..data"));
    };
    version("..2026_01", "stack");
    symlinkSync("..data/main.yaml", join(dir, "main.yaml"));
    const one = new Scene(dir);
    assert.equal(await one.seen(), "stack");
    version("..2026_02", "stack swapped");
    rmSync(join(dir, "..2026_01"), { recursive: true });
    assert.equal(await one.seen(), "stack swapped");
  });

  test("what is still being written is not read; a file that never rests keeps nothing back for ever", async () => {
    const world = new VirtualWorld(1);
    const dir = folder();
    writeFileSync(join(dir, "main.yaml"), "0");
    const read: string[] = [];
    const runtime = world.process("controller");
    const text = () => readFileSync(join(dir, "main.yaml"), "utf8");
    const watch = new SourceWatch({
      paths: [dir],
      read: async () => {
        read.push(text());
        return { ok: false, digest: text(), problem: "" };
      },
      // Each pause, a bit more is written, for a while; the look itself is real, and the world waits for it.
      runtime: {
        sleep: async () => {
          if (written < 40) writeFileSync(join(dir, "main.yaml"), `${"x".repeat(++written)}`);
          else stop.abort();
        },
      },
    });
    let written = 0;
    const stop = new AbortController();
    await watch.refresh();
    writeFileSync(join(dir, "main.yaml"), "begun");
    await watch.run(stop.signal);
    assert.deepEqual(
      read.map(({ length }) => length),
      [1, 25, 40],
      "at the start, after five seconds without rest, and at rest",
    );
    void runtime;
    void dirname;
  });
});
