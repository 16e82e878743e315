/** What a log is to those who write one; src/cli/log.ts makes it. */

/** Messages are constant, facts are fields; secrets are neither. */
export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;

/** The levels entries are written at, the least first. */
export type LogLevel = "debug" | "info" | "warn" | "error";
