import { BeaconError } from "../../core/errors.ts";
import type { StackEvent } from "../../core/record.ts";
import type { World } from "../../engine/types.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { lookAndPlan, planView } from "../planning.ts";
import { type Description, renderDescription } from "../render/description.ts";
import { renderDocument } from "../render/document-output.ts";
import { standingNotes } from "../requests.ts";
import { findKey } from "../resources.ts";
import { type Session, type StackOptions, stackOption, withLook } from "../session.ts";
import { viewOf } from "../view.ts";

type Options = SourceOptions & AwsOptions & StackOptions;

// One screen of history; `beaconctl events` has the rest.
const EVENTS_MAX = 10;

export default defineCommand<Options>({
  description: "Shows one resource: spec, status, conditions, last events, what differs and why, and what it is tied to.",
  arguments: [{ syntax: "<resource>", description: "KIND/NAME; short names work, as in sg/alb" }],
  options: [...sourceOptions, stackOption, ...awsOptions, outputOption("json", "yaml")],
  examples: ["beaconctl describe sg/alb --env prod", "beaconctl describe VPC/main -o yaml"],
  async run(invocation) {
    return withLook(invocation, { manifests: "optional" }, async (session) => {
      const { io, options } = invocation;
      const { description, world } = await describe(invocation, session);
      const { output } = options;
      if (output === "json" || output === "yaml") io.out(await renderDocument(description, output));
      else io.out(renderDescription(description, planView(invocation, session, world)));
      return 0;
    });
  },
});

async function describe({ args }: Invocation<Options>, session: Session): Promise<{ description: Description; world: World }> {
  const { kinds, stack, store } = session.context;
  // Without manifests there is nothing to compare with: the records and AWS tell the rest.
  const { world, plan } = session.compiled
    ? await lookAndPlan(session, { options: {}, refresh: [] })
    : { world: await (await import("../../engine/engine.ts")).observe(session.context, undefined), plan: undefined };
  const declared = session.compiled?.resources ?? [];
  const known = new Set([...world.state.records.keys(), ...declared.map(({ key }) => key)]);
  const word = args[0];
  if (word === undefined) throw new BeaconError("UsageInvalid", "describe needs KIND/NAME");
  const key = findKey(kinds, known, word);
  const records = [...world.state.records.values()];
  const resource = declared.find((candidate) => candidate.key === key);
  const change = plan?.changes.find((candidate) => candidate.key === key);
  const events: readonly StackEvent[] = await store.events(stack, { resource: key, limit: EVENTS_MAX });
  const now = session.context.runtime.now();
  const { requests, status } = world.state;
  const own = requests.filter((request) => request.type !== "pause" || request.target === "*" || request.target === key);
  const description: Description = {
    ...viewOf(key, world, { kinds, plan, now }),
    notes: standingNotes({ requests: own, ...(status ? { status } : {}) }, now),
    ...(resource ? { declaredAt: resource.declaredAt, ...(resource.within ? { within: resource.within } : {}) } : {}),
    ...(change ? { change } : {}),
    events,
    dependsOn: [...new Set(resource ? resource.dependencies.map(({ on }) => on) : (world.state.records.get(key)?.dependencies ?? []))],
    neededBy: [
      ...new Set([
        ...records.filter(({ dependencies }) => dependencies.includes(key)).map((record) => record.key),
        ...declared.filter(({ dependencies }) => dependencies.some(({ on }) => on === key)).map((candidate) => candidate.key),
      ]),
    ],
  };
  return { description, world };
}
