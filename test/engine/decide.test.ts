import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { natGateway } from "../../reconcilers/ec2/nat-gateway.ts";
import { recordSet } from "../../reconcilers/route53/record-set.ts";
import { field } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ResourceRecord } from "../../src/core/record.ts";
import { LIFECYCLE_DEFAULTS, type Lifecycle, type ResourceKey } from "../../src/core/resource.ts";
import { decide } from "../../src/engine/decide.ts";
import { RemoteIndex } from "../../src/engine/identify.ts";
import { newRecord, withIntent } from "../../src/engine/records.ts";
import { knownOf, managedKind } from "../../src/engine/sweep.ts";
import { defineKind, type Remote } from "../../src/kind/kind.ts";
import { KINDS } from "../simulation/kinds.ts";

const STACK = { project: "beacon", environment: "prod" };

type Row = {
  readonly why: string;
  readonly kind?: "Named" | "Token" | "Tagged";
  readonly spec?: JsonObject;
  readonly lifecycle?: Partial<Lifecycle>;
  readonly record?: Partial<ResourceRecord> & { readonly intended?: true };
  readonly remotes?: readonly Remote[];
  readonly replace?: true;
  /** Action, then what of it matters. */
  readonly is: string;
};

const SPEC: JsonObject = { mode: "m1", size: 1 };

function owned(id: string, values: JsonObject = {}, tags: JsonObject = {}): Remote {
  const ownership = { "beacon:stack": "beacon/prod", "beacon:resource": "Tagged/a", "beacon:uid": "u1", "beacon:generation": "1", ...tags };
  return { id, values: { ...SPEC, state: "available", ...values }, tags: ownership as Record<string, string> };
}

function foreign(id: string, name: string, tags: Record<string, string> = {}): Remote {
  return { id, values: { ...SPEC, name }, tags };
}

const OTHER = { "beacon:stack": "other/prod", "beacon:resource": "Named/z", "beacon:uid": "u9", "beacon:generation": "1" };
const OWNER = { stack: "beacon/prod", resource: "Tagged/a", uid: "u1", generation: 1, deletion: "delete" } as const;
const BOUND = { id: "t-1", boundAt: 1, applied: SPEC };

