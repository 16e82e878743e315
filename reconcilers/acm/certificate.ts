import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import { type Tags, toTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import {
  acm,
  areWritten,
  describe,
  inTurn,
  NO_CERTIFICATE,
  noteDeleted,
  TAG_ZONE,
  tagsOf,
  validationRecords,
  valuesOf,
  WITHDRAW_OPERATIONS,
  withdrawRecords,
  writeRecords,
} from "../../src/kind/acm.ts";
import { certificateFindings } from "../../src/kind/acm-check.ts";
import { defineKind, type Readiness, type Remote, type Scope } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { NO_ZONE, route53 } from "../../src/kind/route53.ts";
import { zoneId } from "../../src/kind/route53-schemas.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { tagsUpdater } from "../../src/kind/updaters.ts";

/** A domain, or a wildcard for its subdomains, in lower case. */
function domain() {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(
      /^(\*\.)?(((?!-)[a-z0-9-]{0,62}[a-z0-9])\.)+((?!-)[a-z0-9-]{1,62}[a-z0-9])$/,
      "must be a domain in lower case, such as example.com or *.example.com",
    );
}

/** The ARN of a private certificate authority, as ACM's model has it. */
function authorityArn() {
  return z
    .string()
    .min(20)
    .max(2048)
    .regex(
      /^arn:[\w+=/,.@-]+:acm-pca:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(\/[\w+=,.@-]+)*$/,
      "must be the ARN of a private certificate authority",
    );
}

const spec = z.strictObject({
  domainName: field(domain(), { doc: "The domain it is for.", immutable: true }),
  subjectAlternativeNames: field(z.array(domain()).min(1).max(99).optional(), {
    doc: "More domains it is for.",
    compare: "set",
    immutable: true,
  }),
  validationMethod: field(z.enum(["DNS", "EMAIL"]).optional(), {
    doc: "How AWS is shown that the domains are the account's; DNS when absent.",
    immutable: true,
  }),
  validation: field(
    z
      .strictObject({
        hostedZoneId: field(zoneId(), {
          doc: "The hosted zone that BEACON writes the validation records into.",
          ref: "route53.aws/v1 HostedZone.hostedZoneId",
        }),
      })
      .optional(),
    { doc: "Where BEACON proves the domains to AWS; when absent, somebody else creates the records that the status names." },
  ),
  validationDomains: field(z.record(domain(), domain()).optional(), {
    doc: "With EMAIL: the parent domain whose owners are asked, by domain.",
    immutable: true,
  }),
  keyAlgorithm: field(z.enum(["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]).optional(), {
    doc: "The algorithm of its key pair; RSA_2048 when absent.",
    immutable: true,
  }),
  certificateAuthorityArn: field(authorityArn().optional(), {
    doc: "The private certificate authority that issues it; a public one of Amazon's when absent.",
    immutable: true,
  }),
  options: field(
    z
      .strictObject({
        certificateTransparencyLoggingPreference: field(z.enum(["ENABLED", "DISABLED"]).optional(), {
          doc: "Whether it is recorded in a public log. AWS no longer lets a public certificate opt out.",
          unset: "ENABLED",
        }),
        export: field(z.enum(["ENABLED", "DISABLED"]).optional(), {
          doc: "Whether certificate and key may be exported, which costs a fee.",
          immutable: true,
        }),
      })
      .optional(),
    { doc: "What may be done with it.", unset: {} },
  ),
  tags: tags(),
});

const option = z.strictObject({
  domainName: field(z.string(), { doc: "The domain that is proved." }),
  validationMethod: field(z.string().optional(), { doc: "How it is proved." }),
  validationStatus: field(z.string().optional(), { doc: "PENDING_VALIDATION, SUCCESS or FAILED." }),
  validationDomain: field(z.string().optional(), { doc: "The domain whose owners are asked." }),
  validationEmails: field(z.array(z.string()).optional(), { doc: "Who was sent mail." }),
  resourceRecord: field(
    z
      .strictObject({
        name: field(z.string(), { doc: "The name of the record." }),
        type: field(z.string(), { doc: "CNAME." }),
        value: field(z.string(), { doc: "What it leads to." }),
      })
      .optional(),
    { doc: "The DNS record that proves it; a domain and its wildcard share one." },
  ),
});

const status = z.strictObject({
  certificateArn: field(z.string(), { doc: "The ARN of the certificate." }),
  status: field(z.string(), { doc: "PENDING_VALIDATION, ISSUED or, when it cannot be used, another." }),
  domainValidationOptions: field(z.array(option).optional(), { doc: "How each domain is proved, by domain." }),
  validationHostedZoneId: field(z.string().optional(), { doc: "The hosted zone of its validation records, as one of its tags remembers." }),
  nameServers: field(z.array(z.string()).optional(), {
    doc: "While it is pending: the name servers of that zone, which its domain must be delegated to.",
  }),
  failureReason: field(z.string().optional(), { doc: "Why it was not issued." }),
  issuedAt: field(z.string().optional(), { doc: "When it was issued." }),
  notAfter: field(z.string().optional(), { doc: "When it ends; AWS renews it before, as long as its validation records are there." }),
});

export const certificate = defineKind({
  apiVersion: "acm.aws/v1",
  kind: "Certificate",
  doc: "A TLS certificate from AWS Certificate Manager, with the DNS records that prove its domains where it is told a hosted zone.",
  shortNames: ["cert"],
  spec,
  status,
  id: "certificateArn",
  // A token lasts for an hour; the tagging API, which tells after that, may lag for minutes.
  identity: { by: "token", consistencyMs: 5 * 60_000 },
  deviations: [
    "`validation.hostedZoneId` is BEACON's own: it writes the validation records into that zone, waits until the certificate is ISSUED, and keeps them there, because AWS renews the certificate by them.",
    "Once written, the records stay with the certificate, also where `validation` leaves the manifest.",
    "Without it, a certificate is ready as soon as its status names the records, so that something else can create them; `readyWhen: ['${self.status == \"ISSUED\"}']` waits for it.",
    "A validation record goes with the last certificate of the account and region that names it: one of another region, with the same record, keeps no claim on it.",
    "AWS lists the domain itself among `subjectAlternativeNames`; here it is not one of them.",
    "`validationDomains` is AWS's DomainValidationOptions of the request, as a map from domain to validation domain.",
    "Without `validationMethod` the domains are proved by DNS; AWS's own default is EMAIL. A change from one to the other makes a new certificate.",
    "Imported certificates, and those of CloudFront's own (`managedBy`), are not supported.",
  ],
  errors: { notFound: NO_CERTIFICATE, wait: ["ResourceInUseException", "ConflictException"] },
  list: {
    operations: [
      "tag:GetResources",
      "acm:DescribeCertificate",
      "acm:ListTagsForCertificate",
      "route53:ListResourceRecordSets",
      "route53:GetHostedZone",
    ],
    run: list,
  },
  create: {
    operations: ["acm:RequestCertificate"],
    run: async (aws, desired, { token }) => {
      const zone = desired.validation?.hostedZoneId;
      const own = desired.tags ?? {};
      const all = zone === undefined ? own : { ...own, [TAG_ZONE]: zone };
      const validationMethod = desired.certificateAuthorityArn === undefined ? (desired.validationMethod ?? "DNS") : undefined;
      const answer = await aws.write(acm, "RequestCertificate", {
        DomainName: desired.domainName,
        SubjectAlternativeNames: desired.subjectAlternativeNames,
        ValidationMethod: validationMethod,
        DomainValidationOptions: mailsOut(desired.validationDomains),
        KeyAlgorithm: desired.keyAlgorithm,
        CertificateAuthorityArn: desired.certificateAuthorityArn,
        Options: desired.options && optionsOut(desired.options),
        // AWS takes 32 characters.
        IdempotencyToken: token.slice(0, 32),
        ...(Object.keys(all).length > 0 ? { Tags: toTagList(all) } : {}),
      });
      const { validation: _later, tags: _own, ...sent } = desired;
      const known = { certificateArn: answer.CertificateArn, status: "PENDING_VALIDATION", validationHostedZoneId: zone };
      return { id: String(answer.CertificateArn), values: { ...sent, ...defaults(desired, validationMethod), ...known, tags: own } };
    },
  },
  updates: [
    {
      fields: ["validation"],
      operations: ["acm:AddTagsToCertificate", ...WITHDRAW_OPERATIONS],
      run: async (aws, { observed, changes }) => {
        const [before, after] = [observed.validationHostedZoneId, zoneIn(changes.validation?.after)];
        const [CertificateArn, records] = [arnOf(observed), validationRecords(observed)];
        if (after === undefined || records.length === 0) return { values: {} };
        await writeRecords(aws, after, records);
        // The tag comes last: until then the next look finds the old zone, and everything is done again.
        if (typeof before === "string" && before !== after) await withdrawRecords(aws, CertificateArn, before, records);
        if (before !== after) await aws.write(acm, "AddTagsToCertificate", { CertificateArn, Tags: [{ Key: TAG_ZONE, Value: after }] });
        return { values: { validation: { hostedZoneId: after }, validationHostedZoneId: after } };
      },
    },
    {
      fields: ["options"],
      operations: ["acm:UpdateCertificateOptions"],
      run: async (aws, { observed, changes }) => {
        const { before, after } = changes.options ?? {};
        const wanted = { ...(isObject(before) ? before : {}), ...(isObject(after) ? after : {}) };
        const preference = wanted.certificateTransparencyLoggingPreference as "ENABLED" | "DISABLED";
        const Options = { CertificateTransparencyLoggingPreference: preference };
        await aws.write(acm, "UpdateCertificateOptions", { CertificateArn: arnOf(observed), Options });
        return { values: { options: wanted } };
      },
    },
    tagsUpdater({
      operations: ["acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate"],
      set: (aws, { observed }, set) => aws.write(acm, "AddTagsToCertificate", { CertificateArn: arnOf(observed), Tags: toTagList(set) }),
      remove: (aws, { observed }, keys) =>
        aws.write(acm, "RemoveTagsFromCertificate", { CertificateArn: arnOf(observed), Tags: keys.map((Key) => ({ Key })) }),
    }),
  ],
  delete: {
    operations: ["acm:DeleteCertificate", ...WITHDRAW_OPERATIONS],
    run: (aws, { observed }) =>
      inTurn(aws, async () => {
        const CertificateArn = arnOf(observed);
        const found = await describe(aws, CertificateArn);
        const zone = observed.validationHostedZoneId;
        // One in use stays for now, and is renewed by its records until it goes; they go first, because nothing would tell of them after it.
        const isFree = found !== undefined && (found.InUseBy ?? []).length === 0;
        if (isFree && typeof zone === "string") await withdrawRecords(aws, CertificateArn, zone, validationRecords(valuesOf(found)));
        await aws.write(acm, "DeleteCertificate", { CertificateArn });
        noteDeleted(aws, CertificateArn);
      }),
  },
  ready,
  explainBlocked: {
    operations: ["acm:DescribeCertificate"],
    run: async (aws, { id }) => {
      const users = (await describe(aws, id))?.InUseBy ?? [];
      return users.length > 0 ? `what uses it: ${users.join(", ")}` : undefined;
    },
  },
  check: (resources) => resources.flatMap((resource) => [...certificateFindings(resource)]),
});

function arnOf({ certificateArn }: JsonObject): string {
  return String(certificateArn);
}

// What AWS documents for what nobody declares.
function defaults({ keyAlgorithm, options }: z.infer<typeof spec>, validationMethod: "DNS" | "EMAIL" | undefined): JsonObject {
  return {
    keyAlgorithm: keyAlgorithm ?? "RSA_2048",
    options: { certificateTransparencyLoggingPreference: "ENABLED", export: "DISABLED", ...defined(options ?? {}) },
    ...(validationMethod ? { validationMethod } : {}),
  };
}

function mailsOut(domains: Readonly<Record<string, string>> | undefined) {
  const pairs = Object.entries(domains ?? {});
  return pairs.length > 0 ? pairs.map(([DomainName, ValidationDomain]) => ({ DomainName, ValidationDomain })) : undefined;
}

function optionsOut({
  certificateTransparencyLoggingPreference: preference,
  export: exported,
}: NonNullable<z.infer<typeof spec>["options"]>) {
  return {
    ...(preference === undefined ? {} : { CertificateTransparencyLoggingPreference: preference }),
    ...(exported === undefined ? {} : { Export: exported }),
  };
}

function zoneIn(validation: unknown): string | undefined {
  return isObject(validation as JsonObject) ? String((validation as JsonObject).hostedZoneId) : undefined;
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  const look = async (arns: readonly string[]) =>
    (await Promise.all(arns.map((one) => remote(aws, one, known.get(one), scope.fields)))).filter((found) => found !== undefined);
  return listInScope<Remote>(scope, {
    id: ({ id }) => id,
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "acm:certificate", wanted);
      for (const [one, own] of tagged) known.set(one, own);
      return look([...tagged.keys()]);
    },
    byIds: look,
  });
}

