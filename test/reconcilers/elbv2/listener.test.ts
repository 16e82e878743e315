import assert from "node:assert/strict";
import { before, test } from "node:test";
import { listener } from "../../../reconcilers/elbv2/listener.ts";
import { targetGroup } from "../../../reconcilers/elbv2/target-group.ts";
import { diff } from "../../../src/core/diff.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";
import { balancer, certificates, nameFor, usersOf } from "./ground.ts";

const redirect = { type: "redirect", redirectConfig: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } };
const answer = (statusCode: string) => ({ type: "fixed-response", fixedResponseConfig: { statusCode } });

let issued: string[];
before(async () => {
  issued = await certificates("web.example.com", "api.example.com", "old.example.com");
});

const certificate = (index: number) => ({ certificateArn: issued[index] as string });

/** Whether the spec differs from what AWS holds, and how the actions of both read. */
async function differs(bench: Bench, id: string, desired: JsonObject): Promise<readonly string[]> {
  const [found] = await seen(bench, id);
  return diff({ shape: listener.spec, desired, observed: found?.values ?? {}, applied: desired, ignore: [] }).differences.map(
    ({ path }) => path,
  );
}

test("a redirect says what it changes, and AWS's defaults are no difference, said or not", async () => {
  const { balancer: lb, remove } = await balancer();
  const bench = await benchFor(listener);
  const base = { loadBalancerArn: lb.id, port: 80, protocol: "HTTP", defaultActions: [redirect] };
  const made = await make(bench, base);
  const { values } = await assertHolds(bench, made);
  assert.deepEqual((values.defaultActions as JsonObject[])[0]?.redirectConfig, {
    protocol: "HTTPS",
    port: "443",
    host: "#{host}",
    path: "/#{path}",
    query: "#{query}",
    statusCode: "HTTP_301",
  });
  assert.deepEqual([values.sslPolicy, values.certificates], [undefined, undefined]);
  assert.deepEqual(await differs(bench, made.id, base), []);
  const said = { ...base, defaultActions: [{ ...redirect, redirectConfig: { ...redirect.redirectConfig, host: "#{host}" } }] };
  assert.deepEqual(await differs(bench, made.id, said), []);
  const elsewhere = { ...base, defaultActions: [{ ...redirect, redirectConfig: { ...redirect.redirectConfig, host: "www.example.com" } }] };
  const moved = await settle(bench, made, elsewhere, base);
  assert.equal(moved.effects, 1);
  assert.deepEqual(await differs(bench, made.id, base), ["defaultActions"], "what left the manifest goes back to AWS's default");
  await assertHolds(bench, await settle(bench, moved, base, elsewhere));
  assert.deepEqual(await differs(bench, made.id, base), []);
  await removeAll(bench, moved);
  await remove();
});

test("forward has a short and a long form, which say the same of one target group", async () => {
  const { vpcId, balancer: lb, remove } = await balancer();
  const [bench, groups] = [await benchFor(listener), await benchFor(targetGroup)];
  const group = (name: string) => make(groups, { name: nameFor(groups, name), protocol: "HTTP", port: 80, vpcId });
  const [blue, green] = [await group("blue"), await group("green")];
  const spec = (action: JsonObject): JsonObject => ({
    loadBalancerArn: lb.id,
    port: 80,
    protocol: "HTTP",
    defaultActions: [{ type: "forward", ...action }],
  });
  const short = spec({ targetGroupArn: blue.id });
  const long = (...targetGroups: JsonObject[]) => spec({ forwardConfig: { targetGroups } });
  const made = await make(bench, short);
  await assertHolds(bench, made);
  assert.deepEqual(await differs(bench, made.id, short), []);
  assert.deepEqual(await differs(bench, made.id, long({ targetGroupArn: blue.id })), []);
  const both = long({ targetGroupArn: blue.id, weight: 9 }, { targetGroupArn: green.id });
  const weighted = await settle(bench, made, both, short);
  await assertHolds(bench, weighted);
  assert.deepEqual(
    await differs(bench, made.id, long({ targetGroupArn: green.id, weight: 1 }, { targetGroupArn: blue.id, weight: 9 })),
    [],
  );
  assert.deepEqual(await differs(bench, made.id, short), ["defaultActions"]);
  const targetGroups = [{ targetGroupArn: blue.id }];
  const sticky = spec({ forwardConfig: { targetGroups, targetGroupStickinessConfig: { enabled: true, durationSeconds: 60 } } });
  const stuck = await settle(bench, weighted, sticky, both);
  await assertHolds(bench, stuck);
  assert.deepEqual(await differs(bench, made.id, short), ["defaultActions"], "the short form says nothing of stickiness");
  const plain = await settle(bench, stuck, short, sticky);
  await assertHolds(bench, plain);
  await removeAll(bench, plain);
  await removeAll(groups, blue, green);
  await remove();
});

