import assert from "node:assert/strict";
import { test } from "node:test";
import { eip } from "../../../reconcilers/ec2/eip.ts";
import { securityGroup } from "../../../reconcilers/ec2/security-group.ts";
import { loadBalancer } from "../../../reconcilers/elbv2/load-balancer.ts";
import { isNamed } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, benchFor, make, ownedBy, recorder, removeAll, seen, settle } from "../support.ts";
import { nameFor, network } from "./ground.ts";

test("a load balancer's create says what AWS then holds, its attributes included", async () => {
  const { subnets, vpcId, remove } = await network({ isPublic: true });
  const bench = await benchFor(loadBalancer);
  const made = await make(bench, { name: nameFor(bench, "web"), subnets: subnets.slice(0, 2), tags: { Name: "web" } });
  assert.equal(made.values.state, "provisioning");
  const found = await assertHolds(bench, made);
  assert.deepEqual([found.values.scheme, found.values.type, found.values.vpcId], ["internet-facing", "application", vpcId]);
  assert.match(made.id, new RegExp(`:loadbalancer/${made.values.loadBalancerFullName}$`));
  assert.match(String(made.values.loadBalancerFullName), new RegExp(`^app/${made.values.name}/[0-9a-f]{16}$`));
  assert.match(String(made.values.dnsName), /\.elb\.amazonaws\.com$/);
  await removeAll(bench, found);
  await remove();
});

test("subnets, groups, address type, attributes and tags change in place, and unset puts them back", async () => {
  const { subnets, vpcId, remove } = await network();
  const [bench, groups] = [await benchFor(loadBalancer), await benchFor(securityGroup)];
  const [one, two] = [await make(groups, { groupName: "one", vpcId }), await make(groups, { groupName: "two", vpcId })];
  const base = {
    name: nameFor(bench, "web"),
    scheme: "internal",
    subnets: subnets.slice(0, 2),
    securityGroups: [one.id],
    attributes: { idleTimeout: { timeoutSeconds: 60 } },
    tags: { Gone: "soon" },
  };
  const made = await make(bench, base);
  assert.equal((await settle(bench, made, base)).effects, 0, "what AWS has by default needs no call");
  const wanted = {
    ...base,
    subnets: subnets.slice(1),
    securityGroups: [two.id, one.id],
    ipAddressType: "dualstack",
    attributes: {
      deletionProtection: { enabled: true },
      idleTimeout: { timeoutSeconds: 300 },
      accessLogs: { s3: { enabled: true, bucket: "logs", prefix: "web" } },
      routing: { http: { preserveHostHeader: { enabled: true } } },
    },
    tags: { Kept: "long" },
  };
  const changed = await settle(bench, made, wanted, base);
  assert.equal(changed.effects, 6, "four fields, one call to set tags and one to remove them");
  await assertHolds(bench, changed);
  const fewer = { ...wanted, attributes: { accessLogs: { s3: { enabled: true, bucket: "logs" } } } };
  const some = await settle(bench, changed, fewer, wanted);
  assert.equal(some.effects, 1);
  const left = (await assertHolds(bench, some)).values.attributes as JsonObject;
  assert.deepEqual(
    [left.deletionProtection, left.idleTimeout, (left.accessLogs as JsonObject).s3],
    [{ enabled: false }, { timeoutSeconds: 60 }, { enabled: true, bucket: "logs", prefix: "" }],
    "attributes that left the manifest are as AWS makes them",
  );
  const { attributes, ipAddressType, ...rest } = fewer;
  const back = await settle(bench, some, rest, fewer);
  const after = (await assertHolds(bench, back)).values;
  assert.deepEqual(
    [after.ipAddressType, ((after.attributes as JsonObject).accessLogs as JsonObject).s3],
    ["ipv4", { enabled: false, bucket: "logs", prefix: "" }],
  );
  await removeAll(bench, back);
  await removeAll(groups, one, two);
  await remove();
  assert.ok(attributes && ipAddressType);
});

