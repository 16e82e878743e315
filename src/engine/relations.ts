/** Relations: who uses what, now and before, and who has the name that another wants. */

import { reach, reversed } from "../core/graph.ts";
import type { Resource, ResourceKey } from "../core/resource.ts";
import { naturalKey } from "../kind/kind.ts";
import { type Execution, Halt } from "./execution.ts";
import { isLate, managedKind } from "./sweep.ts";
import { closesCircle, reached, type Task, type Tasks } from "./task.ts";

/** See the file's header. */
export type Relations = {
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

/** The relations of a run's resources. */
export function relationsOf(execution: Execution, resources: readonly Resource[]): Relations {
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

/** Resources on their way out that hold the natural key this one is to be created under; `undefined` while that is not known. */
export function inTheWay(execution: Execution, resource: Resource, leaving: Relations["leaving"]): readonly ResourceKey[] | undefined {
  const kind = managedKind(execution.context.kinds, resource.kind);
  if (kind.identity.by !== "name") return [];
  const name = naturalKey(kind, execution.run.world.compiled?.resolve(resource, execution.view) ?? {});
  return name === undefined ? undefined : (leaving.get(`${kind.id} ${name}`) ?? []);
}

/** What was recorded as needing this object is deleted first, or brought to need it no more. */
export async function usersGone(execution: Execution, task: Task, tasks: Tasks, { usersBefore, parked }: Relations): Promise<void> {
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
