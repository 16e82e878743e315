/**
 * Manifests to a stack: everything that can be known without AWS is worked out here, and everything that can be wrong is told.
 *
 * Reading, names and types are the same for every environment and done once ({@link prepare}); values are worked out per
 * environment. Bad input never throws: it gives problems, all of them at once.
 */

import type { CompiledStack, EnvironmentSettings } from "../core/compiled.ts";
import type { Problem } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { objectShape } from "../core/shape.ts";
import { suggestion } from "../core/suggest.ts";
import type { Kinds } from "../kind/kind.ts";
import type { ModuleDocuments } from "./declarations.ts";
import { type Documents, readDocuments } from "./documents.ts";
import { expiredExceptions } from "./drift.ts";
import { type EnvironmentDeclaration, readEnvironments } from "./environment.ts";
import { DISK, type FileSource } from "./files.ts";
import { inferTypes, type LocalReferences } from "./inference.ts";
import { Language } from "./language.ts";
import type { Declared, DeclaredNames } from "./names.ts";
import type { Source } from "./node.ts";
import { parametersSchema } from "./parameter-schema.ts";
import { type Layer, parameterValues } from "./parameters.ts";
import { Problems, problemKey, withNotes } from "./problems.ts";
import { commandLayers, type Project, readParamsFiles, readProject } from "./project.ts";
import type { SourceSet } from "./source.ts";
import { compileEnvironment } from "./stack.ts";
import { Texts } from "./texts.ts";
import { unusedIn } from "./unused.ts";

/** What a compilation is told beside the sources. */
export type CompileOptions = {
  readonly kinds: Kinds;
  /** `--param k=v`, in order; they outrank the files. */
  readonly params?: readonly string[];
  /** `--params FILE`, in order. */
  readonly paramsFiles?: readonly string[];
  /** Absent: the environment marked `default: true`. */
  readonly environment?: string;
  /** For `env.region` where the Environment names none. */
  readonly region?: string;
  /** It is compiled for the sandbox, where something stands in for what a person's machine may lack. */
  readonly sandbox?: { readonly throwAwayKey: () => string };
  /** What has expired by then is told; now by default. Epoch milliseconds. */
  readonly nowMs?: number;
  /** Where files come from, those of `--params` among them. Absent: from the disk. */
  readonly files?: FileSource;
};

/** A stack, or everything that is wrong. `notices`: what a person must be told although it is not wrong. */
export type Compilation = { readonly notices: readonly string[] } & (
  | { readonly ok: true; readonly stack: CompiledStack; readonly problems: readonly [] }
  | { readonly ok: false; readonly problems: readonly Problem[] }
);

/** What a check of all environments found. */
export type Validation = {
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly environments: readonly string[];
};

/** Everything that does not depend on the environment. */
export type Prepared = {
  readonly sources: SourceSet;
  readonly documents: Documents;
  readonly project: Project;
  readonly environments: ReadonlyMap<string, EnvironmentDeclaration>;
  readonly language: Language;
  readonly texts: Texts;
  readonly locals: LocalReferences;
  readonly layers: readonly Layer[];
  readonly files: FileSource;
  /** Those of `--params`. */
  readonly paramsFiles: readonly Source[];
  readonly notices: ReadonlySet<string>;
  readonly problems: Problems;
};

/** Compiles one environment. */
export function compile(sources: SourceSet, options: CompileOptions): Compilation {
  const prepared = prepare(sources, options);
  const name = chosenEnvironment(prepared, options.environment);
  if (name === undefined) return { ok: false, problems: prepared.problems.list(), notices: [] };
  const own = new Problems();
  const stack = compileOne(prepared, name, own, options.region);
  for (const problem of prepared.problems.list()) own.addProblem(problem);
  const notices = [...prepared.notices, ...(stack ? expiredIn(stack, options) : [])];
  return stack && own.size === 0 ? { ok: true, stack, problems: [], notices } : { ok: false, problems: own.list(), notices };
}

/** Checks the environment that is asked for, or all of them; a problem of some of them names these. */
export function validateAll(sources: SourceSet, options: CompileOptions): Validation {
  const prepared = prepare(sources, options);
  const chosen = options.environment === undefined ? undefined : chosenEnvironment(prepared, options.environment);
  const names = options.environment === undefined ? [...prepared.environments.keys()] : chosen === undefined ? [] : [chosen];
  if (prepared.documents.environments.size === 0) chosenEnvironment(prepared, undefined);
  const found = new Map<string, { problem: Problem; in: string[] }>();
  const expired = new Set<string>();
  for (const name of names) {
    const own = new Problems();
    const stack = compileOne(prepared, name, own, options.region);
    if (stack) for (const notice of expiredIn(stack, options)) expired.add(notice);
    for (const problem of own.list()) {
      const known = found.get(problemKey(problem));
      found.set(problemKey(problem), { problem: withNotes(known?.problem ?? problem, problem.notes), in: [...(known?.in ?? []), name] });
    }
  }
  const all = new Problems();
  for (const problem of prepared.problems.list()) all.addProblem(problem);
  for (const { problem, in: where } of found.values()) all.addProblem(where.length === names.length ? problem : named(problem, where));
  // A misspelt name leaves another one unused.
  const unused = all.size === 0 ? unusedIn(prepared) : [];
  return { problems: all.list(), notices: [...prepared.notices, ...expired, ...unused], environments: names };
}

