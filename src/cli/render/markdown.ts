/** A plan for a review: a table of what changes, and the plan itself folded below it. */

import type { Change, Plan } from "../../core/plan.ts";
import { stackName } from "../../core/resource.ts";
import { createStyle } from "../io.ts";
import type { MemberTexts } from "./member-texts.ts";
import { isEmptyPlan, type PlanFacts, planCounts, renderPlan } from "./plan.ts";
import { count } from "./table.ts";

/** GitHub-flavoured Markdown. */
export function renderMarkdown(plan: Plan, facts: PlanFacts, texts: MemberTexts): string {
  const title = `### ${stackName(facts.stack)} in ${facts.region}`;
  if (isEmptyPlan(plan)) return `${title}\n\nNo differences: AWS holds what the manifests say.`;
  const rows = plan.changes.filter((change) => change.action !== "none").map(tableRow);
  const whole = renderPlan(plan, facts, { style: createStyle(false), verbose: true, texts });
  return [
    title,
    "",
    `${planCounts(plan)} Plan \`${plan.digest}\`.`,
    "",
    "| Action | Resource | What differs |",
    "|---|---|---|",
    ...rows,
    "",
    "<details><summary>The whole plan</summary>",
    "",
    // A fence longer than any the plan may hold.
    `~~~~~~diff\n${whole}\n~~~~~~`,
    "",
    "</details>",
  ].join("\n");
}

function tableRow(change: Change): string {
  return `| ${change.action} | ${change.key} | ${whatDiffers(change).replaceAll("|", "\\|")} |`;
}

function whatDiffers({ blocked, desired, differences, action }: Change): string {
  if (blocked) return blocked.message;
  if (action === "create") return count(Object.keys(desired ?? {}).length, "field");
  return [...new Set(differences.map(({ path, cause }) => `\`${path}\` (${cause})`))].join(", ");
}
