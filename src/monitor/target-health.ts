/** The targets of a load balancer's target group: enough of them healthy. */

import type { TargetHealthDescription } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import { isNamed } from "../aws/errors.ts";
import { service } from "../aws/service.ts";
import { field } from "../core/field.ts";
import { defineCheck } from "./check.ts";

const elbv2 = service("elasticloadbalancing", "ElasticLoadBalancingV2Client", () => import("@aws-sdk/client-elastic-load-balancing-v2"));

/** Targets by state; absent where there is no such group. */
export type TargetStates = Readonly<Record<string, number>> | undefined;

const DEFAULT_MINIMUM = 1;

export const targetHealth = defineCheck({
  name: "targetHealth",
  doc: "Enough targets of a target group are healthy.",
  spec: z.strictObject({
    targetGroupArn: field(z.string(), { doc: "The group's ARN: `${targetGroup.main.targetGroupArn}`." }),
    minimumHealthyTargets: field(z.int().min(1).optional(), { doc: `How many must be healthy at least; ${DEFAULT_MINIMUM} by default.` }),
  }),
  operations: ["elasticloadbalancing:DescribeTargetHealth"],
  subject: ({ targetGroupArn }) => groupName(targetGroupArn),
  wanted: ({ minimumHealthyTargets = DEFAULT_MINIMUM }) => `at least ${minimumHealthyTargets}`,
  observe: async ({ reader }, { targetGroupArn }): Promise<TargetStates> => {
    try {
      const { TargetHealthDescriptions = [] } = await reader.read(elbv2, "DescribeTargetHealth", { TargetGroupArn: targetGroupArn });
      return countStates(TargetHealthDescriptions);
    } catch (error) {
      if (isNamed(error, ["TargetGroupNotFound"])) return undefined;
      throw error;
    }
  },
  judge: ({ minimumHealthyTargets = DEFAULT_MINIMUM }, states) => {
    if (!states) return { healthy: false, seen: "no such target group" };
    const { healthy = 0, ...others } = states;
    const rest = Object.entries(others).map(([state, number]) => `${number} ${state}`);
    const all = healthy + Object.values(others).reduce((sum, number) => sum + number, 0);
    const seen = all === 0 ? "no targets" : `${healthy} of ${all} healthy${rest.length > 0 ? ` (${rest.join(", ")})` : ""}`;
    return { healthy: healthy >= minimumHealthyTargets, seen };
  },
});

function countStates(targets: readonly TargetHealthDescription[]): Readonly<Record<string, number>> {
  const states = Map.groupBy(targets, ({ TargetHealth }) => TargetHealth?.State ?? "unknown");
  return Object.fromEntries([...states].map(([state, members]) => [state, members.length]));
}

/** `beacon-prod-backend-tg` of `arn:…:targetgroup/beacon-prod-backend-tg/73e2d6bc24d8a067`. */
function groupName(arn: string): string {
  return /:targetgroup\/([^/]+)\//.exec(arn)?.[1] ?? arn;
}
