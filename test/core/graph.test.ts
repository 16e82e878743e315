import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Graph, order, reach, reversed } from "../../src/core/graph.ts";

// Nodes 0 to 11 with any edges, circles and unknown needs among them.
const graphs: fc.Arbitrary<Graph> = fc
  .array(fc.array(fc.nat(13).map(String), { maxLength: 4 }), { maxLength: 12 })
  .map((needs) => new Map(needs.map((list, node) => [String(node), list])));

test("an order has every node once, after all it needs; a cycle is a real one", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const result = order(graph);
      if ("cycle" in result) {
        const { cycle } = result;
        assert.ok(cycle.length >= 2 && cycle[0] === cycle.at(-1), cycle.join(" -> "));
        for (const [index, node] of cycle.slice(1).entries()) {
          assert.ok(graph.get(cycle[index] as string)?.includes(node), `no edge to ${node}`);
        }
        return;
      }
      assert.deepEqual([...result.order].sort(), [...graph.keys()].sort());
      const place = new Map(result.order.map((node, index) => [node, index]));
      for (const [node, needs] of graph) {
        for (const need of needs) assert.ok((place.get(need) ?? -1) < (place.get(node) as number), `${node} comes before ${need}`);
      }
    }),
  );
});

test("nodes that need nothing stay in the graph's own order", () => {
  assert.deepEqual(
    order(
      new Map([
        ["c", []],
        ["a", ["b"]],
        ["b", []],
      ]),
    ),
    { order: ["c", "b", "a"] },
  );
});

test("a chain of 100 000 costs no stack", () => {
  const chain = new Map(Array.from({ length: 100_000 }, (_, node) => [String(node), [String(node + 1)]]));
  assert.equal((order(chain) as { order: readonly string[] }).order[0], "99999");
});

test("reversed says who needs a node, and reversing twice gives the edges back", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const edges = (of: Graph) => [...of].flatMap(([from, to]) => to.map((node) => `${from} ${node}`)).sort();
      assert.deepEqual(edges(reversed(reversed(graph))), edges(graph));
    }),
  );
});

test("reach holds the starts and everything they need, and nothing else", () => {
  const graph: Graph = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["a"]],
    ["d", ["a"]],
  ]);
  assert.deepEqual([...reach(graph, ["a"])].sort(), ["a", "b", "c"]);
});
