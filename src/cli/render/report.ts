/** How a run ended: what was done, what was not and why, and the outputs. */

import { isObject, type JsonObject } from "../../core/json.ts";
import type { Result, RunReport } from "../../engine/types.ts";
import { formatDuration } from "../duration.ts";
import type { ExitCode } from "../exit.ts";
import type { Style } from "../io.ts";
import { reasonText } from "./table.ts";
import { renderWhole } from "./value.ts";

/** What the summary line counts beside the results. */
export type ReportFacts = { readonly calls: number; readonly elapsedMs: number };

/** 0 when everything is done, 6 when something failed, 7 when something still waits, 130 when it was interrupted. */
export function exitCodeFor(report: RunReport): ExitCode {
  const has = (outcome: Result["outcome"]): boolean => report.results.some((result) => result.outcome === outcome);
  if (report.interrupted) return 130;
  if (has("failed")) return 6;
  return has("waiting") || has("skipped") || has("interrupted") ? 7 : 0;
}

/** What was not done with its reason, the counts, and the outputs. */
export function renderReport(report: RunReport, facts: ReportFacts, style: Style): string {
  const open = report.results.filter((result) => result.outcome !== "done");
  const outputs = outputLines(report.outputs);
  return [
    ...open.map((result) => openLine(result, style)),
    ...(open.length > 0 ? [""] : []),
    `${summary(report, style)}   ${style.dim(`${facts.calls} calls, ${formatDuration(facts.elapsedMs)}`)}`,
    ...(report.interrupted ? ["What was done is recorded; run the command again and it goes on."] : []),
    ...(outputs.length > 0 ? ["", style.bold("Outputs"), ...outputs] : []),
  ].join("\n");
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

const PAST: Readonly<Record<Result["action"], string>> = {
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
