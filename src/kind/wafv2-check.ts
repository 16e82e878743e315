/** What the static checks find in a web ACL's manifest, before any AWS call; and how plans write a rule. */

import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { isUnknown } from "../core/unknown.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

/** A place in a manifest: the resource, and the path within its spec. */
type At = { readonly resource: StaticResource["key"]; readonly field: string };

/** Rules that collide, members of which AWS takes one, actions that do not fit their statements, and names that nobody defines. */
export function* aclFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const at = (field: string): At => ({ resource: key, field });
  yield* oneOf(at("defaultAction"), spec.defaultAction, "action");
  yield* bodyFindings(at("defaultAction"), spec.defaultAction, spec.customResponseBodies);
  const rules = Array.isArray(spec.rules) ? spec.rules : [];
  yield* doubles(at("rules"), rules, "name");
  yield* doubles(at("rules"), rules, "priority");
  for (const [index, rule] of rules.entries()) {
    if (isObject(rule) && !isUnknown(rule)) yield* ruleFindings(at(`rules.${index}`), rule, spec.customResponseBodies);
  }
}

function* doubles({ resource, field }: At, rules: readonly Json[], member: string): Generator<CheckFinding> {
  const seen = new Set<Json>();
  for (const [index, rule] of rules.entries()) {
    const value = isObject(rule) ? rule[member] : undefined;
    if (value === undefined || isObject(value)) continue;
    if (seen.has(value))
      yield { resource, field: `${field}.${index}.${member}`, message: `${resource} has two rules of ${member} ${value}` };
    seen.add(value);
  }
}

const GROUPS = ["managedRuleGroupStatement", "ruleGroupReferenceStatement"];

function* ruleFindings(at: At, rule: JsonObject, bodies: Json | undefined): Generator<CheckFinding> {
  yield* statementFindings(inside(at, "statement"), rule.statement);
  yield* oneOf(inside(at, "action"), rule.action, "action");
  yield* oneOf(inside(at, "overrideAction"), rule.overrideAction, "action");
  yield* bodyFindings(inside(at, "action"), rule.action, bodies);
  const { statement } = rule;
  if (!isObject(statement) || isUnknown(statement) || Object.keys(statement).length !== 1) return;
  const isGroup = GROUPS.some((name) => name in statement);
  const [wanted, unwanted] = isGroup ? ["overrideAction", "action"] : ["action", "overrideAction"];
  const what = isGroup ? "a rule that is a rule group" : "a rule that is no rule group";
  if (rule[wanted] === undefined)
    yield { ...at, message: `${what} needs \`${wanted}\``, ...(isGroup ? { hint: "overrideAction: {none: {}}" } : {}) };
  if (rule[unwanted] !== undefined) yield { ...inside(at, unwanted), message: `${what} has no \`${unwanted}\`` };
  if (isGroup && rule.ruleLabels !== undefined) yield { ...inside(at, "ruleLabels"), message: `${what} has no labels of its own` };
}

// Members of which a statement takes exactly one, wherever they stand.
const CHOICES = ["fieldToMatch", "matchPattern"];

function* statementFindings(at: At, statement: Json | undefined): Generator<CheckFinding> {
  if (!isObject(statement) || isUnknown(statement)) return;
  yield* oneOf(at, statement, "statement");
  for (const [name, value] of Object.entries(statement)) {
    if (!isObject(value) || isUnknown(value)) continue;
    const here = inside(at, name);
    yield* choiceFindings(here, value);
    if (name === "rateBasedStatement") yield* rateFindings(here, value);
    yield* statementFindings(inside(here, "statement"), value.statement);
    yield* statementFindings(inside(here, "scopeDownStatement"), value.scopeDownStatement);
    for (const [index, inner] of listOf(value.statements).entries()) yield* statementFindings(inside(here, `statements.${index}`), inner);
    for (const [index, inner] of listOf(value.managedRuleGroupConfigs).entries())
      yield* oneOf(inside(here, `managedRuleGroupConfigs.${index}`), inner, "configuration");
    for (const [index, inner] of listOf(value.ruleActionOverrides).entries())
      yield* oneOf(inside(here, `ruleActionOverrides.${index}.actionToUse`), isObject(inner) ? inner.actionToUse : undefined, "action");
    yield* doubles(inside(here, "ruleActionOverrides"), listOf(value.ruleActionOverrides), "name");
  }
}

function* choiceFindings(at: At, value: JsonObject): Generator<CheckFinding> {
  for (const [name, inner] of Object.entries(value)) {
    if (!isObject(inner) || isUnknown(inner)) continue;
    if (CHOICES.includes(name)) yield* oneOf(inside(at, name), inner, name === "fieldToMatch" ? "part of the request" : "pattern");
    if (CHOICES.includes(name) || at.field.endsWith("fieldToMatch")) yield* choiceFindings(inside(at, name), inner);
  }
}

/** What `aggregateKeyType` wants beside it (WAFV2 API Reference, RateBasedStatement). */
function* rateFindings(at: At, value: JsonObject): Generator<CheckFinding> {
  const { aggregateKeyType: type, customKeys, forwardedIpConfig, scopeDownStatement } = value;
  for (const [index, key] of listOf(customKeys).entries()) yield* oneOf(inside(at, `customKeys.${index}`), key, "key");
  if (typeof type !== "string") return;
  const keys = listOf(customKeys);
  if (type === "CUSTOM_KEYS" && keys.length === 0) yield { ...at, message: "counting by CUSTOM_KEYS needs `customKeys`" };
  if (type !== "CUSTOM_KEYS" && keys.length > 0)
    yield { ...inside(at, "customKeys"), message: `counting by ${type} has no \`customKeys\`` };
  if (type === "CONSTANT" && scopeDownStatement === undefined)
    yield { ...at, message: "counting by CONSTANT needs a `scopeDownStatement`" };
  const isForwarded = type === "FORWARDED_IP" || keys.some((key) => isObject(key) && key.forwardedIp !== undefined);
  if (isForwarded && forwardedIpConfig === undefined) yield { ...at, message: "counting by a forwarded address needs `forwardedIpConfig`" };
}

/** A body that an action names, and the web ACL does not have. */
function* bodyFindings(at: At, action: Json | undefined, bodies: Json | undefined): Generator<CheckFinding> {
  const block = isObject(action) ? action.block : undefined;
  const response = isObject(block) ? block.customResponse : undefined;
  const name = isObject(response) ? response.customResponseBodyKey : undefined;
  if (typeof name !== "string" || isUnknown(bodies) || (isObject(bodies) && bodies[name] !== undefined)) return;
  const field = "block.customResponse.customResponseBodyKey";
  yield { ...inside(at, field), message: `${at.resource} has no body \`${name}\` in \`customResponseBodies\`` };
}

function* oneOf(at: At, value: Json | undefined, what: string): Generator<CheckFinding> {
  if (!isObject(value) || isUnknown(value)) return;
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (names.length === 1) return;
  yield { ...at, message: `${at.resource} needs one ${what} here, and has ${names.length === 0 ? "none" : names.join(" and ")}` };
}

function inside({ resource, field }: At, path: string): At {
  return { resource, field: `${field}.${path}` };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** `RateLimitRule (1): block, rateBasedStatement`. */
export function ruleText({ name, priority, action, overrideAction, statement }: JsonObject): string {
  const named = (value: Json | undefined) => (isObject(value) ? Object.keys(value).join(" ") : "");
  return `${name} (${priority}): ${action === undefined ? `override ${named(overrideAction)}` : named(action)}, ${named(statement)}`;
}
