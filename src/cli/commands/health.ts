import type { CompiledMonitor, CompiledStack, View } from "../../core/compiled.ts";
import { BeaconError } from "../../core/errors.ts";
import { splitKey, stackName } from "../../core/resource.ts";
import { nearest } from "../../core/suggest.ts";
import type { Context } from "../../engine/types.ts";
import { type AlertEnd, escapeSlack, sendAlert } from "../../monitor/alert.ts";
import type { MonitorResult } from "../../monitor/run.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type ExitCode, exitCodeOf } from "../exit.ts";
import type { Io } from "../io.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { healthLines, healthSummary, unhealthy } from "../render/health.ts";
import { count } from "../render/table.ts";
import { type Session, withLook } from "../session.ts";

type Options = SourceOptions & AwsOptions;

export default defineCommand<Options>({
  description:
    "Runs every Monitor of the environment now, all at once, each with its timeout and retries: target health, table status, HTTP endpoints, alarms. Ends with 8 when something is not healthy, and then tells Slack if BEACON_SLACK_WEBHOOK_URL is set.",
  arguments: [{ syntax: "[monitors...]", description: "only these, by name" }],
  options: [...sourceOptions, ...awsOptions, outputOption("json", "yaml")],
  examples: ["beaconctl health --env prod", "beaconctl health backend frontend", "beaconctl health -o json"],
  async run(invocation) {
    return tellingOfFailure(invocation, () =>
      withLook(invocation, { manifests: "required" }, async (session) => {
        const compiled = session.compiled as CompiledStack;
        const monitors = chosen(compiled.monitors, invocation.args);
        if (monitors.length === 0) {
          invocation.io.err(invocation.io.errStyle.dim(`No manifest declares a Monitor for ${stackName(compiled.stack)}.`));
          return 0;
        }
        const results = await checkAll(session, compiled, monitors, invocation.io);
        for (const { key, state, subject, seen, wanted, attempts, elapsedMs } of results) {
          const facts = { monitor: key, state, subject, seen, wanted, attempts, elapsedMs };
          invocation.log(state === "healthy" ? "info" : "error", "monitor checked", facts);
        }
        const bad = unhealthy(results);
        const alert = bad.length > 0 ? await sendAlert(alertText(session, results)) : undefined;
        await show(invocation, session, results, alert);
        return bad.length > 0 ? 8 : 0;
      }),
    );
  },
});

/** Whoever relies on being told hears of it, too, when nothing could be checked: credentials, account, network. */
async function tellingOfFailure({ io, options }: Invocation<Options>, run: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BeaconError && exitCodeOf(error.code) === 3) {
      const where = options.env ?? process.env.BEACON_ENV;
      const head = `:rotating_light: beaconctl health${where === undefined ? "" : ` --env ${where}`} could check nothing`;
      sayUnsent(io, await sendAlert(escapeSlack(`${head}: ${error.message}`)));
    }
    throw error;
  }
}

function sayUnsent({ err, errStyle }: Io, alert: AlertEnd | undefined): void {
  if (alert?.sent === false) err(`${errStyle.yellow("the alert could not be sent:")} ${alert.why}`);
}

function chosen(monitors: readonly CompiledMonitor[], words: readonly string[]): readonly CompiledMonitor[] {
  if (words.length === 0) return monitors;
  const wanted = new Set(words.map((word) => named(monitors, word)));
  return monitors.filter((monitor) => wanted.has(monitor));
}

/** `backend` or `Monitor/backend`. Throws ResourceUnknown with the nearest name. */
function named(monitors: readonly CompiledMonitor[], word: string): CompiledMonitor {
  const found = monitors.find(({ key }) => key === word || splitKey(key).name === word);
  if (found) return found;
  const names = monitors.map(({ key }) => splitKey(key).name);
  const near = nearest(word, names);
  throw new BeaconError("ResourceUnknown", `no Monitor is called ${word}`, {
    next: near === undefined ? `there are: ${names.join(", ") || "none"}` : `did you mean ${near}?`,
  });
}

async function checkAll(
  { context }: Session,
  compiled: CompiledStack,
  monitors: readonly CompiledMonitor[],
  io: Io,
): Promise<readonly MonitorResult[]> {
  const { runMonitor, unknownResult } = await import("../../monitor/run.ts");
  const present = lookFor(context, compiled, monitors);
  const tools = { reader: context.reader, fetch };
  const open = new Set(monitors.map(({ key }) => splitKey(key).name));
  const check = async ({ key, needs, resolve }: CompiledMonitor): Promise<MonitorResult> => {
    const view = needs.length === 0 ? NOTHING : await present;
    if (view instanceof BeaconError) return unknownResult(key, resolve(NOTHING), view.message);
    const result = await runMonitor(key, resolve(view), tools, context.runtime);
    open.delete(splitKey(key).name);
    return result;
  };
  const slow = setTimeout(() => io.live && io.err(io.errStyle.dim(`waiting for ${[...open].join(", ")}`)), WORTH_SAYING_MS);
  try {
    return await Promise.all(monitors.map(check));
  } finally {
    clearTimeout(slow);
  }
}

// A person who sees nothing for so long asks what is going on.
const WORTH_SAYING_MS = 3000;
const NOTHING: View = () => undefined;

/** One look for all of them. Where it fails, the error: what needs no look is checked all the same. */
async function lookFor(context: Context, compiled: CompiledStack, monitors: readonly CompiledMonitor[]): Promise<View | BeaconError> {
  const needs = [...new Set(monitors.flatMap((monitor) => monitor.needs))];
  if (needs.length === 0) return NOTHING;
  const { presentView } = await import("../../engine/engine.ts");
  try {
    return await presentView(context, compiled, needs);
  } catch (error) {
    if (error instanceof BeaconError) return error;
    throw error;
  }
}

function alertText({ context }: Session, results: readonly MonitorResult[]): string {
  const bad = unhealthy(results);
  const head = `:rotating_light: ${stackName(context.stack)}: ${bad.length} of ${count(results.length, "check")} not healthy`;
  const lines = bad.map(({ key, subject, seen, wanted }) => `• ${splitKey(key).name} (${subject}): ${seen}, wanted ${wanted}`);
  return escapeSlack([head, ...lines].join("\n"));
}

async function show(
  { io, options }: Invocation<Options>,
  { way, context, startedAt }: Session,
  results: readonly MonitorResult[],
  alert: AlertEnd | undefined,
): Promise<void> {
  const { region, accountId } = way;
  const stack = stackName(context.stack);
  sayUnsent(io, alert);
  if (options.output === "json" || options.output === "yaml") {
    const healthy = unhealthy(results).length === 0;
    io.out(await renderDocument({ stack, region, accountId, healthy, monitors: results, alert }, options.output));
    return;
  }
  const elapsed = ((context.runtime.monotonic() - startedAt) / 1000).toFixed(1);
  const cost = io.style.dim(`${count(results.length, "check")} in ${elapsed} s`);
  const told = alert?.sent ? " Slack was told." : "";
  io.out(
    [
      `${io.style.bold(stack)}  ${region}  account ${accountId}  ${cost}`,
      "",
      ...healthLines(results, io.style),
      "",
      `${healthSummary(results, io.style)}${told}`,
    ].join("\n"),
  );
}
