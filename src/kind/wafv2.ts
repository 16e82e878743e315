/** What the WAF kinds share: the service, its words and the manifest's, and what uses a web ACL. */

import type { ResourceType } from "@aws-sdk/client-wafv2";
import { type Reader, service } from "../aws/service.ts";
import { unlessNamed } from "./listing.ts";
import { wordsOf } from "./words.ts";

export const wafv2 = service("wafv2", "WAFV2Client", () => import("@aws-sdk/client-wafv2"));

/** What AWS says of an object that is not there. */
export const NOT_FOUND = ["WAFNonexistentItemException"];

/** WAF's words. */
export const { spelling, toAws, fromAws } = wordsOf({
  spellings: {
    arn: "ARN",
    asn: "ASN",
    ip: "IP",
    forwardedIp: "ForwardedIP",
    forwardedIpConfig: "ForwardedIPConfig",
    httpMethod: "HTTPMethod",
    ipSetForwardedIpConfig: "IPSetForwardedIPConfig",
    ipSetReferenceStatement: "IPSetReferenceStatement",
    ja3Fingerprint: "JA3Fingerprint",
    ja4Fingerprint: "JA4Fingerprint",
    awsManagedRulesAcfpRuleSet: "AWSManagedRulesACFPRuleSet",
    awsManagedRulesAntiDdosRuleSet: "AWSManagedRulesAntiDDoSRuleSet",
    awsManagedRulesAtpRuleSet: "AWSManagedRulesATPRuleSet",
    awsManagedRulesBotControlRuleSet: "AWSManagedRulesBotControlRuleSet",
    onSourceDdosProtectionConfig: "OnSourceDDoSProtectionConfig",
    albLowReputationMode: "ALBLowReputationMode",
  },
  keyed: ["customResponseBodies", "requestBody", "challengeJavascriptSdkInjection"],
  lists: { insertHeaders: "Value", responseHeaders: "Value", attributes: "Values" },
  bytes: ["searchString"],
});

/** Where associations can be, and how the ARNs of these resources are told apart (WAFV2 API Reference, AssociateWebACL). */
export const RESOURCE_TYPES: readonly { readonly type: ResourceType; readonly arn: RegExp }[] = [
  { type: "APPLICATION_LOAD_BALANCER", arn: /^arn:[^:]+:elasticloadbalancing:[^:]+:\d+:loadbalancer\/app\// },
  { type: "API_GATEWAY", arn: /^arn:[^:]+:apigateway:[^:]+::\/restapis\/[^/]+\/stages\// },
  { type: "APPSYNC", arn: /^arn:[^:]+:appsync:[^:]+:\d+:apis\// },
  { type: "COGNITO_USER_POOL", arn: /^arn:[^:]+:cognito-idp:[^:]+:\d+:userpool\// },
  { type: "APP_RUNNER_SERVICE", arn: /^arn:[^:]+:apprunner:[^:]+:\d+:service\// },
  { type: "VERIFIED_ACCESS_INSTANCE", arn: /^arn:[^:]+:ec2:[^:]+:\d+:verified-access-instance\// },
  { type: "AMPLIFY", arn: /^arn:[^:]+:amplify:[^:]+:\d+:apps\// },
  { type: "AGENTCORE_GATEWAY", arn: /^arn:[^:]+:bedrock-agentcore:[^:]+:\d+:gateway\// },
];

/** The type of a resource, by its ARN; undefined for what no web ACL can be associated with. */
export function typeOfResource(arn: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((row) => row.arn.test(arn))?.type;
}

/** The ARNs of the resources of a type that a web ACL protects; none where it is gone. Calls wafv2:ListResourcesForWebACL. */
export async function protectedBy(aws: Reader, WebACLArn: string, type: ResourceType): Promise<readonly string[]> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(wafv2, "ListResourcesForWebACL", { WebACLArn, ResourceType: type }));
  return answer?.ResourceArns ?? [];
}
