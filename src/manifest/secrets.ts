/** Whether manifests say a secret. Judged by what is written, in every environment: a text is kept as a whole or not at all. */

import type { Shape } from "../core/shape.ts";
import type { Prepared } from "./compile.ts";
import type { Node, ScalarNode } from "./node.ts";
import { expressionsIn, scalarsOf } from "./node-values.ts";
import { remembered } from "./remembered.ts";

/**
 * True where a secret field of a document, at any depth, has a value that is not wholly another resource's: a literal, and also
 * an expression that reads parameters, locals or files, because those are texts that would be kept.
 */
export function tellsSecret({ documents, language }: Prepared): boolean {
  const { declarations, blueprints } = documents;
  const modules = [declarations, ...[...blueprints.values()].map((blueprint) => blueprint.declarations)];
  const isRemote = (root: string) => language.kinds.has(root);
  return modules.flat().some(({ kind, spec }) => spec !== undefined && tells(spec, kind.spec, isRemote));
}

/** Whether values under a root name of expressions come from AWS alone. */
type IsRemote = (root: string) => boolean;

function tells(node: Node, shape: Shape, isRemote: IsRemote): boolean {
  if (shape.meta?.secret) return scalarsOf(node).some((scalar) => !isHarmless(scalar, isRemote));
  if (!holdsSecret(shape)) return false;
  switch (node.type) {
    case "scalar":
      // An expression may stand for an object with a secret in it.
      return expressionsIn(node).length > 0 && !isHarmless(node, isRemote);
    case "list":
      return node.items.some((item) => inside(shape).some((element) => tells(item, element, isRemote)));
    case "map":
      return [...node.entries].some(([name, { value }]) => inside(shape, name).some((element) => tells(value, element, isRemote)));
  }
}

/** Nothing, or an attribute of a resource: `${listener.main.listenerArn}`. */
function isHarmless({ value }: ScalarNode, isRemote: IsRemote): boolean {
  const [, root] = /^\s*\$\{\s*([A-Za-z_]\w*)(?:\.\??\w+|\[\??(?:"[^"]*"|'[^']*'|\d+)\])+\s*\}\s*$/.exec(String(value)) ?? [];
  return value === null || (root !== undefined && isRemote(root));
}

const known = new WeakMap<Shape, { readonly secret: boolean }>();

function holdsSecret(shape: Shape): boolean {
  return remembered(known, shape, () => ({ secret: shape.meta?.secret === true || inside(shape).some(holdsSecret) })).secret;
}

/** The shapes of what is directly below, of the member of this name where one is given. */
function inside(shape: Shape, name?: string): readonly Shape[] {
  switch (shape.type) {
    case "object":
      return Object.entries(shape.fields).flatMap(([field, element]) => ((name ?? field) === field ? [element] : []));
    case "array":
    case "map":
      return [shape.element];
    case "union":
      return shape.options.flatMap((option) => inside(option, name));
    default:
      return [];
  }
}
