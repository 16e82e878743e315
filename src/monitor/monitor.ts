/** A Monitor's spec: one check, and when and how patiently it is made. */

import { z } from "zod";
import type { OperationName } from "../aws/service.ts";
import { durationSchema, milliseconds } from "../core/duration.ts";
import { field } from "../core/field.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { objectShape } from "../core/shape.ts";
import { alarmState } from "./alarm-state.ts";
import type { Check } from "./check.ts";
import { http } from "./http.ts";
import { tableStatus } from "./table-status.ts";
import { targetHealth } from "./target-health.ts";

/** Every check a Monitor can ask for. */
export const CHECKS: readonly Check[] = [targetHealth, tableStatus, http, alarmState];

const DEFAULTS = { interval: "60s", failureThreshold: 1, timeout: "10s", retries: 2 } as const;

/** Exactly one check is to be declared: {@link checksIn} tells. */
export const monitorSchema = z.strictObject({
  ...Object.fromEntries(CHECKS.map(({ name, spec, doc }) => [name, field(spec.optional(), { doc })])),
  timeout: field(durationSchema.optional(), { doc: `Longest wait for one answer; ${DEFAULTS.timeout} by default.` }),
  retries: field(z.int().min(0).max(10).optional(), {
    doc: `Further looks, a second apart, before a check has failed; ${DEFAULTS.retries} by default.`,
  }),
  interval: field(durationSchema.optional(), { doc: `How often a controller checks; ${DEFAULTS.interval} by default.` }),
  failureThreshold: field(z.int().min(1).max(100).optional(), {
    doc: `So many failed checks in a row are one alert of a controller's, and the next healthy one is a recovery; ${DEFAULTS.failureThreshold} by default.`,
  }),
});

/** What a Monitor is called, and how it is described. */
export const MONITOR = Object.freeze({
  apiVersion: "beacon/v1",
  name: "Monitor",
  root: "monitor",
  shortNames: Object.freeze([]) as readonly string[],
  doc: "A check, declared as data; `beaconctl health` makes it now, and a controller makes it at its interval. It is no resource: no plan shows it, no record remembers it, and a diff asks AWS nothing for it.",
  spec: objectShape(monitorSchema),
});

/** The names of the checks that a spec asks for. */
export function checksIn(spec: JsonObject): readonly string[] {
  return CHECKS.map(({ name }) => name).filter((name) => spec[name] !== undefined);
}

/** A spec that fits the schema, defaults filled in. */
export type ParsedMonitor = { readonly check: Check; readonly spec: JsonObject; readonly timeoutMs: number; readonly retries: number };

/** How often a Monitor is checked, and how many failures in a row are told. */
export type Schedule = { readonly intervalMs: number; readonly failureThreshold: number };

/** Reads a resolved spec; says what is wrong where a value that became known late does not fit. */
export function readMonitor(spec: JsonObject): ParsedMonitor | { readonly wrong: string } {
  const parsed = monitorSchema.safeParse(spec);
  const check = CHECKS.find(({ name }) => name === checksIn(spec)[0]);
  const own = check && spec[check.name];
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { wrong: `${issue?.path.join(".")} ${issue?.message}` };
  }
  if (!check || !isObject(own)) throw new Error("the compiler let a Monitor without a check pass");
  const { timeout = DEFAULTS.timeout, retries = DEFAULTS.retries } = parsed.data;
  return { check, spec: own, timeoutMs: milliseconds(timeout), retries };
}

/** When to check it. Members that are not known yet, or do not fit, count as left out: even a check that cannot be made has its time. */
export function scheduleOf({ interval, failureThreshold }: JsonObject): Schedule {
  const { shape } = monitorSchema;
  const every = shape.interval.safeParse(interval).data ?? DEFAULTS.interval;
  return {
    intervalMs: milliseconds(every),
    failureThreshold: shape.failureThreshold.safeParse(failureThreshold).data ?? DEFAULTS.failureThreshold,
  };
}

/** What the checks of these names may call: what the read-only handle lets through, and the IAM policy allows. */
export function monitorOperations(checks: Iterable<string> = CHECKS.map(({ name }) => name)): readonly OperationName[] {
  const wanted = new Set(checks);
  return CHECKS.filter(({ name }) => wanted.has(name)).flatMap(({ operations }) => operations);
}
