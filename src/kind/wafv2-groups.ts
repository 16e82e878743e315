/** The schemas of statements that are whole rule groups: AWS's and other vendors', or one's own. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { optional } from "./schemas.ts";
import { entityName, resourceArn, ruleAction } from "./wafv2-parts.ts";

const identifier = field(
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^.*\S.*$/),
  { doc: "The field: a JSON pointer, or the name of a form's field." },
);
const fieldOf = (doc: string) => optional(z.strictObject({ identifier }), doc);
const requiredField = (doc: string) => field(z.strictObject({ identifier }), { doc });
const fieldsOf = (doc: string) => optional(z.array(z.strictObject({ identifier })), doc);

const path = (doc: string) =>
  field(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^.*\S.*$/),
    { doc },
  );
const payload = () => z.enum(["JSON", "FORM_ENCODED"]);
const payloadType = field(payload(), { doc: "How the body is written." });
const regexInPath = optional(z.boolean(), "Whether the path is a regular expression.", { unset: false });

const codes = (doc: string) => field(z.array(z.int().min(0).max(999)).min(1).max(10), { doc, compare: "set" });
const texts = (max: number, doc: string) =>
  field(
    z
      .array(
        z
          .string()
          .min(1)
          .max(100)
          .regex(/^.*\S.*$/),
      )
      .min(1)
      .max(max),
    { doc, compare: "set" },
  );

const SUCCEEDED = "What says that it succeeded.";
const FAILED = "What says that it failed.";

const responseInspection = optional(
  z.strictObject({
    statusCode: optional(z.strictObject({ successCodes: codes(SUCCEEDED), failureCodes: codes(FAILED) }), "By the HTTP status."),
    header: optional(
      z.strictObject({
        name: field(
          z
            .string()
            .min(1)
            .max(200)
            .regex(/^.*\S.*$/),
          { doc: "The header." },
        ),
        successValues: texts(3, SUCCEEDED),
        failureValues: texts(3, FAILED),
      }),
      "By a header.",
    ),
    bodyContains: optional(
      z.strictObject({ successStrings: texts(5, SUCCEEDED), failureStrings: texts(5, FAILED) }),
      "By the body's text.",
    ),
    json: optional(
      z.strictObject({ identifier, successValues: texts(5, SUCCEEDED), failureValues: texts(5, FAILED) }),
      "By the body's JSON.",
    ),
  }),
  "With CloudFront: how an attempt that succeeded is told from one that failed.",
);

const sensitivity = z.enum(["LOW", "MEDIUM", "HIGH"]);

const antiDdos = z.strictObject({
  clientSideActionConfig: field(
    z.strictObject({
      challenge: field(
        z.strictObject({
          usageOfAction: field(z.enum(["ENABLED", "DISABLED"]), { doc: "Whether it is used." }),
          sensitivity: optional(sensitivity, "How suspicious a request has to be.", { unset: "HIGH" }),
          exemptUriRegularExpressions: optional(
            z
              .array(z.strictObject({ regexString: field(z.string().min(1).max(512).regex(/^.*$/), { doc: "The regular expression." }) }))
              .max(5),
            "URIs that cannot be challenged.",
            { compare: "set", unset: [] },
          ),
        }),
        { doc: "The challenge of the group's rules." },
      ),
    }),
    { doc: "What senders are asked to do." },
  ),
  sensitivityToBlock: optional(sensitivity, "How suspicious a request has to be for it to be refused.", { unset: "LOW" }),
});

/** What AWS's rule groups are told beside: one of these. */
const managedRuleGroupConfig = z.strictObject({
  loginPath: optional(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^.*\S.*$/),
    "Superseded by `awsManagedRulesAtpRuleSet`.",
  ),
  payloadType: optional(payload(), "Superseded by `awsManagedRulesAtpRuleSet`."),
  usernameField: fieldOf("Superseded by `awsManagedRulesAtpRuleSet`."),
  passwordField: fieldOf("Superseded by `awsManagedRulesAtpRuleSet`."),
  awsManagedRulesBotControlRuleSet: optional(
    z.strictObject({
      inspectionLevel: field(z.enum(["COMMON", "TARGETED"]), { doc: "How closely it looks, and what it costs." }),
      enableMachineLearning: optional(z.boolean(), "With TARGETED: whether it learns.", { unset: true }),
    }),
    "Of AWSManagedRulesBotControlRuleSet.",
  ),
  awsManagedRulesAtpRuleSet: optional(
    z.strictObject({
      loginPath: path("The path of the login page."),
      requestInspection: optional(
        z.strictObject({
          payloadType,
          usernameField: requiredField("Where the user's name is."),
          passwordField: requiredField("Where the password is."),
        }),
        "How an attempt to log in is read.",
      ),
      responseInspection,
      enableRegexInPath: regexInPath,
    }),
    "Of AWSManagedRulesATPRuleSet.",
  ),
  awsManagedRulesAcfpRuleSet: optional(
    z.strictObject({
      creationPath: path("The path that makes an account."),
      registrationPagePath: path("The path of the registration page."),
      requestInspection: field(
        z.strictObject({
          payloadType,
          usernameField: fieldOf("Where the user's name is."),
          passwordField: fieldOf("Where the password is."),
          emailField: fieldOf("Where the e-mail address is."),
          phoneNumberFields: fieldsOf("Where the phone number is, in order."),
          addressFields: fieldsOf("Where the postal address is, in order."),
        }),
        { doc: "How an attempt to make an account is read." },
      ),
      responseInspection,
      enableRegexInPath: regexInPath,
    }),
    "Of AWSManagedRulesACFPRuleSet.",
  ),
  awsManagedRulesAntiDdosRuleSet: optional(antiDdos, "Of AWSManagedRulesAntiDDoSRuleSet."),
});

const exceptions = {
  excludedRules: optional(
    z.array(z.strictObject({ name: field(entityName(), { doc: "The rule." }) })).max(100),
    "Rules that only count; AWS recommends `ruleActionOverrides`.",
    { compare: { keyed: "name" }, unset: [] },
  ),
  ruleActionOverrides: optional(
    z
      .array(
        z.strictObject({
          name: field(entityName(), { doc: "The rule." }),
          actionToUse: field(ruleAction(), { doc: "Its action: one of these." }),
        }),
      )
      .max(100),
    "Other actions than the group's own.",
    { compare: { keyed: "name" }, unset: [] },
  ),
};

/** The two kinds of rule group. */
export function ruleGroupMembers(scopeDownStatement: z.ZodType) {
  return {
    managedRuleGroupStatement: optional(
      z.strictObject({
        vendorName: field(
          z
            .string()
            .min(1)
            .max(128)
            .regex(/^.*\S.*$/),
          { doc: "Whose group it is: AWS, or a seller of the Marketplace." },
        ),
        name: field(entityName(), { doc: "The group, such as AWSManagedRulesCommonRuleSet." }),
        version: optional(
          z
            .string()
            .min(1)
            .max(64)
            .regex(/^[\w#:.\-/]+$/),
          "A version to stay at; the vendor's default, as it changes, when absent.",
        ),
        ...exceptions,
        managedRuleGroupConfigs: optional(z.array(managedRuleGroupConfig), "What some groups need to know beside, one of these each.", {
          unset: [],
        }),
        scopeDownStatement,
      }),
      "The rules of a group that AWS or another vendor keeps.",
    ),
    ruleGroupReferenceStatement: optional(
      z.strictObject({ arn: field(resourceArn(), { doc: "The ARN of the rule group." }), ...exceptions }),
      "The rules of a group of one's own.",
    ),
  };
}
