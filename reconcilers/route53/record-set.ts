import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader } from "../../src/aws/service.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { changeRecord, NO_ZONE, recordsIn } from "../../src/kind/route53.ts";
import { POLICIES, recordFindings } from "../../src/kind/route53-check.ts";
import { keyOfId, keyOfValues, recordOf, valuesOf, type ZonedKey } from "../../src/kind/route53-records.ts";
import {
  aliasTarget,
  cidrRoutingConfig,
  dnsName,
  geoLocation,
  geoProximityLocation,
  LATENCY_REGIONS,
  RECORD_TYPES,
  zoneId,
} from "../../src/kind/route53-schemas.ts";

const fixed = {
  hostedZoneId: field(zoneId(), {
    doc: "The hosted zone it is a part of.",
    immutable: true,
    ref: "route53.aws/v1 HostedZone.hostedZoneId",
  }),
  name: field(dnsName(), {
    doc: "Its full DNS name; `*` as the first label answers for every name that has no record.",
    immutable: true,
    // A name has a CNAME or other records, one record of a type or several with set identifiers: old and new cannot always meet.
    exclusive: true,
    compare: "dns-name",
  }),
  type: field(z.enum(RECORD_TYPES), { doc: "The type of record.", immutable: true }),
  setIdentifier: field(z.string().min(1).max(128).optional(), {
    doc: "Tells it from other records of its name and type, among which a routing policy chooses.",
    immutable: true,
  }),
} as const;

const content = {
  ttl: field(z.int().min(0).max(2_147_483_647).optional(), { doc: "For how many seconds an answer may be kept.", unset: null }),
  resourceRecords: field(z.array(z.string().min(1).max(4000)).min(1).optional(), {
    doc: "The values that are answered with, each as in a zone file.",
    compare: "set",
    unset: null,
  }),
  aliasTarget: field(aliasTarget().optional(), {
    doc: "Another AWS resource whose addresses are answered with.",
    whole: true,
    unset: null,
  }),
  weight: field(z.int().min(0).max(255).optional(), { doc: "Its share of the answers, by weight.", unset: null }),
  region: field(z.enum(LATENCY_REGIONS).optional(), { doc: "Answers those to whom this region is nearest.", unset: null }),
  failover: field(z.enum(["PRIMARY", "SECONDARY"]).optional(), {
    doc: "Whether it answers while it is healthy, or while the other is not.",
    unset: null,
  }),
  multiValueAnswer: field(z.boolean().optional(), {
    doc: "Whether it is one of up to eight healthy records that are answered with.",
    unset: false,
  }),
  geoLocation: field(geoLocation().optional(), { doc: "Answers those who are there.", whole: true, unset: null }),
  geoProximityLocation: field(geoProximityLocation().optional(), {
    doc: "Answers those to whom its target is nearest.",
    whole: true,
    unset: null,
  }),
  cidrRoutingConfig: field(cidrRoutingConfig().optional(), { doc: "Answers those in these networks.", whole: true, unset: null }),
  healthCheckId: field(z.string().min(1).max(64).optional(), { doc: "The health check that says whether it is healthy.", unset: null }),
} as const;

const spec = z.strictObject({
  ...fixed,
  ...content,
  overwrite: field(z.boolean().optional(), {
    doc: "Whether it takes the place of a record that exists, whoever made it.",
    setting: true,
    overwrites: true,
  }),
});

const status = z.strictObject({
  recordSetId: field(z.string(), { doc: "What names it: zone, name, type and set identifier." }),
});

// Route 53 has one error for everything that a batch may be refused for; its words tell.
const THERE = "InvalidChangeBatch: but it already exists";
const GONE = "InvalidChangeBatch: but it was not found";
const OTHERWISE = "InvalidChangeBatch: do not match the current values";
const NO_TARGET = "InvalidChangeBatch: but that target was not found";

