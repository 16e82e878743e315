/**
 * Heal: what a deposed run puts right again (docs/architecture.md, "The lease").
 *
 * A call that was on its way when the lease was lost may take effect amid the work of the next holder, or after it: a create
 * that nobody knows of, an update that reverts a newer one, a deletion of something that is wanted again. The deposed process
 * alone knows what it sent. It takes the lease again when it is free, looks at what it touched, and puts it back to what the
 * newest records say was brought about. It needs no manifest, replaces nothing, and deletes only what its own creates made.
 *
 * Not promised: a process that dies before it has healed leaves the rest to the next apply, which sees drift and surplus
 * objects as ever; only an object of a resource that was removed meanwhile then stays, as an orphan.
 */

import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import type { ResourceRecord } from "../core/record.ts";
import { isDeletable, type Resource } from "../core/resource.ts";
import type { AnyKind, Remote } from "../kind/kind.ts";
import { execute } from "./execute.ts";
import { Deposed, Execution, Halt, type Touch } from "./execution.ts";
import { ownerOf } from "./identify.ts";
import { observe } from "./observe.ts";
import { makePlan } from "./plan.ts";
import { begun, isBegun } from "./records.ts";
import { lateFields, managedKind } from "./sweep.ts";
import { takeDown } from "./takedown.ts";
import type { Authority, Context, Result, RunReport, World } from "./types.ts";

/** What heal is given: what was touched ({@link Deposed} names it), and how the lease is asked for, waiting for its holder. */
export type HealOptions = {
  readonly touched: readonly Touch[];
  readonly acquire: () => Promise<Authority>;
  readonly stop: AbortSignal;
};

/** Waits until AWS shows what was sent, takes the lease, puts right what needs it, and gives the lease up. */
export async function heal(context: Context, options: HealOptions): Promise<RunReport> {
  const { touched, acquire, stop } = options;
  await context.runtime.sleep(Math.max(0, ...touched.map(({ record }) => windowMs(context, record))), stop);
  const authority = await acquire();
  try {
    const report = await underLease(context, authority, options);
    await authority.lease.release();
    return report;
  } catch (error) {
    await authority.lease.release().catch(() => {});
    if (!(error instanceof Deposed)) throw error;
    return heal(context, { ...options, touched: [...touched, ...error.touched] });
  }
}

// A name that is taken is found by colliding with it; what has only a tag or a used-up token must show itself.
function windowMs({ kinds, settings }: Context, record: ResourceRecord): number {
  const { identity } = managedKind(kinds, record.kind);
  return settings.consistencyMs ?? (identity.by === "name" ? 0 : identity.consistencyMs);
}

async function underLease(context: Context, authority: Authority, { touched, stop }: HealOptions): Promise<RunReport> {
  const { records } = await context.store.load(context.stack);
  const uids = new Set(touched.map(({ record }) => record.uid));
  const compiled = asApplied(
    context,
    [...records.values()].filter(({ uid }) => uids.has(uid)),
  );
  const seen = await observe(context, compiled, { kinds: touched.map(({ record }) => record.kind) });
  const world = withTouched(seen, touched);
  const only = compiled.resources.map(({ key }) => key);
  const planned = makePlan(context, world, { only });
  // A difference that only a replacement could put right waits for a person.
  const changes = planned.changes.map((change) => (change.action === "replace" ? { ...change, action: "none" as const } : change));
  const run = { world, plan: { ...planned, changes }, authority, options: { only }, stop };
  const report = await execute(context, run);
  const execution = new Execution(context, run);
  const cleared: Result[] = [];
  for (const leftover of leftovers(context, world, touched)) cleared.push(await clearUp(execution, leftover));
  return { ...report, results: [...report.results, ...cleared] };
}

type Leftover = { readonly kind: AnyKind; readonly record: ResourceRecord; readonly remote: Remote };

async function clearUp(execution: Execution, leftover: Leftover): Promise<Result> {
  const { key } = leftover.record;
  try {
    await takeDown(execution, { ...leftover, onWait: () => {} });
    return { key, action: "delete", outcome: "done", message: `deleted ${leftover.remote.id}, which was created too late` };
  } catch (error) {
    if (error instanceof Halt) return { key, action: "delete", outcome: error.outcome, reason: error.reason, message: error.message };
    throw error instanceof BeaconError && error.code === "LeaseLost" ? new Deposed(error, execution.touched) : error;
  }
}

function isOf(remote: Remote, { uid, generation }: ResourceRecord): boolean {
  const owner = ownerOf(remote);
  return owner?.uid === uid && owner.generation === generation;
}

/** The records as a stack to bring about: what they say was applied. An open intent is the next pass's business. */
function asApplied(context: Context, records: readonly ResourceRecord[]): CompiledStack {
  const healable = records.filter((record) => record.lifecycle.manage && record.id !== undefined && !record.intent && !record.deleting);
  return {
    stack: context.stack,
    source: "",
    environment: {
      name: context.stack.environment,
      confirm: {},
      drift: { mode: "correct", intervalMs: 0 },
      approval: { mode: "auto", allow: { replace: false, delete: false } },
    },
    resources: healable.map((record) => resourceOf(managedKind(context.kinds, record.kind), record)),
    lookups: [],
    monitors: [],
    digest: "",
    resolve: ({ spec }) => spec,
    readyWhen: () => ({ met: true }),
    outputs: () => ({}),
    liveOutputs: new Set(),
    summary: [],
    nextSteps: () => [],
  };
}

function resourceOf(kind: AnyKind, record: ResourceRecord): Resource {
  const { key, applied, lifecycle } = record;
  // The spec holds values, so that no order matters: a late field's dependency makes none, and only kinds with one form circles.
  const [late] = lateFields(kind);
  const dependencies = record.dependencies.map((on) => ({ on, ...(late === undefined ? {} : { field: late }) }));
  const fields = Object.entries(applied).filter(([name, value]) => !isBegun(value) && !kind.spec.fields[name]?.meta?.secret);
  const spec = Object.fromEntries(fields.map(([name, value]) => [name, name === "tags" && isObject(value) ? declaredTags(value) : value]));
  return { key, kind: record.kind, spec, dependencies, lifecycle, readyWhen: [], declaredAt: "" };
}

// Ownership tags are added anew.
function declaredTags(tags: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(tags).filter(([name, value]) => !name.startsWith("beacon:") && !isBegun(value)));
}

// What was sent counts as ours, so that a field which the newest record does not know is withdrawn.
function withTouched(world: World, touched: readonly Touch[]): World {
  const records = new Map(world.state.records);
  for (const record of records.values()) {
    const resource = world.compiled?.resources.find(({ key }) => key === record.key);
    if (!resource) continue;
    const sent = touched.filter((touch) => touch.record.uid === record.uid);
    const next = sent.reduce((before, touch) => begun(before, resource, touch.sent), record);
    records.set(record.key, next);
  }
  return { ...world, state: { ...world.state, records } };
}

/** What our creates made for resources that are gone meanwhile. */
function leftovers(context: Context, world: World, touched: readonly Touch[]): readonly Leftover[] {
  const known = new Set([...world.state.records.values()].map(({ uid }) => uid));
  const creates = touched.filter(({ verb, record }) => verb === "create" && isDeletable(record.lifecycle) && !known.has(record.uid));
  return creates.flatMap(({ record }) => {
    const kind = managedKind(context.kinds, record.kind);
    return (world.remotes.get(kind.id) ?? []).filter((remote) => isOf(remote, record)).map((remote) => ({ kind, record, remote }));
  });
}
