import assert from "node:assert/strict";
import { test } from "node:test";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { certificate } from "../../../reconcilers/acm/certificate.ts";
import { kinds } from "../../../reconcilers/index.ts";
import { hostedZone } from "../../../reconcilers/route53/hosted-zone.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { allRecords } from "../../../src/kind/route53.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";
import { clientSettings, freshProject } from "../../support/sandbox.ts";
import { declared, manifestsOf } from "../stacks.ts";
import { benchFor, make, recorder } from "../support.ts";

/** A stack with a zone of its own domain, and certificates of it. */
class Shop {
  readonly stand: Stand;
  readonly domain: string;
  constructor(stand: Stand) {
    this.stand = stand;
    this.domain = `${stand.stack.project}.example.com`;
  }

  manifests(certificates: Readonly<Record<string, JsonObject>>, zones: readonly string[] = ["main"]) {
    const names = zones.map((name) => (name === "main" ? this.domain : `${name}.${this.domain}`));
    const validation = { hostedZoneId: "${hostedZone.main.hostedZoneId}" };
    return manifestsOf(this.stand, [
      ...zones.map((name, index) => declared("route53.aws/v1", `HostedZone/${name}`, { name: names[index] as string })),
      ...Object.entries(certificates).map(([name, spec]) =>
        declared("acm.aws/v1", `Certificate/${name}`, { domainName: this.domain, validation, ...spec }),
      ),
    ]);
  }

  /** The validation records of the zone with this name. */
  async records(name = this.domain): Promise<readonly string[]> {
    const [zone] = await hostedZone.list.run(this.stand.hand, { ids: [], names: [{ name }], fields: new Set() });
    const records = zone ? await allRecords(this.stand.hand, zone.id) : [];
    return records.filter(({ Type }) => Type === "CNAME").map(({ Name, TTL }) => `${Name?.replace(/^_[0-9a-f]+\./, "_.")} ${TTL}`);
  }

  certificate(name: string): Promise<readonly Remote[]> {
    return this.stand.objects(certificate, `Certificate/${name}`);
  }
}

async function inShop(run: (shop: Shop) => Promise<void>): Promise<void> {
  const stand = await newStand(kinds, "certs", "eu-north-1");
  try {
    await run(new Shop(stand));
    await stand.settle(undefined, { destroy: true }, "nothing is in the way of the zone's deletion");
  } finally {
    await stand.close();
  }
}

test("a domain, its wildcard and other certificates share a record, which goes with the last that names it", async () => {
  await inShop(async (shop) => {
    const { stand, domain } = shop;
    const wild = { subjectAlternativeNames: [`*.${domain}`, `api.${domain}`] };
    const other = { domainName: `*.${domain}` };
    await stand.settle(shop.manifests({ main: wild, other }));
    assert.deepEqual(await shop.records(), [`_.${domain}. 60`, `_.api.${domain}. 60`]);
    await stand.settle(shop.manifests({ other }));
    assert.deepEqual(await shop.records(), [`_.${domain}. 60`], "what nobody names any more is gone");
    await stand.settle(shop.manifests({ main: wild, other }));
    await stand.settle(shop.manifests({}));
    assert.deepEqual(await shop.records(), [], "of two that go at once, one takes the record along");
  });
});

test("a successor is issued by its predecessor's records, which stay when that one goes", async () => {
  await inShop(async (shop) => {
    await shop.stand.settle(shop.manifests({ main: {} }));
    const [before] = await shop.certificate("main");
    await shop.stand.settle(shop.manifests({ main: { keyAlgorithm: "EC_prime256v1" } }));
    const found = await shop.certificate("main");
    assert.deepEqual(
      found.map(({ values }) => [values.keyAlgorithm, values.status]),
      [["EC_prime256v1", "ISSUED"]],
    );
    assert.notEqual(found[0]?.id, before?.id);
    assert.deepEqual(await shop.records(), [`_.${shop.domain}. 60`]);
  });
});

