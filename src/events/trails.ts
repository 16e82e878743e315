/** Whether AWS reports API calls at all: EventBridge hears of them only where a trail logs management events (EventBridge user guide). */

import { AwsError } from "../aws/errors.ts";
import type { Caller } from "../aws/handle.ts";
import type { Output } from "../aws/service.ts";
import { cloudTrailIn } from "./services.ts";

type Module = typeof import("@aws-sdk/client-cloudtrail");
type Trail = NonNullable<Output<Module, "DescribeTrails">["trailList"]>[number];
type Selectors = Output<Module, "GetEventSelectors">;

/** One region. `why` says what is in the way, where nothing is recorded. */
export type TrailFinding = { readonly region: string; readonly recorded: boolean; readonly why?: string };

/** Looks for a trail that logs calls that change something, in this region. */
export async function trailIn(aws: Caller, region: string): Promise<TrailFinding> {
  const cloudTrail = cloudTrailIn(region);
  const { trailList = [] } = await aws.call(cloudTrail, "DescribeTrails", { includeShadowTrails: true });
  const states = await Promise.all(trailList.map((trail) => stateOf(aws, region, trail)));
  if (states.includes("logs")) return { region, recorded: true };
  if (states.length === 0) return { region, recorded: false, why: "no trail" };
  return {
    region,
    recorded: false,
    why: states.includes("off") ? "a trail that is switched off" : "no trail with management write events",
  };
}

async function stateOf(aws: Caller, region: string, trail: Trail): Promise<"logs" | "off" | "others"> {
  const cloudTrail = cloudTrailIn(region);
  const name = trail.TrailARN ?? trail.Name ?? "";
  try {
    const { IsLogging } = await aws.call(cloudTrail, "GetTrailStatus", { Name: name });
    if (!IsLogging) return "off";
    if (!trail.HasCustomEventSelectors) return "logs";
    return logsWrites(await aws.call(cloudTrail, "GetEventSelectors", { TrailName: name })) ? "logs" : "others";
  } catch (error) {
    // An organization's trail belongs to another account, which alone may ask. It is there, and such trails log everything as a rule.
    if (trail.IsOrganizationTrail && error instanceof AwsError && error.verdict === "refused") return "logs";
    throw error;
  }
}

/** Whether the trail's selectors let management events through that change something. */
export function logsWrites({ EventSelectors = [], AdvancedEventSelectors = [] }: Omit<Selectors, "$metadata">): boolean {
  const basic = EventSelectors.some(
    ({ IncludeManagementEvents, ReadWriteType }) => IncludeManagementEvents !== false && ReadWriteType !== "ReadOnly",
  );
  const advanced = AdvancedEventSelectors.some(({ FieldSelectors = [] }) => {
    const category = FieldSelectors.find(({ Field }) => Field === "eventCategory");
    const readOnly = FieldSelectors.find(({ Field }) => Field === "readOnly");
    return category?.Equals?.includes("Management") === true && readOnly?.Equals?.includes("true") !== true;
  });
  return basic || advanced;
}
