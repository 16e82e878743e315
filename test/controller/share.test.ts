import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assignment, type Replica, stillMs, watched } from "../../src/controller/share.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

const stacksOf = (count: number) => Array.from({ length: count }, (_, n) => `app${n}/prod`);
const replicasOf = (count: number, from = 0): Replica[] => Array.from({ length: count }, (_, n) => ({ id: `r${from + n}` }));
const NOBODY: ReadonlyMap<string, string> = new Map();

function loads(assigned: ReadonlyMap<string, string>, replicas: readonly Replica[]): number[] {
  return replicas.map(({ id }) => [...assigned.values()].filter((holder) => holder === id).length);
}

function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  return [...after].filter(([stack, holder]) => before.get(stack) !== holder).length;
}

function assertEven(assigned: ReadonlyMap<string, string>, stacks: readonly string[], replicas: readonly Replica[], why: string): void {
  assert.deepEqual([...assigned.keys()].sort(), stacks.toSorted(), `${why}: every stack has a holder`);
  const counts = loads(assigned, replicas);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${why}: ${counts}`);
}

describe("who holds what", () => {
  test("even to within one, for every number of stacks and replicas, and the same for everybody", () => {
    for (let stacks = 0; stacks <= 40; stacks++) {
      for (let count = 1; count <= 9; count++) {
        const [names, replicas] = [stacksOf(stacks), replicasOf(count)];
        const assigned = assignment(names, replicas, NOBODY);
        if (stacks > 0) assertEven(assigned, names, replicas, `${stacks} stacks, ${count} replicas`);
        const elsewhere = assignment(names.toReversed(), replicas.toReversed(), NOBODY);
        assert.deepEqual([...elsewhere].sort(), [...assigned].sort(), "in whatever order they are known");
      }
    }
  });

  test("a replica that goes moves its own stacks alone; one that comes gets its share, and nothing else moves", () => {
    for (let stacks = 1; stacks <= 40; stacks++) {
      for (let count = 2; count <= 9; count++) {
        const [names, replicas] = [stacksOf(stacks), replicasOf(count)];
        const before = assignment(names, replicas, NOBODY);
        const [gone, ...left] = replicas as [Replica, ...Replica[]];
        const without = assignment(names, left, before);
        const why = `${stacks} stacks, ${count} replicas`;
        assertEven(without, names, left, why);
        assert.equal(moved(before, without), loads(before, [gone])[0], `${why}: only what ${gone.id} held moves`);
        const more = [...replicas, { id: "newcomer" }];
        const joined = assignment(names, more, before);
        assertEven(joined, names, more, why);
        assert.equal(moved(before, joined), Math.floor(stacks / (count + 1)), `${why}: a newcomer's share`);
      }
    }
  });

  test("what is even stays as it is, through any number of comings and goings", () => {
    const world = new VirtualWorld(11);
    const names = stacksOf(17);
    let replicas = replicasOf(3);
    let held = assignment(names, replicas, NOBODY);
    for (let round = 0; round < 200; round++) {
      if (world.chance(0.5) && replicas.length > 1) replicas = replicas.filter((_, n) => n !== world.between(0, replicas.length - 1));
      else replicas = [...replicas, { id: `late${round}` }];
      held = assignment(names, replicas, held);
      assertEven(held, names, replicas, `seed 11, round ${round}`);
      assert.deepEqual(assignment(names, replicas, held), held, "computed again, nothing moves");
    }
  });

  test("carried out in part, in whatever order, the rest of the answer is still the same", () => {
    const world = new VirtualWorld(12);
    for (let round = 0; round < 300; round++) {
      const names = stacksOf(world.between(1, 20));
      const replicas = replicasOf(world.between(1, 6));
      const others = replicasOf(world.between(1, 4), 10);
      const pick = (from: readonly Replica[]) => (from[world.between(0, from.length - 1)] as Replica).id;
      const holders = new Map(names.filter(() => world.chance(0.8)).map((name) => [name, pick([...replicas, ...others])]));
      const answer = assignment(names, replicas, holders);
      const moves = [...answer].filter(([stack, to]) => holders.get(stack) !== to);
      for (const [stack, to] of moves.sort(() => world.random() - 0.5)) {
        // First it is let go, then it is taken.
        holders.delete(stack);
        assert.deepEqual([...assignment(names, replicas, holders)].sort(), [...answer].sort(), `seed 12, round ${round}, without ${stack}`);
        holders.set(stack, to);
        assert.deepEqual([...assignment(names, replicas, holders)].sort(), [...answer].sort(), `seed 12, round ${round}, with ${stack}`);
      }
    }
  });

  test("a new stack goes to one that has least, and a deleted one moves nothing unless it must", () => {
    const replicas = replicasOf(3);
    const held = assignment(stacksOf(12), replicas, NOBODY);
    const more = assignment(stacksOf(13), replicas, held);
    assert.equal(moved(held, more), 1);
    const fewer = assignment(stacksOf(11), replicas, held);
    assert.equal(moved(held, fewer), 0);
  });

  test("holders that are no replicas, or live no more, count for nothing", () => {
    const replicas = replicasOf(2);
    const assigned = assignment(
      stacksOf(4),
      replicas,
      new Map([
        ["app0/prod", "r9"],
        ["gone/prod", "r0"],
      ]),
    );
    assertEven(assigned, stacksOf(4), replicas, "with a stranger");
  });

  test("a replica that may hold one stack gets that one or none, and the others all that is left", () => {
    for (let stacks = 1; stacks <= 12; stacks++) {
      const replicas = [{ id: "only", only: "app0/prod" }, ...replicasOf(2)];
      const assigned = assignment(stacksOf(stacks), replicas, NOBODY);
      assert.equal(assigned.size, stacks, "none is left to nobody");
      for (const [stack, holder] of assigned) if (holder === "only") assert.equal(stack, "app0/prod");
    }
    assert.equal(assignment(stacksOf(3), [{ id: "only", only: "app1/prod" }], NOBODY).size, 1, "where it is alone, the rest waits");
  });

  test("a stack is held by a replica that watches its manifests, even where another held it", () => {
    const replicas = [...replicasOf(2), { id: "watching", watches: "app3/prod" }];
    const assigned = assignment(stacksOf(6), replicas, new Map([["app3/prod", "r0"]]));
    assert.equal(assigned.get("app3/prod"), "watching");
    assertEven(assigned, stacksOf(6), replicas, "the others make up for it");
    const two = [...replicas, { id: "watching too", watches: "app3/prod" }];
    const held = new Map(assigned).set("app3/prod", "watching too");
    assert.equal(assignment(stacksOf(6), two, held).get("app3/prod"), "watching too", "of several that watch, the holder keeps it");
  });
});

describe("watching a beat", () => {
  test("one that moves is as old as the look that saw it; one that does not keeps its time", () => {
    const first = watched(new Map(), new Map([["a", "1"]]), 1000);
    const second = watched(
      first,
      new Map([
        ["a", "1"],
        ["b", "7"],
      ]),
      5000,
    );
    assert.equal(stillMs(second.get("a") as never), 4000);
    assert.equal(stillMs(second.get("b") as never), 0, "seen for the first time: it may just have beaten");
    const third = watched(second, new Map([["a", "2"]]), 9000);
    assert.equal(stillMs(third.get("a") as never), 0);
    assert.ok(!third.has("b"), "what is gone is not watched");
  });

  test("time that nobody looked is no time that it stood still", () => {
    const pulses = watched(new Map(), new Map([["a", "1"]]), 1000);
    // A process that was frozen for a minute has seen nothing of it.
    assert.equal(stillMs(pulses.get("a") as never), 0);
    assert.equal(stillMs(watched(pulses, new Map([["a", "2"]]), 61_000).get("a") as never), 0);
  });
});
