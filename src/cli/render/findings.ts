/** `doctor`: one line per finding, and what to do about it. */

import type { Finding } from "../diagnosis.ts";
import type { Style } from "../io.ts";
import { alignRows, count } from "./table.ts";

// More than these fill the line; -v and -o json have them all.
const DETAILS_MAX = 4;

/** `✗ state table  beacon-state is not in eu-west-1 → beaconctl bootstrap --env prod`. */
export function findingLines(findings: readonly Finding[], style: Style, { verbose }: { verbose: boolean }): string[] {
  const lines = alignRows(findings.map((finding) => [finding.name, text(finding, style, verbose)] as const));
  return findings.map(({ state }, index) => `${mark(state, style)} ${lines[index]}`);
}

/** `All is well.`, or how much is not. */
export function findingSummary(findings: readonly Finding[], style: Style): string {
  const wrong = findings.filter(isWrong).length;
  if (wrong > 0) return style.red(`${count(wrong, "check")} failed.`);
  const open = findings.filter(({ state }) => state === "open").length;
  return style.green(open > 0 ? `Nothing is missing, as far as can be told: ${count(open, "check")} left open.` : "Nothing is missing.");
}

/** Whether it stands in the way of an apply. */
export function isWrong({ state }: Finding): boolean {
  return state === "wrong";
}

function text({ text: said, details = [], next }: Finding, style: Style, verbose: boolean): string {
  const shown = verbose ? details : details.slice(0, DETAILS_MAX);
  const rest = details.length - shown.length;
  const list = shown.length > 0 ? `: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more (-v to show)` : ""}` : "";
  return `${said}${list}${next === undefined ? "" : ` ${style.cyan("→")} ${next}`}`;
}

function mark(state: Finding["state"], style: Style): string {
  switch (state) {
    case "well":
      return style.green("✓");
    case "wrong":
      return style.red("✗");
    case "open":
      return style.dim("–");
  }
}
