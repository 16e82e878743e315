#!/usr/bin/env node
/**
 * The composition root: the only file that sees everything. Each part is loaded when a command first asks for it.
 */

import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { AwsSession } from "./aws/handle.ts";
import { isMutating, type OperationName } from "./aws/service.ts";
import { runProgram } from "./cli/program.ts";
import type {
  BootstrapOptions,
  Bootstrapped,
  Changing,
  Controlling,
  Examining,
  Looking,
  Services,
  StateTable,
  Target,
} from "./cli/services.ts";
import type { StateStore } from "./core/store.ts";
import type { EventsBootstrap } from "./events/bootstrap.ts";

// Parsing all that a look needs anew takes 0.3 s. Where the cache's folder cannot be written, nothing is kept.
enableCompileCache();
// V8 would let its young generation grow to 48 MB before it looks for garbage: most commands are over before that pays.
setFlagsFromString("--semi-space-growth-factor=1");
// Nor does code repay its optimizing that runs for half a second: ten times as many calls as V8 would wait for make it hot. Without
// this `validate` takes 10 to 15 percent more CPU, also of 1,000 resources. What a controller does again and again gets there all the same.
setFlagsFromString("--invocation-count-for-maglev=4000");
setFlagsFromString("--invocation-count-for-turbofan=30000");

// A reader of state needs no more, and its client lets nothing else through.
const STATE_READS: readonly OperationName[] = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
// A heartbeat that takes longer than a third of the lease's 15 s is as good as lost.
const STATE_TIMEOUT_MS = 5000;

// A long poll takes 20 s.
const QUEUE_TIMEOUT_MS = 30_000;
// Who changed what, where no event told.
const LOOKUP: OperationName = "cloudtrail:LookupEvents";

// Tasks that one effect sets free come to their commits within a few milliseconds of each other.
const GATHER_MS = 10;

const version = packageVersion();
const stateTable = process.env.BEACON_STATE_TABLE || "beacon-state";

const services: Services = {
  version,
  kinds: async () => (await import("../reconcilers/index.ts")).kinds,
  runtime: async () => (await import("./aws/runtime.ts")).systemRuntime,
  look: async (target) => looking(await connect(target), STATE_READS),
  change,
  control,
  examine,
  bootstrap,
  iamPolicy: async (operations, scope) => (await import("./aws/permissions.ts")).iamPolicy(operations, { stateTable, ...scope }),
  sandbox: () => import("../sandbox/sandbox.ts"),
};

/** A session on the target's endpoint, credentials and region; the sandbox is started where it is asked for and no endpoint is given. */
async function connect(target: Target, moreReads: readonly OperationName[] = []): Promise<AwsSession> {
  const [{ connect: open }, { defaultRegion }, { kinds }, { operationsOf, readOperationsOf }, { monitorOperations }] = await Promise.all([
    import("./aws/handle.ts"),
    import("./aws/region.ts"),
    import("../reconcilers/index.ts"),
    import("./kind/operations.ts"),
    import("./monitor/monitor.ts"),
  ]);
  const all = [...kinds.values()];
  const { profile, roleArn, sandbox } = target;
  const region = target.region ?? (await defaultRegion(profile));
  const endpoint = target.endpoint ?? (sandbox ? await sandboxEndpoint(target) : undefined);
  const rate = process.env.BEACON_RATE;
  return open({
    version,
    sandbox,
    readOperations: new Set([...all.flatMap(readOperationsOf), ...monitorOperations(), ...moreReads]),
    operations: new Set(all.flatMap(operationsOf)),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(rate ? { rateFactor: Number(rate) } : {}),
  });
}

async function sandboxEndpoint({ sandboxDir, onNote }: Target): Promise<string> {
  const { ensureRunning } = await import("../sandbox/sandbox.ts");
  return (await ensureRunning({ onNote, ...(sandboxDir === undefined ? {} : { dir: sandboxDir }) })).endpoint;
}

async function looking(session: AwsSession, stateOperations: readonly OperationName[]): Promise<Looking & { readonly store: StateStore }> {
  const { whoAmI } = await import("./aws/identity.ts");
  const { accountId, arn } = await whoAmI(session);
  return {
    region: session.region,
    accountId,
    caller: arn,
    sandbox: session.sandbox,
    local: session.local,
    reader: session.reader,
    store: await openStore(session, stateOperations),
    calls: session.calls,
    close: session.close,
  };
}

async function change(target: Target): Promise<Changing> {
  const session = await connect(target);
  const { STATE_OPERATIONS } = await import("./aws/permissions.ts");
  // The sandbox's table is nobody's to look after.
  if (session.sandbox) await createTable(session);
  return { ...(await looking(session, STATE_OPERATIONS)), writer: session.writer };
}

