/** The engine's settings as flags, environment variables and the sandbox change them. docs/operations.md lists the variables. */

import { DEFAULT_SETTINGS, LOCAL_SETTINGS } from "../engine/settings.ts";
import type { Settings } from "../engine/types.ts";
import { parseDuration } from "./duration.ts";

/** Throws UsageInvalid where BEACON_CONSISTENCY is no duration. */
export function settingsFor(options: { local: boolean; timeoutMs?: number }): Settings {
  const consistency = process.env.BEACON_CONSISTENCY;
  return {
    ...(options.local ? LOCAL_SETTINGS : DEFAULT_SETTINGS),
    ...(consistency ? { consistencyMs: parseDuration(consistency, "BEACON_CONSISTENCY") } : {}),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}
