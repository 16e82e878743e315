/**
 * SIGINT and SIGTERM while a run may write: the first asks it to stop (no new calls, those in flight are waited for), the
 * second ends the process at once; what it left open is resolved by the next run.
 */

import { constants } from "node:os";
import type { ExitCode } from "./exit.ts";

/** A run's stop signal, while it lasts. */
export type Stop = {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 130 or 143 once a signal has come. */
  readonly exitCode: () => ExitCode | undefined;
  /** Gives the signals back to Node. */
  readonly dispose: () => void;
};

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Listens until disposed; `onStop` says what is going on. */
export function stopOnSignals(onStop: (signal: string) => void): Stop {
  const controller = new AbortController();
  let exitCode: ExitCode | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    // 128 + signal number, as shells report it: 130 and 143.
    const code = (128 + constants.signals[signal]) as ExitCode;
    if (exitCode !== undefined) process.exit(code);
    exitCode = code;
    onStop(signal);
    controller.abort(new Error(signal));
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
