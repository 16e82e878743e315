/** For `node --test --test-global-setup=test/support/global-setup.ts`: one sandbox for all test files of a run. */

import { end } from "../../sandbox/commands.ts";
import { ENDPOINT_VARIABLE, startOwn } from "./sandbox.ts";

let pid: number | undefined;

export async function globalSetup(): Promise<void> {
  if (process.env[ENDPOINT_VARIABLE] !== undefined) return;
  const state = await startOwn();
  pid = state.pid;
  process.env[ENDPOINT_VARIABLE] = state.endpoint; // Test files are child processes and inherit it.
}

export async function globalTeardown(): Promise<void> {
  if (pid !== undefined) await end(pid);
}
