/** What is wrong with an expression, in a person's words: cel-js's own errors are translated, and what it lets pass is found. */

import { nearest, suggestion } from "../core/suggest.ts";
import { type Ast, type DeclaredType, walk } from "./ast.ts";
import { FUNCTIONS } from "./functions.ts";
import type { ObjectType } from "./types.ts";

/**
 * What is wrong, and where in the expression's text. `dangling`: it names a resource that no manifest declares,
 * and none is called nearly so: while a document cannot be read, it may be declared there.
 */
export type Fault = {
  readonly message: string;
  readonly hint?: string;
  readonly start: number;
  readonly end: number;
  readonly dangling?: true;
};

/** What a fault is judged with. */
export type About = { readonly text: string; readonly names: readonly string[]; readonly objects: ReadonlyMap<string, ObjectType> };

type CelError = {
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number; readonly end: number };
  readonly node?: Ast;
};

/** Translates an error of cel-js's parser or checker. */
export function faultOf(thrown: unknown, about: About): Fault {
  const error = thrown as CelError;
  const start = error.range?.start ?? 0;
  const place = { start, end: error.range?.end ?? about.text.length };
  if (error.code === "unknown_variable") return unknownName(about, place);
  if (error.code === "no_such_key" && error.node) return unknownMember(error.node, about) ?? { message: lower(error.summary), ...place };
  const literal = literalHint(about.text);
  const message = `\${${about.text}} is not understood: ${lower(error.summary)}`;
  if (literal !== undefined) return { message, hint: literal, start: 0, end: about.text.length };
  if (error.code !== "no_such_overload" && error.code !== "no_matching_overload") return { message, ...place };
  const own = /for '(?:\S+\.)?(\w+)\(/.exec(error.summary ?? "")?.[1] as keyof typeof FUNCTIONS | undefined;
  return { message: typeMessage(error), ...(own !== undefined && FUNCTIONS[own] ? { hint: FUNCTIONS[own] } : {}), ...place };
}

/** The first access to an attribute that its type does not have: the checker lets these pass where `.?` is used. */
export function unknownAttribute(ast: Ast, about: About): Fault | undefined {
  let found: Fault | undefined;
  walk(about.text, ast, (node) => {
    if (node.op === "." || node.op === ".?" || node.op === "[]" || node.op === "[?]") found ??= unknownMember(node, about);
    return found === undefined;
  });
  return found;
}

/** `${aws:username}` and `${vpc-id}` are AWS's, or the shell's. */
function literalHint(text: string): string | undefined {
  const looksForeign =
    /^[\w-]+:[\w/.-]+$/.test(text) || /^[A-Za-z]\w*(-\w+)+$/.test(text) || /^!\w+/.test(text) || /^[A-Za-z_]\w*:-/.test(text);
  return looksForeign ? `if the text itself is meant, write $\${${text}}` : undefined;
}

function unknownName(about: About, place: { start: number; end: number }): Fault {
  const name = about.text.slice(place.start, place.end);
  const literal = literalHint(about.text);
  const hint = literal ?? suggestion(name, [...about.names, ...Object.keys(FUNCTIONS)]);
  return { message: `unknown name \`${name}\` in \${${about.text}}`, ...(hint === undefined ? {} : { hint }), ...place };
}

function unknownMember(node: Ast, about: About): Fault | undefined {
  const [left, right] = node.args as [Ast, string | Ast];
  const name = typeof right === "string" ? right : right.op === "value" && typeof right.args === "string" ? right.args : undefined;
  const type = objectOf(left.checkedType, about);
  if (!type || name === undefined || type.fields.has(name)) return undefined;
  const place = typeof right === "string" ? { start: node.end - right.length, end: node.end } : { start: right.start, end: right.end };
  const outside = type.outside?.has(name);
  const hint = outside
    ? `a blueprint does not see ${type.what}/${name}: hand in what it needs as a parameter`
    : (type.advice ?? suggestion(name, type.fields.keys()));
  const dangling = type.role === "root" && !outside && nearest(name, type.fields.keys()) === undefined;
  return { message: missing(type, name), ...(hint === undefined ? {} : { hint }), ...(dangling ? { dangling } : {}), ...place };
}

function missing({ role, what, outside }: ObjectType, name: string): string {
  switch (role) {
    case "root":
    case "names":
      return `no ${what}${outside ? " of the blueprint" : ""} is called \`${name}\``;
    case "instance":
      return `${what} has no output or parameter \`${name}\``;
    case "data":
    case "resource":
      return `${what} has no attribute \`${name}\``;
  }
}

function objectOf(declared: DeclaredType | undefined, about: About): ObjectType | undefined {
  if (declared?.kind === "optional") return objectOf(declared.valueType, about);
  return declared?.kind === "message" ? about.objects.get(declared.name) : undefined;
}

function typeMessage(error: CelError): string {
  const text = error.summary ?? "";
  const operator = /^no such overload: (.+) (\S+) (.+)$/.exec(text);
  if (operator) return `\`${operator[2]}\` does not take ${words(operator[1])} and ${words(operator[3])}`;
  const call = /^found no matching overload for '(.+)'$/.exec(text);
  return call ? `there is no function \`${call[1]}\`` : lower(text);
}

// CEL's names of types, as the manifests' pages call them.
const WORDS: Readonly<Record<string, string>> = { string: "text", int: "a whole number", double: "a number", bool: "true or false" };

function words(type: string | undefined): string {
  return WORDS[type ?? ""] ?? type ?? "";
}

function lower(text: string | undefined): string {
  if (text === "Unexpected token: EOF") return "it ends too soon";
  return text === undefined ? "it has an error" : text.charAt(0).toLowerCase() + text.slice(1);
}
