/** Three controllers share twelve stacks, and one after the other is killed, frozen, cut off, replaced. */

import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Fleet, INTERVAL_MS, type Member, newFleet, TTL_MS } from "./fleet.ts";

const TIMEOUT_MS = 60_000;
// The promise is a TTL and 2 s; the rest is for this machine, which does all of it at once, and for the looks of the test itself.
const TAKEOVER_MAX_MS = TTL_MS + 2_000 + 1_500;
const EVEN_MAX_MS = 30_000;
const ALL = "12 VPCs, 12 log groups";

describe("three controllers and twelve stacks", { concurrency: 1 }, () => {
  let fleet: Fleet;
  let members: readonly Member[];
  before(async () => {
    fleet = await newFleet();
    await fleet.begin();
    members = await Promise.all([fleet.start(), fleet.start(), fleet.start()]);
  });
  after(() => fleet.close());

  /** One ends: its stacks are taken by the others in time. Resolves to the time it happened. */
  async function without(context: TestContext, victim: Member, end: () => void): Promise<number> {
    const held = fleet.heldBy(victim);
    assert.ok(held.length > 0, `${victim.name} holds nothing`);
    const at = Date.now();
    end();
    const others = members.filter((member) => member !== victim);
    await fleet.evenly(others, EVEN_MAX_MS);
    const taken = fleet.takenAfter(at, held, victim);
    assert.ok(Math.max(...taken) < TAKEOVER_MAX_MS, `taken after ${taken} ms`);
    context.diagnostic(`of ${victim.name}, taken after ${taken.join(", ")} ms`);
    return at;
  }

  it("share them evenly, and make each object once", { timeout: TIMEOUT_MS }, async () => {
    await fleet.evenly(members, EVEN_MAX_MS);
    await fleet.until("every object made", EVEN_MAX_MS, async () => (await fleet.objects()) === ALL);
    fleet.harass();
  });

  it("one that is killed leaves its stacks to the others", { timeout: TIMEOUT_MS }, async (context) => {
    const [victim, ...others] = members as [Member, ...Member[]];
    await without(context, victim, () => victim.process.signal("SIGKILL"));
    members = [...others, await fleet.start()];
    await fleet.evenly(members, EVEN_MAX_MS);
  });

  it("one that is frozen, too, and starts no call for what it lost when it wakes", { timeout: TIMEOUT_MS }, async (context) => {
    const [victim] = members as [Member, ...Member[]];
    const held = fleet.heldBy(victim).length;
    await without(context, victim, () => victim.process.signal("SIGSTOP"));
    const woken = Date.now();
    victim.process.signal("SIGCONT");
    await fleet.until("the woken one knows", EVEN_MAX_MS, () => victim.process.output.split("lease lost").length > held);
    const before = fleet.takings.filter(({ by, at }) => by === victim.name && at >= woken).map(({ at }) => at);
    const early = victim.effectsSince(woken).filter(({ at }) => at < Math.min(...before));
    assert.deepEqual(
      early.map(({ name }) => name),
      [],
    );
    await fleet.evenly(members, EVEN_MAX_MS);
  });

  it("one that is cut off from the state table stops, though it still reaches AWS", { timeout: TIMEOUT_MS }, async (context) => {
    const [victim] = members as [Member, ...Member[]];
    const cut = { match: { operations: ["dynamodb:*"] }, fault: { type: "lostRequest" }, times: "always" } as const;
    const at = await without(context, victim, () => void victim.proxy.inject(cut));
    // Its lease ends before anybody may take it.
    assert.deepEqual(
      victim.effectsSince(at + TTL_MS).map(({ name }) => name),
      [],
    );
    victim.proxy.clearRules();
    await fleet.evenly(members, EVEN_MAX_MS);
  });

  it("replaced one after the other, each hands over at once", { timeout: TIMEOUT_MS }, async (context) => {
    for (const old of members.slice(0, 2)) {
      const next = await fleet.start();
      members = [...members, next];
      await fleet.evenly(members, EVEN_MAX_MS);
      const [held, at] = [fleet.heldBy(old), Date.now()];
      old.process.signal("SIGTERM");
      assert.equal((await old.process.ended).code, 0, old.process.output);
      members = members.filter((member) => member !== old);
      await fleet.evenly(members, EVEN_MAX_MS);
      const taken = fleet.takenAfter(at, held, old);
      assert.ok(Math.max(...taken) < TTL_MS, `handed over after ${taken} ms`);
      context.diagnostic(`of ${old.name}, handed over after ${taken.join(", ")} ms`);
    }
  });

  it("nothing was made twice, and no change was missed", { timeout: TIMEOUT_MS }, async (context) => {
    await fleet.calm();
    assert.equal(fleet.creates().length, 24, "a create was sent twice");
    assert.equal(await fleet.objects(), ALL);
    assert.ok(fleet.livedMs.length > 30, `${fleet.livedMs.length} changes`);
    const most = Math.max(...fleet.livedMs);
    assert.ok(most < INTERVAL_MS + TAKEOVER_MAX_MS + 2_000, `a change lived ${most} ms`);
    context.diagnostic(`${fleet.livedMs.length} changes lived for ${most} ms at most`);
  });
});
