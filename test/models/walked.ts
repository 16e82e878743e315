/** Kinds whose specs are gone through member by member beside AWS's own request (shapes.test.ts), instead of by rows (limits.test.ts). */

import type { KindId } from "../../src/core/resource.ts";

export type Walked = {
  /** The input of the create: `service.Shape`. */
  readonly shape: string;
  /** Where we differ from AWS's models, and why. */
  readonly but: readonly { readonly path: RegExp; readonly why: string }[];
};

const NAME = { path: /^\.(name|alarmName)$/, why: "BEACON derives a name where none is given" };

export const WALKED: Readonly<Record<KindId, Walked>> = {
  "wafv2.aws/v1 WebACL": {
    shape: "wafv2.CreateWebACLRequest",
    but: [
      NAME,
      { path: /^\.MonetizationConfig$|\.Monetize$/, why: "not supported" },
      { path: /\.searchString$/, why: "ByteMatchStatement: text here, and at most 200 bytes" },
      { path: /\.(and|or)Statement\.statements\.\*\.(RateBased|ManagedRuleGroup|RuleGroupReference)Statement$/, why: "not nestable" },
      { path: /\.scopeDownStatement\.(RateBased|ManagedRuleGroup|RuleGroupReference)Statement$/, why: "not nestable" },
      {
        path: /((and|or|not)Statement\.statements?(\.\*)?\.){3}(And|Or|Not)Statement$/,
        why: "three levels deep, in which every condition can be written",
      },
      { path: /\.awsManagedRulesAtpRuleSet\.loginPath$/, why: "as the other rule sets' paths: 1 to 256 characters" },
      { path: /\.challengeJavascriptSdkInjection/, why: "ChallengeJavascriptSdkInjection: 'only for CloudFront distributions'" },
      { path: /\.regexString$/, why: "a regex without its text is none" },
    ],
  },
  "cloudwatch.aws/v1 Alarm": {
    shape: "cloudwatch.PutMetricAlarmInput",
    but: [
      NAME,
      { path: /^\.alarmDescription$|\.(stat|label)$/, why: "not empty: AWS gives back none" },
      { path: /\.metric(\.namespace|\.metricName)?$/, why: "a metric has a namespace and a name" },
      { path: /^\.evaluationCriteria\.promQlCriteria$/, why: "the only criteria there are" },
    ],
  },
};
