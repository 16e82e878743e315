/**
 * Execute: every resource of a plan worked on at once, each as soon as what it needs allows.
 *
 * A resource has up to four stages: *clear* (a predecessor that must go first is gone), *usable* (dependents may start),
 * *settled* (late fields too), *finished* (its old generations are gone). Waiting holds no slot; a failure stops only
 * what depends on it.
 */

import { AwsError } from "../aws/errors.ts";
import { BeaconError } from "../core/errors.ts";
import { reach, reversed } from "../core/graph.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Change } from "../core/plan.ts";
import { type Resource, type ResourceKey, stackName } from "../core/resource.ts";
import { holdsUnknown } from "../core/unknown.ts";
import { naturalKey, type Remote, staysBehind } from "../kind/kind.ts";
import { Actor } from "./actor.ts";
import { settle } from "./converge.ts";
import { prepare, withdrawIntent } from "./create.ts";
import { Deposed, doneWord, Execution, Halt } from "./execution.ts";
import { type Removal, remove } from "./remove.ts";
import { clearTheWay, hasToRetire, letGo, retire } from "./succession.ts";
import { Indexes, isLate, lateFields, managedKind, recordOf, selected } from "./sweep.ts";
import type { Context, Result, Run, RunReport } from "./types.ts";

/** Resolves when everything is done, failed, skipped or out of time. Throws {@link Deposed} when the stack passed to another. */
export async function execute(context: Context, run: Run): Promise<RunReport> {
  const execution = new Execution(context, run);
  const tasks = tasksOf(execution);
  for (const task of tasks.values()) task.start();
  const results = await everyResult(execution, tasks);
  const compiled = run.options.destroy ? undefined : run.world.compiled;
  const outputs = knownOutputs(compiled?.outputs(execution.view) ?? {});
  const nextSteps = compiled?.nextSteps(execution.view) ?? [];
  return { results: results.filter((result) => result !== undefined), outputs, nextSteps, interrupted: run.stop.aborted };
}

