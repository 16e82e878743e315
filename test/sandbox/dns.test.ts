/** Zones, records, certificates and domains: the sandbox refuses what AWS refuses, and proves domains by their records. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ACM } from "@aws-sdk/client-acm";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { ResourceGroupsTaggingAPI } from "@aws-sdk/client-resource-groups-tagging-api";
import { type Change, type ResourceRecordSet, Route53 } from "@aws-sdk/client-route-53";
import { Route53Domains } from "@aws-sdk/client-route-53-domains";
import { clientSettings, freshProject } from "../support/sandbox.ts";

type Settings = Awaited<ReturnType<typeof clientSettings>>;

let settings: Settings;
let route53: Route53;
let acm: ACM;
before(async () => {
  settings = await clientSettings();
  [route53, acm] = [new Route53(settings), new ACM(settings)];
});

const refused = (name: string, message?: RegExp) => (message ? { name, message } : { name });

async function newZone(name = `${freshProject()}.example.com`): Promise<{ readonly Id: string; readonly name: string }> {
  const { HostedZone } = await route53.createHostedZone({ Name: name, CallerReference: freshProject() });
  return { Id: String(HostedZone?.Id), name };
}

const record = (Name: string, Value = "192.0.2.1", more: Partial<ResourceRecordSet> = {}): ResourceRecordSet => ({
  Name,
  Type: "A",
  TTL: 60,
  ResourceRecords: [{ Value }],
  ...more,
});

function send(HostedZoneId: string, ...Changes: Change[]) {
  return route53.changeResourceRecordSets({ HostedZoneId, ChangeBatch: { Changes } });
}

async function recordsOf(HostedZoneId: string): Promise<string[]> {
  const { ResourceRecordSets = [] } = await route53.listResourceRecordSets({ HostedZoneId });
  return ResourceRecordSets.map(({ Name, Type, SetIdentifier }) => [Name, Type, SetIdentifier].filter(Boolean).join(" "));
}

describe("hosted zones", () => {
  test("a caller reference makes one zone", async () => {
    const request = { Name: `${freshProject()}.example.com`, CallerReference: freshProject() };
    await route53.createHostedZone(request);
    await assert.rejects(route53.createHostedZone(request), refused("HostedZoneAlreadyExists"));
  });

  test("one that holds records of its own, delegations too, is not deleted", async () => {
    const { Id, name } = await newZone();
    const ns = record(`sub.${name}`, "ns-1.example.net.", { Type: "NS" });
    await send(Id, { Action: "CREATE", ResourceRecordSet: ns });
    await assert.rejects(route53.deleteHostedZone({ Id }), refused("HostedZoneNotEmpty"));
    await send(Id, { Action: "DELETE", ResourceRecordSet: ns });
    await route53.deleteHostedZone({ Id });
    await assert.rejects(route53.getHostedZone({ Id }), refused("NoSuchHostedZone"));
  });

  test("the tagging API knows them in us-east-1", async () => {
    const { Id } = await newZone();
    const [bare, Team] = [Id.replace("/hostedzone/", ""), freshProject()];
    await route53.changeTagsForResource({ ResourceType: "hostedzone", ResourceId: bare, AddTags: [{ Key: "Team", Value: Team }] });
    const find = async (region: string) => {
      const api = new ResourceGroupsTaggingAPI({ ...settings, region });
      const found = await api.getResources({ TagFilters: [{ Key: "Team", Values: [Team] }], ResourceTypeFilters: ["route53:hostedzone"] });
      return (found.ResourceTagMappingList ?? []).map(({ ResourceARN }) => ResourceARN);
    };
    assert.deepEqual(await find("us-east-1"), [`arn:aws:route53:::hostedzone/${bare}`]);
    assert.deepEqual(await find("eu-west-1"), []);
  });
});

describe("changes of record sets", () => {
  const rows: readonly { why: string; there?: readonly Change[]; changes: (name: string) => readonly Change[]; says: RegExp }[] = [
    {
      why: "one record has one change",
      changes: (name) => [1, 2].map((nth) => ({ Action: "CREATE", ResourceRecordSet: record(`new.${name}`, `192.0.2.${nth}`) })),
      says: /invalid set of changes/,
    },
    {
      why: "what is not there is not deleted",
      changes: (name) => [{ Action: "DELETE", ResourceRecordSet: record(`gone.${name}`) }],
      says: /Tried to delete resource record set \[name='gone\..*', type='A'\] but it was not found/,
    },
    {
      why: "what is otherwise is not deleted",
      changes: (name) => [{ Action: "DELETE", ResourceRecordSet: record(`www.${name}`, "192.0.2.99") }],
      says: /but the values provided do not match the current values/,
    },
    {
      why: "what exists is not created again",
      changes: (name) => [{ Action: "CREATE", ResourceRecordSet: record(`WWW.${name}.`) }],
      says: /Tried to create resource record set \[name='www\..*', type='A'\] but it already exists/,
    },
    {
      why: "a CNAME is alone under its name",
      changes: (name) => [{ Action: "CREATE", ResourceRecordSet: record(`www.${name}`, "example.com", { Type: "CNAME" }) }],
      says: /conflicts with other records with the same DNS name/,
    },
    {
      why: "the zone itself is no CNAME",
      changes: (name) => [{ Action: "CREATE", ResourceRecordSet: record(name, "example.org", { Type: "CNAME" }) }],
      says: /not permitted at apex/,
    },
    {
      why: "one record, or several with set identifiers",
      changes: (name) => [
        { Action: "CREATE", ResourceRecordSet: record(`www.${name}`, "192.0.2.2", { SetIdentifier: "blue", Weight: 1 }) },
      ],
      says: /another routing policy/,
    },
    {
      why: "a set identifier wants a routing policy",
      changes: (name) => [{ Action: "CREATE", ResourceRecordSet: record(`one.${name}`, "192.0.2.2", { SetIdentifier: "blue" }) }],
      says: /SetIdentifier/,
    },
    {
      why: "another domain's name",
      changes: () => [{ Action: "CREATE", ResourceRecordSet: record("www.example.net") }],
      says: /is not permitted in zone/,
    },
    {
      why: "an alias within the zone has a target",
      changes: (name) => [
        {
          Action: "CREATE",
          ResourceRecordSet: {
            Name: `alias.${name}`,
            Type: "A",
            AliasTarget: { DNSName: `gone.${name}`, HostedZoneId: "ZONE", EvaluateTargetHealth: false },
          },
        },
      ],
      says: /but that target was not found/,
    },
  ];
  for (const { why, changes, says } of rows) {
    test(`refused, and all that came with it: ${why}`, async () => {
      const { Id, name } = await newZone();
      await send(Id, { Action: "CREATE", ResourceRecordSet: record(`www.${name}`) });
      const before = await recordsOf(Id);
      const own = JSON.parse(JSON.stringify(changes(name)).replace('"ZONE"', `"${Id.replace("/hostedzone/", "")}"`)) as Change[];
      const batch: Change[] = [{ Action: "CREATE", ResourceRecordSet: record(`beside.${name}`) }, ...own];
      await assert.rejects(send(Id, ...batch), refused("InvalidChangeBatch", says));
      assert.deepEqual(await recordsOf(Id), before);
    });
  }

  test("one record makes way for another of its name in one batch", async () => {
    const { Id, name } = await newZone();
    await send(Id, { Action: "CREATE", ResourceRecordSet: record(`www.${name}`, "example.net", { Type: "CNAME" }) });
    await send(
      Id,
      { Action: "DELETE", ResourceRecordSet: record(`www.${name}`, "example.net", { Type: "CNAME" }) },
      { Action: "CREATE", ResourceRecordSet: record(`www.${name}`) },
    );
    assert.ok((await recordsOf(Id)).includes(`www.${name}. A`));
  });

  test("records with set identifiers go one by one", async () => {
    const { Id, name } = await newZone();
    const sets = ["blue", "green"].flatMap((SetIdentifier) =>
      ["a", "b"].map((host) => record(`${host}.${name}`, "192.0.2.1", { SetIdentifier, Weight: 1 })),
    );
    await send(Id, ...sets.map((ResourceRecordSet) => ({ Action: "CREATE" as const, ResourceRecordSet })));
    await send(Id, { Action: "DELETE", ResourceRecordSet: sets[0] as ResourceRecordSet });
    assert.deepEqual(
      (await recordsOf(Id)).filter((text) => text.includes(" A ")),
      [`a.${name}. A green`, `b.${name}. A blue`, `b.${name}. A green`],
    );
  });

  test("names come back as AWS writes them, in its order and page by page", async () => {
    const { Id, name } = await newZone();
    const names = [`*.${name}`, `B.${name}.`, `a.b.${name}`];
    await send(Id, ...names.map((one) => ({ Action: "CREATE" as const, ResourceRecordSet: record(one) })));
    const pages: string[] = [];
    let from: Record<string, string | undefined> = {};
    do {
      const page = await route53.listResourceRecordSets({ HostedZoneId: Id, MaxItems: 2, ...(from as object) });
      pages.push(...(page.ResourceRecordSets ?? []).map((one) => `${one.Name} ${one.Type}`));
      from = page.IsTruncated ? { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType } : {};
    } while (Object.keys(from).length > 0);
    assert.deepEqual(pages, [`${name}. NS`, `${name}. SOA`, `\\052.${name}. A`, `b.${name}. A`, `a.b.${name}. A`]);
  });
});

const TIMEOUT_MS = 5_000;

async function until<T>(look: () => Promise<T>, isDone: (found: T) => boolean): Promise<T> {
  const ends = performance.now() + TIMEOUT_MS;
  let found = await look();
  while (!isDone(found) && performance.now() < ends) found = await look();
  return found;
}

describe("certificates", () => {
  const request = async (DomainName: string, more: object = {}) =>
    String((await acm.requestCertificate({ DomainName, ValidationMethod: "DNS", ...more })).CertificateArn);
  const look = async (CertificateArn: string) => (await acm.describeCertificate({ CertificateArn })).Certificate;
  const records = async (arn: string) => {
    const named = await until(
      () => look(arn),
      (found) => (found?.DomainValidationOptions ?? []).every(({ ResourceRecord }) => ResourceRecord !== undefined),
    );
    return (named?.DomainValidationOptions ?? []).map(({ ResourceRecord }) => ResourceRecord);
  };

  test("one is issued once its record is in a zone, and not before", async () => {
    const { Id, name } = await newZone();
    const arn = await request(name, { SubjectAlternativeNames: [`*.${name}`] });
    const [first, second] = await records(arn);
    assert.deepEqual(first, second, "a domain and its wildcard share a record");
    assert.equal((await look(arn))?.Status, "PENDING_VALIDATION");
    const ResourceRecordSet = record(String(first?.Name), String(first?.Value), { Type: "CNAME" });
    await send(Id, { Action: "CREATE", ResourceRecordSet });
    const issued = await look(arn);
    assert.equal(issued?.Status, "ISSUED");
    assert.ok(issued?.IssuedAt && issued.NotAfter);
    assert.deepEqual(await records(await request(name)), [first], "and so does a successor");
  });

  test("a private zone, or another value, proves nothing", async () => {
    const { Id, name } = await newZone();
    const arn = await request(name);
    const [wanted] = await records(arn);
    await send(Id, { Action: "CREATE", ResourceRecordSet: record(String(wanted?.Name), "_other.acm-validations.aws.", { Type: "CNAME" }) });
    assert.equal((await look(arn))?.Status, "PENDING_VALIDATION");
  });

  test("what was asked for is kept, and a token asks for one certificate", async () => {
    const token = freshProject().replace("-", "");
    const domain = `${freshProject()}.example.com`;
    const more = { IdempotencyToken: token, KeyAlgorithm: "EC_prime256v1" as const };
    const arn = await request(domain, more);
    assert.equal(await request(domain, { ...more, Tags: [{ Key: "a", Value: "b" }] }), arn);
    assert.notEqual(await request(domain, { ...more, IdempotencyToken: `${token}2` }), arn);
    assert.equal((await look(arn))?.KeyAlgorithm, "EC_prime256v1");
  });

  test("one that a listener has is in use, and is not deleted", async () => {
    const [ec2, elb] = [new EC2(settings), new ElasticLoadBalancingV2(settings)];
    const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
    const subnets = ["a", "b"].map(async (zone, index) => {
      const request = { VpcId: Vpc?.VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${settings.region}${zone}` };
      return String((await ec2.createSubnet(request)).Subnet?.SubnetId);
    });
    const { LoadBalancers } = await elb.createLoadBalancer({
      Name: freshProject(),
      Scheme: "internal",
      Subnets: await Promise.all(subnets),
    });
    const LoadBalancerArn = String(LoadBalancers?.[0]?.LoadBalancerArn);
    const arn = await request(`${freshProject()}.example.com`, { ValidationMethod: "EMAIL" });
    await until(
      () => look(arn),
      (found) => found?.Status === "ISSUED",
    );
    const DefaultActions = [{ Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "404" } }];
    const listener = { LoadBalancerArn, Protocol: "HTTPS" as const, Port: 443, Certificates: [{ CertificateArn: arn }], DefaultActions };
    const { Listeners } = await elb.createListener(listener);
    assert.deepEqual((await look(arn))?.InUseBy, [LoadBalancerArn]);
    await assert.rejects(acm.deleteCertificate({ CertificateArn: arn }), refused("ResourceInUseException"));
    await elb.deleteListener({ ListenerArn: Listeners?.[0]?.ListenerArn });
    assert.deepEqual((await look(arn))?.InUseBy, []);
    await acm.deleteCertificate({ CertificateArn: arn });
    await assert.rejects(look(arn), refused("ResourceNotFoundException"));
  });
});

describe("domains", () => {
  test("name servers change after a while, one change at a time and then another", async () => {
    const domains = new Route53Domains(settings);
    const DomainName = `${freshProject()}.com`;
    const names = async () => (await domains.getDomainDetail({ DomainName })).Nameservers?.map(({ Name }) => Name);
    const before = await names();
    assert.ok((before?.length ?? 0) > 0, "every domain is registered");
    for (const server of ["ns-1.awsdns-00.com", "ns-2.awsdns-01.net"]) {
      const { OperationId } = await domains.updateDomainNameservers({ DomainName, Nameservers: [{ Name: server }] });
      const again = domains.updateDomainNameservers({ DomainName, Nameservers: [{ Name: server }] });
      await assert.rejects(again, refused("DuplicateRequest"));
      const operation = () => domains.getOperationDetail({ OperationId });
      assert.equal((await operation()).Status, "IN_PROGRESS");
      assert.equal((await operation()).Status, "SUCCESSFUL");
      assert.deepEqual(await names(), [server]);
    }
    const within = domains.updateDomainNameservers({ DomainName, Nameservers: [{ Name: `ns.${DomainName}` }] });
    await assert.rejects(within, refused("InvalidInput", /glue IPs/));
  });
});
