import { hostname } from "node:os";
import type { Daemon } from "../../controller/daemon.ts";
import type { SourceWatch } from "../../controller/source-watch.ts";
import type { SourceState } from "../../controller/tools.ts";
import type { CompiledStack } from "../../core/compiled.ts";
import { BeaconError } from "../../core/errors.ts";
import { digest } from "../../core/json.ts";
import { alertUrl } from "../../monitor/alert.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import type { ExitCode } from "../exit.ts";
import { holderName } from "../holding.ts";
import { compileInput, compileManifests, hasManifests, manifestError, manifestPaths, readSources } from "../manifests.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import type { Controlling } from "../services.ts";
import { type StackOptions, stackNamed, targetOf } from "../session.ts";
import { settingsFor } from "../settings.ts";
import { stopOnSignals } from "../stop.ts";

type Options = SourceOptions &
  AwsOptions &
  StackOptions & { readonly interval: string; readonly events: boolean; readonly eventsQueue: string; readonly http?: string | false };

// A pass waits for AWS no longer than this: what still waits is looked at again, and everything else is not held up by it.
const PASS_MS = 20_000;
const PACE = { rateShare: 0.05, newsMs: 2000, verifyMs: 5000, retryMinMs: 5000, retryMaxMs: 600_000 } as const;
// An AWS on this machine has no rates, and is consistent at once.
const LOCAL_PACE = { rateShare: Number.POSITIVE_INFINITY, newsMs: 2000, verifyMs: 500, retryMinMs: 1000, retryMaxMs: 600_000 } as const;

export default defineCommand<Options>({
  description:
    "Keeps every stack of the state table equal to its accepted revision, until it is told to stop: sees drift, tells what, since when and by whom, and corrects it. With -f it watches manifests and accepts valid changes where the environment's policy allows. Any number of controllers share the stacks.",
  options: [
    ...sourceOptions,
    { flags: "--stack <project/env>", description: "only this stack (default: all of the state table)" },
    ...awsOptions,
    { flags: "--http <address>", description: "serve probes, metrics and JSON there (default: 127.0.0.1:9464, or a free port)" },
    { flags: "--no-http", description: "serve nothing" },
    { flags: "--no-events", description: "do not follow AWS's events: drift is found by the interval alone" },
    { flags: "--events-queue <name>", description: "the queue that `bootstrap --events` made", default: "beacon-events" },
    { flags: "--interval <duration>", description: "how often each resource is looked at", default: "60s" },
  ],
  logLevel: "info",
  examples: ["beaconctl controller --region ap-northeast-2", "beaconctl controller -f manifests --env prod --log-format json"],
  async run(invocation) {
    const { services, io } = invocation;
    const source = await watchedSource(invocation);
    const way = await services.control(targetOf(invocation, await placeOf(invocation, source)));
    const stop = stopOnSignals((signal) => io.err(`${signal}: handing the stacks over`));
    try {
      return await control(invocation, { way, source, stop: stop.signal });
    } finally {
      stop.dispose();
      await way.close();
    }
  },
});

/** Whose manifests say where: the watched ones, or those of an environment that is named without watching them. */
async function placeOf(invocation: Invocation<Options>, source: SourceWatch | undefined): Promise<CompiledStack | undefined> {
  if (source) return source.state?.ok ? source.state.compiled : undefined;
  const { env, region } = invocation.options;
  return env !== undefined && region === undefined && hasManifests(invocation.options) ? compileManifests(invocation) : undefined;
}

/** The manifests of -f, read once; what is wrong with them is said, and the accepted revisions stay in force. */
async function watchedSource(invocation: Invocation<Options>): Promise<SourceWatch | undefined> {
  if (invocation.options.file === undefined) return undefined;
  const { SourceWatch: Watch } = await import("../../controller/source-watch.ts");
  const runtime = await invocation.services.runtime();
  const source = new Watch({ paths: manifestPaths(invocation.options), read: () => readSource(invocation), runtime });
  await source.refresh();
  return source;
}

type Running = { readonly way: Controlling; readonly source: SourceWatch | undefined; readonly stop: AbortSignal };

async function control(invocation: Invocation<Options>, { way, source, stop }: Running): Promise<ExitCode> {
  const { options, services, log } = invocation;
  const [{ Daemon }, runtime, kinds] = await Promise.all([import("../../controller/daemon.ts"), services.runtime(), services.kinds()]);
  const only = stackNamed(options.stack);
  const daemon = new Daemon({
    id: `${hostname()}-${process.pid}-${runtime.uid().slice(0, 6)}`,
    version: services.version,
    holder: holderName(),
    ...{ kinds, runtime, log, store: way.store, open: way.open, calls: way.calls, shareWith: way.shareWith, ttlMs: way.leaseTtlMs },
    settings: settingsFor({ local: way.local, timeoutMs: PASS_MS }),
    pace: { ...(way.local ? LOCAL_PACE : PACE), intervalMs: parseDuration(options.interval, "--interval") },
    ...(options.events === false ? {} : { events: { caller: way.queue, queue: options.eventsQueue } }),
    ...(source ? { source } : {}),
    ...(only ? { only } : {}),
  });
  const shown = await show(invocation, daemon);
  try {
    await daemon.run(stop);
  } finally {
    await shown.close();
  }
  return 0;
}

/** Log, metrics, HTTP and Slack. Throws UsageInvalid where it would be open to strangers. */
async function show(
  { options, log, services, io }: Invocation<Options>,
  daemon: Daemon,
): Promise<{ readonly close: () => Promise<unknown> }> {
  const [{ logEvents }, { startWatch }, runtime] = await Promise.all([
    import("../../controller/log.ts"),
    import("../../controller/watch.ts"),
    services.runtime(),
  ]);
  daemon.listen(logEvents(log));
  const webhook = alertUrl();
  const watch = await startWatch({
    daemon,
    log,
    runtime,
    ...(options.http === undefined ? {} : { listen: options.http }),
    ...(webhook ? { webhook } : {}),
  });
  if (watch.address) io.err(io.errStyle.dim(`watch it at ${watch.address}/metrics and ${watch.address}/api/v1/stacks`));
  return watch;
}

/** The manifests as they are now; whatever is wrong with them is said, never thrown. */
async function readSource(invocation: Invocation<Options>): Promise<SourceState> {
  try {
    const [{ compile }, { bundleOf, filesReadFor }, { gitCommit }] = await Promise.all([
      import("../../manifest/compile.ts"),
      import("../../manifest/bundle.ts"),
      import("../../manifest/origin.ts"),
    ]);
    const sources = await readSources(invocation);
    const input = await compileInput(invocation);
    const texts = digest(
      sources.sources.map(({ file, text }) => [file, text]),
      16,
    );
    const compilation = compile(sources, input);
    if (!compilation.ok)
      return { ok: false, digest: texts, problem: (await manifestError(compilation.problems, sources, invocation)).message };
    const bundle = bundleOf(sources, input, compilation.stack);
    const commit = await gitCommit(sources.sources[0]?.directory ?? process.cwd());
    return {
      ok: true,
      digest: digest([texts, compilation.stack.digest], 16),
      compiled: compilation.stack,
      files: filesReadFor(compilation.stack),
      ...(bundle ? { bundle } : {}),
      ...(commit === undefined ? {} : { commit }),
    };
  } catch (error) {
    if (!(error instanceof BeaconError)) throw error;
    return { ok: false, digest: digest(error.message, 16), problem: error.message };
  }
}
