/** What all actors of one run share: records, the view, looks, slots, the deadline and the way to stop. */

import PQueue from "p-queue";
import { AwsError, isNamed, type Verdict } from "../aws/errors.ts";
import type { View } from "../core/compiled.ts";
import type { Reason } from "../core/condition.ts";
import { BeaconError } from "../core/errors.ts";
import { equal, type Json, type JsonObject } from "../core/json.ts";
import type { Action } from "../core/plan.ts";
import type { ResourceRecord } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { AnyKind } from "../kind/kind.ts";
import type { RemoteIndex } from "./identify.ts";
import { Looker, type Want } from "./looker.ts";
import type { Context, Progress, Result, Run } from "./types.ts";

/** Ends one actor's work. `failed` is terminal for this run; `waiting` ran out of time; `skipped` waits for a failed one. */
export class Halt extends Error {
  readonly outcome: Exclude<Result["outcome"], "done">;
  readonly reason: Reason;

  constructor(outcome: Halt["outcome"], reason: Reason, message: string) {
    super(message);
    this.name = "Halt";
    this.outcome = outcome;
    this.reason = reason;
  }
}

/** One effect that was sent: on which resource, as it was recorded then, and what was sent of its fields. */
export type Touch = { readonly verb: "create" | "update" | "delete"; readonly record: ResourceRecord; readonly sent: JsonObject };

/** The lease was lost in the middle of a run. `touched` is for `heal`. */
export class Deposed extends BeaconError {
  readonly touched: readonly Touch[];

  constructor(cause: BeaconError, touched: readonly Touch[]) {
    super("LeaseLost", cause.message, { cause, ...(cause.next === undefined ? {} : { next: cause.next }) });
    this.touched = touched;
  }
}

/** A look that failed in a way that may pass, though the handle has tried it a few times already. */
function mayPass(error: unknown): boolean {
  const cause = error instanceof BeaconError && error.code === "ReadFailed" ? error.cause : undefined;
  return cause instanceof AwsError && cause.verdict !== "refused";
}

/** What a failed call means for the actor that sent it. */
export type Failure =
  | { readonly means: "look" }
  /** Not executed: send again after a pause. */
  | { readonly means: "retry"; readonly reason: Reason; readonly message: string }
  | { readonly means: "exists" }
  | { readonly means: "gone" }
  | { readonly means: "stall"; readonly message: string };

/** Reads an error by the kind's error names before its verdict. Rethrows what is not AWS's answer. */
export function failureOf(kind: AnyKind, error: unknown): Failure {
  if (isNamed(error, kind.errors.notFound)) return { means: "gone" };
  if (isNamed(error, kind.errors.exists)) return { means: "exists" };
  if (isNamed(error, kind.errors.wait)) return { means: "retry", reason: "Blocked", message: (error as Error).message };
  if (isNamed(error, kind.errors.propagating)) return { means: "retry", reason: "DependencyNotReady", message: (error as Error).message };
  const verdict = (error as { verdict?: Verdict }).verdict;
  if (verdict === undefined) throw error;
  const message = `${(error as Error).name}: ${(error as Error).message}`;
  switch (verdict) {
    case "ambiguous":
      return { means: "look" };
    case "throttled":
    case "unsent":
      return { means: "retry", reason: "DependencyNotReady", message };
    case "refused":
      return { means: "stall", message };
  }
}

/** SigV4 refuses a clock that is off by more than five minutes, so two machines that work are at most twice that apart. */
const CLOCKS_APART_MAX_MS = 600_000;

/** See the file's header. */
export class Execution {
  readonly context: Context;
  readonly run: Run;
  /** Aborted when a person stops the run or the lease is lost. */
  readonly signal: AbortSignal;
  /** The accepted revision's number; 0 where there is none. */
  readonly revision: number;
  readonly #looker: Looker;
  readonly #slots: PQueue;
  readonly #records: Map<ResourceKey, ResourceRecord>;
  readonly #known = new Map<ResourceKey, JsonObject>();
  readonly #touched = new Set<Touch>();
  readonly #acted = new Set<ResourceKey>();
  readonly #startedMs: number;
  readonly #deadline: number;
  #dirty = false;
  #committed: Promise<void> = Promise.resolve();

  constructor(context: Context, run: Run) {
    this.context = context;
    this.run = run;
    this.signal = AbortSignal.any([run.stop, run.authority.lease.signal]);
    this.revision = run.world.state.revision?.number ?? 0;
    this.#looker = new Looker(context);
    this.#slots = new PQueue({ concurrency: context.settings.concurrency });
    this.#records = new Map(run.world.state.records);
    this.#startedMs = context.runtime.monotonic();
    this.#deadline = this.#startedMs + context.settings.timeoutMs;
    for (const [key, pin] of Object.entries(run.world.pins)) this.#known.set(key as ResourceKey, pin.values);
  }

  /** What expressions see by now. */
  readonly view: View = (key) => this.#known.get(key);

  /** Makes values visible to the expressions of other resources. */
  learn(key: ResourceKey, values: JsonObject): void {
    this.#known.set(key, values);
  }

  /** As this run last wrote it. */
  record(key: ResourceKey): ResourceRecord | undefined {
    return this.#records.get(key);
  }

