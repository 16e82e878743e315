import assert from "node:assert/strict";
import { test } from "node:test";
import { WAFV2 } from "@aws-sdk/client-wafv2";
import { webACLAssociation } from "../../../reconcilers/wafv2/web-acl-association.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { Json } from "../../../src/core/json.ts";
import { failureOf } from "../../../src/engine/execution.ts";
import type { AnyKind, StaticResource } from "../../../src/kind/kind.ts";
import { clientSettings, freshProject } from "../../support/sandbox.ts";
import { assertHolds, benchFor, make, removeAll, seen, settle } from "../support.ts";

// Where no other test has web ACLs: a joined reading asks every one of the region.
const QUIET_REGION = "ap-southeast-2";

const balancer = (name: string) => `arn:aws:elasticloadbalancing:${QUIET_REGION}:123456789012:loadbalancer/app/${name}/50dc6c495c0c9188`;
const said = (name: string) => new AwsError(name, "said AWS", { operation: "wafv2:AssociateWebACL", verdict: "refused" });
const looking = (answers: Record<string, () => unknown>) => {
  const read = async (_service: unknown, operation: string) => answers[operation]?.();
  return { read, pages: read } as never;
};

/** Web ACLs, and what removes them. */
async function webAcls(...names: string[]) {
  const waf = new WAFV2(await clientSettings(undefined, QUIET_REGION));
  const VisibilityConfig = { CloudWatchMetricsEnabled: false, MetricName: "web", SampledRequestsEnabled: false };
  const request = { Scope: "REGIONAL" as const, DefaultAction: { Allow: {} }, VisibilityConfig };
  const made = await Promise.all(names.map((name) => waf.createWebACL({ ...request, Name: `${freshProject()}-${name}` })));
  const arns = made.map(({ Summary }) => String(Summary?.ARN));
  const remove = async () => {
    for (const { Summary } of made) await waf.deleteWebACL({ ...Summary, Scope: "REGIONAL" } as never);
  };
  return { waf, arns, remove };
}

test("another web ACL takes the old one's place, with no moment between", async () => {
  const bench = await benchFor(webACLAssociation, undefined, QUIET_REGION);
  const { waf, arns, remove } = await webAcls("web", "strict");
  const [web = "", strict = ""] = arns;
  const spec = { resourceArn: balancer(freshProject()), webAclArn: web };
  const made = await make(bench, spec);
  await assertHolds(bench, made);
  const changed = await settle(bench, made, { ...spec, webAclArn: strict }, spec);
  assert.equal(changed.effects, 1, "nothing is disassociated");
  await assertHolds(bench, changed);
  assert.equal((await waf.getWebACLForResource({ ResourceArn: made.id })).WebACL?.ARN, strict);
  await removeAll(bench, changed);
  assert.equal((await waf.getWebACLForResource({ ResourceArn: made.id })).WebACL, undefined);
  await remove();
});

test("many resources are looked at by what the web ACLs protect, whosever those are", async () => {
  const bench = await benchFor(webACLAssociation, undefined, QUIET_REGION);
  const { waf, arns, remove } = await webAcls("ours", "theirs");
  const resources = ["a", "b", "c", "d"].map((name) => balancer(`${bench.stack.split("/")[0]}-${name}`));
  const [a = "", b = "", c = "", d = ""] = resources;
  const [ours = "", theirs = ""] = arns;
  for (const ResourceArn of [a, b]) await waf.associateWebACL({ WebACLArn: ours, ResourceArn });
  await waf.associateWebACL({ WebACLArn: theirs, ResourceArn: c });
  const names = resources.map((resourceArn) => ({ resourceArn }));
  const found = await webACLAssociation.list.run(bench.reader, { ids: [a], names, fields: new Set() });
  assert.deepEqual(
    found.map(({ id, values }) => [id, values.webAclArn]),
    [
      [a, ours],
      [b, ours],
      [c, theirs],
    ],
    `${d} has none`,
  );
  assert.deepEqual(
    bench.session.calls().map(({ operation, calls }) => [operation, calls]),
    [
      ["wafv2:ListResourcesForWebACL", 2],
      ["wafv2:ListWebACLs", 1],
    ],
  );
  for (const ResourceArn of [a, b, c]) await waf.disassociateWebACL({ ResourceArn });
  await remove();
});

