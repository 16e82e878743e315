/** From `-f`, `--env` and `--param` to a compiled stack, with every problem shown at once. */

import { existsSync } from "node:fs";
import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError, type Problem } from "../core/errors.ts";
import type { CompileOptions } from "../manifest/compile.ts";
import type { SourceSet } from "../manifest/source.ts";
import type { Invocation } from "./command.ts";
import type { Io } from "./io.ts";
import type { AwsOptions, SourceOptions } from "./options.ts";
import { count } from "./render/table.ts";

const DEFAULT_FOLDER = "manifests";

/** The values of -f, else the folder `manifests`. Throws UsageInvalid where neither is there. */
export function manifestPaths(options: SourceOptions): readonly string[] {
  if (options.file !== undefined) return options.file;
  if (existsSync(DEFAULT_FOLDER)) return [DEFAULT_FOLDER];
  throw new BeaconError("UsageInvalid", "no manifests: -f is not given, and there is no folder `manifests` here", {
    next: "give a file or folder with -f",
  });
}

/** True when a command that can do without manifests has some. */
export function hasManifests(options: SourceOptions): boolean {
  return options.file !== undefined || existsSync(DEFAULT_FOLDER);
}

/** Reads the manifests. Throws ManifestNotFound. */
export async function readSources({ options }: Pick<Invocation<SourceOptions>, "options">): Promise<SourceSet> {
  const { loadSources } = await import("../manifest/source.ts");
  return loadSources({ paths: manifestPaths(options), stdin: readStdin });
}

/** What the manifest layer is told beside the sources. */
export async function compileInput({ options, services }: Invocation<SourceOptions & AwsOptions>): Promise<CompileOptions> {
  const environment = options.env ?? process.env.BEACON_ENV;
  const { defaultRegion } = await import("../aws/region.ts");
  const region = options.region ?? (await defaultRegion(options.profile));
  const sandbox = options.sandbox ? await services.sandbox() : undefined;
  const where = options.sandboxDir === undefined ? {} : { dir: options.sandboxDir };
  return {
    kinds: await services.kinds(),
    params: options.param ?? [],
    paramsFiles: options.params ?? [],
    ...(environment ? { environment } : {}),
    ...(region ? { region } : {}),
    ...(sandbox ? { sandbox: { throwAwayKey: () => sandbox.throwAwayKey(where) } } : {}),
  };
}

/** A stack, and what it was compiled from. */
export type Manifests = { readonly stack: CompiledStack; readonly sources: SourceSet; readonly options: CompileOptions };

/** Compiles the chosen environment. Throws ManifestInvalid, whose message shows every problem with its place. */
export async function compileManifests(invocation: Invocation<SourceOptions>): Promise<CompiledStack> {
  return (await readManifests(invocation)).stack;
}

/** Likewise, and keeps the sources. */
export async function readManifests(invocation: Invocation<SourceOptions>): Promise<Manifests> {
  const { compile } = await import("../manifest/compile.ts");
  const sources = await readSources(invocation);
  const options = await compileInput(invocation);
  const compilation = compile(sources, options);
  sayAloud(compilation.notices, invocation.io);
  if (!compilation.ok) throw await manifestError(compilation.problems, sources, invocation);
  return { stack: compilation.stack, sources, options };
}

/** What a person must know although nothing is wrong. */
export function sayAloud(notices: readonly string[], io: Io): void {
  for (const notice of notices) io.err(`${io.errStyle.yellow("warning:")} ${notice}`);
}

/** The error that shows these problems. */
export async function manifestError(
  problems: readonly Problem[],
  sources: SourceSet,
  { io }: Pick<Invocation, "io">,
): Promise<BeaconError> {
  const { formatProblems } = await import("../manifest/problems.ts");
  const files = count(sources.sources.length, "file");
  const text = `${formatProblems(problems, sources, { color: io.errColor })}${count(problems.length, "problem")} in ${files}. Nothing was sent to AWS.`;
  return new BeaconError("ManifestInvalid", text, { problems });
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