async function remote(aws: Reader, one: string, known: Tags | undefined, fields: Scope["fields"]): Promise<Remote | undefined> {
  // A certificate that was just made is not yet among the tagged resources: it is asked itself.
  const [found, all] = await Promise.all([describe(aws, one), known ?? tagsOf(aws, one)]);
  if (!found) return undefined;
  const { [TAG_ZONE]: zone, ...own } = all;
  const values = valuesOf(found);
  const validated = zone === undefined ? {} : await validationOf(aws, zone, values, fields);
  return { id: one, values: { ...values, ...validated, tags: own }, tags: own };
}

/** `validation` holds while all records are in the zone. */
async function validationOf(aws: Reader, zone: string, values: JsonObject, fields: Scope["fields"]): Promise<JsonObject> {
  const records = validationRecords(values);
  const isPending = values.status === "PENDING_VALIDATION";
  const [written, nameServers] = await Promise.all([
    records.length > 0 && (isPending || fields.has("validation")) ? areWritten(aws, zone, records) : false,
    isPending ? nameServersOf(aws, zone) : [],
  ]);
  return {
    validationHostedZoneId: zone,
    ...(written ? { validation: { hostedZoneId: zone } } : {}),
    ...(nameServers.length > 0 ? { nameServers } : {}),
  };
}

