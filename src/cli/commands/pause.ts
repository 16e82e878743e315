import { BeaconError } from "../../core/errors.ts";
import { stackName } from "../../core/resource.ts";
import { defineCommand } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { ask, type Pause, pauseText, targetNamed } from "../requests.ts";
import { type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly for?: string; readonly reason?: string };

// A pause that nobody remembers is a stack that nobody keeps: who needs longer says so again each month.
const PAUSE_MAX_DAYS = 30;

export default defineCommand<Options>({
  description:
    "Has a controller leave a stack, or one resource, as it is, for a while and for a reason: it still looks, and tells drift, and changes nothing. A person's apply still works on a paused stack; a resource that is paused by name it refuses to change. Ends by itself, or with beaconctl resume.",
  arguments: [{ syntax: "[resource]", description: "only this, as KIND/NAME" }],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    { flags: "--for <duration>", description: `how long: 2h, 1d; ${PAUSE_MAX_DAYS}d at most` },
    { flags: "--reason <text>", description: "why, for everybody who finds it paused" },
  ],
  examples: [
    'beaconctl pause --for 2h --reason "moving the database" --env prod',
    'beaconctl pause sg/alb --for 1d --reason "open for the audit"',
  ],
  async run(invocation) {
    const { io, options, args } = invocation;
    const forMs = durationOf(options.for);
    const reason = options.reason?.trim();
    if (!reason) throw new BeaconError("UsageInvalid", "a pause needs a reason", { next: 'say why: --reason "moving the database"' });
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { stack, store, runtime } = session.context;
      const state = await store.load(stack);
      const target = targetNamed(session, state, args[0]);
      const until = new Date(runtime.now() + forMs).toISOString();
      const pause = (await ask(session, { type: "pause", target, until, reason })) as Pause;
      io.out(`${target === "*" ? stackName(stack) : target} is ${pauseText(pause)}`);
      if (!state.lease?.controller) io.err(io.errStyle.dim("no controller holds the stack now: the next one that does keeps to it"));
      return 0;
    });
  },
});

function durationOf(text: string | undefined): number {
  if (text === undefined) throw new BeaconError("UsageInvalid", "a pause needs an end", { next: "say how long: --for 2h" });
  const ms = parseDuration(text, "--for");
  if (ms > 0 && ms <= PAUSE_MAX_DAYS * 86_400_000) return ms;
  throw new BeaconError("UsageInvalid", `--for does not take "${text}"`, { next: `a pause lasts ${PAUSE_MAX_DAYS}d at most` });
}
