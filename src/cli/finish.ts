/** The end of apply and delete: the report, and the exit code. */

import type { Plan } from "../core/plan.ts";
import type { Invocation } from "./command.ts";
import type { ExitCode } from "./exit.ts";
import { renderDocument } from "./render/document-output.ts";
import { exitCodeFor, renderReport } from "./render/report.ts";
import type { RunEnd } from "./run.ts";
import { callsMade, type Session } from "./session.ts";

/** Prints the report and gives the exit code. */
export async function finish(
  { io, options }: Invocation,
  session: Session,
  plan: Plan,
  { report, stopped, elapsedMs }: RunEnd,
): Promise<ExitCode> {
  const facts = { calls: callsMade(session.way), elapsedMs };
  if (options.output === "json" || options.output === "yaml") {
    io.out(await renderDocument({ plan, ...report, ...facts }, options.output));
  } else {
    io.out(renderReport(report, facts, io.style));
  }
  return stopped ?? exitCodeFor(report);
}
