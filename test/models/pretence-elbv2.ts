/** Specs of load balancers whose members fit each other, and as much of an answer as their kinds need to go on. */

import type { OperationName } from "../../src/aws/service.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";

type Members = Readonly<Record<string, unknown>>;

export const ELBV2_ANSWERS: Readonly<Record<OperationName, (input: Members) => object>> = {
  "elasticloadbalancing:ModifyListener": (input) => ({ Listeners: [input] }),
  "elasticloadbalancing:ModifyRule": (input) => ({ Rules: [input] }),
  "elasticloadbalancing:ModifyTargetGroup": (input) => ({ TargetGroups: [input] }),
  "elasticloadbalancing:SetSubnets": ({ Subnets = [], SubnetMappings = [] }) => ({
    AvailabilityZones: [
      ...(Subnets as string[]).map((SubnetId) => ({ SubnetId })),
      ...(SubnetMappings as Members[]).map(({ SubnetId, ...address }) => ({ SubnetId, LoadBalancerAddresses: [address] })),
    ],
  }),
};

export const ELBV2_REPAIRS: Readonly<Record<string, (spec: JsonObject) => JsonObject>> = {
  LoadBalancer: balancerOf,
  TargetGroup: groupOf,
  Listener: listenerOf,
  ListenerRule: ruleOf,
};

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function without(members: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

/** The last of those that have the same value of a member. */
function distinct(list: readonly JsonObject[], by: string): JsonObject[] {
  return [...new Map(list.map((member) => [member[by], member])).values()];
}

const NETWORK_ONLY = ["loadBalancing", "dnsRecord", "secondaryIps"];
const APPLICATION_ONLY = ["idleTimeout", "clientKeepAlive", "connectionLogs", "healthCheckLogs", "routing", "waf"];

function balancerOf(spec: JsonObject): JsonObject {
  const isNetwork = spec.type === "network";
  const { subnets, subnetMappings, ipAddressType, attributes, ...rest } = spec;
  const mappings = distinct(items(subnetMappings), "subnetId").map((one) => (isNetwork ? one : { subnetId: one.subnetId as Json }));
  const place = mappings.length > 0 ? { subnetMappings: mappings } : { subnets: (subnets ?? ["subnet-1"]) as Json };
  const isOddAddress = isNetwork && ipAddressType === "dualstack-without-public-ipv4";
  return {
    ...(isNetwork ? rest : without(rest, ["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"])),
    ...place,
    ...(ipAddressType === undefined || isOddAddress ? {} : { ipAddressType }),
    ...(isObject(attributes) ? { attributes: attributesOf(attributes, isNetwork) } : {}),
  };
}

function attributesOf(attributes: JsonObject, isNetwork: boolean): JsonObject {
  const own = without(attributes, isNetwork ? APPLICATION_ONLY : NETWORK_ONLY);
  const logged = Object.entries(own).map(([name, value]) => {
    const bucket = isObject(value) && name.endsWith("Logs") ? value.s3 : undefined;
    return [name, isObject(bucket) && bucket.enabled === true ? { s3: { bucket: "b", ...bucket } } : value];
  });
  return Object.fromEntries(logged);
}

function groupOf(spec: JsonObject): JsonObject {
  const isLambda = spec.targetType === "lambda";
  const { protocol = "HTTP", port = 80, vpcId = "vpc-1", protocolVersion, healthCheckEnabled, matcher, targets, ...rest } = spec;
  const { healthCheckTimeoutSeconds: timeout = 0, healthCheckIntervalSeconds: interval = 300 } = spec;
  const isHttp = !isLambda && String(protocol).startsWith("HTTP");
  const code = isObject(matcher) ? (matcher.httpCode === undefined ? { grpcCode: "0" } : { httpCode: matcher.httpCode }) : undefined;
  return {
    ...(Number(timeout) > Number(interval) ? without(rest, ["healthCheckTimeoutSeconds"]) : rest),
    ...(isLambda ? {} : { protocol, port, vpcId }),
    ...(isHttp && protocolVersion !== undefined ? { protocolVersion } : {}),
    ...(isLambda && healthCheckEnabled !== undefined ? { healthCheckEnabled } : {}),
    ...(code ? { matcher: code } : {}),
    ...(targets ? { targets: distinct(items(targets), "id") } : {}),
  };
}

const SECURE = ["sslPolicy", "certificates", "additionalCertificates", "alpnPolicy", "mutualAuthentication"];

function listenerOf(spec: JsonObject): JsonObject {
  const { protocol, certificates = [{ certificateArn: "c" }], mutualAuthentication: mutual, alpnPolicy } = spec;
  const acted = { ...spec, ...actionsIn(spec, "defaultActions") };
  if (protocol !== "HTTPS" && protocol !== "TLS") return without(acted, SECURE);
  const trusted = isObject(mutual) ? { mutualAuthentication: trustOf(mutual) } : {};
  const [first] = items(certificates);
  const more = items(spec.additionalCertificates).filter(({ certificateArn }) => certificateArn !== first?.certificateArn);
  return {
    ...without(acted, ["alpnPolicy", "mutualAuthentication"]),
    certificates,
    ...(spec.additionalCertificates ? { additionalCertificates: more } : {}),
    ...(protocol === "HTTPS" ? trusted : alpnPolicy === undefined ? {} : { alpnPolicy }),
  };
}

function trustOf({ trustStoreArn = "t", ...mutual }: JsonObject): JsonObject {
  return mutual.mode === "verify" ? { ...mutual, trustStoreArn } : mutual;
}

function ruleOf(spec: JsonObject): JsonObject {
  const { conditions, transforms } = spec;
  return {
    ...spec,
    ...actionsIn(spec, "actions"),
    conditions: items(conditions).map((one) => only(one, "field", CONDITIONS)),
    ...(transforms ? { transforms: distinct(items(transforms), "type").map((one) => only(one, "type", TRANSFORMS)) } : {}),
  };
}

const CONDITIONS: Readonly<Record<string, readonly [string, JsonObject]>> = {
  "host-header": ["hostHeaderConfig", { values: ["h.example.com"] }],
  "path-pattern": ["pathPatternConfig", { values: ["/p"] }],
  "http-header": ["httpHeaderConfig", { httpHeaderName: "X", values: ["x"] }],
  "http-request-method": ["httpRequestMethodConfig", { values: ["GET"] }],
  "query-string": ["queryStringConfig", { values: [{ value: "q" }] }],
  "source-ip": ["sourceIpConfig", { values: ["10.0.0.0/8"] }],
};
const REWRITES: JsonObject = { rewrites: [{ regex: "a", replace: "b" }] };
const TRANSFORMS: typeof CONDITIONS = {
  "host-header-rewrite": ["hostHeaderRewriteConfig", REWRITES],
  "url-rewrite": ["urlRewriteConfig", REWRITES],
};
const ACTIONS: typeof CONDITIONS = {
  forward: ["forwardConfig", { targetGroups: [{ targetGroupArn: "t" }] }],
  redirect: ["redirectConfig", { statusCode: "HTTP_301" }],
  "fixed-response": ["fixedResponseConfig", { statusCode: "404" }],
  "authenticate-cognito": ["authenticateCognitoConfig", { userPoolArn: "p", userPoolClientId: "c", userPoolDomain: "d" }],
  "authenticate-oidc": [
    "authenticateOidcConfig",
    { issuer: "i", authorizationEndpoint: "a", tokenEndpoint: "t", userInfoEndpoint: "u", clientId: "c" },
  ],
  "jwt-validation": ["jwtValidationConfig", { jwksEndpoint: "j", issuer: "i" }],
};

/** A member with the config of its type, and no other. */
function only(one: JsonObject, teller: string, configs: typeof CONDITIONS): JsonObject {
  const [name, otherwise] = configs[String(one[teller])] as readonly [string, JsonObject];
  const given = one[name];
  const config = isObject(given) ? given : otherwise;
  // Values by pattern, by expression or by version: one of them, and methods in capitals.
  const said = ["values", "regexValues", "ipAddressType"].filter((member) => config[member] !== undefined);
  const isSound = configs !== CONDITIONS || (said.length === 1 && name !== "httpRequestMethodConfig");
  return { [teller]: one[teller] as Json, [name]: isSound ? config : otherwise };
}

function actionsIn(spec: JsonObject, name: string): JsonObject {
  const actions = items(spec[name]).map(
    (one, index): JsonObject => ({ ...actionOf(one), ...(one.order === undefined ? {} : { order: index + 1 }) }),
  );
  const isSecret = actions.some(({ type }) => type === "authenticate-oidc");
  return { [name]: actions, ...(isSecret ? { clientSecret: spec.clientSecret ?? "s" } : {}) };
}

function actionOf(one: JsonObject): JsonObject {
  if (one.type === "forward" && one.targetGroupArn !== undefined) return { type: "forward", targetGroupArn: one.targetGroupArn };
  const action = only(one, "type", ACTIONS);
  const { forwardConfig: config, jwtValidationConfig: jwt } = action;
  if (isObject(jwt) && jwt.additionalClaims)
    return { ...action, jwtValidationConfig: { ...jwt, additionalClaims: distinct(items(jwt.additionalClaims), "name") } };
  if (!isObject(config)) return action;
  const sticky = config.targetGroupStickinessConfig;
  const groups = distinct(items(config.targetGroups), "targetGroupArn");
  const lasting = isObject(sticky) ? { targetGroupStickinessConfig: { durationSeconds: 1, ...sticky } } : {};
  return { ...action, forwardConfig: { ...config, targetGroups: groups, ...lasting } };
}
