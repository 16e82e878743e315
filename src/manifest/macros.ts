/** The macro interface of cel-js: the checker and the evaluator hand themselves in. */

import type { Ast, DeclaredType } from "./ast.ts";

/** What an expression is checked or evaluated in. */
export type Context = { getValue(name: string): unknown; forkWithVariable(name: string, type: DeclaredType): LoopContext };
/** Likewise, with the variable of a loop. */
export type LoopContext = Context & {
  reuse(parent: Context): LoopContext;
  setIterValue(value: unknown, evaluator: Evaluator): LoopContext;
};
/** Says the type of a part, or throws. */
export type Checker = {
  check(node: Ast, context: Context): DeclaredType;
  createError(code: string, message: string, node: Ast): Error;
  getType(name: string): DeclaredType;
  registry: { getMapType(key: DeclaredType, value: DeclaredType): DeclaredType };
};
/** Says the value of a part, or throws. */
export type Evaluator = { run(node: Ast, context: Context): unknown };
/** The call as it is written. */
export type MacroInput = { readonly ast: Ast; readonly args: readonly Ast[]; readonly receiver?: Ast };

/** The entries of a map value, a map literal, or the optional of one. */
export function entries(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...value];
  const optional = value as { hasValue?(): boolean; value?(): unknown };
  if (typeof optional.hasValue === "function") return optional.hasValue() ? entries(optional.value?.()) : [];
  return Object.entries(value as object);
}
