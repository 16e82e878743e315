import { isIP } from "node:net";
import type { Nameserver, OperationSummary } from "@aws-sdk/client-route-53-domains";
import { z } from "zod";
import { type Reader, service, type Writer } from "../../src/aws/service.ts";
import { field } from "../../src/core/field.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { type CheckFinding, defineKind, type Readiness, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { defined, unlessNamed } from "../../src/kind/listing.ts";

// Its only endpoint is in this region.
const domains = service("route53domains", "Route53DomainsClient", () => import("@aws-sdk/client-route-53-domains"), {
  region: "us-east-1",
});

const hostName = () =>
  z
    .string()
    .max(255)
    .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/, "must be a host name in lower case without a final dot, such as ns-1.awsdns-01.com");

const nameserver = z.strictObject({
  name: field(hostName(), { doc: "The name server's host name.", ref: "route53.aws/v1 HostedZone.nameServers" }),
  glueIps: field(
    z
      .array(
        z
          .string()
          .max(45)
          .refine((text) => isIP(text) !== 0, "must be an IP address"),
      )
      .min(1)
      .max(2)
      .optional(),
    {
      doc: "Its addresses, needed where its name is within the domain: one IPv4 address and one IPv6 address at most.",
      compare: "set",
    },
  ),
});

const spec = z.strictObject({
  domainName: field(hostName(), { doc: "A domain that is registered with Route 53 in this account.", immutable: true }),
  nameservers: field(z.array(nameserver).min(1).max(13), {
    doc: "All of the domain's name servers.",
    compare: { keyed: "name" },
    text: ({ name, glueIps }) => `${name}${Array.isArray(glueIps) ? ` (${glueIps.join(", ")})` : ""}`,
  }),
});

const status = z.strictObject({
  domainName: field(z.string(), { doc: "The domain." }),
  operationStatus: field(z.string().optional(), { doc: "While a change is on its way, or soon after it failed: how it stands." }),
  operationMessage: field(z.string().optional(), { doc: "What AWS says of that." }),
});

export const domainNameservers = defineKind({
  apiVersion: "route53domains.aws/v1",
  kind: "DomainNameservers",
  doc: "The name servers of a domain that is registered with Route 53: which hosted zone the internet asks.",
  shortNames: ["ns"],
  spec,
  status,
  id: "domainName",
  identity: { by: "name", key: ["domainName"], alwaysThere: true },
  // A registrar's settings are seldom changed by accident: whoever changes them elsewhere means it.
  lifecycle: { drift: "ignore" },
  deviations: [
    "A registered domain always has name servers: the resource takes them over, whoever set them, and its deletion leaves them as they are.",
    "What somebody else changes is left alone by default (`lifecycle.drift: ignore`); a change in the manifest is sent.",
    "AWS carries a change out later, and the registry publishes it within two days; the resource is ready when AWS says it is done.",
    "The authorization key of .fi domains (`fiAuthKey`) is not supported.",
  ],
  errors: { wait: ["DuplicateRequest", "OperationLimitExceeded"] },
  list: { operations: ["route53domains:GetDomainDetail", "route53domains:ListOperations"], run: list },
  create: {
    operations: ["route53domains:UpdateDomainNameservers"],
    // Nothing is ever created: a domain that cannot be seen is not registered here, and AWS says so.
    run: async (aws, { domainName, nameservers }) => ({ id: domainName, ...(await change(aws, domainName, nameservers)) }),
  },
  updates: [
    {
      fields: ["nameservers"],
      operations: ["route53domains:UpdateDomainNameservers"],
      run: (aws, { id, desired }) => change(aws, id, desired.nameservers),
    },
  ],
  // Nobody deletes what is always there.
  delete: { operations: [], run: async () => {} },
  ready,
  check: (resources) => resources.flatMap((resource) => [...glueFindings(resource)]),
});

