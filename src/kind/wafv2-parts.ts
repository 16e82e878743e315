/** Schemas that WAF rules, their statements and web ACLs have in common. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { optional } from "./schemas.ts";

/** The characters of names of rules, rule groups and response bodies (WAFV2 API Reference, EntityName). */
export const entityName = () =>
  z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\w-]+$/);

/** The ARN of what a rule or an association refers to (WAFV2 API Reference, ResourceArn). */
export const resourceArn = () =>
  z
    .string()
    .min(20)
    .max(2048)
    .regex(/^arn:.*$/, "must be an ARN");

/** A label, or a part of one. */
export const labelText = () =>
  z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[0-9A-Za-z_\-:]+$/);

/** Something that is either there or not, and holds nothing: `allow: {}`. */
export function marker(doc: string) {
  return optional(z.strictObject({}), doc);
}

// A schema that stands in several places is made anew for each: its metadata belongs to the place.

// WAF has a list of names and values.
const headers = () =>
  z
    .record(
      z
        .string()
        .min(1)
        .max(64)
        .regex(/^[a-zA-Z0-9._$-]+$/),
      z.string().min(1).max(255).regex(/^.*$/),
    )
    .refine((found) => Object.keys(found).length > 0, "must have at least one header");

const customRequestHandling = optional(
  z.strictObject({ insertHeaders: field(headers(), { doc: "Headers and their values; WAF puts x-amzn-waf- before the names." }) }),
  "Headers that the request gets on its way.",
);

const passing = z.strictObject({ customRequestHandling });

const blocking = z.strictObject({
  customResponse: optional(
    z.strictObject({
      responseCode: field(z.int().min(200).max(599), { doc: "The HTTP status." }),
      customResponseBodyKey: optional(entityName(), "The body, by its name in `customResponseBodies`."),
      responseHeaders: optional(headers(), "Headers and their values."),
    }),
    "An answer other than 403.",
  ),
});

/** What becomes of a request that no rule ended: one of these. */
export const defaultAction = z.strictObject({
  allow: optional(passing, "It passes."),
  block: optional(blocking, "It is refused."),
});

/** What becomes of a request that matches: one of these. */
export const ruleAction = () =>
  z.strictObject({
    allow: optional(passing, "It passes, and no other rule looks at it."),
    block: optional(blocking, "It is refused."),
    count: optional(passing, "It is counted, and the next rule looks at it."),
    captcha: optional(passing, "Its sender has to solve a puzzle."),
    challenge: optional(passing, "Its sender's browser has to prove that it is one."),
  });

/** What becomes of the result of a rule group: one of these. */
export const overrideAction = z.strictObject({
  none: marker("It counts as it is."),
  count: optional(passing, "Requests are counted only."),
});

/** How long a solved puzzle or challenge holds, in seconds. */
export const immunity = z.strictObject({
  immunityTimeProperty: optional(
    z.strictObject({ immunityTime: field(z.int().min(60).max(259_200), { doc: "The time in seconds." }) }),
    "How long a token holds.",
  ),
});

/** What CloudWatch is told, and what is kept for a look. */
export const visibilityConfig = () =>
  z.strictObject({
    cloudWatchMetricsEnabled: field(z.boolean(), { doc: "Whether CloudWatch gets metrics." }),
    metricName: field(
      z
        .string()
        .min(1)
        .max(255)
        .regex(/^[\w#:.\-/]+$/),
      { doc: "The metric's name." },
    ),
    sampledRequestsEnabled: field(z.boolean(), { doc: "Whether samples of matching requests are kept." }),
  });

/** Bodies of answers, by name. */
export const customResponseBodies = z.record(
  entityName(),
  z.strictObject({
    contentType: field(z.enum(["TEXT_PLAIN", "TEXT_HTML", "APPLICATION_JSON"]), { doc: "What it is." }),
    content: field(z.string().min(1).max(10_240), { doc: "The body." }),
  }),
);

const bodyLimit = (doc: string) =>
  optional(z.strictObject({ defaultSizeInspectionLimit: field(z.enum(["KB_16", "KB_32", "KB_48", "KB_64"]), { doc: "How much." }) }), doc);

/** How much of a body is inspected, and what CloudFront adds to pages. */
export const associationConfig = z.strictObject({
  requestBody: optional(
    z.strictObject({
      API_GATEWAY: bodyLimit("Of API Gateway's REST APIs."),
      APP_RUNNER_SERVICE: bodyLimit("Of App Runner's services."),
      CLOUDFRONT: bodyLimit("Of CloudFront's distributions."),
      COGNITO_USER_POOL: bodyLimit("Of Cognito's user pools."),
      VERIFIED_ACCESS_INSTANCE: bodyLimit("Of Verified Access's instances."),
      AGENTCORE_GATEWAY: bodyLimit("Of Bedrock AgentCore's gateways."),
    }),
    "How much of a body is inspected, by type of resource; 16 KB when absent.",
  ),
  challengeJavascriptSdkInjection: optional(
    z.strictObject({ CLOUDFRONT: field(z.strictObject({}), { doc: "In the pages of CloudFront's distributions." }) }),
    "Where the challenge's JavaScript is put into pages.",
  ),
});

const FIELD_TYPES = ["SINGLE_HEADER", "SINGLE_COOKIE", "SINGLE_QUERY_ARGUMENT", "QUERY_STRING", "BODY"] as const;

/** Parts of requests that logs and samples must not show. */
export const dataProtectionConfig = z.strictObject({
  dataProtections: field(
    z
      .array(
        z.strictObject({
          field: field(
            z.strictObject({
              fieldType: field(z.enum(FIELD_TYPES), { doc: "Which part." }),
              fieldKeys: optional(
                z
                  .array(
                    z
                      .string()
                      .min(1)
                      .max(64)
                      .regex(/^.*\S.*$/),
                  )
                  .min(1)
                  .max(100),
                "Its names, where it has some.",
                {
                  compare: "set",
                },
              ),
            }),
            { doc: "The part." },
          ),
          action: field(z.enum(["SUBSTITUTION", "HASH"]), { doc: "What stands in its place." }),
          excludeRuleMatchDetails: optional(z.boolean(), "Whether details of matching rules show it all the same.", { unset: false }),
          excludeRateBasedDetails: optional(z.boolean(), "Whether details of rate-based rules show it all the same.", { unset: false }),
        }),
      )
      .min(1)
      .max(26),
    { doc: "The parts." },
  ),
});

/** How load balancers are protected against floods. */
export const onSourceDdosProtectionConfig = z.strictObject({
  albLowReputationMode: field(z.enum(["ACTIVE_UNDER_DDOS", "ALWAYS_ON"]), { doc: "When sources that are known to be bad are limited." }),
});

// WAF has a list of names and values.
const attributes = z
  .record(entityName().max(64), field(z.array(z.string().min(1).max(64)).min(1).max(50), { doc: "Its values.", compare: "set" }))
  .refine((found) => Object.keys(found).length >= 1 && Object.keys(found).length <= 10, "must have 1 to 10 attributes");

/** What the application is that a web ACL protects. */
export const applicationConfig = z.strictObject({
  attributes: optional(attributes, "What it is, by attribute."),
});
