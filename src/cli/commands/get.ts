import { formatDistance } from "../../core/duration.ts";
import { BeaconError } from "../../core/errors.ts";
import { type ResourceKey, stackName } from "../../core/resource.ts";
import type { World } from "../../engine/types.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { pastRevision } from "../past.ts";
import { lookAndPlan } from "../planning.ts";
import { renderDocument } from "../render/document-output.ts";
import { renderTable } from "../render/table.ts";
import { standingNotes } from "../requests.ts";
import { managedKinds, selectKeys } from "../resources.ts";
import { type Session, type StackOptions, stackOption, targetOf, withLook } from "../session.ts";
import { stackViews } from "../stacks.ts";
import { type ResourceView, viewOf } from "../view.ts";
import { watchResources } from "../watch.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly watch?: true };

export default defineCommand<Options>({
  description:
    "Lists resources as they are at AWS now. `orphans` are objects with our tags that no record and no manifest names; `stacks` what the state table knows. -o manifest writes live values as manifests, to take a drift into them. -w follows what the state tells, without looking at AWS.",
  arguments: [
    { syntax: "[what...]", description: "KIND, KIND/NAME (of an instance: what is inside), all (the default), orphans or stacks" },
  ],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    { flags: "-w, --watch", description: "follow, until interrupted" },
    outputOption("json", "yaml", "name", "wide", "manifest"),
  ],
  examples: [
    "beaconctl get --env prod",
    "beaconctl get sg subnets -o wide",
    "beaconctl get orphans",
    "beaconctl get stacks -o name",
    "beaconctl get sg/alb -o manifest --env prod",
    "beaconctl get -w --env prod",
  ],
  async run(invocation) {
    const { args, options, io } = invocation;
    const [what] = args;
    requirePossible(what, options);
    if (what === "stacks") return getStacks(invocation);
    return withLook(invocation, { manifests: "optional" }, async (session) => {
      if (options.watch) return watch(invocation, session);
      if (options.output === "manifest") return showManifests(invocation, session);
      const { observe } = await import("../../engine/engine.ts");
      const orphans = what === "orphans";
      const world = await observe(session.context, session.compiled, orphans ? { kinds: managedKinds(session.context.kinds) } : {});
      const text = orphans ? await showOrphans(invocation, world) : await showResources(invocation, session, world);
      if (text !== "") io.out(text);
      return 0;
    });
  },
});

function requirePossible(what: string | undefined, { watch: follows, output }: Options & { readonly output?: string }): void {
  const isList = what === "stacks" || what === "orphans";
  if (output === "manifest" && isList) throw new BeaconError("UsageInvalid", `${what} are no manifests`);
  if (follows && (isList || output === "manifest" || output === "yaml" || output === "name"))
    throw new BeaconError("UsageInvalid", "-w follows resources, as a table or with -o json, one a line");
}

async function getStacks(invocation: Invocation<Options>): Promise<0> {
  const { io, options, services } = invocation;
  const way = await services.look(targetOf(invocation));
  try {
    const views = await stackViews(way.store);
    if (options.output === "json" || options.output === "yaml") io.out(await renderDocument(views, options.output));
    else if (options.output === "name") io.out(views.map(({ name }) => name).join("\n"));
    else if (views.length === 0) io.out("No stacks.");
    else {
      const rows = views.map(({ name, phase = "", revision, holder = "", message = "" }) => {
        const [line = ""] = message.split("\n");
        return [name, phase, String(revision ?? ""), holder, way.region, way.accountId, line];
      });
      io.out(renderTable(["STACK", "PHASE", "REVISION", "HOLDER", "REGION", "ACCOUNT", "MESSAGE"], rows));
    }
    return 0;
  } finally {
    await way.close();
  }
}

/** The keys that the words mean; all where none is given. */
function keysOf({ args }: Invocation<Options>, { context, compiled }: Session, recorded: Iterable<ResourceKey>): readonly ResourceKey[] {
  const resources = compiled?.resources ?? [];
  const words = args.filter((word) => word !== "all");
  return selectKeys(context.kinds, new Set([...recorded, ...resources.map(({ key }) => key)]), words, resources);
}

