/** The schemas of keys, capacities and indexes: tables and their indexes share them. */

import { z } from "zod";
import { field } from "../core/field.ts";

/** The characters of table and index names. */
export const NAME = /^[a-zA-Z0-9_.-]+$/;

export const attributeName = () => z.string().min(1).max(255);

export const keySchema = () =>
  z.strictObject({
    hash: field(attributeName(), { doc: "The partition key's attribute." }),
    range: field(attributeName().optional(), { doc: "The sort key's attribute." }),
  });

const projection = () =>
  z.strictObject({
    projectionType: field(z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]), { doc: "Which attributes the index holds." }),
    nonKeyAttributes: field(z.array(attributeName()).min(1).max(20).optional(), {
      doc: "With INCLUDE: the attributes beside the keys.",
      compare: "set",
    }),
  });

export const provisionedThroughput = () =>
  z.strictObject({
    readCapacityUnits: field(z.int().min(1), { doc: "Strongly consistent reads a second of up to 4 KB." }),
    writeCapacityUnits: field(z.int().min(1), { doc: "Writes a second of up to 1 KB." }),
  });

const units = (doc: string) => field(z.int().min(-1).optional(), { doc });
export const onDemandThroughput = () =>
  z.strictObject({
    maxReadRequestUnits: units("Most read request units a second; -1 for no limit."),
    maxWriteRequestUnits: units("Most write request units a second; -1 for no limit."),
  });

export const indexMembers = () => ({
  indexName: field(z.string().min(3).max(255).regex(NAME), { doc: "Unique among the table's indexes." }),
  keySchema: field(keySchema(), { doc: "The index's keys." }),
  projection: field(projection(), { doc: "What the index holds." }),
});

export const globalIndex = z.strictObject({
  ...indexMembers(),
  provisionedThroughput: field(provisionedThroughput().optional(), { doc: "Its capacity, with billing mode PROVISIONED." }),
  onDemandThroughput: field(onDemandThroughput().optional(), { doc: "Its limits, with billing mode PAY_PER_REQUEST." }),
});
