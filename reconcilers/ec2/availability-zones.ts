import type { AvailabilityZone, Filter } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { field } from "../../src/core/field.ts";
import { ec2, filter } from "../../src/kind/ec2.ts";
import { defineLookup } from "../../src/kind/kind.ts";

const spec = z.strictObject({
  state: field(z.enum(["available", "information", "impaired", "unavailable", "constrained"]).optional(), {
    doc: "Only zones in this state.",
  }),
  zoneType: field(z.enum(["availability-zone", "local-zone", "wavelength-zone"]).optional(), { doc: "Only zones of this type." }),
  optInStatus: field(z.enum(["opt-in-not-required", "opted-in", "not-opted-in"]).optional(), {
    doc: "Only zones with this opt-in status.",
  }),
  groupNames: field(z.array(z.string().min(1)).min(1).optional(), { doc: "Only zones of these zone groups." }),
  zoneNames: field(z.array(z.string().min(1)).min(1).optional(), { doc: "Only zones with these names." }),
  zoneIds: field(z.array(z.string().min(1)).min(1).optional(), { doc: "Only zones with these IDs." }),
  allAvailabilityZones: field(z.boolean().optional(), { doc: "Also zones the account has not opted in to." }),
});

const status = z.strictObject({
  names: field(z.array(z.string()), { doc: "The zones' names, sorted." }),
  zoneIds: field(z.array(z.string()), { doc: "The zones' IDs, in the order of the names." }),
  groupNames: field(z.array(z.string()), { doc: "The names of the zones' groups, each once, sorted." }),
});

export const availabilityZones = defineLookup({
  apiVersion: "ec2.aws/v1",
  kind: "AvailabilityZones",
  doc: "The availability zones of the region.",
  shortNames: ["az"],
  spec,
  status,
  resolve: {
    operations: ["ec2:DescribeAvailabilityZones"],
    run: async (aws, wanted) => {
      const filters = filtersOf(wanted);
      const answer = await aws.read(ec2, "DescribeAvailabilityZones", {
        AllAvailabilityZones: wanted.allAvailabilityZones,
        Filters: filters.length > 0 ? filters : undefined,
      });
      return statusOf(answer.AvailabilityZones ?? []);
    },
  },
});

function filtersOf(wanted: z.infer<typeof spec>): Filter[] {
  const named: [string, readonly string[] | undefined][] = [
    ["state", wanted.state && [wanted.state]],
    ["zone-type", wanted.zoneType && [wanted.zoneType]],
    ["opt-in-status", wanted.optInStatus && [wanted.optInStatus]],
    ["group-name", wanted.groupNames],
    ["zone-name", wanted.zoneNames],
    ["zone-id", wanted.zoneIds],
  ];
  return named.flatMap(([name, values]) => (values ? [filter(name, values)] : []));
}

// AWS promises no order; pins must not change with it.
function statusOf(zones: readonly AvailabilityZone[]): z.infer<typeof status> {
  const sorted = zones.toSorted((left, right) => (String(left.ZoneName) < String(right.ZoneName) ? -1 : 1));
  return {
    names: sorted.map((zone) => String(zone.ZoneName)),
    zoneIds: sorted.map((zone) => String(zone.ZoneId)),
    groupNames: [...new Set(sorted.flatMap((zone) => zone.GroupName ?? []))].sort(),
  };
}
