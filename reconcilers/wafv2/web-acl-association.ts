import type { ResourceType } from "@aws-sdk/client-wafv2";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { field } from "../../src/core/field.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { unlessNamed } from "../../src/kind/listing.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";
import { NOT_FOUND, protectedBy, typeOfResource, wafv2 } from "../../src/kind/wafv2.ts";
import { resourceArn } from "../../src/kind/wafv2-parts.ts";

const UNAVAILABLE = "WAFUnavailableEntityException";

const spec = z.strictObject({
  resourceArn: field(resourceArn(), {
    doc: "The ARN of what is protected: a load balancer, an API Gateway stage, a user pool and so on.",
    immutable: true,
    ref: "elbv2.aws/v1 LoadBalancer.loadBalancerArn",
  }),
  webAclArn: field(resourceArn(), { doc: "The ARN of the web ACL that protects it.", ref: "wafv2.aws/v1 WebACL.arn" }),
});

const status = z.strictObject({
  resourceArn: field(z.string(), { doc: "The ARN of what is protected." }),
});

export const webACLAssociation = defineKind({
  apiVersion: "wafv2.aws/v1",
  kind: "WebACLAssociation",
  doc: "Puts a web ACL in front of a load balancer or another resource of the region, which has one at most.",
  shortNames: ["wafassoc"],
  spec,
  status,
  id: "resourceArn",
  identity: { by: "name", key: ["resourceArn"], upsert: true, partOf: "resourceArn" },
  deviations: ["CloudFront distributions name their web ACL themselves: AWS does not associate them."],
  errors: {
    // AWS says both of a web ACL that was just made and of a load balancer that it does not know yet.
    propagating: [UNAVAILABLE, ...NOT_FOUND],
  },
  list: { operations: ["wafv2:GetWebACLForResource", "wafv2:ListWebACLs", "wafv2:ListResourcesForWebACL"], run: list },
  create: {
    operations: ["wafv2:AssociateWebACL"],
    run: async (aws, { resourceArn: id, webAclArn }) => {
      await associate(aws, id, webAclArn);
      return { id, values: { resourceArn: id, webAclArn } };
    },
  },
  updates: [
    // The new web ACL takes the place of the old one, so that the resource is never without.
    fieldUpdater("webAclArn", ["wafv2:AssociateWebACL"], (aws, { id }, webAclArn) => associate(aws, id, String(webAclArn))),
  ],
  delete: {
    operations: ["wafv2:DisassociateWebACL"],
    run: async (aws, { id }) => {
      try {
        await aws.write(wafv2, "DisassociateWebACL", { ResourceArn: id });
      } catch (error) {
        // What was protected is gone, and its association with it.
        if (!isNamed(error, NOT_FOUND)) throw error;
      }
    },
  },
  check: (resources) =>
    resources.flatMap(({ key, spec: { resourceArn: arn } }) => {
      if (typeof arn !== "string" || typeOfResource(arn) !== undefined) return [];
      const message = `${key} names no resource that a web ACL can be associated with`;
      return [{ resource: key, field: "resourceArn", message, hint: "a load balancer's ARN has :loadbalancer/app/ in it" }];
    }),
});

function associate(aws: Writer, ResourceArn: string, WebACLArn: string): Promise<unknown> {
  return aws.write(wafv2, "AssociateWebACL", { ResourceArn, WebACLArn });
}

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const resources = [...new Set([...scope.ids, ...scope.names.map((name) => String(name.resourceArn))])];
  const pairs = (await joined(aws, resources)) ?? (await Promise.all(resources.map((arn) => pairOf(aws, arn))));
  return pairs.flatMap(([arn, webAclArn]) => (webAclArn === undefined ? [] : [{ id: arn, values: { resourceArn: arn, webAclArn } }]));
}

type Pair = readonly [resource: string, webAcl: string | undefined];

// With so few, the web ACLs need not be asked for first.
const ASKED_ONE_BY_ONE_MAX = 2;
const PAGE = 100;

/** What every web ACL protects, joined; undefined where to ask each resource takes fewer calls, of which AWS allows one a second. */
async function joined(aws: Reader, resources: readonly string[]): Promise<readonly Pair[] | undefined> {
  if (resources.length <= ASKED_ONE_BY_ONE_MAX) return undefined;
  const acls = await aws.pages(wafv2, "ListWebACLs", { Scope: "REGIONAL", Limit: PAGE }, "WebACLs");
  const types = [...new Set(resources.map(typeOfResource))];
  if (acls.length * types.length >= resources.length || !types.every((type) => type !== undefined)) return undefined;
  const asked = acls.flatMap(({ ARN }) => (ARN ? types.map((type) => pairsOf(aws, ARN, type)) : []));
  const found = new Map((await Promise.all(asked)).flat());
  return resources.map((arn) => [arn, found.get(arn)]);
}

async function pairsOf(aws: Reader, webAcl: string, type: ResourceType): Promise<readonly Pair[]> {
  return (await protectedBy(aws, webAcl, type)).map((arn) => [arn, webAcl]);
}

// A resource that WAF has yet to hear of has no web ACL.
async function pairOf(aws: Reader, ResourceArn: string): Promise<Pair> {
  const answer = await unlessNamed([UNAVAILABLE, ...NOT_FOUND], aws.read(wafv2, "GetWebACLForResource", { ResourceArn }));
  return [ResourceArn, answer?.WebACL?.ARN];
}
