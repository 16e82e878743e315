/** Hosted zones: what a create is called, and whose it thereby is; and zones in the manifest's words. */

import type { HostedZone, VPC, VPCRegion } from "@aws-sdk/client-route-53";
import { type Ownership, parseOwnership, type Tags } from "../aws/tags.ts";
import { canonicalDnsName } from "../core/dns-name.ts";
import type { JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { defined } from "./listing.ts";
import { zoneIdOf } from "./route53.ts";

// Route 53 API Reference, CreateHostedZone.
const REFERENCE_MAX = 128;

/**
 * The CallerReference of a zone's create, the same for every send of it: a second one collides. It spells whose the zone is, because
 * tags need a call of their own, which may never come. Where that is too long, the uid and the generation must do.
 */
export function referenceFor(tags: Tags, token: string): string {
  const owner = parseOwnership(tags);
  if (!owner) return token;
  const whole = `beacon ${owner.stack} ${owner.resource} ${owner.uid} ${owner.generation}`;
  return whole.length <= REFERENCE_MAX ? whole : `beacon ${owner.uid} ${owner.generation}`;
}

/** Whose zone it is by what its create was called. */
export function ownerBy(reference: string | undefined): Ownership | undefined {
  const [, stack, resource, uid, generation] = /^beacon (\S+) (\S+\/.+) (\S+) ([1-9]\d*)$/.exec(reference ?? "") ?? [];
  if (stack === undefined || uid === undefined) return undefined;
  return { stack, resource: resource as ResourceKey, uid, generation: Number(generation), deletion: "delete" };
}

/** What GetHostedZone and CreateHostedZone tell of a zone. */
export type FoundZone = {
  readonly HostedZone?: HostedZone | undefined;
  readonly DelegationSet?: { readonly Id?: string | undefined; readonly NameServers?: readonly string[] | undefined } | undefined;
  readonly VPCs?: readonly VPC[] | undefined;
};

/** Spec and status of a zone, but for its tags. */
export function valuesOf({ HostedZone: zone, DelegationSet: delegation, VPCs = [] }: FoundZone): JsonObject {
  const set = delegation?.Id?.replace(/^\/delegationset\//, "");
  return defined({
    hostedZoneId: zoneIdOf(zone?.Id),
    name: canonicalDnsName(zone?.Name ?? ""),
    comment: zone?.Config?.Comment,
    privateZone: zone?.Config?.PrivateZone ?? false,
    vpcs: VPCs.length > 0 ? VPCs.map((vpc) => defined({ vpcId: vpc.VPCId, vpcRegion: vpc.VPCRegion })) : undefined,
    delegationSetId: set,
    nameServers: [...(delegation?.NameServers ?? [])].sort(),
    callerReference: zone?.CallerReference,
  });
}

/** A VPC as Route 53 is told of it. */
export function vpcOut(vpc: JsonObject): VPC {
  return { VPCId: String(vpc.vpcId), VPCRegion: vpc.vpcRegion as VPCRegion };
}

/** Whether the zone has this name, and is as private as is asked for. */
export function isNamedSo(zone: HostedZone, { name, privateZone = false }: JsonObject): boolean {
  return canonicalDnsName(zone.Name ?? "") === canonicalDnsName(String(name)) && (zone.Config?.PrivateZone ?? false) === privateZone;
}
