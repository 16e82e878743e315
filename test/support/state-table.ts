/** The state as a process beside the controllers reads and writes it. */

import { type AwsSession, connect } from "../../src/aws/handle.ts";
import { STATE_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import { DynamoTable } from "../../state/dynamo-table.ts";
import { TableStore } from "../../state/store.ts";

export const STATE_TABLE = "beacon-state";

/** A store over the state table of a sandbox, and the session that it works by, which its user closes. */
export function stateAt(endpoint: string, region: string): { readonly session: AwsSession; readonly store: TableStore } {
  const session = connect({ sandbox: true, endpoint, region, readOperations: new Set(), operations: new Set() });
  return { session, store: new TableStore(new DynamoTable(session.caller(STATE_OPERATIONS), STATE_TABLE), systemRuntime) };
}
