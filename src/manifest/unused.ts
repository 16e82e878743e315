/** Blueprints that nothing uses, and parameters of theirs that nothing reads: not wrong, but seldom meant. */

import type { Blueprint } from "./blueprints.ts";
import type { Prepared } from "./compile.ts";
import { isUse } from "./declarations.ts";
import type { Names } from "./names.ts";
import { type Node, placeText } from "./node.ts";
import { expressionsIn, scalarsOf } from "./node-values.ts";

/** One sentence for each. */
export function unusedIn(prepared: Prepared): readonly string[] {
  const { blueprints, declarations } = prepared.documents;
  const modules = [declarations, ...[...blueprints.values()].map((blueprint) => blueprint.declarations)];
  const used = new Set(
    modules
      .flat()
      .filter(isUse)
      .map(({ kind }) => kind),
  );
  return [...blueprints.values()].flatMap((blueprint) => {
    const { label, name, place } = blueprint;
    const notices = used.has(blueprint) ? [] : [`${label} is not used: no document is a ${name} (${placeText(place)})`];
    return [...notices, ...unreadParameters(blueprint, prepared)];
  });
}

function unreadParameters(
  { name, label, parameters, declarations, monitors, outputs }: Blueprint,
  { language }: Prepared,
): readonly string[] {
  const names = language.inside.get(name) as Names;
  const nodes: readonly Node[] = [...[...declarations, ...monitors].map(({ document }) => document), ...outputs.map(({ value }) => value)];
  const references = nodes
    .flatMap(scalarsOf)
    .flatMap(expressionsIn)
    .flatMap((text) => language.parse(text, names) ?? []);
  const read = references.filter(({ root }) => root === "params").map((reference) => reference.name);
  // A computed index may read any of them.
  if (read.includes(undefined)) return [];
  return parameters
    .filter((parameter) => !read.includes(parameter.name))
    .map((parameter) => `the parameter \`${parameter.name}\` of ${label} is not used (${placeText(parameter.place)})`);
}
