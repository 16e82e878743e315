/** Actions of listeners and rules: their schema, the same in AWS's words, and what the static checks find in them. */

import type { Action } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import { field } from "../core/field.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { type ObjectShape, objectShape } from "../core/shape.ts";
import { isUnknown } from "../core/unknown.ts";
import { twice } from "./elbv2.ts";
import { fromAws, toAws } from "./elbv2-words.ts";
import type { StaticResource } from "./kind.ts";

const WEEK_SECONDS = 604_800;

const text = (doc: string, unset?: string) => field(z.string().min(1).optional(), { doc, ...(unset === undefined ? {} : { unset }) });

const forward = z.strictObject({
  targetGroups: field(
    z
      .array(
        z.strictObject({
          targetGroupArn: field(z.string().min(1), { doc: "The target group.", ref: "elbv2.aws/v1 TargetGroup.targetGroupArn" }),
          weight: field(z.int().min(0).max(999).optional(), { doc: "Its share, beside the others'.", unset: 1 }),
        }),
      )
      .min(1)
      // "A forward action can have up to five target groups" (Application Load Balancer quotas).
      .max(5),
    { doc: "Where requests go.", compare: { keyed: "targetGroupArn" } },
  ),
  targetGroupStickinessConfig: field(
    z
      .strictObject({
        enabled: field(z.boolean(), { doc: "Whether a client keeps its target group." }),
        durationSeconds: field(z.int().min(1).max(WEEK_SECONDS).optional(), { doc: "How long; needed where it is enabled." }),
      })
      .optional(),
    { doc: "Clients that keep their target group.", unset: { enabled: false } },
  ),
});

