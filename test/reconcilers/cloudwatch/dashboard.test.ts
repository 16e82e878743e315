import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { dashboard } from "../../../reconcilers/cloudwatch/dashboard.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { failureOf } from "../../../src/engine/execution.ts";
import type { AnyKind } from "../../../src/kind/kind.ts";
import { clientSettings } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, recorder, removeAll, settle } from "../support.ts";

const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;
const widget = { type: "text", x: 0, y: 0, width: 6, height: 3, properties: { markdown: "# Web" } };
const specOf = (bench: Bench, name = "web"): JsonObject => ({ dashboardName: nameFor(bench, name), dashboardBody: { widgets: [widget] } });

test("a body is the same as text, as a map, and in any order of members", async () => {
  const bench = await benchFor(dashboard);
  const spec: JsonObject = { ...specOf(bench), tags: { Name: "web" } };
  const made = await make(bench, spec);
  const found = await assertHolds(bench, made);
  const { properties, height, ...rest } = widget;
  const text = JSON.stringify({ widgets: [{ properties, height, ...rest }] }, null, 2);
  assert.equal((await settle(bench, found, { ...spec, dashboardBody: text }, spec)).effects, 0);
  const changed = await settle(bench, found, { ...spec, dashboardBody: text.replace("Web", "API") }, spec);
  assert.equal(changed.effects, 1);
  const cloudwatch = new CloudWatch(await clientSettings(undefined, "us-west-2"));
  const { DashboardBody } = await cloudwatch.getDashboard({ DashboardName: made.id });
  const [now] = JSON.parse(String(DashboardBody)).widgets;
  assert.equal(now.properties.markdown, "# API", "in whatever region one looks");
  assert.deepEqual((await ownedBy(bench))[0]?.tags, { Name: "web", "beacon:stack": bench.stack }, "a put leaves the tags");
  await removeAll(bench, changed);
});

test("a body that is no map is refused before any call", () => {
  const issues = (dashboardBody: unknown) => dashboard.specSchema.safeParse({ dashboardBody }).error?.issues.map(({ message }) => message);
  assert.equal(issues({ widgets: [] }), undefined);
  assert.equal(issues('{"widgets": []}'), undefined);
  for (const body of ['{"widgets": [}', "[]", '"text"', [], 5, null])
    assert.deepEqual(issues(body), ["must be a map, or JSON text of one"]);
});

const messages = [
  { DataPath: "/widgets/0/properties/metrics", Message: "Should have at least 1 items" },
  { Message: "Two widgets overlap" },
];
const told = "/widgets/0/properties/metrics: Should have at least 1 items; Two widgets overlap";

/** Sends a dashboard to a CloudWatch that answers so, and gives the error that comes of it. */
async function putting(write: () => Promise<unknown>): Promise<AwsError> {
  const desired = { dashboardName: "web", dashboardBody: {} };
  const effect = dashboard.create.run({ write } as never, desired as never, { token: "t" });
  return effect.then(
    () => assert.fail("no error"),
    (error: AwsError) => error,
  );
}

test("what CloudWatch warns of is told, place by place", async () => {
  const error = await putting(async () => ({ DashboardValidationMessages: messages }));
  assert.deepEqual([error.name, error.message], ["DashboardInvalidInputError", told]);
  assert.equal(failureOf(dashboard as AnyKind, error).means, "stall");
});

test("so is what it refuses, for which its own message says nothing", async () => {
  const refusal = Object.assign(new Error("The dashboard is invalid"), { dashboardValidationMessages: messages });
  const details = { operation: "cloudwatch:PutDashboard", verdict: "refused" } as const;
  const refused = new AwsError("DashboardInvalidInputError", refusal.message, { ...details, cause: refusal });
  assert.equal((await putting(async () => Promise.reject(refused))).message, told);
  const bare = new AwsError("DashboardInvalidInputError", "The body is no JSON", details);
  assert.equal(await putting(async () => Promise.reject(bare)), bare);
  const other = new AwsError("InternalServiceFault", "Later", { ...details, verdict: "ambiguous" });
  assert.equal(await putting(async () => Promise.reject(other)), other);
});

test("a put of a dashboard that is there says no tags", async () => {
  const { sent, writer } = recorder();
  const updater = dashboard.updates.find(({ fields }) => fields.includes("dashboardBody"));
  const desired = { dashboardName: "web", dashboardBody: "{}", tags: { Name: "web" } };
  await updater?.run(writer, { id: "web", desired, observed: {}, changes: {} } as never);
  assert.deepEqual(sent, [{ operation: "PutDashboard", input: { DashboardName: "web", DashboardBody: "{}", Tags: undefined } }]);
});

test("a look costs one call for the tags of all, and one for each dashboard of the stack's own", async () => {
  const [bench, others] = [await benchFor(dashboard), await benchFor(dashboard)];
  const made = await Promise.all(["a", "b"].map((name) => make(bench, specOf(bench, name))));
  const foreign = await make(others, specOf(others, "theirs"));
  const reads = () => bench.session.calls().filter(({ mutating }) => !mutating);
  const before = new Map(reads().map(({ operation, calls }) => [operation, calls]));
  await ownedBy(bench, { ids: made.map(({ id }) => id) });
  assert.deepEqual(
    reads().map(({ operation, calls }) => [operation, calls - (before.get(operation) ?? 0)]),
    [
      ["cloudwatch:GetDashboard", 2],
      ["tag:GetResources", 1],
    ],
  );
  const named = await ownedBy(bench, { names: [{ dashboardName: foreign.id }, { dashboardName: nameFor(bench, "nobody") }] });
  assert.equal(named.find(({ id }) => id === foreign.id)?.tags?.["beacon:stack"], others.stack, "a foreign dashboard says whose it is");
  await removeAll(bench, ...made);
  await removeAll(others, foreign);
});

test("where the tagging API does not list dashboards, they are found by id and name, and asked for their tags", async () => {
  const arn = (name: string) => `arn:aws:cloudwatch::123456789012:dashboard/${name}`;
  const reader = {
    pages: async () => [],
    read: async (_service: unknown, operation: string, { DashboardName, ResourceARN }: Record<string, string>) => {
      if (operation === "ListTagsForResource") return { Tags: [{ Key: "of", Value: ResourceARN }] };
      return { DashboardName, DashboardArn: arn(String(DashboardName)), DashboardBody: "{}" };
    },
  };
  const scope = { stack: "a/b", ids: ["one"], names: [{ dashboardName: "two" }], fields: new Set<string>() };
  const found = await dashboard.list.run(reader as never, scope);
  assert.deepEqual(
    found.map(({ id, tags }) => [id, tags]),
    [
      ["one", { of: arn("one") }],
      ["two", { of: arn("two") }],
    ],
  );
});
