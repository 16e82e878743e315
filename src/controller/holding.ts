/**
 * A stack while this process holds its lease: the revision in force, what was last seen of the world, and what is remembered
 * from one pass to the next. Everything here can be lost: the next holder finds it again in the state and in AWS.
 */

import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { Awaiting, Grants, ResourceRecord, Revision, SourceBundle, StackEvent, StackRequest, StackStatus } from "../core/record.ts";
import { type KindId, type ResourceKey, type Stack, stackName } from "../core/resource.ts";
import type { Lease, StackState } from "../core/store.ts";
import type { Authority, Context, Result, World } from "../engine/types.ts";
import type { AnyKind } from "../kind/kind.ts";
import { compileBundle } from "../manifest/bundle.ts";
import type { Circumstances, Judgement } from "./judge.ts";
import type { SourceState, StackWay, Tools } from "./tools.ts";
import { Witness } from "./witness.ts";

/** What a person asked for a while. */
export type Pause = Extract<StackRequest, { type: "pause" }>;

/** What failed, how often, and until when it is let be. `change`: exactly what was tried; the same again waits for a person. */
export type Setback = { readonly failures: number; readonly untilMs: number; readonly change: string; readonly terminal: boolean };

/** See the file's header. */
export class Holding {
  readonly stack: Stack;
  readonly lease: Lease;
  readonly tools: Tools;
  readonly way: StackWay;
  readonly witness: Witness;
  readonly context: Context;
  state: StackState;
  compiled: CompiledStack | undefined;
  /** The last look, of the revision in force. */
  world: World | undefined;
  /** Made from `world`; dropped when that is out of date. */
  plan: Plan | undefined;
  judgement: Judgement | undefined;
  /** What did not come to an end, of the last pass that acted. */
  results: readonly Result[] = [];
  awaiting: Awaiting | undefined;
  status: StackStatus | undefined;
  /** The newest revision that was wholly brought about. */
  converged: number;
  readonly checks = new Map<KindId, { readonly at: string; readonly next: string }>();
  readonly setbacks = new Map<ResourceKey, Setback>();
  /** Kinds that must be listed before anything is decided: something was sent since. */
  readonly stale = new Set<KindId>();
  /** The digest of the watched files that was considered last, so that it is not considered over and over. */
  considered: string | undefined;

  constructor(given: { stack: Stack; lease: Lease; tools: Tools; way: StackWay; state: StackState }) {
    const { stack, lease, tools, way, state } = given;
    this.stack = stack;
    this.lease = lease;
    this.tools = tools;
    this.way = way;
    this.state = state;
    this.converged = state.status?.converged ?? 0;
    const { kinds, store, runtime, settings, hearsay } = tools;
    const { trail } = way;
    this.witness = new Witness({ stack: stackName(stack), kinds, runtime, hearsay, signal: lease.signal, ...(trail ? { trail } : {}) });
    this.context = { kinds, stack, reader: way.reader, store, runtime, settings };
  }

  get revision(): Revision | undefined {
    return this.state.revision;
  }

  /** ISO 8601. */
  now(): string {
    return new Date(this.tools.runtime.now()).toISOString();
  }

  /** What a pass writes with, until it is to stop; the connections are those of the pass before. */
  authority(stop: AbortSignal): Authority {
    return { writer: this.way.writer(this.lease, stop), lease: this.lease };
  }

  /** Pauses that are not over. */
  pauses(): readonly Pause[] {
    const now = this.tools.runtime.now();
    return this.state.requests.filter((request) => request.type === "pause").filter(({ until }) => Date.parse(until) > now);
  }

  isPaused(key: ResourceKey): boolean {
    return this.isPausedWhole() || this.pauses().some(({ target }) => target === key);
  }

  isPausedWhole(): boolean {
    return this.pauses().some(({ target }) => target === "*");
  }

  /** Writes a record, here and in the journal. */
  put(record: ResourceRecord): void {
    const records = new Map(this.state.records).set(record.key, record);
    this.state = { ...this.state, records };
    if (this.world) this.world = { ...this.world, state: this.state };
    this.lease.journal.put(record);
  }

  /** Writes a revision, here and in the table. Throws `StateConflict` where a newer one was accepted meanwhile. */
  async putRevision(revision: Revision, source?: SourceBundle): Promise<void> {
    await this.lease.journal.putRevision(revision, source);
    this.state = { ...this.state, revision };
    if (this.world) this.world = { ...this.world, state: this.state };
  }

  event(event: Omit<StackEvent, "at"> & { readonly at?: string }): void {
    this.lease.journal.event({ at: this.now(), ...event });
  }

  /** The kinds in use, by id. */
  kindIds(): ReadonlySet<KindId> {
    const declared = (this.compiled?.resources ?? []).map(({ kind }) => kind);
    return new Set([...declared, ...[...this.state.records.values()].map(({ kind }) => kind)]);
  }

  /** Kinds whose objects hold data. */
  stateful(): ReadonlySet<KindId> {
    const managed = [...this.tools.kinds.values()].filter((kind): kind is AnyKind => !kind.lookup);
    return new Set(managed.filter(({ stateful }) => stateful).map(({ id }) => id));
  }

  /** Takes the newest records in. Revisions and requests of others come as news, which a pass that is under way has not heeded. */
  reload({ records }: StackState): void {
    this.state = { ...this.state, records };
    if (this.world) this.world = { ...this.world, state: this.state };
    this.plan = undefined;
  }
}

/** Corrections of the same change, each undone at once; two may be a slow script of somebody's, five are a program that insists. */
const CONTESTED_AFTER = 5;

/** What a plan of these manifests is judged by. */
export function circumstancesOf(holding: Holding, compiled: CompiledStack, grants: Grants): Circumstances {
  const { state, tools } = holding;
  return {
    now: tools.runtime.now(),
    lifecycles: new Map(compiled.resources.map(({ key, lifecycle }) => [key, lifecycle])),
    records: state.records,
    stateful: holding.stateful(),
    grants,
    isPaused: (key) => holding.isPaused(key),
    contestedAfter: compiled.environment.drift.contestedAfter ?? CONTESTED_AFTER,
  };
}

/** The stack that a revision was compiled from: the watched manifests where they are just that, else what was kept with it. Throws `SourceMissing`. */
export async function compiledOf({ stack, tools }: Holding, revision: Revision, watched: SourceState | undefined): Promise<CompiledStack> {
  if (watched?.ok && watched.compiled.digest === revision.digest) return watched.compiled;
  const bundle = await tools.store.source(stack, revision.number);
  if (bundle) return compileBundle(bundle, { kinds: tools.kinds });
  throw new BeaconError(
    "SourceMissing",
    `what revision ${revision.number} was compiled from is not kept: a secret stands in it, it is too large (some 10 MB), or an older beaconctl accepted it`,
    {
      next: "run the controller with -f and these manifests, or apply again",
    },
  );
}
