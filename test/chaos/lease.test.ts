/** Two processes want one stack: one is refused, or one is frozen past its time and woken. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { FaultProxy } from "../support/fault-proxy.ts";
import type { Injection } from "../support/fault-rules.ts";
import type { World } from "../support/world.ts";
import { type Arena, EFFECTS, effectsOf, newArena } from "./arena.ts";
import { APPLY, type Beaconctl, DIFF } from "./beaconctl.ts";

// Some ten times what the slowest takes, so that a wait without end fails rather than hangs.
const TIMEOUT_MS = 120_000;

describe("two processes and one lease", { concurrency: 1 }, () => {
  let arena: Arena;
  let second: FaultProxy;
  let clean: World;
  before(async () => {
    arena = await newArena();
    second = await arena.secondProxy();
    await arena.run(APPLY, "a clean run");
    clean = await arena.world();
  });
  after(async () => {
    await second.close();
    await arena.close();
  });

  it("refuses the second, and names the holder", { timeout: TIMEOUT_MS }, async () => {
    await arena.empty();
    const holder = arena.start(APPLY, { env: { BEACON_HOLDER: "alice" } });
    const held = arena.proxy.inject({ match: EFFECTS, fault: { type: "hold", when: "before" } });
    await holder.meets(held);
    const refused = await arena.start(APPLY, { proxy: second }).ended;
    assert.equal(refused.code, 5, refused.output);
    assert.match(refused.output, new RegExp(`is being applied by alice@.* \\(pid ${holder.pid}\\) since`));
    assert.deepEqual(effectsOf(second), [], "the refused process changed something");
    held.release();
    assert.equal((await holder.ended).code, 0);
    await arena.assertHolds(clean, "after the second was refused");
  });

  it("a frozen create that comes too late leaves one object of each", { timeout: TIMEOUT_MS }, async () => {
    await arena.empty();
    second.clearCalls();
    // One resource, so that no other call is on its way when the process freezes.
    const frozen = arena.start([...APPLY, "VPC/main"]);
    const late = arena.proxy.inject({ match: { operations: ["ec2:CreateVpc"] }, fault: { type: "hold", when: "before" } });
    await freeze(frozen, late);
    const next = await arena.start([...APPLY, "--wait"], { proxy: second }).ended;
    assert.equal(next.code, 0, next.output);
    await wakeAndEnd(arena, frozen, late);
    await arena.assertHolds(clean, "after a create that came too late");
  });

  it("a frozen update that comes too late reverts no newer change", { timeout: TIMEOUT_MS }, async () => {
    await arena.empty();
    await arena.run(APPLY, "before the updates");
    const days = (count: number) => ["--param", `logRetentionDays=${count}`];
    const frozen = arena.start([...APPLY, "LogGroup/dynamodb-sessions", ...days(60)]);
    const late = arena.proxy.inject({ match: { operations: ["logs:PutRetentionPolicy"] }, fault: { type: "hold", when: "before" } });
    await freeze(frozen, late);
    await arena.run([...APPLY, "--wait", ...days(90)], "the newer change");
    await wakeAndEnd(arena, frozen, late);
    const newer = { ...clean, LogGroup: (clean.LogGroup ?? []).map((group) => ({ ...group, retentionInDays: 90 })) };
    await arena.assertHolds(newer, "after an update that came too late", [...DIFF, ...days(90)]);
  });

  it("a process that is frozen before it has an answer starts no call when it is woken", { timeout: TIMEOUT_MS }, async () => {
    await arena.empty();
    // Of what this route table needs, the gateway comes last: no other call is on its way then.
    const frozen = arena.start([...APPLY, "RouteTable/private"]);
    const fault = { type: "signal", when: "after", pid: frozen.pid, signal: "SIGSTOP" } as const;
    const stopped = arena.proxy.inject({ match: { operations: ["ec2:CreateNatGateway"] }, fault });
    await frozen.meets(stopped);
    await arena.run([...APPLY, "--wait"], "the next holder");
    const before = effectsOf(arena.proxy).length;
    frozen.signal("SIGCONT");
    const ended = await frozen.ended;
    assert.equal(ended.code, 5, ended.output);
    assert.deepEqual(effectsOf(arena.proxy).slice(before), [], "the woken process started further calls");
    await arena.assertHolds(clean, "after a process was woken");
  });
});

/** Freezes the process with the call on its way: past the check of the lease, before AWS has it. */
async function freeze(frozen: Beaconctl, late: Injection): Promise<void> {
  await frozen.meets(late);
  frozen.signal("SIGSTOP");
}

/** Lets the late call through, wakes the process, and sees that it makes no call but to put right what came too late. */
async function wakeAndEnd(arena: Arena, frozen: Beaconctl, late: Injection): Promise<void> {
  const before = arena.proxy.calls.length;
  late.release();
  frozen.signal("SIGCONT");
  const ended = await frozen.ended;
  assert.equal(ended.code, 5, ended.output);
  const after = arena.proxy.calls.slice(before);
  const effect = after.findIndex(({ mutating, body }) => mutating && !body.includes("beacon-state"));
  const lease = after.findIndex(({ name }) => name === "dynamodb:PutItem");
  assert.ok(effect < 0 || (lease >= 0 && lease < effect), `a call was started without a new lease: ${after.map(({ name }) => name)}`);
}
