/**
 * The command line: finds the command, loads its file alone, parses its options and runs it.
 *
 * Start-up time is a promise (`--help` under 150 ms), so nothing here imports a command, a kind or an SDK client.
 */

import { Command, CommanderError, Option } from "commander";
import { BeaconError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { AnyCommand, Invocation } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { EXIT_CODES, type ExitCode } from "./exit.ts";
import { processIo } from "./io.ts";
import { awsOptions, type CommonOptions, commonOptions, flagArity, hoistOptions, type OptionDefinition, sourceOptions } from "./options.ts";
import { renderError } from "./render/error.ts";
import type { Services } from "./services.ts";

/** Runs one command line (without node and script) and resolves to the exit code. Never rejects. */
export async function runProgram(argv: readonly string[], services: Services): Promise<ExitCode> {
  const args = hoistOptions(argv, flagArity([...sourceOptions, ...awsOptions, ...commonOptions]));
  try {
    return await parseAndRun(args, services);
  } catch (error) {
    const io = processIo({ color: !args.includes("--no-color") });
    const { text, exitCode } = renderError(await explained(error), {
      json: wantsJson(args),
      verbose: wantsVerbose(args),
      style: io.errStyle,
    });
    io.err(text);
    return exitCode;
  }
}

// A failed call that nobody above it had words for.
async function explained(error: unknown): Promise<unknown> {
  if (error instanceof BeaconError) return error;
  const [{ AwsError }, { explainAwsError }] = await Promise.all([import("../aws/errors.ts"), import("../aws/classify.ts")]);
  return error instanceof AwsError ? explainAwsError(error) : error;
}

async function parseAndRun(args: readonly string[], services: Services): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = await buildProgram(args, services, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error);
  }
  return exitCode;
}

async function buildProgram(args: readonly string[], services: Services, onExit: (code: ExitCode) => void): Promise<Command> {
  const program = createProgram(services.version);
  const wanted = args[0] === "help" ? args[1] : args[0];
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary);
    if (entry.name === wanted) configure(command, await entry.load(), services, onExit);
  }
  return program;
}

function createProgram(version: string): Command {
  const exitTable = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return (
    new Command("beaconctl")
      .description("A Kubernetes-style controller for AWS: manifests in, a converged account out.")
      .version(version, "--version", "print the version")
      // Errors are printed by renderError, in BEACON's own form; help still goes to stdout.
      .configureOutput({ writeErr: () => {} })
      .exitOverride()
      .addHelpText("after", `\nExit codes:\n${exitTable.join("\n")}\n\nbeaconctl COMMAND --help shows a command's options and examples.`)
  );
}

function configure(command: Command, definition: AnyCommand, services: Services, onExit: (code: ExitCode) => void): void {
  command.description(definition.description).allowExcessArguments(false);
  for (const argument of definition.arguments ?? []) command.argument(argument.syntax, argument.description);
  for (const option of [...definition.options, ...commonOptions]) command.addOption(toOption(option));
  if (definition.examples.length > 0) {
    command.addHelpText("after", `\nExamples:\n${definition.examples.map((example) => `  ${example}`).join("\n")}`);
  }
  command.action(async () => {
    const options = command.opts<CommonOptions>();
    // A variadic argument arrives as one array.
    const args = command.processedArgs.flat().filter((arg): arg is string => typeof arg === "string");
    const invocation: Invocation = { args, options, io: processIo(options), services, log: await createLog(options, definition.logLevel) };
    onExit(await definition.run(invocation as Invocation<never>));
  });
}

function toOption(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices) option.choices([...definition.choices]);
  if (definition.default !== undefined) option.default(definition.default);
  if (definition.repeatable) option.argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]);
  return option;
}

// pino costs more to load than most commands do to run, and most runs log nothing.
async function createLog(options: CommonOptions, otherwise: string | undefined): Promise<Log> {
  const level = options.logLevel ?? (process.env.BEACON_LOG_LEVEL || otherwise);
  if (!level) return () => {};
  return (await import("./log.ts")).createLogger(level, options.logFormat === "json" ? "json" : "text");
}

// commander says "error: unknown option '--evn'\n(Did you mean --env?)".
function usageError(error: CommanderError): BeaconError {
  const [message = "", hint] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = hint?.replace(/^\(|\)$/g, "");
  return new BeaconError("UsageInvalid", message, { next: suggestion ?? "beaconctl --help, or beaconctl COMMAND --help" });
}

function wantsJson(args: readonly string[]): boolean {
  const at = args.findIndex((arg) => arg === "-o" || arg === "--output");
  return args.includes("-ojson") || args.includes("--output=json") || (at >= 0 && args[at + 1] === "json");
}

function wantsVerbose(args: readonly string[]): boolean {
  return args.includes("-v") || args.includes("--verbose");
}
