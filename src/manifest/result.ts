/** The CompiledStack: what was worked out, and the closures that evaluate the rest against a view. */

import type { CompiledMonitor, CompiledStack, LookupRequest, View } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { digest, isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { unknown } from "../core/unknown.ts";
import { UnknownAccess } from "./accessor.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import type { EnvironmentValues, Prepared } from "./compile.ts";
import type { Frame } from "./frame.ts";
import type { ExpressionScope } from "./names.ts";
import { type Node, plainJson } from "./node.ts";
import { shownText } from "./shown.ts";
import { fromCel, withoutExpressions } from "./values.ts";
import type { World } from "./world.ts";

/** What a compilation worked out. */
export type Parts = {
  readonly prepared: Prepared;
  readonly values: EnvironmentValues;
  readonly world: World;
  readonly resources: readonly Resource[];
  readonly lookups: readonly LookupRequest[];
  readonly instances: readonly BlueprintInstance[];
  readonly monitors: readonly CompiledMonitor[];
  /** Texts, and maps with a text; expressions left in place. */
  readonly nextSteps: readonly Json[];
};

// `render` and `eval` look behind a CompiledStack; the engine has no business there.
const internals = new WeakMap<CompiledStack, Parts>();

/** What a stack was made from. Throws for a stack that this module did not make. */
export function partsOf(stack: CompiledStack): Parts {
  const parts = internals.get(stack);
  if (!parts) throw new Error("this stack was not compiled here");
  return parts;
}

/** Assembles the stack. */
export function finish(parts: Parts): CompiledStack {
  const { prepared, values, world, resources, lookups, monitors } = parts;
  const { project, sources } = prepared;
  const stack: CompiledStack = Object.freeze({
    stack: { project: project.name, environment: values.settings.name },
    source: project.id ?? sources.origin ?? `project ${project.name}`,
    environment: values.settings,
    resources,
    lookups,
    monitors,
    digest: digestOf(parts),
    resolve: (resource: Resource, view: View) => withoutExpressions(resource.spec, evaluatorOf(resource, world, view)) as JsonObject,
    readyWhen: (resource: Resource, view: View) => readiness(resource, evaluatorOf(resource, world, view)),
    outputs: (view: View) => outputsOf(parts, view),
    summary: summaryOf(project.outputs),
    nextSteps: (view: View) => nextStepsOf(parts, view),
    liveOutputs: new Set(project.outputs.filter(({ live }) => live).map(({ name }) => name)),
  });
  internals.set(stack, parts);
  return stack;
}

/** Everything that decides what the stack wants. Places do not: moving a document changes nothing. */
function digestOf({ prepared, values, world, resources, lookups, instances, monitors }: Parts): string {
  const { project, documents } = prepared;
  return digest({
    stack: [project.name, values.settings.name],
    settings: values.settings as unknown as Json,
    params: values.params,
    locals: project.locals ? plainJson(project.locals) : null,
    resources: resources.map(({ declaredAt: _place, within: _within, ...resource }) => resource as unknown as Json),
    lookups: lookups.map(({ declaredAt: _place, ...lookup }) => lookup as unknown as Json),
    monitors: monitors.map(({ key, spec }) => [key, spec]),
    outputs: project.outputs.map(({ name, value }) => [name, plainJson(value)]),
    // What an expression inside an instance means is said by the instance's parameters, and outside by the blueprint's outputs.
    instances: instances.map((instance) => [instance.key, instance.spec()]),
    blueprints: [...documents.blueprints.values()].map(({ name, outputs }) => [
      name,
      outputs.map((output) => [output.name, plainJson(output.value)]),
    ]),
    files: [...world.files.texts.values()],
  });
}

/** Evaluates an expression's text: a value, `undefined` for nothing, or the text as an Unknown. */
type Evaluator = (text: string) => Json | undefined;

function evaluatorOf(resource: Resource, world: World, view: View): Evaluator {
  const instance = world.instance(resource.key);
  if (!instance) throw new Error(`${resource.key} is not of this stack`);
  const { frame, scope } = instance;
  const context = frame.contextOf(instance, view);
  return (text) => evaluate(text, { frame, scope, context, where: resource.key });
}

/** Where an expression is evaluated; `where` is for errors. */
export type Site = { readonly frame: Frame; readonly scope: ExpressionScope; readonly context: object; readonly where: string };

/** The value of an expression's text. Throws ExpressionInvalid, naming `where`. */
export function evaluate(text: string, { frame, scope, context, where }: Site): Json | undefined {
  const { expression, fault } = frame.world.language.check(text, scope);
  if (!expression) throw new BeaconError("ExpressionInvalid", fault.message, { where });
  try {
    return fromCel(expression.evaluate(context)) ?? undefined;
  } catch (error) {
    if (error instanceof UnknownAccess) return unknown(shownText(expression, frame));
    const { summary, message } = error as { summary?: string; message: string };
    throw new BeaconError("ExpressionInvalid", `\${${text}} cannot be evaluated: ${summary ?? message}`, { where, cause: error });
  }
}

function readiness(resource: Resource, evaluator: Evaluator): ReturnType<CompiledStack["readyWhen"]> {
  for (const { $expr } of resource.readyWhen) {
    const value = evaluator($expr);
    if (value !== true) return { met: false, why: `${$expr} ${isObject(value) ? "is not known yet" : "does not hold"}` };
  }
  return { met: true };
}

function outputsOf({ prepared, world }: Parts, view: View): JsonObject {
  const { root: frame } = world;
  const { scope } = frame.names;
  return Object.fromEntries(
    prepared.project.outputs.map(({ name, value }) => {
      const context = frame.context(value.place.source.directory, view);
      return [name, outputValue(value, prepared, (text) => evaluate(text, { frame, scope, context, where: `output ${name}` }))];
    }),
  );
}

/** In an output, what is not there is null. */
function outputValue(node: Node, prepared: Prepared, evaluator: Evaluator): Json {
  if (node.type === "list") return node.items.map((item) => outputValue(item, prepared, evaluator));
  if (node.type === "map") {
    return Object.fromEntries([...node.entries].map(([name, { value }]) => [name, outputValue(value, prepared, evaluator)]));
  }
  const read = prepared.texts.read(node, prepared.language.names.scope);
  if ("text" in read) return evaluator(read.text.expression.text) ?? null;
  return "value" in read ? read.value : null;
}

/** Where no output is marked for the summary, all of them are. */
function summaryOf(outputs: Prepared["project"]["outputs"]): readonly string[] {
  const marked = outputs.filter(({ summary }) => summary);
  return (marked.length > 0 ? marked : outputs).map(({ name }) => name);
}

function nextStepsOf({ prepared, world, nextSteps }: Parts, view: View): readonly string[] {
  const directory = prepared.project.nextSteps?.place.source.directory;
  if (directory === undefined) return [];
  const { root: frame } = world;
  const site = { frame, scope: frame.names.scope, context: frame.context(directory, view), where: "nextSteps" };
  const steps = withoutExpressions(nextSteps, (text) => evaluateOrUnknown(text, site)) as Json[];
  return steps.map((step) => (isObject(step) ? step.text : step)).filter((step) => typeof step === "string");
}

// What was applied is told whatever becomes of the advice.
function evaluateOrUnknown(text: string, site: Site): Json | undefined {
  try {
    return evaluate(text, site);
  } catch (error) {
    if (error instanceof BeaconError) return unknown(text);
    throw error;
  }
}
