/** The log: pino on stderr. Loaded only when a log level is asked for. */

import { pino } from "pino";
import type { Log } from "../core/log.ts";

/** `json` gives pino's own lines; `text` one readable line per entry. */
export function createLogger(level: string, format: "text" | "json"): Log {
  const stream = format === "json" ? process.stderr : { write: (line: string) => void process.stderr.write(textLine(line)) };
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
  return (entryLevel, message, facts) => logger[entryLevel](facts ?? {}, message);
}

/** `14:03:10.123 info  looked at AWS  stack=beacon/prod calls=61`. */
export function textLine(line: string): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as { level: string; time: string; msg: string };
  const fields = Object.entries(facts).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${[time.slice(11, 23), level.padEnd(5), msg, ...fields].join("  ")}\n`;
}
