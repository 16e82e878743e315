/**
 * SIGINT and SIGTERM while a run may write: the first asks it to stop (no new calls, those in flight are waited for), the
 * second ends the process at once; what it left open is resolved by the next run.
 */

import { constants } from "node:os";
import { BeaconError } from "../core/errors.ts";
import type { Lease } from "../core/store.ts";
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

/** A signal ended it before it had anything to report. */
export class Stopped extends BeaconError {
  readonly exitCode: ExitCode;

  constructor(message: string, { exitCode, cause }: { exitCode: ExitCode; cause: unknown }) {
    super("Interrupted", message, { cause });
    this.exitCode = exitCode;
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Listens until disposed; `onStop` says what is going on. */
export function stopOnSignals(onStop: (signal: string) => void): Stop {
  const controller = new AbortController();
  let exitCode: ExitCode | undefined;
  // timeout(1) signals a process and, in the same breath, its group: that echo is no second wish.
  let isEcho = false;
  const listener = (signal: NodeJS.Signals): void => {
    // 128 + signal number, as shells report it: 130 and 143.
    const code = (128 + constants.signals[signal]) as ExitCode;
    if (exitCode !== undefined) {
      if (isEcho) return;
      process.exit(code);
    }
    exitCode = code;
    isEcho = true;
    setImmediate(() => {
      isEcho = false;
    });
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

/**
 * The lease as a writer should see it: once the run is asked to stop, no call passes it either. A call may wait long between
 * the engine's decision and the wire, for a token or a connection, and would otherwise still start.
 */
export function untilStopped(lease: Lease, stop: AbortSignal): Lease {
  const assertHeld = (): void => {
    if (stop.aborted) throw new BeaconError("Interrupted", "the run was asked to stop before this call was sent");
    lease.assertHeld();
  };
  const { holder, epoch, signal, journal } = lease;
  return { holder, epoch, signal, journal, assertHeld, release: () => lease.release() };
}
