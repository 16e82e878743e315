/**
 * A session: one stack, one way to AWS, and what the engine needs to look at it.
 *
 * A looking session cannot write, by type. The account is asked (STS) and compared before anything else is read.
 */

import { requireAccount } from "../aws/identity.ts";
import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { type Stack, stackName } from "../core/resource.ts";
import type { StateReader } from "../core/store.ts";
import type { Context } from "../engine/types.ts";
import type { Invocation } from "./command.ts";
import type { ExitCode } from "./exit.ts";
import { hasManifests, type Manifests, readManifests } from "./manifests.ts";
import type { AwsOptions, OptionDefinition, SourceOptions } from "./options.ts";
import { count } from "./render/table.ts";
import type { Changing, Looking, Target } from "./services.ts";

/** Which stack, for commands that can do without manifests. */
export type StackOptions = { readonly stack?: string };

/** Of every command that can go by the records alone. */
export const stackOption: OptionDefinition = {
  flags: "--stack <project/env>",
  description: "the stack, where no manifests are given (default: the only one of that environment)",
};

/** See the file's header. */
export type Session<Way extends Looking = Looking> = {
  readonly way: Way;
  readonly context: Context;
  /** Absent where the command goes by the records alone. */
  readonly compiled?: CompiledStack;
  /** What `compiled` was compiled from, where that was the manifests at hand. */
  readonly manifests?: Manifests;
  /** On the runtime's monotonic clock, for "looked at … in 1.1 s". */
  readonly startedAt: number;
};

/** How a command wants its session. */
export type SessionNeeds = {
  /** `required`: the stack is the manifests'. `optional`: theirs where there are some, else from --stack and the state table. */
  readonly manifests: "required" | "optional";
  readonly timeoutMs?: number;
  /** The stack named by --stack may be deleted already: its events are kept. */
  readonly mayBeGone?: true;
};

type Options = SourceOptions & AwsOptions & StackOptions;

/** Runs `use` with a session that cannot write. */
export function withLook(
  invocation: Invocation<Options>,
  needs: SessionNeeds,
  use: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  return closing(
    open(invocation, needs, (target) => invocation.services.look(target)),
    use,
  );
}

/** Runs `use` with a session that can write, once it holds the lease. */
export function withChange(
  invocation: Invocation<Options>,
  needs: SessionNeeds,
  use: (session: Session<Changing>) => Promise<ExitCode>,
): Promise<ExitCode> {
  return closing(
    open(invocation, needs, (target) => invocation.services.change(target)),
    use,
  );
}

async function closing<Way extends Looking>(
  opening: Promise<Session<Way>>,
  use: (session: Session<Way>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const session = await opening;
  try {
    return await use(session);
  } finally {
    await session.way.close();
  }
}

async function open<Way extends Looking>(
  invocation: Invocation<Options>,
  needs: SessionNeeds,
  connect: (target: Target) => Promise<Way>,
): Promise<Session<Way>> {
  const { services, log } = invocation;
  const runtime = await services.runtime();
  const startedAt = runtime.monotonic();
  const manifests = await stackManifests(invocation, needs);
  const compiled = manifests?.stack;
  const target = targetOf(invocation, compiled);
  const { way, stack } = compiled
    ? { way: await connectTo(target, compiled.environment.accountId, connect), stack: compiled.stack }
    : await byRecords(invocation, needs, target, connect);
  log("info", "session opened", { stack: stackName(stack), region: way.region, account: way.accountId, endpoint: target.endpoint });
  const { settingsFor } = await import("./settings.ts");
  const settings = settingsFor({ local: way.local, ...(needs.timeoutMs === undefined ? {} : { timeoutMs: needs.timeoutMs }) });
  const context: Context = { kinds: await services.kinds(), stack, reader: way.reader, store: way.store, runtime, settings };
  return { way, context, startedAt, ...(manifests ? { compiled: manifests.stack, manifests } : {}) };
}

async function connectTo<Way extends Looking>(
  target: Target,
  accountId: string | undefined,
  connect: (target: Target) => Promise<Way>,
): Promise<Way> {
  const way = await connect(target);
  requireAccount(way, accountId);
  return way;
}

// Without manifests the last revision tells which account it was, and with which role it was reached.
async function byRecords<Way extends Looking>(
  { options }: Invocation<Options>,
  needs: SessionNeeds,
  target: Target,
  connect: (target: Target) => Promise<Way>,
): Promise<{ way: Way; stack: Stack }> {
  const way = await connect(target);
  const stack = (needs.mayBeGone ? stackNamed(options.stack) : undefined) ?? (await findStack(way.store, options));
  const { revision } = await way.store.load(stack);
  requireAccount(way, revision?.accountId);
  if (revision?.roleArn === undefined) return { way, stack };
  await way.close();
  return { way: await connectTo({ ...target, roleArn: revision.roleArn }, revision.accountId, connect), stack };
}

async function stackManifests(invocation: Invocation<Options>, needs: SessionNeeds): Promise<Manifests | undefined> {
  const { options, io } = invocation;
  if (needs.manifests === "required" || options.file !== undefined) return readManifests(invocation);
  // --stack may name another stack than the manifests that happen to lie here.
  if (!hasManifests(options) || options.stack !== undefined) return undefined;
  try {
    return await readManifests(invocation);
  } catch (error) {
    if (!(error instanceof BeaconError)) throw error;
    // What was applied can be looked at and deleted whatever the manifests here have become.
    io.err(io.errStyle.dim("the manifests here are not valid and not used: going by the stack's records"));
    return undefined;
  }
}

/** Where the flags and the environment point. */
export function targetOf({ options, io }: Invocation<AwsOptions>, compiled?: CompiledStack): Target {
  const { profile, endpoint, sandboxDir } = options;
  const region = options.region ?? compiled?.environment.region;
  const roleArn = compiled?.environment.roleArn;
  return {
    sandbox: options.sandbox ?? false,
    onNote: (text) => io.err(io.errStyle.dim(text)),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(sandboxDir === undefined ? {} : { sandboxDir }),
  };
}

/** `beacon/prod` as a stack; undefined for any other text. */
export function stackNamed(text: string | undefined): Stack | undefined {
  const [project, environment, rest] = text?.split("/") ?? [];
  return project && environment && rest === undefined ? { project, environment } : undefined;
}

/** The stack that --stack or --env means, among those the state table knows. Throws StackUnknown. */
export async function findStack(store: StateReader, options: StackOptions & SourceOptions): Promise<Stack> {
  const known = await store.stacks();
  const environment = options.env ?? process.env.BEACON_ENV;
  const matching = known.filter((stack) => {
    if (options.stack !== undefined) return stackName(stack) === options.stack;
    return environment === undefined || stack.environment === environment;
  });
  if (matching.length === 1) return matching[0] as Stack;
  const names = known.map(stackName);
  const wanted = options.stack ?? environment;
  if (matching.length === 0) {
    const message = wanted === undefined ? "the state table knows no stack" : `the state table knows no stack ${wanted}`;
    throw new BeaconError("StackUnknown", message, {
      next: names.length > 0 ? `it knows ${names.join(", ")}` : "apply the manifests first, or check --region",
    });
  }
  throw new BeaconError("UsageInvalid", `${count(matching.length, "stack")} match`, {
    next: `choose one with --stack: ${names.join(", ")}`,
  });
}

/** Calls to AWS so far, whatever the service. */
export function callsMade(way: Looking): number {
  return way.calls().reduce((sum, { calls }) => sum + calls, 0);
}