async function showResources(invocation: Invocation<Options>, session: Session, world: World): Promise<string> {
  const { args, options, io } = invocation;
  const { kinds, runtime } = session.context;
  const words = args.filter((word) => word !== "all");
  const keys = keysOf(invocation, session, world.state.records.keys());
  const { makePlan } = await import("../../engine/engine.ts");
  const plan = session.compiled ? makePlan(session.context, world, {}) : undefined;
  const now = runtime.now();
  const views = keys.map((key) => viewOf(key, world, { kinds, plan, now }));
  switch (options.output) {
    case "json":
    case "yaml":
      return renderDocument(words.length === 1 && words[0]?.includes("/") ? views[0] : { kind: "List", items: views }, options.output);
    case "name":
      return views.map((view) => view.key).join("\n");
    default:
      for (const note of standingNotes(world.state, now)) io.err(io.errStyle.yellow(note));
      if (views.length === 0) io.err(io.errStyle.dim(`No resources in ${stackName(session.context.stack)}.`));
      return views.length === 0 ? "" : resourceTable(views, options.output === "wide", now);
  }
}

function resourceTable(views: readonly ResourceView[], wide: boolean, now: number): string {
  const checked = views.some(({ status }) => status.checkedAt !== undefined);
  const headings = [
    ...["NAME", "STATUS", "ID"],
    ...(checked ? ["CHECKED", "NEXT"] : []),
    ...(wide ? ["GENERATION", "UID", "LIFECYCLE", "MESSAGE"] : []),
  ];
  const rows = views.map(({ key, status, paused, metadata, lifecycle }) => [
    ...[key, statusText({ status, ...(paused ? { paused } : {}) }), status.id ?? ""],
    ...(checked ? [distance(status.checkedAt, now), distance(status.nextCheckAt, now)] : []),
    ...(wide ? [String(metadata.generation ?? ""), metadata.uid ?? "", lifecycle?.deletion ?? "", status.message] : []),
  ]);
  return renderTable(headings, rows);
}

function distance(at: string | undefined, now: number): string {
  return at === undefined ? "" : formatDistance(at, now);
}

function statusText({ status, paused }: Pick<ResourceView, "status" | "paused">): string {
  const state = !status.ready ? status.reason : status.drift ? "Drifted" : "Ready";
  return paused ? `${state}, paused` : state;
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

/** Live values as manifests: of those at hand, else of what was accepted. */
async function showManifests(invocation: Invocation<Options>, opened: Session): Promise<0> {
  const { io } = invocation;
  const session = opened.compiled ? opened : { ...opened, compiled: await acceptedStack(opened) };
  const { compiled, context } = session;
  const { world, plan } = await lookAndPlan(session, { options: {}, refresh: [] });
  const { liveDocument } = await import("../live-manifest.ts");
  const texts: string[] = [];
  for (const key of keysOf(invocation, session, [])) {
    const live = compiled && liveDocument(key, { compiled, world, plan, kinds: context.kinds });
    if (!live) io.err(io.errStyle.dim(`${key} has no object at AWS`));
    else texts.push([...live.comments.map((line) => `# ${line}`), await renderDocument(live.document, "yaml")].join("\n"));
  }
  if (texts.length > 0) io.out(texts.join("\n---\n"));
  return 0;
}

async function acceptedStack(session: Session): Promise<NonNullable<Session["compiled"]>> {
  const { store, stack } = session.context;
  const { revision } = await store.news(stack);
  if (!revision) throw new BeaconError("StackUnknown", `${stackName(stack)} has not been applied yet`, { next: "beaconctl apply" });
  return (await pastRevision(session, String(revision.number))).compiled;
}

// Ends with the process: the first SIGINT stops it, as nothing is open.
async function watch(invocation: Invocation<Options>, session: Session): Promise<0> {
  const { io, options } = invocation;
  const { store, stack, runtime, kinds } = session.context;
  const first = await store.load(stack);
  const wanted = invocation.args.some((word) => word !== "all") ? new Set(keysOf(invocation, session, first.records.keys())) : undefined;
  await watchResources({
    ...{ store, stack, runtime, kinds },
    isWanted: (key) => !wanted || wanted.has(key),
    say: (line) => io.err(io.errStyle.dim(line)),
    show: (views, gone) => {
      const json = [...views, ...gone.map((key) => ({ key, status: { ready: false, reason: "Gone" } }))];
      if (options.output === "json") return io.out(json.map((view) => JSON.stringify(view)).join("\n"));
      const rows = views.map(({ key, status, paused, metadata }) => {
        const state = statusText({ status, ...(paused ? { paused } : {}) });
        const message = status.ready && !status.drift ? "" : status.message;
        return [key, state, status.id ?? "", ...(options.output === "wide" ? [String(metadata.generation ?? "")] : []), message];
      });
      io.out(watchTable([...rows, ...gone.map((key) => [key, "Gone"])]));
    },
  });
  return 0;
}

// Of one width, so that what comes later stands below what came first.
const WATCH_WIDTHS = [40, 16, 24];

function watchTable(rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(WATCH_WIDTHS[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
