import { BeaconError } from "../../core/errors.ts";
import type { Revision } from "../../core/record.ts";
import type { AnyKind } from "../../kind/kind.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { type BringingOptions, bringAbout, bringingOptions } from "../bringing.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import { sayAloud } from "../manifests.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { type Past, pastRevision } from "../past.ts";
import { factsOf, lookAndPlan, planView, requireExpected } from "../planning.ts";
import { isEmptyPlan, renderPlan } from "../render/plan.ts";
import { ask } from "../requests.ts";
import { newRevision, type Proposal } from "../revision.ts";
import type { Seen } from "../run.ts";
import type { Changing } from "../services.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & ConsentOptions & BringingOptions & { readonly expect?: string };

export default defineCommand<Options>({
  description:
    "Brings a stack back to an earlier revision, as a new one with the old content, the old pins among it: shows the plan, asks, and converges. Data that was deleted does not come back. Watched manifests are held until they change, or until beaconctl resume.",
  arguments: [{ syntax: "<revision>", description: "its number, as beaconctl history lists it" }],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    ...consentOptions,
    { flags: "--expect <digest>", description: "refuse any other plan than this" },
    ...bringingOptions,
    outputOption("json", "yaml"),
  ],
  examples: [
    "beaconctl diff --revision 6 --env prod",
    "beaconctl rollback 6 --env prod",
    "beaconctl rollback 6 --stack beacon/prod --confirm yes",
  ],
  async run(invocation) {
    const { options, args } = invocation;
    const timeoutMs = parseDuration(options.timeout, "--timeout");
    return withChange(invocation, { manifests: "optional", timeoutMs }, async (opened) => {
      const past = await pastRevision(opened, args[0] ?? "");
      const { manifests: _manifests, ...rest } = opened;
      const session: Session<Changing> = { ...rest, compiled: past.compiled };
      const look = () => lookAndPlan(session, { options: {}, refresh: [], pins: past.revision.pins });
      const seen = await look();
      const seenAt = session.context.runtime.monotonic();
      requireEarlier(past, seen);
      if (options.output === undefined) {
        const view = { ...planView(invocation, session, seen.world), verb: "rollback" } as const;
        invocation.io.out(renderPlan(seen.plan, factsOf(session, seen.world, seen.plan), view));
      }
      sayAloud(warnings(session, past, seen), invocation.io);
      requireExpected(seen.plan, options.expect);
      return await bringAbout(invocation, session, {
        ...{ seen, seenAt, look, timeoutMs, options: {} },
        propose: async (current) => proposalOf(session, past, current, options.message),
        approve: () => approve(invocation, session, seen),
      });
    });
  },
});

function requireEarlier({ revision }: Past, { world }: Seen): void {
  if (revision.number !== world.state.revision?.number) return;
  throw new BeaconError("UsageInvalid", `revision ${revision.number} is the accepted one`, { next: "beaconctl apply brings it about" });
}

/** What cannot come back: data of objects that will be made anew, and answers that AWS gave then. */
function warnings({ context, compiled }: Session, { revision }: Past, { world, plan }: Seen): readonly string[] {
  const isStateful = (id: string) => (context.kinds.get(id as `${string} ${string}`) as AnyKind | undefined)?.stateful === true;
  const empty = plan.changes.filter(({ action, kind }) => action === "create" && isStateful(kind)).map(({ key }) => key);
  const stale = world.newer.map(({ key }) => key);
  const asked = (compiled?.lookups ?? []).map(({ key }) => key).filter((key) => !revision.pins[key]);
  return [
    ...(empty.length > 0 ? [`${empty.join(", ")}: made anew and empty; a rollback brings no data back`] : []),
    ...(stale.length > 0
      ? [`${stale.join(", ")}: taken as pinned by revision ${revision.number}; AWS answers otherwise by now, and may not have it any more`]
      : []),
    ...(asked.length > 0 ? [`${asked.join(", ")}: not pinned by revision ${revision.number}, so AWS's present answer is taken`] : []),
  ];
}

function proposalOf(
  session: Session<Changing>,
  { revision, source, compiled }: Past,
  seen: Seen,
  message: string | undefined,
): Proposal | undefined {
  const next = newRevision(session, compiled, seen, {
    rollbackOf: revision.number,
    ...(message === undefined ? {} : { message }),
    ...(revision.commit === undefined ? {} : { commit: revision.commit }),
  });
  const digest = seen.world.state.status?.sourceDigest;
  return next && { revision: next, source, ...(digest === undefined ? {} : { prepare: () => hold(session, revision, digest) }) };
}

// The phrase of today guards what stands today.
async function approve(invocation: Invocation<ConsentOptions>, { context, compiled }: Session, { plan, world }: Seen): Promise<boolean> {
  if (isEmptyPlan(plan)) return false;
  const phrase = world.state.revision?.confirm.apply ?? compiled?.environment.confirm.apply;
  return await askConsent(invocation, {
    environment: context.stack.environment,
    verb: "roll back",
    needed: plan.consents,
    ...(phrase === undefined ? {} : { phrase }),
  });
}

/** Keeps a controller from accepting the watched manifests again, which are what is rolled back. */
async function hold(session: Session<Changing>, { number }: Revision, digest: string): Promise<() => Promise<void>> {
  const { way, context } = session;
  const asked = await ask(session, { type: "hold", digest, reason: `rolled back to revision ${number} by ${way.caller}` });
  return () => way.store.withdraw(context.stack, [asked]);
}
