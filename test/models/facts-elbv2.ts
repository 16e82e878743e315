/** What AWS refuses of load balancers without its model saying so, each with the page that does (Elastic Load Balancing API Reference). */

import type { OperationName } from "../../src/aws/service.ts";
import type { Limits } from "./model.ts";

type Members = Readonly<Record<string, unknown>>;
type Rule = (input: Members) => readonly string[];

export const ELBV2_FACTS: Readonly<Record<string, Limits>> = {
  // CreateLoadBalancer, CreateTargetGroup: "a maximum of 32 characters, must contain only alphanumeric characters or hyphens, must not
  // begin or end with a hyphen"; AWS's own pattern for target groups takes no two hyphens in a row.
  "elasticloadbalancing.LoadBalancerName": { min: 1, max: 32, pattern: "(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?" },
  "elasticloadbalancing.TargetGroupName": { min: 1, max: 32, pattern: "(?!.*--)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?" },
  "elasticloadbalancing.TagList": { min: 1, max: 50 },
  // DescribeTags, DescribeLoadBalancers: "up to 20 ... in a single call".
  "elasticloadbalancing.ResourceArns": { min: 1, max: 20 },
  "elasticloadbalancing.LoadBalancerArns": { min: 1, max: 20 },
  "elasticloadbalancing.LoadBalancerAttributes": { min: 1, max: 20 },
  // CreateListener: "exactly one certificate"; AddListenerCertificates: "one certificate per call".
  "elasticloadbalancing.CertificateList": { min: 1, max: 1 },
  "elasticloadbalancing.AlpnPolicyName": { min: 1, max: 1 },
  "elasticloadbalancing.AlpnPolicyValue": { enum: ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"] },
  "elasticloadbalancing.ProtocolVersion": { enum: ["HTTP1", "HTTP2", "GRPC"] },
  "elasticloadbalancing.Mode": { enum: ["off", "passthrough", "verify"] },
  "elasticloadbalancing.HealthCheckPort": { pattern: "traffic-port|[1-9]\\d*" },
  // TargetGroupTuple: "The range is 0 to 999"; TargetGroupStickinessConfig: "The range is 1-604800 seconds".
  "elasticloadbalancing.TargetGroupWeight": { min: 0, max: 999 },
  "elasticloadbalancing.TargetGroupStickinessDurationSeconds": { min: 1, max: 604_800 },
  // RedirectActionConfig: "a value from 1 to 65535 or #{port}", "the absolute path, starting with the leading /".
  "elasticloadbalancing.RedirectActionPort": { pattern: "[1-9]\\d*|#\\{port\\}" },
  "elasticloadbalancing.RedirectActionPath": { pattern: "/[^]*" },
  "elasticloadbalancing.FixedResponseActionContentType": {
    enum: ["text/plain", "text/css", "text/html", "application/javascript", "application/json"],
  },
  "elasticloadbalancing.ConditionFieldName": {
    enum: ["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"],
  },
  "elasticloadbalancing.HttpHeaderConditionName": { min: 1, max: 40 },
};

type Action = { readonly Type: string; readonly Order?: number } & Members;

const ACTION_CONFIGS: Readonly<Record<string, string>> = {
  "authenticate-cognito": "AuthenticateCognitoConfig",
  "authenticate-oidc": "AuthenticateOidcConfig",
  "fixed-response": "FixedResponseConfig",
  "jwt-validation": "JwtValidationConfig",
  redirect: "RedirectConfig",
  forward: "ForwardConfig",
};

/** Action: a config goes with its type alone, and an order with several actions. */
function actionProblems(list: unknown): readonly string[] {
  const actions = (list ?? []) as readonly Action[];
  const orders = actions.map(({ Order }) => Order);
  return [
    ...actions.flatMap((action) => {
      const own = ACTION_CONFIGS[action.Type] as string;
      const said = [...Object.values(ACTION_CONFIGS), "TargetGroupArn"].filter((name) => action[name] !== undefined);
      const wrong = said.filter((name) => name !== own && !(action.Type === "forward" && name === "TargetGroupArn"));
      return said.length === 1 && wrong.length === 0 ? [] : [`an action of type ${action.Type} says ${said.join(", ") || "nothing more"}`];
    }),
    ...(actions.length > 1 && (orders.includes(undefined) || new Set(orders).size < orders.length)
      ? ["several actions need an order"]
      : []),
  ];
}

function listenerProblems(input: Members): readonly string[] {
  const isSecure = input.Protocol === "HTTPS" || input.Protocol === "TLS";
  const secure = ["SslPolicy", "Certificates", "AlpnPolicy", "MutualAuthentication"].filter((name) => input[name] !== undefined);
  return [
    ...actionProblems(input.DefaultActions),
    ...(isSecure && input.Certificates === undefined ? ["HTTPS and TLS need a certificate"] : []),
    ...(!isSecure && secure.length > 0 ? [`${secure.join(", ")} with ${input.Protocol}`] : []),
  ];
}

/** RuleCondition: a config goes with its field alone. */
function ruleProblems(input: Members): readonly string[] {
  const conditions = (input.Conditions ?? []) as readonly Members[];
  const wrong = conditions.filter((condition) => {
    const own = `${String(condition.Field).replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}Config`;
    const said = Object.keys(condition).filter((name) => name !== "Field" && condition[name] !== undefined);
    return said.length !== 1 || said[0] !== own;
  });
  return [
    ...actionProblems(input.Actions),
    ...wrong.map((condition) => `a condition on ${condition.Field} says ${Object.keys(condition).join(", ")}`),
    ...(input.Transforms !== undefined && input.ResetTransforms !== undefined ? ["transforms are set or reset"] : []),
  ];
}

export const ELBV2_RULES: Readonly<Record<OperationName, Rule>> = {
  // CreateLoadBalancer: "You must specify either subnets or subnet mappings, but not both".
  "elasticloadbalancing:CreateLoadBalancer": ({ Subnets, SubnetMappings }) =>
    (Subnets === undefined) === (SubnetMappings === undefined) ? ["subnets or subnet mappings, and one of them"] : [],
  "elasticloadbalancing:SetSubnets": ({ Subnets, SubnetMappings }) =>
    (Subnets === undefined) === (SubnetMappings === undefined) ? ["subnets or subnet mappings, and one of them"] : [],
  // CreateTargetGroup: "If the target is a Lambda function, this parameter does not apply".
  "elasticloadbalancing:CreateTargetGroup": ({ TargetType, Protocol, Port, VpcId }) =>
    [Protocol, Port, VpcId].every((member) => (member === undefined) === (TargetType === "lambda"))
      ? []
      : [`${TargetType} with ${Protocol}`],
  "elasticloadbalancing:CreateListener": listenerProblems,
  "elasticloadbalancing:ModifyListener": ({ DefaultActions }) => actionProblems(DefaultActions),
  "elasticloadbalancing:CreateRule": ruleProblems,
  "elasticloadbalancing:ModifyRule": (input) => [
    ...ruleProblems(input),
    ...(Object.values(input).filter((member) => member !== undefined).length < 2 ? ["nothing to modify"] : []),
  ],
};