test("a listener becomes HTTPS with policy and certificate in one call, and forgets both with HTTP", async () => {
  const { balancer: lb, remove } = await balancer();
  const bench = await benchFor(listener);
  const http = { loadBalancerArn: lb.id, port: 80, protocol: "HTTP", defaultActions: [answer("404")] };
  const made = await make(bench, http);
  const https = {
    ...http,
    port: 443,
    protocol: "HTTPS",
    sslPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01",
    certificates: [certificate(0)],
    additionalCertificates: [certificate(1), certificate(2)],
    mutualAuthentication: { mode: "passthrough" },
  };
  const secure = await settle(bench, made, https, http);
  assert.equal(secure.effects, 3, "one call for the protocol and what belongs to it, one for each further certificate");
  await assertHolds(bench, secure);
  assert.deepEqual(await Promise.all(issued.map(usersOf)), [[lb.id], [lb.id], [lb.id]]);
  const other = { ...https, certificates: [certificate(1)], additionalCertificates: [certificate(2)] };
  const moved = await settle(bench, secure, other, https);
  assert.equal(moved.effects, 1, "one that becomes the default need not leave the list");
  await assertHolds(bench, moved);
  assert.deepEqual(await Promise.all(issued.map(usersOf)), [[], [lb.id], [lb.id]]);
  const { sslPolicy, ...without } = other;
  const plain = await settle(bench, moved, without, other);
  assert.equal((await assertHolds(bench, plain)).values.sslPolicy, "ELBSecurityPolicy-2016-08", "AWS's own default");
  const back = await settle(bench, plain, http, without);
  const { values } = await assertHolds(bench, back);
  assert.deepEqual([values.sslPolicy, values.certificates, values.mutualAuthentication], [undefined, undefined, undefined]);
  assert.deepEqual(await Promise.all(issued.map(usersOf)), [[], [], []]);
  await removeAll(bench, back);
  await remove();
  assert.ok(sslPolicy);
});

test("an HTTPS listener is made in one call, and its further certificates are looked at where somebody declares them", async () => {
  const { balancer: lb, remove } = await balancer();
  const bench = await benchFor(listener);
  const made = await make(bench, {
    loadBalancerArn: lb.id,
    port: 443,
    protocol: "HTTPS",
    sslPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01",
    certificates: [certificate(0)],
    defaultActions: [answer("200")],
  });
  await assertHolds(bench, made);
  const before = bench.session.calls().find(({ operation }) => operation.endsWith("DescribeListenerCertificates"))?.calls ?? 0;
  await ownedBy(bench, { fields: new Set(["certificates"]) });
  const after = bench.session.calls().find(({ operation }) => operation.endsWith("DescribeListenerCertificates"))?.calls;
  assert.equal(after, before);
  await removeAll(bench, made);
  await remove();
});

