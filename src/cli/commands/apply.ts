import { BeaconError } from "../../core/errors.ts";
import type { Plan } from "../../core/plan.ts";
import type { World } from "../../engine/types.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { finish } from "../finish.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { factsOf, lookAndPlan, planRequest, planView, requireExpected } from "../planning.ts";
import { isEmptyPlan, renderPlan } from "../render/plan.ts";
import { carryOut } from "../run.ts";
import type { Changing } from "../services.ts";
import { type Session, withChange } from "../session.ts";

type Options = SourceOptions &
  AwsOptions &
  ConsentOptions & {
    readonly expect?: string;
    readonly replace?: readonly string[];
    readonly refresh?: readonly string[];
    readonly timeout: string;
    readonly wait?: true;
    readonly takeOver?: true;
  };

export default defineCommand<Options>({
  description:
    "Brings AWS to what the manifests say: shows the plan, asks, and converges. What was interrupted is resolved and carried on by the next run.",
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
    { flags: "--timeout <duration>", description: "longest wait for AWS; what still waits then ends with exit code 7", default: "30m" },
    { flags: "--wait", description: "wait for another process that is applying this stack" },
    { flags: "--take-over", description: "make these manifests the stack's source" },
    outputOption("json", "yaml"),
  ],
  examples: [
    "beaconctl apply -f manifests --env prod",
    "beaconctl apply --yes --expect 7f3a91c2",
    "beaconctl apply --env prod --confirm yes --allow replace=1",
    "beaconctl apply VPC/main --sandbox",
  ],
  async run(invocation) {
    const { options } = invocation;
    return withChange(invocation, { manifests: "required", timeoutMs: parseDuration(options.timeout, "--timeout") }, async (session) => {
      const request = planRequest(invocation, session);
      const look = () => lookAndPlan(session, request);
      const seen = await look();
      const seenAt = session.context.runtime.monotonic();
      const { plan, world } = seen;
      requireSource(session, world, options.takeOver ?? false);
      showPlan(invocation, session, world, plan);
      requireExpected(plan, options.expect);
      const asked = await approve(invocation, session, plan);
      const end = await carryOut({
        session,
        seen,
        seenAt,
        asked,
        look,
        options: request.options,
        wait: options.wait ?? false,
        forget: false,
        io: invocation.io,
      });
      return await finish(invocation, session, plan, end);
    });
  },
});

function showPlan(invocation: Invocation<Options>, session: Session, world: World, plan: Plan): void {
  if (invocation.options.output !== undefined) return;
  invocation.io.out(renderPlan(plan, factsOf(session, world, plan), planView(invocation, session)));
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
