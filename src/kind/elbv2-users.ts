/** Who uses a target group, for the person who waits until it can be deleted. */

import type { Listener } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Reader } from "../aws/service.ts";
import { elbv2, fullName, listenersOf, NOT_FOUND, PAGE } from "./elbv2.ts";
import { targetGroupsOf } from "./elbv2-actions.ts";
import { unlessNamed } from "./listing.ts";

/** The listener, or the rule, that sends requests to the group. */
export async function userOf(aws: Reader, arn: string): Promise<string | undefined> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeTargetGroups", { TargetGroupArns: [arn] }));
  const balancers = answer?.TargetGroups?.[0]?.LoadBalancerArns ?? [];
  const listeners = (await Promise.all(balancers.map((balancer) => listenersOf(aws, balancer)))).flat();
  const listener = listeners.find(({ DefaultActions }) => targetGroupsOf(DefaultActions).includes(arn));
  if (listener) return listenerText(listener);
  for (const { ListenerArn, ...rest } of listeners) {
    const rules = await unlessNamed(NOT_FOUND, aws.pages(elbv2, "DescribeRules", { ListenerArn, PageSize: PAGE }, "Rules"));
    const rule = rules?.find(({ Actions }) => targetGroupsOf(Actions).includes(arn));
    if (rule) return `rule ${rule.Priority} of ${listenerText(rest)}`;
  }
  return undefined;
}

/** `listener HTTPS 443 of load balancer web`. */
function listenerText({ Protocol, Port, LoadBalancerArn }: Listener): string {
  const [, name] = fullName(String(LoadBalancerArn)).split("/");
  return `listener ${Protocol} ${Port} of load balancer ${name}`;
}
