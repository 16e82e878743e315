/** The end of apply and delete: the report, and the exit code. */

import type { Plan } from "../core/plan.ts";
import { stackName } from "../core/resource.ts";
import type { Invocation } from "./command.ts";
import type { ExitCode } from "./exit.ts";
import { renderDocument } from "./render/document-output.ts";
import { exitCodeFor, renderReport } from "./render/report.ts";
import type { RunEnd } from "./run.ts";
import { callsMade, type Session } from "./session.ts";

/** Prints the report and gives the exit code. */
export async function finish(
  { io, options, log }: Invocation,
  session: Session,
  plan: Plan,
  { report, stopped, elapsedMs }: RunEnd,
): Promise<ExitCode> {
  const facts = { calls: callsMade(session.way), elapsedMs };
  for (const { key, action, outcome, reason, message } of report.results) {
    log(outcome === "failed" ? "error" : "info", "resource ended", { resource: key, action, outcome, reason, message });
  }
  log("info", "run ended", { stack: stackName(session.context.stack), plan: plan.digest, interrupted: report.interrupted, ...facts });
  if (options.output === "json" || options.output === "yaml") {
    io.out(await renderDocument({ plan, ...report, ...facts }, options.output));
  } else {
    io.out(renderReport(report, facts, io.style));
  }
  return stopped ?? exitCodeFor(report);
}
