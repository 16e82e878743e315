/** `${...}` in a text: where each expression begins and ends. `$${` stands for a literal `${`. */

/** A part of a text. `start` is the offset of an expression's first character in the text. */
export type Part = { readonly text: string } | { readonly expression: string; readonly start: number };

/** A text cut into its parts, or the offset of a `${` that is never closed. */
export type Template = { readonly parts: readonly Part[] } | { readonly unclosed: number };

/** True when the text needs reading at all. */
export function mayHoldExpression(text: string): boolean {
  return text.includes("${");
}

/** Cuts a text into its parts. */
export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let literal = "";
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("${", at);
    if (next === -1) break;
    if (text[next - 1] === "$" && next - 1 >= at) {
      literal += `${text.slice(at, next - 1)}\${`;
      at = next + 2;
      continue;
    }
    const end = closingBrace(text, next + 2);
    if (end === -1) return { unclosed: next };
    literal += text.slice(at, next);
    if (literal !== "") parts.push({ text: literal });
    literal = "";
    parts.push({ expression: text.slice(next + 2, end), start: next + 2 });
    at = end + 1;
  }
  literal += text.slice(at);
  if (literal !== "" || parts.length === 0) parts.push({ text: literal });
  return { parts };
}

/** The offset of the brace that closes an expression starting at `start`, with its strings and nested braces skipped; -1 if there is none. */
export function closingBrace(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === "{") depth++;
    else if (character === "}" && depth-- === 0) return at;
    else if (character === '"' || character === "'") {
      at = closingQuote(text, at);
      if (at === -1) return -1;
    }
  }
  return -1;
}

/** The offset of the last character of the CEL string that begins at `at`; -1 if it is never closed. */
function closingQuote(text: string, at: number): number {
  const quote = text[at] as string;
  const raw = /[rR]/.test(text[at - 1] ?? "") && !/\w/.test(text[at - 2] ?? "");
  const mark = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  for (let index = at + mark.length; index < text.length; index++) {
    if (text[index] === "\\" && !raw) index++;
    else if (text.startsWith(mark, index)) return index + mark.length - 1;
  }
  return -1;
}