// Also of a run that ends with an error: nothing is under way any more when it is thrown.
async function everyResult(execution: Execution, tasks: Tasks): Promise<readonly (Result | undefined)[]> {
  const ends = await Promise.allSettled([...tasks.values()].map((task) => task.result));
  try {
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
    await execution.commit();
    return ends.map((end) => (end.status === "fulfilled" ? end.value : undefined));
  } catch (error) {
    throw error instanceof BeaconError && error.code === "LeaseLost" ? new Deposed(error, execution.touched) : error;
  }
}

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
type Task = {
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

type Tasks = Map<ResourceKey, Task>;

/** Waits for another's stage. Throws a Halt instead of closing a circle of tasks that would wait for each other for ever. */
async function reached(task: Task, other: Task, stage: "clear" | "usable" | "settled" | "finished"): Promise<void> {
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

function closesCircle(task: Task, other: Task): boolean {
  let next = other;
  // A stage that is over holds nobody up, even where its waiter has not gone on yet.
  while (next !== task && next.waitsFor?.stage.open) next = next.waitsFor.task;
  return next === task;
}

function tasksOf(execution: Execution): Tasks {
  const { world, plan, options } = execution.run;
  const changes = new Map(plan.changes.map((change) => [change.key, change]));
  const indexes = new Indexes(stackName(execution.context.stack), world.remotes);
  const tasks: Tasks = new Map();
  const resources = options.destroy ? [] : selected(execution.context.kinds, world.compiled?.resources ?? [], options.only);
  for (const resource of resources) tasks.set(resource.key, emptyTask(resource.key, changes.get(resource.key)));
  for (const change of plan.changes) if (!tasks.has(change.key)) tasks.set(change.key, emptyTask(change.key, change));
  // First, as a natural key may hold the id of something that is there: else an actor would not see who has its name.
  learnPresent(execution, world.compiled?.resources ?? [], changes, indexes);
  const actors = resources.map((resource) => {
    const kind = managedKind(execution.context.kinds, resource.kind);
    const actor = new Actor(execution, kind, resource, changes.get(resource.key), indexes.of(kind));
    return { resource, actor };
  });
  const relations = relationsOf(execution, resources);
  // Anything of ours may hold it, earlier generations too, whatever is written down.
  const onBlocked = async (remote: Remote) => {
    for (const { actor } of actors) await letGo(actor, remote);
  };
  for (const { resource, actor } of actors) {
    actor.onBlocked = onBlocked;
    if (changes.get(resource.key)?.action === "create") prepare(actor);
    const task = tasks.get(resource.key) as Task;
    task.start = () => begin(execution, task, () => workOn(task, actor, tasks, relations));
  }
  const declared = new Set(resources.map(({ key }) => key));
  for (const task of tasks.values()) {
    if (declared.has(task.key)) continue;
    task.start = () => begin(execution, task, () => removeUndeclared(execution, task, { tasks, indexes, relations, onBlocked }));
  }
  return tasks;
}

function emptyTask(key: ResourceKey, change: Change | undefined): Task {
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

// What is already there is visible to expressions from the start; what is being replaced shows its successor later.
function learnPresent(
  execution: Execution,
  resources: readonly Resource[],
  changes: ReadonlyMap<ResourceKey, Change>,
  indexes: Indexes,
): void {
  for (const resource of resources) {
    const record = recordOf(execution.run.world.state.records, resource);
    const remote = record?.id === undefined ? undefined : indexes.of(managedKind(execution.context.kinds, resource.kind)).byId(record.id);
    const change = changes.get(resource.key);
    if (remote && change?.action !== "replace" && change?.action !== "create") execution.learn(resource.key, remote.values);
  }
}

type Relations = {
  /** Who refers to a resource now. */
  readonly users: ReadonlyMap<ResourceKey, readonly { readonly key: ResourceKey; readonly late: boolean }[]>;
  /** Who was recorded as needing it. */
  readonly usersBefore: ReadonlyMap<string, readonly string[]>;
  /** Who cannot go on before something else is deleted. */
  readonly parked: ReadonlySet<string>;
  /** What is to be deleted, by kind and natural key. */
  readonly leaving: ReadonlyMap<string, readonly ResourceKey[]>;
};

function leavingOf(execution: Execution): Map<string, ResourceKey[]> {
  const leaving = new Map<string, ResourceKey[]>();
  for (const { key, action } of execution.run.plan.changes) {
    const record = action === "delete" ? execution.run.world.state.records.get(key) : undefined;
    const name = record && naturalKey(managedKind(execution.context.kinds, record.kind), record.observed);
    if (record && name !== undefined) leaving.set(`${record.kind} ${name}`, [...(leaving.get(`${record.kind} ${name}`) ?? []), key]);
  }
  return leaving;
}

// Whether the resource is, or might be, created under a natural key that must become free first.
function waitsForName(execution: Execution, resource: Resource, leaving: Relations["leaving"]): boolean {
  const holders = inTheWay(execution, resource, leaving);
  return holders ? holders.length > 0 : [...leaving.keys()].some((name) => name.startsWith(`${resource.kind} `));
}

function relationsOf(execution: Execution, resources: readonly Resource[]): Relations {
  const users = new Map<ResourceKey, { key: ResourceKey; late: boolean }[]>();
  for (const resource of resources) {
    const kind = managedKind(execution.context.kinds, resource.kind);
    for (const { on, field } of resource.dependencies) {
      if (on === resource.key) continue;
      const list = users.get(on) ?? [];
      list.push({ key: resource.key, late: isLate(kind, field) });
      users.set(on, list);
    }
  }
  const needs = new Map([...execution.run.world.state.records.values()].map(({ key, dependencies }) => [key, dependencies]));
  const wanted = new Map([...users].map(([key, list]) => [key, list.map((user) => user.key)]));
  const first = execution.run.plan.changes.filter(({ order }) => order === "deleteFirst").map(({ key }) => key);
  const leaving = leavingOf(execution);
  const named = resources.filter((resource) => waitsForName(execution, resource, leaving)).map(({ key }) => key);
  return { users, usersBefore: reversed(needs), parked: reach(wanted, [...first, ...named]), leaving };
}

function begin(execution: Execution, task: Task, work: () => Promise<string>): void {
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

async function workOn(task: Task, actor: Actor, tasks: Tasks, relations: Relations): Promise<string> {
  try {
    return await convergeDeclared(task, actor, tasks, relations);
  } catch (error) {
    withdrawIntent(actor);
    throw error;
  }
}

/** The stages of a declared resource, one after the other. Resolves to the word for what was done. Throws a Halt. */
async function convergeDeclared(task: Task, actor: Actor, tasks: Tasks, { users, leaving }: Relations): Promise<string> {
  const { execution, kind, resource } = actor;
  const needs = (late: boolean) =>
    resource.dependencies
      .filter(({ on, field }) => on !== resource.key && isLate(kind, field) === late)
      .flatMap(({ on }) => tasks.get(on) ?? []);
  if (task.change?.order === "deleteFirst") {
    // Late users may form a circle with what they use: none of them is waited for.
    const above = (users.get(resource.key) ?? [])
      .flatMap(({ key, late }) => (late ? [] : (tasks.get(key) ?? [])))
      .filter(({ change }) => change?.order === "deleteFirst");
    await after(execution, task, above, "clear");
    await clearTheWay(actor);
  }
  task.clear.resolve();
  await after(execution, task, needs(false), "usable");
  const holders = inTheWay(execution, resource, leaving) ?? [];
  await after(
    execution,
    task,
    holders.flatMap((key) => tasks.get(key) ?? []),
    "finished",
  );
  await settle(actor, false);
  task.usable.resolve();
  const late = needs(true);
  if (late.length > 0 || lateFields(kind).length > 0) {
    await after(execution, task, late, "usable");
    await settle(actor, true);
  }
  task.settled.resolve();
  await retireAfterUsers(task, actor, tasks, users.get(resource.key) ?? []);
  task.finished.resolve();
  return doneWord(task.change?.action ?? "none");
}

async function retireAfterUsers(
  task: Task,
  actor: Actor,
  tasks: Tasks,
  users: readonly { readonly key: ResourceKey; readonly late: boolean }[],
): Promise<void> {
  if (!hasToRetire(actor)) return;
  for (const { key, late } of users) {
    const user = tasks.get(key);
    if (user) await reached(task, user, late ? "settled" : "finished").catch(stillUsed);
  }
  await retire(actor);

  function stillUsed(): never {
    throw new Halt("skipped", "DependencyNotReady", "its old object is kept, because something that still uses it failed");
  }
}

/** Waits for a stage of other tasks; what failed there skips this one. */
async function after(execution: Execution, task: Task, others: readonly Task[], stage: "clear" | "usable" | "finished"): Promise<void> {
  for (const other of others) {
    const report = { key: task.key, action: task.change?.action ?? "none", generation: 1, since: execution.context.runtime.monotonic() };
    if (task.change && task.change.action !== "none") execution.progress({ ...report, phase: "after", message: `after ${other.key}` });
    await reached(task, other, stage).catch((cause: unknown) => {
      const unfinished = cause instanceof Halt && (cause.outcome === "interrupted" || cause.outcome === "waiting");
      throw new Halt(unfinished ? cause.outcome : "skipped", "DependencyNotReady", `${other.key} is not there yet`);
    });
  }
}

// Resources on their way out that hold the natural key this one is to be created under; `undefined` while that is not known.
function inTheWay(execution: Execution, resource: Resource, leaving: Relations["leaving"]): readonly ResourceKey[] | undefined {
  const kind = managedKind(execution.context.kinds, resource.kind);
  if (kind.identity.by !== "name") return [];
  const name = naturalKey(kind, execution.run.world.compiled?.resolve(resource, execution.view) ?? {});
  return name === undefined ? undefined : (leaving.get(`${kind.id} ${name}`) ?? []);
}

type Others = {
  readonly tasks: Tasks;
  readonly indexes: Indexes;
  readonly relations: Relations;
  readonly onBlocked: Removal["onBlocked"];
};

/** The stages of a resource that only its record knows. Resolves to the word for what was done. Throws a Halt. */
async function removeUndeclared(execution: Execution, task: Task, { tasks, indexes, relations, onBlocked }: Others): Promise<string> {
  const change = task.change as Change;
  const record = execution.run.world.state.records.get(task.key);
  if (change.action === "blocked") throw new Halt("failed", change.blocked?.reason ?? "Protected", change.blocked?.message ?? "");
  if (!record) return doneWord(change.action);
  const kind = managedKind(execution.context.kinds, record.kind);
  if (change.action === "delete" || !staysBehind(kind, record.lifecycle)) {
    await usersGone(execution, task, tasks, relations);
    await remove(execution, record, indexes.of(kind), { change, onBlocked });
  } else execution.drop(record.key);
  for (const stage of [task.clear, task.usable, task.settled, task.finished]) stage.resolve();
  return doneWord(change.action);
}

/** What was recorded as needing this object is deleted first, or brought to need it no more. */
async function usersGone(execution: Execution, task: Task, tasks: Tasks, { usersBefore, parked }: Relations): Promise<void> {
  const before = (key: ResourceKey) => execution.run.world.state.records.get(key)?.dependencies ?? [];
  for (const key of usersBefore.get(task.key) ?? []) {
    const other = tasks.get(key as ResourceKey);
    if (!other || other.key === task.key) continue;
    const leaves = other.change?.action === "delete" || other.change?.action === "forget";
    // Two that need each other (groups whose rules refer to each other) cannot both wait: each withdraws what it can.
    if (leaves && reaches(before, task.key, other.key)) continue;
    // One that stays, but cannot go on before something else is deleted, may in turn be waiting for this: it lets go instead.
    if (!leaves && parked.has(other.key)) continue;
    if (closesCircle(task, other)) continue;
    await reached(task, other, leaves ? "finished" : "settled").catch(() => {
      throw new Halt("skipped", "DependencyNotReady", `${other.key} still uses it`);
    });
  }
}

function reaches(needs: (key: ResourceKey) => readonly ResourceKey[], from: ResourceKey, to: ResourceKey): boolean {
  const seen = new Set<ResourceKey>([from]);
  for (const key of seen) {
    if (key === to) return true;
    for (const need of needs(key)) seen.add(need);
  }
  return false;
}

// An output whose value did not become known is null, as an excluded resource's is.
function knownOutputs(outputs: JsonObject): JsonObject {
  const known = (value: Json | undefined): Json => (value === undefined || holdsUnknown(value) ? null : value);
  return isObject(outputs) ? Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, known(value)])) : {};
}
