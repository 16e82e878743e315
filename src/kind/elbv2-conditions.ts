/** Conditions and transforms of listener rules: their schemas, the same in AWS's words, and what the static checks find in them. */

import type { RuleCondition, RuleTransform } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import { canonicalCidr } from "../core/cidr.ts";
import { field } from "../core/field.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { objectShape, type Shape, shapeOf } from "../core/shape.ts";
import { twice } from "./elbv2.ts";
import { fromAws, toAws } from "./elbv2-words.ts";
import type { StaticResource } from "./kind.ts";

// "The maximum length of each string is 128 characters" (RuleCondition).
const texts = (doc: string) => field(z.array(z.string().min(1).max(128)).min(1).optional(), { doc, compare: "set" });

const condition = z.strictObject({
  field: field(z.enum(["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"]), {
    doc: "What of a request is looked at.",
  }),
  hostHeaderConfig: field(
    z.strictObject({ values: texts("Host names, with * and ?."), regexValues: texts("Regular expressions for host names.") }).optional(),
    { doc: "With host-header: which hosts." },
  ),
  pathPatternConfig: field(
    z.strictObject({ values: texts("Paths, with * and ?."), regexValues: texts("Regular expressions for paths.") }).optional(),
    { doc: "With path-pattern: which paths." },
  ),
  httpHeaderConfig: field(
    z
      .strictObject({
        httpHeaderName: field(z.string().min(1).max(40), { doc: "The header's name." }),
        values: texts("Its values, with * and ?."),
        regexValues: texts("Regular expressions for its values."),
      })
      .optional(),
    { doc: "With http-header: which values of which header." },
  ),
  httpRequestMethodConfig: field(
    z
      .strictObject({
        values: field(z.array(z.string().min(1).max(40)).min(1), { doc: "Methods, in capitals.", compare: "set" }),
      })
      .optional(),
    { doc: "With http-request-method: which methods." },
  ),
  queryStringConfig: field(
    z
      .strictObject({
        values: field(
          z
            .array(
              z.strictObject({
                key: field(z.string().min(1).max(128).optional(), { doc: "The parameter; any when absent." }),
                value: field(z.string().min(1).max(128), { doc: "Its value, with * and ?." }),
              }),
            )
            .min(1),
          { doc: "Parameters of the query.", compare: "set" },
        ),
      })
      .optional(),
    { doc: "With query-string: which parameters." },
  ),
  sourceIpConfig: field(
    z
      .strictObject({
        values: field(
          z
            .array(z.string().refine((range) => canonicalCidr(range) !== undefined, "must be a CIDR block, such as 10.0.0.0/8"))
            .min(1)
            .optional(),
          { doc: "Ranges of addresses.", compare: "set" },
        ),
        ipAddressType: field(z.enum(["ipv4", "ipv6"]).optional(), { doc: "The version of addresses, on network load balancers." }),
      })
      .optional(),
    { doc: "With source-ip: whose requests." },
  ),
});

const rewrites = z.strictObject({
  rewrites: field(
    z
      .array(
        z.strictObject({
          regex: field(z.string().min(1).max(1024), { doc: "What is replaced." }),
          replace: field(z.string().max(1024), { doc: "By what; `$1` is the first group." }),
        }),
      )
      .min(1),
    { doc: "What is replaced by what." },
  ),
});

const transform = z.strictObject({
  type: field(z.enum(["host-header-rewrite", "url-rewrite"]), { doc: "What is rewritten." }),
  hostHeaderRewriteConfig: field(rewrites.optional(), { doc: "With host-header-rewrite: how." }),
  urlRewriteConfig: field(rewrites.optional(), { doc: "With url-rewrite: how." }),
});

/** The field of a rule's conditions: all must hold, in whatever order they are written. */
export const conditionsField = () =>
  field(z.array(condition).min(1), { doc: "Which requests it is for: all of these hold.", compare: "set", text: conditionText });

/** The field of a rule's transforms, one of each type. */
export const transformsField = () =>
  field(z.array(transform).max(2).optional(), {
    doc: "How a request is rewritten before its target gets it.",
    compare: { keyed: "type" },
    unset: [],
  });

const CONDITION = objectShape(condition);
const TRANSFORMS: Shape = shapeOf(z.array(transform));

