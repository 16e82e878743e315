/** The sandbox's WAF: one web ACL a resource, none deleted in use, updates that replace, and what the tagging API sees. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { ResourceGroupsTaggingAPI } from "@aws-sdk/client-resource-groups-tagging-api";
import { type CreateWebACLRequest, WAFV2 } from "@aws-sdk/client-wafv2";
import { clientSettings, freshProject } from "../support/sandbox.ts";

const VisibilityConfig = { CloudWatchMetricsEnabled: false, MetricName: "web", SampledRequestsEnabled: false };
const common = { Scope: "REGIONAL" as const, DefaultAction: { Allow: {} }, VisibilityConfig };
const api = (region: string, id: string) => `arn:aws:apigateway:${region}::/restapis/${id}/stages/prod`;

async function webAcl(more: Partial<CreateWebACLRequest> = {}, region?: string) {
  const settings = await clientSettings(undefined, region);
  const waf = new WAFV2(settings);
  const { Summary } = await waf.createWebACL({ ...common, Name: freshProject(), ...more });
  const named = { Name: Summary?.Name, Id: Summary?.Id, Scope: more.Scope ?? common.Scope };
  const now = () => waf.getWebACL({ ARN: Summary?.ARN });
  const remove = async () => waf.deleteWebACL({ ...named, LockToken: (await now()).LockToken });
  return { waf, settings, arn: String(Summary?.ARN), named, now, remove };
}

test("a resource has the web ACL that it was associated with last, and that one is not deleted", async () => {
  const [one, other] = [await webAcl(), await webAcl()];
  const ResourceArn = api(one.settings.region, freshProject());
  const { waf } = one;
  await assert.rejects(waf.associateWebACL({ WebACLArn: `${one.arn}x`, ResourceArn }), { name: "WAFNonexistentItemException" });
  await waf.associateWebACL({ WebACLArn: one.arn, ResourceArn });
  await waf.associateWebACL({ WebACLArn: other.arn, ResourceArn });
  assert.equal((await waf.getWebACLForResource({ ResourceArn })).WebACL?.ARN, other.arn);
  await one.remove();
  await assert.rejects(other.remove(), { name: "WAFAssociatedItemException" });
  await waf.disassociateWebACL({ ResourceArn });
  await other.remove();
});

test("what a web ACL protects is listed by type, load balancers where none is said", async () => {
  const { waf, settings, arn: WebACLArn, remove } = await webAcl();
  const balancer = `arn:aws:elasticloadbalancing:${settings.region}:123456789012:loadbalancer/app/${freshProject()}/50dc6c495c0c9188`;
  const stage = api(settings.region, freshProject());
  for (const ResourceArn of [balancer, stage]) await waf.associateWebACL({ WebACLArn, ResourceArn });
  const listed = async (ResourceType?: "API_GATEWAY" | "APPSYNC") =>
    (await waf.listResourcesForWebACL({ WebACLArn, ResourceType })).ResourceArns;
  assert.deepEqual([await listed(), await listed("API_GATEWAY"), await listed("APPSYNC")], [[balancer], [stage], []]);
  for (const ResourceArn of [balancer, stage]) await waf.disassociateWebACL({ ResourceArn });
  await remove();
  await assert.rejects(listed(), { name: "WAFNonexistentItemException" });
});

test("an association ends with its load balancer", async () => {
  const { waf, settings, arn: WebACLArn, remove } = await webAcl();
  const [ec2, elb] = [new EC2(settings), new ElasticLoadBalancingV2(settings)];
  const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
  const subnets = ["a", "b"].map(async (zone, index) => {
    const request = { VpcId: Vpc?.VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${settings.region}${zone}` };
    return String((await ec2.createSubnet(request)).Subnet?.SubnetId);
  });
  const Subnets = await Promise.all(subnets);
  const { LoadBalancers = [] } = await elb.createLoadBalancer({ Name: freshProject(), Scheme: "internal", Subnets });
  const ResourceArn = String(LoadBalancers[0]?.LoadBalancerArn);
  await waf.associateWebACL({ WebACLArn, ResourceArn });
  await assert.rejects(remove(), { name: "WAFAssociatedItemException" });
  await elb.deleteLoadBalancer({ LoadBalancerArn: ResourceArn });
  assert.deepEqual((await waf.listResourcesForWebACL({ WebACLArn })).ResourceArns, []);
  await remove();
});

test("an update replaces the web ACL, and nothing of it is dropped", async () => {
  const kept = { OnSourceDDoSProtectionConfig: { ALBLowReputationMode: "ALWAYS_ON" as const } };
  const Rule = {
    Name: "rate",
    Priority: 1,
    Action: { Block: {} },
    Statement: { RateBasedStatement: { Limit: 100, AggregateKeyType: "IP" as const } },
    VisibilityConfig,
  };
  const made = { Description: "Web", TokenDomains: ["example.com"], Rules: [Rule], ...kept };
  const { waf, named, now, remove } = await webAcl(made);
  const before = await now();
  assert.deepEqual(before.WebACL?.OnSourceDDoSProtectionConfig, kept.OnSourceDDoSProtectionConfig);
  assert.equal(before.WebACL?.Rules?.[0]?.Statement?.RateBasedStatement?.EvaluationWindowSec, 300, "as AWS fills it in");
  await waf.updateWebACL({ ...common, ...named, LockToken: before.LockToken });
  const { WebACL, LockToken } = await now();
  const members = ["Description", "TokenDomains", "OnSourceDDoSProtectionConfig"] as const;
  assert.deepEqual(
    members.filter((name) => name in (WebACL ?? {})),
    [],
  );
  assert.deepEqual(WebACL?.Rules, []);
  const stale = waf.updateWebACL({ ...common, ...named, LockToken: before.LockToken });
  await assert.rejects(stale, { name: "WAFOptimisticLockException" });
  assert.notEqual(LockToken, before.LockToken);
  await remove();
});

test("the tagging API sees web ACLs, those for CloudFront in us-east-1", async () => {
  const Tags = [{ Key: "of", Value: freshProject() }];
  const [regional, global] = [await webAcl({ Tags }), await webAcl({ Tags, Scope: "CLOUDFRONT" }, "us-east-1")];
  const tagged = async (region?: string) => {
    const tagging = new ResourceGroupsTaggingAPI(await clientSettings(undefined, region));
    const TagFilters = [{ Key: "of", Values: [String(Tags[0]?.Value)] }];
    const { ResourceTagMappingList = [] } = await tagging.getResources({ TagFilters, ResourceTypeFilters: ["wafv2"] });
    return ResourceTagMappingList.map(({ ResourceARN }) => ResourceARN);
  };
  assert.deepEqual([await tagged(), await tagged("us-east-1")], [[regional.arn], [global.arn]]);
  await regional.remove();
  await global.remove();
  assert.deepEqual([await tagged(), await tagged("us-east-1")], [[], []]);
  await assert.rejects(regional.waf.listTagsForResource({ ResourceARN: regional.arn }), { name: "WAFNonexistentItemException" });
});
