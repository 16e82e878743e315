/** What a command is: its arguments and options as data, and one function. */

import type { Log } from "../core/log.ts";
import type { ExitCode } from "./exit.ts";
import type { Io } from "./io.ts";
import type { CommonOptions, OptionDefinition } from "./options.ts";
import type { Services } from "./services.ts";

/** One call of a command. */
export type Invocation<Options = unknown> = {
  readonly args: readonly string[];
  readonly options: Options & CommonOptions;
  readonly io: Io;
  readonly services: Services;
  readonly log: Log;
};

/** A command as its file writes it. Errors are thrown as BeaconError; the caller prints them and picks the exit code. */
export type CommandDefinition<Options> = {
  /** commander's syntax: `[resources...]`. */
  readonly arguments?: readonly { readonly syntax: string; readonly description: string }[];
  readonly description: string;
  readonly options: readonly OptionDefinition[];
  /** What it logs where nobody says: a daemon's log is what people see of it. Absent: nothing. */
  readonly logLevel?: "info";
  /** Whole command lines, shown by --help. */
  readonly examples: readonly string[];
  readonly run: (invocation: Invocation<Options>) => Promise<ExitCode>;
};

/** A command with its option types erased. */
export type AnyCommand = CommandDefinition<never>;

/** Types a definition's `run` by its options, then erases them. */
export function defineCommand<Options>(definition: CommandDefinition<Options>): AnyCommand {
  return Object.freeze(definition) as unknown as AnyCommand;
}
