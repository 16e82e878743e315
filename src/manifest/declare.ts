/**
 * From documents to the resources of one environment: every name is told to its frame, and the instances of blueprints are
 * opened. Nothing is evaluated but what decides what there is.
 */

import { BlueprintInstance } from "./blueprint-instance.ts";
import type { Blueprint } from "./blueprints.ts";
import { checkValue } from "./check-value.ts";
import { type Declaration, isUse, type ModuleDocuments, type Use } from "./declarations.ts";
import { type Expansion, expand, type Slot, scopeOf } from "./expand.ts";
import type { Expander } from "./expander.ts";
import { type DefaultTags, LazyInstance } from "./instances.ts";
import { member, placeText } from "./node.ts";
import { completed } from "./parameters.ts";
import { ANY, asObject } from "./value-reader.ts";

/** Everything that there is, in the order of the documents. */
export type Everything = {
  readonly resources: ReadonlyMap<string, LazyInstance>;
  readonly instances: ReadonlyMap<string, BlueprintInstance>;
};

/** Declares the documents of the project; the fields of resources are read later. */
export function declareAll(documents: ModuleDocuments, root: Expander, tags: () => DefaultTags): Everything {
  const found = { resources: new Map<string, LazyInstance>(), instances: new Map<string, BlueprintInstance>() };
  declareIn(documents, root, { ...found, tags });
  return found;
}

type Found = {
  readonly resources: Map<string, LazyInstance>;
  readonly instances: Map<string, BlueprintInstance>;
  readonly tags: () => DefaultTags;
};

function declareIn(documents: ModuleDocuments, expander: Expander, found: Found): void {
  for (const declaration of documents) {
    const expansion = expand(declaration, expander);
    const scope = scopeOf(declaration, expander);
    const make = (slot: Slot) =>
      isUse(declaration)
        ? new BlueprintInstance(slot, declaration, scope, expander)
        : new LazyInstance(slot, declaration, scope, expander, found.tags);
    const made = (expansion?.slots ?? []).map((slot) => [slot.member ?? "", make(slot)] as const);
    if (made.length === 0) checkTypesOnly(declaration, expander);
    tellFrame(declaration, expansion, new Map(made), expander);
    for (const [, one] of made) if (isNew(one, found)) open(one, found);
  }
}

function tellFrame(
  declaration: Declaration | Use,
  expansion: Expansion | undefined,
  made: ReadonlyMap<string, LazyInstance | BlueprintInstance>,
  { frame }: Expander,
): void {
  const [first] = made.values();
  if (!expansion) frame.add(declaration, { type: "unread" });
  else if (expansion.excluded !== undefined) frame.add(declaration, { type: "excluded", condition: expansion.excluded });
  else if (expansion.group) frame.add(declaration, { type: "group", members: made });
  else if (first) frame.add(declaration, { type: "one", instance: first });
}

/** Of two things with one key the first stays. */
function isNew(one: LazyInstance | BlueprintInstance, found: Found): boolean {
  const first = found.resources.get(one.key) ?? found.instances.get(one.key);
  if (!first) return true;
  const { instance } = first.expander.frame;
  const hint = `the first is ${instance ? `in ${instance.key} ` : ""}at ${placeText(first.declaration.place)}`;
  one.expander.problems.add(one.declaration.place, `${one.key} is declared twice`, hint);
  return false;
}

function open(one: LazyInstance | BlueprintInstance, found: Found): void {
  if (one instanceof BlueprintInstance) {
    found.instances.set(one.key, one);
    declareIn(one.declaration.kind.declarations, one.inner, found);
    return;
  }
  found.resources.set(one.key, one);
  one.frame.world.add(one);
  for (const around of one.frame.instance?.around ?? []) around.resources.push(one);
}

/** What does not exist in this environment is still checked for fields and types. */
function checkTypesOnly(declaration: Declaration | Use, expander: Expander): void {
  const { spec, kind, label, place } = declaration;
  if (spec?.type !== "map") return;
  const { reader, problems } = expander;
  const reading = { label, scope: scopeOf(declaration, expander), context: undefined, refer: () => [] };
  const value = asObject(reader.read(spec, kind.spec, reading));
  if (!isUse(declaration)) {
    checkValue(declaration.kind.specSchema, value, { node: spec, label, problems, home: place, partial: declaration.readOnly });
    return;
  }
  const { parameters, specSchema } = declaration.kind;
  const complete = parameters.map((parameter) => [parameter.name, completed(parameter, value[parameter.name])]);
  checkValue(specSchema, { ...value, ...Object.fromEntries(complete) }, { node: spec, label, problems, home: place, what: "parameter" });
}

/** A blueprint that has no instance here is checked for fields and types all the same. `expander`: of a frame inside it. */
export function checkUnused({ declarations }: Blueprint, expander: Expander): void {
  const { frame, reader } = expander;
  for (const declaration of declarations) {
    checkTypesOnly(declaration, expander);
    const reading = { label: declaration.label, scope: frame.names.scope, context: undefined, refer: () => [] };
    for (const name of ["forEach", "includeWhen"]) {
      const node = member(declaration.document, name);
      if (node) reader.read(node, ANY, reading);
    }
  }
}