test("records move to another zone with `validation`, but for those that another certificate names", async () => {
  await inShop(async (shop) => {
    const { stand, domain } = shop;
    const domainName = `www.${domain}`;
    const moved = {
      domainName,
      subjectAlternativeNames: [`a.www.${domain}`],
      validation: { hostedZoneId: "${hostedZone.www.hostedZoneId}" },
    };
    const { validation: _zone, ...here } = moved;
    await stand.settle(shop.manifests({ main: here, other: { domainName } }, ["main", "www"]));
    await stand.settle(shop.manifests({ main: moved, other: { domainName } }, ["main", "www"]));
    assert.deepEqual(await shop.records(), [`_.www.${domain}. 60`], "the other's stays");
    assert.deepEqual(await shop.records(domainName), [`_.www.${domain}. 60`, `_.a.www.${domain}. 60`]);
    stand.loseState();
    const { report } = await stand.settle(shop.manifests({ main: moved, other: { domainName } }, ["main", "www"]));
    assert.deepEqual(report.results, [], "a tag remembers the zone when the records are lost");
  });
});

test("a record that somebody takes away is put back, because the certificate is renewed by it", async () => {
  await inShop(async (shop) => {
    const { stand } = shop;
    await stand.settle(shop.manifests({ main: {} }));
    const [zone] = await hostedZone.list.run(stand.hand, { ids: [], names: [{ name: shop.domain }], fields: new Set() });
    const [cname] = (await allRecords(stand.hand, zone?.id ?? "")).filter(({ Type }) => Type === "CNAME");
    const { recordSet } = await import("../../../reconcilers/route53/record-set.ts");
    const values = {
      hostedZoneId: zone?.id ?? "",
      name: `${cname?.Name}`,
      type: "CNAME",
      ttl: 60,
      resourceRecords: [`${cname?.ResourceRecords?.[0]?.Value}`],
    };
    await recordSet.delete.run(stand.hand, { id: "", observed: values });
    const { plan } = await stand.plan(shop.manifests({ main: {} }));
    const change = plan.changes.find(({ key }) => key === "Certificate/main");
    assert.deepEqual(
      change?.differences.map(({ path, cause }) => `${path} ${cause}`),
      ["validation.hostedZoneId drift"],
    );
    await stand.settle(shop.manifests({ main: {} }));
    assert.deepEqual(await shop.records(), [`_.${shop.domain}. 60`]);
  });
});

