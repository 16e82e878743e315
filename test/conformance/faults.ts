/**
 * Everything that can go wrong at every mutating call of a kind's life, one call at a time.
 *
 * A life is a path of small changes, field by field where the manifests allow it, so that a run which is struck at one call
 * repeats few others. Each call of each change is struck in a run of its own, which is then resumed and looked at.
 */

import assert from "node:assert/strict";
import type { JsonObject } from "../../src/core/json.ts";
import { isAlwaysThere } from "../../src/kind/kind.ts";
import { error500After, error500Before, type Fault } from "../support/fault-rules.ts";
import { differingFields, type Example } from "./example.ts";
import { type Death, Life } from "./life.ts";
import type { Spec, Subject } from "./subject.ts";

/** What befalls one call: on the way, or to the engine that makes it. */
export type Mishap = { readonly title: string } & (
  | { readonly fault: Fault; readonly death?: undefined }
  | { readonly death: Death["when"]; readonly fault?: undefined }
);

export const MISHAPS: readonly Mishap[] = [
  { title: "a lost response", fault: { type: "lostResponse" } },
  { title: "a 500 before execution", fault: error500Before },
  { title: "a 500 after execution", fault: error500After },
  { title: "a throttle", fault: { type: "throttle" } },
  { title: "the engine's death before the call", death: "before" },
  { title: "the engine's death after the call", death: "after" },
];

/** One change of the manifests, and how many mutating calls it takes. */
type Phase = { readonly name: string; readonly from: Spec; readonly to: Spec; readonly calls: number };

/** Lets the mishap befall every mutating call of the kind's life, each in a run of its own that is then resumed. */
export async function surviveEverywhere(subject: Subject, mishap: Mishap): Promise<void> {
  const phases = await phasesOf(subject);
  let at: Spec;
  for (let nth = 1; nth <= Math.max(...phases.map(({ calls }) => calls)); nth++) {
    for (const phase of phases.filter(({ calls }) => calls >= nth)) {
      if (at !== phase.from) await subject.settle(phase.from, `before ${phase.name}`);
      await survive(subject, phase, mishap, nth);
      at = phase.to;
    }
  }
}

async function survive(subject: Subject, phase: Phase, mishap: Mishap, nth: number): Promise<void> {
  const { struck, settled } = await strike(subject, phase.to, mishap, nth);
  // A deletion that AWS blocks is sent again: how often, two that hold each other up decide by chance.
  assert.ok(struck || nth > 1, subject.says(`${phase.name}: ${mishap.title} befell no call, and ${phase.calls} were expected`));
  const what = `${phase.name}, ${mishap.title} at call ${nth} (${struck ?? "which was not made"})`;
  assert.ok(settled || mishap.death, subject.says(`${what}: the same run does not get over it`));
  if (!settled) await subject.settle(phase.to, what);
  await subject.assertAtRest(phase.to, what);
}

/** The call that met the mishap, if one did, and whether the engine got over it in the same run. */
type Struck = { readonly struck: string | undefined; readonly settled: boolean };

/** One run towards the spec under the mishap. */
async function strike(subject: Subject, spec: Spec, mishap: Mishap, nth: number): Promise<Struck> {
  const { stand } = subject;
  const manifests = subject.manifests(spec);
  if (mishap.death !== undefined) {
    const life = new Life({ nth, when: mishap.death });
    const pass = await stand.pass(manifests, {}, { life });
    return { struck: life.diedOf, settled: pass !== undefined };
  }
  const injection = stand.proxy.inject({ match: { mutating: true }, fault: mishap.fault, nth });
  try {
    const pass = await stand.pass(manifests);
    const settled = pass?.report.results.every(({ outcome }) => outcome === "done") ?? false;
    return { struck: injection.fired === 0 ? undefined : (await injection.struck).name, settled };
  } finally {
    stand.proxy.clearRules();
  }
}

const known = new WeakMap<Example, Promise<readonly Phase[]>>();

/** The example's life, and what each of its phases takes when nothing goes wrong; found out once. */
function phasesOf(subject: Subject): Promise<readonly Phase[]> {
  const phases = known.get(subject.example) ?? measured(subject);
  known.set(subject.example, phases);
  return phases;
}

async function measured(subject: Subject): Promise<readonly Phase[]> {
  const phases: Phase[] = [];
  for (const phase of lifeOf(subject)) {
    await subject.settle(phase.from, `before ${phase.name}`);
    const before = subject.stand.proxy.mutatingCalls.length;
    await subject.settle(phase.to, phase.name);
    phases.push({ ...phase, calls: subject.stand.proxy.mutatingCalls.length - before });
  }
  await subject.settle(undefined);
  return phases;
}

/** Created, changed field by field, deleted; then what a replacement takes. Each phase but the last begins where the one before ends. */
function lifeOf(subject: Subject): readonly Omit<Phase, "calls">[] {
  const { base } = subject;
  const { immutable } = subject.example;
  const path = pathOf(subject);
  const changes = path.slice(1).map((to, index) => {
    const from = path[index] as JsonObject;
    return { name: `changing ${differingFields(from, to).join(", ")}`, from, to };
  });
  // Nobody makes or deletes what is always there: it is led through its changes, and back.
  if (isAlwaysThere(subject.kind)) return [...changes, { name: "changing back", from: path.at(-1), to: base }];
  const replacement = immutable ? [{ name: "replacing", from: base, to: immutable }] : [];
  return [
    { name: "creating", from: undefined, to: base },
    ...changes,
    { name: "deleting", from: path.at(-1), to: undefined },
    ...replacement,
  ];
}

/** The specs from the base through all update steps, with as few fields changed at a time as the manifests' checks allow. */
function pathOf(subject: Subject): readonly JsonObject[] {
  const path = [subject.base];
  for (const state of subject.example.states.slice(1)) {
    let next = path.at(-1) as JsonObject;
    for (const name of differingFields(next, state)) {
      const { [name]: _before, ...rest } = next;
      next = name in state ? { ...rest, [name]: state[name] } : rest;
      if (!("problems" in subject.tryManifests(next))) path.push(next);
    }
  }
  return path;
}