const ROWS: readonly Row[] = [
  { why: "nothing is there, nothing is recorded", is: "create g1" },
  { why: "bound and as declared", record: BOUND, remotes: [owned("t-1")], is: "none t-1" },
  { why: "the state is lost: tags find it", remotes: [owned("t-1")], is: "none t-1" },
  { why: "a mutable field differs", spec: { size: 2 }, record: BOUND, remotes: [owned("t-1")], is: "update t-1 size" },
  {
    why: "lost tags of a bound object are restored",
    record: BOUND,
    remotes: [{ ...owned("t-1"), tags: {} }],
    is: "update t-1 tags,tags,tags,tags",
  },
  { why: "bound and gone: created again, one generation on", record: BOUND, is: "create g2" },
  { why: "an open intent keeps its generation", record: { intended: true }, is: "create g1" },
  { why: "an object of an open intent is found by its tags", record: { intended: true }, remotes: [owned("t-1")], is: "none t-1" },
  {
    why: "an immutable field differs: replaced, the new one first",
    spec: { mode: "m2" },
    record: BOUND,
    remotes: [owned("t-1")],
    is: "replace t-1 g2 createFirst",
  },
  {
    why: "replaced, the old one first",
    spec: { mode: "m2" },
    lifecycle: { replace: "deleteFirst" },
    record: BOUND,
    remotes: [owned("t-1")],
    is: "replace t-1 g2 deleteFirst",
  },
  { why: "a replacement was asked for", record: BOUND, remotes: [owned("t-1")], replace: true, is: "replace t-1 g2 createFirst" },
  {
    why: "never replaced",
    spec: { mode: "m2" },
    lifecycle: { replace: "never" },
    record: BOUND,
    remotes: [owned("t-1")],
    is: "blocked ReplacementForbidden",
  },
  {
    why: "protected against replacement",
    spec: { mode: "m2" },
    lifecycle: { deletion: "protect" },
    record: BOUND,
    remotes: [owned("t-1", {}, { "beacon:deletion": "protect" })],
    is: "blocked Protected",
  },
  { why: "another owner's tags on a bound object", record: BOUND, remotes: [{ ...owned("t-1"), tags: OTHER }], is: "blocked Conflict" },
  {
    why: "a strange uid on a bound object that names this very resource is put back",
    record: BOUND,
    remotes: [owned("t-1", {}, { "beacon:uid": "u2", "beacon:generation": "7" })],
    is: "update t-1 tags,tags",
  },
  {
    why: "a record older than the resource's object counts for nothing",
    record: BOUND,
    remotes: [owned("t-9", {}, { "beacon:uid": "u2" })],
    is: "none t-9",
  },
  { why: "two objects claim to be it, none is bound", remotes: [owned("t-1"), owned("t-2")], is: "blocked Conflict" },
  {
    why: "two of one open intent: either will do",
    record: { intended: true },
    remotes: [owned("t-2"), owned("t-1")],
    is: "none t-1 surplus t-2",
  },
  {
    why: "two of one generation, one is bound: the other is surplus",
    record: BOUND,
    remotes: [owned("t-1"), owned("t-2")],
    is: "none t-1 surplus t-2",
  },
  {
    why: "an earlier generation that nobody recorded is retired",
    record: { ...BOUND, id: "t-2", generation: 2 },
    remotes: [owned("t-1"), owned("t-2", {}, { "beacon:generation": "2" })],
    is: "none t-2 retiring t-1",
  },
  {
    why: "what is still being made is not replaced for what AWS does not tell yet",
    record: BOUND,
    remotes: [owned("t-1", { state: "pending", mode: undefined })],
    is: "update t-1 mode",
  },
  {
    why: "what is still being made is replaced for what AWS tells",
    record: BOUND,
    remotes: [owned("t-1", { state: "pending", mode: "m2" })],
    is: "replace t-1 g2 createFirst",
  },
  {
    why: "something else than its tags says that it is ours",
    remotes: [{ ...owned("t-1"), tags: {}, owner: OWNER }],
    is: "update t-1 tags,tags,tags,tags",
  },
  {
    why: "another stack's tags outrank what else says that it is ours",
    remotes: [{ ...owned("t-1"), tags: OTHER, owner: OWNER }],
    is: "create g1",
  },
  {
    why: "it failed before it was ready: made anew, no replacement",
    record: BOUND,
    remotes: [owned("t-1", { state: "failed" })],
    is: "create g2 createFirst failed t-1",
  },
  {
    why: "drift is ignored where the manifest says so",
    lifecycle: { drift: "ignore" },
    record: BOUND,
    remotes: [owned("t-1", { size: 9 })],
    is: "none t-1",
  },
  {
    why: "a pending change is not drift",
    spec: { size: 2 },
    lifecycle: { drift: "ignore" },
    record: BOUND,
    remotes: [owned("t-1")],
    is: "update t-1 size",
  },
  { why: "a stranger has the name", kind: "Named", spec: { name: "n" }, remotes: [foreign("name:n", "n")], is: "blocked NotOwned" },
  {
    why: "another stack has the name",
    kind: "Named",
    spec: { name: "n" },
    remotes: [foreign("name:n", "n", OTHER)],
    is: "blocked NotOwned",
  },
  {
    why: "another stack has the name, and adoption does not help",
    kind: "Named",
    spec: { name: "n" },
    lifecycle: { adopt: true },
    remotes: [foreign("name:n", "n", OTHER)],
    is: "blocked NotOwned",
  },
  {
    why: "a stranger's object is adopted by consent",
    kind: "Named",
    spec: { name: "n" },
    lifecycle: { adopt: true },
    remotes: [foreign("name:n", "n")],
    is: "adopt name:n",
  },
  {
    why: "adoption never replaces",
    kind: "Named",
    spec: { name: "n", mode: "m2" },
    lifecycle: { adopt: true },
    remotes: [foreign("name:n", "n")],
    is: "blocked NotOwned",
  },
  {
    why: "an open intent does not make a stranger's tagged object ours",
    kind: "Named",
    spec: { name: "n" },
    record: { intended: true },
    remotes: [foreign("name:n", "n")],
    is: "blocked NotOwned",
  },
  {
    why: "what can never be ours is not adopted",
    kind: "Named",
    spec: { name: "n" },
    lifecycle: { adopt: true },
    remotes: [{ ...foreign("name:n", "n"), foreign: "belongs to another account" }],
    is: "blocked NotOwned",
  },
  {
    why: "nor is it ours because ours had its name",
    kind: "Named",
    spec: { name: "n" },
    record: { ...BOUND, id: "name:n" },
    remotes: [{ ...owned("name:n", { name: "n" }), foreign: "belongs to another account" }],
    is: "blocked NotOwned",
  },
  {
    why: "what is not managed is read, and must exist",
    kind: "Named",
    spec: { name: "n" },
    lifecycle: { manage: false },
    is: "blocked Missing",
  },
  {
    why: "what is not managed is never changed",
    kind: "Named",
    spec: { name: "n", size: 5 },
    lifecycle: { manage: false },
    remotes: [foreign("name:n", "n")],
    is: "none name:n",
  },
  {
    why: "what is not managed may be another stack's, and is found by its tags",
    spec: { tags: { Name: "shared" } },
    lifecycle: { manage: false },
    remotes: [
      owned("1", {}, { "beacon:stack": "other/prod", Name: "shared" }),
      owned("2", {}, { "beacon:stack": "other/prod", Name: "mine" }),
    ],
    is: "none 1",
  },
  {
    why: "several with its tags: none is taken",
    spec: { tags: { Name: "shared" } },
    lifecycle: { manage: false },
    remotes: [
      owned("1", {}, { "beacon:stack": "other/prod", Name: "shared" }),
      owned("2", {}, { "beacon:stack": "other/prod", Name: "shared" }),
    ],
    is: "blocked Conflict",
  },
  {
    why: "where the name is the id, a successor is not taken for its predecessor",
    kind: "Named",
    spec: { name: "n" },
    record: { generation: 2, intended: true, retiring: [{ generation: 1, id: "name:n" }] },
    remotes: [owned("name:n", { name: "n" }, { "beacon:generation": "2", "beacon:resource": "Named/a" })],
    is: "none name:n",
  },
];

