/** One Monitor, checked once: looks, with their timeouts and retries, up to a result. */

import { AwsError } from "../aws/errors.ts";
import { BeaconError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";
import { holdsUnknown, isUnknown } from "../core/unknown.ts";
import type { Tools, Verdict } from "./check.ts";
import { CHECKS, checksIn, type ParsedMonitor, readMonitor } from "./monitor.ts";

/** How it stands. `unknown`: nobody could look, because AWS refused or could not be reached. */
export type MonitorState = "healthy" | "unhealthy" | "unknown";

/** What one check came to. Its JSON is what `health -o json` prints, so its members are an interface. */
export type MonitorResult = {
  readonly key: ResourceKey;
  readonly check: string;
  /** What was looked at: a URL, a table's name. */
  readonly subject: string;
  readonly state: MonitorState;
  readonly seen: string;
  readonly wanted: string;
  readonly attempts: number;
  readonly elapsedMs: number;
};

// Long enough for a blip to pass, short enough for a person to wait through ten of them.
const PAUSE_MS = 1000;

/** Checks a Monitor whose spec is resolved. Whatever goes wrong out there is its result. */
export async function runMonitor(key: ResourceKey, spec: JsonObject, tools: Tools, runtime: Runtime): Promise<MonitorResult> {
  const startedAt = runtime.monotonic();
  const outcome = await lookUntilHealthy(spec, tools, runtime);
  const { check = "", subject = "", wanted = "" } = describe(spec);
  return { key, check, subject, wanted, ...outcome, elapsedMs: Math.round(runtime.monotonic() - startedAt) };
}

/** The result of a Monitor for which nobody could look. */
export function unknownResult(key: ResourceKey, spec: JsonObject, seen: string): MonitorResult {
  const { check = "", subject = "", wanted = "" } = describe(spec);
  return { key, check, subject, wanted, state: "unknown", seen, attempts: 0, elapsedMs: 0 };
}

type Outcome = Pick<MonitorResult, "state" | "seen" | "attempts">;

async function lookUntilHealthy(spec: JsonObject, tools: Tools, runtime: Runtime): Promise<Outcome> {
  if (holdsUnknown(spec)) return { state: "unhealthy", seen: "not there yet", attempts: 0 };
  const monitor = readMonitor(spec);
  if ("wrong" in monitor) return { state: "unhealthy", seen: monitor.wrong, attempts: 0 };
  for (let attempts = 1; ; attempts++) {
    const { again, ...seen } = await attempt(monitor, tools, runtime);
    if (seen.state === "healthy" || !again || attempts > monitor.retries) return { ...seen, attempts };
    await runtime.sleep(PAUSE_MS);
  }
}

type Attempt = Pick<MonitorResult, "state" | "seen"> & { readonly again: boolean };

async function attempt({ check, spec, timeoutMs }: ParsedMonitor, tools: Tools, runtime: Runtime): Promise<Attempt> {
  try {
    const seen = await inTime(runtime, timeoutMs, (signal) => check.observe(tools, spec, signal));
    return seen === LATE
      ? { state: "unhealthy", seen: `no answer in ${timeoutMs / 1000} s`, again: true }
      : judged(check.judge(spec, seen));
  } catch (error) {
    // What AWS refuses, it would refuse again.
    const again = error instanceof AwsError && error.verdict !== "refused";
    return { state: "unknown", seen: failureText(error), again };
  }
}

function judged({ healthy, seen }: Verdict): Attempt {
  return { state: healthy ? "healthy" : "unhealthy", seen, again: true };
}

const LATE: unique symbol = Symbol("late");

/** The answer, or LATE; what comes after that is not waited for. */
async function inTime<T>(runtime: Runtime, timeoutMs: number, act: (signal: AbortSignal) => Promise<T>): Promise<T | typeof LATE> {
  const late = new AbortController();
  const done = new AbortController();
  const clock: Promise<typeof LATE> = runtime.sleep(timeoutMs, done.signal).then(
    () => LATE,
    () => LATE,
  );
  const answer = act(late.signal);
  try {
    return await Promise.race([answer, clock]);
  } finally {
    done.abort();
    late.abort();
    answer.catch(() => {});
  }
}

function failureText(error: unknown): string {
  if (error instanceof AwsError) return `could not be read: ${error.message} (${error.name})`;
  if (error instanceof BeaconError) return error.message;
  throw error;
}

/** What a Monitor looks at, as far as its spec is known. */
function describe(spec: JsonObject): { check?: string; subject?: string; wanted?: string } {
  const check = CHECKS.find(({ name }) => name === checksIn(spec)[0]);
  const own = check && spec[check.name];
  if (!check || !isObject(own)) return {};
  const missing = firstUnknown(own);
  const known = Object.fromEntries(Object.entries(own).filter(([, value]) => !holdsUnknown(value)));
  return {
    check: check.name,
    subject: missing === undefined ? check.subject(own) : `<${missing}>`,
    wanted: check.wanted(known),
  };
}

function firstUnknown(value: Json | undefined): string | undefined {
  if (isUnknown(value)) return value.$unknown;
  const members = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  return members.map(firstUnknown).find((found) => found !== undefined);
}
