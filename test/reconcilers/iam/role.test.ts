import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceProfile } from "../../../reconcilers/iam/instance-profile.ts";
import { role } from "../../../reconcilers/iam/role.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { assertHolds, type Bench, benchFor, make, owned, removeAll, seen, settle } from "../support.ts";

const nameFor = (bench: Bench, name: string) => `${bench.stack.replace("/", "-")}-${name}`;
const trust = (service: string): JsonObject => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
});
const allow = (action: string): JsonObject => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });
const inline = (policyName: string, policyDocument: JsonObject | string): JsonObject => ({ policyName, policyDocument });
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const SSM = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

test("a role is changed in every field, one effect at a time, and unset again", async () => {
  const bench = await benchFor(role);
  const base = { roleName: nameFor(bench, "web"), assumeRolePolicyDocument: trust("ec2.amazonaws.com"), tags: { Gone: "soon" } };
  const made = await make(bench, base);
  const found = await assertHolds(bench, made);
  assert.match(String(found.values.arn), /^arn:aws:iam::\d{12}:role\//);
  assert.equal(role.ready(found.values).state, "ready");
  const wanted = {
    roleName: base.roleName,
    assumeRolePolicyDocument: trust("ecs-tasks.amazonaws.com"),
    description: "Sérves",
    maxSessionDuration: 7200,
    permissionsBoundary: READ_ONLY,
    policies: [inline("a", allow("s3:GetObject")), inline("b", JSON.stringify(allow("s3:ListBucket")))],
    managedPolicyArns: [SSM],
    tags: { Name: "web" },
  };
  const changed = await settle(bench, found, wanted, base);
  assert.equal(changed.effects, 8, "trust, description and duration, boundary, two policies, an attachment, tags set and removed");
  const now = await seen(bench, made.id);
  assert.deepEqual(now[0]?.values.policies, [inline("a", allow("s3:GetObject")), inline("b", allow("s3:ListBucket"))]);
  assert.equal((await settle(bench, now[0] ?? made, wanted, wanted)).effects, 0);
  const back = await settle(bench, changed, { ...base, tags: {} }, { ...wanted, tags: {} });
  const after = (await assertHolds(bench, back)).values;
  assert.deepEqual(
    [after.description, after.maxSessionDuration, after.permissionsBoundary, after.policies, after.managedPolicyArns],
    ["", 3600, undefined, [], []],
  );
  await removeAll(bench, back);
});

test("a look reads policies only where somebody declared some", async () => {
  const bench = await benchFor(role);
  const made = await make(bench, { roleName: nameFor(bench, "plain"), assumeRolePolicyDocument: trust("ec2.amazonaws.com") });
  const before = bench.session.calls().reduce((sum, { calls }) => sum + calls, 0);
  const [found] = await role.list.run(bench.reader, { ids: [made.id], names: [{ roleName: made.id }], fields: new Set(["path"]) });
  assert.equal(bench.session.calls().reduce((sum, { calls }) => sum + calls, 0) - before, 1);
  assert.equal(found?.tags?.["beacon:stack"], bench.stack, "tags come with the role");
  await removeAll(bench, made);
});

test("a role that an instance profile has keeps its policies and stays, unless all is to go", async () => {
  const [bench, profiles] = [await benchFor(role), await benchFor(instanceProfile)];
  const spec = {
    roleName: nameFor(bench, "held"),
    assumeRolePolicyDocument: trust("ec2.amazonaws.com"),
    policies: [inline("own", allow("s3:GetObject"))],
    managedPolicyArns: [SSM],
  };
  const made = await settle(bench, await make(bench, spec), spec);
  const profile = await make(profiles, { instanceProfileName: nameFor(bench, "profile") });
  const holding = await settle(profiles, profile, { instanceProfileName: profile.id, role: made.id });
  await assertHolds(profiles, holding);
  const deletion = role.delete.run(bench.writer, { id: made.id, observed: made.values });
  await assert.rejects(deletion, (error: AwsError) => role.errors.wait.includes(`${error.name}Exception`));
  assert.deepEqual((await seen(bench, made.id))[0]?.values.policies, spec.policies);
  const blocker = await role.explainBlocked?.run(bench.reader, { id: made.id, observed: {} });
  assert.equal(blocker, `instance profile ${profile.id}`);
  await role.delete.run(bench.writer, { id: made.id, observed: {}, force: true });
  assert.deepEqual(await seen(bench, made.id), []);
  assert.equal((await seen(profiles, profile.id))[0]?.values.role, undefined);
  await removeAll(profiles, profile);
});

test("a profile that somebody gave a role meanwhile is looked at again", async () => {
  const [bench, profiles] = [await benchFor(role), await benchFor(instanceProfile)];
  const [ours, theirs] = await Promise.all(
    ["ours", "theirs"].map((name) => make(bench, { roleName: nameFor(bench, name), assumeRolePolicyDocument: trust("ec2.amazonaws.com") })),
  );
  assert.ok(ours && theirs);
  const profile = await make(profiles, { instanceProfileName: nameFor(bench, "profile") });
  await settle(profiles, profile, { instanceProfileName: profile.id, role: theirs.id });
  const settled = await settle(profiles, profile, { instanceProfileName: profile.id, role: ours.id });
  assert.equal(settled.effects, 3, "an add that is refused, a removal, an add");
  await assertHolds(profiles, settled);
  await removeAll(profiles, settled);
  await removeAll(bench, ours, theirs);
});

/** A reader of synthetic roles, as GetRole answers. */
function reading(roles: Readonly<Record<string, object>>) {
  const read = async (_service: unknown, operation: string, { RoleName }: { RoleName: string }) => {
    const Role = roles[RoleName];
    if (operation === "GetRole" && Role) return { Role: { RoleName, ...Role } };
    throw new AwsError("NoSuchEntityException", "", { operation, verdict: "refused" });
  };
  return { read, pages: read } as never;
}

test("a principal that IAM shows by its ID is its role; an ID of nobody's is a difference", async () => {
  const shown = (id: string) =>
    encodeURIComponent(
      JSON.stringify({ Statement: { Effect: "Allow", Principal: { AWS: [id, "AROAGONEGONEGONEGONE1"] }, Action: "sts:AssumeRole" } }),
    );
  const reader = reading({
    lower: { RoleId: "AROALOWERLOWERLOWER1", Arn: "arn:aws:iam::123456789012:role/lower" },
    upper: {
      RoleId: "AROAUPPERUPPERUPPER1",
      Arn: "arn:aws:iam::123456789012:role/upper",
      AssumeRolePolicyDocument: shown("AROALOWERLOWERLOWER1"),
    },
  });
  const found = await role.list.run(reader, { ids: ["lower", "upper", "gone"], names: [], fields: new Set() });
  const trusted = found.find(({ id }) => id === "upper")?.values.assumeRolePolicyDocument as {
    Statement: { Principal: { AWS: string[] } };
  };
  assert.deepEqual(trusted.Statement.Principal.AWS, ["arn:aws:iam::123456789012:role/lower", "AROAGONEGONEGONEGONE1"]);
});

test("a role that is not known everywhere yet is waited for", () => {
  assert.equal(role.ready({ arn: "AROAEXAMPLEEXAMPLE01", roleId: "AROAEXAMPLEEXAMPLE01" }).state, "waiting");
  assert.equal(instanceProfile.ready({ arn: "AIPAEXAMPLEEXAMPLE01" }).state, "waiting");
  assert.equal(instanceProfile.ready({ arn: "arn:aws:iam::123456789012:instance-profile/a" }).state, "ready");
});

test("the name of a principal that does not exist yet is an error that passes", () => {
  assert.ok(role.errors.propagating.some((name) => /invalid principal/i.test(name)));
});

const rows = [
  {
    why: "inline policies have a size together",
    spec: { policies: [inline("a", allow("s".repeat(6000))), inline("b", allow("s".repeat(6000)))] },
    fields: ["policies"],
  },
  { why: "whitespace does not count", spec: { policies: [inline("a", allow(" ".repeat(12_000)))] }, fields: [] },
  { why: "IAM takes tags that differ in case for one", spec: { tags: { Name: "a", name: "b" } }, fields: ["tags.name"] },
  { why: "what is not known yet is passed over", spec: { policies: { $unknown: "local.policies" } }, fields: [] },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "Role/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      role.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

test("ownership goes along with the create", async () => {
  const bench = await benchFor(role);
  const spec = { roleName: nameFor(bench, "tagged"), assumeRolePolicyDocument: trust("ec2.amazonaws.com") };
  const made = await make(bench, spec);
  assert.deepEqual((await seen(bench, made.id))[0]?.tags, owned(bench, spec).tags);
  await assert.rejects(make(bench, spec), (error: AwsError) => role.errors.exists.includes(error.name));
  await removeAll(bench, made);
});
