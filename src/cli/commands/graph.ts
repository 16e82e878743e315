import type { CompiledStack } from "../../core/compiled.ts";
import type { ResourceKey } from "../../core/resource.ts";
import { defineCommand } from "../command.ts";
import { compileManifests } from "../manifests.ts";
import { outputOption, type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";

/** What needs what; `field` is the spec field whose expression says so. */
type Edge = { readonly from: ResourceKey; readonly to: ResourceKey; readonly field?: string };

export default defineCommand<SourceOptions & SandboxOptions>({
  description: "Prints what depends on what: text with one resource a line, or dot for Graphviz. Offline.",
  options: [...sourceOptions, ...sandboxOptions, outputOption("text", "dot", "json")],
  examples: ["beaconctl graph --env prod", "beaconctl graph -o dot | dot -Tsvg > graph.svg"],
  async run(invocation) {
    const { io, options } = invocation;
    const compiled = await compileManifests(invocation);
    if (options.output === "dot") io.out(dot(compiled));
    else if (options.output === "json") io.out(await renderDocument({ resources: keysOf(compiled), edges: edgesOf(compiled) }, "json"));
    else io.out(text(compiled));
    return 0;
  },
});

function keysOf(compiled: CompiledStack): readonly ResourceKey[] {
  return [...compiled.lookups, ...compiled.resources].map(({ key }) => key);
}

function edgesOf(compiled: CompiledStack): readonly Edge[] {
  return compiled.resources.flatMap(({ key, dependencies }) =>
    dependencies.map(({ on, field }) => ({ from: key, to: on, ...(field === undefined ? {} : { field }) })),
  );
}

function text(compiled: CompiledStack): string {
  const edges = edgesOf(compiled);
  const lines = keysOf(compiled).map((key) => {
    const needs = edges.filter(({ from }) => from === key).map(({ to, field }) => (field === undefined ? to : `${to} (${field})`));
    return needs.length === 0 ? key : `${key}\n${needs.map((need) => `  └ ${need}`).join("\n")}`;
  });
  return lines.join("\n");
}

function dot(compiled: CompiledStack): string {
  const nodes = keysOf(compiled).map((key) => `  ${JSON.stringify(key)};`);
  const edges = edgesOf(compiled).map(({ from, to, field }) => {
    const label = field === undefined ? "" : ` [label=${JSON.stringify(field)}]`;
    return `  ${JSON.stringify(from)} -> ${JSON.stringify(to)}${label};`;
  });
  return ["digraph beacon {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];", ...nodes, ...edges, "}"].join("\n");
}
