/**
 * Converge: one declared resource, brought to what the manifest says.
 *
 * Look, decide, act, record, and again, until the decision is that nothing is left to do. Every round starts from what
 * is known of the object; effects return what they brought about, so that a round seldom needs a look of its own.
 */

import type { Actor } from "./actor.ts";
import { bringUp } from "./create.ts";
import type { Decision } from "./decide.ts";
import { Halt } from "./execution.ts";
import { keep } from "./keep.ts";
import { replace, takeBack } from "./succession.ts";

/** Effects on one resource in one run; the largest honest number is a table's indexes or a route table's routes. */
const ROUNDS_MAX = 1_000;

/** Resolves when nothing is left to do, `late` fields only if asked. Throws a Halt. */
export async function settle(actor: Actor, late: boolean): Promise<void> {
  takeBack(actor, late);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    actor.execution.checkStop();
    if (await step(actor, actor.decide(), late)) return;
  }
  throw new Halt("failed", "Refused", `does not settle after ${ROUNDS_MAX} changes: AWS keeps showing something else than it was sent`);
}

/** One round. True when nothing is left to do. */
function step(actor: Actor, decision: Decision, late: boolean): Promise<boolean> {
  switch (decision.action) {
    case "blocked":
      throw actor.stall(decision.blocked?.reason ?? "Conflict", decision.blocked?.message ?? "");
    case "create":
      return bringUp(actor, decision);
    case "replace":
      return replace(actor, decision);
    case "update":
    case "adopt":
    case "move":
    case "none":
      return keep(actor, decision, late);
  }
}
