/** One environment of a manifest set: its resources, worked out and checked, as a CompiledStack. */

import { z } from "zod";
import type { CompiledStack, LookupRequest } from "../core/compiled.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { LIFECYCLE_DEFAULTS, type Lifecycle, type Resource, type ResourceKey } from "../core/resource.ts";
import { objectShape } from "../core/shape.ts";
import { unknown } from "../core/unknown.ts";
import type { AnyKind, CheckFinding, StaticResource } from "../kind/kind.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import { checkValue, spanOfPath } from "./check-value.ts";
import type { EnvironmentValues, Prepared } from "./compile.ts";
import { checkCycles } from "./cycles.ts";
import { checkUnused, declareAll, type Everything } from "./declare.ts";
import { type Expander, expanderOf } from "./expander.ts";
import { DIRECTORY } from "./file-functions.ts";
import { FilesRead } from "./files.ts";
import { Frame } from "./frame.ts";
import type { DefaultTags, LazyInstance } from "./instances.ts";
import { dependsOn, lifecycleOf, readyWhen, type Surroundings, surroundingsOf } from "./lifecycle.ts";
import { managedKeys } from "./links.ts";
import { checkUnusedMonitors, compileMonitors } from "./monitors.ts";
import { checkMoves, type Move, moveOf } from "./moves.ts";
import type { Names } from "./names.ts";
import { emptyMap, member, type Node, placeOfPath, placeText } from "./node.ts";
import { scalarsOf, valueOfNode } from "./node-values.ts";
import type { Problems } from "./problems.ts";
import { remembered } from "./remembered.ts";
import { finish } from "./result.ts";
import { checkStack, checkTags } from "./tags.ts";
import { ANY, asObject, type Reading } from "./value-reader.ts";
import { holdsExpression } from "./values.ts";
import { World } from "./world.ts";

/** Compiles one environment; undefined when it has problems. */
export function compileEnvironment(prepared: Prepared, values: EnvironmentValues, problems: Problems): CompiledStack | undefined {
  const { documents, project } = prepared;
  const world = makeWorld(prepared, values);
  const root = expanderOf(world.root, prepared, problems);
  const stack = { project: project.name, environment: values.settings.name };
  checkStack(stack, documents.environments.get(stack.environment)?.place, problems);
  const all = declareAll(documents.declarations, root, defaultTags(prepared, root));
  for (const instance of all.instances.values()) instance.check();
  checkUnusedBlueprints(prepared, all, world, problems);
  const { resources, lookups } = readAll(all, world, { ...LIFECYCLE_DEFAULTS, drift: values.settings.drift.mode });
  checkCycles(resources, all.resources, problems);
  checkKinds(all.resources, problems);
  checkOutputs(prepared, root);
  const nextSteps = readNextSteps(prepared, root);
  const monitors = [
    ...compileMonitors(documents.monitors, root),
    ...[...all.instances.values()].flatMap(({ declaration, inner }) => compileMonitors(declaration.kind.monitors, inner)),
  ];
  if (problems.size > 0 || prepared.problems.size > 0) return undefined;
  return finish({ prepared, values, world, resources, lookups, instances: [...all.instances.values()], monitors, nextSteps });
}

function makeWorld({ language, texts, project, files }: Prepared, { settings, params }: EnvironmentValues): World {
  const env = { name: settings.name, region: settings.region, accountId: settings.accountId };
  const { scope } = language.names;
  const local = (name: string, context: object) => {
    const node = member(project.locals, name);
    const here = Object.assign(Object.create(context), { [DIRECTORY]: node?.place.source.directory });
    return node && valueOfNode(node, { texts, scope }, here);
  };
  const locals = new Map([...(project.locals?.entries ?? [])].map(([name, { value }]) => [name, value]));
  const statics = { project: { name: project.name }, env, params };
  return new World({ language, statics, files: new FilesRead(files), local, locals });
}

/** Every resource and lookup, its fields read. */
function readAll(
  all: Everything,
  world: World,
  lifecycle: Lifecycle,
): { readonly resources: readonly Resource[]; readonly lookups: readonly LookupRequest[] } {
  const surroundings = new Map<BlueprintInstance, Surroundings>();
  const resources: Resource[] = [];
  const lookups: LookupRequest[] = [];
  const moves: Move[] = [];
  for (const instance of all.resources.values()) {
    const spec = checkedSpec(instance);
    const around = (instance.frame.instance?.around ?? []).map((one) => remembered(surroundings, one, () => surroundingsOf(one)));
    if (instance.declaration.kind.lookup) lookups.push(lookupOf(instance, spec));
    else {
      const move = moveOf(instance, around);
      if (move) moves.push(move);
      resources.push(resourceOf(instance, spec, { around, move, lifecycle }));
    }
  }
  checkMoves(moves, world);
  return { resources, lookups };
}

