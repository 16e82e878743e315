/** What a person may look at: the manifests with everything expanded, and single expressions. */

import type { CompiledStack, View } from "../core/compiled.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { LIFECYCLE_DEFAULTS, type Resource, splitKey } from "../core/resource.ts";
import { isUnknown } from "../core/unknown.ts";
import { MONITOR } from "../monitor/monitor.ts";
import { UnknownAccess } from "./accessor.ts";
import { driftInWords } from "./drift.ts";
import { NOTHING } from "./frame.ts";
import { partsOf } from "./result.ts";
import { closingBrace } from "./template.ts";
import { typeText } from "./types.ts";
import { fromCel } from "./values.ts";

/** One document per resource, lookup and Monitor, then the outputs; remote values stand as `<vpc.main.vpcId>`. */
export function render(stack: CompiledStack, view: View = NOTHING): readonly JsonObject[] {
  const lookups = stack.lookups.map(({ key, kind, spec }) => document(key, kind, { spec }));
  const resources = stack.resources.map((resource) => renderResource(resource, stack.resolve(resource, view)));
  const monitors = stack.monitors.map(({ key, resolve }) =>
    document(key, `${MONITOR.apiVersion} ${MONITOR.name}`, { spec: resolve(view) }),
  );
  const outputs = { apiVersion: "beacon/v1", kind: "Outputs", metadata: { name: stack.stack.project }, spec: stack.outputs(view) };
  return [...lookups, ...resources, ...monitors, ...(Object.keys(outputs.spec).length > 0 ? [outputs] : [])].map(
    (each) => readable(each) as JsonObject,
  );
}

function renderResource(resource: Resource, spec: JsonObject): JsonObject {
  const { key, kind, lifecycle, readyWhen, renamedFrom } = resource;
  const explicit = resource.dependencies.filter(({ field }) => field === undefined).map(({ on }) => on);
  const { drift: _mode, driftIntervalMs: _interval, knownDrift: _known, ...others } = lifecycle;
  const drift = driftInWords(lifecycle);
  const unusual = Object.entries(others).filter(
    ([name, value]) => String(value) !== String(LIFECYCLE_DEFAULTS[name as keyof typeof others]),
  );
  const said = { ...Object.fromEntries(unusual), ...(drift === undefined ? {} : { drift }) } as JsonObject;
  return document(key, kind, {
    ...(renamedFrom === undefined ? {} : { renamedFrom }),
    ...(explicit.length === 0 ? {} : { dependsOn: explicit }),
    ...(readyWhen.length === 0 ? {} : { readyWhen: readyWhen.map(({ $expr }) => `\${${$expr}}`) }),
    ...(Object.keys(said).length === 0 ? {} : { lifecycle: said }),
    spec,
  });
}

function document(key: Resource["key"], kind: string, { renamedFrom, ...rest }: JsonObject): JsonObject {
  const [apiVersion, name] = kind.split(" ");
  const metadata = { name: splitKey(key).name, ...(renamedFrom === undefined ? {} : { renamedFrom }) };
  return { apiVersion, kind: name, metadata, ...rest };
}

function readable(value: Json): Json {
  if (isUnknown(value)) return `<${value.$unknown}>`;
  if (Array.isArray(value)) return value.map(readable);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, element === undefined ? element : readable(element)]));
}

/** What an expression is and gives. `remote`: AWS will choose it, and the value is only its name. */
export type Evaluated =
  | { readonly ok: true; readonly type: string; readonly value: Json; readonly remote?: true }
  | { readonly ok: false; readonly message: string };

/** Evaluates an expression, written with or without `${...}`, as an output of the project would be. */
export function evalExpression(stack: CompiledStack, text: string, view: View = NOTHING): Evaluated {
  const { world, prepared } = partsOf(stack);
  const source = bare(text);
  const { expression, fault } = world.language.check(source, world.root.names.scope);
  if (!expression) return { ok: false, message: fault.hint === undefined ? fault.message : `${fault.message}; ${fault.hint}` };
  const type = typeText(expression.type);
  const context = world.root.context(prepared.sources.sources[0]?.directory ?? process.cwd(), view);
  try {
    return { ok: true, type, value: fromCel(expression.evaluate(context)) ?? null };
  } catch (error) {
    if (error instanceof UnknownAccess) return { ok: true, type, value: `<${source}>`, remote: true };
    const { summary, message } = error as { summary?: string; message: string };
    return { ok: false, message: `\${${source}} cannot be evaluated: ${summary ?? message}` };
  }
}

function bare(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith("${") && closingBrace(trimmed, 2) === trimmed.length - 1 ? trimmed.slice(2, -1).trim() : trimmed;
}