function expiredIn({ resources }: CompiledStack, { nowMs = Date.now() }: CompileOptions): readonly string[] {
  return expiredExceptions(resources, nowMs);
}

function named(problem: Problem, environments: readonly string[]): Problem {
  return { ...problem, message: `${problem.message} (in ${environments.join(", ")})` };
}

/** Reads names and types. */
export function prepare(sources: SourceSet, options: CompileOptions): Prepared {
  const { kinds } = options;
  const problems = new Problems();
  for (const problem of sources.problems) problems.addProblem(problem);
  const documents = readDocuments(sources, kinds, problems);
  const incomplete = problems.size > 0;
  const project = readProject(documents.project, kinds, problems);
  const environments = readEnvironments(documents, problems);
  const notices = new Set<string>();
  const files = filesFor(options, notices);
  const paramsFiles = readParamsFiles(options.paramsFiles ?? [], files, problems);
  const layers = commandLayers({ params: options.params ?? [], paramsFiles }, project.parameters, problems);
  const language = languageOf(documents, project, kinds);
  const texts = new Texts(language, problems, incomplete);
  const locals = inferTypes({ language, texts, problems, locals: project.locals, blueprints: documents.blueprints });
  return { sources, documents, project, environments, language, texts, locals, layers, files, paramsFiles, notices, problems };
}

function filesFor({ sandbox, files = DISK }: CompileOptions, notices: Set<string>): FileSource {
  if (!sandbox) return files;
  const publicKey = (path: string) => {
    notices.add(`the file ${path} does not exist: a throw-away key stands in for it on the sandbox`);
    return sandbox.throwAwayKey();
  };
  return { ...files, publicKey };
}

function languageOf({ declarations, blueprints }: Documents, { parameters }: Project, kinds: Kinds): Language {
  const params = objectShape(parametersSchema(parameters));
  const insides = [...blueprints.values()].map(({ name, root, spec, declarations: inside }) => ({
    kind: name,
    root,
    declared: namesOf(inside),
    params: spec,
  }));
  return new Language({ kinds, project: { declared: namesOf(declarations), params }, blueprints: insides });
}

function namesOf(documents: ModuleDocuments): DeclaredNames {
  const names = new Map<string, Map<string, Declared>>();
  for (const { kind, name, document } of documents) {
    const known = names.get(kind.root) ?? new Map<string, Declared>();
    names.set(kind.root, known.set(name, document.entries.has("forEach") ? "group" : "one"));
  }
  return names;
}

/** The environment to compile; undefined when there is none by that name, which is a problem. */
function chosenEnvironment({ documents, environments, problems }: Prepared, wanted: string | undefined): string | undefined {
  const known = [...documents.environments.keys()];
  const name = wanted ?? [...environments].find(([, environment]) => environment.isDefault)?.[0];
  if (name !== undefined && environments.has(name)) return name;
  if (known.length === 0)
    problems.add(undefined, "no manifest is an Environment", "write one document with apiVersion: beacon/v1, kind: Environment");
  else if (name === undefined) {
    problems.add(undefined, "no environment is chosen, and none is marked as default", `choose one with --env: ${known.join(", ")}`);
  } else if (!known.includes(name)) problems.add(undefined, `unknown environment \`${name}\``, suggestion(name, known));
  return undefined;
}

function compileOne(prepared: Prepared, name: string, problems: Problems, region: string | undefined): CompiledStack | undefined {
  const environment = prepared.environments.get(name);
  if (!environment) return undefined;
  const layers = [...(environment.parameters ? [{ values: environment.parameters }] : []), ...prepared.layers];
  const params = parameterValues(prepared.project.parameters, layers, problems);
  const settings = settingsWith(environment.settings, region);
  return compileEnvironment(prepared, { settings, params }, problems);
}

function settingsWith(settings: EnvironmentSettings, region: string | undefined): EnvironmentSettings {
  return settings.region === undefined && region !== undefined ? { ...settings, region } : settings;
}

/** An environment's values. */
export type EnvironmentValues = { readonly settings: EnvironmentSettings; readonly params: JsonObject };
