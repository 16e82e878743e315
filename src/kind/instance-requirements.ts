/** Attributes that an instance type must have, as launch templates and mixed instances policies say them. */

import { z } from "zod";
import { field } from "../core/field.ts";

const range = (doc: string, number: () => z.ZodNumber) =>
  field(
    z
      .strictObject({
        min: field(number().optional(), { doc: "At least this." }),
        max: field(number().optional(), { doc: "At most this." }),
      })
      .optional(),
    { doc },
  );

const needed = (doc: string) =>
  field(
    z.strictObject({
      min: field(z.int().min(0), { doc: "At least this." }),
      max: field(z.int().min(0).optional(), { doc: "At most this." }),
    }),
    { doc },
  );

const whole = (): z.ZodNumber => z.int().min(0);
const fraction = (): z.ZodNumber => z.number().min(0);
const choice = (doc: string) => field(z.enum(["included", "excluded", "required"]).optional(), { doc });
const percent = (doc: string) => field(z.int().min(0).optional(), { doc });
const some = <T extends z.ZodType>(member: T, doc: string) => field(z.array(member).min(1).optional(), { doc });
// EC2 API Reference, InstanceRequirementsRequest: "an instance family, type, size, or generation, with an asterisk as a wildcard".
const types = (doc: string) =>
  some(
    z
      .string()
      .min(1)
      .max(30)
      .regex(/^[a-zA-Z0-9.*-]+$/),
    doc,
  );

/** The services differ in the accelerators they know. */
export type Accelerators = {
  readonly types: readonly [string, ...string[]];
  readonly manufacturers: readonly [string, ...string[]];
  readonly names: readonly [string, ...string[]];
};

/** What every type that fits must have; EC2 chooses among those that do. */
export function instanceRequirements(accelerators: Accelerators) {
  return z.strictObject({
    vCpuCount: needed("vCPUs."),
    memoryMiB: needed("Memory, in MiB."),
    memoryGiBPerVCpu: range("Memory per vCPU, in GiB.", fraction),
    cpuManufacturers: some(z.enum(["intel", "amd", "amazon-web-services", "apple"]), "Only processors of these makers."),
    allowedInstanceTypes: types("Only these types; `*` stands for anything."),
    excludedInstanceTypes: types("None of these types; `*` stands for anything."),
    instanceGenerations: some(z.enum(["current", "previous"]), "Only types of these generations."),
    bareMetal: choice("Whether bare metal types count."),
    burstablePerformance: choice("Whether burstable types count."),
    requireHibernateSupport: field(z.boolean().optional(), { doc: "Only types that can hibernate." }),
    networkInterfaceCount: range("Network interfaces.", whole),
    networkBandwidthGbps: range("Network bandwidth, in Gbit/s.", fraction),
    baselineEbsBandwidthMbps: range("Baseline bandwidth to EBS, in Mbit/s.", whole),
    localStorage: choice("Whether types with instance store volumes count."),
    localStorageTypes: some(z.enum(["hdd", "ssd"]), "Only such instance store volumes."),
    totalLocalStorageGB: range("Instance store, in GB.", fraction),
    acceleratorTypes: some(z.enum(accelerators.types), "Only such accelerators."),
    acceleratorCount: range("Accelerators.", whole),
    acceleratorManufacturers: some(z.enum(accelerators.manufacturers), "Only accelerators of these makers."),
    acceleratorNames: some(z.enum(accelerators.names), "Only these accelerators."),
    acceleratorTotalMemoryMiB: range("The accelerators' memory, in MiB.", whole),
    spotMaxPricePercentageOverLowestPrice: percent("How far the price of Spot Instances may be above the lowest, in percent."),
    maxSpotPriceAsPercentageOfOptimalOnDemandPrice: percent("How high it may be, in percent of the On-Demand price."),
    onDemandMaxPricePercentageOverLowestPrice: percent("How far the On-Demand price may be above the lowest, in percent."),
  });
}
