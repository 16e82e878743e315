/** The dependency graph: orders, cycles and reach. Nodes are strings; an edge points from a node to what it needs. */

/** What each node needs. A needed node that has no entry of its own counts as having no needs. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Nodes in an order in which everything comes after what it needs, or one cycle, as the path that closes it. */
export type Order = { readonly order: readonly string[] } | { readonly cycle: readonly string[] };

/** Stable: nodes come out in the graph's own order wherever their needs allow it. Iterative, so that depth costs no stack. */
export function order(graph: Graph): Order {
  const done = new Set<string>();
  const result: string[] = [];
  for (const start of graph.keys()) {
    const cycle = visit(graph, start, done, result);
    if (cycle) return { cycle };
  }
  return { order: result };
}

function visit(graph: Graph, start: string, done: Set<string>, result: string[]): readonly string[] | undefined {
  const path: { node: string; next: number }[] = [];
  const open = new Set<string>();
  const enter = (node: string) => {
    path.push({ node, next: 0 });
    open.add(node);
  };
  if (!done.has(start)) enter(start);
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const need = (graph.get(top.node) ?? [])[top.next++];
    if (need === undefined) {
      path.pop();
      open.delete(top.node);
      done.add(top.node);
      if (graph.has(top.node)) result.push(top.node);
    } else if (open.has(need)) {
      const nodes = path.map((step) => step.node);
      return [...nodes.slice(nodes.indexOf(need)), need];
    } else if (!done.has(need)) enter(need);
  }
  return undefined;
}

/** The same edges the other way round: who needs a node. */
export function reversed(graph: Graph): Map<string, string[]> {
  const result = new Map<string, string[]>([...graph.keys()].map((node) => [node, []]));
  for (const [node, needs] of graph) {
    for (const need of needs) {
      const users = result.get(need);
      if (users) users.push(node);
      else result.set(need, [node]);
    }
  }
  return result;
}

/** The starting nodes and everything they need, directly or not. */
export function reach(graph: Graph, starts: Iterable<string>): Set<string> {
  const found = new Set<string>(starts);
  // A Set's iterator visits members that are added on the way.
  for (const node of found) for (const need of graph.get(node) ?? []) found.add(need);
  return found;
}
