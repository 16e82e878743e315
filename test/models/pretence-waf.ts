/** Web ACLs and associations whose members fit each other, made of ones whose members do not. */

import { canonical, isObject, type Json, type JsonObject } from "../../src/core/json.ts";

const LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1";

/** Of something that a web ACL can be associated with. */
export function associationOf(spec: JsonObject): JsonObject {
  return { ...spec, resourceArn: LOAD_BALANCER };
}

/** Rules of different names and priorities, and one member wherever AWS takes one. */
export function aclOf(spec: JsonObject): JsonObject {
  const rules = distinct(spec.rules, "name").map((rule, index) => ruleOf(rule, index));
  return { ...spec, defaultAction: actionOf(spec.defaultAction, "allow"), ...(spec.rules ? { rules } : {}) };
}

const GROUPS = ["managedRuleGroupStatement", "ruleGroupReferenceStatement"];

function ruleOf({ action, overrideAction, ruleLabels, ...rule }: JsonObject, priority: number): JsonObject {
  const statement = statementOf(rule.statement, 0);
  const own = { ...rule, priority, statement };
  if (GROUPS.some((name) => name in statement)) return { ...own, overrideAction: oneOf(overrideAction, { none: {} }) };
  return { ...own, action: actionOf(action, "block"), ...(ruleLabels ? { ruleLabels: distinct(ruleLabels, "name") } : {}) };
}

// Bodies are named by chance, and nobody has them.
function actionOf(action: Json | undefined, otherwise: string): JsonObject {
  const one = oneOf(action, { [otherwise]: {} });
  const response = isObject(one.block) ? one.block.customResponse : undefined;
  if (!isObject(response)) return one;
  const { customResponseBodyKey: _, ...kept } = response;
  return { block: { customResponse: kept } };
}

const HARMLESS: JsonObject = { geoMatchStatement: { countryCodes: ["DE"] } };

function statementOf(statement: Json | undefined, depth: number): JsonObject {
  const chosen = oneOf(statement, HARMLESS);
  return Object.fromEntries(Object.entries(chosen).map(([name, value]) => [name, isObject(value) ? insideOf(value, depth + 1) : value]));
}

function insideOf(value: JsonObject, depth: number): JsonObject {
  const inner = (statement: Json) => statementOf(statement, depth);
  const { statement, statements, scopeDownStatement, fieldToMatch, managedRuleGroupConfigs, ruleActionOverrides, excludedRules } = value;
  const configs = (Array.isArray(managedRuleGroupConfigs) ? managedRuleGroupConfigs : []).map((config) =>
    oneOf(config, { loginPath: "/" }),
  );
  const overrides = distinct(ruleActionOverrides, "name").map((one) => ({ ...one, actionToUse: actionOf(one.actionToUse, "count") }));
  return {
    ...value,
    ...(statement === undefined ? {} : { statement: inner(statement) }),
    ...(Array.isArray(statements) ? { statements: statements.map(inner) } : {}),
    ...(scopeDownStatement === undefined ? {} : { scopeDownStatement: inner(scopeDownStatement) }),
    ...(fieldToMatch === undefined ? {} : { fieldToMatch: partOf(fieldToMatch) }),
    ...(managedRuleGroupConfigs === undefined ? {} : { managedRuleGroupConfigs: configs }),
    ...(ruleActionOverrides === undefined ? {} : { ruleActionOverrides: overrides }),
    ...(excludedRules === undefined ? {} : { excludedRules: distinct(excludedRules, "name") }),
    ...rateOf(value),
  };
}

function partOf(fieldToMatch: Json): JsonObject {
  const one = oneOf(fieldToMatch, { method: {} });
  const members = Object.entries(one).map(([name, value]) => {
    const pattern = isObject(value) ? value.matchPattern : undefined;
    return [name, pattern === undefined ? value : { ...(value as JsonObject), matchPattern: oneOf(pattern, { all: {} }) }];
  });
  return Object.fromEntries(members);
}

const FORWARDED: JsonObject = { headerName: "x-forwarded-for", fallbackBehavior: "MATCH" };

function rateOf({ aggregateKeyType: type, customKeys, scopeDownStatement, forwardedIpConfig }: JsonObject): JsonObject {
  if (type === undefined) return {};
  const keys = (Array.isArray(customKeys) ? customKeys : []).map((key) => oneOf(key, { httpMethod: {} }));
  const isForwarded = type === "FORWARDED_IP" || keys.some((key) => key.forwardedIp !== undefined);
  return {
    customKeys: type === "CUSTOM_KEYS" ? (keys.length > 0 ? keys : [{ httpMethod: {} }]) : [],
    ...(type === "CONSTANT" && scopeDownStatement === undefined ? { scopeDownStatement: HARMLESS } : {}),
    ...(isForwarded ? { forwardedIpConfig: forwardedIpConfig ?? FORWARDED } : {}),
  };
}

/** One of the members, another for another value. */
function oneOf(value: Json | undefined, otherwise: JsonObject): JsonObject {
  const names = isObject(value) ? Object.keys(value) : [];
  const name = names[canonical(value).length % names.length];
  return isObject(value) && name !== undefined ? { [name]: value[name] } : otherwise;
}

function distinct(list: Json | undefined, member: string): JsonObject[] {
  const objects = Array.isArray(list) ? list.filter(isObject) : [];
  return [...new Map(objects.map((one) => [canonical(one[member]), one])).values()];
}
