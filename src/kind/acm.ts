/**
 * Certificates in the manifest's words, and the DNS records that prove their domains.
 *
 * AWS derives a validation record from the account and the domain: a domain, its wildcard and a certificate's successor share
 * one. So it is written by whoever needs it, and deleted only when no other certificate of the account and region names it.
 */

import type { CertificateDetail, DomainValidation, KeyAlgorithm } from "@aws-sdk/client-acm";
import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { type Reader, service, type Writer } from "../aws/service.ts";
import { fromTagList, type Tags } from "../aws/tags.ts";
import { canonicalDnsName } from "../core/dns-name.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { defined, unlessNamed } from "./listing.ts";
import { changeRecord, recordKey, recordsIn } from "./route53.ts";

/** AWS Certificate Manager, loaded at its first call. */
export const acm = service("acm", "ACMClient", () => import("@aws-sdk/client-acm"));

/** What AWS says when a certificate is gone, or not there yet. */
export const NO_CERTIFICATE = ["ResourceNotFoundException"];

/**
 * The tag that says in which hosted zone a certificate's validation records are: AWS keeps no such thing, and they must be found
 * again when the records are lost. It is no tag of the manifest's.
 */
export const TAG_ZONE = "beacon:validation-zone";

// The seconds that resolvers may keep the record: short, so that a wrong one is forgotten soon.
const TTL_SECONDS = 60;

// Without them, ListCertificates leaves out all but RSA_2048 (ACM API Reference, Filters).
const ALGORITHMS: KeyAlgorithm[] = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];

/** Spec and status of a certificate, but for its tags and where its records are. */
export function valuesOf(found: CertificateDetail): JsonObject {
  const names = (found.SubjectAlternativeNames ?? []).filter((name) => name !== found.DomainName);
  const options = [...(found.DomainValidationOptions ?? [])].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  const mailed = options.filter(({ ValidationMethod, ValidationDomain }) => ValidationMethod === "EMAIL" && ValidationDomain !== undefined);
  return defined({
    certificateArn: found.CertificateArn,
    domainName: found.DomainName,
    // AWS lists the domain itself among the alternatives.
    subjectAlternativeNames: names.length > 0 ? names.sort() : undefined,
    validationMethod: options[0]?.ValidationMethod,
    validationDomains:
      mailed.length > 0 ? Object.fromEntries(mailed.map((option) => [nameOf(option), option.ValidationDomain])) : undefined,
    // AWS takes RSA_2048, and answers RSA-2048.
    keyAlgorithm: found.KeyAlgorithm?.replace("-", "_"),
    certificateAuthorityArn: found.CertificateAuthorityArn,
    options: defined({
      certificateTransparencyLoggingPreference: found.Options?.CertificateTransparencyLoggingPreference,
      export: found.Options?.Export,
    }),
    status: found.Status,
    domainValidationOptions: options.length > 0 ? options.map(optionOf) : undefined,
    failureReason: found.FailureReason,
    issuedAt: found.IssuedAt?.toISOString(),
    notAfter: found.NotAfter?.toISOString(),
  });
}

function nameOf({ DomainName = "" }: DomainValidation): string {
  return DomainName;
}

function optionOf(option: DomainValidation): JsonObject {
  const { ResourceRecord: record } = option;
  return defined({
    domainName: option.DomainName,
    validationMethod: option.ValidationMethod,
    validationStatus: option.ValidationStatus,
    validationDomain: option.ValidationDomain,
    validationEmails: option.ValidationEmails && option.ValidationEmails.length > 0 ? option.ValidationEmails : undefined,
    resourceRecord: record && defined({ name: canonicalDnsName(record.Name ?? ""), type: record.Type, value: record.Value }),
  });
}

/** The records that prove a certificate's domains, each once, as its status names them; none while AWS has yet to say. */
export function validationRecords(observed: JsonObject): ResourceRecordSet[] {
  const options = Array.isArray(observed.domainValidationOptions) ? observed.domainValidationOptions : [];
  const records = options.flatMap((option) =>
    isObject(option) && isObject(option.resourceRecord) ? [recordOf(option.resourceRecord)] : [],
  );
  return [...new Map(records.map((record) => [recordKey(record), record])).values()];
}

function recordOf({ name, type, value }: { readonly [member: string]: Json | undefined }): ResourceRecordSet {
  return { Name: String(name), Type: type as "CNAME", TTL: TTL_SECONDS, ResourceRecords: [{ Value: String(value) }] };
}

/** Whether all of the records are in the zone, whatever their TTL. Calls route53:ListResourceRecordSets. */
export async function areWritten(aws: Reader, zone: string, records: readonly ResourceRecordSet[]): Promise<boolean> {
  const found = new Map((await recordsIn(aws, zone, records)).map((record) => [recordKey(record), record]));
  return records.every((record) => target(found.get(recordKey(record))) === target(record));
}

