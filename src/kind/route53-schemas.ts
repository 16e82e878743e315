/** The parts of a record set's schema. */

import { z } from "zod";
import { field } from "../core/field.ts";

/** Every type of record that Route 53 knows. */
export const RECORD_TYPES = [
  ...([
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "DS",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "PTR",
    "SOA",
    "SPF",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
  ] as const),
] as const;

const REGIONS = [
  ...(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"] as const),
  ...([
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
  ] as const),
  ...(["ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1"] as const),
  ...(["eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1"] as const),
  ...(["mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"] as const),
] as const;

/** The regions that latency records may name. */
export const LATENCY_REGIONS = REGIONS;

/** The regions whose VPCs a zone may serve: isolated ones, too. */
export const VPC_REGIONS = [
  ...REGIONS,
  ...([
    "eu-isoe-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
  ] as const),
] as const;

/** A hosted zone's id, as its status has it. */
export function zoneId(): z.ZodString {
  return z
    .string()
    .min(1)
    .max(32)
    .regex(/^[A-Z0-9]+$/, "must be the id of a hosted zone, such as Z0123456789ABCDEFGHIJ");
}

/** A DNS name, with or without the final dot. */
export function dnsName(): z.ZodString {
  return z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[!-~]+$/, "must not hold spaces, nor letters outside ASCII: write them as \\NNN (octal), or in Punycode");
}

/** What an alias leads to. */
export function aliasTarget() {
  return z.strictObject({
    dnsName: field(dnsName(), {
      doc: "The name it leads to: a load balancer's, a distribution's, a bucket website's, or another record's of the zone.",
      compare: "dns-name",
      ref: "elbv2.aws/v1 LoadBalancer.dnsName",
    }),
    hostedZoneId: field(zoneId(), {
      doc: "The zone of that name: the load balancer's own, for one.",
      ref: "elbv2.aws/v1 LoadBalancer.canonicalHostedZoneId",
    }),
    evaluateTargetHealth: field(z.boolean(), { doc: "Whether the record counts as unhealthy while its target does." }),
  });
}

/** Where askers are for whom a geolocation record is. */
export function geoLocation() {
  return z.strictObject({
    continentCode: field(z.string().min(2).max(2).optional(), { doc: "A continent: AF, AN, AS, EU, OC, NA or SA." }),
    countryCode: field(z.string().min(1).max(2).optional(), { doc: "A country by its two letters; `*` for everybody else." }),
    subdivisionCode: field(z.string().min(1).max(3).optional(), { doc: "A state of the United States, or an oblast of Ukraine." }),
  });
}

/** Where a geoproximity record's target is. */
export function geoProximityLocation() {
  return z.strictObject({
    awsRegion: field(z.string().min(1).max(64).optional(), { doc: "The region it is in." }),
    localZoneGroup: field(z.string().min(1).max(64).optional(), { doc: "The local zone group it is in." }),
    coordinates: field(
      z
        .strictObject({
          latitude: field(
            z
              .string()
              .min(1)
              .max(6)
              .regex(/^[-+]?[0-9]{1,2}(\.[0-9]{0,2})?$/),
            { doc: "Degrees north, `-33.87`." },
          ),
          longitude: field(
            z
              .string()
              .min(1)
              .max(7)
              .regex(/^[-+]?[0-9]{1,3}(\.[0-9]{0,2})?$/),
            { doc: "Degrees east, `151.21`." },
          ),
        })
        .optional(),
      { doc: "The coordinates it is at." },
    ),
    bias: field(z.int().min(-99).max(99).optional(), { doc: "Draws more askers (1 to 99) or fewer (-1 to -99)." }),
  });
}

/** Which networks an IP-based record is for. */
export function cidrRoutingConfig() {
  return z.strictObject({
    collectionId: field(z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/, "must be the UUID of a CIDR collection"), {
      doc: "The CIDR collection.",
    }),
    locationName: field(
      z
        .string()
        .min(1)
        .max(16)
        .regex(/^[0-9A-Za-z_\-*]+$/),
      { doc: "The location in the collection; `*` for everybody else." },
    ),
  });
}
