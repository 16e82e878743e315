/** Everything that can go wrong at every mutating call of a kind's life, one call at a time. */

import { error500After, error500Before, type Fault } from "../support/fault-rules.ts";
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

/** One change of the manifests, and how it is taken back. */
type Phase = { readonly name: string; readonly from: Spec; readonly to: Spec };

/** The whole life: created, updated step by step, replaced, deleted. Each phase begins where the one before ended. */
function phasesOf({ example }: Subject): readonly Phase[] {
  const { states, immutable } = example;
  const base = states[0];
  const updates = states.slice(1).map((to, index) => ({ name: `update ${index + 1}`, from: states[index], to }));
  const replacement = immutable ? [{ name: "replace", from: base, to: immutable }] : [];
  return [{ name: "create", from: undefined, to: base }, ...updates, ...replacement, { name: "delete", from: base, to: undefined }];
}

/** Lets the mishap befall every mutating call of the kind's life, each in a run of its own that is then resumed. */
export async function surviveEverywhere(subject: Subject, mishap: Mishap): Promise<void> {
  for (const phase of phasesOf(subject)) {
    for (let nth = 1; await survive(subject, phase, mishap, nth); nth++);
  }
}

/** Lets it befall the nth mutating call of the phase. False when the phase has no such call. */
async function survive(subject: Subject, phase: Phase, mishap: Mishap, nth: number): Promise<boolean> {
  await subject.settle(phase.from, `before ${phase.name}`);
  const { struck, settled } = await strike(subject, phase.to, mishap, nth);
  if (struck === undefined) return false;
  const what = `${phase.name}, ${mishap.title} at call ${nth} (${struck})`;
  if (!settled) await subject.settle(phase.to, what);
  await subject.assertAtRest(phase.to, what);
  return true;
}

/** The call that met the mishap, if one did, and whether the engine got over it in the same run. */
type Struck = { readonly struck: string | undefined; readonly settled: boolean };

/** One run towards the spec under the mishap. */
async function strike(subject: Subject, spec: Spec, mishap: Mishap, nth: number): Promise<Struck> {
  const { stand } = subject;
  const manifests = subject.manifests(spec);
  if (mishap.death !== undefined) {
    const life = new Life({ nth, when: mishap.death });
    await stand.pass(manifests, {}, life);
    return { struck: life.diedOf, settled: false };
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
