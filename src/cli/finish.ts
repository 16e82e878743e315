/** The end of apply and delete: the report, and the exit code. */

import type { CompiledStack } from "../core/compiled.ts";
import type { Plan } from "../core/plan.ts";
import { stackName } from "../core/resource.ts";
import type { RunReport } from "../engine/types.ts";
import type { Invocation } from "./command.ts";
import type { ExitCode } from "./exit.ts";
import type { AwsOptions, SourceOptions } from "./options.ts";
import { renderDocument } from "./render/document-output.ts";
import { type Aftermath, exitCodeFor, renderReport } from "./render/report.ts";
import type { RunEnd } from "./run.ts";
import { callsMade, type Session } from "./session.ts";

/** Prints the report and gives the exit code. */
export async function finish(
  { io, options, log }: Invocation<SourceOptions & AwsOptions>,
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
    io.out(renderReport(report, facts, io.style, session.compiled && aftermathOf(options, session.compiled, report)));
  }
  return stopped ?? exitCodeFor(report);
}

/** What an apply leaves to read; steps only where it went well, and changed something. */
function aftermathOf(options: SourceOptions & AwsOptions, { summary, monitors, environment }: CompiledStack, report: RunReport): Aftermath {
  const where = sameStack(options, environment.name);
  const changed = report.results.some(({ action }) => action !== "none");
  const check = monitors.length > 0 ? [`Check that it is healthy: beaconctl health ${where}`] : [];
  const nextSteps = changed && exitCodeFor(report) === 0 ? [...report.nextSteps, ...check] : [];
  return { summary, outputsCommand: `beaconctl outputs ${where}`, nextSteps };
}

/** The options that lead another command to the same stack. */
function sameStack({ file = [], sandbox }: SourceOptions & AwsOptions, environment: string): string {
  return [...file.map((path) => `-f ${path}`), `--env ${environment}`, ...(sandbox ? ["--sandbox"] : [])].join(" ");
}
