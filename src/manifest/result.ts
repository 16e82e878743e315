/** The CompiledStack: what was worked out, and the closures that evaluate the rest against a view. */

import type { CompiledMonitor, CompiledStack, LookupRequest, View } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { digest, isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Resource } from "../core/resource.ts";
import { unknown } from "../core/unknown.ts";
import type { EnvironmentValues, Prepared } from "./compile.ts";
import type { ExpressionScope } from "./language.ts";
import { PROJECT_SCOPE } from "./locals.ts";
import { type Node, plainJson } from "./node.ts";
import { fromCel, UnknownAccess } from "./types.ts";
import type { World } from "./world.ts";

/** What a compilation worked out. */
export type Parts = {
  readonly prepared: Prepared;
  readonly values: EnvironmentValues;
  readonly world: World;
  readonly resources: readonly Resource[];
  readonly lookups: readonly LookupRequest[];
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
    resolve: (resource: Resource, view: View) => resolved(resource.spec, evaluatorOf(resource, world, view)) as JsonObject,
    readyWhen: (resource: Resource, view: View) => readiness(resource, evaluatorOf(resource, world, view)),
    outputs: (view: View) => outputsOf(parts, view),
    summary: summaryOf(project.outputs),
    nextSteps: (view: View) => nextStepsOf(parts, view),
  });
  internals.set(stack, parts);
  return stack;
}

/** Everything that decides what the stack wants. Places do not: moving a document changes nothing. */
function digestOf({ prepared, values, world, resources, lookups, monitors }: Parts): string {
  const { project } = prepared;
  return digest({
    stack: [project.name, values.settings.name],
    settings: values.settings as unknown as Json,
    params: values.params,
    locals: project.locals ? plainJson(project.locals) : null,
    resources: resources.map(({ declaredAt: _place, ...resource }) => resource as unknown as Json),
    lookups: lookups.map(({ declaredAt: _place, ...lookup }) => lookup as unknown as Json),
    monitors: monitors.map(({ key, spec }) => [key, spec]),
    outputs: project.outputs.map(({ name, value }) => [name, plainJson(value)]),
    files: [...world.files.values()],
  });
}

/** Evaluates an expression's text: a value, `undefined` for nothing, or the text as an Unknown. */
export type Evaluator = (text: string) => Json | undefined;

function evaluatorOf(resource: Resource, world: World, view: View): Evaluator {
  const instance = world.instance(resource.key);
  if (!instance) throw new Error(`${resource.key} is not of this stack`);
  const context = world.contextOf(instance, view);
  return (text) => evaluate(text, instance.scope, context, world, resource.key);
}

/** The value of an expression's text in a context. Throws ExpressionInvalid, naming `where`. */
export function evaluate(text: string, scope: ExpressionScope, context: object, world: World, where: string): Json | undefined {
  const { expression, fault } = world.language.check(text, scope);
  if (!expression) throw new BeaconError("ExpressionInvalid", fault.message, { where });
  try {
    return fromCel(expression.evaluate(context)) ?? undefined;
  } catch (error) {
    if (error instanceof UnknownAccess) return unknown(text);
    const { summary, message } = error as { summary?: string; message: string };
    throw new BeaconError("ExpressionInvalid", `\${${text}} cannot be evaluated: ${summary ?? message}`, { where, cause: error });
  }
}

/** The value with its expressions evaluated; undefined where there is none. */
export function resolved(value: Json, evaluator: Evaluator): Json | undefined {
  if (Array.isArray(value)) return value.map((element) => resolved(element, evaluator)).filter((element) => element !== undefined);
  if (!isObject(value)) return value;
  if (typeof value.$expr === "string") return evaluator(value.$expr);
  const members = Object.entries(value).map(([name, element]) => [name, element === undefined ? element : resolved(element, evaluator)]);
  return Object.fromEntries(members.filter(([, element]) => element !== undefined));
}

function readiness(resource: Resource, evaluator: Evaluator): ReturnType<CompiledStack["readyWhen"]> {
  for (const { $expr } of resource.readyWhen) {
    const value = evaluator($expr);
    if (value !== true) return { met: false, why: `${$expr} ${isObject(value) ? "is not known yet" : "does not hold"}` };
  }
  return { met: true };
}

function outputsOf({ prepared, world }: Parts, view: View): JsonObject {
  return Object.fromEntries(
    prepared.project.outputs.map(({ name, value }) => {
      const context = world.context(value.place.source.directory, view);
      return [name, outputValue(value, prepared, (text) => evaluate(text, PROJECT_SCOPE, context, world, `output ${name}`))];
    }),
  );
}

/** In an output, what is not there is null. */
function outputValue(node: Node, prepared: Prepared, evaluator: Evaluator): Json {
  if (node.type === "list") return node.items.map((item) => outputValue(item, prepared, evaluator));
  if (node.type === "map") {
    return Object.fromEntries([...node.entries].map(([name, { value }]) => [name, outputValue(value, prepared, evaluator)]));
  }
  const read = prepared.texts.read(node, PROJECT_SCOPE);
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
  const context = world.context(directory, view);
  const steps = resolved(nextSteps, (text) => evaluateOrUnknown(text, context, world)) as Json[];
  return steps.map((step) => (isObject(step) ? step.text : step)).filter((step) => typeof step === "string");
}

// What was applied is told whatever becomes of the advice.
function evaluateOrUnknown(text: string, context: object, world: World): Json | undefined {
  try {
    return evaluate(text, PROJECT_SCOPE, context, world, "nextSteps");
  } catch (error) {
    if (error instanceof BeaconError) return unknown(text);
    throw error;
  }
}