async function control(target: Target): Promise<Controlling> {
  const base = await connect(target, [LOOKUP]);
  const { QUEUE_OPERATIONS, STATE_OPERATIONS } = await import("./aws/permissions.ts");
  if (base.sandbox) await createTable(base);
  const own = await looking(base, STATE_OPERATIONS);
  const sessions = new Map<string | undefined, AwsSession>([[target.roleArn, base]]);
  let replicas = 1;
  const sessionOf = async (roleArn: string | undefined): Promise<AwsSession> => {
    const session = sessions.get(roleArn) ?? (await connect({ ...target, ...(roleArn === undefined ? {} : { roleArn }) }, [LOOKUP]));
    session.shareWith(replicas);
    sessions.set(roleArn, session);
    return session;
  };
  return {
    ...own,
    leaseTtlMs: await leaseTtlMs(),
    queue: base.caller(QUEUE_OPERATIONS, { requestTimeoutMs: QUEUE_TIMEOUT_MS }),
    open: async ({ roleArn, accountId }) => {
      const [session, { requireAccount }] = await Promise.all([sessionOf(roleArn ?? target.roleArn), import("./aws/identity.ts")]);
      const way = session === base ? own : await looking(session, STATE_READS);
      requireAccount(way, accountId);
      return { ...way, writer: session.writer };
    },
    shareWith: (count) => {
      replicas = count;
      for (const session of sessions.values()) session.shareWith(count);
    },
    calls: () => [...sessions.values()].flatMap((session) => session.calls()),
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.close()));
    },
  };
}

async function leaseTtlMs(): Promise<number> {
  const ttl = process.env.BEACON_LEASE_TTL;
  const [{ parseDuration }, { TTL_MS }] = await Promise.all([import("./cli/duration.ts"), import("../state/store.ts")]);
  return ttl ? parseDuration(ttl, "BEACON_LEASE_TTL") : TTL_MS;
}

async function examine(target: Target): Promise<Examining> {
  const { SIMULATION_OPERATIONS } = await import("./aws/simulation.ts");
  const session = await connect(target, SIMULATION_OPERATIONS);
  const { region, sandbox, reader, close } = session;
  return {
    region,
    sandbox,
    reader,
    close,
    store: await openStore(session, STATE_READS),
    whoAmI: async () => (await import("./aws/identity.ts")).whoAmI(session),
    stateTable: () => inspectTable(session),
  };
}

async function openStore(session: AwsSession, operations: readonly OperationName[]): Promise<StateStore> {
  const [{ DynamoTable }, { TableStore }, { systemRuntime }] = await Promise.all([
    import("../state/dynamo-table.ts"),
    import("../state/store.ts"),
    import("./aws/runtime.ts"),
  ]);
  const table = new DynamoTable(session.caller(operations, { requestTimeoutMs: STATE_TIMEOUT_MS }), stateTable);
  return new TableStore(table, systemRuntime, { gatherMs: GATHER_MS, ttlMs: await leaseTtlMs() });
}

async function bootstrap(target: Target, { accountId, events: queue }: BootstrapOptions): Promise<Bootstrapped> {
  const session = await connect(target);
  try {
    const { whoAmI, requireAccount } = await import("./aws/identity.ts");
    const identity = await whoAmI(session);
    requireAccount({ accountId: identity.accountId, caller: identity.arn, sandbox: session.sandbox }, accountId);
    const made = { table: stateTable, created: await createTable(session), region: session.region };
    return queue === undefined ? made : { ...made, events: await bootstrapEvents(session, { accountId: identity.accountId, queue }) };
  } finally {
    await session.close();
  }
}

async function bootstrapEvents(session: AwsSession, place: { accountId: string; queue: string }): Promise<EventsBootstrap> {
  const [{ bootstrapEvents: make }, { EVENTS_BOOTSTRAP_OPERATIONS }, { systemRuntime }, { kinds }] = await Promise.all([
    import("./events/bootstrap.ts"),
    import("./aws/permissions.ts"),
    import("./aws/runtime.ts"),
    import("../reconcilers/index.ts"),
  ]);
  return make(session.caller(EVENTS_BOOTSTRAP_OPERATIONS), systemRuntime, { region: session.region, kinds, ...place });
}

async function createTable(session: AwsSession): Promise<boolean> {
  const [{ bootstrap: create }, { BOOTSTRAP_OPERATIONS }, { systemRuntime }] = await Promise.all([
    import("../state/bootstrap.ts"),
    import("./aws/permissions.ts"),
    import("./aws/runtime.ts"),
  ]);
  return (await create(session.caller(BOOTSTRAP_OPERATIONS), systemRuntime, { table: stateTable })).created;
}

async function inspectTable(session: AwsSession): Promise<StateTable> {
  const [{ inspect }, { BOOTSTRAP_OPERATIONS }, { systemRuntime }] = await Promise.all([
    import("../state/bootstrap.ts"),
    import("./aws/permissions.ts"),
    import("./aws/runtime.ts"),
  ]);
  const reads = BOOTSTRAP_OPERATIONS.filter((operation) => !isMutating(operation));
  const facts = await inspect(session.caller(reads), systemRuntime, { table: stateTable });
  const wrong = [
    ...(facts.protected ? [] : ["it may be deleted"]),
    ...(facts.expires ? [] : ["its events do not expire"]),
    ...(facts.backedUp ? [] : ["it has no point-in-time recovery"]),
  ];
  if (facts.status === undefined) return { name: stateTable, state: "absent", wrong: [] };
  if (facts.status !== "ACTIVE") return { name: stateTable, state: "preparing", wrong: [] };
  return facts.keyed ? { name: stateTable, state: "ready", wrong } : { name: stateTable, state: "foreign", wrong: [] };
}

// src/main.ts and dist/main.js lie one folder under package.json alike.
function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

// A reader that has seen enough (`beaconctl get | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), services);
