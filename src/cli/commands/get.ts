import { stackName } from "../../core/resource.ts";
import type { World } from "../../engine/types.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { renderTable } from "../render/table.ts";
import { managedKinds, selectKeys } from "../resources.ts";
import { type Session, type StackOptions, stackOption, targetOf, withLook } from "../session.ts";
import { type ResourceView, viewOf } from "../view.ts";

type Options = SourceOptions & AwsOptions & StackOptions;

export default defineCommand<Options>({
  description:
    "Lists resources as they are at AWS now. `orphans` are objects with our tags that no record and no manifest names; `stacks` what the state table knows.",
  arguments: [
    { syntax: "[what...]", description: "KIND, KIND/NAME (of an instance: what is inside), all (the default), orphans or stacks" },
  ],
  options: [...sourceOptions, stackOption, ...awsOptions, outputOption("json", "yaml", "name", "wide")],
  examples: ["beaconctl get --env prod", "beaconctl get sg subnets -o wide", "beaconctl get orphans", "beaconctl get stacks -o name"],
  async run(invocation) {
    const [what] = invocation.args;
    if (what === "stacks") return getStacks(invocation);
    return withLook(invocation, { manifests: "optional" }, async (session) => {
      const { observe } = await import("../../engine/engine.ts");
      const orphans = what === "orphans";
      const world = await observe(session.context, session.compiled, orphans ? { kinds: managedKinds(session.context.kinds) } : {});
      const text = orphans ? await showOrphans(invocation, world) : await showResources(invocation, session, world);
      if (text !== "") invocation.io.out(text);
      return 0;
    });
  },
});

async function getStacks(invocation: Invocation<Options>): Promise<0> {
  const { io, options, services } = invocation;
  const way = await services.look(targetOf(invocation));
  try {
    const names = (await way.store.stacks()).map(stackName);
    if (options.output === "json" || options.output === "yaml") io.out(await renderDocument(names, options.output));
    else if (options.output === "name") io.out(names.join("\n"));
    else
      io.out(
        names.length > 0
          ? renderTable(
              ["STACK", "REGION", "ACCOUNT"],
              names.map((name) => [name, way.region, way.accountId]),
            )
          : "No stacks.",
      );
    return 0;
  } finally {
    await way.close();
  }
}

async function showResources({ args, options, io }: Invocation<Options>, session: Session, world: World): Promise<string> {
  const { kinds } = session.context;
  const resources = session.compiled?.resources ?? [];
  const declared = resources.map(({ key }) => key);
  const words = args.filter((word) => word !== "all");
  const keys = selectKeys(kinds, new Set([...world.state.records.keys(), ...declared]), words, resources);
  const { makePlan } = await import("../../engine/engine.ts");
  const plan = session.compiled ? makePlan(session.context, world, {}) : undefined;
  const views = keys.map((key) => viewOf(key, world, { kinds, plan }));
  switch (options.output) {
    case "json":
    case "yaml":
      return renderDocument(words.length === 1 && words[0]?.includes("/") ? views[0] : { kind: "List", items: views }, options.output);
    case "name":
      return views.map((view) => view.key).join("\n");
    default:
      if (views.length === 0) io.err(io.errStyle.dim(`No resources in ${stackName(session.context.stack)}.`));
      return views.length === 0 ? "" : resourceTable(views, options.output === "wide");
  }
}

function resourceTable(views: readonly ResourceView[], wide: boolean): string {
  const headings = ["NAME", "STATUS", "ID", ...(wide ? ["GENERATION", "UID", "LIFECYCLE", "MESSAGE"] : [])];
  const rows = views.map(({ key, status, metadata, lifecycle }) => [
    key,
    status.ready ? "Ready" : status.reason,
    status.id ?? "",
    ...(wide ? [String(metadata.generation ?? ""), metadata.uid ?? "", lifecycle?.deletion ?? "", status.message] : []),
  ]);
  return renderTable(headings, rows);
}

async function showOrphans({ options, io }: Invocation<Options>, world: World): Promise<string> {
  const { orphans } = world;
  if (options.output === "json" || options.output === "yaml") return renderDocument(orphans, options.output);
  if (options.output === "name") return orphans.map(({ key }) => key).join("\n");
  if (orphans.length === 0) io.err(io.errStyle.dim("No orphans: every object with this stack's tags has a record or a manifest."));
  return orphans.length === 0
    ? ""
    : renderTable(
        ["NAME", "ID", "KIND"],
        orphans.map(({ key, remote, kind }) => [key, remote.id, kind]),
      );
}
