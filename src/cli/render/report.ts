/** How a run ended: what was done, what was not and why, and the outputs. */

import { formatDuration } from "../../core/duration.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import type { Result, RunReport } from "../../engine/types.ts";
import type { ExitCode } from "../exit.ts";
import type { Style } from "../io.ts";
import { reasonText } from "./table.ts";
import { renderWhole } from "./value.ts";

/** What the summary line counts beside the results. */
export type ReportFacts = { readonly calls: number; readonly elapsedMs: number };

/** What an apply leaves to read. */
export type Aftermath = {
  /** Names of the outputs to show; the rest is counted. */
  readonly summary: readonly string[];
  /** The command that shows the rest. */
  readonly outputsCommand: string;
  /** What is to be done now. */
  readonly nextSteps: readonly string[];
};

/** 0 when everything is done, 6 when something failed, 7 when something still waits, 130 when it was interrupted. */
export function exitCodeFor(report: RunReport): ExitCode {
  const has = (outcome: Result["outcome"]): boolean => report.results.some((result) => result.outcome === outcome);
  if (report.interrupted) return 130;
  if (has("failed")) return 6;
  return has("waiting") || has("skipped") || has("interrupted") ? 7 : 0;
}

/** What was not done with its reason, the counts, the outputs, and the next steps. */
export function renderReport(report: RunReport, facts: ReportFacts, style: Style, aftermath?: Aftermath): string {
  const open = report.results.filter((result) => result.outcome !== "done");
  const outputs = outputBlock(report.outputs, aftermath, style);
  const steps = aftermath?.nextSteps ?? [];
  return [
    ...open.map((result) => openLine(result, style)),
    ...(open.length > 0 ? [""] : []),
    `${summary(report, style)}   ${style.dim(`${facts.calls} calls, ${formatDuration(facts.elapsedMs)}`)}`,
    ...(report.interrupted ? ["What was done is recorded; run the command again and it goes on."] : []),
    ...(outputs.length > 0 ? ["", style.bold("Outputs"), ...outputs] : []),
    ...(steps.length > 0 ? ["", style.bold("Next steps"), ...steps.map(stepText)] : []),
  ].join("\n");
}

function stepText(step: string, index: number): string {
  return `  ${index + 1}. ${step.trim().replaceAll("\n", "\n     ")}`;
}

/** The outputs that a person wants: those of the summary that have a value, and how many more there are. */
function outputBlock(outputs: JsonObject, aftermath: Aftermath | undefined, style: Style): string[] {
  const names = aftermath?.summary ?? Object.keys(outputs);
  const shown = outputLines(withValues(Object.fromEntries(names.map((name) => [name, outputs[name]]))));
  const more = Object.keys(outputs).filter((name) => !names.includes(name)).length;
  return [...shown, ...(aftermath && more > 0 ? [style.dim(`  ${more} more: ${aftermath.outputsCommand}`)] : [])];
}

// What is switched off is null, or a map with nothing in it.
function withValues(outputs: JsonObject): JsonObject {
  const members = Object.entries(outputs).map(([name, value]) => [name, isObject(value) ? withValues(value) : value] as const);
  return Object.fromEntries(
    members.filter(([, value]) => (isObject(value) ? Object.keys(value).length > 0 : value !== undefined && value !== null)),
  );
}

/** One line per output, aligned; of a map, one per member. Nothing is cut: outputs are there to be used. */
export function outputLines(outputs: JsonObject): string[] {
  const rows = Object.entries(outputs).flatMap(([name, value]) => {
    const members = isObject(value) ? Object.entries(value) : [];
    return members.length === 0 ? [[name, value] as const] : members.map(([key, member]) => [`${name}.${key}`, member] as const);
  });
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${renderWhole(value)}`);
}

function openLine({ key, outcome, reason, message }: Result, style: Style): string {
  const word = outcome === "failed" ? style.red("failed") : style.yellow(outcome);
  return `${word}${" ".repeat(Math.max(1, 12 - outcome.length))}${style.bold(key)}  ${reasonText(reason, message)}`;
}

function summary({ results }: RunReport, style: Style): string {
  const of = (outcome: Result["outcome"]): Result[] => results.filter((result) => result.outcome === outcome);
  const done = of("done").filter((result) => result.action !== "none");
  const parts = [...new Set(done.map((result) => result.action))].map((action) => {
    const number = done.filter((result) => result.action === action).length;
    return `${number} ${PAST[action]}`;
  });
  const rest = (["failed", "waiting", "interrupted", "skipped"] as const).flatMap((outcome) => {
    const number = of(outcome).length;
    return number > 0 ? [`${number} ${outcome === "waiting" ? "still waiting" : outcome}`] : [];
  });
  const text = [...parts, ...rest].join(", ") || "Nothing to do";
  return rest.length > 0 ? style.yellow(`${text}.`) : style.green(`${text}.`);
}

/** What was done, in one word. */
export const PAST: Readonly<Record<Result["action"], string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  adopt: "adopted",
  move: "moved",
  forget: "forgotten",
  none: "unchanged",
  blocked: "blocked",
};
