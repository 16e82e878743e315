/** A metric alarm in the manifest's words and in AWS's: which of its members go together, and what the static checks find. */

import type { MetricAlarm, PutMetricAlarmInput } from "@aws-sdk/client-cloudwatch";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { isUnknown } from "../core/unknown.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";
import { defined } from "./listing.ts";
import { wordsOf } from "./words.ts";

const { toAws, fromAws } = wordsOf({
  spellings: { okActions: "OKActions", promQlCriteria: "PromQLCriteria" },
  lists: { dimensions: "Value" },
});

// What an alarm watches is said in one of three ways, and AWS refuses the members of the others beside it (CloudWatch API
// Reference, PutMetricAlarm).
const METRIC = ["metricName", "namespace", "dimensions", "statistic", "extendedStatistic", "period", "unit"];
const QUERY = ["evaluationCriteria", "evaluationInterval"];
const JUDGED = ["threshold", "thresholdMetricId", "comparisonOperator", "evaluationPeriods", "datapointsToAlarm"];
const OTHERS = ["treatMissingData", "evaluateLowSampleCountPercentile", "evaluationWindow"];

type Way = { readonly needs: readonly string[]; readonly refuses: readonly string[] };

const WAYS: Readonly<Record<string, Way>> = {
  metricName: { needs: ["namespace", "period", "comparisonOperator", "evaluationPeriods"], refuses: ["metrics", ...QUERY] },
  metrics: { needs: ["comparisonOperator", "evaluationPeriods"], refuses: [...METRIC, ...QUERY] },
  evaluationCriteria: { needs: ["evaluationInterval"], refuses: [...METRIC, "metrics", ...JUDGED, ...OTHERS] },
};

// Of these, an alarm has one.
const STATISTICS = ["statistic", "extendedStatistic"];
const LIMITS = ["threshold", "thresholdMetricId"];

function waysOf(alarm: JsonObject): readonly string[] {
  return Object.keys(WAYS).filter((name) => alarm[name] !== undefined);
}

/** The whole alarm: what the manifest says, and what it does not say as AWS has it, where both can be. */
export function wholeAlarm(said: JsonObject, observed: JsonObject): JsonObject {
  const chosen = [STATISTICS, LIMITS].flatMap((names) => (names.some((name) => said[name] !== undefined) ? names : []));
  const percentile = said.statistic === undefined ? [] : ["evaluateLowSampleCountPercentile"];
  const unsaid = Object.entries(observed).filter(([name]) => ![...chosen, ...percentile].includes(name));
  const refused = waysOf(said).flatMap((way) => WAYS[way]?.refuses ?? []);
  const members = Object.entries({ ...Object.fromEntries(unsaid), ...said });
  return Object.fromEntries(members.filter(([name]) => !refused.includes(name)));
}

/** An alarm as a put takes it. */
export function alarmOut(alarm: JsonObject): PutMetricAlarmInput {
  const present = Object.entries(alarm).filter(([, value]) => value !== undefined && value !== null);
  return toAws(Object.fromEntries(present)) as PutMetricAlarmInput;
}

/** Spec and status of an alarm, but its tags. `fields`: the spec's. */
export function alarmOf(alarm: MetricAlarm, fields: readonly string[]): JsonObject {
  const { metrics, ...said } = fromAws(alarm) as JsonObject;
  // AWS may say that there are none, and an alarm that watches a metric has no such list.
  const all: JsonObject = Array.isArray(metrics) && metrics.length > 0 ? { ...said, metrics } : said;
  const own = Object.fromEntries([...fields, "alarmArn", "stateValue"].map((name) => [name, all[name]]));
  return defined({ ...own, ...withDefaults(all) });
}

/** What an alarm has where nobody said it, and AWS may not. */
export function withDefaults(alarm: JsonObject): JsonObject {
  const { actionsEnabled = true, dimensions = {}, alarmActions = [], okActions = [], insufficientDataActions = [] } = alarm;
  const always = { actionsEnabled, dimensions, alarmActions, okActions, insufficientDataActions };
  return alarm.evaluationCriteria === undefined ? { ...always, treatMissingData: alarm.treatMissingData ?? "missing" } : always;
}

