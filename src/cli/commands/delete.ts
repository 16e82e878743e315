import { BeaconError } from "../../core/errors.ts";
import type { Consents, Plan } from "../../core/plan.ts";
import { type ResourceKey, stackName } from "../../core/resource.ts";
import type { PlanOptions, World } from "../../engine/types.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { finish } from "../finish.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { lookAtAll, withOrphans } from "../orphans.ts";
import { factsOf, planView, requireExpected } from "../planning.ts";
import { renderPlan } from "../render/plan.ts";
import { selectKeys } from "../resources.ts";
import { carryOut, type Seen } from "../run.ts";
import type { Changing } from "../services.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions &
  AwsOptions &
  StackOptions &
  ConsentOptions & { readonly includeProtected?: true; readonly expect?: string; readonly timeout: string; readonly wait?: true };

export default defineCommand<Options>({
  description:
    "Deletes a whole stack, or single resources that no manifest declares any more, orphans among them. Needs no manifests: what was applied is known from the stack's records.",
  arguments: [{ syntax: "[resources...]", description: "only these, as KIND/NAME" }],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    ...consentOptions,
    { flags: "--include-protected", description: "delete protected resources too; asks for the environment's phrase" },
    { flags: "--expect <digest>", description: "refuse any other plan than this" },
    { flags: "--timeout <duration>", description: "longest wait for AWS; what still waits then ends with exit code 7", default: "30m" },
    { flags: "--wait", description: "wait for another process that is applying this stack" },
    outputOption("json", "yaml"),
  ],
  examples: [
    "beaconctl delete --env dev",
    "beaconctl delete --stack beacon/prod --confirm destroy-prod",
    "beaconctl delete Subnet/old --env prod",
  ],
  async run(invocation) {
    const { io, options } = invocation;
    return withChange(invocation, { manifests: "optional", timeoutMs: parseDuration(options.timeout, "--timeout") }, async (opened) => {
      // A delete goes by the records; the manifests only tell what is still declared.
      const { compiled, ...session } = opened;
      const first = await lookAtAll(session);
      const seenAt = session.context.runtime.monotonic();
      const { revision } = first.state;
      const only = invocation.args.length > 0 ? selectKeys(session.context.kinds, deletable(first), invocation.args) : undefined;
      if (only) requireUndeclared(only, compiled ? compiled.resources.map(({ key }) => key) : (revision?.resources ?? []));
      const planOptions = { destroy: true, includeProtected: options.includeProtected ?? false, ...(only ? { only } : {}) };
      const seen = await planOf(session, first, planOptions);
      const { plan, world } = seen;
      if (options.output === undefined) {
        io.out(renderPlan(plan, factsOf(session, world, plan), { ...planView(invocation, session), verb: "delete" }));
      }
      if (plan.changes.length === 0) return 0;
      requireExpected(plan, options.expect);
      requireSomethingToDo(plan);
      const asked = await approve(invocation, opened, plan.consents, revision?.confirm.delete);
      const look = async () => planOf(session, await lookAtAll(session), planOptions);
      const end = await carryOut({
        session,
        seen,
        seenAt,
        asked,
        look,
        options: planOptions,
        // It goes by the records: it accepts nothing.
        propose: async () => undefined,
        wait: options.wait ?? false,
        yields: first.state.lease?.controller ?? false,
        forget: only === undefined,
        io,
      });
      return await finish(invocation, session, plan, end);
    });
  },
});

async function planOf({ context }: Session, seen: World, options: PlanOptions): Promise<Seen> {
  const { makePlan } = await import("../../engine/engine.ts");
  const world = withOrphans(seen, options.only ?? []);
  return { world, plan: makePlan(context, world, options) };
}

function deletable(world: World): readonly ResourceKey[] {
  return [...world.state.records.keys(), ...world.orphans.map((orphan) => orphan.key)];
}

function requireSomethingToDo({ changes }: Plan): void {
  if (changes.some((change) => change.action !== "blocked")) return;
  const keys = changes.map(({ key }) => key).join(", ");
  throw new BeaconError("ResourceProtected", `${keys}: protected against deletion`, {
    next: "give --include-protected and the environment's phrase, or run beaconctl unprotect first",
  });
}

/** Throws StillDeclared: the next apply would create it again. */
function requireUndeclared(keys: readonly ResourceKey[], declared: readonly ResourceKey[]): void {
  const still = keys.filter((key) => declared.includes(key));
  if (still.length === 0) return;
  throw new BeaconError("StillDeclared", `${still.join(", ")}: still declared by the manifests, so the next apply would create it again`, {
    next: `remove it from the manifests and run beaconctl apply (or set its includeWhen to false); to make it anew: beaconctl apply --replace ${still[0]}`,
  });
}

async function approve(
  invocation: Invocation<Options>,
  { context, compiled }: Session<Changing>,
  needed: Consents,
  accepted: string | undefined,
): Promise<boolean> {
  // Protected things are not deleted on a mere yes: where the environment has no phrase, the stack's name is one.
  const phrase =
    accepted ?? compiled?.environment.confirm.delete ?? (invocation.options.includeProtected ? stackName(context.stack) : undefined);
  return await askConsent(invocation, {
    environment: context.stack.environment,
    verb: "delete",
    needed,
    ...(phrase === undefined ? {} : { phrase }),
  });
}