async function change(aws: Writer, DomainName: string, nameservers: z.infer<typeof spec>["nameservers"]) {
  const Nameservers = nameservers.map(({ name, glueIps }) => ({ Name: name, ...(glueIps ? { GlueIps: glueIps } : {}) }));
  await aws.write(domains, "UpdateDomainNameservers", { DomainName, Nameservers });
  return { values: { domainName: DomainName, nameservers, operationStatus: "SUBMITTED", operationMessage: undefined } };
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const names = [...new Set([...scope.ids, ...scope.names.map(({ domainName }) => String(domainName))])];
  if (names.length === 0) return [];
  // In this order: of a change that is done between the two, the domain already shows what it brought about.
  const operations = await openOperations(aws);
  const found = await Promise.all(names.map((name) => look(aws, name)));
  return found.flatMap((values) => {
    if (!values) return [];
    const id = String(values.domainName);
    return [{ id, values: { ...values, ...statusOf(operations.find(({ DomainName }) => DomainName === id)) } }];
  });
}

// AWS has one error for whatever is wrong with a name, also that it is not registered in this account.
async function look(aws: Reader, DomainName: string): Promise<JsonObject | undefined> {
  const answer = await unlessNamed(["InvalidInput"], aws.read(domains, "GetDomainDetail", { DomainName }));
  return answer && { domainName: DomainName, nameservers: (answer.Nameservers ?? []).map(nameserverOf) };
}

function nameserverOf({ Name = "", GlueIps = [] }: Nameserver): JsonObject {
  return defined({ name: Name.toLowerCase().replace(/\.$/, ""), glueIps: GlueIps.length > 0 ? GlueIps : undefined });
}

// A registry takes a day at the most; a change that failed is told of for as long as somebody may be waiting for it, and then
// tried again.
const PENDING_MS = 24 * 60 * 60_000;
const FAILED_MS = 10 * 60_000;

/** Of each domain the newest change of its name servers, where that is on its way or has just failed. */
async function openOperations(aws: Reader): Promise<readonly OperationSummary[]> {
  const now = Date.now();
  const request = { SubmittedSince: new Date(now - PENDING_MS), Type: ["UPDATE_NAMESERVER" as const] };
  const found = await aws.pages(domains, "ListOperations", request, "Operations");
  const byAge = [...found].sort((left, right) => submittedMs(left) - submittedMs(right));
  const newest = [...new Map(byAge.map((operation) => [operation.DomainName, operation])).values()];
  const isRecent = ({ SubmittedDate, LastUpdatedDate }: OperationSummary) =>
    now - (LastUpdatedDate ?? SubmittedDate ?? new Date(0)).getTime() < FAILED_MS;
  return newest.filter((operation) => isPending(operation.Status) || (hasFailed(operation.Status) && isRecent(operation)));
}

function submittedMs({ SubmittedDate }: OperationSummary): number {
  return SubmittedDate?.getTime() ?? 0;
}

function isPending(state: string | undefined): boolean {
  return state === "SUBMITTED" || state === "IN_PROGRESS";
}

function hasFailed(state: string | undefined): boolean {
  return state === "ERROR" || state === "FAILED";
}

function statusOf(operation: OperationSummary | undefined): JsonObject {
  return defined({ operationStatus: operation?.Status, operationMessage: operation?.Message });
}

function ready({ domainName, operationStatus, operationMessage }: Partial<z.infer<typeof status>>): Readiness {
  if (isPending(operationStatus)) return { state: "waiting", why: `the registrar has yet to change the name servers of ${domainName}` };
  if (!hasFailed(operationStatus)) return { state: "ready" };
  return { state: "failed", why: `the name servers could not be changed: ${operationMessage ?? "AWS does not say why"}`, recreate: false };
}

function* glueFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const { domainName, nameservers } = declared;
  for (const [index, item] of (Array.isArray(nameservers) ? nameservers : []).entries()) {
    if (!isObject(item) || typeof item.name !== "string") continue;
    const at = { resource: key, field: `nameservers.${index}` };
    const isWithinDomain = typeof domainName === "string" && item.name.endsWith(`.${domainName}`);
    if (isWithinDomain && item.glueIps === undefined) {
      yield { ...at, message: `${item.name} is within ${domainName}, and is found by its addresses only`, hint: "set `glueIps`" };
    }
    const versions = (Array.isArray(item.glueIps) ? item.glueIps : []).map((address) => String(address).includes(":"));
    if (new Set(versions).size < versions.length) yield { ...at, message: `${item.name} has two addresses of one IP version` };
    const again = (nameservers as JsonObject[]).findIndex((other) => other.name === item.name) < index;
    if (again) yield { ...at, message: `${key} names ${item.name} twice` };
  }
}
