/** What a document says beside its spec: lifecycle, dependsOn, readyWhen; and what an instance's says for the resources inside. */

import { z } from "zod";
import { field } from "../core/field.ts";
import type { Dependency, Expression, Lifecycle } from "../core/resource.ts";
import { splitKey } from "../core/resource.ts";
import { objectShape } from "../core/shape.ts";
import { nearest, suggestion } from "../core/suggest.ts";
import type { AnyKind } from "../kind/kind.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import { checkValue } from "./check-value.ts";
import { driftPolicy, driftSchema, instanceDriftSchema, unknownPath } from "./drift.ts";
import type { Frame } from "./frame.ts";
import type { LazyInstance } from "./instances.ts";
import { managedKeys } from "./links.ts";
import { renamedFrom } from "./moves.ts";
import { member, type Node, placeOfPath } from "./node.ts";
import { asObject, staticOnly } from "./value-reader.ts";

const common = {
  deletion: field(z.enum(["delete", "force", "retain", "protect"]).optional(), {
    doc: "`delete` it, `force` it with all it holds, `retain` the object and forget it, or `protect` it: refuse deletion and replacement.",
  }),
  replace: field(z.enum(["createFirst", "deleteFirst", "never"]).optional(), {
    doc: "Whether a successor is created before or after the old object is deleted, or never.",
  }),
};

const lifecycleSchema = z.strictObject({
  ...common,
  drift: field(driftSchema.optional(), {
    doc: "What is done about drift: a mode, or also how often it is looked for, and what is known and left alone for a time.",
  }),
  ignoreFields: field(z.array(z.string()).optional(), { doc: "Top-level spec fields whose differences are left alone." }),
  adopt: field(z.union([z.boolean(), z.string().min(1)]).optional(), {
    doc: "`true`: take over an existing object of this name; a text: the object with this id.",
  }),
  manage: field(z.boolean().optional(), { doc: "`false`: the object is read, by id, name or tags, and never written." }),
});

// What can be said of resources of several kinds at once.
const instanceLifecycleSchema = z.strictObject({
  ...common,
  drift: field(instanceDriftSchema.optional(), { doc: "What is done about drift: a mode, or also how often it is looked for." }),
  adopt: field(z.boolean().optional(), { doc: "Whether existing objects of the resources' names are taken over." }),
});

/** What a document's `lifecycle` may say, of a resource and of a blueprint's instance. */
export const LIFECYCLE = Object.freeze({ resource: objectShape(lifecycleSchema), instance: objectShape(instanceLifecycleSchema) });

/** What an instance's document says for all resources inside. */
export type Surroundings = {
  readonly instance: BlueprintInstance;
  readonly lifecycle: Partial<Lifecycle>;
  readonly dependsOn: readonly Dependency[];
  /** The name the instance had. */
  readonly formerName: string | undefined;
};

/** Reads it. */
export function surroundingsOf(instance: BlueprintInstance): Surroundings {
  const former = renamedFrom(instance);
  return {
    instance,
    lifecycle: readLifecycle(instance, instanceLifecycleSchema) ?? {},
    dependsOn: dependsOn(instance),
    formerName: former && splitKey(former).name,
  };
}

/**
 * The defaults, then those of the instances around, then the kind's, then the document's. Of drift the instances know more than
 * the kind does. `defaults`: with what the environment says.
 */
export function lifecycleOf(instance: LazyInstance, kind: AnyKind, around: readonly Surroundings[], defaults: Lifecycle): Lifecycle {
  const inherited = around.toReversed().map((surroundings) => surroundings.lifecycle);
  const drift = inherited.map(({ drift: mode, driftIntervalMs }) => ({
    ...(mode === undefined ? {} : { drift: mode }),
    ...(driftIntervalMs === undefined ? {} : { driftIntervalMs }),
  }));
  const own = readLifecycle(instance, lifecycleSchema);
  const lifecycle = Object.assign({}, defaults, ...inherited, kind.lifecycle, ...drift, own) as Lifecycle;
  const node = member(instance.declaration.document, "lifecycle");
  if (node) checkLifecycle(lifecycle, node, instance, kind);
  return lifecycle;
}

