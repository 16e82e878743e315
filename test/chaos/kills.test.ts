/**
 * `kill -9` of the real process: after every single mutating call of an apply, each in an empty account; and again and again
 * within one apply and one delete, so that every run makes one call more. Whatever is left is resolved by the next run alone.
 *
 * The runs that are killed again and again meet every call. Of those that are killed once, every second call's is taken;
 * `BEACON_CHAOS_EVERY=1` takes all of them, as CI does.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { When } from "../support/fault-rules.ts";
import type { World } from "../support/world.ts";
import { type Arena, EFFECTS, effectsOf, newArena } from "./arena.ts";
import { APPLY, DELETE, type Ended } from "./beaconctl.ts";

const EVERY = Number(process.env.BEACON_CHAOS_EVERY ?? 2);
// The slice takes about 40 calls; a run that is killed at each of them ends well before this.
const RUNS_MAX = 120;
// As many as there are cores on the smallest machine that CI uses.
const LANES = 2;

describe("a process that is killed", { concurrency: LANES }, () => {
  for (let lane = 0; lane < LANES; lane++) {
    describe(`lane ${lane}`, { concurrency: 1 }, () => {
      let arena: Arena;
      let clean: { readonly calls: number; readonly world: World };
      before(async () => {
        arena = await newArena();
        clean = await cleanRun(arena);
      });
      after(() => arena.close());

      it("leaves nothing that the next run does not put right, whatever the call", async () => {
        for (let nth = 1 + lane * EVERY; nth <= clean.calls; nth += LANES * EVERY) await killedAt(arena, nth, clean.world);
      });
      if (lane === 0) it("comes to its end though it is killed before every call", () => killedAgainAndAgain(arena, "before", clean.world));
      else it("comes to its end though it is killed after every call", () => killedAgainAndAgain(arena, "after", clean.world));
      it("deletes everything though it is killed at every call", () => deletedUnderKills(arena, lane === 0 ? "before" : "after"));
    });
  }
});

async function cleanRun(arena: Arena): Promise<{ calls: number; world: World }> {
  const ended = await arena.start(APPLY).ended;
  assert.equal(ended.code, 0, `a clean run fails:\n${ended.output}`);
  return { calls: effectsOf(arena.proxy).length, world: await arena.world() };
}

async function killedAt(arena: Arena, nth: number, expected: World): Promise<void> {
  await arena.empty();
  const { ended, struck } = await runToItsDeath(arena, APPLY, { when: "after", nth });
  assert.equal(ended.signal, "SIGKILL", `call ${nth} was never made:\n${ended.output}`);
  const what = `killed after call ${nth} (${struck})`;
  await arena.run(APPLY, what);
  await arena.assertHolds(expected, what);
}

async function killedAgainAndAgain(arena: Arena, when: When, expected: World): Promise<void> {
  await arena.empty();
  const what = `killed ${when} every call of an apply`;
  await untilItEnds(arena, APPLY, when, what);
  await arena.assertHolds(expected, what);
}

async function deletedUnderKills(arena: Arena, when: When): Promise<void> {
  await arena.empty();
  const nothing = await arena.world();
  await arena.run(APPLY, "before the deletion");
  const what = `killed ${when} every call of a delete`;
  await untilItEnds(arena, DELETE, when, what);
  assert.deepEqual(await arena.world(), nothing, `${what}: something is left`);
}

/** Runs it again and again; each run is killed at its first call, or before its second, so that each brings about one more. */
async function untilItEnds(arena: Arena, args: readonly string[], when: When, what: string): Promise<void> {
  let kills = 0;
  for (let run = 0; run < RUNS_MAX; run++) {
    const { ended } = await runToItsDeath(arena, args, { when, nth: when === "before" ? 2 : 1 });
    if (ended.signal === "SIGKILL") kills += 1;
    else if (ended.code === 0) return assert.ok(kills > 1, `${what}: it was killed ${kills} times only`);
    else assert.fail(`${what}: after ${kills} kills it ended with ${ended.code}:\n${ended.output}`);
  }
  assert.fail(`${what}: it does not come to an end in ${RUNS_MAX} runs`);
}

async function runToItsDeath(
  arena: Arena,
  args: readonly string[],
  { when, nth }: { readonly when: When; readonly nth: number },
): Promise<{ ended: Ended; struck: string | undefined }> {
  const victim = arena.start(args);
  const injection = arena.proxy.inject({ match: EFFECTS, nth, fault: { type: "signal", when, pid: victim.pid, signal: "SIGKILL" } });
  const ended = await victim.ended;
  arena.proxy.clearRules();
  return { ended, struck: injection.fired > 0 ? (await injection.struck).name : undefined };
}
