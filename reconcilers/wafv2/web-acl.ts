import type { CreateWebACLRequest, UpdateWebACLRequest, WebACL } from "@aws-sdk/client-wafv2";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../../src/aws/tags.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { optional } from "../../src/kind/schemas.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { tagsUpdater } from "../../src/kind/updaters.ts";
import { fromAws, NOT_FOUND, protectedBy, RESOURCE_TYPES, spelling, toAws, wafv2 } from "../../src/kind/wafv2.ts";
import { aclFindings, ruleText } from "../../src/kind/wafv2-check.ts";
import {
  applicationConfig,
  associationConfig,
  customResponseBodies,
  dataProtectionConfig,
  defaultAction,
  entityName,
  immunity,
  labelText,
  onSourceDdosProtectionConfig,
  overrideAction,
  ruleAction,
  visibilityConfig,
} from "../../src/kind/wafv2-parts.ts";
import { ruleStatement } from "../../src/kind/wafv2-statements.ts";

const rule = z.strictObject({
  name: field(entityName(), { doc: "Unique in the web ACL." }),
  priority: field(z.int().min(0), { doc: "Its place: rules of lower priority look at a request first." }),
  statement: field(ruleStatement, { doc: "What a request must be for it to match: one of these." }),
  action: optional(ruleAction(), "What becomes of a request that matches: one of these. Of every rule that is no rule group."),
  overrideAction: optional(overrideAction, "What becomes of a rule group's result: one of these. Of every rule group."),
  ruleLabels: optional(
    z.array(z.strictObject({ name: field(labelText(), { doc: "The label; WAF puts `labelNamespace` before it." }) })),
    "Labels that a request gets when it matches, for later rules.",
    { compare: { keyed: "name" }, unset: [] },
  ),
  visibilityConfig: field(visibilityConfig(), { doc: "Its metrics and samples." }),
  captchaConfig: optional(immunity, "How long a solved puzzle holds here."),
  challengeConfig: optional(immunity, "How long a passed challenge holds here."),
});

