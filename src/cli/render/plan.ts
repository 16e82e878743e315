/** A plan as a person reads it: what will happen to which resource, field by field, and why. */

import type { Difference, LeftAlone } from "../../core/diff.ts";
import type { MemberText } from "../../core/field.ts";
import type { Action, Change, Plan } from "../../core/plan.ts";
import type { Drift } from "../../core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../../core/resource.ts";
import type { Style } from "../io.ts";
import { differenceRows } from "./difference.ts";
import { driftSince } from "./drift.ts";
import type { MemberTexts } from "./member-texts.ts";
import { alignRows, count, type Row, reasonText } from "./table.ts";
import { renderValue } from "./value.ts";

/** What is said above the plan: where was looked, and what the look cost. */
export type PlanFacts = {
  readonly stack: Stack;
  readonly region: string;
  readonly accountId: string;
  /** The accepted revision; absent before the first apply. */
  readonly revision?: number;
  /** Pauses, holds, approvals that are waited for. */
  readonly notes?: readonly string[];
  readonly resources: number;
  readonly calls: number;
  readonly elapsedMs: number;
};

/** How a plan is shown. */
export type PlanView = {
  readonly style: Style;
  readonly verbose: boolean;
  readonly texts: MemberTexts;
  readonly verb?: "apply" | "delete" | "rollback";
  /** What a controller has seen of a resource's drift, and the time in epoch milliseconds. */
  readonly driftOf?: (key: ResourceKey) => readonly Drift[];
  readonly now?: number;
};

const SYMBOLS: Readonly<Record<Action, string>> = {
  create: "+",
  update: "~",
  replace: "±",
  delete: "-",
  adopt: "=",
  move: ">",
  forget: "x",
  none: " ",
  blocked: "!",
};

// The column where a resource's explanation starts; longer keys push theirs to the right.
const EXPLANATION_COLUMN = 44;

/** The whole plan: header, one block per resource that changes or is left alone, and the summary line. */
export function renderPlan(plan: Plan, facts: PlanFacts, view: PlanView): string {
  const blocks = plan.changes.flatMap((change) => changeLines(change, view));
  return [
    planHeader(facts, view.style),
    ...(facts.notes ?? []).map((note) => view.style.yellow(note)),
    ...(blocks.length > 0 ? ["", ...blocks] : []),
    ...noteLines(plan, view.style),
    "",
    planSummary(plan, view),
  ].join("\n");
}

/** True when an apply would do nothing, so that `diff` exits 0. */
export function isEmptyPlan(plan: Plan): boolean {
  return plan.outputs.length === 0 && plan.changes.every((change) => change.action === "none");
}

function planHeader(facts: PlanFacts, style: Style): string {
  const revision = facts.revision === undefined ? "no revision yet" : `revision ${facts.revision}`;
  const cost = `looked at ${count(facts.resources, "resource")} in ${count(facts.calls, "call")}, ${(facts.elapsedMs / 1000).toFixed(1)} s`;
  return `${style.bold(stackName(facts.stack))}  ${facts.region}  account ${facts.accountId}  ${revision}  ${style.dim(cost)}`;
}

/** One change: its headline and its rows; nothing for what neither changes nor is left alone. */
export function changeLines(change: Change, view: PlanView): string[] {
  const leftAlone = change.leftAlone.filter((left) => view.verbose || left.why !== "foreign");
  if (change.action === "none" && leftAlone.length === 0) return [];
  const { style } = view;
  const head = `${paintAction(change.action, style)} ${headline(change.key, explain(change, view), style)}`;
  const rows: Row[] = [
    ...change.differences.flatMap((difference) =>
      differenceRows(difference, { style, cause: !sameCause(change), text: view.texts(change.kind, difference.path) }),
    ),
    ...desiredRows(change, view),
    ...(change.dependents.length > 0 ? [["then", change.dependents.map((key) => `~ ${key}`).join(", ")] as const] : []),
    ...change.retires.map((id) => ["then", `- ${id}, which it replaces`] as const),
    ...(change.resolves ? [["first", "an earlier create without an answer is looked for"] as const] : []),
    ...leftAlone.map((left) => [left.path, style.dim(leftAloneText(left, view.texts(change.kind, left.path)))] as const),
  ];
  return [head.trimEnd(), ...alignRows(rows).map((line) => `    ${line}`)];
}

function headline(key: string, explanation: string, style: Style): string {
  return explanation === ""
    ? style.bold(key)
    : `${style.bold(key)}${" ".repeat(Math.max(2, EXPLANATION_COLUMN - key.length))}${explanation}`;
}

