/** What manifests say of drift: what is done about it, how often it is looked for, and what is known and left alone for a time. */

import { z } from "zod";
import { durationSchema, durationText, milliseconds } from "../core/duration.ts";
import { field } from "../core/field.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { isKnownUntil, type KnownDrift, LIFECYCLE_DEFAULTS, type Lifecycle, type Resource } from "../core/resource.ts";
import type { ObjectShape, Shape } from "../core/shape.ts";
import { suggestion } from "../core/suggest.ts";

const DAY_MS = 86_400_000;
// RFC 3339, section 5.6, its time left out or whole.
const MOMENT = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$/;

/** What is done about drift. */
export const driftModeSchema = z.enum(["correct", "report", "ignore"]);

const common = {
  mode: field(driftModeSchema.optional(), { doc: "`correct` it, only `report` it, or `ignore` it." }),
  interval: field(durationSchema.optional(), { doc: "How often the controller looks for it; as the environment says by default." }),
};

const exceptionSchema = z.strictObject({
  field: field(z.string().min(1), { doc: "A field, `ingress`, or a part of one, `tags.Team`." }),
  until: field(
    z.string().refine((text) => momentOf(text) !== undefined, "must be a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z"),
    { doc: "When it is drift again: a date, to its end in UTC, or a time (RFC 3339)." },
  ),
  reason: field(z.string().trim().min(1), { doc: "Why, for whoever meets it." }),
});

/** Of all resources of a blueprint's instance: no field is every kind's. */
export const instanceDriftSchema = z.union([driftModeSchema, z.strictObject(common)]);

/** Of one resource. */
export const driftSchema = z.union([
  driftModeSchema,
  z.strictObject({
    ...common,
    except: field(z.array(exceptionSchema).optional(), {
      doc: "Drift that is known, and neither corrected nor reported until it expires.",
    }),
  }),
]);

type DriftPolicy = Pick<Partial<Lifecycle>, "drift" | "driftIntervalMs" | "knownDrift">;

/** What a value that fits the schemas says. */
export function driftPolicy(value: Json | undefined): DriftPolicy {
  if (!isObject(value)) return value === undefined ? {} : { drift: value as Lifecycle["drift"] };
  const { mode, interval, except } = value;
  return {
    ...(mode === undefined ? {} : { drift: mode as Lifecycle["drift"] }),
    ...(typeof interval === "string" ? { driftIntervalMs: milliseconds(interval) } : {}),
    ...(Array.isArray(except) ? { knownDrift: except.filter(isObject).map(knownDrift) } : {}),
  };
}

function knownDrift({ field: path, until, reason }: JsonObject): KnownDrift {
  return { path: String(path), until: momentOf(String(until)) ?? "", reason: String(reason) };
}

/** ISO 8601 in UTC; a date lasts to its last moment. Undefined for what is neither a date nor a time. */
function momentOf(text: string): string | undefined {
  const [, date, time] = MOMENT.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00:00Z`);
  // The 30th of February would be read as a day of March.
  if (date === undefined || Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const at = time === undefined ? day + DAY_MS - 1 : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** What is wrong with the path of an exception; undefined where a kind may drift there. */
export function unknownPath(path: string, spec: ObjectShape): { readonly message: string; readonly hint?: string | undefined } | undefined {
  let shape: Shape = spec;
  for (const name of path.split(".")) {
    // Members of lists and maps are called whatever they are called at AWS.
    if (shape.type !== "object" && !isLeaf(shape)) return undefined;
    const fields: ObjectShape["fields"] = shape.type === "object" ? shape.fields : {};
    const inner = fields[name];
    if (!inner) return { message: `unknown field \`${name}\``, hint: suggestion(name, Object.keys(fields)) };
    shape = inner;
  }
  return undefined;
}

function isLeaf({ type }: Shape): boolean {
  return type !== "array" && type !== "map" && type !== "union" && type !== "any";
}

/** The policy as a manifest would say it; undefined where it is every resource's. */
export function driftInWords({ drift, driftIntervalMs, knownDrift: known = [] }: Lifecycle): Json | undefined {
  if (driftIntervalMs === undefined && known.length === 0) return drift === LIFECYCLE_DEFAULTS.drift ? undefined : drift;
  return {
    mode: drift,
    ...(driftIntervalMs === undefined ? {} : { interval: durationText(driftIntervalMs) }),
    ...(known.length === 0 ? {} : { except: known.map(({ path, until, reason }) => ({ field: path, until, reason })) }),
  };
}

/** One sentence for each exception that has expired: it is drift again, which may be meant. */
export function expiredExceptions(resources: readonly Resource[], nowMs: number): readonly string[] {
  return resources.flatMap(({ key, lifecycle, declaredAt }) =>
    (lifecycle.knownDrift ?? [])
      .filter((known) => !isKnownUntil(known, nowMs))
      .map(
        ({ path, until, reason }) =>
          `drift of \`${path}\` of ${key} was known until ${until}, and is drift again: ${reason} (${declaredAt})`,
      ),
  );
}
