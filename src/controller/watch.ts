/** What people and machines watch a daemon by: HTTP with metrics, and Slack. */

import { BeaconError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Runtime } from "../core/store.ts";
import type { Daemon } from "./daemon.ts";
import { type HttpServer, startHttp } from "./http.ts";
import { httpToken } from "./http-access.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { Notifier } from "./notify.ts";

/** How it is watched. `listen`: absent for the default address, or a free port where that is taken; false: no HTTP. `webhook` is a secret. */
export type WatchOptions = {
  readonly daemon: Daemon;
  readonly log: Log;
  readonly runtime: Runtime;
  readonly listen?: string | false;
  readonly webhook?: string;
};

/** `address`: absent without HTTP. */
export type Watch = { readonly address?: string; readonly close: () => Promise<unknown> };

const DEFAULT_LISTEN = "127.0.0.1:9464";
const ANY_PORT = "127.0.0.1:0";

/** Begins before the daemon runs, so that nothing is missed. Throws UsageInvalid. */
export async function startWatch({ daemon, log, runtime, listen, webhook }: WatchOptions): Promise<Watch> {
  const metrics = createMetrics({ view: daemon.view });
  daemon.listen(metrics.listener);
  const notifier = webhook ? new Notifier({ url: webhook, runtime, log }) : undefined;
  if (notifier) daemon.listen(notifier.listener);
  const server = listen === false ? undefined : await serve({ listen, daemon, log, metrics });
  return {
    ...(server ? { address: server.address } : {}),
    close: () => Promise.all([notifier?.close(), server?.close()]),
  };
}

type Serving = { readonly listen: string | undefined; readonly daemon: Daemon; readonly log: Log; readonly metrics: Metrics };

async function serve({ listen, daemon, log, metrics }: Serving): Promise<HttpServer> {
  const token = httpToken();
  const start = (address: string) =>
    startHttp({ listen: address, view: daemon.view, metrics, log, ...(token === undefined ? {} : { token }) });
  if (listen !== undefined) return start(listen);
  try {
    return await start(DEFAULT_LISTEN);
  } catch (error) {
    // Two controllers on one machine are no mistake; only an address that somebody named must be free.
    if (!(error instanceof BeaconError)) throw error;
    return start(ANY_PORT);
  }
}
