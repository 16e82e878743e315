/** The schemas of keys, capacities and indexes: tables and their indexes share them. */

import { z } from "zod";
import { field } from "../core/field.ts";

/** The characters of table and index names. */
export const NAME = /^[a-zA-Z0-9_.-]+$/;

/** An attribute that is a key, or part of an index: 1 to 255 characters (DynamoDB API Reference, KeySchemaAttributeName). */
export const attributeName = () => z.string().min(1).max(255);

/** The keys of a table or an index, by their part instead of in AWS's list. */
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

/** Capacity of a table or an index, in AWS's units. */
export const provisionedThroughput = () =>
  z.strictObject({
    readCapacityUnits: field(z.int().min(1), { doc: "Strongly consistent reads a second of up to 4 KB." }),
    writeCapacityUnits: field(z.int().min(1), { doc: "Writes a second of up to 1 KB." }),
  });

// "Greater than or equal to 1; to remove the maximum, -1" (DynamoDB API Reference, OnDemandThroughput).
const units = (doc: string) =>
  field(
    z
      .int()
      .min(-1)
      .refine((value) => value !== 0, "must be at least 1, or -1")
      .optional(),
    { doc },
  );

/** Limits of a table or an index that is billed per request. */
export const onDemandThroughput = () =>
  z.strictObject({
    maxReadRequestUnits: units("Most read request units a second; -1 for no limit."),
    maxWriteRequestUnits: units("Most write request units a second; -1 for no limit."),
  });

/** What local and global indexes have in common. */
export const indexMembers = () => ({
  indexName: field(z.string().min(3).max(255).regex(NAME), { doc: "Unique among the table's indexes." }),
  keySchema: field(keySchema(), { doc: "The index's keys." }),
  projection: field(projection(), { doc: "What the index holds." }),
});

/** A global secondary index. */
export const globalIndex = z.strictObject({
  ...indexMembers(),
  provisionedThroughput: field(provisionedThroughput().optional(), { doc: "Its capacity, with billing mode PROVISIONED." }),
  onDemandThroughput: field(onDemandThroughput().optional(), { doc: "Its limits, with billing mode PAY_PER_REQUEST." }),
});
