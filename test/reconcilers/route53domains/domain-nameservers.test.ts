import assert from "node:assert/strict";
import { test } from "node:test";
import { Route53Domains } from "@aws-sdk/client-route-53-domains";
import { kinds } from "../../../reconcilers/index.ts";
import { hostedZone } from "../../../reconcilers/route53/hosted-zone.ts";
import { domainNameservers } from "../../../reconcilers/route53domains/domain-nameservers.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { Reader } from "../../../src/aws/service.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { newStand } from "../../conformance/stand.ts";
import { clientSettings } from "../../support/sandbox.ts";
import { declared, manifestsOf } from "../stacks.ts";
import { recorder } from "../support.ts";

test("a domain is delegated to a zone's name servers; what somebody else makes of it is left alone, and so is its end", async () => {
  const stand = await newStand(kinds, "domain", "ap-south-1");
  const domains = new Route53Domains(await clientSettings());
  const domainName = `${stand.stack.project}.com`;
  const now = async () => (await domains.getDomainDetail({ DomainName: domainName })).Nameservers?.map(({ Name }) => Name).sort();
  const zone = declared("route53.aws/v1", "HostedZone/main", { name: domainName });
  const manifests = (nameservers: JsonObject[string]) =>
    manifestsOf(stand, [zone, declared("route53domains.aws/v1", "DomainNameservers/main", { domainName, nameservers })]);
  try {
    const delegated = manifests('${hostedZone.main.nameServers.map(n, {"name": n})}');
    await stand.settle(delegated);
    const [zoneNow] = await hostedZone.list.run(stand.hand, { ids: [], names: [{ name: domainName }], fields: new Set() });
    assert.deepEqual(await now(), zoneNow?.values.nameServers);
    await domains.updateDomainNameservers({ DomainName: domainName, Nameservers: [{ Name: "ns-1.example.net" }] });
    for (let look = 0; look < 3; look++) await domains.listOperations({});
    const { plan } = await stand.plan(delegated);
    assert.equal(plan.changes.find(({ key }) => key === "DomainNameservers/main")?.action, "none");
    await stand.settle(manifests([{ name: "ns-2.example.net" }]), {}, "a change of the manifest is sent");
    assert.deepEqual(await now(), ["ns-2.example.net"]);
    await stand.settle(undefined, { destroy: true });
    assert.deepEqual(await now(), ["ns-2.example.net"]);
  } finally {
    await stand.close();
  }
});

async function kindsOf(aws: Reader, domainName: string): Promise<readonly JsonObject[]> {
  const found = await domainNameservers.list.run(aws, { ids: [domainName], names: [], fields: new Set() });
  return found.map(({ values }) => values);
}

type Operation = { readonly Status: string; readonly agoMs?: number; readonly DomainName?: string; readonly Message?: string };

function reader(operations: readonly Operation[]): Reader {
  const dated = operations.map(({ agoMs = 0, DomainName = "example.com", ...rest }) => {
    const date = new Date(Date.now() - agoMs);
    return { ...rest, DomainName, SubmittedDate: date, LastUpdatedDate: date };
  });
  const read = async () => ({
    Nameservers: [
      { Name: "NS-1.Example.net.", GlueIps: [] },
      { Name: "ns.example.com", GlueIps: ["192.0.2.1"] },
    ],
  });
  return { read, pages: async () => dated } as unknown as Reader;
}

const HOUR_MS = 60 * 60_000;
const STATES: readonly { readonly why: string; readonly operations: readonly Operation[]; readonly is: string | RegExp }[] = [
  { why: "nothing is on its way", operations: [], is: "ready" },
  { why: "a change is on its way", operations: [{ Status: "IN_PROGRESS" }], is: "waiting" },
  { why: "it has been for hours", operations: [{ Status: "SUBMITTED", agoMs: 5 * HOUR_MS }], is: "waiting" },
  { why: "it is done", operations: [{ Status: "SUCCESSFUL" }], is: "ready" },
  { why: "it has failed just now", operations: [{ Status: "FAILED", Message: "the registry is closed" }], is: "failed" },
  { why: "one that failed long ago is tried again", operations: [{ Status: "FAILED", agoMs: HOUR_MS }], is: "ready" },
  {
    why: "the newest counts",
    operations: [{ Status: "FAILED", agoMs: 1000 }, { Status: "SUCCESSFUL" }, { Status: "ERROR", agoMs: 2000 }],
    is: "ready",
  },
  { why: "another domain's does not", operations: [{ Status: "IN_PROGRESS", DomainName: "example.org" }], is: "ready" },
];
for (const { why, operations, is } of STATES) {
  test(`readiness: ${why}`, async () => {
    const [values = {}] = await kindsOf(reader(operations), "example.com");
    const found = domainNameservers.ready(values);
    assert.equal(found.state, is);
    if (found.state === "failed") assert.deepEqual([found.recreate, /the registry is closed/.test(found.why)], [false, true]);
  });
}

test("name servers are said in one spelling, with their addresses", async () => {
  const [values] = await kindsOf(reader([]), "example.com");
  assert.deepEqual(values?.nameservers, [{ name: "ns-1.example.net" }, { name: "ns.example.com", glueIps: ["192.0.2.1"] }]);
});

test("a domain that is not registered here is not seen, and AWS says so when its name servers are sent", async () => {
  const gone = new AwsError("InvalidInput", "Domain example.com not found", { operation: "", verdict: "refused" });
  const aws = { read: () => Promise.reject(gone), pages: async () => [] } as unknown as Reader;
  assert.deepEqual(await kindsOf(aws, "example.com"), []);
  const { sent, writer } = recorder({ OperationId: "1" });
  const nameservers = [{ name: "ns-1.example.net" }, { name: "ns.example.com", glueIps: ["192.0.2.1"] }];
  const made = await domainNameservers.create.run(writer, { domainName: "example.com", nameservers }, { token: "" });
  assert.equal(made.id, "example.com");
  const Nameservers = [{ Name: "ns-1.example.net" }, { Name: "ns.example.com", GlueIps: ["192.0.2.1"] }];
  assert.deepEqual(sent, [{ operation: "UpdateDomainNameservers", input: { DomainName: "example.com", Nameservers } }]);
});

const CHECKS: readonly { readonly why: string; readonly nameservers: JsonObject[string]; readonly fields: readonly string[] }[] = [
  { why: "others' name servers", nameservers: [{ name: "ns-1.example.net" }, { name: "ns-2.example.net" }], fields: [] },
  { why: "one within the domain needs an address", nameservers: [{ name: "ns.example.com" }], fields: ["nameservers.0"] },
  { why: "one of each IP version", nameservers: [{ name: "ns.example.com", glueIps: ["192.0.2.1", "2001:db8::1"] }], fields: [] },
  {
    why: "two of one IP version",
    nameservers: [{ name: "ns.example.com", glueIps: ["192.0.2.1", "192.0.2.2"] }],
    fields: ["nameservers.0"],
  },
  { why: "one twice", nameservers: [{ name: "ns-1.example.net" }, { name: "ns-1.example.net" }], fields: ["nameservers.1"] },
  { why: "what is not known yet is not judged", nameservers: { $unknown: "x" }, fields: [] },
];
for (const { why, nameservers, fields } of CHECKS) {
  const spec = { domainName: "example.com", nameservers } as JsonObject;
  const resource: StaticResource = { key: "DomainNameservers/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(`check: ${why}`, () =>
    assert.deepEqual(
      domainNameservers.check?.([resource]).map(({ field }) => field),
      fields,
    ));
}
