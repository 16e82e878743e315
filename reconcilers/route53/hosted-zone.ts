import type { HostedZone, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { z } from "zod";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../../src/aws/tags.ts";
import { canonicalDnsName } from "../../src/core/dns-name.ts";
import { field, tags } from "../../src/core/field.ts";
import { canonical, type JsonObject } from "../../src/core/json.ts";
import { inChunks } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { allRecords, changeRecord, NO_ZONE, route53, zoneIdOf } from "../../src/kind/route53.ts";
import { dnsName, VPC_REGIONS } from "../../src/kind/route53-schemas.ts";
import { type FoundZone, isNamedSo, ownerBy, referenceFor, valuesOf, vpcOut } from "../../src/kind/route53-zones.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";

const vpc = z.strictObject({
  vpcId: field(z.string().min(1).max(1024), { doc: "A VPC in which the zone is looked up.", ref: "ec2.aws/v1 VPC.vpcId" }),
  vpcRegion: field(z.enum(VPC_REGIONS), { doc: "The region of that VPC." }),
});

const spec = z.strictObject({
  name: field(dnsName(), { doc: "The domain whose records it holds.", immutable: true, compare: "dns-name" }),
  privateZone: field(z.boolean().optional(), {
    doc: "Whether it is looked up in its VPCs only, rather than on the internet.",
    immutable: true,
    unset: false,
  }),
  comment: field(z.string().min(1).max(256).optional(), { doc: "What it is for.", unset: null }),
  vpcs: field(z.array(vpc).min(1).optional(), { doc: "The VPCs in which a private zone is looked up: at least one.", compare: "set" }),
  delegationSetId: field(z.string().min(1).max(32).optional(), {
    doc: "A reusable delegation set, for name servers that several zones share.",
    immutable: true,
  }),
  tags: tags(),
});

const status = z.strictObject({
  hostedZoneId: field(z.string(), { doc: "The ID of the zone, without `/hostedzone/`." }),
  nameServers: field(z.array(z.string()), { doc: "The name servers of a public zone: what its domain must be delegated to." }),
  callerReference: field(z.string(), { doc: "What its create was called, which says whose it is." }),
});

export const hostedZone = defineKind({
  apiVersion: "route53.aws/v1",
  kind: "HostedZone",
  doc: "The DNS records of a domain and its subdomains, on the internet or in VPCs.",
  shortNames: ["zone"],
  spec,
  status,
  id: "hostedZoneId",
  identity: { by: "name", key: ["name"], optionalKey: ["privateZone"], tagsFollow: true },
  stateful: true,
  deviations: [
    "`comment` and `privateZone`, members of AWS's HostedZoneConfig, are fields here.",
    "AWS lets several zones have one name, and only one of them is asked; BEACON makes no second public, or private, zone of a name.",
    "Its tags, calls of their own at AWS, are a field here.",
    "Deletion is refused while it holds records other than its own NS and SOA; with `lifecycle.deletion: force` they go with it.",
    "VPCs of other accounts, DNSSEC, query logging and accelerated recovery are not supported.",
  ],
  errors: {
    notFound: NO_ZONE,
    exists: ["HostedZoneAlreadyExists"],
    wait: ["HostedZoneNotEmpty"],
    propagating: ["InvalidVPCId"],
  },
  list: {
    operations: ["tag:GetResources", "route53:GetHostedZone", "route53:ListHostedZonesByName", "route53:ListTagsForResources"],
    run: list,
  },
  create: {
    operations: ["route53:CreateHostedZone"],
    run: async (aws, desired, { token }) => {
      // One VPC goes along; the others follow. The same one each time, because the create may be sent again.
      const [first] = [...(desired.vpcs ?? [])].sort((left, right) => (canonical(left) < canonical(right) ? -1 : 1));
      const answer = await aws.write(route53, "CreateHostedZone", {
        Name: canonicalDnsName(desired.name),
        CallerReference: referenceFor(desired.tags ?? {}, token),
        VPC: first && vpcOut(first),
        HostedZoneConfig: { Comment: desired.comment, PrivateZone: desired.privateZone ?? false },
        DelegationSetId: desired.delegationSetId,
      });
      const values = valuesOf({ ...answer, VPCs: first ? [vpcOut(first)] : [] });
      return { id: String(values.hostedZoneId), values: { ...values, tags: {} } };
    },
  },
  updates: [
    fieldUpdater("comment", ["route53:UpdateHostedZoneComment"], (aws, { id }, comment) =>
      aws.write(route53, "UpdateHostedZoneComment", { Id: id, ...(comment === null ? {} : { Comment: comment as string }) }),
    ),
    {
      // AWS takes one VPC a call, and a private zone keeps one: new ones come first.
      fields: ["vpcs"],
      operations: ["route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone"],
      run: async (aws, { id, changes }) => {
        const { before, added = [], removed = [] } = changes.vpcs ?? {};
        const present = (Array.isArray(before) ? before : []) as JsonObject[];
        const [come, gone] = [added[0], removed[0]] as (JsonObject | undefined)[];
        if (come) {
          await aws.write(route53, "AssociateVPCWithHostedZone", { HostedZoneId: id, VPC: vpcOut(come) });
          return { values: { vpcs: [...present, come] } };
        }
        if (gone) await aws.write(route53, "DisassociateVPCFromHostedZone", { HostedZoneId: id, VPC: vpcOut(gone) });
        return { values: { vpcs: present.filter((other) => canonical(other) !== canonical(gone ?? null)) } };
      },
    },
    {
      fields: ["tags"],
      operations: ["route53:ChangeTagsForResource"],
      run: async (aws, { id, changes }) => {
        const { before, set = {}, drop = [] } = changes.tags ?? {};
        const [given, dropped] = [Object.fromEntries(Object.entries(set as Tags).slice(0, TAGS_MAX)), drop.slice(0, TAGS_MAX)];
        await aws.write(route53, "ChangeTagsForResource", {
          ResourceType: "hostedzone",
          ResourceId: id,
          ...(Object.keys(given).length > 0 ? { AddTags: toTagList(given) } : {}),
          ...(dropped.length > 0 ? { RemoveTagKeys: dropped } : {}),
        });
        const kept = Object.entries((before ?? {}) as Tags).filter(([key]) => !dropped.includes(key));
        return { values: { tags: { ...Object.fromEntries(kept), ...given } } };
      },
    },
  ],
  delete: {
    operations: ["route53:DeleteHostedZone", "route53:ListResourceRecordSets", "route53:ChangeResourceRecordSets"],
    run: async (aws, { id, observed, force }) => {
      if (force) await empty(aws, id, String(observed.name));
      await aws.write(route53, "DeleteHostedZone", { Id: id });
    },
  },
  explainBlocked: {
    operations: ["route53:ListResourceRecordSets"],
    run: async (aws, { id, observed }) => {
      const [first, ...more] = (await allRecords(aws, id)).filter((record) => !isOwn(record, String(observed.name)));
      const others = more.length > 0 ? `, and ${more.length} more` : "";
      return first && `its record ${canonicalDnsName(first.Name ?? "")} ${first.Type}${others}`;
    },
  },
  check: (resources) => resources.flatMap((resource) => [...zoneFindings(resource)]),
});

// ChangeTagsForResource and ListTagsForResources: at most 10 tags, and 10 zones, a call (Route 53 API Reference).
const TAGS_MAX = 10;
const ZONES_MAX = 10;

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  const get = async (ids: readonly string[]) => (await Promise.all(ids.map((id) => getZone(aws, id)))).filter((zone) => zone !== undefined);
  const found = await listInScope<FoundZone & { readonly HostedZone: HostedZone }>(scope, {
    id: ({ HostedZone: zone }) => zoneIdOf(zone.Id),
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "route53:hostedzone", wanted, { isGlobal: true });
      for (const [arn, own] of tagged) known.set(arn.slice(arn.indexOf("/") + 1), own);
      return get([...tagged.keys()].map((arn) => arn.slice(arn.indexOf("/") + 1)));
    },
    byIds: get,
    byNames: async (names) => get((await Promise.all(names.map((name) => idsNamed(aws, name)))).flat()),
    matches: ({ HostedZone: zone }, name) => isNamedSo(zone, name),
  });
  const ids = found.map(({ HostedZone: zone }) => zoneIdOf(zone.Id)).filter((id) => !known.has(id));
  for (const [id, own] of await tagsOf(aws, ids)) known.set(id, own);
  return found.map((zone) => remote(zone, known));
}

