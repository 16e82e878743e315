/**
 * Manifests to a stack: everything that can be known without AWS is worked out here, and everything that can be wrong is told.
 *
 * Reading, names and types are the same for every environment and done once ({@link prepare}); values are worked out per
 * environment. Bad input never throws: it gives problems, all of them at once.
 */

import type { CompiledStack, EnvironmentSettings } from "../core/compiled.ts";
import type { Problem } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { type ObjectShape, objectShape } from "../core/shape.ts";
import { suggestion } from "../core/suggest.ts";
import type { Kinds } from "../kind/kind.ts";
import { type Declarations, readDeclarations } from "./declarations.ts";
import { type Declared, Language } from "./language.ts";
import type { LocalReferences } from "./links.ts";
import { defineLocals } from "./locals.ts";
import { type Layer, parametersCheck, parameterValues } from "./parameters.ts";
import { Problems, problemKey } from "./problems.ts";
import { commandLayers, type EnvironmentDeclaration, type Project, readEnvironments, readProject } from "./project.ts";
import type { SourceSet } from "./source.ts";
import { compileEnvironment } from "./stack.ts";
import { Texts } from "./texts.ts";

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
};

/** A stack, or everything that is wrong. */
export type Compilation =
  | { readonly ok: true; readonly stack: CompiledStack; readonly problems: readonly [] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What a check of all environments found. */
export type Validation = { readonly problems: readonly Problem[]; readonly environments: readonly string[] };

/** Everything that does not depend on the environment. */
export type Prepared = {
  readonly sources: SourceSet;
  readonly declarations: Declarations;
  readonly project: Project;
  readonly environments: ReadonlyMap<string, EnvironmentDeclaration>;
  readonly parameterShape: ObjectShape;
  readonly language: Language;
  readonly texts: Texts;
  readonly locals: LocalReferences;
  readonly layers: readonly Layer[];
  readonly problems: Problems;
};

/** Compiles one environment. */
export function compile(sources: SourceSet, options: CompileOptions): Compilation {
  const prepared = prepare(sources, options);
  const name = chosenEnvironment(prepared, options.environment);
  if (name === undefined) return { ok: false, problems: prepared.problems.list() };
  const own = new Problems();
  const stack = compileOne(prepared, name, own, options.region);
  for (const problem of prepared.problems.list()) own.addProblem(problem);
  return stack && own.size === 0 ? { ok: true, stack, problems: [] } : { ok: false, problems: own.list() };
}

/** Checks the environment that is asked for, or all of them; a problem of some of them names these. */
export function validateAll(sources: SourceSet, options: CompileOptions): Validation {
  const prepared = prepare(sources, options);
  const chosen = options.environment === undefined ? undefined : chosenEnvironment(prepared, options.environment);
  const names = options.environment === undefined ? [...prepared.environments.keys()] : chosen === undefined ? [] : [chosen];
  if (prepared.declarations.environments.size === 0) chosenEnvironment(prepared, undefined);
  const found = new Map<string, { problem: Problem; in: string[] }>();
  for (const name of names) {
    const own = new Problems();
    compileOne(prepared, name, own, options.region);
    for (const problem of own.list()) {
      const known = found.get(problemKey(problem));
      if (known) known.in.push(name);
      else found.set(problemKey(problem), { problem, in: [name] });
    }
  }
  const all = new Problems();
  for (const problem of prepared.problems.list()) all.addProblem(problem);
  for (const { problem, in: where } of found.values()) all.addProblem(where.length === names.length ? problem : named(problem, where));
  return { problems: all.list(), environments: names };
}

function named(problem: Problem, environments: readonly string[]): Problem {
  return { ...problem, message: `${problem.message} (in ${environments.join(", ")})` };
}

/** Reads names and types. */
export function prepare(sources: SourceSet, options: CompileOptions): Prepared {
  const problems = new Problems();
  for (const problem of sources.problems) problems.addProblem(problem);
  const declarations = readDeclarations(sources, options.kinds, problems);
  const incomplete = problems.size > 0;
  const project = readProject(declarations.project, problems);
  const environments = readEnvironments(declarations, problems);
  const layers = commandLayers({ params: options.params ?? [], paramsFiles: options.paramsFiles ?? [] }, project.parameters, problems);
  const parameterShape = objectShape(parametersCheck(project.parameters));
  const language = new Language({ kinds: options.kinds, names: namesOf(declarations), params: parameterShape });
  const texts = new Texts(language, problems, incomplete);
  const locals = defineLocals(language, project.locals, texts, problems);
  return { sources, declarations, project, environments, parameterShape, language, texts, locals, layers, problems };
}

function namesOf({ resources }: Declarations): ReadonlyMap<string, ReadonlyMap<string, Declared>> {
  const names = new Map<string, Map<string, Declared>>();
  for (const { kind, name, document } of resources) {
    const known = names.get(kind.root) ?? new Map<string, Declared>();
    names.set(kind.root, known.set(name, document.entries.has("forEach") ? "group" : "one"));
  }
  return names;
}

/** The environment to compile; undefined when there is none by that name, which is a problem. */
function chosenEnvironment({ declarations, environments, problems }: Prepared, wanted: string | undefined): string | undefined {
  const known = [...declarations.environments.keys()];
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
