/**
 * Following a controller at work: nothing is asked of AWS, and nothing is written; the state tells how far it is.
 *
 * A controller that dies on the way is said, and the next one is waited for: what it left is in the state.
 */

import type { Action, Change } from "../core/plan.ts";
import type { ResourceRecord, StackStatus } from "../core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../core/resource.ts";
import type { LeaseSight, Runtime, StackState, StateReader } from "../core/store.ts";
import type { Progress } from "../engine/types.ts";
import type { Io } from "./io.ts";
import { createProgressView } from "./render/progress.ts";
import { PAST } from "./render/report.ts";

/** The state table is asked this often while following: one cheap query, and a person does not notice less. */
export const FOLLOW_MS = 1000;

/** What is waited for: the revision, and of a stack that waits for a word, that this was heard. */
export type Goal = { readonly revision: number; readonly approved?: string };

/** `failed`: some of it did, and nothing is under way any more. */
export type Standing = "going" | "done" | "failed";

/** How following ended. `late`: the time ran out. `left`: a signal. `done`: those of the changes that were seen to be. */
export type Followed = {
  readonly outcome: Exclude<Standing, "going"> | "late" | "left";
  readonly state: StackState;
  readonly done: ReadonlySet<ResourceKey>;
};

/** What is followed, how long, and where it is shown. `changes`: what the revision was approved to do. */
export type Following = {
  readonly store: StateReader;
  readonly runtime: Runtime;
  readonly stack: Stack;
  readonly goal: Goal;
  readonly changes: readonly Pick<Change, "key" | "action">[];
  readonly timeoutMs: number;
  readonly io: Io;
  readonly stop: AbortSignal;
  /** AWS calls of this process so far. */
  readonly calls: () => number;
};

/** How far the goal is. Only a failure of what is waited for counts: a stack may have other troubles. Pure. */
export function standingOf(status: StackStatus | undefined, { revision, approved }: Goal, keys: ReadonlySet<ResourceKey>): Standing {
  if (!status || status.revision < revision || (approved !== undefined && status.awaiting?.digest === approved)) return "going";
  const concerned = status.unfinished.filter(({ key }) => keys.has(key));
  if (status.converged >= revision && (approved === undefined || concerned.length === 0)) return "done";
  const has = (outcome: StackStatus["unfinished"][number]["outcome"]) => concerned.some((one) => one.outcome === outcome);
  return has("failed") && !has("waiting") ? "failed" : "going";
}

/** Follows until the goal is reached, something failed, the time is over, or a signal comes. */
export async function follow(following: Following): Promise<Followed> {
  const { store, runtime, stack, goal, changes, timeoutMs, io, stop } = following;
  const keys = new Set(changes.map(({ key }) => key));
  const endMs = runtime.monotonic() + timeoutMs;
  const view = await createProgressView(io, { total: changes.length, calls: following.calls });
  const [pulse, phases, steps] = [new Pulse(stackName(stack), runtime), new Phases(goal), new Steps(changes, goal, runtime)];
  const say = (lines: readonly string[]): void => {
    for (const line of lines) io.err(io.errStyle.dim(line));
  };
  try {
    for (;;) {
      const [state, leases] = await Promise.all([store.load(stack), store.leases([stack])]);
      say([...pulse.see(leases.get(stackName(stack))), ...phases.see(state.status)]);
      for (const progress of steps.see(state)) view.onProgress(progress);
      const standing = standingOf(state.status, goal, keys);
      if (standing !== "going") return { outcome: standing, state, done: steps.done };
      if (stop.aborted) return { outcome: "left", state, done: steps.done };
      if (runtime.monotonic() >= endMs) return { outcome: "late", state, done: steps.done };
      await runtime.sleep(FOLLOW_MS, stop).catch(() => {});
    }
  } finally {
    view.close();
  }
}

/** Watches the holder's heart, as everybody does: by whether it beats, never by clocks. */
class Pulse {
  readonly #name: string;
  readonly #runtime: Pick<Runtime, "monotonic">;
  #beat = "";
  #sinceMs: number;
  #silent = false;