function checkUnusedBlueprints({ documents, language, ...shared }: Prepared, all: Everything, world: World, problems: Problems): void {
  const used = new Set([...all.instances.values()].map(({ declaration }) => declaration.kind));
  for (const blueprint of documents.blueprints.values()) {
    if (used.has(blueprint)) continue;
    const inside = expanderOf(new Frame(world, language.inside.get(blueprint.name) as Names), shared, problems);
    checkUnused(blueprint, inside);
    checkUnusedMonitors(blueprint.monitors, inside);
  }
}

/** How project-wide values are read: they see no resource's `self` or `each`. */
function projectReading(label: string, node: Node, { frame, links }: Expander, on: ResourceKey[]): Reading {
  const context = frame.context(node.place.source.directory);
  const { scope } = frame.names;
  return {
    label,
    scope,
    context,
    refer: (references) => {
      const instances = links.resolve(references, { scope, context });
      on.push(...managedKeys(instances ?? []));
      return instances;
    },
  };
}

/** Default tags are read when the first taggable resource asks, because by then every name is known. */
function defaultTags(prepared: Prepared, expander: Expander): () => DefaultTags {
  const read = new Map<"tags", DefaultTags>();
  return () => remembered(read, "tags", () => readDefaultTags(prepared, expander));
}

const TAGS = { type: "map", optional: false, element: { type: "string", optional: false } } as const;

function readDefaultTags({ project }: Prepared, expander: Expander): DefaultTags {
  if (!project.defaultTags) return { values: {}, on: [] };
  const on: ResourceKey[] = [];
  const values = asObject(
    expander.reader.read(project.defaultTags, TAGS, projectReading("defaultTags", project.defaultTags, expander, on)),
  );
  for (const [name, value] of Object.entries(values)) {
    const place = placeOfPath(project.defaultTags, [name]);
    if (typeof value !== "string" && !isObject(value)) {
      expander.problems.add(place, `\`${name}\` of defaultTags must be text`, `write "${String(value)}"`);
    }
  }
  return { values, on };
}

function checkedSpec(instance: LazyInstance): JsonObject {
  const { declaration } = instance;
  const { problems } = instance.expander;
  const { spec, kind, label } = declaration;
  const value = instance.spec();
  if (spec && spec.type !== "map" && !(spec.type === "scalar" && spec.value === null)) {
    problems.add(spec.place, `the spec of ${label} must be a map`);
    return value;
  }
  const node = spec?.type === "map" ? spec : emptyMap(declaration.place);
  const problemsAt = (path: readonly PropertyKey[]) => instance.problemsAt(path);
  checkValue(kind.specSchema, value, { node, label, problems, problemsAt, home: declaration.place, partial: declaration.readOnly });
  checkTags(kind, value, { node, label, problems });
  return value;
}

function lookupOf(instance: LazyInstance, spec: JsonObject): LookupRequest {
  const { declaration, key } = instance;
  const { problems } = instance.expander;
  for (const [name, value] of Object.entries(spec)) {
    if (!holdsExpression(value) || problems.size > 0) continue;
    const place = member(declaration.spec, name)?.place;
    problems.add(place, `\`${name}\` of the lookup ${key} must be known before any AWS call`, "it may use params, env, project and local");
  }
  return { key, kind: declaration.kind.id, spec, declaredAt: placeText(declaration.document.place) };
}

/** What is said elsewhere of a resource. `lifecycle`: in this environment, where nothing else is. */
type Elsewhere = { readonly around: readonly Surroundings[]; readonly move: Move | undefined; readonly lifecycle: Lifecycle };

function resourceOf(instance: LazyInstance, spec: JsonObject, { around, move, ...defaults }: Elsewhere): Resource {
  const { declaration, key, each } = instance;
  const { kind } = declaration;
  if (kind.lookup) throw new Error(`${key} is a lookup`);
  const lifecycle = lifecycleOf(instance, kind, around, defaults.lifecycle);
  const conditions = readyWhen(instance);
  const explicit = [...dependsOn(instance), ...around.flatMap((surroundings) => surroundings.dependsOn)];
  return Object.freeze({
    key,
    kind: kind.id,
    spec,
    dependencies: distinct([...instance.dependencies, ...explicit]),
    lifecycle,
    readyWhen: conditions,
    ...(each ? { each } : {}),
    ...(move ? { renamedFrom: move.from } : {}),
    ...(around.length > 0 ? { within: around.map((surroundings) => surroundings.instance.key) } : {}),
    declaredAt: placeText(declaration.document.place),
  });
}

