/** Specs of zones, records and certificates whose members fit each other. */

import type { JsonObject } from "../../src/core/json.ts";

const ROUTING = ["weight", "region", "failover", "geoLocation", "geoProximityLocation", "cidrRoutingConfig"];

/** An alias or records, and one routing policy with a set identifier or neither. */
export function recordOf({ aliasTarget, ttl, resourceRecords, setIdentifier, multiValueAnswer: _one, ...spec }: JsonObject): JsonObject {
  const [policy, ...others] = ROUTING.filter((name) => spec[name] !== undefined);
  const kept = Object.fromEntries(Object.entries(spec).filter(([name]) => !others.includes(name)));
  const values = [...new Set(Array.isArray(resourceRecords) ? resourceRecords : ["192.0.2.1"])];
  const texts = spec.type === "TXT" || spec.type === "SPF" ? ['"text"'] : spec.type === "CNAME" ? values.slice(0, 1) : values;
  const content = aliasTarget ? { aliasTarget } : { ttl: ttl ?? 60, resourceRecords: texts };
  return { ...kept, ...content, ...(policy === undefined ? {} : { setIdentifier: setIdentifier ?? "a" }) };
}

/** Of Amazon or of a private authority, and validated by what is said of that way. */
export function certificateOf({
  certificateAuthorityArn,
  validationMethod,
  validation,
  validationDomains,
  ...spec
}: JsonObject): JsonObject {
  const [domainName, names] = [spec.domainName, Array.isArray(spec.subjectAlternativeNames) ? spec.subjectAlternativeNames : []];
  const others = [...new Set(names)].filter((name) => name !== domainName);
  const { subjectAlternativeNames: _names, ...kept } = spec;
  const own = { ...kept, ...(others.length > 0 ? { subjectAlternativeNames: others } : {}) };
  if (certificateAuthorityArn) return { ...own, certificateAuthorityArn };
  if (validationMethod !== "EMAIL")
    return { ...own, ...(validationMethod ? { validationMethod } : {}), ...(validation ? { validation } : {}) };
  return { ...own, validationMethod, ...(validationDomains ? { validationDomains: { [String(domainName)]: domainName ?? null } } : {}) };
}

/** Private with VPCs, or public, perhaps with a delegation set. */
export function zoneOf({ privateZone: _either, vpcs, delegationSetId, ...spec }: JsonObject): JsonObject {
  return { ...spec, ...(vpcs ? { privateZone: true, vpcs } : delegationSetId ? { delegationSetId } : {}) };
}
