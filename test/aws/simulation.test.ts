/** What is asked of IAM's simulation, and what its answers mean. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import { iamPolicy } from "../../src/aws/permissions.ts";
import type { Reader } from "../../src/aws/service.ts";
import { deniedOf, principalOf, type Simulation, simulate, simulationsOf } from "../../src/aws/simulation.ts";

const role = "arn:aws:iam::111122223333:role/deploy";
const session = "arn:aws:sts::111122223333:assumed-role/deploy/me@example.com";
const root = "arn:aws:iam::111122223333:root";

test("every statement is a question of its own: its resource, its conditions met, and no more actions than a batch", () => {
  const actions = Array.from({ length: 120 }, (_, index) => `ec2:Describe${String(index).padStart(3, "0")}` as const);
  const policy = iamPolicy([...actions, "dynamodb:CreateTable"], { stateTable: "beacon-state", accountId: "1", region: "eu-west-1" });
  const questions = simulationsOf(policy, "eu-west-1");
  const asked = (found: Simulation | undefined) => [found?.actions.length, found?.resource, found?.context];
  const regional = [{ ContextKeyName: "aws:RequestedRegion", ContextKeyValues: ["eu-west-1"], ContextKeyType: "string" }];
  const ec2 = questions.filter(({ actions: [first] }) => first?.startsWith("ec2:"));
  assert.deepEqual(ec2.map(asked), [
    [50, undefined, regional],
    [50, undefined, regional],
    [20, undefined, regional],
  ]);
  const tables = questions.filter(({ actions: all }) => all.includes("dynamodb:TagResource"));
  assert.deepEqual(
    tables.map(({ resource }) => resource),
    ["arn:aws:dynamodb:eu-west-1:1:table/beacon-state", "arn:aws:dynamodb:eu-west-1:1:table/*"],
  );
  const keys = questions.find(({ actions: all }) => all.includes("kms:CreateGrant"));
  assert.deepEqual(keys?.context[0]?.ContextKeyValues, ["dynamodb.eu-west-1.amazonaws.com"], "a wildcard stands for the region");
  const every = questions.flatMap((question) => question.actions);
  const statements = policy.Statement as { Action: string[] }[];
  assert.deepEqual(
    every,
    statements.flatMap(({ Action }) => Action),
  );
});

test("of a session, the role it is of is simulated", () => {
  assert.equal(principalOf(session), role);
  assert.equal(principalOf("arn:aws-cn:sts::111122223333:assumed-role/deploy/x"), "arn:aws-cn:iam::111122223333:role/deploy");
  assert.equal(principalOf("arn:aws:iam::111122223333:user/team/me"), "arn:aws:iam::111122223333:user/team/me");
});

const results = [
  { why: "allowed", result: { EvalDecision: "allowed" }, denied: [] },
  { why: "not allowed", result: { EvalDecision: "implicitDeny" }, denied: ["not allowed"] },
  { why: "denied", result: { EvalDecision: "explicitDeny" }, denied: ["explicitly"] },
  {
    why: "denied, whatever else it depends on",
    result: { EvalDecision: "explicitDeny", MissingContextValues: ["a"] },
    denied: ["explicitly"],
  },
  {
    why: "a condition that only the call meets",
    result: { EvalDecision: "implicitDeny", MissingContextValues: ["a", "b"] },
    denied: ["depends on a, b (unsure)"],
  },
  {
    why: "the organization's",
    result: { EvalDecision: "implicitDeny", OrganizationsDecisionDetail: { AllowedByOrganizations: false } },
    denied: ["by the organization"],
  },
  {
    why: "the boundary's",
    result: { EvalDecision: "implicitDeny", PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } },
    denied: ["by the permissions boundary"],
  },
] as const;

for (const { why, result, denied } of results) {
  test(`a result: ${why}`, () => {
    const found = deniedOf({ EvalActionName: "ec2:CreateVpc", EvalResourceName: "*", ...result } as Parameters<typeof deniedOf>[0]);
    assert.deepEqual(
      found.map(({ why: said, unsure }) => (unsure ? `${said} (unsure)` : said)),
      denied,
    );
  });
}

type Asked = { readonly operation: string; readonly input: Record<string, unknown> };

/** A reader whose calls are answered by `answer`, by name. */
function reader(answer: (operation: string, input: Record<string, unknown>) => unknown): { aws: Reader; asked: Asked[] } {
  const asked: Asked[] = [];
  const call = async (_service: unknown, operation: string, input: Record<string, unknown>): Promise<unknown> => {
    asked.push({ operation, input });
    const found = answer(operation, input);
    if (found instanceof Error) throw found;
    return found;
  };
  return { aws: { read: call, pages: call } as unknown as Reader, asked };
}

