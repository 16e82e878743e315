/** A DynamoDB table: in a status that is well. */

import type { TableStatus } from "@aws-sdk/client-dynamodb";
import { z } from "zod";
import { isNamed } from "../aws/errors.ts";
import { service } from "../aws/service.ts";
import { field } from "../core/field.ts";
import { defineCheck } from "./check.ts";

const dynamodb = service("dynamodb", "DynamoDBClient", () => import("@aws-sdk/client-dynamodb"));

const STATUSES = [
  "ACTIVE",
  "ARCHIVED",
  "ARCHIVING",
  "CREATING",
  "DELETING",
  "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
  "REPLICATION_NOT_AUTHORIZED",
  "UPDATING",
] as const satisfies readonly TableStatus[];
const DEFAULT_STATUSES: readonly TableStatus[] = ["ACTIVE"];

export const tableStatus = defineCheck({
  name: "tableStatus",
  doc: "A DynamoDB table is ACTIVE.",
  spec: z.strictObject({
    tableName: field(z.string().min(1).max(1024), { doc: "The table's name, or its ARN: `${table.main.tableName}`." }),
    expectedStatuses: field(z.array(z.enum(STATUSES)).min(1).optional(), {
      doc: "Statuses that are well; ACTIVE by default. A table that is UPDATING can be used, too.",
    }),
  }),
  operations: ["dynamodb:DescribeTable"],
  subject: ({ tableName }) => tableName,
  wanted: ({ expectedStatuses = DEFAULT_STATUSES }) => expectedStatuses.join(" or "),
  observe: async ({ reader }, { tableName }): Promise<TableStatus | undefined> => {
    try {
      const { Table } = await reader.read(dynamodb, "DescribeTable", { TableName: tableName });
      return Table?.TableStatus;
    } catch (error) {
      if (isNamed(error, ["ResourceNotFoundException"])) return undefined;
      throw error;
    }
  },
  judge: ({ expectedStatuses = DEFAULT_STATUSES }, status) =>
    status === undefined
      ? { healthy: false, seen: "no such table" }
      : { healthy: expectedStatuses.some((expected) => expected === status), seen: status },
});
