/**
 * `npm run build`: writes `dist/`, which is all that the package runs.
 *
 * `dist/main.js` is the command line; beside it lies one file per part that is loaded on its own, with its dependencies in it.
 * Starting costs most of a short command's time, so three things are left out that nobody asks for: what an SDK client can
 * beside the operations that are declared, the looking-up and joining of some 500 modules, and undici. A look at production
 * thus takes a quarter less CPU time and 55 MB less memory. Code keeps its names and lines, and each file has its source map
 * (`NODE_OPTIONS=--enable-source-maps`).
 */

import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";
import { kinds } from "../reconcilers/index.ts";
import { operationsOf } from "../src/kind/operations.ts";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });

rmSync(values.out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts"],
  outdir: values.out,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  chunkNames: "[name]-[hash]",
  // A dependency's ES modules where it has some: only of those can a part be left out.
  mainFields: ["module", "main"],
  // Dependencies that are CommonJS ask for node's modules in their own way.
  banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
  sourcemap: true,
  metafile: true,
  logLevel: "warning",
  plugins: [declaredOperations(), withoutUndici()],
});
writeFileSync(join(values.out, "LICENSES.txt"), licenses(metafile));

/** Of an SDK client that is loaded by its first call: the client, and the commands of declared operations. */
function declaredOperations(): Plugin {
  const declared = operationNames();
  return {
    name: "declared-operations",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path, kind, importer }) =>
        kind === "dynamic-import" && !importer.includes("node_modules") ? { path, namespace: "client" } : undefined,
      );
      onLoad({ filter: /./, namespace: "client" }, async ({ path }) => {
        const exported = Object.keys((await import(path)) as object);
        const used = exported.filter((name) => /^[A-Z]\w*Client$/.test(name) || declared.has(name.replace(/Command$/, "")));
        return { contents: `export { ${used.join(", ")} } from ${JSON.stringify(path)};`, resolveDir: root };
      });
      // `{[_eN]: 1}` might run code, for all that a bundler knows; `{"eN": 1}` cannot, and goes with the operation that used it.
      onLoad({ filter: /[\\/]schemas_0\.js$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const strings = new Map([...text.matchAll(/^const (_\w+) = (".*");$/gm)].map(([, name, string]) => [name, string]));
        return { contents: text.replace(/\[(_\w+)\]:/g, (key, name: string) => (strings.has(name) ? `${strings.get(name)}:` : key)) };
      });
    },
  };
}

/**
 * What the guards of `src/aws/clients.ts` let through: what the kinds declare, and what the product calls for itself, whose
 * lists name each operation in full (`"dynamodb:TransactWriteItems"`).
 */
function operationNames(): ReadonlySet<string> {
  const files = globSync("{src,state}/**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
  const named = files.flatMap((text) => [...text.matchAll(/"[a-z0-9]+:[A-Z]\w+"/g)].map(([literal]) => literal.slice(1, -1)));
  const operations = [...named, ...[...kinds.values()].flatMap(operationsOf)];
  return new Set(operations.map((operation) => operation.slice(operation.indexOf(":") + 1)));
}

/** An `import` of one of node's modules reads each of its exports, and one of `node:http` loads undici: 45 ms. */
function withoutUndici(): Plugin {
  return {
    name: "without-undici",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^(node:)?http$/ }, () => ({ path: "http", namespace: "builtin" }));
      onLoad({ filter: /./, namespace: "builtin" }, () => ({ contents: 'module.exports = process.getBuiltinModule("node:http");' }));
    },
  };
}

/** The licences of all packages that have code in `dist/`, each text once. */
function licenses({ outputs }: Metafile): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  const byText = Map.groupBy([...folders].sort(), (folder) =>
    globSync("{LICEN[CS]E,NOTICE}*", { cwd: join(root, folder) })
      .map((file) => readFileSync(join(root, folder, file), "utf8"))
      .join("\n"),
  );
  return [...byText].map(([text, sharing]) => [...sharing.map(packageName), "", text, "=".repeat(80)].join("\n")).join("\n");
}

function packageName(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<string, string>;
  return `${name} ${version} (${license})`;
}
