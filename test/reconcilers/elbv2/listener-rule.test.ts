import assert from "node:assert/strict";
import { test } from "node:test";
import { listener } from "../../../reconcilers/elbv2/listener.ts";
import { listenerRule } from "../../../reconcilers/elbv2/listener-rule.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { failureOf } from "../../../src/engine/execution.ts";
import { elbv2 } from "../../../src/kind/elbv2.ts";
import type { Remote, StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";
import { balancer } from "./ground.ts";

const answer = { type: "fixed-response", fixedResponseConfig: { statusCode: "404" } };
const paths = (...values: string[]) => ({ field: "path-pattern", pathPatternConfig: { values } });

async function ground() {
  const { balancer: lb, remove } = await balancer();
  const [listeners, bench] = [await benchFor(listener), await benchFor(listenerRule)];
  const made = await make(listeners, { loadBalancerArn: lb.id, port: 80, protocol: "HTTP", defaultActions: [answer] });
  const spec = (priority: number, more: JsonObject = {}) => ({
    listenerArn: made.id,
    priority,
    conditions: [paths(`/${priority}`)],
    actions: [answer],
    ...more,
  });
  // AWS deletes its rules with a listener.
  const end = async () => {
    await removeAll(listeners, made);
    await remove();
  };
  return { bench, listener: made, spec, end };
}

const priorities = async (bench: Bench, ...rules: Remote[]) =>
  Promise.all(rules.map(async ({ id }) => (await seen(bench, id))[0]?.values.priority));
const writes = ({ session }: Bench) => session.calls().find(({ operation }) => operation.endsWith("SetRulePriorities"))?.calls ?? 0;

test("conditions of every kind, actions and transforms read back as they were written", async () => {
  const { bench, spec, end } = await ground();
  const conditions = [
    { field: "host-header", hostHeaderConfig: { regexValues: ["^a.*$"] } },
    paths("/b", "/a"),
    { field: "http-header", httpHeaderConfig: { httpHeaderName: "X-One", values: ["1"] } },
    { field: "http-header", httpHeaderConfig: { httpHeaderName: "X-Two", values: ["2"] } },
    { field: "http-request-method", httpRequestMethodConfig: { values: ["GET", "HEAD"] } },
    { field: "query-string", queryStringConfig: { values: [{ key: "a", value: "1" }, { value: "2" }] } },
    { field: "source-ip", sourceIpConfig: { values: ["10.0.0.0/8"] } },
  ];
  const transforms = [{ type: "host-header-rewrite", hostHeaderRewriteConfig: { rewrites: [{ regex: "^(.*)$", replace: "$1" }] } }];
  const wanted = spec(1, { conditions, transforms });
  const made = await make(bench, wanted);
  await assertHolds(bench, made);
  const shuffled = { ...wanted, conditions: [...conditions.slice(3), paths("/a", "/b"), conditions[0], conditions[2]] as JsonObject[] };
  assert.equal((await settle(bench, made, shuffled, wanted)).effects, 0, "their order does not count");
  const fewer = spec(1, { conditions: [conditions[2] as JsonObject] });
  const changed = await settle(bench, made, fewer, wanted);
  assert.equal(changed.effects, 1, "conditions and transforms go in one call");
  assert.deepEqual((await assertHolds(bench, changed)).values.transforms, []);
  await removeAll(bench, changed);
  await end();
});

test("rules that cross swap their priorities in one call", async () => {
  const { bench, spec, end } = await ground();
  const [one, two] = [await make(bench, spec(1)), await make(bench, spec(2))];
  const moved = await settle(bench, one, spec(2, { conditions: [paths("/1")] }), spec(1));
  assert.equal(moved.effects, 1);
  assert.deepEqual(await priorities(bench, one, two), [2, 1]);
  const other = await settle(bench, two, spec(1, { conditions: [paths("/2")] }), spec(2));
  assert.equal(other.effects, 1, "it is there already, and the look of its updater tells");
  assert.equal(writes(bench), 1);
  await end();
});

test("a rule that moves to a free place leaves the others where they are", async () => {
  const { bench, spec, end } = await ground();
  const [one, two] = [await make(bench, spec(1)), await make(bench, spec(2))];
  await assertHolds(bench, await settle(bench, one, spec(3, { conditions: [paths("/1")] }), spec(1)));
  assert.deepEqual(await priorities(bench, one, two), [3, 2]);
  await end();
});

test("nobody else's rule is moved", async () => {
  const { bench, spec, end } = await ground();
  const theirs = await make(await benchFor(listenerRule), spec(2));
  const ours = await make(bench, spec(1));
  await assert.rejects(settle(bench, ours, spec(2, { conditions: [paths("/1")] }), spec(1)), (error: Error & { verdict?: string }) => {
    assert.deepEqual([error.name, error.verdict], ["PriorityTaken", "refused"]);
    assert.equal(error.message, `priority 2 belongs to ${theirs.id}, which is not of this stack: choose another one, or move that rule`);
    return true;
  });
  assert.deepEqual(await priorities(bench, ours, theirs), [1, 2]);
  assert.equal(writes(bench), 0);
  await end();
});

test("a priority that a third rule takes between look and call is looked at again", async () => {
  const { bench, spec, end } = await ground();
  const ours = await make(bench, spec(1));
  const updater = listenerRule.updates.find(({ fields }) => fields.includes("priority"));
  const change = { before: 1, after: 2, added: [], removed: [], changed: [], set: {}, drop: [] };
  const racing = {
    ...bench.writer,
    read: bench.writer.read.bind(bench.writer),
    pages: bench.writer.pages.bind(bench.writer),
    write: async (...call: Parameters<typeof bench.writer.write>) => {
      await make(bench, spec(2));
      return bench.writer.write(...call);
    },
  } as unknown as typeof bench.writer;
  const effect = await updater?.run(racing, { id: ours.id, desired: spec(2), observed: ours.values, changes: { priority: change } });
  assert.deepEqual(effect?.values, { priority: 1 });
  await end();
});

test("a new rule waits for a priority that another of the stack has, and is refused anybody else's", async () => {
  const { bench, spec, end } = await ground();
  await make(bench, spec(1));
  await make(await benchFor(listenerRule), spec(2));
  const create = (priority: number) => make(bench, spec(priority, { tags: { "beacon:uid": "u2" } }));
  await assert.rejects(create(1), (error: Error) => {
    assert.deepEqual(failureOf(listenerRule, error).means, "retry");
    assert.match(error.message, /^priority 1 still belongs to /);
    return true;
  });
  await assert.rejects(create(2), (error: Error) => failureOf(listenerRule, error).means === "exists");
  await end();
});

test("a look costs one call a listener, leaves its default rule out, and finds rules by priority", async () => {
  const { bench, listener: at, spec, end } = await ground();
  const made = [await make(bench, spec(1)), await make(bench, spec(2))];
  const names = [
    { listenerArn: at.id, priority: 2 },
    { listenerArn: at.id, priority: 3 },
  ];
  const found = await ownedBy(bench, { ids: made.map(({ id }) => id), names });
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  const counted = Object.fromEntries(bench.session.calls().map(({ operation, calls }) => [operation.split(":")[1], calls]));
  assert.deepEqual([counted.GetResources, counted.DescribeRules, counted.DescribeTags], [1, 1, undefined]);
  const { Rules = [] } = await bench.reader.read(elbv2, "DescribeRules", { ListenerArn: at.id });
  const byDefault = Rules.find(({ IsDefault }) => IsDefault)?.RuleArn;
  assert.deepEqual(await seen(bench, byDefault ?? assert.fail("a listener has a default rule")), []);
  const named = await listenerRule.list.run(bench.reader, { ids: [], names, fields: new Set() });
  assert.deepEqual(
    named.map(({ id }) => id),
    [made[1]?.id],
  );
  await end();
});

test("conditions read as a person would say them", () => {
  const text = listenerRule.spec.fields.conditions?.meta?.text as (member: JsonObject) => string;
  assert.deepEqual(
    [
      paths("/a", "/b"),
      { field: "http-header", httpHeaderConfig: { httpHeaderName: "X", values: ["1"] } },
      { field: "host-header", hostHeaderConfig: { regexValues: ["^a"] } },
      { field: "query-string", queryStringConfig: { values: [{ key: "a", value: "1" }, { value: "2" }] } },
      { field: "source-ip", sourceIpConfig: { ipAddressType: "ipv6" } },
    ].map((condition) => text(condition as JsonObject)),
    ["path-pattern /a, /b", "http-header X 1", "host-header /^a/", "query-string a=1, 2", "source-ip ipv6"],
  );
});

const whole = { listenerArn: "arn-1", priority: 1, conditions: [paths("/a")], actions: [answer] };
const rows: readonly { why: string; spec: object; fields: readonly string[] }[] = [
  { why: "a whole rule is fine", spec: whole, fields: [] },
  { why: "a condition needs its config", spec: { ...whole, conditions: [{ field: "host-header" }] }, fields: ["conditions.0"] },
  {
    why: "and no other",
    spec: { ...whole, conditions: [{ ...paths("/a"), hostHeaderConfig: { values: ["a"] } }] },
    fields: ["conditions.0.hostHeaderConfig"],
  },
  {
    why: "and values in it",
    spec: { ...whole, conditions: [{ field: "path-pattern", pathPatternConfig: {} }] },
    fields: ["conditions.0.pathPatternConfig"],
  },
  {
    why: "of one kind",
    spec: { ...whole, conditions: [{ field: "path-pattern", pathPatternConfig: { values: ["/a"], regexValues: ["a"] } }] },
    fields: ["conditions.0.pathPatternConfig"],
  },
  {
    why: "methods are in capitals",
    spec: { ...whole, conditions: [{ field: "http-request-method", httpRequestMethodConfig: { values: ["GET", "post"] } }] },
    fields: ["conditions.0.httpRequestMethodConfig.values"],
  },
  { why: "an action needs its config", spec: { ...whole, actions: [{ type: "forward" }] }, fields: ["actions.0"] },
  { why: "a transform needs its config", spec: { ...whole, transforms: [{ type: "url-rewrite" }] }, fields: ["transforms.0"] },
  {
    why: "one transform of a type",
    spec: { ...whole, transforms: [1, 2].map(() => ({ type: "url-rewrite", urlRewriteConfig: {} })) },
    fields: ["transforms"],
  },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "ListenerRule/a", spec: spec as JsonObject, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      listenerRule.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

test("two rules of one listener have two priorities", () => {
  const at = (key: "ListenerRule/a" | "ListenerRule/b", priority: number): StaticResource => ({
    key,
    spec: { ...whole, listenerArn: { $unknown: "listener.web.listenerArn" }, priority },
    refersTo: () => ({ key: "Listener/web" }) as unknown as StaticResource,
    spanOf: () => undefined,
  });
  assert.deepEqual(listenerRule.check?.([at("ListenerRule/a", 1), at("ListenerRule/b", 2)]), []);
  const [found] = listenerRule.check?.([at("ListenerRule/a", 1), at("ListenerRule/b", 1)]) ?? [];
  assert.equal(found?.message, "ListenerRule/b and ListenerRule/a both have priority 1");
});
