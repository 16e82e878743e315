/**
 * A stand: one fresh stack for one kind under test, on the shared sandbox, behind a fault proxy of its own.
 *
 * The engine, the handles, the classification of errors and the store's logic are the real ones; only the state table lies in
 * memory, which chaos tests cover with the real one, and pauses are short.
 */

import assert from "node:assert/strict";
import { type AwsSession, connect } from "../../src/aws/handle.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { Writer } from "../../src/aws/service.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { canonical, type JsonObject } from "../../src/core/json.ts";
import type { Change, Plan } from "../../src/core/plan.ts";
import type { ResourceRecord, Revision } from "../../src/core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../../src/core/resource.ts";
import type { Lease, Runtime } from "../../src/core/store.ts";
import { execute, makePlan, observe } from "../../src/engine/engine.ts";
import { ownerOf } from "../../src/engine/identify.ts";
import { LOCAL_SETTINGS } from "../../src/engine/settings.ts";
import type { Context, PlanOptions, RunReport, World } from "../../src/engine/types.ts";
import { type AnyKind, isAlwaysThere, type Kinds, type Remote, scopeNames } from "../../src/kind/kind.ts";
import { TableStore } from "../../state/store.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { freshProject, sandboxEndpoint } from "../support/sandbox.ts";
import { InstantTable } from "./instant-table.ts";
import { Life } from "./life.ts";
import { operationsOf } from "./watched-kinds.ts";

/** What one look and what followed from it came to. */
export type Pass = { readonly world: World; readonly plan: Plan; readonly report: RunReport };

/** What a run meets: the end of its engine's life, or something that happens between its look and its first call. */
export type Circumstances = { readonly life?: Life; readonly meanwhile?: () => Promise<void> };

// The sandbox is consistent at once, and a test should not wait: what AWS needs seconds for is given milliseconds.
const SETTINGS = { ...LOCAL_SETTINGS, timeoutMs: 10_000, pollMinMs: 1, pollMaxMs: 10, consistencyMs: 10, missesMin: 2 };
const HASTE = 100;
// A dead engine's lease is unlocked, not waited for; a living one never renews within a test.
const TTL_MS = 600_000;
const PASSES_MAX = 4;

const hasty: Runtime = { ...systemRuntime, sleep: (ms, signal) => systemRuntime.sleep(ms / HASTE, signal) };

export class Stand {
  readonly kinds: Kinds;
  readonly stack: Stack;
  readonly region: string;
  readonly proxy: FaultProxy;
  readonly #session: AwsSession;
  readonly #direct: AwsSession;
  /** Natural keys under which resources were recorded: not every API lists by tag, and not every object has tags. */
  readonly #names = new Map<ResourceKey, Map<string, JsonObject>>();
  #table = new InstantTable();

  constructor(kinds: Kinds, stack: Stack, proxy: FaultProxy, sessions: { readonly proxied: AwsSession; readonly direct: AwsSession }) {
    this.kinds = kinds;
    this.stack = stack;
    this.region = sessions.proxied.region;
    this.proxy = proxy;
    this.#session = sessions.proxied;
    this.#direct = sessions.direct;
  }

  /** An outside hand: a handle that asks no lease and meets no fault. */
  get hand(): Writer {
    const lease = { assertHeld() {}, signal: new AbortController().signal } as unknown as Lease;
    return this.#direct.writer(lease);
  }

  /** Looks and plans, and writes nothing. */
  async plan(compiled: CompiledStack | undefined, options: PlanOptions = {}): Promise<{ world: World; plan: Plan }> {
    const context = this.#context(new Life());
    const world = await observe(context, compiled);
    return { world, plan: makePlan(context, world, options) };
  }

