/** Scalars of a manifest that hold `${...}`: read, checked, and ready to be evaluated. */

import type { Checked, Expression, Language } from "./language.ts";
import type { ExpressionScope } from "./names.ts";
import type { Node, Place, ScalarNode } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Reference } from "./references.ts";
import { remembered } from "./remembered.ts";
import { mayHoldExpression, type Part, parseTemplate } from "./template.ts";
import { type Type, typeText } from "./types.ts";

/** A reference and where it stands in its source. */
export type PlacedReference = { readonly reference: Reference; readonly place: Place };

/** A text with expressions in it. */
export type Text = {
  /** Its value, with literal parts and interpolations joined. */
  readonly expression: Expression;
  readonly references: readonly PlacedReference[];
  readonly place: Place;
};

/** A scalar: a plain value, a text with expressions, or something wrong that has been reported. */
export type ReadScalar = { readonly value: string | number | boolean | null } | { readonly text: Text } | { readonly wrong: true };

const WRONG = Object.freeze({ wrong: true });

/** Reads scalars in scopes; each scalar is read once per scope. */
export class Texts {
  readonly #language: Language;
  readonly #problems: Problems;
  /** Dangling references say nothing while a document that may declare their target could not be read. */
  readonly #incomplete: boolean;
  readonly #read = new WeakMap<ScalarNode, Map<ExpressionScope, ReadScalar>>();
  readonly #documentScopes = new WeakMap<Node, ExpressionScope>();
  readonly #loopScopes = new WeakMap<Node, Map<ExpressionScope, ExpressionScope>>();
  readonly #loopNodes = new WeakMap<ScalarNode, ScalarNode>();

  constructor(language: Language, problems: Problems, incomplete: boolean) {
    this.#language = language;
    this.#problems = problems;
    this.#incomplete = incomplete;
  }

  /** Scopes are told apart by identity: give the same object for the same document. */
  read(node: ScalarNode, scope: ExpressionScope): ReadScalar {
    if (typeof node.value !== "string" || !mayHoldExpression(node.value)) return { value: node.value };
    const { value } = node;
    const scopes = remembered(this.#read, node, () => new Map<ExpressionScope, ReadScalar>());
    return remembered(scopes, scope, () => this.#readText(node, value, scope));
  }

  /** The scope of a document, made once: a document inside a blueprint is read for every instance. */
  documentScope(document: Node, make: () => ExpressionScope): ExpressionScope {
    return remembered(this.#documentScopes, document, make);
  }

  mayNameLoop(name: string, scope: ExpressionScope): boolean {
    return this.#language.mayNameLoop(name, scope);
  }

  /** The scope of an item with `$for`: the same one each time, so that its texts are read once. */
  loopScope(item: Node, outer: ExpressionScope, name: string, type: Type): ExpressionScope {
    const scopes = remembered(this.#loopScopes, item, () => new Map<ExpressionScope, ExpressionScope>());
    return remembered(scopes, outer, () => ({ ...outer, loops: new Map([...(outer.loops ?? []), [name, type]]) }));
  }

  /** The expression of a `$for` as a scalar of its own, likewise. */
  loopNode(node: ScalarNode, expression: string): ScalarNode {
    return remembered(this.#loopNodes, node, () => ({ ...node, value: expression }));
  }

  #readText(node: ScalarNode, value: string, scope: ExpressionScope): ReadScalar {
    const template = parseTemplate(value);
    if ("unclosed" in template) {
      this.#problems.add(node.place, "`${` is never closed", "close it with }, or write $${ for the text itself");
      return WRONG;
    }
    const { parts } = template;
    const [first, second] = parts;
    // A block scalar ends with a newline that nobody means.
    const alone = second === undefined || (parts.length === 2 && node.style === "block" && "text" in second && second.text === "\n");
    if (first && "expression" in first && alone) return this.#whole(node, first.expression, scope);
    if (parts.every((part) => "text" in part)) return { value: parts.map((part) => ("text" in part ? part.text : "")).join("") };
    return this.#interpolated(node, parts, scope);
  }

  #whole(node: ScalarNode, source: string, scope: ExpressionScope): ReadScalar {
    const expression = this.#check(node, source, scope);
    return expression ? { text: { expression, references: this.#placed(node, expression), place: node.place } } : WRONG;
  }

  #interpolated(node: ScalarNode, parts: readonly Part[], scope: ExpressionScope): ReadScalar {
    const joined: string[] = [];
    const references: PlacedReference[] = [];
    for (const part of parts) {
      if ("text" in part) joined.push(JSON.stringify(part.text));
      else {
        const expression = this.#check(node, part.expression, scope);
        if (!expression || !this.#isScalar(node, expression)) return WRONG;
        joined.push(expression.type.kind === "string" && isSimple(part.expression) ? part.expression : `string(${part.expression})`);
        references.push(
          ...this.#placed(node, expression).map(({ reference, place }) => ({ reference: { ...reference, whole: false }, place })),
        );
      }
    }
    const { expression } = this.#language.check(joined.join(" + "), scope);
    return expression ? { text: { expression, references, place: node.place } } : WRONG;
  }

  #isScalar(node: ScalarNode, { type, text }: Expression): boolean {
    if (SCALARS.has(type.kind)) return true;
    const hint = type.kind === "optional" ? `write ${text}.orValue("...")` : undefined;
    this.#problems.add(placeIn(node, text, 0, text.length), `\${${text}} is ${typeText(type)}, which cannot stand inside a text`, hint);
    return false;
  }

  #check(node: ScalarNode, source: string, scope: ExpressionScope): Expression | undefined {
    const checked: Checked = this.#language.check(source, scope);
    if (checked.expression) return checked.expression;
    const { fault } = checked;
    if (fault.dangling && this.#incomplete) return undefined;
    this.#problems.add(placeIn(node, source, fault.start, fault.end), fault.message, fault.hint);
    return undefined;
  }

  #placed(node: ScalarNode, { references, text }: Expression): readonly PlacedReference[] {
    return references.map((reference) => ({ reference, place: placeIn(node, text, reference.start, reference.end) }));
  }
}

const SCALARS: ReadonlySet<Type["kind"]> = new Set(["string", "int", "double", "bool", "dyn"]);

/** A chain of names can be joined as it is; anything else might bind weaker than `+`. */
function isSimple(source: string): boolean {
  return /^[\w.]+$/.test(source);
}

/** The place of a part of an expression: exact where the scalar holds it in one piece, else the whole scalar. */
export function placeIn(node: ScalarNode, expression: string, start: number, end: number): Place {
  const { source } = node.place;
  const at = source.text.slice(node.place.start, node.place.end).indexOf(`\${${expression}`);
  if (at === -1) return node.place;
  const base = node.place.start + at + 2;
  return { source, start: base + start, end: base + Math.max(end, start + 1) };
}