export const recordSet = defineKind({
  apiVersion: "route53.aws/v1",
  kind: "RecordSet",
  doc: "A DNS record: simple, an alias, or one of several among which a routing policy chooses.",
  shortNames: ["record"],
  spec,
  status,
  id: "recordSetId",
  identity: { by: "name", key: ["hostedZoneId", "name", "type"], optionalKey: ["setIdentifier"] },
  deviations: [
    "`resourceRecords` is a list of values; AWS's members are objects with one.",
    "Names may be written with or without the final dot, and `*` for `\\052`.",
    "Changes of one zone that are due at the same time go out in one request.",
    "It is ready once Route 53 has taken it; all name servers answer with it within about a minute.",
    "Records that a traffic policy makes (`trafficPolicyInstanceId`) are not supported.",
  ],
  errors: { notFound: [...NO_ZONE, GONE], exists: [THERE], propagating: [NO_TARGET] },
  list: { operations: ["route53:ListResourceRecordSets"], run: list },
  create: {
    operations: ["route53:ChangeResourceRecordSets"],
    run: async (aws, desired) => {
      const [zone, record] = [desired.hostedZoneId, recordOf(desired as JsonObject)];
      await changeRecord(aws, zone, { Action: desired.overwrite ? "UPSERT" : "CREATE", ResourceRecordSet: record });
      const values = valuesOf(zone, record);
      return { id: String(values.recordSetId), values };
    },
  },
  updates: [
    {
      fields: Object.keys(content),
      operations: ["route53:ChangeResourceRecordSets"],
      run: async (aws, { desired, observed, changes }) => {
        const values = contentOf(desired as JsonObject, observed, changes);
        const record = recordOf({ ...fixedOf(observed), ...values });
        await changeRecord(aws, String(observed.hostedZoneId), { Action: "UPSERT", ResourceRecordSet: record });
        return { values };
      },
    },
  ],
  delete: {
    operations: ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
    run: async (aws, { observed }) => {
      const zone = String(observed.hostedZoneId);
      try {
        await changeRecord(aws, zone, { Action: "DELETE", ResourceRecordSet: recordOf(observed) });
      } catch (error) {
        if (!isNamed(error, [OTHERWISE])) throw error;
        // Somebody changed it since the last look, and AWS deletes only what is named exactly.
        const [record] = await recordsIn(aws, zone, [keyOfValues(observed)]);
        if (record) await changeRecord(aws, zone, { Action: "DELETE", ResourceRecordSet: record });
      }
    },
  },
  check: (resources) => resources.flatMap((resource) => [...recordFindings(resource)]),
});

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const zones = new Map<string, ZonedKey[]>();
  for (const key of [...scope.ids.flatMap((id) => keyOfId(id) ?? []), ...scope.names.map(keyOfValues)]) {
    zones.set(key.zone, [...(zones.get(key.zone) ?? []), key]);
  }
  const found = await Promise.all(
    [...zones].map(async ([zone, keys]) => (await recordsIn(aws, zone, keys)).map((record) => valuesOf(zone, record))),
  );
  return found.flat().map((values) => ({ id: String(values.recordSetId), values }));
}

/**
 * Every content field as it shall be: AWS replaces the whole record. What nobody declared stays as it is, but for what the
 * declared content or routing policy puts an end to.
 */
function contentOf(desired: JsonObject, observed: JsonObject, changes: Readonly<Record<string, FieldChange>>): JsonObject {
  const ended = new Set([
    ...(says(desired, "aliasTarget") ? ["ttl", "resourceRecords"] : []),
    ...(says(desired, "resourceRecords") ? ["aliasTarget"] : []),
    ...(POLICIES.some((name) => says(desired, name)) ? POLICIES.filter((name) => !says(desired, name)) : []),
  ]);
  const values = Object.keys(content).map((name) => {
    const change = changes[name];
    return [name, ended.has(name) ? undefined : ((change ? change.after : observed[name]) ?? undefined)] as const;
  });
  const { multiValueAnswer = false, ...others } = Object.fromEntries(values);
  return { ...others, multiValueAnswer };
}

function says(values: JsonObject, name: string): boolean {
  return values[name] !== undefined && values[name] !== null && values[name] !== false;
}

function fixedOf(observed: JsonObject): JsonObject {
  return Object.fromEntries(Object.keys(fixed).map((name) => [name, observed[name]]));
}
