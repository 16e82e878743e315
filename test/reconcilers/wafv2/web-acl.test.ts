import assert from "node:assert/strict";
import { test } from "node:test";
import { WAFV2 } from "@aws-sdk/client-wafv2";
import { webACL } from "../../../reconcilers/wafv2/web-acl.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { failureOf } from "../../../src/engine/execution.ts";
import type { AnyKind, StaticResource } from "../../../src/kind/kind.ts";
import { ruleText } from "../../../src/kind/wafv2-check.ts";
import { clientSettings } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, recorder, removeAll, seen, settle } from "../support.ts";

const BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app";

const plain = async (region?: string) => new WAFV2(await clientSettings(undefined, region));
const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;
const metrics = (metricName: string) => ({ cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: true });
const specOf = (bench: Bench, name = "web"): JsonObject => ({
  name: nameFor(bench, name),
  scope: "REGIONAL",
  defaultAction: { allow: {} },
  visibilityConfig: metrics(name),
});
const rule = (name: string, priority: number, more: JsonObject): JsonObject => ({
  name,
  priority,
  action: { block: {} },
  statement: { geoMatchStatement: { countryCodes: ["KP"] } },
  visibilityConfig: metrics(name),
  ...more,
});
const rate = (more: JsonObject = {}) => ({ rateBasedStatement: { limit: 1000, aggregateKeyType: "IP", ...more } });

test("text to look for goes out as bytes, and comes back as text", async () => {
  const bench = await benchFor(webACL);
  const matching = (searchString: string) => ({
    byteMatchStatement: {
      searchString,
      fieldToMatch: { uriPath: {} },
      positionalConstraint: "CONTAINS",
      textTransformations: [{ priority: 0, type: "NONE" }],
    },
  });
  const statement = { notStatement: { statement: matching("어드민/=") } };
  const made = await make(bench, { ...specOf(bench), rules: [rule("paths", 1, { statement })] });
  const { WebACL } = await (await plain()).getWebACL({ ARN: made.id });
  const bytes = WebACL?.Rules?.[0]?.Statement?.NotStatement?.Statement?.ByteMatchStatement?.SearchString;
  assert.equal(Buffer.from(bytes ?? []).toString("utf8"), "어드민/=");
  const found = await assertHolds(bench, made);
  assert.deepEqual((found.values.rules as JsonObject[])[0]?.statement, statement);
  await removeAll(bench, made);
});

test("an update leaves what the manifest does not say as AWS has it at that moment", async () => {
  const [bench, waf] = [await benchFor(webACL), await plain()];
  const spec: JsonObject = { ...specOf(bench), rules: [rule("geo", 1, {})] };
  const made = await make(bench, spec);
  // Somebody changes the web ACL between the look and the update: the lock token of the look would be stale.
  const { WebACL, LockToken } = await waf.getWebACL({ ARN: made.id });
  const MonetizationConfig = { CryptoConfig: { PaymentNetworks: [] } };
  const outside = { Description: "Theirs", TokenDomains: ["theirs.example"], MonetizationConfig } as object;
  const { Name, Id, DefaultAction, VisibilityConfig, Rules } = WebACL ?? {};
  await waf.updateWebACL({ Name, Id, Scope: "REGIONAL", LockToken, DefaultAction, VisibilityConfig, Rules, ...outside });
  const changed = await settle(bench, made, { ...spec, defaultAction: { block: {} } }, spec);
  assert.equal(changed.effects, 1);
  const now = (await waf.getWebACL({ ARN: made.id })).WebACL as unknown as JsonObject;
  assert.deepEqual([now.Description, now.TokenDomains, now.DefaultAction], ["Theirs", ["theirs.example"], { Block: {} }]);
  assert.deepEqual(now.MonetizationConfig, MonetizationConfig, "what no manifest can say is kept, too");
  assert.deepEqual((now.Rules as object[]).length, 1);
  await removeAll(bench, await assertHolds(bench, changed));
});