function remote(zone: FoundZone & { readonly HostedZone: HostedZone }, known: ReadonlyMap<string, Tags>): Remote {
  const values = valuesOf(zone);
  const id = String(values.hostedZoneId);
  const own = known.get(id) ?? {};
  const owner = ownerBy(zone.HostedZone.CallerReference);
  return { id, values: { ...values, tags: own }, tags: own, ...(owner ? { owner } : {}) };
}

async function getZone(aws: Reader, Id: string): Promise<(FoundZone & { readonly HostedZone: HostedZone }) | undefined> {
  const answer = await unlessNamed(NO_ZONE, aws.read(route53, "GetHostedZone", { Id }));
  return answer?.HostedZone && { ...answer, HostedZone: answer.HostedZone };
}

/** The ids of all zones of a name: AWS lists zones in the order of their names, from the one that is asked for. */
async function idsNamed(aws: Reader, name: JsonObject): Promise<string[]> {
  const ids: string[] = [];
  let from: { DNSName?: string | undefined; HostedZoneId?: string | undefined } = { DNSName: canonicalDnsName(String(name.name)) };
  while (true) {
    const page = await aws.read(route53, "ListHostedZonesByName", from);
    const zones = page.HostedZones ?? [];
    ids.push(...zones.filter((zone) => isNamedSo(zone, name)).map(({ Id }) => zoneIdOf(Id)));
    const goesOn = page.IsTruncated === true && canonicalDnsName(page.NextDNSName ?? "") === canonicalDnsName(String(name.name));
    if (!goesOn) return ids;
    from = { DNSName: page.NextDNSName, HostedZoneId: page.NextHostedZoneId };
  }
}