test("where that takes fewer calls, each resource is asked", async () => {
  const asked: string[] = [];
  const list = (count: number, webAcls: number) => {
    const note = (operation: string, answer: unknown) => () => {
      asked.push(operation);
      return answer;
    };
    const reader = looking({
      ListWebACLs: note(
        "ListWebACLs",
        Array.from({ length: webAcls }, (_, index) => ({ ARN: `acl-${index}` })),
      ),
      ListResourcesForWebACL: note("ListResourcesForWebACL", { ResourceArns: [] }),
      GetWebACLForResource: note("GetWebACLForResource", {}),
    });
    const ids = Array.from({ length: count }, (_, index) => balancer(`web-${index}`));
    return webACLAssociation.list.run(reader, { ids, names: [], fields: new Set() });
  };
  await list(2, 1);
  assert.deepEqual(asked.splice(0), Array(2).fill("GetWebACLForResource"), "so few that nobody asks how many web ACLs there are");
  await list(3, 3);
  assert.deepEqual(asked.splice(0), ["ListWebACLs", ...Array(3).fill("GetWebACLForResource")]);
  await list(4, 3);
  assert.deepEqual(asked.splice(0), ["ListWebACLs", ...Array(3).fill("ListResourcesForWebACL")]);
});

for (const name of ["WAFNonexistentItemException", "WAFUnavailableEntityException"]) {
  test(`a resource of which AWS says ${name} has no web ACL, and gets one later`, async () => {
    const reader = looking({ GetWebACLForResource: () => assert.fail(said(name)) });
    assert.deepEqual(await webACLAssociation.list.run(reader, { ids: [balancer("web")], names: [], fields: new Set() }), []);
    const failure = failureOf(webACLAssociation as AnyKind, said(name));
    assert.deepEqual(failure, { means: "retry", reason: "DependencyNotReady", message: "said AWS" });
  });
}

test("an association that ended with its resource is deleted", async () => {
  const deleting = (name: string) => {
    const writer = { write: async () => assert.fail(said(name)) } as never;
    return webACLAssociation.delete.run(writer, { id: balancer("web"), observed: {} });
  };
  await deleting("WAFNonexistentItemException");
  await assert.rejects(deleting("WAFInternalErrorException"), { name: "WAFInternalErrorException" });
});

const resources: readonly (readonly [what: string, arn: Json, finding: number])[] = [
  ["an application load balancer", balancer("web"), 0],
  ["an API's stage", "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/prod", 0],
  ["a user pool", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a", 0],
  ["what is not known yet", { $unknown: "x" }, 0],
  ["a network load balancer", "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/web/50dc6c495c0c9188", 1],
  ["a distribution", "arn:aws:cloudfront::123456789012:distribution/E1", 1],
];

for (const [what, resourceArn, count] of resources) {
  test(`${what} ${count === 0 ? "may have a" : "has no"} web ACL by association`, () => {
    const spec = { resourceArn, webAclArn: "x" };
    const resource: StaticResource = { key: "WebACLAssociation/web", spec, refersTo: () => undefined, spanOf: () => undefined };
    const findings = webACLAssociation.check?.([resource]) ?? [];
    assert.deepEqual(
      findings.map(({ field }) => field),
      Array(count).fill("resourceArn"),
    );
  });
}

test("nothing is listed where nothing is asked for", async () => {
  const bench = await benchFor(webACLAssociation);
  assert.deepEqual(await seen(bench), []);
  assert.deepEqual(bench.session.calls(), []);
});
