/** The part of cel-js's syntax tree that is read here: its own types hide the type that the checker leaves on each node. */

/** A checker's type, as cel-js has it. */
export type DeclaredType = {
  readonly kind: string;
  readonly name: string;
  readonly keyType?: DeclaredType;
  readonly valueType?: DeclaredType;
};

/** A node; which arguments it has follows from `op`. */
export type Ast = {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly pos: number;
  readonly checkedType?: DeclaredType;
};

/** The nodes directly below. */
export function children(node: Ast): readonly Ast[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [(node.args as [Ast, string])[0]];
    case "call":
      return (node.args as [string, Ast[]])[1];
    case "rcall": {
      const [, receiver, args] = node.args as [string, Ast, Ast[]];
      return [receiver, ...args];
    }
    case "map":
      return (node.args as [Ast, Ast][]).flat();
    case "!_":
    case "-_":
      return [node.args as Ast];
    default:
      return node.args as Ast[];
  }
}

/** One step of `a.b["c"].?d`: a member by name, or by an index that must be evaluated. */
export type Step = { readonly node: Ast; readonly optional: boolean; readonly name?: string; readonly index?: Ast };

/** A chain of accesses down to a name: `vpc.main.vpcId` is `vpc` with two steps. Undefined when it does not begin with a name. */
export function chainOf(node: Ast): { readonly root: string; readonly steps: readonly Step[] } | undefined {
  const steps: Step[] = [];
  let current = node;
  while (current.op === "." || current.op === ".?" || current.op === "[]" || current.op === "[?]") {
    steps.unshift(stepOf(current));
    current = (current.args as [Ast, unknown])[0];
  }
  return current.op === "id" ? { root: current.args as string, steps } : undefined;
}

function stepOf(node: Ast): Step {
  const optional = node.op.includes("?");
  const [, argument] = node.args as [Ast, string | Ast];
  if (typeof argument === "string") return { node, optional, name: argument };
  if (argument.op === "value" && typeof argument.args === "string") return { node, optional, name: argument.args };
  return { node, optional, index: argument };
}

// The macros that bind names for some of their arguments: which arguments are the names, and the first that sees them.
const BINDERS: Readonly<Record<string, { readonly names: readonly number[]; readonly sees: number }>> = {
  map: { names: [0], sees: 1 },
  filter: { names: [0], sees: 1 },
  all: { names: [0], sees: 1 },
  exists: { names: [0], sees: 1 },
  exists_one: { names: [0], sees: 1 },
  bind: { names: [0], sees: 2 },
  mapValues: { names: [1], sees: 2 },
  transformMap: { names: [0, 1], sees: 2 },
};

/** A condition that decides whether a part of an expression is evaluated at all: its text, and the value it must have. */
export type Condition = { readonly text: string; readonly wanted: boolean };

/** What surrounds a node: the names that macros bind there, and the conditions it stands under. */
export type Around = { readonly bound: ReadonlySet<string>; readonly conditions: readonly Condition[] };

const NOTHING_AROUND: Around = { bound: new Set(), conditions: [] };

/** Calls `see` for every node of `text`'s tree, from the top. Returning false leaves out what is below. */
export function walk(text: string, node: Ast, see: (node: Ast, around: Around) => boolean, around: Around = NOTHING_AROUND): void {
  if (!see(node, around)) return;
  const below = children(node);
  const binding = bindingOf(node, below);
  const inner = binding && { ...around, bound: new Set([...around.bound, ...binding.variables]) };
  for (const [index, child] of below.entries()) {
    if (binding?.at.includes(index)) continue;
    const scope = inner && index >= binding.sees ? inner : around;
    walk(text, child, see, { ...scope, conditions: [...scope.conditions, ...conditionsOf(text, node, below, index)] });
  }
}

type Binding = { readonly variables: readonly string[]; readonly at: readonly number[]; readonly sees: number };

/** The names that a macro binds, where they stand among the node's children, and the first child that sees them. */
function bindingOf(node: Ast, below: readonly Ast[]): Binding | undefined {
  if (node.op !== "call" && node.op !== "rcall") return undefined;
  const binder = BINDERS[(node.args as [string])[0]];
  // A receiver stands before the arguments.
  const shift = node.op === "rcall" ? 1 : 0;
  const at = binder?.names.map((name) => name + shift) ?? [];
  const variables = at.map((index) => below[index]).filter((child) => child?.op === "id");
  if (!binder || variables.length < at.length) return undefined;
  return { variables: variables.map((child) => child?.args as string), at, sees: binder.sees + shift };
}

/** The condition under which the child at `index` is evaluated, if the node is `?:`, `&&` or `||`. */
function conditionsOf(text: string, node: Ast, below: readonly Ast[], index: number): readonly Condition[] {
  const [first] = below;
  if (index === 0 || !first) return [];
  const condition = text.slice(first.start, first.end);
  if (node.op === "?:") return [{ text: condition, wanted: index === 1 }];
  return node.op === "&&" || node.op === "||" ? [{ text: condition, wanted: node.op === "&&" }] : [];
}