function readLifecycle(documented: LazyInstance | BlueprintInstance, schema: z.ZodObject): Partial<Lifecycle> | undefined {
  const node = member(documented.declaration.document, "lifecycle");
  if (!node) return undefined;
  const { reader, problems } = documented.expander;
  const label = `the lifecycle of ${documented.declaration.label}`;
  const reading = { ...documented.reading(), label, stay: staticOnly(problems, "`lifecycle`") };
  const value = asObject(reader.read(node, objectShape(schema), reading));
  checkValue(schema, value, { node, label, problems });
  const { drift, ...others } = value;
  return { ...(others as Partial<Lifecycle>), ...driftPolicy(drift) };
}

function checkLifecycle(lifecycle: Lifecycle, node: Node, { declaration, expander: { problems } }: LazyInstance, kind: AnyKind): void {
  const nameIsInterface = kind.identity.by === "name" && kind.identity.nameIsInterface;
  if (lifecycle.replace === "createFirst" && nameIsInterface) {
    const message = `${declaration.label} cannot be replaced with createFirst: others know it by its name, so there is no second one beside it`;
    problems.add(member(node, "replace")?.place ?? node.place, message, "use deleteFirst or never");
  }
  const known = Object.keys(kind.spec.fields);
  for (const name of Array.isArray(lifecycle.ignoreFields) ? lifecycle.ignoreFields : []) {
    const place = member(node, "ignoreFields")?.place;
    if (!known.includes(name))
      problems.add(place, `unknown field \`${name}\` in ignoreFields of ${declaration.label}`, suggestion(name, known));
  }
  for (const [index, { path }] of (lifecycle.knownDrift ?? []).entries()) {
    const wrong = unknownPath(path, kind.spec);
    const place = placeOfPath(node, ["drift", "except", index, "field"]);
    if (wrong) problems.add(place, `${wrong.message} in drift.except of ${declaration.label}`, wrong.hint);
  }
}

/** The resources of `dependsOn`; those that are excluded here do not count. */
export function dependsOn(documented: LazyInstance | BlueprintInstance): readonly Dependency[] {
  const { declaration, expander, key: own } = documented;
  const { frame, reader, problems } = expander;
  const node = member(declaration.document, "dependsOn");
  if (!node) return [];
  if (node.type !== "list") {
    problems.add(node.place, "`dependsOn` must be a list of KIND/NAME");
    return [];
  }
  const reading = { ...documented.reading(), label: `\`dependsOn\` of ${declaration.label}`, stay: staticOnly(problems, "`dependsOn`") };
  return node.items.flatMap((item) => {
    const key = reader.read(item, { type: "string", optional: true }, reading);
    if (key === undefined) return [];
    const found = typeof key === "string" ? frame.labelled(key) : undefined;
    if (!found)
      problems.add(item.place, `${declaration.label} depends on \`${String(key)}\`, which is not declared`, hintFor(String(key), frame));
    const resources = (found ?? []).filter((one) => one.key !== own).flatMap((one) => ("field" in one ? [one] : one.resources));
    return managedKeys(resources).map((on) => ({ on }));
  });
}

function hintFor(key: string, { instance, labels }: Frame): string | undefined {
  const outside = instance?.around.some(({ expander }) => expander.frame.labelled(key));
  if (outside) return `a blueprint does not see it: write it into the instance's dependsOn`;
  const near = nearest(key, labels);
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

/** The conditions of `readyWhen`, as expressions. */
export function readyWhen(instance: LazyInstance): readonly Expression[] {
  const { texts, reader, problems } = instance.expander;
  const node = member(instance.declaration.document, "readyWhen");
  if (!node) return [];
  const reading = instance.reading();
  const items = node.type === "list" ? node.items : [node];
  return items.flatMap((item) => {
    const read = item.type === "scalar" ? texts.read(item, instance.scope) : undefined;
    if (read && "wrong" in read) return [];
    if (!read || !("text" in read)) {
      problems.add(item.place, '`readyWhen` takes expressions, such as ${self.state == "available"}');
      return [];
    }
    const { expression, references, place } = read.text;
    if (expression.type.kind !== "bool" && expression.type.kind !== "dyn")
      problems.add(place, "`readyWhen` takes conditions that are true or false");
    reading.refer(references, "readyWhen");
    reader.readFiles(read.text, reading);
    return [{ $expr: expression.text }];
  });
}
