/**
 * Names: what the expressions of one module may speak of. A module is the project's own documents, or the inside of a
 * blueprint; each sees its own resources and parameters, and nothing of another's.
 */

import type { ObjectType, Type } from "./types.ts";

/** How a name of a kind is declared: one resource, or a group made by `forEach`. */
export type Declared = "one" | "group";

/** The declared names of a module, by the kind's root. */
export type DeclaredNames = ReadonlyMap<string, ReadonlyMap<string, Declared>>;

/** What one expression sees. */
export type ExpressionScope = {
  readonly names: Names;
  /** What `self` is: the document's own resource; inside a blueprint always the instance. */
  readonly self?: ObjectType;
  /** The type of `each.value`. */
  readonly each?: Type;
  /** The variables of `$for`. */
  readonly loops?: ReadonlyMap<string, Type>;
};

/** See the file's header. */
export class Names {
  /** The kind of the blueprint whose inside this is; undefined for the project's own documents. */
  readonly blueprint: string | undefined;
  readonly declared: DeclaredNames;
  readonly params: ObjectType;
  /** What is seen in no resource: in outputs, in the project's locals, and where it is decided what there is. */
  readonly scope: ExpressionScope;

  constructor(declared: DeclaredNames, params: ObjectType, blueprint?: { readonly kind: string; readonly self: ObjectType }) {
    this.blueprint = blueprint?.kind;
    this.declared = declared;
    this.params = params;
    this.scope = Object.freeze({ names: this, ...(blueprint ? { self: blueprint.self } : {}) });
  }
}