test("several actions have an order, and a client's secret is sent and never seen", async () => {
  const { balancer: lb, remove } = await balancer();
  const bench = await benchFor(listener);
  const oidc = {
    issuer: "https://id.example.com",
    authorizationEndpoint: "https://id.example.com/authorize",
    tokenEndpoint: "https://id.example.com/token",
    userInfoEndpoint: "https://id.example.com/info",
    clientId: "web",
  };
  const spec = {
    loadBalancerArn: lb.id,
    port: 443,
    protocol: "HTTPS",
    certificates: [certificate(0)],
    defaultActions: [{ type: "authenticate-oidc", authenticateOidcConfig: oidc }, answer("200")],
    clientSecret: "hush",
  };
  const made = await make(bench, spec);
  const { values } = await assertHolds(bench, made);
  const actions = values.defaultActions as JsonObject[];
  assert.deepEqual(
    actions.map(({ type, order }) => [type, order]),
    [
      ["authenticate-oidc", 1],
      ["fixed-response", 2],
    ],
  );
  assert.doesNotMatch(JSON.stringify(values), /hush/);
  assert.equal((await settle(bench, { ...made, values: { ...made.values, clientSecret: "hush" } }, spec)).effects, 0);
  const cognito = { userPoolArn: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/p", userPoolClientId: "c", userPoolDomain: "d" };
  const jwt = { jwksEndpoint: "https://id.example.com/keys", issuer: "https://id.example.com" };
  const others = {
    ...spec,
    defaultActions: [
      { type: "authenticate-cognito", authenticateCognitoConfig: cognito, order: 10 },
      { type: "jwt-validation", jwtValidationConfig: jwt, order: 20 },
      { ...answer("200"), order: 30 },
    ],
  };
  const changed = await settle(bench, made, others, spec);
  await assertHolds(bench, { ...changed, values: { ...changed.values, clientSecret: undefined } });
  assert.deepEqual(await differs(bench, made.id, { ...others, clientSecret: undefined }), []);
  await removeAll(bench, changed);
  await remove();
});

test("a look costs one call a load balancer, however many listeners it has, and finds them by port", async () => {
  const { balancer: lb, remove } = await balancer();
  const bench = await benchFor(listener);
  const spec = (port: number) => ({ loadBalancerArn: lb.id, port, protocol: "HTTP", defaultActions: [answer("404")] });
  const made = await Promise.all([80, 81, 82].map((port) => make(bench, spec(port))));
  const counted = () => Object.fromEntries(bench.session.calls().map(({ operation, calls }) => [operation.split(":")[1], calls]));
  const names = [
    { loadBalancerArn: lb.id, port: 81 },
    { loadBalancerArn: lb.id, port: 99 },
  ];
  const found = await ownedBy(bench, { fields: new Set(["tags"]), ids: made.map(({ id }) => id), names });
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  assert.deepEqual([counted().GetResources, counted().DescribeListeners, counted().DescribeTags], [1, 1, undefined]);
  const named = await listener.list.run(bench.reader, { ids: [], names, fields: new Set() });
  assert.deepEqual(
    named.map(({ values }) => values.port),
    [81],
  );
  const gone = {
    ids: [`${made[0]?.id}0`, lb.id.replace(":loadbalancer/", ":listener/").concat("0/0")],
    names: [],
    fields: new Set<string>(),
  };
  assert.deepEqual(await listener.list.run(bench.reader, gone), []);
  await removeAll(bench, ...made);
  await remove();
});

test("actions read as a person would say them", () => {
  const text = listener.spec.fields.defaultActions?.meta?.text as (member: JsonObject) => string;
  const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
  const groups = [{ targetGroupArn: arn, weight: 9 }, { targetGroupArn: { $unknown: "targetGroup.green.targetGroupArn" } }];
  assert.deepEqual(
    [
      redirect,
      { type: "redirect", redirectConfig: { path: "/new", query: "", statusCode: "HTTP_302" } },
      { type: "forward", targetGroupArn: arn },
      { type: "forward", forwardConfig: { targetGroups: groups, targetGroupStickinessConfig: { enabled: true, durationSeconds: 60 } } },
      { type: "fixed-response", fixedResponseConfig: { statusCode: "503", contentType: "text/plain", messageBody: "Back soon" } },
      { type: "jwt-validation", jwtValidationConfig: { jwksEndpoint: "https://k", issuer: "https://i" } },
    ].map((action) => text(action as unknown as JsonObject)),
    [
      "redirect to HTTPS://#{host}:443/#{path}?#{query} with HTTP_301",
      "redirect to #{protocol}://#{host}:#{port}/new with HTTP_302",
      "forward to targetgroup/web/1",
      "forward to targetgroup/web/1 (9), <targetGroup.green.targetGroupArn> (1), sticky for 60 s",
      "answer 503 text/plain Back soon",
      "jwt-validation by https://k https://i",
    ],
  );
});

const plain = { loadBalancerArn: "arn-1", port: 80, protocol: "HTTP", defaultActions: [redirect] };
const secure = { ...plain, port: 443, protocol: "HTTPS", certificates: [{ certificateArn: "c" }] };
const forward = { type: "forward", forwardConfig: { targetGroups: [{ targetGroupArn: "a" }] } };
const rows: readonly { why: string; spec: object; fields: readonly string[] }[] = [
  { why: "a whole listener is fine", spec: plain, fields: [] },
  { why: "a secure one is fine", spec: secure, fields: [] },
  { why: "HTTPS needs a certificate", spec: { ...plain, protocol: "HTTPS" }, fields: [""] },
  { why: "HTTP has none", spec: { ...secure, protocol: "HTTP" }, fields: ["certificates"] },
  {
    why: "the default certificate is no additional one",
    spec: { ...secure, additionalCertificates: [{ certificateArn: "d" }, { certificateArn: "c" }] },
    fields: ["additionalCertificates"],
  },
  { why: "ALPN is TLS's", spec: { ...secure, alpnPolicy: ["None"] }, fields: ["alpnPolicy"] },
  { why: "a trust store verifies", spec: { ...secure, mutualAuthentication: { mode: "verify" } }, fields: ["mutualAuthentication"] },
  {
    why: "and does nothing else",
    spec: { ...secure, mutualAuthentication: { mode: "off", trustStoreArn: "t" } },
    fields: ["mutualAuthentication"],
  },
  { why: "an action needs its config", spec: { ...plain, defaultActions: [{ type: "redirect" }] }, fields: ["defaultActions.0"] },
  {
    why: "and no other",
    spec: { ...plain, defaultActions: [{ ...redirect, targetGroupArn: "a" }] },
    fields: ["defaultActions.0.targetGroupArn"],
  },
  {
    why: "forward is said once",
    spec: { ...plain, defaultActions: [{ ...forward, targetGroupArn: "a" }] },
    fields: ["defaultActions.0.forwardConfig"],
  },
  {
    why: "a target group has one share",
    spec: {
      ...plain,
      defaultActions: [{ type: "forward", forwardConfig: { targetGroups: [{ targetGroupArn: "a" }, { targetGroupArn: "a" }] } }],
    },
    fields: ["defaultActions.0.forwardConfig.targetGroups"],
  },
  {
    why: "stickiness ends some time",
    spec: {
      ...plain,
      defaultActions: [{ type: "forward", forwardConfig: { ...forward.forwardConfig, targetGroupStickinessConfig: { enabled: true } } }],
    },
    fields: ["defaultActions.0.forwardConfig.targetGroupStickinessConfig"],
  },
  {
    why: "the list is in the actions' order",
    spec: {
      ...plain,
      defaultActions: [
        { ...redirect, order: 2 },
        { ...redirect, order: 1 },
      ],
    },
    fields: ["defaultActions.1.order"],
  },
  {
    why: "OpenID Connect needs a secret",
    spec: { ...secure, defaultActions: [{ type: "authenticate-oidc", authenticateOidcConfig: {} }, redirect] },
    fields: ["defaultActions"],
  },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "Listener/a", spec: spec as JsonObject, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      listener.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

test("two listeners of one load balancer listen on two ports", () => {
  const at = (key: "Listener/a" | "Listener/b" | "Listener/c", loadBalancerArn: string, port: number): StaticResource => ({
    key,
    spec: { ...plain, loadBalancerArn, port },
    refersTo: () => undefined,
    spanOf: () => undefined,
  });
  const found = listener.check?.([at("Listener/a", "one", 80), at("Listener/b", "two", 80), at("Listener/c", "one", 80)]);
  assert.deepEqual(
    found?.map(({ resource, message }) => [resource, message]),
    [["Listener/c", "Listener/c and Listener/a listen on port 80 of one load balancer"]],
  );
});
