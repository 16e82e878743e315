/** One environment of a manifest set: its resources, worked out and checked, as a CompiledStack. */

import { z } from "zod";
import type { CompiledStack, LookupRequest } from "../core/compiled.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Resource, ResourceKey } from "../core/resource.ts";
import { objectShape } from "../core/shape.ts";
import { unknown } from "../core/unknown.ts";
import type { AnyKind, CheckFinding, StaticResource } from "../kind/kind.ts";
import { checkValue, holdsExpression, spanOfPath } from "./check-value.ts";
import type { EnvironmentValues, Prepared } from "./compile.ts";
import { checkCycles } from "./cycles.ts";
import type { Declaration } from "./declarations.ts";
import { type Expander, expand, scopeOf } from "./expand.ts";
import { DIRECTORY } from "./functions.ts";
import { type DefaultTags, LazyInstance } from "./instances.ts";
import { dependsOn, lifecycleOf, readyWhen, renamedFrom } from "./lifecycle.ts";
import { Links, managedKeys } from "./links.ts";
import { localValue, PROJECT_SCOPE } from "./locals.ts";
import { compileMonitors } from "./monitors.ts";
import { member, type Node, placeOfPath, placeText } from "./node.ts";
import type { Problems } from "./problems.ts";
import { remembered } from "./remembered.ts";
import { finish } from "./result.ts";
import { checkStack, checkTags } from "./tags.ts";
import { ANY, asObject, type Reading, scalarsOf, ValueReader } from "./value-reader.ts";
import { World } from "./world.ts";

/** Compiles one environment; undefined when it has problems. */
export function compileEnvironment(prepared: Prepared, values: EnvironmentValues, problems: Problems): CompiledStack | undefined {
  const expander = makeExpander(prepared, values, problems);
  const stack = { project: prepared.project.name, environment: values.settings.name };
  checkStack(stack, prepared.declarations.environments.get(stack.environment)?.place, problems);
  const tags = defaultTags(prepared, expander);
  const instances = declareAll(prepared, expander, tags);
  const labels = new Map(prepared.declarations.resources.map(({ label, kind }) => [label, kind.root]));
  const resources: Resource[] = [];
  const lookups: LookupRequest[] = [];
  for (const instance of instances.values()) {
    const spec = checkedSpec(instance, expander);
    if (instance.declaration.kind.lookup) lookups.push(lookupOf(instance, spec, expander));
    else resources.push(resourceOf(instance, spec, expander, labels));
  }
  checkCycles(resources, instances, problems);
  checkKinds(instances, expander);
  checkOutputs(prepared, expander);
  const nextSteps = readNextSteps(prepared, expander);
  const monitors = compileMonitors(prepared.declarations.monitors, expander);
  if (problems.size > 0 || prepared.problems.size > 0) return undefined;
  return finish({ prepared, values, world: expander.world, resources, lookups, monitors, nextSteps });
}

function makeExpander(prepared: Prepared, { settings, params }: EnvironmentValues, problems: Problems): Expander {
  const { language, texts, project } = prepared;
  const env = { name: settings.name, region: settings.region, accountId: settings.accountId };
  const world = new World(language, { project: { name: project.name }, env, params });
  world.setLocals((name, context) => {
    const node = member(project.locals, name);
    const here = Object.assign(Object.create(context), { [DIRECTORY]: node?.place.source.directory });
    return node && localValue(node, texts, here);
  });
  const links = new Links(world, prepared.locals, problems);
  return { world, texts, links, problems, reader: new ValueReader(world, texts, problems) };
}