  /** Queues the record for the store; one that says nothing new costs nothing. */
  put(record: ResourceRecord): ResourceRecord {
    if (equal(this.#records.get(record.key) as Json | undefined, record as unknown as Json)) return record;
    this.#records.set(record.key, record);
    this.run.authority.lease.journal.put(record);
    this.#dirty = true;
    return record;
  }

  /** Queues the record's removal. */
  drop(key: ResourceKey): void {
    if (!this.#records.delete(key)) return;
    this.run.authority.lease.journal.remove(key);
    this.#dirty = true;
  }

  /** A record's key changes: the old one goes, and whoever is written down as needing it needs the new one, from the same write on. */
  rename(from: ResourceKey, to: ResourceKey): void {
    this.drop(from);
    for (const record of this.#records.values()) {
      if (!record.dependencies.includes(from)) continue;
      this.put({ ...record, dependencies: record.dependencies.map((on) => (on === from ? to : on)) });
    }
  }

  /** Queues an event. `type` is CamelCase: Created, Corrected, Failed. */
  event(type: string, message: string, resource?: ResourceKey): void {
    this.run.authority.lease.journal.event({ at: this.now(), type, message, ...(resource ? { resource } : {}) });
  }

  /** Resolves when every record put so far is durable: intents, before their effects. */
  async commit(): Promise<void> {
    if (this.#dirty) this.#committed = this.run.authority.lease.journal.commit();
    this.#dirty = false;
    await this.#committed;
  }

  /** ISO 8601, for people. */
  now(): string {
    return new Date(this.context.runtime.now()).toISOString();
  }

  /** Runs one effect in a slot. Nothing is started once the run is stopped. */
  async act<T>(touch: Touch, effect: () => Promise<T>): Promise<T> {
    const started = async () => {
      this.checkStop();
      this.#touched.add(touch);
      this.#acted.add(touch.record.key);
      try {
        return await effect();
      } catch (error) {
        // Asked to stop on the way to the wire: it was not sent.
        if (error instanceof BeaconError && error.code === "Interrupted") this.checkStop();
        throw error;
      } finally {
        if (this.#isHeld()) this.#touched.delete(touch);
      }
    };
    return (await this.#slots.add(started)) as T;
  }

  /** The effects whose answers came after the lease was lost, or never: they may take effect amid another holder's work. */
  get touched(): readonly Touch[] {
    return [...this.#touched];
  }

  /** The resources that this run has sent effects on. */
  get acted(): ReadonlySet<ResourceKey> {
    return this.#acted;
  }

  #isHeld(): boolean {
    try {
      this.run.authority.lease.assertHeld();
      return true;
    } catch {
      return false;
    }
  }

  /** Throws `LeaseLost` when the lease is lost, and a Halt when a person stopped the run. */
  checkStop(): void {
    if (this.run.authority.lease.signal.aborted) this.run.authority.lease.assertHeld();
    if (this.signal.aborted) throw new Halt("interrupted", "Updating", "interrupted before it was done");
  }

  /** Holds no slot. Throws a Halt when the run is stopped or its time is over. */
  async look(kind: AnyKind, want: Want, pause: { delayMs: number; reason: Reason; message: string }): Promise<RemoteIndex> {
    this.checkStop();
    if (this.context.runtime.monotonic() + pause.delayMs > this.#deadline) throw new Halt("waiting", pause.reason, pause.message);
    try {
      return await this.#looker.look(kind, want, pause.delayMs, this.signal);
    } catch (error) {
      if (this.signal.aborted && !(error instanceof BeaconError)) this.checkStop();
      if (!mayPass(error)) throw error;
      // What is under way is not given up because AWS could not be asked for a moment.
      return await this.look(kind, want, { ...pause, delayMs: this.context.settings.pollMaxMs });
    }
  }

  /** Sleeps between two tries of a call that was not executed. Throws a Halt when the run is stopped or its time is over. */
  async pause(delayMs: number, reason: Reason, message: string): Promise<void> {
    this.checkStop();
    const { runtime } = this.context;
    if (runtime.monotonic() + delayMs > this.#deadline) throw new Halt("waiting", reason, message);
    await runtime.sleep(delayMs, this.signal).catch((error: unknown) => {
      this.checkStop();
      throw error;
    });
  }

  /** The n-th pause: doubling from the shortest to the longest poll. */
  pollMs(round: number): number {
    const { pollMinMs, pollMaxMs } = this.context.settings;
    return Math.min(pollMaxMs, pollMinMs * 2 ** Math.min(round, 16));
  }

  /**
   * How long ago, at least, something happened that an earlier run recorded (epoch milliseconds). That was another clock:
   * what is certain is the time that passed here, and what two clocks cannot differ by.
   */
  certainAgeMs(recordedAt: number): number {
    const { runtime } = this.context;
    return Math.max(runtime.monotonic() - this.#startedMs, runtime.now() - recordedAt - CLOCKS_APART_MAX_MS);
  }

  /** How long AWS may take to show something of this kind. */
  consistencyMs(kind: AnyKind): number {
    const { identity } = kind;
    // Names and tokens make a replay safe; their objects show up within IAM's two minutes, the longest window that Terraform budgets for such a kind.
    return this.context.settings.consistencyMs ?? (identity.by === "name" ? 120_000 : identity.consistencyMs);
  }

  /** Tells whoever watches the run. `since`: when the resource's work began, on the monotonic clock. */
  progress(progress: Omit<Progress, "elapsedMs"> & { since: number }): void {
    const { since, ...rest } = progress;
    this.run.onProgress?.({ ...rest, elapsedMs: this.context.runtime.monotonic() - since });
  }
}

/** The past tense a person reads. */
export function doneWord(action: Action): string {
  switch (action) {
    case "create":
      return "created";
    case "update":
      return "updated";
    case "replace":
      return "replaced";
    case "delete":
      return "deleted";
    case "adopt":
      return "adopted";
    case "move":
      return "moved";
    case "forget":
      return "forgotten";
    case "none":
      return "unchanged";
    case "blocked":
      return "blocked";
  }
}