const failure = (name: string, status = 400) =>
  new AwsError(name, "why", { operation: "iam:SimulatePrincipalPolicy", verdict: "refused", status });
const question: Simulation = { actions: ["ec2:CreateVpc"], context: [] };

test("what is denied is told, of all questions together", async () => {
  const { aws, asked } = reader((_operation, { ActionNames }) =>
    (ActionNames as string[]).map((EvalActionName) => ({
      EvalActionName,
      EvalDecision: EvalActionName === "ec2:CreateVpc" ? "implicitDeny" : "allowed",
    })),
  );
  const found = await simulate(aws, session, [question, { actions: ["logs:A", "logs:B"], resource: "arn:x", context: [] }]);
  assert.deepEqual(found, { actions: 3, denied: [{ action: "ec2:CreateVpc", resource: "*", why: "not allowed", unsure: false }] });
  assert.deepEqual(
    asked.map(({ input }) => [input.PolicySourceArn, input.ResourceArns]),
    [
      [role, undefined],
      [role, ["arn:x"]],
    ],
  );
});

test("a role whose path the session's ARN does not tell is asked for by its name", async () => {
  const full = "arn:aws:iam::111122223333:role/team/deploy";
  const { aws } = reader((operation, { PolicySourceArn }) =>
    operation === "GetRole"
      ? { Role: { Arn: full } }
      : PolicySourceArn === full
        ? [{ EvalActionName: "a", EvalDecision: "allowed" }]
        : failure("NoSuchEntityException", 404),
  );
  assert.deepEqual(await simulate(aws, session, [question]), { actions: 1, denied: [] });
});

const impossible: readonly { why: string; caller?: string; errors: readonly Error[]; expected: string }[] = [
  { why: "the root user is not asked for", caller: root, errors: [], expected: "root" },
  { why: "a simulation that is not allowed", errors: [failure("AccessDenied", 403)], expected: "denied" },
  { why: "an endpoint without one", errors: [failure("NotImplemented", 501)], expected: "unsupported" },
  {
    why: "somebody IAM does not know",
    caller: "arn:aws:iam::1:user/x",
    errors: [failure("NoSuchEntity", 404)],
    expected: "unknown principal",
  },
  {
    why: "a role IAM does not know either by name",
    errors: [failure("NoSuchEntity", 404), failure("NoSuchEntity", 404)],
    expected: "unknown principal",
  },
  {
    why: "a role by name that may not be looked up",
    errors: [failure("NoSuchEntity", 404), failure("AccessDenied", 403)],
    expected: "denied",
  },
  {
    why: "a principal that has no policies of its own",
    caller: "arn:aws:sts::1:federated-user/x",
    errors: [failure("InvalidInput")],
    expected: "unknown principal",
  },
];

for (const { why, caller = session, errors, expected } of impossible) {
  test(`no simulation: ${why}`, async () => {
    let call = 0;
    const { aws, asked } = reader(() => errors[call++] ?? assert.fail("asked once more"));
    const found = await simulate(aws, caller, [question]);
    assert.equal("impossible" in found && found.impossible, expected);
    assert.equal(asked.length, errors.length);
  });
}

test("what is no answer is no finding", async () => {
  const { aws } = reader(() => failure("Throttling"));
  await assert.rejects(simulate(aws, session, [question]), { name: "Throttling" });
});
