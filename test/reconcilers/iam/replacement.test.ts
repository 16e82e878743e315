/** A role that is replaced keeps its name, so what uses it must let go of the old one and take the new one. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { instanceProfile } from "../../../reconcilers/iam/instance-profile.ts";
import { role } from "../../../reconcilers/iam/role.ts";
import { kinds } from "../../../reconcilers/index.ts";
import type { CompiledStack } from "../../../src/core/compiled.ts";
import { compile } from "../../../src/manifest/compile.ts";
import { sourcesOf } from "../../../src/manifest/source.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";
import { TEST_REGION } from "../../support/sandbox.ts";

const TRUST = { Statement: { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" } };

let stand: Stand;
before(async () => {
  stand = await newStand(kinds, "iam", TEST_REGION);
});
after(() => stand.close());

function manifests(path: string): CompiledStack {
  const { project, environment } = stand.stack;
  const documents = [
    { apiVersion: "beacon/v1", kind: "Project", metadata: { name: project }, spec: { id: project } },
    { apiVersion: "beacon/v1", kind: "Environment", metadata: { name: environment }, spec: { region: TEST_REGION } },
    { apiVersion: "iam.aws/v1", kind: "Role", metadata: { name: "web" }, spec: { path, assumeRolePolicyDocument: TRUST } },
    { apiVersion: "iam.aws/v1", kind: "InstanceProfile", metadata: { name: "web" }, spec: { role: `\${role.web.roleName}` } },
  ];
  const sources = sourcesOf({ "iam.yaml": documents.map((document) => stringify(document)).join("---\n") });
  const compilation = compile(sources, { kinds, environment, params: [], paramsFiles: [] });
  return compilation.ok ? compilation.stack : assert.fail(JSON.stringify(compilation.problems));
}

test("one apply replaces a role that an instance profile has, and the profile has the new one", async () => {
  await stand.settle(manifests("/"), {}, "creating");
  const pass = await stand.pass(manifests("/web/"));
  assert.deepEqual(
    pass?.report.results.filter(({ outcome }) => outcome !== "done"),
    [],
  );
  const [made] = await stand.objects(role, "Role/web");
  const [profile] = await stand.objects(instanceProfile, "InstanceProfile/web");
  assert.deepEqual([made?.values.path, made?.tags?.["beacon:generation"]], ["/web/", "2"]);
  assert.equal(profile?.values.role, made?.id);
  const { left } = await stand.rest(manifests("/web/"), role, "Role/web");
  assert.deepEqual(left, []);
  await stand.settle(undefined, { destroy: true }, "deleting");
});
