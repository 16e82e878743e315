/** Tasks: one resource's work in a run, the stages it goes through, and how tasks wait for each other. */

import { AwsError } from "../aws/errors.ts";
import { BeaconError } from "../core/errors.ts";
import type { Change } from "../core/plan.ts";
import type { ResourceKey } from "../core/resource.ts";
import { type Execution, Halt } from "./execution.ts";
import type { Result } from "./types.ts";

/** A stage other tasks wait for. Its rejection is seen by whoever waits, and by nobody else. */
class Stage {
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  open = true;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.done = promise;
    this.resolve = () => {
      this.open = false;
      resolve();
    };
    this.reject = (error) => {
      this.open = false;
      reject(error);
    };
  }
}

/** One resource's work: an actor's for a declared one, a removal for any other. */
export type Task = {
  readonly key: ResourceKey;
  readonly change: Change | undefined;
  readonly clear: Stage;
  readonly usable: Stage;
  readonly settled: Stage;
  readonly finished: Stage;
  /** The task this one waits for now, and its stage. */
  waitsFor: { readonly task: Task; readonly stage: Stage } | undefined;
  start: () => void;
  result: Promise<Result | undefined>;
};

export type Tasks = Map<ResourceKey, Task>;

/** Waits for another's stage. Throws a Halt instead of closing a circle of tasks that would wait for each other for ever. */
export async function reached(task: Task, other: Task, stage: "clear" | "usable" | "settled" | "finished"): Promise<void> {
  if (other[stage].open && closesCircle(task, other)) {
    throw new Halt("skipped", "DependencyNotReady", `${task.key} and ${other.key} wait for each other: apply in two steps`);
  }
  task.waitsFor = { task: other, stage: other[stage] };
  try {
    await other[stage].done;
  } finally {
    task.waitsFor = undefined;
  }
}

/** Whether the other waits, through whatever others, for this one. */
export function closesCircle(task: Task, other: Task): boolean {
  let next = other;
  // A stage that is over holds nobody up, even where its waiter has not gone on yet.
  while (next !== task && next.waitsFor?.stage.open) next = next.waitsFor.task;
  return next === task;
}

/** A task whose work is still to be said. */
export function emptyTask(key: ResourceKey, change: Change | undefined): Task {
  return {
    key,
    change,
    clear: new Stage(),
    usable: new Stage(),
    settled: new Stage(),
    finished: new Stage(),
    waitsFor: undefined,
    start: () => {},
    result: Promise.resolve(undefined),
  };
}

/** Starts the work. However it ends becomes the task's result, unless it ends the whole run. */
export function begin(execution: Execution, task: Task, work: () => Promise<string>): void {
  const since = execution.context.runtime.monotonic();
  task.result = work().then(
    (message) => finish(execution, task, since, { outcome: "done", message }),
    (error: unknown) => {
      for (const stage of [task.clear, task.usable, task.settled, task.finished]) stage.reject(error);
      const halt = haltOf(error);
      return finish(execution, task, since, { outcome: halt.outcome, message: halt.message, reason: halt.reason });
    },
  );
}

// Errors that end one resource's work become its result; those that end the run are thrown.
function haltOf(error: unknown): Halt {
  if (error instanceof Halt) return error;
  if (error instanceof AwsError) return new Halt("failed", "Refused", `${error.name}: ${error.message}`);
  if (error instanceof BeaconError && error.code === "ReadFailed") return new Halt("failed", "Refused", error.message);
  throw error;
}

type Ending = Pick<Result, "outcome" | "message" | "reason">;

function finish(execution: Execution, task: Task, since: number, ending: Ending): Result | undefined {
  const action = task.change?.action ?? "none";
  const quiet = ending.outcome === "done" && action === "none" && (task.change?.retires.length ?? 0) === 0;
  if (quiet) return undefined;
  const phase = ending.outcome === "interrupted" ? "skipped" : ending.outcome;
  execution.progress({
    key: task.key,
    action,
    phase,
    message: ending.message,
    generation: execution.record(task.key)?.generation ?? 1,
    since,
  });
  return { key: task.key, action, ...ending };
}

/** Waits for a stage of other tasks; what failed there skips this one. */
export async function after(
  execution: Execution,
  task: Task,
  others: readonly Task[],
  stage: "clear" | "usable" | "finished",
): Promise<void> {
  for (const other of others) {
    const report = { key: task.key, action: task.change?.action ?? "none", generation: 1, since: execution.context.runtime.monotonic() };
    if (task.change && task.change.action !== "none") execution.progress({ ...report, phase: "after", message: `after ${other.key}` });
    await reached(task, other, stage).catch((cause: unknown) => {
      const unfinished = cause instanceof Halt && (cause.outcome === "interrupted" || cause.outcome === "waiting");
      throw new Halt(unfinished ? cause.outcome : "skipped", "DependencyNotReady", `${other.key} is not there yet`);
    });
  }
}
