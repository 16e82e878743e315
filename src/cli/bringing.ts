/** From an approved plan to its end, whoever carries it out: this process, or the controller that holds the stack. */

import { BeaconError } from "../core/errors.ts";
import { stackName } from "../core/resource.ts";
import type { PlanOptions } from "../engine/types.ts";
import type { Invocation } from "./command.ts";
import type { ExitCode } from "./exit.ts";
import { finish } from "./finish.ts";
import { handOver, requireKept, routeOf } from "./handover.ts";
import type { AwsOptions, OptionDefinition, SourceOptions } from "./options.ts";
import { renderDocument } from "./render/document-output.ts";
import { isStackPaused, requireUnpaused } from "./requests.ts";
import type { Proposal } from "./revision.ts";
import { carryOut, type Seen } from "./run.ts";
import type { Changing } from "./services.ts";
import type { Session } from "./session.ts";

/** Of the commands that accept a revision. */
export type BringingOptions = { readonly message?: string; readonly timeout: string; readonly wait?: boolean };

/** Likewise. */
export const bringingOptions: readonly OptionDefinition[] = [
  { flags: "-m, --message <text>", description: "why; kept with the revision" },
  { flags: "--timeout <duration>", description: "longest wait for AWS; what still waits then ends with exit code 7", default: "30m" },
  { flags: "--wait", description: "wait for another process that is applying this stack" },
  { flags: "--no-wait", description: "leave once a controller has it, instead of following" },
];

/** A plan, and how it is made again, proposed and approved. */
export type Bringing = {
  readonly seen: Seen;
  /** On the monotonic clock. */
  readonly seenAt: number;
  readonly look: () => Promise<Seen>;
  readonly options: PlanOptions;
  readonly propose: (seen: Seen) => Promise<Proposal | undefined>;
  /** Resolves to whether a person was asked; throws where consent is missing. */
  readonly approve: () => Promise<boolean>;
  readonly timeoutMs: number;
};

/** Carries it out, or has it carried out, and reports. */
export async function bringAbout(
  invocation: Invocation<SourceOptions & AwsOptions & BringingOptions>,
  session: Session<Changing>,
  bringing: Bringing,
): Promise<ExitCode> {
  const { io, options: flags } = invocation;
  const { seen, seenAt, look, options, propose, timeoutMs } = bringing;
  const now = session.context.runtime.now();
  requireUnpaused(seen.plan, seen.world.state.requests, now);
  const proposal = await propose(seen);
  const chosen = options.only !== undefined || options.replace !== undefined;
  const route = routeOf({ seen, proposal, chosen, now });
  if (route === "controller") requireKept(proposal, seen.world.state);
  if (route === "yielded") requireWhole(session, { seen, options, proposal, now });
  const asked = await bringing.approve();
  if (route === "controller") {
    const end = await handOver(session, { seen, proposal, wait: flags.wait !== false, timeoutMs, io });
    return end ? finish(invocation, session, seen.plan, end) : left(invocation, seen, proposal);
  }
  const end = await carryOut({
    ...{ session, seen, seenAt, asked, look, options, propose, io },
    wait: flags.wait ?? false,
    yields: route === "yielded",
    forget: false,
  });
  return finish(invocation, session, seen.plan, end);
}

type Chosen = Pick<Bringing, "seen" | "options"> & { readonly proposal: Proposal | undefined; readonly now: number };

/** Throws UsageInvalid for a part of manifests that are new: a controller would go on with the rest, which nobody was shown. */
function requireWhole({ context }: Session, { seen: { world }, options, proposal, now }: Chosen): void {
  const { revision, requests, lease } = world.state;
  if (!options.only || !proposal || proposal.revision.digest === revision?.digest || isStackPaused(requests, now)) return;
  const message = `${lease?.holder} holds ${stackName(context.stack)} and brings about whole revisions: these manifests are new, and cannot be applied in part`;
  throw new BeaconError("UsageInvalid", message, {
    next: "apply all of them, or pause the stack first: beaconctl pause --for 1h --reason ...",
  });
}

async function left({ io, options }: Invocation, { plan, world }: Seen, proposal: Proposal | undefined): Promise<0> {
  const revision = proposal?.revision.number ?? world.state.revision?.number;
  if (options.output === "json" || options.output === "yaml") io.out(await renderDocument({ plan, revision }, options.output));
  return 0;
}
