/** Record sets in the manifest's words and in AWS's, and what names them. */

import type { ResourceRecordSet, RRType } from "@aws-sdk/client-route-53";
import { canonicalDnsName } from "../core/dns-name.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { defined } from "./listing.ts";
import type { RecordKey } from "./route53.ts";
import { lower, upper } from "./words.ts";

/** A record set of a zone. */
export type ZonedKey = RecordKey & { readonly zone: string };

/** `Z0123456789 www.example.com A`, and the set identifier where it has one: no other part can hold a space. */
export function recordSetId({ zone, Name, Type, SetIdentifier }: ZonedKey): string {
  return [zone, canonicalDnsName(Name ?? ""), Type, ...(SetIdentifier === undefined ? [] : [SetIdentifier])].join(" ");
}

/** What the id names; undefined for what is none. */
export function keyOfId(id: string): ZonedKey | undefined {
  const [, zone, Name, Type, SetIdentifier] = /^(\S+) (\S+) (\S+)(?: (.+))?$/s.exec(id) ?? [];
  if (zone === undefined) return undefined;
  return { zone, Name, Type: Type as RRType, ...(SetIdentifier === undefined ? {} : { SetIdentifier }) };
}

/** The record set that spec values, or a natural key, name. */
export function keyOfValues({ hostedZoneId, name, type, setIdentifier }: JsonObject): ZonedKey {
  const key = { zone: String(hostedZoneId), Name: canonicalDnsName(String(name)), Type: type as RRType };
  return typeof setIdentifier === "string" ? { ...key, SetIdentifier: setIdentifier } : key;
}

/** Spec and status of a record set of the zone. */
export function valuesOf(zone: string, record: ResourceRecordSet): JsonObject {
  const { Name = "", TTL, ResourceRecords = [], AliasTarget, ...members } = record;
  const target = AliasTarget && { ...AliasTarget, DNSName: canonicalDnsName(AliasTarget.DNSName ?? "") };
  return defined({
    ...(inOurWords({ ...members, ...(target ? { AliasTarget: target } : {}) } as unknown as Json) as JsonObject),
    recordSetId: recordSetId({ ...record, zone }),
    hostedZoneId: zone,
    name: canonicalDnsName(Name),
    ttl: TTL,
    resourceRecords: target ? undefined : ResourceRecords.map(({ Value = "" }) => Value),
    multiValueAnswer: record.MultiValueAnswer ?? false,
  });
}

/** The record set that spec values describe, as AWS is sent it. Members that are null or absent are left out. */
export function recordOf(values: JsonObject): ResourceRecordSet {
  const { name, ttl, resourceRecords, multiValueAnswer } = values;
  const own = {
    Name: canonicalDnsName(String(name)),
    ...(inAwsWords(Object.fromEntries(MEMBERS.map((member) => [member, values[member]]))) as object),
    MultiValueAnswer: multiValueAnswer === true ? true : undefined,
    TTL: ttl,
    ResourceRecords: Array.isArray(resourceRecords) ? resourceRecords.map((Value) => ({ Value })) : undefined,
  };
  const given = Object.entries(own).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as unknown as ResourceRecordSet;
}

// Members that are in AWS's words what they are in ours.
const MEMBERS = [
  ...["type", "setIdentifier", "aliasTarget", "weight", "region", "failover", "geoLocation", "geoProximityLocation"],
  ...["cidrRoutingConfig", "healthCheckId", "trafficPolicyInstanceId"],
];

// Where AWS's spelling is not ours with a capital first letter.
const SPELLINGS: readonly (readonly [ours: string, aws: string])[] = [
  ["dnsName", "DNSName"],
  ["awsRegion", "AWSRegion"],
];

function inAwsWords(value: Json | undefined): Json | undefined {
  const spelled = (name: string) => SPELLINGS.find(([ours]) => ours === name)?.[1] ?? upper(name);
  return renamed(value, spelled);
}

function inOurWords(value: Json | undefined): Json | undefined {
  const spelled = (name: string) => SPELLINGS.find(([, aws]) => aws === name)?.[0] ?? lower(name);
  return renamed(value, spelled);
}

function renamed(value: Json | undefined, spelled: (name: string) => string): Json | undefined {
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(members.map(([name, member]) => [spelled(name), renamed(member, spelled)]));
}