// AWS fills what a redirect leaves out with these, which leave that part of the address as it is.
const redirect = z.strictObject({
  protocol: field(z.enum(["HTTP", "HTTPS", "#{protocol}"]).optional(), { doc: "The protocol.", unset: "#{protocol}" }),
  port: field(
    z
      .string()
      .regex(/^([1-9]\d{0,4}|#\{port\})$/, "must be a port as text, or #{port}")
      .optional(),
    { doc: "The port.", unset: "#{port}" },
  ),
  host: field(z.string().min(1).max(128).optional(), { doc: "The host name.", unset: "#{host}" }),
  path: field(z.string().min(1).max(128).regex(/^\//, "must begin with /").optional(), { doc: "The path.", unset: "/#{path}" }),
  query: field(z.string().max(128).optional(), { doc: "The query, without its question mark.", unset: "#{query}" }),
  statusCode: field(z.enum(["HTTP_301", "HTTP_302"]), { doc: "Whether it is for ever (301) or for now (302)." }),
});

const fixedResponse = z.strictObject({
  statusCode: field(z.string().regex(/^[245]\d\d$/, 'must be a status such as "404": 2xx, 4xx or 5xx, as text'), { doc: "The status." }),
  contentType: field(z.enum(["text/plain", "text/css", "text/html", "application/javascript", "application/json"]).optional(), {
    doc: "What the body is.",
  }),
  messageBody: field(z.string().min(1).max(1024).optional(), { doc: "The body.", unset: null }),
});

const session = () => ({
  sessionCookieName: text("The session's cookie.", "AWSELBAuthSessionCookie"),
  scope: text("What is asked of the provider.", "openid"),
  sessionTimeout: field(z.int().min(1).max(WEEK_SECONDS).optional(), { doc: "How long a session lasts, in seconds.", unset: WEEK_SECONDS }),
  authenticationRequestExtraParams: field(z.record(z.string(), z.string()).optional(), {
    doc: "Further parameters of the request.",
    unset: {},
  }),
  onUnauthenticatedRequest: field(z.enum(["deny", "allow", "authenticate"]).optional(), {
    doc: "What becomes of a request without a session.",
    unset: "authenticate",
  }),
});

const cognito = z.strictObject({
  userPoolArn: field(z.string().min(1), { doc: "The user pool." }),
  userPoolClientId: field(z.string().min(1), { doc: "The user pool's client." }),
  userPoolDomain: field(z.string().min(1), { doc: "The user pool's domain, or its prefix." }),
  ...session(),
});

const oidc = z.strictObject({
  issuer: field(z.string().min(1), { doc: "The provider's issuer." }),
  authorizationEndpoint: field(z.string().min(1), { doc: "Where clients are sent." }),
  tokenEndpoint: field(z.string().min(1), { doc: "Where tokens come from." }),
  userInfoEndpoint: field(z.string().min(1), { doc: "Where claims come from." }),
  clientId: field(z.string().min(1), { doc: "The client's ID; its secret is the field `clientSecret` beside the actions." }),
  ...session(),
});

const jwt = z.strictObject({
  jwksEndpoint: field(z.string().min(1).max(256), { doc: "Where the keys are." }),
  issuer: field(z.string().min(1).max(256), { doc: "Who must have issued a token." }),
  additionalClaims: field(
    z
      .array(
        z.strictObject({
          name: field(z.string().min(1), { doc: "The claim's name." }),
          format: field(z.enum(["single-string", "string-array", "space-separated-values"]), { doc: "How its value is written." }),
          values: field(z.array(z.string().min(1).max(256)).min(1).max(10), { doc: "What it may be.", compare: "set" }),
        }),
      )
      .max(10)
      .optional(),
    { doc: "Further claims that are checked.", compare: { keyed: "name" }, unset: [] },
  ),
});

const action = z.strictObject({
  type: field(z.enum(["forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation"]), {
    doc: "What is done.",
  }),
  order: field(z.int().min(1).max(50_000).optional(), { doc: "Its place among several actions; by default, its place in the list." }),
  targetGroupArn: field(z.string().min(1).optional(), {
    doc: "With forward: where requests go, if to one target group.",
    ref: "elbv2.aws/v1 TargetGroup.targetGroupArn",
  }),
  forwardConfig: field(forward.optional(), { doc: "With forward: where requests go, if to several target groups." }),
  redirectConfig: field(redirect.optional(), { doc: "With redirect: where clients are sent." }),
  fixedResponseConfig: field(fixedResponse.optional(), { doc: "With fixed-response: what clients get." }),
  authenticateCognitoConfig: field(cognito.optional(), { doc: "With authenticate-cognito: who may come in." }),
  authenticateOidcConfig: field(oidc.optional(), { doc: "With authenticate-oidc: who may come in." }),
  jwtValidationConfig: field(jwt.optional(), { doc: "With jwt-validation: whose tokens are good." }),
});

/** The field of a listener's, or a rule's, actions: performed in the list's order. */
export const actionsField = (doc: string) => field(z.array(action).min(1), { doc, text: actionText });

/** The secret of an authenticate-oidc action. */
export const clientSecretField = () =>
  field(z.string().min(1).optional(), { doc: "The client secret of an authenticate-oidc action.", secret: true });

const SHAPE: ObjectShape = objectShape(action);

/** What each type of action says more in; forward has two ways to. */
const CONFIGS: Readonly<Record<string, string>> = {
  forward: "forwardConfig",
  redirect: "redirectConfig",
  "fixed-response": "fixedResponseConfig",
  "authenticate-cognito": "authenticateCognitoConfig",
  "authenticate-oidc": "authenticateOidcConfig",
  "jwt-validation": "jwtValidationConfig",
};

/** The actions as AWS takes them. An update without a secret keeps the one that AWS has. */
export function actionsOut(actions: unknown, secret: string | undefined, isUpdate = false): Action[] {
  const list = actions as readonly JsonObject[];
  return list.map((one, index) => {
    // "Required for rules with multiple actions" (Action).
    const order = one.order ?? (list.length > 1 ? index + 1 : undefined);
    const out = toAws({ ...one, order }) as Action;
    if (!out.AuthenticateOidcConfig) return out;
    const own = secret === undefined ? (isUpdate ? { UseExistingClientSecret: true } : {}) : { ClientSecret: secret };
    return { ...out, AuthenticateOidcConfig: { ...out.AuthenticateOidcConfig, ...own } };
  });
}

/** AWS's actions as the manifest says them, in their order. */
export function actionsOf(actions: readonly Action[] | undefined): JsonObject[] | undefined {
  const sorted = actions?.toSorted((left, right) => (left.Order ?? 0) - (right.Order ?? 0));
  return sorted?.map((one) => {
    const { targetGroupArn: _arn, ...rest } = fromAws(one, SHAPE) as JsonObject;
    const only = plainTarget(one);
    return { ...rest, ...(only === undefined ? {} : { targetGroupArn: only }) };
  });
}

// AWS also names the target group of a forward action by itself where it is the only one. Where more is said of it than that,
// the short form would not say the same.
function plainTarget({ TargetGroupArn, ForwardConfig: config }: Action): string | undefined {
  const [first, ...others] = config?.TargetGroups ?? [];
  if (others.length > 0 || config?.TargetGroupStickinessConfig?.Enabled) return undefined;
  return TargetGroupArn ?? first?.TargetGroupArn;
}

/** Every target group that the actions name. */
export function targetGroupsOf(actions: readonly Action[] | undefined): readonly string[] {
  return (actions ?? []).flatMap(({ TargetGroupArn, ForwardConfig }) => [
    ...(TargetGroupArn === undefined ? [] : [TargetGroupArn]),
    ...(ForwardConfig?.TargetGroups ?? []).flatMap((found) => found.TargetGroupArn ?? []),
  ]);
}

/** What is wrong with the actions in `name`, as a field and a message each. */
export function* actionFindings({ key, spec }: StaticResource, name: string): Generator<{ field: string; message: string; hint?: string }> {
  const actions = spec[name];
  if (!Array.isArray(actions)) return;
  let last = 0;
  for (const [index, one] of actions.entries()) {
    if (!isObject(one) || typeof one.type !== "string") continue;
    const at = `${name}.${index}`;
    yield* configFindings(one, one.type, { at, key });
    if (typeof one.order !== "number") continue;
    if (one.order <= last) yield { field: `${at}.order`, message: `${key} lists its actions in another order than \`order\` says` };
    last = one.order;
  }
  if (spec.clientSecret === undefined && actions.some((one) => isObject(one) && one.type === "authenticate-oidc")) {
    yield { field: name, message: `${key} authenticates by OpenID Connect, and has no client secret`, hint: "set `clientSecret`" };
  }
}

function* configFindings(
  one: JsonObject,
  type: string,
  { at, key }: { at: string; key: string },
): Generator<{ field: string; message: string }> {
  const own = CONFIGS[type] as string;
  const strange = Object.values(CONFIGS).filter((config) => config !== own && one[config] !== undefined);
  if (type !== "forward" && one.targetGroupArn !== undefined) strange.push("targetGroupArn");
  for (const config of strange) yield { field: `${at}.${config}`, message: `an action of ${key} is ${type}, and takes no \`${config}\`` };
  const isSaid = one[own] !== undefined || (type === "forward" && one.targetGroupArn !== undefined);
  if (!isSaid) yield { field: at, message: `an action of ${key} is ${type}, and needs \`${type === "forward" ? "targetGroupArn" : own}\`` };
  const lists = [
    ["forwardConfig", "targetGroups", "targetGroupArn"],
    ["jwtValidationConfig", "additionalClaims", "name"],
  ] as const;
  for (const [config, list, by] of lists) {
    const same = isObject(one[config]) ? twice(one[config][list], by) : undefined;
    if (same !== undefined) yield { field: `${at}.${config}.${list}`, message: `an action of ${key} has ${same} twice` };
  }
  const sticky = isObject(one.forwardConfig) ? one.forwardConfig.targetGroupStickinessConfig : undefined;
  if (isObject(sticky) && sticky.enabled === true && sticky.durationSeconds === undefined) {
    yield { field: `${at}.forwardConfig.targetGroupStickinessConfig`, message: `stickiness of ${key} needs \`durationSeconds\`` };
  }
  if (type !== "forward" || one.targetGroupArn === undefined || !isObject(one.forwardConfig)) return;
  yield {
    field: `${at}.forwardConfig`,
    message: `an action of ${key} has both \`targetGroupArn\` and \`forwardConfig\`: one of them says it all`,
  };
}

/** `forward to targetgroup/web/73e2d6bc24d8a067`, `redirect to HTTPS://#{host}:443/#{path}?#{query} with HTTP_301`. */
function actionText(member: JsonObject): string {
  const config = member[CONFIGS[String(member.type)] ?? ""];
  const own = isObject(config) ? config : {};
  switch (member.type) {
    case "forward":
      return `forward to ${member.targetGroupArn === undefined ? forwardText(own) : say(member.targetGroupArn)}`;
    case "redirect":
      return `redirect to ${redirectText(own)} with ${say(own.statusCode)}`;
    case "fixed-response":
      return ["answer", own.statusCode, own.contentType, own.messageBody]
        .filter((part) => part !== undefined)
        .map(say)
        .join(" ");
    default:
      return `${member.type} by ${Object.values(own).map(say).join(" ")}`;
  }
}

function forwardText({ targetGroups, targetGroupStickinessConfig: sticky }: JsonObject): string {
  const groups = Array.isArray(targetGroups) ? targetGroups.filter(isObject) : [];
  const shares = groups.map(({ targetGroupArn, weight }) => `${say(targetGroupArn)} (${say(weight ?? 1)})`).join(", ");
  return isObject(sticky) && sticky.enabled === true ? `${shares}, sticky for ${say(sticky.durationSeconds)} s` : shares;
}

function redirectText({ protocol, host, port, path, query }: JsonObject): string {
  const address = [say(protocol ?? "#{protocol}"), "://", say(host ?? "#{host}"), ":", say(port ?? "#{port}"), say(path ?? "/#{path}")];
  return `${address.join("")}${query === "" ? "" : `?${say(query ?? "#{query}")}`}`;
}

// What AWS has yet to choose reads as the expression it comes from; of an ARN, what tells it from others is enough.
function say(value: Json | undefined): string {
  if (isUnknown(value)) return `<${value.$unknown}>`;
  return typeof value === "string"
    ? value.replace(/^arn:.*:targetgroup/, "targetgroup")
    : isObject(value)
      ? JSON.stringify(value)
      : String(value);
}
