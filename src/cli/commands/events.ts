import type { StackEvent } from "../../core/record.ts";
import type { ResourceKey, Stack } from "../../core/resource.ts";
import type { Runtime, StateReader } from "../../core/store.ts";
import { defineCommand } from "../command.ts";
import type { Io } from "../io.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { findKey } from "../resources.ts";
import { type StackOptions, stackOption, withLook } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly watch?: true };

// The state table is asked this often while following: one cheap query, and a person does not notice less.
const FOLLOW_MS = 1000;
const EVENTS_MAX = 200;
// CloudTrail tells who it was within a quarter of an hour; corrections are counted for an hour.
const AMENDED_MS = 3_600_000;

export default defineCommand<Options>({
  description: "Lists what happened to a stack or to one resource, oldest first. -w goes on until interrupted.",
  arguments: [{ syntax: "[resource]", description: "only this, as KIND/NAME" }],
  options: [...sourceOptions, stackOption, ...awsOptions, { flags: "-w, --watch", description: "follow" }, outputOption("json")],
  examples: ["beaconctl events --env prod", "beaconctl events -w sg/alb"],
  async run(invocation) {
    const { io, options, args } = invocation;
    return withLook(invocation, { manifests: "optional", mayBeGone: true }, async (session) => {
      const { stack, store, runtime, kinds } = session.context;
      const word = args[0];
      const resource = word === undefined ? undefined : findKey(kinds, (await store.load(stack)).records.keys(), word);
      const show = (event: StackEvent, amended: boolean): void =>
        io.out(options.output === "json" ? JSON.stringify(event) : eventLine(event, { io, amended }));
      const seen = await list(store, stack, resource);
      for (const event of seen) show(event, false);
      if (options.watch) await follow({ store, stack, resource, runtime, seen, show });
      return 0;
    });
  },
});

function list(store: StateReader, stack: Stack, resource: ResourceKey | undefined, after?: string): Promise<readonly StackEvent[]> {
  return store.events(stack, {
    limit: EVENTS_MAX,
    ...(resource === undefined ? {} : { resource }),
    ...(after === undefined ? {} : { after }),
  });
}

type Following = {
  readonly store: StateReader;
  readonly stack: Stack;
  readonly resource: ResourceKey | undefined;
  readonly runtime: Runtime;
  readonly seen: readonly StackEvent[];
  readonly show: (event: StackEvent, amended: boolean) => void;
};

// Ends with the process: the first SIGINT stops it, as nothing is open.
async function follow({ store, stack, resource, runtime, seen, show }: Following): Promise<never> {
  let known = new Map(seen.map((event) => [nameOf(event), JSON.stringify(event)]));
  for (;;) {
    await runtime.sleep(FOLLOW_MS);
    // An event that began earlier is amended in its place.
    const events = await list(store, stack, resource, new Date(runtime.now() - AMENDED_MS).toISOString());
    for (const event of events) {
      const before = known.get(nameOf(event));
      if (before !== JSON.stringify(event)) show(event, before !== undefined);
    }
    known = new Map(events.map((event) => [nameOf(event), JSON.stringify(event)]));
  }
}

/** What stays the same of an event, whatever is added to it. */
function nameOf({ at, id, resource, type, message }: StackEvent): string {
  return `${at} ${id ?? `${resource} ${type} ${message}`}`;
}

function eventLine({ at, resource, type, message, count, lastAt }: StackEvent, { io, amended }: { io: Io; amended: boolean }): string {
  const times = count !== undefined && count > 1 ? ` (${count} times, last ${lastAt?.slice(11, 19) ?? ""})` : "";
  const mark = amended ? " (amended)" : "";
  return `${io.style.dim(at)}  ${(resource ?? "").padEnd(32)}  ${type.padEnd(12)}  ${message}${times}${mark}`.trimEnd();
}
