/** Problems as they are gathered, and as a person sees them. */

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import type { Problem } from "../core/errors.ts";
import { type Place, spanOf } from "./node.ts";
import type { SourceSet } from "./source.ts";

/** Gathers problems; the same problem at the same place is kept once, with everything that was noted of it. */
export class Problems {
  readonly #gathered: { readonly found: Map<string, Problem>; added: number };
  readonly #notes: readonly string[];

  constructor(gathered = { found: new Map<string, Problem>(), added: 0 }, notes: readonly string[] = []) {
    this.#gathered = gathered;
    this.#notes = notes;
  }

  /** Gathers with these, and notes of each problem where it was met. */
  within(note: string): Problems {
    return new Problems(this.#gathered, [note, ...this.#notes]);
  }

  add(place: Place | undefined, message: string, hint?: string): void {
    this.addProblem({ message, ...(place ? { span: spanOf(place) } : {}), ...(hint === undefined ? {} : { hint }) });
  }

  addProblem(problem: Problem): void {
    const { found } = this.#gathered;
    const key = problemKey(problem);
    found.set(key, withNotes(found.get(key) ?? problem, [...(problem.notes ?? []), ...this.#notes]));
    this.#gathered.added++;
  }

  /** How many were added, the same ones again among them. */
  get size(): number {
    return this.#gathered.added;
  }

  /** In the order of files and lines; those without a place come first. */
  list(): readonly Problem[] {
    return [...this.#gathered.found.values()].sort(byPlace);
  }
}

/** The same problem met twice, with what was noted of it each time. */
export function withNotes(problem: Problem, notes: readonly string[] | undefined): Problem {
  const all = new Set([...(problem.notes ?? []), ...(notes ?? [])]);
  return all.size === 0 ? problem : { ...problem, notes: [...all] };
}

/** Equal for problems that are the same to a person. */
export function problemKey(problem: Problem): string {
  const { span, message } = problem;
  return `${span ? `${span.file}:${span.line}:${span.column}` : ""} ${message}`;
}

function byPlace(left: Problem, right: Problem): number {
  const [a, b] = [left.span, right.span];
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}

/** How problems are printed. */
export type ReportOptions = { readonly color?: boolean };

/** Every problem with its place, the line it stands in and a caret; ends with a newline, empty for no problems. */
export function formatProblems(problems: readonly Problem[], sources: SourceSet, options: ReportOptions = {}): string {
  const paint = painter(options.color ?? false);
  return problems.map((problem) => `${formatProblem(problem, sources, paint)}\n`).join("");
}

type Paint = (style: "red" | "cyan" | "bold" | "dim", text: string) => string;

function painter(color: boolean): Paint {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

// More instances than these say no more.
const NOTES_MAX = 3;

function formatProblem(problem: Problem, sources: SourceSet, paint: Paint): string {
  const notes = problem.notes ?? [];
  const more = notes.length > NOTES_MAX ? [`and ${notes.length - NOTES_MAX} more`] : [];
  const lines = [...notes.slice(0, NOTES_MAX), ...more].map((note) => `  ${paint("dim", "=")} ${note}`);
  return [formatPlace(problem, sources, paint), ...lines].join("\n");
}

function formatPlace(problem: Problem, sources: SourceSet, paint: Paint): string {
  const head = `${paint("red", "error:")} ${paint("bold", problem.message)}`;
  const { span, hint } = problem;
  if (!span) return hint === undefined ? head : `${head}\n  ${paint("cyan", hint)}`;
  const number = String(span.line);
  const gutter = " ".repeat(number.length);
  const place = `${gutter} ${paint("dim", "┌─")} ${span.file}:${span.line}:${span.column}`;
  const line = lineOf(sources, span.file, span.line);
  // What was given on the command line has a name and no lines.
  if (line === undefined)
    return [head, `  ${paint("dim", "┌─")} ${span.file}`, ...(hint === undefined ? [] : [`  ${paint("cyan", hint)}`])].join("\n");
  const excerpt = `${number} ${paint("dim", "│")} ${line}`.trimEnd();
  // Tabs are kept before the caret so that it stands under the text whatever the terminal's tab width.
  const indent = line.slice(0, span.column - 1).replace(/[^\t]/g, " ");
  const caret = `${gutter} ${paint("dim", "│")} ${indent}${paint("red", "^".repeat(span.length))}${hint === undefined ? "" : ` ${paint("cyan", hint)}`}`;
  return [head, place, excerpt, caret].join("\n");
}

function lineOf(sources: SourceSet, file: string, line: number): string | undefined {
  const text = sources.sources.find((source) => source.file === file)?.text ?? readParamsFile(file);
  return text?.split("\n")[line - 1]?.replace(/\r$/, "");
}

/** A `--params` file is no manifest source, so its text is read again for the excerpt; one that has gone gives no excerpt. */
function readParamsFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
