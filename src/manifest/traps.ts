/**
 * What YAML does to `${...}`, said in words.
 *
 * YAML's own messages ("Nested mappings are not allowed in compact mappings") do not tell a person what to do, so the
 * usual ways in which an unquoted expression breaks are recognised by the place of the error and get their own.
 */

import type { YAMLError } from "yaml";
import { type Place, type Source, spanOf } from "./node.ts";
import type { Problems } from "./problems.ts";
import { closingBrace } from "./template.ts";

const QUOTE = "quote the whole value, or use >- and write it on the next line";

/** Adds the problems of a document that YAML refuses. One mistake makes many errors, so only what is surely its own is told. */
export function syntaxProblems(source: Source, errors: readonly YAMLError[], problems: Problems): void {
  let told = false;
  for (const error of errors) {
    const place = visible({ source, start: error.pos[0], end: error.pos[1] });
    const trap = trapAt(source.text, error, lineOf(place));
    if (error.code === "DUPLICATE_KEY") problems.add(wordAt(place), `duplicate key \`${wordText(place)}\``, "a map may hold a key once");
    else if (trap) problems.add({ source, start: trap.start, end: trap.end }, trap.message, trap.hint);
    else if (!told) problems.add(place, `YAML: ${yamlMessage(error)}`);
    told ||= error.code !== "DUPLICATE_KEY";
  }
}

/** Whether a plain scalar ends inside `${...}` because a comment begins there. */
export function isCutExpression(text: string, start: number, end: number): boolean {
  const scalar = text.slice(start, end);
  const open = scalar.lastIndexOf("${");
  if (open === -1 || closingBrace(scalar, open + 2) !== -1) return false;
  const rest = text.slice(end, text.indexOf("#", end) + 1);
  return /^[ \t]+#$/.test(rest);
}

type Trap = { readonly start: number; readonly end: number; readonly message: string; readonly hint: string };
type Line = { readonly start: number; readonly end: number };

function trapAt(text: string, error: YAMLError, line: Line): Trap | undefined {
  const [at] = error.pos;
  return flowTrap(text, at, line) ?? quoteTrap(text, at, line) ?? colonTrap(text, error, line);
}

// An expression that has double quotes of its own stands between single ones.
function quoted(expression: string): string {
  if (!expression.includes('"')) return `"${expression}"`;
  return `'${expression.replaceAll("'", "''")}'`;
}

/** `{a: ${x}}` and `[${x}]`: the brace of the expression is YAML's own there. */
function flowTrap(text: string, at: number, line: Line): Trap | undefined {
  if (text[at] !== "{" || text[at - 1] !== "$") return undefined;
  const close = closingBrace(text.slice(0, line.end), at + 1);
  const end = close === -1 ? at + 1 : close + 1;
  return {
    start: at - 1,
    end,
    message: "`${` inside YAML's own {...} or [...] must be quoted",
    hint: `write ${quoted(text.slice(at - 1, end))}`,
  };
}

/** `a: ${c ? x : y}`: a colon and a space end a plain key. */
function colonTrap(text: string, error: YAMLError, line: Line): Trap | undefined {
  if (error.code === "DUPLICATE_KEY") return undefined;
  // A key, dashes, or both; then a value that is neither quoted nor a block nor a flow.
  const [, before] = /^(\s*(?:- +)*(?:[\w.-]+:\s+)?[^"'|>{[\s#]?[^"'#]*?)\$\{.*?: /.exec(text.slice(line.start, line.end)) ?? [];
  if (before === undefined) return undefined;
  return {
    start: line.start + before.length,
    end: line.end,
    message: "a colon and a space inside an unquoted `${...}` end the value for YAML",
    hint: QUOTE,
  };
}

/** `"${x["k"]}"`: the inner quote ends the outer one. */
function quoteTrap(text: string, at: number, line: Line): Trap | undefined {
  const before = text.slice(line.start, at);
  const [, quote] = /(["'])[^"']*\$\{[^"']*\1$/.exec(before) ?? [];
  if (quote === undefined) return undefined;
  const start = line.start + before.lastIndexOf(quote, before.length - 2);
  const other = quote === '"' ? "'" : '"';
  const message = `the ${quote} inside the expression ends the quoted text for YAML`;
  return { start, end: line.end, message, hint: `put ${other} around the whole value, or use >- and write it on the next line` };
}

/** What is missing at the end of a text is shown at its last character, not on an empty line below. */
function visible(place: Place): Place {
  const { text } = place.source;
  if (text.slice(place.start).trim() !== "") return place;
  const end = text.slice(0, place.start).trimEnd().length;
  return { source: place.source, start: Math.max(0, end - 1), end };
}

function lineOf(place: Place): Line {
  const start = place.source.lineStarts[spanOf(place).line - 1] ?? 0;
  const newline = place.source.text.indexOf("\n", place.start);
  return { start, end: newline === -1 ? place.source.text.length : newline };
}

/** The key that begins at the place: YAML's error covers its first character only. */
function wordAt(place: Place): Place {
  return { ...place, end: place.start + wordText(place).length };
}

function wordText(place: Place): string {
  return /^[^:\s]*/.exec(place.source.text.slice(place.start))?.[0] ?? "";
}

function yamlMessage(error: YAMLError): string {
  if (error.message === 'Missing closing "quote') return 'a closing " is missing';
  if (error.message === "Missing closing 'quote") return "a closing ' is missing";
  return error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\s+/g, " ");
}