  constructor(name: string, runtime: Pick<Runtime, "monotonic">) {
    this.#name = name;
    this.#runtime = runtime;
    this.#sinceMs = runtime.monotonic();
  }

  /** What there is to say of this sight. */
  see(sight: LeaseSight | undefined): readonly string[] {
    const beat = sight && !sight.free ? `${sight.owner} ${sight.heartbeat}` : "";
    if (beat !== this.#beat) {
      const back = this.#silent && beat !== "";
      this.#beat = beat;
      this.#sinceMs = this.#runtime.monotonic();
      if (back) this.#silent = false;
      return back ? [`${sight?.holder} holds ${this.#name} now`] : [];
    }
    if (this.#silent || this.#runtime.monotonic() - this.#sinceMs <= (sight?.ttlMs ?? 0)) return [];
    this.#silent = true;
    const who = beat === "" ? `nobody holds ${this.#name}` : `${sight?.holder} has not been heard of for ${(sight?.ttlMs ?? 0) / 1000} s`;
    return [`${who}: waiting for another controller to take it`];
  }
}

/** How the stack stands with the revision, told when that changes. */
class Phases {
  readonly #goal: Goal;
  #said = "";

  constructor(goal: Goal) {
    this.#goal = goal;
  }

  see(status: StackStatus | undefined): readonly string[] {
    const text =
      status && status.revision >= this.#goal.revision ? `${status.phase}${status.message === "" ? "" : `: ${status.message}`}` : "";
    if (text === this.#said) return [];
    this.#said = text;
    return text === "" ? [] : [text];
  }
}

/** What became of each change, from its record; told when that changes. */
class Steps {
  readonly done = new Set<ResourceKey>();
  readonly #changes: readonly Pick<Change, "key" | "action">[];
  readonly #goal: Goal;
  readonly #runtime: Pick<Runtime, "monotonic">;
  readonly #startedMs: number;
  readonly #said = new Map<ResourceKey, string>();

  constructor(changes: readonly Pick<Change, "key" | "action">[], goal: Goal, runtime: Pick<Runtime, "monotonic">) {
    this.#changes = changes;
    this.#goal = goal;
    this.#runtime = runtime;
    this.#startedMs = runtime.monotonic();
  }

  see({ records, status }: StackState): readonly Progress[] {
    const { revision } = this.#goal;
    const unfinished = new Map((status && status.revision >= revision ? status.unfinished : []).map((one) => [one.key, one]));
    return this.#changes.flatMap(({ key, action }) => {
      const record = records.get(key);
      const step = stepOf(action, { record, revision, open: unfinished.get(key) });
      if (!step) return [];
      if (step.phase === "done") this.done.add(key);
      const said = `${step.phase} ${step.message}`;
      if (this.#said.get(key) === said) return [];
      this.#said.set(key, said);
      const elapsedMs = this.#runtime.monotonic() - this.#startedMs;
      return [{ key, action, ...step, elapsedMs, generation: record?.generation ?? 1 }];
    });
  }
}

type Known = {
  readonly record: ResourceRecord | undefined;
  readonly revision: number;
  /** What the status says of it, once that is about this revision. */
  readonly open: StackStatus["unfinished"][number] | undefined;
};

/** How far one change is; undefined while nothing tells. Pure. */
function stepOf(action: Action, { record, revision, open }: Known): Pick<Progress, "phase" | "message"> | undefined {
  if (open) return { phase: open.outcome, message: open.message };
  const goes = action === "delete" || action === "forget";
  if (goes && !record) return { phase: "done", message: PAST[action] };
  if (goes) return record?.deleting ? { phase: "acting", message: "deleting" } : undefined;
  if (record?.intent && record.intent.revision >= revision) return { phase: "acting", message: "creating" };
  const isReady = record?.conditions.some(({ type, status }) => type === "Ready" && status);
  return isReady && record && record.revision >= revision ? { phase: "done", message: PAST[action] } : undefined;
}
