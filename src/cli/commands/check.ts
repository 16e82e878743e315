import { BeaconError } from "../../core/errors.ts";
import type { ResourceRecord, StackRequest } from "../../core/record.ts";
import { stackName } from "../../core/resource.ts";
import type { StackState } from "../../core/store.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { FOLLOW_MS } from "../follow.ts";
import { type Awaited, wasLookedAt } from "../looked.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { driftSince } from "../render/drift.ts";
import { count } from "../render/table.ts";
import { renderValue } from "../render/value.ts";
import { ask, targetNamed } from "../requests.ts";
import type { Changing } from "../services.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly timeout: string; readonly wait: boolean };

export default defineCommand<Options>({
  description:
    "Has the controller that holds the stack look at it now, or at one resource, and tells what it found. Drift is corrected as ever. Without a controller, beaconctl diff looks by itself.",
  arguments: [{ syntax: "[resource]", description: "only this, as KIND/NAME" }],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    { flags: "--timeout <duration>", description: "longest wait for the look", default: "2m" },
    { flags: "--no-wait", description: "leave once it is asked for" },
    outputOption("json", "yaml"),
  ],
  examples: ["beaconctl check --env prod", "beaconctl check sg/alb --env prod"],
  async run(invocation) {
    const { io, options, args } = invocation;
    const timeoutMs = parseDuration(options.timeout, "--timeout");
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { stack, store } = session.context;
      const before = await store.load(stack);
      const target = targetNamed(session, before, args[0]);
      if (!before.lease?.controller) {
        throw new BeaconError("ControllerMissing", `no controller holds ${stackName(stack)}`, { next: "beaconctl diff looks by itself" });
      }
      const asked = await ask(session, { type: "check", target });
      if (!options.wait) {
        io.err(io.errStyle.dim(`asked ${before.lease.holder} to look`));
        return 0;
      }
      const state = await looked(session, { before, asked, timeoutMs });
      const records = [...state.records.values()].filter(({ key }) => target === "*" || key === target);
      await show(invocation, session, records);
      return 0;
    });
  },
});

type Looked = { readonly before: StackState; readonly asked: StackRequest; readonly timeoutMs: number };

/** The state once the look was made. Throws StillWaiting. */
async function looked({ context }: Session<Changing>, { before, asked, timeoutMs }: Looked): Promise<StackState> {
  const { store, runtime, stack } = context;
  const startMs = runtime.monotonic();
  let awaited: Awaited = { asked, before: before.status?.checks ?? {}, kinds: kindsOf(before, asked), heardMs: undefined };
  for (;;) {
    await runtime.sleep(FOLLOW_MS);
    const state = await store.load(stack);
    const heard = !state.requests.some(({ type, at }) => type === "check" && at === asked.at);
    if (heard && awaited.heardMs === undefined) awaited = { ...awaited, heardMs: runtime.monotonic() };
    if (wasLookedAt(awaited, state.status, runtime.monotonic())) return state;
    if (runtime.monotonic() - startMs > timeoutMs)
      throw new BeaconError("StillWaiting", `${before.lease?.holder} has not looked yet`, {
        next: "wait longer with --timeout, or see beaconctl get stacks",
      });
  }
}

// Of records alone: the status may still tell of kinds that the stack has no more.
function kindsOf({ records }: StackState, asked: StackRequest): readonly string[] {
  const whole = !("target" in asked) || asked.target === "*";
  return [...new Set([...records.values()].filter(({ key }) => whole || key === asked.target).map(({ kind }) => kind))];
}

async function show({ io, options }: Invocation<Options>, { context }: Session, records: readonly ResourceRecord[]): Promise<void> {
  const drifted = records.filter(({ drift = [] }) => drift.length > 0);
  if (options.output === "json" || options.output === "yaml") {
    const resources = drifted.map(({ key, drift }) => ({ key, drift }));
    return io.out(await renderDocument({ resources: records.length, drifted: resources }, options.output));
  }
  const now = context.runtime.now();
  const lines = drifted.flatMap(({ key, drift = [] }) => [
    `~ ${key}  drift, ${driftSince(drift, now)}`,
    ...drift.map(({ path, from, to }) =>
      path === "" ? "    gone from AWS" : `    ${path}  ${renderValue(from)} is ${renderValue(to)} at AWS`,
    ),
  ]);
  io.out([...lines, `${count(records.length, "resource")} looked at, ${drifted.length} drifted.`].join("\n"));
}
