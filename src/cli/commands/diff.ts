import { BeaconError } from "../../core/errors.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { pastRevision } from "../past.ts";
import { factsOf, lookAndPlan, planRequest, planView } from "../planning.ts";
import { renderDocument } from "../render/document-output.ts";
import { renderMarkdown } from "../render/markdown.ts";
import { isEmptyPlan, type PlanView, renderPlan } from "../render/plan.ts";
import type { Seen } from "../run.ts";
import { type Session, type StackOptions, stackOption, withLook } from "../session.ts";

type Options = SourceOptions &
  AwsOptions &
  StackOptions & { readonly refresh?: readonly string[]; readonly replace?: readonly string[]; readonly revision?: string };

export default defineCommand<Options>({
  description: "Shows what an apply would change, field by field, and why. Looks at AWS each time and cannot write, by construction.",
  arguments: [{ syntax: "[resources...]", description: "only these, as KIND/NAME; an instance of a blueprint means what is inside" }],
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    { flags: "--refresh <lookup>", description: "take AWS's newest answer to this lookup, by name or KIND/NAME", repeatable: true },
    { flags: "--replace <resource>", description: "plan a replacement of KIND/NAME", repeatable: true },
    { flags: "--revision <number>", description: "against this revision instead of the manifests: what beaconctl rollback would change" },
    outputOption("json", "yaml", "markdown"),
  ],
  examples: [
    "beaconctl diff -f manifests --env prod",
    "beaconctl diff sg/alb -v",
    "beaconctl diff -o markdown > review.md",
    "beaconctl diff --revision 6 --env prod",
  ],
  async run(invocation) {
    const { revision, stack } = invocation.options;
    if (revision === undefined && stack !== undefined)
      throw new BeaconError("UsageInvalid", "without --revision the manifests say which stack it is", { next: "leave --stack out" });
    return withLook(invocation, { manifests: revision === undefined ? "required" : "optional" }, async (opened) => {
      const past = revision === undefined ? undefined : await pastRevision(opened, revision);
      const session = past ? { ...opened, compiled: past.compiled } : opened;
      const request = { ...planRequest(invocation, session), ...(past ? { pins: past.revision.pins } : {}) };
      const seen = await lookAndPlan(session, request);
      invocation.io.out(await show(invocation, session, seen));
      return isEmptyPlan(seen.plan) ? 0 : 1;
    });
  },
});

async function show(invocation: Invocation<Options>, session: Session, { plan, world }: Seen): Promise<string> {
  const { output, revision } = invocation.options;
  const facts = factsOf(session, world, plan);
  const view: PlanView = { ...planView(invocation, session, world), verb: revision === undefined ? "apply" : "rollback" };
  switch (output) {
    case "json":
    case "yaml":
      return renderDocument({ ...facts, ...plan }, output);
    case "markdown":
      return renderMarkdown(plan, facts, view.texts);
    default:
      return renderPlan(plan, facts, view);
  }
}