function recordOf(row: Row, key: ResourceKey, lifecycle: Lifecycle): ResourceRecord | undefined {
  if (!row.record) return undefined;
  const { intended, ...rest } = row.record;
  const resource = { key, kind: "sim.aws/v1 Tagged", spec: {}, dependencies: [], lifecycle, readyWhen: [], declaredAt: "" } as const;
  const record = { ...newRecord(resource, "u1", rest.generation ?? 1, 1), ...rest };
  return intended ? { ...withIntent(record, record.generation, { now: 1, revision: 1 }), retiring: record.retiring } : record;
}

function outcome(row: Row): string {
  const { kind: name = "Tagged" } = row;
  const key: ResourceKey = `${name}/a`;
  const kind = managedKind(KINDS, `sim.aws/v1 ${name}`);
  const lifecycle = { ...LIFECYCLE_DEFAULTS, ...row.lifecycle };
  const spec = { ...SPEC, ...row.spec };
  const decision = decide({
    kind,
    stack: STACK,
    resource: { key, kind: kind.id, spec, dependencies: [], lifecycle, readyWhen: [], declaredAt: "" },
    spec,
    record: recordOf(row, key, lifecycle),
    index: new RemoteIndex(kind, "beacon/prod", row.remotes ?? []),
    isPart: false,
    forceReplace: row.replace ?? false,
  });
  const { action, current, generation, order, blocked, failed, diff, identified } = decision;
  const fields = action === "update" || action === "adopt" ? diff.differences.map(({ field }) => field).sort() : [];
  const words = [
    action,
    blocked?.reason,
    blocked ? undefined : current?.id,
    action === "create" || action === "replace" ? `g${generation}` : undefined,
    order,
    fields.join(",") || undefined,
    failed && `failed ${failed.id}`,
    identified.surplus.length > 0 ? `surplus ${identified.surplus.map(({ id }) => id)}` : undefined,
    action === "none" && identified.retiring.length > 0 ? `retiring ${identified.retiring.map(({ id }) => id)}` : undefined,
  ];
  return words.filter((word) => word !== undefined).join(" ");
}

for (const row of ROWS) test(row.why, () => assert.equal(outcome(row), row.is));