const CONFIGS: Readonly<Record<string, string>> = {
  "host-header": "hostHeaderConfig",
  "path-pattern": "pathPatternConfig",
  "http-header": "httpHeaderConfig",
  "http-request-method": "httpRequestMethodConfig",
  "query-string": "queryStringConfig",
  "source-ip": "sourceIpConfig",
  "host-header-rewrite": "hostHeaderRewriteConfig",
  "url-rewrite": "urlRewriteConfig",
};

export function conditionsOut(conditions: unknown): RuleCondition[] {
  return (conditions as readonly JsonObject[]).map((one) => toAws(one) as RuleCondition);
}

/** AWS has two spellings of a host and of a path, and answers in both; old rules have the short one only. */
export function conditionsOf(conditions: readonly RuleCondition[] | undefined): JsonObject[] | undefined {
  return conditions?.map((one) => {
    const config = CONFIGS[one.Field ?? ""] ?? "";
    const said = fromAws(one, CONDITION) as JsonObject;
    return said[config] === undefined && one.Values ? { ...said, [config]: { values: one.Values } } : said;
  });
}

export function transformsOut(transforms: unknown): RuleTransform[] {
  return toAws(transforms) as RuleTransform[];
}

/** AWS says nothing of transforms where there are none. */
export function transformsOf(transforms: readonly RuleTransform[] | undefined): Json {
  return fromAws(transforms ?? [], TRANSFORMS) ?? [];
}

/** What is wrong with a rule's conditions and transforms, as a field and a message each. */
export function* conditionFindings({ key, spec }: StaticResource): Generator<{ field: string; message: string }> {
  const same = twice(spec.transforms, "type");
  if (same !== undefined) yield { field: "transforms", message: `${key} has two transforms of type ${same}` };
  for (const [name, teller] of [
    ["conditions", "field"],
    ["transforms", "type"],
  ] as const) {
    const list = spec[name];
    if (!Array.isArray(list)) continue;
    for (const [index, one] of list.entries()) {
      const what = isObject(one) ? one[teller] : undefined;
      if (!isObject(one) || typeof what !== "string") continue;
      yield* memberFindings(one, what, { key, at: `${name}.${index}`, noun: name === "conditions" ? "condition" : "transform" });
    }
  }
}

function* memberFindings(
  one: JsonObject,
  what: string,
  { key, at, noun }: { key: string; at: string; noun: string },
): Generator<{ field: string; message: string }> {
  const own = CONFIGS[what] as string;
  for (const config of Object.values(CONFIGS)) {
    if (config !== own && one[config] !== undefined)
      yield { field: `${at}.${config}`, message: `a ${noun} of ${key} is ${what}, and takes no \`${config}\`` };
  }
  const config = one[own];
  if (config === undefined) yield { field: at, message: `a ${noun} of ${key} is ${what}, and needs \`${own}\`` };
  if (noun === "transform" || !isObject(config)) return;
  const said = ["values", "regexValues", "ipAddressType"].filter((name) => config[name] !== undefined);
  if (said.length !== 1)
    yield {
      field: `${at}.${own}`,
      message: `a condition of ${key} needs ${said.length === 0 ? "values" : `one of ${said.join(" and ")}`}`,
    };
  const methods = what === "http-request-method" && Array.isArray(config.values) ? config.values : [];
  const wrong = methods.find((method) => typeof method === "string" && !/^[A-Z_-]+$/.test(method));
  if (wrong !== undefined)
    yield { field: `${at}.${own}.values`, message: `${JSON.stringify(wrong)} is no method: they are written in capitals` };
}

/** `path-pattern /api/*, /v1/*`. */
function conditionText(member: JsonObject): string {
  const config = member[CONFIGS[String(member.field)] ?? ""];
  const { httpHeaderName, values, regexValues, ipAddressType } = isObject(config) ? config : {};
  const list = [
    ...listed(values),
    ...listed(regexValues).map((regex) => `/${regex}/`),
    ...(ipAddressType === undefined ? [] : [ipAddressType]),
  ];
  return `${member.field}${httpHeaderName === undefined ? "" : ` ${httpHeaderName}`} ${list.join(", ")}`;
}

function listed(values: Json | undefined): string[] {
  if (!Array.isArray(values)) return [];
  return values.map((value) => (isObject(value) ? `${value.key === undefined ? "" : `${value.key}=`}${value.value}` : String(value)));
}
