/** `describe`: one resource on one screen. */

import { durationText, formatDistance } from "../../core/duration.ts";
import type { MemberText } from "../../core/field.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Change } from "../../core/plan.ts";
import type { StackEvent } from "../../core/record.ts";
import type { KindId, ResourceKey } from "../../core/resource.ts";
import type { ResourceView } from "../view.ts";
import { driftSince } from "./drift.ts";
import { changeLines, type PlanView } from "./plan.ts";
import { alignRows, type Row } from "./table.ts";
import { renderValue } from "./value.ts";

/** Everything known of one resource. */
export type Description = ResourceView & {
  readonly declaredAt?: string;
  /** The instances of blueprints that it is inside of, the innermost first. */
  readonly within?: readonly ResourceKey[];
  /** What an apply would do to it; absent without manifests. */
  readonly change?: Change;
  /** Pauses, holds and approvals that concern it. */
  readonly notes: readonly string[];
  readonly events: readonly StackEvent[];
  readonly dependsOn: readonly ResourceKey[];
  readonly neededBy: readonly ResourceKey[];
};

/** Headline, conditions, differences, history, spec, status, ties. */
export function renderDescription(description: Description, view: PlanView): string {
  const { style } = view;
  const { status, metadata, lifecycle } = description;
  const state = status.ready ? style.green("Ready") : style.yellow(status.reason);
  const generation = (metadata.generation ?? 1) > 1 ? ` (g${metadata.generation})` : "";
  const rows: Row[] = [
    ...(status.ready ? [] : [["Why", status.message] as const]),
    ...description.notes.map((note) => ["Note", style.yellow(note)] as const),
    ...driftRows(description, view),
    ...description.status.conditions.map((condition, index) => [index === 0 ? "Conditions" : "", conditionText(condition)] as const),
    ...(lifecycle ? [["Lifecycle", lifecycleText(lifecycle)] as const] : []),
    ...(description.declaredAt === undefined ? [] : [["Declared", declaredText(description)] as const]),
    ...description.events.map((event, index) => [index === 0 ? "History" : "", eventText(event)] as const),
    ["Depends on", description.dependsOn.join(", ") || "nothing"],
    ["Needed by", description.neededBy.join(", ") || "nothing"],
    ...fieldRows("Spec", description.spec, (name) => view.texts(`${description.apiVersion} ${description.kind}` as KindId, name)),
    ...fieldRows("Status", status.observed),
  ];
  const head = `${style.bold(description.key)}${generation}   ${status.id ?? "not created"}   ${state}${checkText(description, view)}`;
  return [head, ...alignRows(rows), ...differenceLines(description, view)].join("\n");
}

// What a controller saw; of a look just made the differences tell.
function checkText({ status: { checkedAt, nextCheckAt } }: Description, { now = 0, style }: PlanView): string {
  if (checkedAt === undefined || nextCheckAt === undefined) return "";
  const next = Date.parse(nextCheckAt) > now ? formatDistance(nextCheckAt, now) : "due";
  return `   ${style.dim(`checked ${formatDistance(checkedAt, now)}, next ${next}`)}`;
}

function driftRows({ status: { drift = [] }, apiVersion, kind }: Description, { now = 0, texts }: PlanView): readonly Row[] {
  if (drift.length === 0) return [];
  const lines = drift.map(({ path, from, to }) => {
    const text = texts(`${apiVersion} ${kind}` as KindId, path);
    return path === "" ? "gone from AWS" : `${path}: ${renderValue(from, text)} is ${renderValue(to, text)} at AWS`;
  });
  return [["Drift", driftSince(drift, now)], ...lines.map((line) => ["", line] as const)];
}

function conditionText({ type, status, reason, message, since }: ResourceView["status"]["conditions"][number]): string {
  return `${type} ${status ? "True" : "False"} ${reason} since ${since}${message === "" ? "" : `: ${message}`}`;
}

function lifecycleText(lifecycle: NonNullable<ResourceView["lifecycle"]>): string {
  const { deletion, replace, drift, driftIntervalMs, knownDrift = [], manage } = lifecycle;
  const interval = driftIntervalMs === undefined ? "" : ` every ${durationText(driftIntervalMs)}`;
  const known = knownDrift.map(({ path, until, reason }) => ` · drift of ${path} known until ${until}: ${reason}`).join("");
  return `deletion ${deletion} · replace ${replace} · drift ${drift}${interval}${manage ? "" : " · read only"}${known}`;
}

function declaredText({ declaredAt = "", within = [] }: Description): string {
  return [declaredAt, ...within.map((instance) => `in ${instance}`)].join(", ");
}

function eventText({ at, type, message }: StackEvent): string {
  return `${at}  ${type}: ${message}`;
}

function fieldRows(heading: string, values: JsonObject, textOf: (name: string) => MemberText | undefined = () => undefined): Row[] {
  return Object.entries(values).map(
    ([name, value], index) => [index === 0 ? heading : "", `${name}: ${renderValue(value, textOf(name))}`] as const,
  );
}

function differenceLines({ change, status }: Description, view: PlanView): string[] {
  if (!change) return [];
  const lines = changeLines(change, view);
  if (lines.length > 0) return ["", "An apply would do this:", ...lines];
  return status.ready ? ["", view.style.green("Nothing differs from the manifest.")] : [];
}