// The tagging API does not know a zone yet that was just made or tagged: it is asked itself. AWS fails the whole call for one
// that is gone; its zones are then asked one by one.
async function tagsOf(aws: Reader, ids: readonly string[]): Promise<(readonly [string, Tags])[]> {
  const ask = async (ResourceIds: string[]) => {
    const answer = await aws.read(route53, "ListTagsForResources", { ResourceType: "hostedzone", ResourceIds });
    return (answer.ResourceTagSets ?? []).map(({ ResourceId, Tags: own }) => [String(ResourceId), fromTagList(own)] as const);
  };
  return inChunks(ids, ZONES_MAX, async (some) => {
    const answer = await unlessNamed(NO_ZONE, ask(some));
    if (answer) return answer;
    return (await Promise.all(some.map((id) => unlessNamed(NO_ZONE, ask([id]))))).flatMap((one) => one ?? []);
  });
}

// AWS makes these with the zone, and takes them away with it.
function isOwn({ Name = "", Type }: ResourceRecordSet, zone: string): boolean {
  return (Type === "NS" || Type === "SOA") && canonicalDnsName(Name) === canonicalDnsName(zone);
}

async function empty(aws: Writer, id: string, name: string): Promise<void> {
  const records = (await allRecords(aws, id)).filter((record) => !isOwn(record, name));
  await Promise.all(records.map((record) => changeRecord(aws, id, { Action: "DELETE", ResourceRecordSet: record })));
}

function* zoneFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const { name, privateZone = false, vpcs, delegationSetId } = declared;
  const isPublic = privateZone === false;
  if (isPublic && vpcs !== undefined) {
    yield { resource: key, field: "vpcs", message: `${key} is public, and has no VPCs`, hint: "set `privateZone: true`" };
  }
  if (privateZone === true && vpcs === undefined) {
    yield { resource: key, field: "privateZone", message: `${key} is private, and needs a VPC`, hint: "set `vpcs`" };
  }
  if (privateZone === true && delegationSetId !== undefined) {
    yield { resource: key, field: "delegationSetId", message: `${key} is private, and has no name servers on the internet` };
  }
  if (isPublic && typeof name === "string" && !canonicalDnsName(name).includes(".")) {
    yield { resource: key, field: "name", message: `AWS makes no public zone for a top-level domain: ${name}` };
  }
}