test("a rule is compared as a whole: what the manifest takes out goes, and what AWS fills in by itself stays", async () => {
  const bench = await benchFor(webACL);
  const labelled = { ruleLabels: [{ name: "far" }], captchaConfig: { immunityTimeProperty: { immunityTime: 60 } } };
  const spec: JsonObject = { ...specOf(bench), rules: [rule("rate", 1, { statement: rate() }), rule("geo", 2, labelled)] };
  const made = await make(bench, spec);
  const found = await assertHolds(bench, made);
  assert.deepEqual((found.values.rules as JsonObject[])[0]?.statement, rate(), "plans do not speak of the window that AWS filled in");
  assert.equal((await settle(bench, found, spec, spec)).effects, 0, "and it is no difference");
  const said = { ...spec, rules: [rule("rate", 1, { statement: rate({ evaluationWindowSec: 300 }) }), rule("geo", 2, labelled)] };
  assert.equal((await settle(bench, found, said, spec)).effects, 0, "nor is the same window, said");
  const bare = { ...spec, rules: [rule("rate", 1, { statement: rate({ evaluationWindowSec: 60 }) }), rule("geo", 2, {})] };
  const changed = await settle(bench, found, bare, spec);
  const [first, second] = (await assertHolds(bench, changed)).values.rules as JsonObject[];
  assert.deepEqual([first?.statement, second], [rate({ evaluationWindowSec: 60 }), bare.rules[1]]);
  await removeAll(bench, changed);
});

test("a look costs one call for the tags of all, and one for each web ACL of the stack's own", async () => {
  const [bench, others] = [await benchFor(webACL), await benchFor(webACL)];
  const made = await Promise.all(["a", "b", "c"].map((name) => make(bench, specOf(bench, name))));
  const foreign = await make(others, specOf(others, "theirs"));
  const before = bench.session.calls();
  const found = await ownedBy(bench, { ids: made.map(({ id }) => id), names: made.map(({ values }) => pick(values)) });
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  assert.deepEqual(callsSince(bench, before), { "tag:GetResources": 1, "wafv2:GetWebACL": 3 });
  const named = await ownedBy(bench, { names: [pick(foreign.values), { scope: "REGIONAL", name: nameFor(bench, "nobody") }] });
  assert.equal(named.find(({ id }) => id === foreign.id)?.tags?.["beacon:stack"], others.stack, "a foreign web ACL says whose it is");
  await removeAll(bench, ...made);
  await removeAll(others, foreign);
});

function pick({ scope, name }: JsonObject): JsonObject {
  return { scope: scope as string, name: name as string };
}

function callsSince(bench: Bench, before: ReturnType<Bench["session"]["calls"]>): Record<string, number> {
  const earlier = new Map(before.map(({ operation, calls }) => [operation as string, calls]));
  const counts = bench.session.calls().map(({ operation, calls }) => [operation, calls - (earlier.get(operation) ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, calls]) => calls > 0).sort());
}

test("a web ACL that protects something is not deleted, and what it protects is named", async () => {
  const [bench, waf] = [await benchFor(webACL), await plain()];
  const made = await make(bench, specOf(bench));
  const ResourceArn = `${BALANCER}/${nameFor(bench, "web")}/50dc6c495c0c9188`;
  await waf.associateWebACL({ WebACLArn: made.id, ResourceArn });
  const refused = await webACL.delete.run(bench.writer, { id: made.id, observed: made.values }).catch((error: unknown) => error);
  assert.deepEqual(failureOf(webACL as AnyKind, refused), {
    means: "retry",
    reason: "Blocked",
    message: (refused as Error).message,
  });
  assert.equal(
    await webACL.explainBlocked?.run(bench.reader, { id: made.id, observed: made.values }),
    `${ResourceArn}, which the web ACL protects`,
  );
  await waf.disassociateWebACL({ ResourceArn });
  assert.equal(await webACL.explainBlocked?.run(bench.reader, { id: made.id, observed: made.values }), undefined);
  await removeAll(bench, made);
});