function target(record: ResourceRecordSet | undefined): string | undefined {
  return record && canonicalDnsName(record.ResourceRecords?.[0]?.Value ?? "");
}

/** Puts the records into the zone, whatever is there. Calls route53:ChangeResourceRecordSets. */
export async function writeRecords(aws: Writer, zone: string, records: readonly ResourceRecordSet[]): Promise<void> {
  await Promise.all(records.map((ResourceRecordSet) => changeRecord(aws, zone, { Action: "UPSERT", ResourceRecordSet })));
}

/** What {@link withdrawRecords} may call. */
export const WITHDRAW_OPERATIONS = [
  "acm:ListCertificates",
  "acm:DescribeCertificate",
  "acm:ListTagsForCertificate",
  "route53:ListResourceRecordSets",
  "route53:ChangeResourceRecordSets",
] as const;

/** Takes the certificate's records out of the zone, but for those that another certificate names. */
export async function withdrawRecords(aws: Writer, arn: string, zone: string, records: readonly ResourceRecordSet[]): Promise<void> {
  const shared = await namedByOthers(aws, arn, zone, records);
  const own = records.filter((record) => !shared.has(recordKey(record)));
  const written = (await recordsIn(aws, zone, own)).filter((found) => own.some((record) => target(record) === target(found)));
  // As they are now: AWS deletes only what is named exactly.
  await Promise.all(written.map((ResourceRecordSet) => unlessGone(changeRecord(aws, zone, { Action: "DELETE", ResourceRecordSet }))));
}

async function unlessGone(change: Promise<void>): Promise<void> {
  await unlessNamed(["NoSuchHostedZone", "InvalidChangeBatch: but it was not found"], change);
}

// Certificates that this handle has deleted: AWS may list them for a while.
const deleted = new WeakMap<Writer, Set<string>>();

/** To be called when AWS has taken a certificate's deletion. */
export function noteDeleted(aws: Writer, arn: string): void {
  deleted.set(aws, (deleted.get(aws) ?? new Set()).add(arn));
}

async function namedByOthers(aws: Writer, arn: string, zone: string, records: readonly ResourceRecordSet[]): Promise<ReadonlySet<string>> {
  const listed = await aws.pages(acm, "ListCertificates", { Includes: { keyTypes: ALGORITHMS }, MaxItems: 1000 }, "CertificateSummaryList");
  const domains = records.map(({ Name = "" }) => domainOf(Name));
  const others = listed.filter((other) => {
    const names = [other.DomainName ?? "", ...(other.SubjectAlternativeNameSummaries ?? [])].map((name) => name.replace(/^\*\./, ""));
    const mayHaveMore = other.HasAdditionalSubjectAlternativeNames === true;
    const isOther = other.CertificateArn !== arn && !deleted.get(aws)?.has(String(other.CertificateArn));
    return isOther && (mayHaveMore || names.some((name) => domains.includes(name)));
  });
  const found = await Promise.all(others.map(({ CertificateArn }) => namedBy(aws, String(CertificateArn), zone)));
  return new Set(found.flat());
}

// One that BEACON keeps in another zone needs no record of this one; where any other is proved, nobody knows.
async function namedBy(aws: Reader, arn: string, zone: string): Promise<readonly string[]> {
  const [found, tags] = await Promise.all([describe(aws, arn), tagsOf(aws, arn)]);
  return found && (tags[TAG_ZONE] ?? zone) === zone ? validationRecords(valuesOf(found)).map(recordKey) : [];
}

/** `_a79865eb4cd1a6ab.example.com` proves `example.com`. */
function domainOf(record: string): string {
  return canonicalDnsName(record).replace(/^[^.]+\./, "");
}

/** The certificate as it is; undefined where there is none. Calls acm:DescribeCertificate. */
export async function describe(aws: Reader, arn: string): Promise<CertificateDetail | undefined> {
  const answer = await unlessNamed(NO_CERTIFICATE, aws.read(acm, "DescribeCertificate", { CertificateArn: arn }));
  return answer?.Certificate;
}

/** The certificate's tags, ours of its zone among them; none where it is gone. Calls acm:ListTagsForCertificate. */
export async function tagsOf(aws: Reader, CertificateArn: string): Promise<Tags> {
  const answer = await unlessNamed(NO_CERTIFICATE, aws.read(acm, "ListTagsForCertificate", { CertificateArn }));
  return fromTagList(answer?.Tags);
}

const turns = new WeakMap<Writer, Promise<unknown>>();

/** One after the other: of two certificates that share a record and go at once, the second takes the record along. */
export function inTurn<T>(aws: Writer, task: () => Promise<T>): Promise<T> {
  const turn = (turns.get(aws) ?? Promise.resolve()).then(task);
  turns.set(
    aws,
    turn.catch(() => {}),
  );
  return turn;
}