test("more attributes than AWS takes in one call go in several", async () => {
  const { sent, writer } = recorder();
  const updater = loadBalancer.updates.find(({ fields }) => fields.includes("attributes"));
  const logs = (bucket: string) => ({ s3: { enabled: true, bucket, prefix: "p" } });
  const on = { enabled: true };
  const after: JsonObject = {
    deletionProtection: on,
    accessLogs: logs("a"),
    ipv6: { denyAllIgwTraffic: true },
    zonalShift: { config: on },
    idleTimeout: { timeoutSeconds: 1 },
    clientKeepAlive: { seconds: 60 },
    connectionLogs: logs("b"),
    healthCheckLogs: logs("c"),
    routing: {
      http: {
        desyncMitigationMode: "monitor",
        dropInvalidHeaderFields: on,
        preserveHostHeader: on,
        xAmznTlsVersionAndCipherSuite: on,
        xffClientPort: on,
        xffHeaderProcessing: { mode: "remove" },
      },
      http2: { enabled: false },
    },
    waf: { failOpen: on },
  };
  let before: JsonObject = {};
  for (let call = 0; call < 2; call++) {
    const change = { before, after, added: [], removed: [], changed: [], set: {}, drop: [] };
    const effect = await updater?.run(writer, { id: "arn", desired: { attributes: after }, observed: {}, changes: { attributes: change } });
    before = effect?.values.attributes as JsonObject;
  }
  assert.deepEqual(before, after);
  const keys = sent.map(({ input }) => (input as { Attributes: { Key: string }[] }).Attributes.map(({ Key }) => Key));
  assert.equal(keys[0]?.length, 20);
  assert.equal(new Set(keys.flat()).size, 22, "each is sent");
  assert.ok(keys.flat().includes("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"), "by AWS's names");
});

test("one that is protected is not deleted, and says what to do", async () => {
  const { subnets, remove } = await network();
  const bench = await benchFor(loadBalancer);
  const spec = { name: nameFor(bench, "web"), scheme: "internal", subnets: subnets.slice(0, 2) };
  const safe = await settle(bench, await make(bench, spec), { ...spec, attributes: { deletionProtection: { enabled: true } } });
  await assert.rejects(loadBalancer.delete.run(bench.writer, { id: safe.id, observed: {} }), (error: Error) => {
    assert.ok(isNamed(error, ["OperationNotPermitted"]));
    assert.match(error.message, /deletion protection is enabled: set attributes\.deletionProtection\.enabled to false and apply/);
    return true;
  });
  const open = await settle(bench, safe, { ...spec, attributes: { deletionProtection: { enabled: false } } });
  await removeAll(bench, open);
  await loadBalancer.delete.run(bench.writer, { id: open.id, observed: {} });
  await remove();
});