const spec = z.strictObject({
  name: optional(entityName(), "Unique in the region and scope; derived when absent.", { immutable: true }),
  scope: field(z.enum(["REGIONAL", "CLOUDFRONT"]), {
    doc: "What it can protect: resources of the region, or CloudFront.",
    immutable: true,
  }),
  description: optional(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[\w+=:#@/\-,.][\w+=:#@/\-,.\s]+[\w+=:#@/\-,.]$/),
    "What it is for.",
    { unset: null },
  ),
  defaultAction: field(defaultAction, { doc: "What becomes of a request that no rule ended: one of these.", whole: true }),
  rules: optional(z.array(rule), "What it looks for, and what it does then.", {
    compare: { keyed: "name" },
    whole: true,
    unset: [],
    text: ruleText,
  }),
  visibilityConfig: field(visibilityConfig(), { doc: "Its metrics and samples." }),
  customResponseBodies: optional(customResponseBodies, "Bodies of answers, by the name that actions use.", { whole: true, unset: {} }),
  captchaConfig: optional(immunity, "How long a solved puzzle holds.", { whole: true, unset: null }),
  challengeConfig: optional(immunity, "How long a passed challenge holds.", { whole: true, unset: null }),
  tokenDomains: optional(
    z.array(
      z
        .string()
        .min(1)
        .max(253)
        .regex(/^[\w./-]+$/),
    ),
    "Domains whose tokens it takes, beside the resource's own.",
    { compare: "set", unset: [] },
  ),
  associationConfig: optional(associationConfig, "How much of a body is inspected, by the type of resource.", { whole: true, unset: null }),
  dataProtectionConfig: optional(dataProtectionConfig, "Parts of requests that logs and samples must not show.", {
    whole: true,
    unset: null,
  }),
  onSourceDdosProtectionConfig: optional(onSourceDdosProtectionConfig, "Protection of load balancers against floods.", {
    whole: true,
    unset: { albLowReputationMode: "ACTIVE_UNDER_DDOS" },
  }),
  applicationConfig: optional(applicationConfig, "What it protects, for AWS's recommendations.", { whole: true, unset: null }),
  tags: tags(),
});

type Field = Exclude<keyof z.infer<typeof spec>, "name" | "scope" | "tags">;

// One call changes them all.
const FIELDS = Object.keys(spec.shape).filter((name) => !["name", "scope", "tags"].includes(name)) as Field[];

const status = z.strictObject({
  arn: field(z.string(), { doc: "The ARN of the web ACL: what resources are associated with." }),
  id: field(z.string(), { doc: "The ID, the last part of the ARN." }),
  capacity: field(z.int().optional(), { doc: "The web ACL capacity units that its rules take; AWS allows 5000." }),
  labelNamespace: field(z.string().optional(), { doc: "What WAF puts before its rules' labels." }),
});

export const webACL = defineKind({
  apiVersion: "wafv2.aws/v1",
  kind: "WebACL",
  doc: "A web application firewall: rules that let HTTP requests pass, refuse, count or challenge them.",
  shortNames: ["waf"],
  spec,
  status,
  id: "arn",
  identity: { by: "name", key: ["scope", "name"], name: { field: "name", maxLength: 128 } },
  deviations: [
    "`insertHeaders`, `responseHeaders` and `applicationConfig.attributes` are maps by name.",
    "`searchString` is text, sent as UTF-8; AWS's API wants bytes.",
    "And, or and not nest three deep, in which every condition can be written; AWS sets no limit.",
    "A rule is compared as a whole: what AWS fills in by itself makes no difference, anything else that the manifest does not say does.",
    "Scope CLOUDFRONT works in us-east-1 only, because AWS has it nowhere else.",
    "Payments by bots (`monetizationConfig` and the Monetize action) are not supported; what is set of them is kept.",
  ],
  errors: {
    notFound: NOT_FOUND,
    exists: ["WAFDuplicateItemException", "WafV2DuplicateItem"],
    // A lock token is as old as the read before: somebody else changed the web ACL in between.
    wait: ["WAFAssociatedItemException", "WAFOptimisticLockException"],
    propagating: ["WAFUnavailableEntityException"],
  },
  list: { operations: ["tag:GetResources", "wafv2:GetWebACL", "wafv2:ListWebACLs", "wafv2:ListTagsForResource"], run: list },
  create: {
    operations: ["wafv2:CreateWebACL"],
    run: async (aws, desired) => {
      const own = desired.tags ?? {};
      const said = Object.fromEntries(FIELDS.map((name) => [name, desired[name] as Json | undefined]));
      const { Summary } = await aws.write(wafv2, "CreateWebACL", {
        ...(requestOf(said) as unknown as CreateWebACLRequest),
        Name: desired.name,
        Scope: desired.scope,
        ...(Object.keys(own).length > 0 ? { Tags: toTagList(own) } : {}),
      });
      const arn = String(Summary?.ARN);
      const known = { rules: [], ...said, name: desired.name, scope: desired.scope, arn, id: Summary?.Id };
      return { id: arn, values: { ...defined(known), tags: own } };
    },
  },
  updates: [
    {
      fields: FIELDS,
      operations: ["wafv2:GetWebACL", "wafv2:UpdateWebACL"],
      run: async (aws, { id, desired, changes }) => {
        const { WebACL: now, LockToken } = await aws.read(wafv2, "GetWebACL", { ARN: id });
        const said = saidOf(desired, changes);
        // AWS replaces all of it: what the manifest does not say is sent as AWS has it this moment.
        const unsaid = UPDATABLE.filter((name) => !(name in said)).map((name) => [spelling(name), now?.[spelling(name) as keyof WebACL]]);
        const request = { ...Object.fromEntries(unsaid), ...requestOf(said), Name: now?.Name, Scope: scopeOf(id), Id: now?.Id, LockToken };
        await aws.write(wafv2, "UpdateWebACL", request as UpdateWebACLRequest);
        return { values: { ...(now ? valuesOf(now) : {}), ...said } };
      },
    },
    tagsUpdater({
      operations: ["wafv2:TagResource", "wafv2:UntagResource"],
      set: (aws, { id }, set) => aws.write(wafv2, "TagResource", { ResourceARN: id, Tags: toTagList(set) }),
      remove: (aws, { id }, TagKeys) => aws.write(wafv2, "UntagResource", { ResourceARN: id, TagKeys }),
    }),
  ],
  delete: {
    operations: ["wafv2:GetWebACL", "wafv2:DeleteWebACL"],
    run: async (aws, { id }) => {
      const { WebACL: now, LockToken } = await aws.read(wafv2, "GetWebACL", { ARN: id });
      await aws.write(wafv2, "DeleteWebACL", { Name: now?.Name, Scope: scopeOf(id), Id: now?.Id, LockToken });
    },
  },
  explainBlocked: {
    operations: ["wafv2:ListResourcesForWebACL"],
    run: async (aws, { id }) => {
      for (const { type } of RESOURCE_TYPES) {
        const resources = await protectedBy(aws, id, type);
        if (resources.length > 0) return `${resources.join(", ")}, which the web ACL protects`;
      }
      return undefined;
    },
  },
  check: (resources) => resources.flatMap((resource) => [...aclFindings(resource)]),
});

// "Default: 300 (5 minutes)" (WAFV2 API Reference, RateBasedStatement).
const WINDOW_SECONDS = 300;

/** Members of a web ACL that an update takes, whether a manifest can say them or not. */
const UPDATABLE = [...FIELDS, "monetizationConfig"];

type Said = Partial<Record<Field, Json | undefined>>;

/** What the manifest says, and removed fields as undefined. */
function saidOf(desired: Partial<Record<Field, unknown>>, changes: Readonly<Record<string, FieldChange>>): Said {
  const named = FIELDS.filter((name) => desired[name] !== undefined || changes[name]);
  return Object.fromEntries(named.map((name) => [name, changes[name] ? (changes[name].after ?? undefined) : (desired[name] as Json)]));
}

/** The members in AWS's words; where AWS refuses an empty list or map, none says the same. */
function requestOf(said: Said): Partial<UpdateWebACLRequest> {
  const present = Object.entries(said).filter(([name, value]) => value !== undefined && (name === "rules" || !isEmpty(value)));
  return toAws(Object.fromEntries(present)) as Partial<UpdateWebACLRequest>;
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  return listInScope<Remote>(scope, {
    id: (remote) => remote.id,
    byTags: async (wanted) => {
      const tagged = [...(await taggedResources(aws, "wafv2", wanted))].filter(([arn]) => isWebAcl(arn));
      for (const [arn, own] of tagged) known.set(arn, own);
      return getAll(
        aws,
        tagged.map(([arn]) => arn),
        known,
      );
    },
    byIds: (ids) => getAll(aws, ids.filter(isWebAcl), known),
    byNames: async (names) => {
      const scopes = [...new Set(names.map((name) => name.scope as "REGIONAL" | "CLOUDFRONT"))];
      const pages = await Promise.all(scopes.map((Scope) => aws.pages(wafv2, "ListWebACLs", { Scope, Limit: PAGE }, "WebACLs")));
      const arns = pages.flat().flatMap(({ Name, ARN }) => (ARN && names.some(isNamed(Name, ARN)) ? [ARN] : []));
      return getAll(aws, arns, known);
    },
    matches: ({ id, values }, name) => isNamed(values.name as string, id)(name),
  });
}

// The API's largest page (WAFV2 API Reference, PaginationLimit).
const PAGE = 100;

/** `arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID`, or `:global/webacl/`. */
function isWebAcl(arn: string): boolean {
  return /:(regional|global)\/webacl\//.test(arn);
}

function scopeOf(arn: string): "REGIONAL" | "CLOUDFRONT" {
  return arn.includes(":global/") ? "CLOUDFRONT" : "REGIONAL";
}

function isNamed(name: string | undefined, arn: string): (wanted: JsonObject) => boolean {
  return (wanted) => wanted.name === name && wanted.scope === scopeOf(arn);
}

async function getAll(aws: Reader, arns: readonly string[], known: ReadonlyMap<string, Tags>): Promise<readonly Remote[]> {
  const found = await Promise.all([...new Set(arns)].map((arn) => remote(aws, arn, known.get(arn))));
  return found.filter((object) => object !== undefined);
}

// A web ACL that was just made is not yet among the tagged resources: it is asked itself.
async function remote(aws: Reader, arn: string, known: Tags | undefined): Promise<Remote | undefined> {
  const [found, own] = await Promise.all([get(aws, arn), known ?? tagsOf(aws, arn)]);
  return found && { id: arn, values: { ...valuesOf(found), tags: own }, tags: own };
}

async function get(aws: Reader, ARN: string): Promise<WebACL | undefined> {
  return (await unlessNamed(NOT_FOUND, aws.read(wafv2, "GetWebACL", { ARN })))?.WebACL;
}

async function tagsOf(aws: Reader, ResourceARN: string): Promise<Tags> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(wafv2, "ListTagsForResource", { ResourceARN, Limit: PAGE }));
  return fromTagList(answer?.TagInfoForResource?.TagList);
}

function valuesOf(acl: WebACL): JsonObject {
  const all = fromAws(acl) as JsonObject;
  const names = ["arn", "id", "name", "capacity", "labelNamespace", ...FIELDS];
  const rules = ((all.rules ?? []) as readonly JsonObject[]).map(withoutWindow);
  return defined({ ...Object.fromEntries(names.map((name) => [name, all[name]])), rules, scope: scopeOf(String(acl.ARN)) });
}

// AWS says the window of a rate, whether anybody set it or not; plans should not speak of what nobody did.
function withoutWindow(found: JsonObject): JsonObject {
  const statement = found.statement as JsonObject;
  const { evaluationWindowSec, ...rate } = (statement.rateBasedStatement ?? {}) as JsonObject;
  return evaluationWindowSec === WINDOW_SECONDS ? { ...found, statement: { rateBasedStatement: rate } } : found;
}