  /** One run of an engine. Resolves to undefined when its life ended on the way; its lease is then free. */
  async pass(compiled: CompiledStack | undefined, options: PlanOptions = {}, circumstances: Circumstances = {}): Promise<Pass | undefined> {
    const { life = new Life(), meanwhile = () => Promise.resolve() } = circumstances;
    await this.#remember();
    const ended = await Promise.race([this.#run(compiled, options, { life, meanwhile }), life.over]);
    if (!ended) await new TableStore(this.#table, systemRuntime).unlock(this.stack);
    await this.#remember();
    return ended ?? undefined;
  }

  /** Passes until one has everything done; fails with what stood in the way. */
  async settle(compiled: CompiledStack | undefined, options: PlanOptions = {}, what = "settle"): Promise<Pass> {
    let open: readonly RunReport["results"][number][] = [];
    for (let attempt = 0; attempt < PASSES_MAX; attempt++) {
      const done = (await this.pass(compiled, options)) as Pass;
      open = done.report.results.filter(({ outcome }) => outcome !== "done");
      if (open.length === 0) return done;
    }
    return assert.fail(
      `${what}: ${open.map(({ key, outcome, reason, message }) => `${key} ${outcome} (${reason}): ${message}`).join("; ")}`,
    );
  }

  /** What a look would do now, `none` left out, and the live objects that are the resource's. */
  async rest(
    compiled: CompiledStack | undefined,
    kind: AnyKind,
    key: ResourceKey,
  ): Promise<{ left: readonly Change[]; objects: readonly Remote[] }> {
    const { plan } = await this.plan(compiled, compiled ? {} : { destroy: true });
    const left = plan.changes.filter(({ action, retires, resolves }) => action !== "none" || retires.length > 0 || resolves);
    return { left, objects: await this.objects(kind, key) };
  }

  /** The live objects AWS holds that are this resource's, by their tags or, where they have none, by their names; and those of these ids. */
  async objects(kind: AnyKind, key: ResourceKey, ids: readonly string[] = []): Promise<readonly Remote[]> {
    const fields = new Set(Object.keys(kind.spec.fields));
    const names = [...(this.#names.get(key)?.values() ?? [])];
    const found = await kind.list.run(this.hand, { stack: stackName(this.stack), ids, names, fields });
    const recorded = (await this.#records()).has(key);
    // What is always there is the resource's as long as there is one.
    const ours = (remote: Remote) => (kind.taggable ? ownerOf(remote)?.resource === key : recorded || !isAlwaysThere(kind));
    return found.filter((remote) => !remote.deleting && (ours(remote) || ids.includes(remote.id)));
  }

  /** The generation that is recorded of the resource. */
  async generation(key: ResourceKey): Promise<number | undefined> {
    return (await this.#records()).get(key)?.generation;
  }

  async #records(): Promise<ReadonlyMap<ResourceKey, ResourceRecord>> {
    return (await new TableStore(this.#table, systemRuntime).load(this.stack)).records;
  }

  async #remember(): Promise<void> {
    for (const { key, kind: id, applied, observed } of (await this.#records()).values()) {
      const kind = this.kinds.get(id) as AnyKind;
      const known = this.#names.get(key) ?? new Map<string, JsonObject>();
      for (const name of [applied, observed].flatMap((values) => scopeNames(kind, values))) known.set(canonical(name), name);
      this.#names.set(key, known);
    }
  }

  /** Forgets the records, as when the state table is lost. */
  loseState(): void {
    this.#table = new InstantTable();
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#direct.close();
    await this.proxy.close();
  }

  #context(life: Life): Context & { readonly store: TableStore } {
    const runtime = life.runtime(systemRuntime);
    const store = new TableStore(life.table(this.#table), runtime, { ttlMs: TTL_MS });
    return { kinds: this.kinds, stack: this.stack, reader: life.reader(this.#session.reader), store, runtime, settings: SETTINGS };
  }

  async #run(compiled: CompiledStack | undefined, options: PlanOptions, { life, meanwhile }: Required<Circumstances>): Promise<Pass> {
    const context = this.#context(life);
    const world = await observe(context, compiled);
    const plan = makePlan(context, world, options);
    await meanwhile();
    const lease = await context.store.acquire(this.stack, { holder: "conformance", wait: false });
    try {
      const revision = await accepted(this, world, lease);
      const authority = { writer: life.writer(this.#session.writer(lease)), lease };
      const seen = revision ? { ...world, state: { ...world.state, revision } } : world;
      const report = await execute(context, { world: seen, plan, authority, options, stop: new AbortController().signal });
      return { world, plan, report };
    } finally {
      await lease.release();
    }
  }
}

/** A stand for a stack that nobody has used before. A region of its own keeps the objects few that the sandbox has to look through. */
export async function newStand(kinds: Kinds, prefix: string, region: string): Promise<Stand> {
  const upstream = await sandboxEndpoint();
  const proxy = await startFaultProxy({ upstream });
  const operations = operationsOf(kinds);
  const options = { region, sandbox: true, readOperations: operations, operations, runtime: hasty };
  const sessions = { proxied: connect({ ...options, endpoint: proxy.endpoint }), direct: connect({ ...options, endpoint: upstream }) };
  return new Stand(kinds, { project: freshProject(prefix), environment: "t" }, proxy, sessions);
}

// As the commands do it: a new revision for new manifests, none for a deletion.
async function accepted({ region }: Stand, { compiled, state, pins }: World, lease: Lease): Promise<Revision | undefined> {
  const previous = state.revision;
  if (!compiled || previous?.digest === compiled.digest) return previous;
  const revision: Revision = {
    number: (previous?.number ?? 0) + 1,
    digest: compiled.digest,
    source: compiled.source,
    acceptedAt: new Date().toISOString(),
    acceptedBy: "conformance",
    region,
    accountId: "123456789012",
    confirm: {},
    pins,
    resources: compiled.resources.map(({ key }) => key),
    outputs: {},
  };
  await lease.journal.putRevision(revision);
  return revision;
}
