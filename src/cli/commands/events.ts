import type { StackEvent } from "../../core/record.ts";
import { defineCommand } from "../command.ts";
import { followEvents, showEvents } from "../feed.ts";
import type { Io } from "../io.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { findKey } from "../resources.ts";
import { type StackOptions, stackOption, withLook } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly watch?: true };

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
      const feed = { store, stack, runtime, show, ...(resource === undefined ? {} : { resource }) };
      const seen = await showEvents(feed);
      // Ends with the process: the first SIGINT stops it, as nothing is open.
      if (options.watch) await followEvents(feed, seen);
      return 0;
    });
  },
});

function eventLine({ at, resource, type, message, count, lastAt }: StackEvent, { io, amended }: { io: Io; amended: boolean }): string {
  const times = count !== undefined && count > 1 ? ` (${count} times, last ${lastAt?.slice(11, 19) ?? ""})` : "";
  const mark = amended ? " (amended)" : "";
  return `${io.style.dim(at)}  ${(resource ?? "").padEnd(32)}  ${type.padEnd(12)}  ${message}${times}${mark}`.trimEnd();
}