function explain(change: Change, view: PlanView): string {
  switch (change.action) {
    case "create":
      return change.vanished === undefined
        ? fieldsCount(change, view)
        : `vanished from AWS (was ${change.vanished}); ${fieldsCount(change, view)}`;
    case "update":
      return causes(change, view);
    case "replace":
      return [causes(change, view), replaceOrder(change)].filter(Boolean).join(", ");
    case "delete":
      return change.id ?? "";
    case "adopt":
      return `takes over the existing ${change.id ?? "object"}`;
    case "move":
      return `was ${change.movedFrom ?? "named otherwise"}; the object stays`;
    case "forget":
      return `${change.id ?? "the object"} stays in AWS, its record goes`;
    case "blocked":
      return change.blocked ? reasonText(change.blocked.reason, change.blocked.message) : "";
    case "none":
      return "";
  }
}

function fieldsCount(change: Change, view: PlanView): string {
  return `${count(Object.keys(change.desired ?? {}).length, "field")}${view.verbose ? "" : " (-v to show)"}`;
}

function causes(change: Change, { driftOf, now = 0 }: PlanView): string {
  const since = driftSince(driftOf?.(change.key) ?? [], now);
  const drift = since === "" ? "drift" : `drift, ${since}`;
  const words = { pending: "pending", drift, unknown: "differs; the records do not say since when" } as const;
  return [...new Set(change.differences.map((difference) => words[difference.cause]))].join(" and ");
}

function sameCause(change: Change): boolean {
  return new Set(change.differences.map((difference) => difference.cause)).size <= 1;
}

function replaceOrder(change: Change): string {
  const forcing = change.differences.filter((difference) => difference.immutable).map((difference) => difference.path);
  const why = forcing.length > 0 ? ` (${forcing.join(", ")} ${forcing.length > 1 ? "are" : "is"} immutable)` : " (asked for)";
  return change.order === "deleteFirst" ? `deleted first, so there is an outage${why}` : `its successor is created first${why}`;
}

function desiredRows(change: Change, view: PlanView): Row[] {
  if (!view.verbose || change.action !== "create") return [];
  return Object.entries(change.desired ?? {}).map(([name, value]) => [name, renderValue(value, view.texts(change.kind, name))]);
}

function leftAloneText(left: LeftAlone, text: MemberText | undefined): string {
  switch (left.why) {
    case "createOnly":
      return `${renderValue(left.after, text)} → ${renderValue(left.before, text)} is another's since the create: left alone`;
    case "ignored":
      return `${renderValue(left.before, text)} at AWS, ${renderValue(left.after, text)} here: ignored, as its lifecycle says`;
    case "foreign":
      return `${renderValue(left.before, text)} at AWS, not in the manifest: left alone`;
  }
}

function noteLines(plan: Plan, style: Style): string[] {
  const outputs = plan.outputs.map(({ name, before, after }) => `  output ${name}  ${renderValue(before)} → ${renderValue(after)}`);
  const newer = plan.newer.map(({ key, message }) => style.dim(`  ${key}  ${message}`));
  return outputs.length + newer.length > 0 ? ["", ...outputs, ...newer] : [];
}

const NOTHING = {
  apply: "AWS holds what the manifests say.",
  rollback: "AWS holds what that revision says.",
  delete: "Nothing to delete.",
} as const;

function planSummary(plan: Plan, { style, verb = "apply" }: PlanView): string {
  if (!isEmptyPlan(plan))
    return `${planCounts(plan)}   plan ${style.bold(plan.digest)}   ${verb} exactly this with: --expect ${plan.digest}`;
  return verb === "delete" ? NOTHING.delete : `${style.green("No differences:")} ${NOTHING[verb]}`;
}

/** `1 to create, 4 to update, 1 to replace, 0 to delete; 1 drifted.` The first four always; the rest when there are any. */
export function planCounts(plan: Plan): string {
  const of = (action: Action): number => plan.changes.filter((change) => change.action === action).length;
  const always = [`${of("create")} to create`, `${of("update")} to update`, `${of("replace")} to replace`, `${of("delete")} to delete`];
  const rare = [
    [of("adopt"), "to adopt"],
    [of("move"), "to move"],
    [of("forget"), "to forget"],
    [of("blocked"), "blocked"],
  ] as const;
  const drifted = plan.changes.filter(isDrifted).length;
  const parts = [...always, ...rare.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)];
  return `${parts.join(", ")}${drifted > 0 ? `; ${drifted} drifted` : ""}.`;
}

/** AWS changed behind our back: a field drifted, or the object vanished. */
export function isDrifted(change: Change): boolean {
  return change.vanished !== undefined || change.differences.some((difference: Difference) => difference.cause === "drift");
}

function paintAction(action: Action, style: Style): string {
  const symbol = SYMBOLS[action];
  switch (action) {
    case "create":
    case "adopt":
      return style.green(symbol);
    case "update":
    case "move":
      return style.yellow(symbol);
    case "replace":
      return style.magenta(symbol);
    case "delete":
    case "forget":
    case "blocked":
      return style.red(symbol);
    case "none":
      return symbol;
  }
}
