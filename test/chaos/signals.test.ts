/** SIGINT and SIGTERM: no new calls, those in flight are waited for, the lease is given up; a second signal ends it at once. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { World } from "../support/world.ts";
import { type Arena, EFFECTS, effectsOf, newArena } from "./arena.ts";
import { APPLY } from "./beaconctl.ts";

// Some ten times what the slowest takes; a test that waits for a lease that nobody gave up fails rather than hangs.
const TIMEOUT_MS = 90_000;

describe("a process that is asked to stop", { concurrency: 1 }, () => {
  let arena: Arena;
  let clean: World;
  before(async () => {
    arena = await newArena();
    await arena.run(APPLY, "a clean run");
    clean = await arena.world();
  });
  after(() => arena.close());

  for (const { signal, code } of [
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
  ] as const) {
    it(`${signal}: waits for the call in flight, starts none, and says what is not done`, { timeout: TIMEOUT_MS }, async () => {
      await arena.empty();
      // Of what this route table needs, the gateway comes last: no other call is on its way then.
      const stopped = arena.start([...APPLY, "RouteTable/private"], { env: { BEACON_LEASE_TTL: "10m" } });
      const held = arena.proxy.inject({ match: { operations: ["ec2:CreateNatGateway"] }, fault: { type: "hold", when: "after" } });
      await stopped.meets(held);
      const before = effectsOf(arena.proxy).length;
      stopped.signal(signal);
      await stopped.says("no new calls");
      held.release();
      const ended = await stopped.ended;
      assert.equal(ended.code, code, ended.output);
      assert.deepEqual(effectsOf(arena.proxy).slice(before), [], "calls were started after the signal");
      assert.match(ended.output, /VPC\/main +created/);
      assert.match(ended.output, /interrupted RouteTable\/private/);
      // A lease of ten minutes that was not given up would keep this waiting.
      await arena.run(APPLY, "the run after it");
      await arena.assertHolds(clean, `after ${signal}`);
    });
  }

  it("a second signal ends it at once, and the next run goes on", { timeout: TIMEOUT_MS }, async () => {
    await arena.empty();
    const stopped = arena.start(APPLY);
    const held = arena.proxy.inject({ match: EFFECTS, fault: { type: "hold", when: "after" }, times: "always" });
    await stopped.meets(held);
    stopped.signal("SIGINT");
    await stopped.says("no new calls");
    stopped.signal("SIGINT");
    const ended = await stopped.ended;
    assert.equal(ended.code, 130, ended.output);
    held.release();
    await arena.run(APPLY, "the run after it");
    await arena.assertHolds(clean, "after two signals");
  });
});
