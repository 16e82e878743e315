import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Toy, ToyStack } from "../support/toy.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

test("a run takes as long as its longest chain: nothing waits that need not", async () => {
  const chains = fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(30), { maxLength: 3 })), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(chains, async (drawn) => {
      const toys = drawn.map(
        ([takesMs, needs], index): Toy => ({
          name: `t${index}`,
          takesMs,
          needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))],
        }),
      );
      const ends = new Map<string, number>();
      for (const { name, takesMs = 0, needs = [] } of toys)
        ends.set(name, takesMs + Math.max(0, ...needs.map((need) => ends.get(need) ?? 0)));
      const world = new VirtualWorld();
      const { elapsedMs, report } = await world.run(() => new ToyStack(world).apply(toys));
      assert.ok(report.results.every(({ outcome }) => outcome === "done"));
      assert.equal(elapsedMs, Math.max(...ends.values()));
    }),
    { numRuns: 40 },
  );
});

test("fifty that wait for AWS cost one list a poll", async () => {
  const world = new VirtualWorld();
  const stack = new ToyStack(world, { pollMinMs: 1000, pollMaxMs: 1000 });
  const toys = Array.from({ length: 50 }, (_, index): Toy => ({ name: `t${index}`, pendingMs: 4_500 }));
  await world.run(() => stack.apply(toys));
  // One at the look, one each at 1, 2, 3, 4 and 5 s.
  assert.equal(stack.calls.filter((call) => call === "list").length, 6);
});

test("what a create's answer leaves out is looked at where another resource needs it, and only there", async () => {
  const world = new VirtualWorld();
  const stack = new ToyStack(world);
  const toys: readonly Toy[] = [
    { name: "a", silent: true },
    { name: "b", silent: true },
    { name: "c", needs: ["a"] },
  ];
  const { report } = await world.run(() => stack.apply(toys));
  assert.ok(report.results.every(({ outcome }) => outcome === "done"));
  assert.deepEqual(stack.objects.get("c")?.values.needs, ["at a"]);
  assert.equal(stack.calls.filter((call) => call === "list").length, 2, "the plan's look, and one at a");
});

test("after a stop nothing is started, what is in flight is waited for, and the next run goes on", async () => {
  const world = new VirtualWorld();
  const stack = new ToyStack(world);
  const toys: readonly Toy[] = [
    { name: "a", takesMs: 1000 },
    { name: "b", takesMs: 10, needs: ["a"] },
  ];
  const stop = new AbortController();
  const { report } = await world.run(async () => {
    void world.sleep(500).then(() => stop.abort(new Error("SIGINT")));
    return await stack.apply(toys, stop.signal);
  });
  assert.deepEqual(
    report.results.map(({ key, outcome }) => `${key} ${outcome}`),
    ["Toy/a interrupted", "Toy/b interrupted"],
  );
  assert.equal(report.interrupted, true);
  assert.deepEqual([...stack.objects.keys()], ["a"], "the create that was in flight is waited for");
  assert.ok(!stack.calls.includes("create b"));
  assert.deepEqual(await world.run(() => stack.recorded()), ["Toy/a"], "what was not sent leaves no open intent");
  const next = await world.run(() => stack.apply(toys));
  assert.deepEqual(
    stack.calls.filter((call) => call.startsWith("create")),
    ["create a", "create b"],
  );
  assert.ok(next.report.results.every(({ outcome }) => outcome === "done"));
});

test("what AWS still prepares when the time is over is waiting, and so is what needs it; the rest is done", async () => {
  const world = new VirtualWorld();
  const stack = new ToyStack(world, { timeoutMs: 5_000 });
  const toys: readonly Toy[] = [{ name: "slow", pendingMs: 60_000 }, { name: "user", needs: ["slow"] }, { name: "quick" }];
  const { report, elapsedMs } = await world.run(() => stack.apply(toys));
  assert.deepEqual(
    report.results.map(({ key, outcome }) => `${key} ${outcome}`),
    ["Toy/slow waiting", "Toy/user waiting", "Toy/quick done"],
  );
  assert.ok(elapsedMs <= 5_000, `it waited ${elapsedMs} ms`);
});

test("a second run creates nothing and says nothing", async () => {
  const world = new VirtualWorld();
  const stack = new ToyStack(world);
  const toys: readonly Toy[] = [{ name: "a" }, { name: "b", needs: ["a"] }];
  await world.run(() => stack.apply(toys));
  const { report } = await world.run(() => stack.apply(toys));
  assert.deepEqual(report.results, []);
  assert.equal(stack.calls.filter((call) => call.startsWith("create")).length, 2);
});
