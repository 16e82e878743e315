/** The log of a controller: every event is one entry, under a constant message, with its facts as fields. */

import type { Log, LogLevel } from "../core/log.ts";
import type { Drift } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import type { ControllerEvent, Listener } from "./events.ts";
import { Repeats } from "./repeats.ts";
import { clipped, driftWords } from "./words.ts";

type Entry = { readonly level: LogLevel; readonly message: string };

const ENTRIES: Readonly<Record<ControllerEvent["type"], Entry>> = {
  leaseTaken: { level: "info", message: "lease taken" },
  leaseLost: { level: "warn", message: "lease lost" },
  leaseReleased: { level: "info", message: "lease released" },
  passEnded: { level: "info", message: "pass ended" },
  passFailed: { level: "warn", message: "pass failed" },
  driftFound: { level: "warn", message: "drift found" },
  driftCorrected: { level: "info", message: "drift corrected" },
  driftGone: { level: "info", message: "drift gone" },
  driftAttributed: { level: "info", message: "drift attributed" },
  stalled: { level: "error", message: "stalled" },
  recovered: { level: "info", message: "recovered" },
  revisionAccepted: { level: "info", message: "revision accepted" },
  revisionConverged: { level: "info", message: "revision converged" },
  approvalNeeded: { level: "warn", message: "approval needed" },
  sourceInvalid: { level: "error", message: "watched manifests are invalid" },
  paused: { level: "info", message: "paused" },
  resumed: { level: "info", message: "resumed" },
  monitorFailed: { level: "error", message: "monitor failed" },
  monitorRecovered: { level: "info", message: "monitor recovered" },
};

// A pass that found nothing to do comes every few seconds.
const PASSES: Readonly<Record<Extract<ControllerEvent, { type: "passEnded" }>["outcome"], LogLevel>> = {
  quiet: "debug",
  acted: "info",
  failed: "warn",
};

// CloudWatch Logs takes 1 MB an event and Fluent Bit's default is 32 kB a line; a resource whose every field has drifted stays below.
const DRIFTS_MAX = 20;
const TEXT_MAX = 2000;

/** Writes entries of any level; which are kept is the log's own choice. What repeats an earlier entry is `debug`. */
export function logEvents(log: Log): Listener {
  const repeats = new Repeats();
  return (event) => {
    const { level, message } = ENTRIES[event.type];
    const own = event.type === "passEnded" ? PASSES[event.outcome] : level;
    log(repeats.has(event) ? "debug" : own, message, factsOf(event));
  };
}

function factsOf({ type: _, stack, ...facts }: ControllerEvent): Readonly<Record<string, unknown>> {
  const { drift, message, elapsedMs, ...more } = facts as { drift?: readonly Drift[]; message?: string; elapsedMs?: number };
  return {
    stack: stackName(stack),
    ...more,
    ...(elapsedMs === undefined ? {} : { elapsedMs: Math.round(elapsedMs) }),
    ...(message === undefined ? {} : { message: clipped(message, TEXT_MAX) }),
    ...(drift === undefined ? {} : driftFacts(drift)),
  };
}

function driftFacts(drift: readonly Drift[]): Readonly<Record<string, unknown>> {
  const by = drift.find((one) => one.by)?.by;
  const more = drift.length - DRIFTS_MAX;
  return { drift: drift.slice(0, DRIFTS_MAX).map(driftWords), ...(more > 0 ? { more } : {}), ...(by ? { by } : {}) };
}
