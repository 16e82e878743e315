/** What a resource's document says beside its spec: lifecycle, dependsOn, readyWhen, renamedFrom. */

import { z } from "zod";
import type { Dependency, Expression, Lifecycle, ResourceKey } from "../core/resource.ts";
import { LIFECYCLE_DEFAULTS } from "../core/resource.ts";
import { objectShape } from "../core/shape.ts";
import { nearest, suggestion } from "../core/suggest.ts";
import type { AnyKind } from "../kind/kind.ts";
import { checkValue } from "./check-value.ts";
import type { Expander } from "./expand.ts";
import type { LazyInstance } from "./instances.ts";
import { member, type Node } from "./node.ts";
import { asObject, staticOnly } from "./value-reader.ts";

const lifecycleSchema = z.strictObject({
  deletion: z.enum(["delete", "force", "retain", "protect"]).optional(),
  replace: z.enum(["createFirst", "deleteFirst", "never"]).optional(),
  drift: z.enum(["correct", "report", "ignore"]).optional(),
  ignoreFields: z.array(z.string()).optional(),
  adopt: z.union([z.boolean(), z.string().min(1)]).optional(),
  manage: z.boolean().optional(),
});

/** The defaults, then the kind's, then the document's. */
export function lifecycleOf(instance: LazyInstance, kind: AnyKind, { reader, problems }: Expander): Lifecycle {
  const base = { ...LIFECYCLE_DEFAULTS, ...kind.lifecycle };
  const node = member(instance.declaration.document, "lifecycle");
  if (!node) return base;
  const label = `the lifecycle of ${instance.declaration.label}`;
  const reading = { ...instance.reading(), label, stay: staticOnly(problems, "`lifecycle`") };
  const value = asObject(reader.read(node, objectShape(lifecycleSchema), reading));
  checkValue(lifecycleSchema, value, { node, label, problems });
  const lifecycle = { ...base, ...value } as Lifecycle;
  checkLifecycle(lifecycle, node, instance, kind, { problems });
  return lifecycle;
}

function checkLifecycle(
  lifecycle: Lifecycle,
  node: Node,
  { declaration }: LazyInstance,
  kind: AnyKind,
  { problems }: Pick<Expander, "problems">,
): void {
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
}

/** The resources of `dependsOn`; those that are excluded here do not count. */
export function dependsOn(
  instance: LazyInstance,
  { world, reader, problems }: Expander,
  labels: ReadonlyMap<string, string>,
): readonly Dependency[] {
  const node = member(instance.declaration.document, "dependsOn");
  if (!node) return [];
  if (node.type !== "list") {
    problems.add(node.place, "`dependsOn` must be a list of KIND/NAME");
    return [];
  }
  const reading = {
    ...instance.reading(),
    label: `\`dependsOn\` of ${instance.declaration.label}`,
    stay: staticOnly(problems, "`dependsOn`"),
  };
  return node.items.flatMap((item) => {
    const key = reader.read(item, { type: "string", optional: true }, reading);
    if (key === undefined) return [];
    const found = typeof key === "string" ? targets(key, world, labels) : undefined;
    const near = nearest(String(key), labels.keys());
    if (!found)
      problems.add(
        item.place,
        `${instance.declaration.label} depends on \`${String(key)}\`, which is not declared`,
        near === undefined ? undefined : `did you mean \`${near}\`?`,
      );
    return (found ?? []).filter((on) => on !== instance.key).map((on) => ({ on }));
  });
}

/** A resource's key, or a group's label for all its members; undefined when nothing is called so. */
function targets(key: string, world: Expander["world"], labels: ReadonlyMap<string, string>): readonly ResourceKey[] | undefined {
  const instance = world.instance(key as ResourceKey);
  if (instance) return instance.declaration.kind.lookup ? [] : [instance.key];
  const root = labels.get(key);
  const entry = root === undefined ? undefined : world.entry(root, key.slice(key.indexOf("/") + 1));
  if (!entry) return undefined;
  return entry.type === "group" ? [...entry.members.values()].map((member) => member.key) : [];
}

/** The conditions of `readyWhen`, as expressions. */
export function readyWhen(instance: LazyInstance, { texts, problems }: Expander): readonly Expression[] {
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
    reading.refer(references);
    return [{ $expr: expression.text }];
  });
}

/** The key it had before. A group's members are renamed one by one. */
export function renamedFrom(instance: LazyInstance, { world, problems }: Expander): ResourceKey | undefined {
  const node = member(member(instance.declaration.document, "metadata"), "renamedFrom");
  if (node?.type !== "scalar" || typeof node.value !== "string") return undefined;
  const suffix = instance.each ? `-${String(instance.each.key)}` : "";
  const key = `${node.value}${suffix}` as ResourceKey;
  if (world.instance(key))
    problems.add(node.place, `${instance.key} was renamed from ${key}, which is still declared`, "remove the old document");
  return key;
}
