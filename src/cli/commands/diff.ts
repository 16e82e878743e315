import type { Plan } from "../../core/plan.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { factsOf, lookAndPlan, planRequest, planView } from "../planning.ts";
import { renderDocument } from "../render/document-output.ts";
import { renderMarkdown } from "../render/markdown.ts";
import { isEmptyPlan, type PlanFacts, renderPlan } from "../render/plan.ts";
import { type Session, withLook } from "../session.ts";

type Options = SourceOptions & AwsOptions & { readonly refresh?: readonly string[]; readonly replace?: readonly string[] };

export default defineCommand<Options>({
  description: "Shows what an apply would change, field by field, and why. Looks at AWS each time and cannot write, by construction.",
  arguments: [{ syntax: "[resources...]", description: "only these, as KIND/NAME; an instance of a blueprint means what is inside" }],
  options: [
    ...sourceOptions,
    ...awsOptions,
    { flags: "--refresh <lookup>", description: "take AWS's newest answer to this lookup, by name or KIND/NAME", repeatable: true },
    { flags: "--replace <resource>", description: "plan a replacement of KIND/NAME", repeatable: true },
    outputOption("json", "yaml", "markdown"),
  ],
  examples: ["beaconctl diff -f manifests --env prod", "beaconctl diff sg/alb -v", "beaconctl diff -o markdown > review.md"],
  async run(invocation) {
    return withLook(invocation, { manifests: "required" }, async (session) => {
      const request = planRequest(invocation, session);
      const { plan, world } = await lookAndPlan(session, request);
      invocation.io.out(await show(invocation, session, plan, factsOf(session, world, plan)));
      return isEmptyPlan(plan) ? 0 : 1;
    });
  },
});

async function show(invocation: Invocation<Options>, session: Session, plan: Plan, facts: PlanFacts): Promise<string> {
  const { output } = invocation.options;
  const view = planView(invocation, session);
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
