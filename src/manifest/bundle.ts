/** What a revision is kept with: everything that it was compiled from, so that it compiles again wherever it is read. */

import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError, type Problem } from "../core/errors.ts";
import type { SourceBundle } from "../core/record.ts";
import type { Kinds } from "../kind/kind.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { keptFiles } from "./files.ts";
import { makeSource } from "./node.ts";
import { partsOf } from "./result.ts";
import { tellsSecret } from "./secrets.ts";
import { parsedSources, type SourceSet } from "./source.ts";

/**
 * Everything that the stack was compiled from. Undefined where a text says a secret, or may say one where nobody can tell:
 * secrets are never stored.
 */
export function bundleOf(sources: SourceSet, options: CompileOptions, stack: CompiledStack): SourceBundle | undefined {
  const { prepared, world } = partsOf(stack);
  if (tellsSecret(prepared)) return undefined;
  const { region } = prepared.environments.get(stack.environment.name)?.settings ?? {};
  return {
    sources: sources.sources.map(({ file, directory, text }) => ({ file, directory, text })),
    files: Object.fromEntries(world.files.texts),
    params: options.params ?? [],
    paramsFiles: prepared.paramsFiles.map(({ file, text }) => ({ file, text })),
    environment: stack.environment.name,
    ...(region === undefined && options.region !== undefined ? { region: options.region } : {}),
    ...(sources.origin === undefined ? {} : { origin: sources.origin }),
  };
}

/** The files beside its manifests that the stack was compiled from, by absolute path or from `~/`. */
export function filesReadFor(stack: CompiledStack): readonly string[] {
  const { prepared, world } = partsOf(stack);
  return [...world.files.texts.keys(), ...prepared.paramsFiles.map(({ file }) => file)];
}

/**
 * The stack again, with the same digest. It reads no file of this machine: what is not in the bundle is not there. Throws
 * RevisionOutdated where this beaconctl does not take the manifests as the one did that accepted them.
 */
export function compileBundle(bundle: SourceBundle, { kinds }: { readonly kinds: Kinds }): CompiledStack {
  const { params, paramsFiles, environment, region, origin } = bundle;
  const sources = bundle.sources.map(({ file, directory, text }) => makeSource(file, directory, text));
  const compilation = compile(parsedSources(sources, origin), {
    kinds,
    params,
    paramsFiles: paramsFiles.map(({ file }) => file),
    environment,
    ...(region === undefined ? {} : { region }),
    files: keptFiles(new Map([...Object.entries(bundle.files), ...paramsFiles.map(({ file, text }) => [file, text] as const)])),
  });
  if (compilation.ok) return compilation.stack;
  const { problems } = compilation;
  const message = `what was accepted for the environment ${environment} no longer compiles:\n${problems.map(lineOf).join("\n")}`;
  throw new BeaconError("RevisionOutdated", message, {
    problems,
    next: "apply the manifests again, put right, or use the beaconctl that accepted them",
  });
}

function lineOf({ message, span, hint }: Problem): string {
  const place = span === undefined ? "" : `${span.file}:${span.line}:${span.column}: `;
  return `  ${place}${message}${hint === undefined ? "" : ` (${hint})`}`;
}
