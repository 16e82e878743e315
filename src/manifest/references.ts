/** What an expression refers to, read from its syntax tree: dependencies come from here, never from an evaluation. */

import { type Ast, type Condition, chainOf, type Step, walk } from "./ast.ts";
import type { DeclaredNames } from "./names.ts";

/** A member of a group: named, or by an index that has a value in the context of each resource (`each.key`). */
export type Member = { readonly name: string } | { readonly index: string };

/** One reference. Offsets are those of the whole chain in the expression's text. */
export type Reference = {
  readonly root: string;
  /** The resource's, local's or attribute's name: what follows the root. Absent where an index is computed. */
  readonly name?: string;
  /** Written with `.?`: an excluded resource is meant to be possible. */
  readonly guarded: boolean;
  /** Of a group: the member; absent where the whole group is meant. */
  readonly member?: Member;
  /** The attribute of the resource (the member of the parameter), where one is named directly. */
  readonly attribute?: string;
  /** The expression is this reference and nothing else. */
  readonly whole: boolean;
  /** It counts only where these hold. */
  readonly conditions: readonly Condition[];
  readonly start: number;
  readonly end: number;
};

/** Every reference of an expression to a root name, in the order of the text. Names bound by macros are none. */
export function referencesOf(text: string, ast: Ast, names: DeclaredNames): readonly Reference[] {
  const found: Reference[] = [];
  walk(text, ast, (node, { bound, conditions }) => {
    const chain = chainOf(node);
    if (!chain) return true;
    if (!bound.has(chain.root)) {
      found.push({ ...readChain(text, chain.root, chain.steps, names), whole: node === ast, conditions, start: node.start, end: node.end });
    }
    // Inside a chain only the computed indexes are left to look at.
    for (const step of chain.steps) if (step.index) found.push(...referencesOf(text, step.index, names));
    return false;
  });
  return found;
}

type Chain = Pick<Reference, "root" | "name" | "guarded" | "member" | "attribute">;

function readChain(text: string, root: string, [first, second, third]: readonly Step[], names: DeclaredNames): Chain {
  const chain = { root, guarded: first?.optional ?? false, ...(first?.name === undefined ? {} : { name: first.name }) };
  if (first?.name === undefined) return chain;
  const group = names.get(root)?.get(first.name) === "group";
  const attribute = group ? third?.name : second?.name;
  const member = group && second ? memberOf(text, second) : undefined;
  return { ...chain, ...(member ? { member } : {}), ...(attribute === undefined ? {} : { attribute }) };
}

function memberOf(text: string, step: Step): Member {
  if (step.name !== undefined) return { name: step.name };
  const index = step.index as Ast;
  return { index: text.slice(index.start, index.end) };
}