test("in us-east-1 there are web ACLs for CloudFront, beside the region's own of the same name", async () => {
  const bench = await benchFor(webACL, undefined, "us-east-1");
  const regional = await make(bench, specOf(bench));
  const global = await make(bench, { ...specOf(bench), scope: "CLOUDFRONT" });
  assert.match(global.id, /^arn:aws:wafv2:us-east-1:\d+:global\/webacl\//);
  const found = await ownedBy(bench);
  assert.deepEqual(
    new Map(found.map(({ id, values }) => [id, values.scope])),
    new Map([
      [regional.id, "REGIONAL"],
      [global.id, "CLOUDFRONT"],
    ]),
  );
  const changed = await settle(bench, global, { ...specOf(bench), scope: "CLOUDFRONT", description: "The edge" });
  await assertHolds(bench, changed);
  const byName = await bench.kind.list.run(bench.reader, { ids: [], names: [pick(global.values)], fields: new Set() });
  assert.deepEqual(
    byName.map(({ id }) => id),
    [global.id],
  );
  await removeAll(bench, changed);
  const other = { scope: "REGIONAL", name: nameFor(bench, "nobody") };
  const none = await bench.kind.list.run(bench.reader, { ids: [], names: [pick(global.values), other], fields: new Set() });
  assert.deepEqual(none, [], "the region's own is not the one for CloudFront");
  await removeAll(bench, regional);
});

test("what is no web ACL's ARN is not asked for", async () => {
  const bench = await benchFor(webACL);
  assert.deepEqual(await seen(bench, "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/web/1"), []);
  assert.deepEqual(bench.session.calls(), []);
});

test("members that are empty are not sent, but for rules", async () => {
  const { sent, writer } = recorder({ Summary: { ARN: "arn:aws:wafv2:r:1:regional/webacl/a/b", Id: "b" } });
  const spec = { name: "a", scope: "REGIONAL", rules: [], tokenDomains: [], customResponseBodies: {}, defaultAction: { allow: {} } };
  await webACL.create.run(writer as never, { ...spec, visibilityConfig: metrics("a") } as never, { token: "t" });
  const VisibilityConfig = { CloudWatchMetricsEnabled: true, MetricName: "a", SampledRequestsEnabled: true };
  assert.deepEqual(sent[0]?.input, { Name: "a", Scope: "REGIONAL", Rules: [], DefaultAction: { Allow: {} }, VisibilityConfig });
});

const verdicts = [
  { name: "WAFOptimisticLockException", means: "retry" },
  { name: "WAFAssociatedItemException", means: "retry" },
  { name: "WAFUnavailableEntityException", means: "retry" },
  { name: "WAFDuplicateItemException", means: "exists" },
  { name: "WafV2DuplicateItem", means: "exists" },
  { name: "WAFNonexistentItemException", means: "gone" },
  { name: "WAFLimitsExceededException", means: "stall" },
];

for (const { name, means } of verdicts) {
  test(`${name} means ${means}`, () => {
    const error = new AwsError(name, "said AWS", { operation: "wafv2:UpdateWebACL", verdict: "refused" });
    assert.equal(failureOf(webACL as AnyKind, error).means, means);
  });
}

const group = { managedRuleGroupStatement: { vendorName: "AWS", name: "AWSManagedRulesCommonRuleSet" } };
const geo = { geoMatchStatement: { countryCodes: ["KP"] } };
const body = { customResponse: { responseCode: 429, customResponseBodyKey: "slow" } };
const ruled = (more: JsonObject) => ({ rules: [rule("a", 1, more)] });
const grouped = (more: JsonObject) => ruled({ action: undefined as never, overrideAction: { none: {} }, statement: group, ...more });
const counted = (more: JsonObject) => ruled({ statement: rate(more) });
const checks: readonly { why: string; spec: JsonObject; fields: readonly string[] }[] = [
  { why: "a rule with an action is fine", spec: ruled({}), fields: [] },
  { why: "a rule group with an override is fine", spec: grouped({}), fields: [] },
  { why: "rules that are not known yet are fine", spec: { rules: { $unknown: "x" } }, fields: [] },
  { why: "a statement that is not known yet is fine", spec: ruled({ statement: { $unknown: "x" } }), fields: [] },
  { why: "a default action is one", spec: { defaultAction: { allow: {}, block: {} } }, fields: ["defaultAction"] },
  { why: "a default action is not none", spec: { defaultAction: {} }, fields: ["defaultAction"] },
  { why: "names are unique", spec: { rules: [rule("a", 1, {}), rule("a", 2, {})] }, fields: ["rules.1.name"] },
  { why: "priorities are unique", spec: { rules: [rule("a", 1, {}), rule("b", 1, {})] }, fields: ["rules.1.priority"] },
  { why: "a rule needs an action", spec: ruled({ action: undefined as never }), fields: ["rules.0"] },
  { why: "a rule has no override", spec: ruled({ overrideAction: { none: {} } }), fields: ["rules.0.overrideAction"] },
  { why: "a rule group needs an override", spec: grouped({ overrideAction: undefined as never }), fields: ["rules.0"] },
  { why: "a rule group has no action", spec: grouped({ action: { block: {} } }), fields: ["rules.0.action"] },
  { why: "a rule group has no labels", spec: grouped({ ruleLabels: [{ name: "x" }] }), fields: ["rules.0.ruleLabels"] },
  {
    why: "a statement says one thing, however deep it is",
    spec: ruled({ statement: { orStatement: { statements: [geo, { notStatement: { statement: { ...geo, ...group } } }] } } }),
    fields: ["rules.0.statement.orStatement.statements.1.notStatement.statement"],
  },
  {
    why: "a match looks at one part of the request, and cookies in one way",
    spec: ruled({
      statement: { xssMatchStatement: { fieldToMatch: { cookies: { matchPattern: { all: {}, includedCookies: ["a"] } } } } },
    }),
    fields: ["rules.0.statement.xssMatchStatement.fieldToMatch.cookies.matchPattern"],
  },
  { why: "custom keys are given", spec: counted({ aggregateKeyType: "CUSTOM_KEYS" }), fields: ["rules.0.statement.rateBasedStatement"] },
  {
    why: "custom keys are given for that only",
    spec: counted({ customKeys: [{ ip: {} }] }),
    fields: ["rules.0.statement.rateBasedStatement.customKeys"],
  },
  {
    why: "counting all requests needs a scope",
    spec: counted({ aggregateKeyType: "CONSTANT" }),
    fields: ["rules.0.statement.rateBasedStatement"],
  },
  {
    why: "a forwarded address is in a header that is named",
    spec: counted({ aggregateKeyType: "FORWARDED_IP" }),
    fields: ["rules.0.statement.rateBasedStatement"],
  },
  {
    why: "a body is defined",
    spec: ruled({ action: { block: body } }),
    fields: ["rules.0.action.block.customResponse.customResponseBodyKey"],
  },
  {
    why: "a body that is defined is fine",
    spec: { ...ruled({ action: { block: body } }), customResponseBodies: { slow: { contentType: "TEXT_PLAIN", content: "x" } } },
    fields: [],
  },
  {
    why: "an overridden rule has one action",
    spec: grouped({
      statement: {
        managedRuleGroupStatement: { ...group.managedRuleGroupStatement, ruleActionOverrides: [{ name: "x", actionToUse: {} }] },
      },
    }),
    fields: ["rules.0.statement.managedRuleGroupStatement.ruleActionOverrides.0.actionToUse"],
  },
];

for (const { why, spec, fields } of checks) {
  test(`before any call: ${why}`, () => {
    const known = JSON.parse(JSON.stringify(spec)) as JsonObject;
    const resource: StaticResource = { key: "WebACL/web", spec: known, refersTo: () => undefined, spanOf: () => undefined };
    assert.deepEqual(
      webACL.check?.([resource]).map(({ field }) => field),
      fields,
    );
  });
}

test("plans write a rule by its name, place, action and statement", () => {
  assert.equal(ruleText(rule("rate", 1, { statement: rate() })), "rate (1): block, rateBasedStatement");
  const { action, ...rest } = rule("common", 10, { statement: group, overrideAction: { none: {} } });
  assert.equal(ruleText(rest), "common (10): override none, managedRuleGroupStatement");
});
