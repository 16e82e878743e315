/**
 * Execute: every resource of a plan worked on at once, each as soon as what it needs allows.
 *
 * A resource has up to four stages: *clear* (a predecessor that must go first is gone), *usable* (dependents may start),
 * *settled* (late fields too), *finished* (its old generations are gone). Waiting holds no slot; a failure stops only
 * what depends on it.
 */

import { BeaconError } from "../core/errors.ts";
import type { Change } from "../core/plan.ts";
import { type Resource, type ResourceKey, stackName } from "../core/resource.ts";
import { type Remote, staysBehind } from "../kind/kind.ts";
import { Actor } from "./actor.ts";
import { settle } from "./converge.ts";
import { prepare, withdrawIntent } from "./create.ts";
import { Deposed, doneWord, Execution, Halt } from "./execution.ts";
import { knownOutputs, learnMissing, learnPresent } from "./knowledge.ts";
import { inTheWay, type Relations, relationsOf, usersGone } from "./relations.ts";
import { type Removal, remove } from "./remove.ts";
import { clearTheWay, hasToRetire, letGo, retire } from "./succession.ts";
import { Indexes, isLate, lateFields, managedKind, selected } from "./sweep.ts";
import { after, begin, emptyTask, reached, type Task, type Tasks } from "./task.ts";
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

function tasksOf(execution: Execution): Tasks {
  const { world, plan, options } = execution.run;
  const changes = new Map(plan.changes.map((change) => [change.key, change]));
  const indexes = new Indexes(stackName(execution.context.stack), world.remotes);
  const tasks: Tasks = new Map();
  const resources = options.destroy ? [] : workedOn(execution, changes);
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

function workedOn({ context, run }: Execution, changes: ReadonlyMap<ResourceKey, Change>): readonly Resource[] {
  const declared = run.world.compiled?.resources ?? [];
  if (run.options.strict) return declared.filter(({ key }) => changes.has(key));
  return selected(context.kinds, declared, run.options.only);
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
  await learnMissing(actor);
  await actor.follow();
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