async function nameServersOf(aws: Reader, Id: string): Promise<string[]> {
  const answer = await unlessNamed(NO_ZONE, aws.read(route53, "GetHostedZone", { Id }));
  return [...(answer?.DelegationSet?.NameServers ?? [])].sort();
}

function ready(observed: Partial<z.infer<typeof spec> & z.infer<typeof status>>): Readiness {
  const { status: state, domainName, validationMethod, validation, validationHostedZoneId: zone, nameServers = [] } = observed;
  if (state === undefined || state === "ISSUED") return { state: "ready" };
  if (state === "FAILED" || state === "VALIDATION_TIMED_OUT") {
    const reason = observed.failureReason === undefined ? "" : `: ${observed.failureReason}`;
    return { state: "failed", why: `the certificate is ${state}${reason}`, recreate: true };
  }
  if (state !== "PENDING_VALIDATION") {
    return { state: "failed", why: `the certificate is ${state}: replace it with beaconctl apply --replace`, recreate: false };
  }
  const options = observed.domainValidationOptions ?? [];
  if (validationMethod === "EMAIL") {
    const asked = [...new Set(options.flatMap(({ validationEmails = [] }) => validationEmails))];
    const whom = asked.length > 0 ? asked.join(", ") : `the owners of ${domainName}`;
    return { state: "waiting", why: `pending validation: ${whom} must follow the link in AWS's mail` };
  }
  const records = options.flatMap(({ resourceRecord }) => resourceRecord?.name ?? []);
  if (options.length === 0 || records.length < options.length) {
    return { state: "waiting", why: `pending validation: AWS has yet to say which records prove ${domainName}` };
  }
  // The records are still to be written: by whoever reads them from the status, or by the update that comes next.
  if (zone === undefined || validation === undefined) return { state: "ready" };
  const delegated = nameServers.length > 0 ? `; the domain must be delegated to ${nameServers.join(", ")}` : "";
  return { state: "waiting", why: `pending validation: AWS has yet to see ${[...new Set(records)].join(", ")} of ${zone}${delegated}` };
}