/** How project-wide values are read: they see no resource's `self` or `each`. */
function projectReading(label: string, node: Node, { world, links }: Expander, on: ResourceKey[]): Reading {
  const context = world.context(node.place.source.directory);
  return {
    label,
    scope: PROJECT_SCOPE,
    context,
    refer: (references) => {
      const instances = links.resolve(references, { scope: PROJECT_SCOPE, context });
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

/** Tells the world every name, then makes the resources; their fields are read later. */
function declareAll(prepared: Prepared, expander: Expander, tags: () => DefaultTags): ReadonlyMap<string, LazyInstance> {
  const instances = new Map<string, LazyInstance>();
  for (const declaration of prepared.declarations.resources) {
    const expansion = expand(declaration, expander);
    const scope = scopeOf(declaration, expander.texts);
    const made = (expansion?.slots ?? []).map((slot) => ({ slot, instance: new LazyInstance(slot, declaration, scope, expander, tags) }));
    if (made.length === 0) checkTypesOnly(declaration, expander);
    const { root } = declaration.kind;
    if (expansion?.excluded !== undefined) expander.world.add(root, declaration.name, { type: "excluded", condition: expansion.excluded });
    else if (expansion?.group) {
      const members = new Map(made.map(({ slot, instance }) => [slot.member ?? "", instance]));
      expander.world.add(root, declaration.name, { type: "group", members });
    } else if (made[0]) expander.world.add(root, declaration.name, { type: "one", instance: made[0].instance });
    for (const { instance } of made) addInstance(instances, instance, expander.problems);
  }
  return instances;
}

function addInstance(instances: Map<string, LazyInstance>, instance: LazyInstance, problems: Problems): void {
  const first = instances.get(instance.key);
  if (!first) instances.set(instance.key, instance);
  else
    problems.add(instance.declaration.place, `${instance.key} is declared twice`, `the first is at ${placeText(first.declaration.place)}`);
}

/** What does not exist in this environment is still checked for fields and types. */
function checkTypesOnly(declaration: Declaration, { reader, problems, texts }: Expander): void {
  const { spec, kind, label } = declaration;
  if (spec?.type !== "map") return;
  const reading = { label, scope: scopeOf(declaration, texts), context: undefined, refer: () => [] };
  const value = asObject(reader.read(spec, kind.spec, reading));
  checkValue(kind.specSchema, value, { node: spec, label, problems, home: declaration.place, partial: declaration.readOnly });
}

function checkedSpec(instance: LazyInstance, { problems }: Expander): JsonObject {
  const { declaration } = instance;
  const { spec, kind, label } = declaration;
  const value = instance.spec();
  if (spec && spec.type !== "map" && !(spec.type === "scalar" && spec.value === null)) {
    problems.add(spec.place, `the spec of ${label} must be a map`);
    return value;
  }
  const node = spec?.type === "map" ? spec : ({ type: "map", entries: new Map(), place: declaration.place } as const);
  checkValue(kind.specSchema, value, { node, label, problems, home: declaration.place, partial: declaration.readOnly });
  checkTags(kind, value, { node, label, problems });
  return value;
}

function lookupOf(instance: LazyInstance, spec: JsonObject, { problems }: Expander): LookupRequest {
  const { declaration, key } = instance;
  for (const [name, value] of Object.entries(spec)) {
    if (!holdsExpression(value) || problems.size > 0) continue;
    const place = member(declaration.spec, name)?.place;
    problems.add(place, `\`${name}\` of the lookup ${key} must be known before any AWS call`, "it may use params, env, project and local");
  }
  return { key, kind: declaration.kind.id, spec, declaredAt: placeText(declaration.document.place) };
}

function resourceOf(instance: LazyInstance, spec: JsonObject, expander: Expander, labels: ReadonlyMap<string, string>): Resource {
  const { declaration, key, each } = instance;
  const { kind } = declaration;
  if (kind.lookup) throw new Error(`${key} is a lookup`);
  const lifecycle = lifecycleOf(instance, kind, expander);
  const conditions = readyWhen(instance, expander);
  const explicit = dependsOn(instance, expander, labels);
  const previous = renamedFrom(instance, expander);
  return Object.freeze({
    key,
    kind: kind.id,
    spec,
    dependencies: distinct([...instance.dependencies, ...explicit]),
    lifecycle,
    readyWhen: conditions,
    ...(each ? { each } : {}),
    ...(previous ? { renamedFrom: previous } : {}),
    declaredAt: placeText(declaration.document.place),
  });
}

function distinct(dependencies: Resource["dependencies"]): Resource["dependencies"] {
  return [...new Map(dependencies.map((dependency) => [`${dependency.on} ${dependency.field ?? ""}`, dependency])).values()];
}

/** Runs the kinds' own checks over all their resources at once. */
function checkKinds(instances: ReadonlyMap<string, LazyInstance>, expander: Expander): void {
  const seen = new Map<string, StaticResource>();
  const byKind = Map.groupBy(instances.values(), ({ declaration }) => declaration.kind);
  for (const [kind, members] of byKind) {
    if (kind.lookup || !kind.check) continue;
    const statics = members.map((instance) => staticResource(instance, instances, expander, seen));
    for (const { resource, field, message, hint } of findings(kind.check, statics, expander.problems)) {
      const instance = instances.get(resource);
      const node = instance?.declaration.spec;
      const place = node ? placeOfPath(node, field.split(".")) : instance?.declaration.place;
      expander.problems.add(place, message, hint);
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
  expander: Expander,
  seen: Map<string, StaticResource>,
): StaticResource {
  const known = seen.get(instance.key);
  if (known) return known;
  const { declaration, key } = instance;
  const resource: StaticResource = {
    key,
    spec: withUnknowns(instance.spec()) as JsonObject,
    refersTo: (field) => {
      const target = referred(instance, field, expander);
      const found = target && instances.get(target);
      return found && staticResource(found, instances, expander, seen);
    },
    spanOf: (path) => (declaration.spec ? spanOfPath(declaration.spec, path) : undefined),
  };
  seen.set(key, resource);
  return resource;
}

/** The one resource that a field's whole value refers to. */
function referred(instance: LazyInstance, field: string, { texts, links, world }: Expander): ResourceKey | undefined {
  const node = member(instance.declaration.spec, field);
  const read = node?.type === "scalar" ? texts.read(node, instance.scope) : undefined;
  if (!read || !("text" in read)) return undefined;
  const { references } = read.text;
  if (references.length === 0 || !references[0]?.reference.whole) return undefined;
  const found = links.resolve(references.slice(0, 1), { scope: instance.scope, context: world.contextOf(instance) }) ?? [];
  return found.length === 1 ? found[0]?.key : undefined;
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
function checkOutputs({ project, texts }: Prepared, expander: Expander): void {
  for (const { name, value } of project.outputs) {
    expander.reader.read(value, ANY, projectReading(`output ${name}`, value, expander, []));
    for (const scalar of scalarsOf(value)) texts.read(scalar, PROJECT_SCOPE);
  }
}

const nextStepsSchema = z.strictObject({ nextSteps: z.array(z.union([z.string(), z.strictObject({ text: z.string() })])) });

/** What is to be done after an apply: texts whose expressions are evaluated then, with those left out that a condition says no to. */
function readNextSteps({ project }: Prepared, expander: Expander): readonly Json[] {
  const node = project.nextSteps;
  if (!node) return [];
  const label = `Project/${project.name}`;
  const shape = objectShape(nextStepsSchema).fields.nextSteps ?? ANY;
  const steps = expander.reader.read(node, shape, projectReading(label, node, expander, []), "nextSteps");
  const entries = new Map([["nextSteps", { key: node.place, value: node }]]);
  checkValue(
    nextStepsSchema,
    { nextSteps: steps },
    { node: { type: "map", entries, place: node.place }, label, problems: expander.problems },
  );
  return Array.isArray(steps) ? steps : [];
}