test("one that a listener has is kept with its record until the listener lets go, and the listener's load balancer is named", async () => {
  await inShop(async (shop) => {
    const { stand } = shop;
    await stand.settle(shop.manifests({ main: {} }));
    const [made] = await shop.certificate("main");
    const settings = await clientSettings(undefined, stand.region);
    const [ec2, elb] = [new EC2(settings), new ElasticLoadBalancingV2(settings)];
    const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
    const subnets = ["a", "b"].map(async (zone, index) => {
      const request = { VpcId: Vpc?.VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${stand.region}${zone}` };
      return String((await ec2.createSubnet(request)).Subnet?.SubnetId);
    });
    const { LoadBalancers } = await elb.createLoadBalancer({
      Name: freshProject(),
      Scheme: "internal",
      Subnets: await Promise.all(subnets),
    });
    const LoadBalancerArn = String(LoadBalancers?.[0]?.LoadBalancerArn);
    const DefaultActions = [{ Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "404" } }];
    const Certificates = [{ CertificateArn: made?.id }];
    const { Listeners } = await elb.createListener({ LoadBalancerArn, Protocol: "HTTPS", Port: 443, Certificates, DefaultActions });
    assert.ok(made);
    const target = { id: made.id, observed: made.values };
    await assert.rejects(certificate.delete.run(stand.hand, target), { name: "ResourceInUseException" });
    assert.deepEqual(await shop.records(), [`_.${shop.domain}. 60`]);
    assert.equal(await certificate.explainBlocked?.run(stand.hand, target), `what uses it: ${LoadBalancerArn}`);
    await elb.deleteListener({ ListenerArn: Listeners?.[0]?.ListenerArn });
    await elb.deleteLoadBalancer({ LoadBalancerArn });
  });
});

test("a certificate without `validation` shows its records, so that something else can create them", async () => {
  await inShop(async (shop) => {
    const { stand, domain } = shop;
    const record = "${certificate.main.domainValidationOptions[0].resourceRecord";
    const manifests = manifestsOf(stand, [
      declared("route53.aws/v1", "HostedZone/main", { name: domain }),
      declared("acm.aws/v1", "Certificate/main", { domainName: domain }),
      declared("route53.aws/v1", "RecordSet/proof", {
        hostedZoneId: "${hostedZone.main.hostedZoneId}",
        name: `${record}.name}`,
        type: "CNAME",
        ttl: 300,
        resourceRecords: [`${record}.value}`],
      }),
    ]);
    await stand.settle(manifests);
    assert.deepEqual(
      (await shop.certificate("main")).map(({ values }) => values.status),
      ["ISSUED"],
    );
    assert.deepEqual(await shop.records(), [`_.${domain}. 300`]);
  });
});

test("a certificate by mail asks who it is told to ask", async () => {
  const bench = await benchFor(certificate);
  const domainName = `www.${freshProject()}.example.com`;
  const parent = domainName.slice(4);
  const spec = { domainName, validationMethod: "EMAIL", validationDomains: { [domainName]: parent } };
  const made = await make(bench, spec);
  const [found] = await bench.kind.list.run(bench.reader, { ids: [made.id], names: [], fields: new Set() });
  assert.deepEqual([found?.values.validationMethod, found?.values.validationDomains], ["EMAIL", spec.validationDomains]);
  await certificate.delete.run(bench.writer, { id: made.id, observed: made.values });
});

test("a private certificate is asked for without proof", async () => {
  const { sent, writer } = recorder({ CertificateArn: "arn" });
  const certificateAuthorityArn = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/1";
  await certificate.create.run(
    writer,
    { domainName: "a.internal", certificateAuthorityArn, options: { export: "ENABLED" } },
    { token: "t".repeat(64) },
  );
  const request = JSON.parse(JSON.stringify(sent[0]?.input)) as object;
  assert.deepEqual(request, {
    DomainName: "a.internal",
    CertificateAuthorityArn: certificateAuthorityArn,
    Options: { Export: "ENABLED" },
    IdempotencyToken: "t".repeat(32),
  });
});

const PENDING = { status: "PENDING_VALIDATION", domainName: "example.com", validationMethod: "DNS" };
const named = (name: string) => ({ domainName: name, resourceRecord: { name: `_1.${name}`, type: "CNAME", value: "x" } });
const WRITTEN = {
  domainValidationOptions: [named("example.com"), { ...named("example.com"), domainName: "*.example.com" }],
  validation: { hostedZoneId: "Z1" },
  validationHostedZoneId: "Z1",
};
const READY: readonly { readonly why: string; readonly observed: JsonObject; readonly is: string | RegExp }[] = [
  { why: "issued", observed: { status: "ISSUED" }, is: "ready" },
  { why: "AWS has not named the records yet", observed: PENDING, is: /^waiting .*AWS has yet to say which records prove example\.com/ },
  {
    why: "it has named some",
    observed: { ...PENDING, domainValidationOptions: [named("example.com"), { domainName: "a.example.com" }] },
    is: /^waiting .*which records/,
  },
  { why: "others write its records", observed: { ...PENDING, domainValidationOptions: WRITTEN.domainValidationOptions }, is: "ready" },
  { why: "its records are to be written next", observed: { ...PENDING, ...WRITTEN, validation: undefined }, is: "ready" },
  {
    why: "its records are written",
    observed: { ...PENDING, ...WRITTEN, nameServers: ["ns-1.example.net", "ns-2.example.net"] },
    is: "waiting pending validation: AWS has yet to see _1.example.com of Z1; the domain must be delegated to ns-1.example.net, ns-2.example.net",
  },
  {
    why: "somebody must answer AWS's mail",
    observed: {
      ...PENDING,
      validationMethod: "EMAIL",
      domainValidationOptions: [{ domainName: "example.com", validationEmails: ["admin@example.com"] }],
    },
    is: /^waiting .*admin@example\.com must follow the link/,
  },
  { why: "it took too long", observed: { status: "VALIDATION_TIMED_OUT" }, is: /^recreate .*VALIDATION_TIMED_OUT/ },
  { why: "it failed", observed: { status: "FAILED", failureReason: "CAA_ERROR" }, is: /^recreate .*FAILED: CAA_ERROR/ },
  { why: "it has ended, and may be in use", observed: { status: "EXPIRED" }, is: /^failed .*--replace/ },
];
for (const { why, observed, is } of READY) {
  test(`readiness: ${why}`, () => {
    const found = certificate.ready(observed);
    const state = found.state === "failed" && found.recreate ? "recreate" : found.state;
    const text = found.state === "ready" ? "ready" : `${state} ${found.why}`;
    if (typeof is === "string") assert.equal(text, is);
    else assert.match(text, is);
  });
}

const ZONE = { hostedZoneId: { $unknown: "z" } };
const CHECKS: readonly {
  readonly why: string;
  readonly spec: JsonObject;
  readonly zone?: JsonObject;
  readonly fields: readonly string[];
}[] = [
  {
    why: "by DNS, in a zone",
    spec: { validation: ZONE, subjectAlternativeNames: ["*.example.com"] },
    zone: { name: "example.com" },
    fields: [],
  },
  { why: "a long domain", spec: { domainName: `${"a".repeat(60)}.example.com` }, fields: ["domainName"] },
  { why: "its own domain again", spec: { subjectAlternativeNames: ["example.com"] }, fields: ["subjectAlternativeNames.0"] },
  { why: "a name twice", spec: { subjectAlternativeNames: ["a.example.com", "a.example.com"] }, fields: ["subjectAlternativeNames.1"] },
  {
    why: "a name outside the zone",
    spec: { validation: ZONE, subjectAlternativeNames: ["example.org"] },
    zone: { name: "example.com" },
    fields: ["subjectAlternativeNames.0"],
  },
  {
    why: "a zone that AWS does not see",
    spec: { validation: ZONE },
    zone: { name: "example.com", privateZone: true },
    fields: ["validation.hostedZoneId"],
  },
  { why: "records, but by mail", spec: { validationMethod: "EMAIL", validation: ZONE }, fields: ["validation"] },
  { why: "mail, but by DNS", spec: { validationDomains: { "example.com": "example.com" } }, fields: ["validationDomains"] },
  {
    why: "mail for another domain",
    spec: { validationMethod: "EMAIL", validationDomains: { "example.org": "example.org" } },
    fields: ["validationDomains.example.org"],
  },
  {
    why: "mail to a domain that is not above",
    spec: { validationMethod: "EMAIL", validationDomains: { "example.com": "example.org" } },
    fields: ["validationDomains.example.com"],
  },
  {
    why: "a private one needs no proof",
    spec: { certificateAuthorityArn: "arn", validationMethod: "DNS", validation: ZONE },
    fields: ["validationMethod", "validation"],
  },
];
for (const { why, spec, zone, fields } of CHECKS) {
  const whole: StaticResource = { key: "HostedZone/z", spec: zone ?? {}, refersTo: () => undefined, spanOf: () => undefined };
  const refersTo = (field: string) => (zone && field === "validation.hostedZoneId" ? whole : undefined);
  const resource: StaticResource = { ...whole, key: "Certificate/a", spec: { domainName: "example.com", ...spec }, refersTo };
  test(`check: ${why}`, () =>
    assert.deepEqual(
      certificate.check?.([resource]).map(({ field }) => field),
      fields,
    ));
}
