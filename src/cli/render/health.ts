/** `health`: one line per check, what was seen beside what is wanted. */

import { splitKey } from "../../core/resource.ts";
import type { MonitorResult } from "../../monitor/run.ts";
import type { Style } from "../io.ts";
import { alignColumns, count } from "./table.ts";

/** `✓ backend  https://…/api/health  HTTP 200  wanted HTTP 200`, in the manifests' order. */
export function healthLines(results: readonly MonitorResult[], style: Style): string[] {
  const texts = alignColumns(
    results.map(({ key, subject, seen, wanted, attempts }) => [
      splitKey(key).name,
      subject,
      seen,
      `wanted ${wanted}`,
      ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ]),
  );
  return results.map(({ state }, index) => `${state === "healthy" ? style.green("✓") : style.red("✗")} ${texts[index]}`);
}

/** `All 7 checks are healthy.`, or how many are not. */
export function healthSummary(results: readonly MonitorResult[], style: Style): string {
  const bad = unhealthy(results).length;
  if (bad === 0) return style.green(results.length === 1 ? "The check is healthy." : `All ${results.length} checks are healthy.`);
  return style.red(`${bad} of ${count(results.length, "check")} ${bad === 1 ? "is" : "are"} not healthy.`);
}

/** Those that somebody must look after; what nobody could see is among them. */
export function unhealthy(results: readonly MonitorResult[]): readonly MonitorResult[] {
  return results.filter(({ state }) => state !== "healthy");
}