test("a network load balancer has its own attributes, and addresses in its subnets", async () => {
  const { subnets, remove } = await network({ isPublic: true });
  const [bench, addresses] = [await benchFor(loadBalancer), await benchFor(eip)];
  const address = await make(addresses, { domain: "vpc" });
  const base = {
    name: nameFor(bench, "net"),
    type: "network",
    subnetMappings: [{ subnetId: subnets[0], allocationId: address.id }],
    attributes: { dnsRecord: { clientRoutingPolicy: "availability_zone_affinity" } },
  };
  const made = await make(bench, base);
  assert.match(made.id, /:loadbalancer\/net\//);
  const changed = await settle(bench, made, { ...base, attributes: { loadBalancing: { crossZone: { enabled: true } } } }, base);
  assert.equal(changed.effects, 1, "one goes on, the other back to AWS's default");
  assert.deepEqual(((await assertHolds(bench, changed)).values.attributes as JsonObject).dnsRecord, {
    clientRoutingPolicy: "any_availability_zone",
  });
  const moved = await settle(bench, changed, { ...base, subnetMappings: [...base.subnetMappings, { subnetId: subnets[1] }] });
  assert.deepEqual((await assertHolds(bench, moved)).values.subnets, subnets.slice(0, 2));
  await removeAll(bench, moved);
  await removeAll(addresses, address);
  await remove();
});

test("groups of a network load balancer hold for PrivateLink, or not, and stay as they are", async () => {
  const { sent, writer } = recorder();
  const name = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic";
  const updater = loadBalancer.updates.find(({ fields }) => fields.includes(name));
  const change = { before: "on", after: "off", added: [], removed: [], changed: [], set: {}, drop: [] };
  const target = { id: "arn", desired: {}, observed: { securityGroups: ["sg-1"] }, changes: { [name]: change } };
  const effect = await updater?.run(writer, target);
  assert.deepEqual(effect?.values, { securityGroups: ["sg-1"], [name]: "off" });
  assert.deepEqual(sent[0]?.input, {
    LoadBalancerArn: "arn",
    SecurityGroups: ["sg-1"],
    EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "off",
  });
});

test("a look costs a call for all, and one each for attributes that somebody declared", async () => {
  const { subnets, remove } = await network();
  const bench = await benchFor(loadBalancer);
  const spec = (name: string) => ({ name: nameFor(bench, name), scheme: "internal", subnets: subnets.slice(0, 2) });
  const [one, two] = [await make(bench, spec("one")), await make(bench, spec("two"))];
  const reads = async (look: () => Promise<readonly Remote[]>) => {
    const before = counted();
    const found = await look();
    const after = counted();
    const calls = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
    return { ids: found.map(({ id }) => id).sort(), calls: Object.fromEntries(calls.filter(([, count]) => count > 0)) };
  };
  const counted = () => new Map(bench.session.calls().map(({ operation, calls }) => [operation.split(":")[1], calls]));
  const both = [one.id, two.id].sort();
  const owned = await reads(() => ownedBy(bench, { fields: new Set(["tags"]), ids: both }));
  assert.deepEqual(owned, { ids: both, calls: { GetResources: 1, DescribeLoadBalancers: 1 } });
  const declared = await reads(() => seen(bench, ...both));
  assert.deepEqual(declared.calls, { DescribeLoadBalancers: 1, DescribeTags: 1, DescribeLoadBalancerAttributes: 2 });
  const names = [spec("one"), spec("three")].map(({ name }) => ({ name }));
  const named = await reads(() => loadBalancer.list.run(bench.reader, { ids: [], names, fields: new Set() }));
  assert.deepEqual(
    named,
    { ids: [one.id], calls: { DescribeLoadBalancers: 1, DescribeTags: 1 } },
    "a batch would fail for the one that is missing",
  );
  const gone = await reads(() => loadBalancer.list.run(bench.reader, { ids: [`${one.id}0`], names: [], fields: new Set() }));
  assert.deepEqual(gone, { ids: [], calls: { DescribeLoadBalancers: 1 } });
  await removeAll(bench, one, two);
  await remove();
});

const states = [
  { observed: { state: "provisioning" }, state: "waiting", why: "the load balancer is provisioning" },
  { observed: { state: "active" }, state: "ready", why: undefined },
  { observed: { state: "active_impaired" }, state: "ready", why: undefined },
  { observed: {}, state: "ready", why: undefined },
  {
    observed: { state: "failed", stateReason: "no free addresses" },
    state: "failed",
    why: "the load balancer could not be set up: no free addresses",
  },
];

for (const { observed, state, why } of states) {
  test(`a load balancer that is ${JSON.stringify(observed)} is ${state}`, () => {
    const readiness = loadBalancer.ready(observed);
    assert.deepEqual([readiness.state, "why" in readiness ? readiness.why : undefined], [state, why]);
  });
}

const subnets = ["subnet-1", "subnet-2"];
const rows = [
  { why: "a whole one is fine", spec: { subnets }, fields: [] },
  { why: "a type that is not known yet is fine", spec: { subnets, type: { $unknown: "x" }, attributes: { waf: {} } }, fields: [] },
  { why: "it needs subnets", spec: {}, fields: [""] },
  { why: "said once", spec: { subnets, subnetMappings: [{ subnetId: "subnet-1" }] }, fields: ["subnetMappings"] },
  { why: "each once", spec: { subnetMappings: [{ subnetId: "s" }, { subnetId: "s" }] }, fields: ["subnetMappings"] },
  {
    why: "an application load balancer chooses its addresses",
    spec: { subnetMappings: [{ subnetId: "a" }, { subnetId: "b", allocationId: "eipalloc-1" }] },
    fields: ["subnetMappings.1"],
  },
  {
    why: "attributes go by the type",
    spec: { subnets, attributes: { idleTimeout: {}, dnsRecord: {} } },
    fields: ["attributes.dnsRecord"],
  },
  {
    why: "of network ones, too",
    spec: { subnets, type: "network", attributes: { idleTimeout: {}, dnsRecord: {}, deletionProtection: {} } },
    fields: ["attributes.idleTimeout"],
  },
  {
    why: "logs need a bucket",
    spec: { subnets, attributes: { accessLogs: { s3: { enabled: true } } } },
    fields: ["attributes.accessLogs.s3"],
  },
  { why: "unless they are off", spec: { subnets, attributes: { accessLogs: { s3: { enabled: false } } } }, fields: [] },
  {
    why: "PrivateLink leads to network load balancers",
    spec: { subnets, enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "on" },
    fields: ["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"],
  },
  {
    why: "network load balancers have IPv4 addresses",
    spec: { subnets, type: "network", ipAddressType: "dualstack-without-public-ipv4" },
    fields: ["ipAddressType"],
  },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "LoadBalancer/a", spec: spec as JsonObject, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      loadBalancer.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

const names = [
  { name: "beacon-prod-backend-alb", fits: true },
  { name: "a", fits: true },
  { name: "-a", fits: false },
  { name: "a-", fits: false },
  { name: "internal-a", fits: false },
  { name: "a_b", fits: false },
  { name: "x".repeat(33), fits: false },
];

for (const { name, fits } of names) {
  test(`${name} is ${fits ? "a" : "no"} name`, () => assert.equal(loadBalancer.specSchema.safeParse({ name, subnets }).success, fits));
}