type Finding = (field: string, message: string) => CheckFinding;

/** What does not go together, before any AWS call. */
export function* alarmFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const found: Finding = (field, message) => ({ resource: key, field, message: `${key} ${message}` });
  const [way, another] = waysOf(spec);
  if (way === undefined || another !== undefined) {
    yield found(
      another ?? "",
      `watches one of ${Object.keys(WAYS).join(", ")}, and has ${way === undefined ? "none" : `${way} and ${another}`}`,
    );
    return;
  }
  const { needs, refuses } = WAYS[way] as Way;
  yield* refuses.filter((name) => spec[name] !== undefined).map((name) => found(name, `has no \`${name}\` beside \`${way}\``));
  yield* needs.filter((name) => spec[name] === undefined).map((name) => found("", `needs \`${name}\` beside \`${way}\``));
  if (way === "metricName") yield* oneOf(spec, STATISTICS, found);
  if (way !== "evaluationCriteria") yield* oneOf(spec, LIMITS, found);
  yield* judgementFindings(spec, found);
  if (Array.isArray(spec.metrics)) yield* queryFindings(spec.metrics, spec.thresholdMetricId, found);
}

function* oneOf(spec: JsonObject, names: readonly string[], found: Finding): Generator<CheckFinding> {
  const present = names.filter((name) => spec[name] !== undefined);
  if (present.length !== 1)
    yield found(present[1] ?? "", `needs one of ${names.join(" and ")}, and has ${present.join(" and ") || "none"}`);
}

// Those that compare with a band (CloudWatch API Reference, PutMetricAlarm, ComparisonOperator).
const BAND = ["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"];

function* judgementFindings(spec: JsonObject, found: Finding): Generator<CheckFinding> {
  const { comparisonOperator: operator, thresholdMetricId, evaluationPeriods: periods, datapointsToAlarm: points } = spec;
  if (typeof operator === "string" && BAND.includes(operator) !== (thresholdMetricId !== undefined)) {
    const message = BAND.includes(operator)
      ? `compares with a band, and needs \`thresholdMetricId\``
      : `has a band, and ${operator} compares with a number`;
    yield found("comparisonOperator", message);
  }
  if (thresholdMetricId !== undefined && spec.metrics === undefined)
    yield found("thresholdMetricId", "has a band, and needs `metrics` that it is in");
  if (typeof periods === "number" && typeof points === "number" && points > periods) {
    yield found("datapointsToAlarm", `looks at ${periods} data points, and cannot wait for ${points}`);
  }
  if (spec.evaluateLowSampleCountPercentile !== undefined && spec.statistic !== undefined) {
    yield found(
      "evaluateLowSampleCountPercentile",
      `is of no use beside the statistic of ${String(spec.statistic)}: it is for percentiles`,
    );
  }
}

/** Each a metric or an expression, under a name of its own; one of them, or one and the band, is what is compared. */
function* queryFindings(queries: readonly Json[], band: Json | undefined, found: Finding): Generator<CheckFinding> {
  const known = queries.map((query) => (isObject(query) && !isUnknown(query) ? query : undefined));
  const ids = new Set<Json>();
  for (const [index, query] of known.entries()) {
    if (query === undefined) continue;
    if ((query.metricStat === undefined) === (query.expression === undefined))
      yield found(`metrics.${index}`, "needs `metricStat` or `expression` here");
    if (typeof query.id === "string" && ids.has(query.id)) yield found(`metrics.${index}.id`, `has two metrics named ${query.id}`);
    if (query.id !== undefined) ids.add(query.id);
  }
  if (typeof band === "string" && !known.includes(undefined) && !ids.has(band))
    yield found("thresholdMetricId", `has no metric named ${band}`);
  const returned = known.filter((query) => query === undefined || query.returnData !== false);
  if (band === undefined && returned.length !== 1) {
    yield found("metrics", `compares one metric, and ${returned.length} have \`returnData\`: set it to false for the others`);
  }
}
