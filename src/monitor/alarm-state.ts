/** A CloudWatch alarm, metric or composite: not in ALARM. */

import type { StateValue } from "@aws-sdk/client-cloudwatch";
import { z } from "zod";
import { service } from "../aws/service.ts";
import { field } from "../core/field.ts";
import { defineCheck } from "./check.ts";

const cloudwatch = service("cloudwatch", "CloudWatchClient", () => import("@aws-sdk/client-cloudwatch"));

export const alarmState = defineCheck({
  name: "alarmState",
  doc: "A CloudWatch alarm, metric or composite, is not in ALARM.",
  spec: z.strictObject({
    alarmName: field(z.string().min(1).max(255), { doc: "The alarm's name: `${alarm.cpu.alarmName}`." }),
  }),
  operations: ["cloudwatch:DescribeAlarms"],
  subject: ({ alarmName }) => alarmName,
  wanted: () => "not ALARM",
  observe: async ({ reader }, { alarmName }): Promise<StateValue | undefined> => {
    const request = { AlarmNames: [alarmName], AlarmTypes: ["MetricAlarm" as const, "CompositeAlarm" as const] };
    const { MetricAlarms = [], CompositeAlarms = [] } = await reader.read(cloudwatch, "DescribeAlarms", request);
    return [...MetricAlarms, ...CompositeAlarms][0]?.StateValue;
  },
  // An alarm without data yet is no alarm: its own treatMissingData says what silence means.
  judge: (_spec, state) => (state === undefined ? { healthy: false, seen: "no such alarm" } : { healthy: state !== "ALARM", seen: state }),
});
