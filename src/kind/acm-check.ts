/** What the static checks find in certificates, before any AWS call. */

import { isWithin } from "../core/dns-name.ts";
import { isObject } from "../core/json.ts";
import type { CheckFinding, StaticResource } from "./kind.ts";

// ACM API Reference, RequestCertificate: the common name holds no more (RFC 5280).
const COMMON_NAME_MAX = 64;

/** Domains that are too long, twice or outside the zone, and ways of validation that do not go together. */
export function* certificateFindings(resource: StaticResource): Generator<CheckFinding> {
  yield* nameFindings(resource);
  yield* methodFindings(resource);
  yield* zoneFindings(resource);
}

function* nameFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const { domainName } = spec;
  if (typeof domainName === "string" && domainName.length > COMMON_NAME_MAX) {
    const message = `${key}: the domain has ${domainName.length} characters, and AWS takes ${COMMON_NAME_MAX} here`;
    yield { resource: key, field: "domainName", message, hint: "make a shorter one the domain, and this one an alternative name" };
  }
  const names = alternativesOf(spec);
  for (const [index, name] of names.entries()) {
    const at = { resource: key, field: `subjectAlternativeNames.${index}` };
    if (name === domainName)
      yield { ...at, message: `${key} lists its own domain among the alternative names`, hint: "leave it out: AWS adds it" };
    if (names.indexOf(name) < index) yield { ...at, message: `${key} lists ${name} twice` };
  }
}

function* methodFindings({ key, spec }: StaticResource): Generator<CheckFinding> {
  const isPrivate = spec.certificateAuthorityArn !== undefined;
  for (const field of ["validationMethod", "validation", "validationDomains"]) {
    if (isPrivate && spec[field] !== undefined) {
      yield { resource: key, field, message: `${key} is of a private authority, which needs no proof of its domains` };
    }
  }
  if (isPrivate) return;
  const isMail = spec.validationMethod === "EMAIL";
  if (isMail && spec.validation !== undefined) {
    yield {
      resource: key,
      field: "validation",
      message: `${key} is validated by mail, and needs no records`,
      hint: "set `validationMethod: DNS`",
    };
  }
  const isDns = spec.validationMethod === undefined || spec.validationMethod === "DNS";
  if (isDns && spec.validationDomains !== undefined) {
    yield {
      resource: key,
      field: "validationDomains",
      message: `${key} is validated by DNS, and nobody is sent mail`,
      hint: "set `validationMethod: EMAIL`",
    };
  }
  yield* mailFindings({ key, spec });
}

function* mailFindings({ key, spec }: Pick<StaticResource, "key" | "spec">): Generator<CheckFinding> {
  const names = [spec.domainName, ...alternativesOf(spec)];
  const isKnown = names.every((name) => typeof name === "string");
  for (const [domain, parent] of Object.entries(isObject(spec.validationDomains) ? spec.validationDomains : {})) {
    const at = { resource: key, field: `validationDomains.${domain}` };
    if (isKnown && !names.includes(domain)) yield { ...at, message: `${key} is not for ${domain}` };
    if (typeof parent === "string" && !isWithin(domain.replace(/^\*\./, ""), parent)) {
      yield { ...at, message: `${parent} is neither ${domain} nor above it` };
    }
  }
}

function* zoneFindings({ key, spec, refersTo }: StaticResource): Generator<CheckFinding> {
  const zone = refersTo("validation.hostedZoneId")?.spec;
  if (zone?.privateZone === true) {
    yield {
      resource: key,
      field: "validation.hostedZoneId",
      message: `${key}: AWS looks on the internet, and does not see a private zone`,
    };
  }
  if (typeof zone?.name !== "string") return;
  for (const [field, name] of [
    ["domainName", spec.domainName] as const,
    ...alternativesOf(spec).map((name, index) => [`subjectAlternativeNames.${index}`, name] as const),
  ]) {
    if (typeof name !== "string" || isWithin(name, zone.name)) continue;
    yield { resource: key, field, message: `${key}: ${name} is not in the zone ${zone.name}, so its validation record cannot be there` };
  }
}

function alternativesOf({ subjectAlternativeNames: names }: StaticResource["spec"]) {
  return Array.isArray(names) ? names : [];
}
