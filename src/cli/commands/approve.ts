import { BeaconError } from "../../core/errors.ts";
import type { Awaiting, Grants } from "../../core/record.ts";
import { type ResourceKey, stackName } from "../../core/resource.ts";
import type { StackState } from "../../core/store.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { allowFlag } from "../consent.ts";
import { parseDuration } from "../duration.ts";
import type { ExitCode } from "../exit.ts";
import { followHere } from "../handover.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { ask, phaseText } from "../requests.ts";
import type { Changing } from "../services.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions &
  AwsOptions &
  StackOptions &
  ConsentOptions & { readonly expect?: string; readonly timeout: string; readonly wait: boolean };

const WORDS: Readonly<Record<keyof Grants, string>> = {
  delete: "will be deleted",
  replace: "will be replaced",
  missing: "will be made anew",
};

export default defineCommand<Options>({
  description:
    "Approves what a controller waits for a person's word on: a change of the watched manifests, or making anew what vanished. Shows it, asks, and follows. An approval is of exactly this: if something else is awaited by the time it is heard, it counts for nothing.",
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    ...consentOptions,
    { flags: "--expect <digest>", description: "approve this and nothing else; stands for --allow" },
    { flags: "--timeout <duration>", description: "longest time to follow", default: "30m" },
    { flags: "--no-wait", description: "leave once it is asked for, instead of following" },
    outputOption("json", "yaml"),
  ],
  examples: ["beaconctl approve --env prod", "beaconctl approve --stack beacon/prod --yes --expect 7f3a91c2"],
  async run(invocation) {
    const { options, io } = invocation;
    const timeoutMs = parseDuration(options.timeout, "--timeout");
    return withChange(invocation, { manifests: "optional", timeoutMs }, async (session) => {
      const { store, stack } = session.context;
      const state = await store.load(stack);
      const { awaiting } = state.status ?? {};
      if (!awaiting)
        throw new BeaconError("NothingAwaits", `${stackName(stack)} awaits no approval`, {
          next: "beaconctl get stacks tells how it stands",
        });
      if (options.output === undefined) io.out(awaitingText(awaiting));
      requireAwaited(awaiting, options.expect);
      await consent(invocation, session, state, awaiting);
      await ask(session, { type: "approve", digest: awaiting.digest });
      if (!state.lease?.controller) io.err(`no controller holds ${stackName(stack)} now: the next one that does hears it`);
      return options.wait ? await heard(invocation, session, { state, awaiting, timeoutMs }) : 0;
    });
  },
});

function awaitingText({ digest, message, grants }: Awaiting): string {
  const lines = (Object.keys(WORDS) as (keyof Grants)[]).flatMap((what) => grants[what].map((key) => `  ${key}  ${WORDS[what]}`));
  return [`${digest}  ${message}`, ...lines].join("\n");
}

function requireAwaited({ digest }: Awaiting, expected: string | undefined): void {
  if (expected === undefined || expected === digest) return;
  throw new BeaconError("PlanChanged", `what is awaited is ${digest}, not ${expected} as expected; nothing was approved`, {
    next: "read what is awaited by now; if it is right, pass its digest",
  });
}

async function consent(
  invocation: Invocation<Options>,
  { context, compiled }: Session,
  { revision }: StackState,
  { grants }: Awaiting,
): Promise<void> {
  const needed = { delete: grants.delete.length, replace: grants.replace.length, missing: grants.missing.length };
  const phrase = revision?.confirm.apply ?? compiled?.environment.confirm.apply;
  // Who names the digest has seen what it stands for.
  const allow = invocation.options.expect === undefined ? invocation.options.allow : allowFlag(needed).replace("--allow ", "");
  const { allow: _given, ...options } = invocation.options;
  await askConsent(
    { ...invocation, options: { ...options, ...(allow ? { allow } : {}) } },
    { environment: context.stack.environment, verb: "approve", needed, ...(phrase === undefined ? {} : { phrase }) },
  );
}

type Heard = { readonly state: StackState; readonly awaiting: Awaiting; readonly timeoutMs: number };

async function heard(
  invocation: Invocation<Options>,
  session: Session<Changing>,
  { state, awaiting, timeoutMs }: Heard,
): Promise<ExitCode> {
  const { io, options } = invocation;
  const accepted = state.revision?.number ?? 0;
  const goal = { revision: awaiting.what === "revision" ? accepted + 1 : accepted, approved: awaiting.digest };
  const { followed, stopped } = await followHere(session, { goal, changes: changesOf(awaiting.grants), timeoutMs, io });
  const { status } = followed.state;
  if (options.output === "json" || options.output === "yaml") io.out(await renderDocument({ awaiting, status }, options.output));
  else io.out(status ? phaseText(status) : "No status.");
  if (stopped !== undefined) return stopped;
  return { done: 0, failed: 6, late: 7, left: 130 }[followed.outcome] as ExitCode;
}

function changesOf(grants: Grants): readonly { readonly key: ResourceKey; readonly action: "delete" | "replace" | "create" }[] {
  return [
    ...grants.delete.map((key) => ({ key, action: "delete" as const })),
    ...grants.replace.map((key) => ({ key, action: "replace" as const })),
    ...grants.missing.map((key) => ({ key, action: "create" as const })),
  ];
}