test("what only one object can have is free before the successor takes it", () => {
  const gateway = { subnetId: "subnet-1", allocationId: "eipalloc-1" };
  const remote = { ...owned("nat-1", { ...gateway, state: "available" }), values: { ...gateway, state: "available" } };
  const order = (spec: JsonObject) => {
    const key: ResourceKey = "NatGateway/a";
    const resource = { key, kind: natGateway.id, spec, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
    const record = { ...newRecord(resource, "u1", 1, 1), id: "nat-1", applied: gateway };
    const index = new RemoteIndex(natGateway, "beacon/prod", [remote]);
    return decide({ kind: natGateway, stack: STACK, resource, spec, record, index, isPart: false, forceReplace: false }).order;
  };
  assert.equal(order({ ...gateway, subnetId: "subnet-2" }), "deleteFirst");
  assert.equal(order({ subnetId: "subnet-2", allocationId: "eipalloc-2" }), "createFirst");
});

test("a name in another spelling is the same name: its successor waits for it", () => {
  const zone = { hostedZoneId: "Z1", ttl: 60, resourceRecords: ["x.example.com"] };
  const present = { ...zone, name: "www.example.com", type: "CNAME", recordSetId: "Z1 www.example.com CNAME" };
  const order = (name: string) => {
    const key: ResourceKey = "RecordSet/a";
    const spec = { ...zone, name, type: "A", resourceRecords: ["192.0.2.1"] };
    const resource = { key, kind: recordSet.id, spec, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
    const record = { ...newRecord(resource, "u1", 1, 1), id: "Z1 www.example.com CNAME", applied: present };
    const index = new RemoteIndex(recordSet, "beacon/prod", [{ id: record.id, values: present }]);
    return decide({ kind: recordSet, stack: STACK, resource, spec, record, index, isPart: false, forceReplace: false }).order;
  };
  assert.equal(order("WWW.Example.com."), "deleteFirst");
  assert.equal(order("web.example.com"), "createFirst");
});

test("who has a name that moves may be about to give it up: only another stack's, or nobody's, is in the way", () => {
  const named = managedKind(KINDS, "sim.aws/v1 Named");
  const key: ResourceKey = "Named/a";
  const spec = { ...SPEC, name: "n" };
  const resource = { key, kind: named.id, spec, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
  const ours = { ...OTHER, "beacon:stack": "beacon/prod" };
  const made = (tags: Record<string, string>, movable: boolean) => {
    const kind = { ...named, identity: { ...named.identity, ...(movable ? { movable } : {}) } } as typeof named;
    const index = new RemoteIndex(kind, "beacon/prod", [foreign("name:n", "n", tags)]);
    const { action, blocked } = decide({
      kind,
      stack: STACK,
      resource,
      spec,
      record: undefined,
      index,
      isPart: false,
      forceReplace: false,
    });
    return blocked ? blocked.reason : action;
  };
  assert.deepEqual(
    [made(ours, false), made(ours, true), made(OTHER, true), made({}, true)],
    ["Conflict", "create", "NotOwned", "NotOwned"],
  );
});

/** A scaling policy's like: named within a group that the spec refers to, without tags. */
const PART = {
  apiVersion: "sim.aws/v1",
  kind: "Part",
  doc: "",
  spec: z.strictObject({
    group: field(z.string(), { doc: "", immutable: true }),
    name: field(z.string(), { doc: "", immutable: true }),
    label: field(z.string().optional(), { doc: "", immutable: true }),
    size: field(z.int(), { doc: "" }),
    overwrite: field(z.boolean().optional(), { doc: "", setting: true, overwrites: true }),
  }),
  status: z.strictObject({ partId: field(z.string(), { doc: "" }) }),
  id: "partId",
  identity: { by: "name", key: ["group", "name"], optionalKey: ["label"] },
  errors: {},
  list: { operations: [], run: async () => [] },
  create: { operations: [], run: async () => ({ id: "p", values: {} }) },
  updates: [{ fields: ["size"], operations: [], run: async () => ({ values: {} }) }],
  delete: { operations: [], run: async () => {} },
} as const;

describe("objects without tags", () => {
  const spec = { group: "web", name: "up", size: 1 };
  const there = (values: JsonObject): Remote => ({ id: "p", values: { group: "web", name: "up", size: 1, ...values } });
  const rows = [
    { why: "like what is declared: ours", is: "none" },
    { why: "another than what is declared: somebody's", there: there({ size: 2 }), is: "blocked NotOwned" },
    { why: "another, with an intent open: what that create made", there: there({ size: 2 }), intended: true, is: "update" },
    { why: "another, in a group of ours: ours", there: there({ size: 2 }), isPart: true, is: "update" },
    { why: "another, and the manifest overwrites: taken over", there: there({ size: 2 }), spec: { ...spec, overwrite: true }, is: "adopt" },
    { why: "another, of which there always is one: taken over", there: there({ size: 2 }), alwaysThere: true, is: "adopt" },
    { why: "another by the part of the key that not all have: not there yet", there: there({ label: "blue" }), is: "create" },
    { why: "the one with that part of the key", there: there({ label: "blue" }), spec: { ...spec, label: "blue" }, is: "none" },
  ];
  for (const { why, there: remote = there({}), spec: wanted = spec, intended = false, isPart = false, alwaysThere = false, is } of rows) {
    test(why, () => {
      const kind = defineKind({ ...PART, identity: { ...PART.identity, ...(alwaysThere ? { alwaysThere } : {}) } } as typeof PART);
      const key: ResourceKey = "Part/a";
      const resource = { key, kind: kind.id, spec: wanted, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
      const record = intended ? withIntent(newRecord(resource, "u1", 1, 1), 1, { now: 1, revision: 1 }) : undefined;
      const index = new RemoteIndex(kind, "beacon/prod", [remote]);
      const { action, blocked } = decide({ kind, stack: STACK, resource, spec: wanted, record, index, isPart, forceReplace: false });
      assert.equal(blocked ? `${action} ${blocked.reason}` : action, is);
    });
  }
});

describe("fields that follow what others refer to", () => {
  const kind = defineKind({
    ...PART,
    spec: z.strictObject({
      ...PART.spec.shape,
      source: field(z.string(), { doc: "" }),
      keepUp: field(z.strictObject({}).optional(), { doc: "", whole: true, follows: ["source"] }),
    }),
    // It holds what is wanted where nothing is left behind.
    comparable: (observed, desired) => ({ ...observed, keepUp: observed.partId === "behind" ? undefined : desired.keepUp }),
    updates: [{ fields: ["size", "source", "keepUp"], operations: [], run: async () => ({ values: {} }) }],
  });
  const spec = { group: "web", name: "up", size: 1, source: "s-1", keepUp: {} };
  const rows = [
    { why: "nothing changes, and nothing is left behind", is: "none" },
    { why: "what it follows is about to change: it will, too", followed: { fields: ["keepUp"], seen: false }, is: "update keepUp pending" },
    { why: "what it follows has changed, and it keeps up by itself", followed: { fields: ["keepUp"], seen: true }, is: "none" },
    {
      why: "what it follows has changed, and it is left behind",
      followed: { fields: ["keepUp"], seen: true },
      behind: true,
      is: "update keepUp pending",
    },
    { why: "it is left behind, whoever did that", behind: true, is: "update keepUp drift" },
    {
      why: "nobody wants it to keep up",
      followed: { fields: [], seen: false },
      behind: true,
      spec: { ...spec, keepUp: undefined },
      is: "none",
    },
  ];
  for (const { why, followed, behind = false, spec: wanted = spec, is } of rows) {
    test(why, () => {
      const key: ResourceKey = "Part/a";
      const resource = { key, kind: kind.id, spec: wanted, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
      const remote = { id: "p", values: { ...spec, keepUp: undefined, partId: behind ? "behind" : "p" } };
      const record = { ...newRecord(resource, "u1", 1, 1), id: "p", applied: wanted };
      const index = new RemoteIndex(kind, "beacon/prod", [remote]);
      const subject = { kind, stack: STACK, resource, spec: wanted, record, index, isPart: false, forceReplace: false };
      const { action, diff } = decide({ ...subject, ...(followed ? { followed } : {}) });
      assert.equal([action, ...diff.differences.flatMap(({ path, cause }) => [path, cause])].join(" "), is);
    });
  }
});

describe("what a change renews", () => {
  const kind = defineKind({
    ...PART,
    status: z.strictObject({ partId: field(z.string(), { doc: "" }), version: field(z.int(), { doc: "", renewedBy: ["size"] }) }),
  });
  const values = { group: "web", name: "up", size: 1, partId: "p", version: 3 };
  const known = (size: number) => {
    const spec = { group: "web", name: "up", size };
    const key: ResourceKey = "Part/a";
    const resource = { key, kind: kind.id, spec, dependencies: [], lifecycle: LIFECYCLE_DEFAULTS, readyWhen: [], declaredAt: "" };
    const record = { ...newRecord(resource, "u1", 1, 1), id: "p", applied: values };
    const index = new RemoteIndex(kind, "beacon/prod", [{ id: "p", values }]);
    const decision = decide({ kind, stack: STACK, resource, spec, record, index, isPart: false, forceReplace: false });
    return knownOf(kind, decision, spec);
  };
  test("is known as long as nothing changes", () => assert.deepEqual(known(1), values));
  test("is not known before the change is made", () => assert.deepEqual(known(2), { group: "web", name: "up", size: 2, partId: "p" }));
});