function distinct(dependencies: Resource["dependencies"]): Resource["dependencies"] {
  return [...new Map(dependencies.map((dependency) => [`${dependency.on} ${dependency.field ?? ""}`, dependency])).values()];
}

/** Runs the kinds' own checks over all their resources at once. */
function checkKinds(instances: ReadonlyMap<string, LazyInstance>, problems: Problems): void {
  const seen = new Map<string, StaticResource>();
  const byKind = Map.groupBy(instances.values(), ({ declaration }) => declaration.kind);
  for (const [kind, members] of byKind) {
    if (kind.lookup || !kind.check) continue;
    const statics = members.map((instance) => staticResource(instance, instances, seen));
    for (const { resource, field, message, hint } of findings(kind.check, statics, problems)) {
      const instance = instances.get(resource);
      const node = instance?.declaration.spec;
      const path = field.split(".");
      const place = node ? placeOfPath(node, path) : instance?.declaration.place;
      (instance?.problemsAt(path) ?? problems).add(place, message, hint);
    }
  }
}

/** A kind's check may trip over values that were reported already; over sound ones it must not. */
function findings(check: NonNullable<AnyKind["check"]>, resources: readonly StaticResource[], problems: Problems): readonly CheckFinding[] {
  try {
    return check(resources);
  } catch (error) {
    if (problems.size === 0) throw error;
    return [];
  }
}

function staticResource(
  instance: LazyInstance,
  instances: ReadonlyMap<string, LazyInstance>,
  seen: Map<string, StaticResource>,
): StaticResource {
  const known = seen.get(instance.key);
  if (known) return known;
  const { declaration, key } = instance;
  const resource: StaticResource = {
    key,
    spec: withUnknowns(instance.spec()) as JsonObject,
    refersTo: (field) => {
      const found = instances.get(referred(instance, field) ?? "");
      return found && staticResource(found, instances, seen);
    },
    spanOf: (path) => (declaration.spec ? spanOfPath(declaration.spec, path) : undefined),
  };
  seen.set(key, resource);
  return resource;
}

/** The one resource that a field's whole value refers to; `field` is a path with dots. */
function referred(instance: LazyInstance, field: string): ResourceKey | undefined {
  const { declaration, scope, frame, expander } = instance;
  const node = field.split(".").reduce<ReturnType<typeof member>>((at, name) => member(at, name), declaration.spec);
  const read = node?.type === "scalar" ? expander.texts.read(node, scope) : undefined;
  if (!read || !("text" in read)) return undefined;
  return expander.links.target(read.text, { scope, context: frame.contextOf(instance) })?.key;
}

/** Expressions as the `Unknown`s that a person reads. */
export function withUnknowns(value: Json): Json {
  if (Array.isArray(value)) return value.map(withUnknowns);
  if (!isObject(value)) return value;
  if (typeof value.$expr === "string") return unknown(value.$expr);
  return Object.fromEntries(
    Object.entries(value).map(([name, element]) => [name, element === undefined ? element : withUnknowns(element)]),
  );
}

/** Outputs are evaluated after an apply; their types and references are checked now. */
function checkOutputs({ project, texts }: Prepared, root: Expander): void {
  for (const { name, value } of project.outputs) {
    root.reader.read(value, ANY, projectReading(`output ${name}`, value, root, []));
    for (const scalar of scalarsOf(value)) texts.read(scalar, root.frame.names.scope);
  }
}

const nextStepsSchema = z.strictObject({ nextSteps: z.array(z.union([z.string(), z.strictObject({ text: z.string() })])) });

/** What is to be done after an apply: texts whose expressions are evaluated then, with those left out that a condition says no to. */
function readNextSteps({ project }: Prepared, root: Expander): readonly Json[] {
  const node = project.nextSteps;
  if (!node) return [];
  const label = `Project/${project.name}`;
  const shape = objectShape(nextStepsSchema).fields.nextSteps ?? ANY;
  const steps = root.reader.read(node, shape, projectReading(label, node, root, []), "nextSteps");
  const entries = new Map([["nextSteps", { key: node.place, value: node }]]);
  const subject = { node: { type: "map", entries, place: node.place } as const, label, problems: root.problems };
  checkValue(nextStepsSchema, { nextSteps: steps }, subject);
  return Array.isArray(steps) ? steps : [];
}
