/**
 * `kill -9` of the real process at mutating calls spread over the apply of the whole of production, each in an empty account:
 * the next run alone brings AWS to what a clean run brings it to, attribute by attribute.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { World } from "../support/world.ts";
import { type Arena, EFFECTS, effectsOf, newArena } from "./arena.ts";

const PRODUCTION = ["-f", "manifests", "--env", "prod"];
const APPLY = ["apply", ...PRODUCTION, "--confirm", "yes", "--yes"];
const DIFF = ["diff", ...PRODUCTION];
// Of about 110 calls, as CI takes 40; each costs a run that dies, a run that goes on, and a look.
const KILLS = Number(process.env.BEACON_CHAOS_KILLS ?? 10);
// As many as there are cores on the smallest machine that CI uses.
const LANES = 2;

describe("an apply of production that is killed", { concurrency: LANES }, () => {
  for (let lane = 0; lane < LANES; lane++) {
    describe(`lane ${lane}`, { concurrency: 1 }, () => {
      let arena: Arena;
      let clean: { readonly calls: number; readonly world: World };
      before(async () => {
        arena = await newArena();
        const ended = await arena.start(APPLY).ended;
        assert.equal(ended.code, 0, `a clean run fails:\n${ended.output}`);
        clean = { calls: effectsOf(arena.proxy).length, world: await arena.world() };
      });
      after(() => arena.close());

      it("is brought to its end by the next", async () => {
        for (let kill = lane; kill < KILLS; kill += LANES) {
          const nth = 1 + Math.round((kill * (clean.calls - 1)) / Math.max(1, KILLS - 1));
          await killedAt(arena, nth, { when: kill % 4 < 2 ? "after" : "before", expected: clean.world });
        }
      });
    });
  }
});

async function killedAt(arena: Arena, nth: number, { when, expected }: { when: "before" | "after"; expected: World }): Promise<void> {
  await arena.empty();
  const victim = arena.start(APPLY);
  const injection = arena.proxy.inject({ match: EFFECTS, nth, fault: { type: "signal", when, pid: victim.pid, signal: "SIGKILL" } });
  const ended = await victim.ended;
  arena.proxy.clearRules();
  assert.equal(ended.signal, "SIGKILL", `call ${nth} was never made:\n${ended.output}`);
  const what = `killed ${when} call ${nth} (${injection.fired > 0 ? (await injection.struck).name : "?"})`;
  await arena.run(APPLY, what);
  await arena.assertHolds(expected, what, DIFF);
}
