import { BeaconError } from "../../core/errors.ts";
import type { Plan } from "../../core/plan.ts";
import type { World } from "../../engine/types.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { type BringingOptions, bringAbout, bringingOptions } from "../bringing.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { factsOf, lookAndPlan, planRequest, planView, requireExpected } from "../planning.ts";
import { isEmptyPlan, renderPlan } from "../render/plan.ts";
import { proposalOf } from "../revision.ts";
import type { Seen } from "../run.ts";
import type { Changing } from "../services.ts";
import { type Session, withChange } from "../session.ts";

type Options = SourceOptions &
  AwsOptions &
  ConsentOptions &
  BringingOptions & {
    readonly expect?: string;
    readonly replace?: readonly string[];
    readonly refresh?: readonly string[];
    readonly takeOver?: true;
  };

export default defineCommand<Options>({
  description:
    "Brings AWS to what the manifests say: shows the plan, asks, and converges. What was interrupted is resolved and carried on by the next run. Where a controller holds the stack, the revision is handed to it, and it is followed until it is done.",
  arguments: [
    {
      syntax: "[resources...]",
      description: "only these, as KIND/NAME, and what they need; an instance of a blueprint means what is inside",
    },
  ],
  options: [
    ...sourceOptions,
    ...awsOptions,
    ...consentOptions,
    { flags: "--expect <digest>", description: "refuse any other plan than this" },
    { flags: "--replace <resource>", description: "replace KIND/NAME though nothing forces it", repeatable: true },
    { flags: "--refresh <lookup>", description: "take AWS's newest answer to this lookup, by name or KIND/NAME", repeatable: true },
    ...bringingOptions,
    { flags: "--take-over", description: "make these manifests the stack's source" },
    outputOption("json", "yaml"),
  ],
  examples: [
    "beaconctl apply -f manifests --env prod",
    "beaconctl apply --yes --expect 7f3a91c2",
    "beaconctl apply --env prod --confirm yes --allow replace=1",
    "beaconctl apply VPC/main --sandbox",
    'beaconctl apply --env prod -m "room for the new table"',
  ],
  async run(invocation) {
    const { options } = invocation;
    const timeoutMs = parseDuration(options.timeout, "--timeout");
    return withChange(invocation, { manifests: "required", timeoutMs }, async (session) => {
      const request = planRequest(invocation, session);
      const look = () => lookAndPlan(session, request);
      const seen = await look();
      const seenAt = session.context.runtime.monotonic();
      requireSource(session, seen.world, options.takeOver ?? false);
      showPlan(invocation, session, seen);
      requireExpected(seen.plan, options.expect);
      return await bringAbout(invocation, session, {
        ...{ seen, seenAt, look, timeoutMs, options: request.options },
        propose: (current) => proposalOf(session, current, options.message),
        approve: () => approve(invocation, session, seen.plan),
      });
    });
  },
});

function showPlan(invocation: Invocation<Options>, session: Session, { world, plan }: Seen): void {
  if (invocation.options.output !== undefined) return;
  invocation.io.out(renderPlan(plan, factsOf(session, world, plan), planView(invocation, session, world)));
}

async function approve(invocation: Invocation<Options>, session: Session<Changing>, plan: Plan): Promise<boolean> {
  if (isEmptyPlan(plan)) return false;
  const environment = session.compiled?.environment;
  return await askConsent(invocation, {
    environment: session.context.stack.environment,
    verb: "apply",
    needed: plan.consents,
    ...(environment?.confirm.apply === undefined ? {} : { phrase: environment.confirm.apply }),
  });
}

function requireSource(session: Session, world: World, takeOver: boolean): void {
  const [known, given] = [world.state.revision?.source, session.compiled?.source];
  if (known === undefined || known === given || takeOver) return;
  throw new BeaconError("SourceMismatch", `the stack was applied from ${known}, and these manifests are ${given}`, {
    next: "apply from there, or make this its source with --take-over",
  });
}
