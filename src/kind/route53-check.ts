/** What the static checks find in record sets, before any AWS call. */

import { canonicalDnsName, isWithin } from "../core/dns-name.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

/** The fields that say which of several records an asker gets. */
export const POLICIES = ["weight", "region", "failover", "multiValueAnswer", "geoLocation", "geoProximityLocation", "cidrRoutingConfig"];

/** Members that AWS takes only together or never together, and names that the zone or AWS does not allow. */
export function* recordFindings(resource: StaticResource): Generator<CheckFinding> {
  yield* contentFindings(resource);
  yield* policyFindings(resource);
  yield* nameFindings(resource);
  yield* valueFindings(resource);
}

function* contentFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { aliasTarget, ttl, resourceRecords } = spec;
  if (aliasTarget !== undefined) {
    const field = ttl === undefined ? "resourceRecords" : "ttl";
    if (spec[field] !== undefined) yield { resource: key, field, message: `${key} is an alias, and has no \`${field}\`` };
    return;
  }
  const missing = [...(resourceRecords === undefined ? ["resourceRecords"] : []), ...(ttl === undefined ? ["ttl"] : [])];
  if (missing.length === 0) return;
  const hint = missing.length === 2 ? "set `ttl` and `resourceRecords`, or `aliasTarget`" : `set \`${missing[0]}\``;
  yield { resource: key, field: "", message: `${key} has no ${missing.map((name) => `\`${name}\``).join(" and no ")}`, hint };
}

function* policyFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const policies = POLICIES.filter((name) => spec[name] !== undefined && spec[name] !== false);
  const [first, second] = policies;
  if (second !== undefined) {
    yield { resource: key, field: second, message: `${key} has one routing policy, and not both \`${first}\` and \`${second}\`` };
  }
  if (first !== undefined && spec.setIdentifier === undefined) {
    const message = `${key} has \`${first}\`, and nothing that tells it from other records of its name and type`;
    yield { resource: key, field: first, message, hint: "set `setIdentifier`" };
  }
  if (first === undefined && spec.setIdentifier !== undefined) {
    const message = `${key} has a set identifier, and no routing policy`;
    yield { resource: key, field: "setIdentifier", message, hint: `set one of ${POLICIES.join(", ")}` };
  }
}

function* nameFindings({ key, spec, refersTo }: StaticResource): Generator<CheckFinding> {
  const zone = refersTo("hostedZoneId")?.spec.name;
  if (typeof spec.name !== "string" || typeof zone !== "string") return;
  const at = { resource: key, field: "name" };
  if (!isWithin(spec.name, zone)) yield { ...at, message: `${key} (${spec.name}) is not in the zone ${zone}` };
  if (spec.type === "CNAME" && canonicalDnsName(spec.name) === canonicalDnsName(zone)) {
    const message = `${key}: the name of a zone itself cannot be a CNAME`;
    yield { ...at, message, hint: "use an alias: type A, with `aliasTarget`" };
  }
}

// Route 53 developer guide, "Supported DNS record types": each text in double quotes, of at most 255 characters.
const TEXTS = /^"(?:[^"\\]|\\.){0,255}"(?:\s+"(?:[^"\\]|\\.){0,255}")*$/s;

function* valueFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const values = Array.isArray(spec.resourceRecords) ? spec.resourceRecords : [];
  for (const [index, value] of values.entries()) {
    const at = { resource: key, field: `resourceRecords.${index}` };
    if ((spec.type === "TXT" || spec.type === "SPF") && typeof value === "string" && !TEXTS.test(value)) {
      const message = `a ${spec.type} value of ${key} must be in double quotes, and at most 255 characters in each`;
      yield { ...at, message, hint: `write '"text"', and longer ones as '"first part" "second part"'` };
    }
    if (typeof value === "string" && values.indexOf(value) < index) yield { ...at, message: `${key} has the value ${value} twice` };
  }
  if (spec.type === "CNAME" && values.length > 1) {
    yield { resource: key, field: "resourceRecords.1", message: `${key} is a CNAME, which leads to one name` };
  }
}
