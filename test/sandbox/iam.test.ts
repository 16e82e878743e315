/** What the launcher adds to moto's IAM: principals that must exist, and the simulation of policies. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { IAM, SimulatePrincipalPolicyCommandInput } from "@aws-sdk/client-iam";
import { clientSettings, freshProject } from "../support/sandbox.ts";

const ACCOUNT = "123456789012";
const TRUST = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };

let iam: IAM;
before(async () => {
  const { IAM: Client } = await import("@aws-sdk/client-iam");
  iam = new Client(await clientSettings());
});

const refused = (name: string) => ({ name, $fault: "client" as const });
const trust = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

async function newRole(statements: readonly object[] = []): Promise<string> {
  const RoleName = freshProject("role");
  await iam.createRole({ RoleName, AssumeRolePolicyDocument: trust(TRUST) });
  if (statements.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await iam.putRolePolicy({ RoleName, PolicyName: "own", PolicyDocument });
  }
  return RoleName;
}

async function verdicts(of: string, ActionNames: string[], more: Partial<SimulatePrincipalPolicyCommandInput> = {}): Promise<string[]> {
  const PolicySourceArn = of.startsWith("arn:") ? of : `arn:aws:iam::${ACCOUNT}:role/${of}`;
  const answer = await iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames, ...more });
  return (answer.EvaluationResults ?? []).map(({ EvalActionName, EvalDecision }) => `${EvalActionName} ${EvalDecision}`);
}

describe("roles", () => {
  test("a role that trusts nobody's role is refused, until that role is there", async () => {
    const other = freshProject("other");
    const document = trust({ ...TRUST, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/${other}` } });
    const RoleName = freshProject("role");
    await assert.rejects(iam.createRole({ RoleName, AssumeRolePolicyDocument: document }), {
      ...refused("MalformedPolicyDocumentException"),
      message: /Invalid principal/,
    });
    await iam.createRole({ RoleName: other, AssumeRolePolicyDocument: trust(TRUST) });
    await iam.createRole({ RoleName, AssumeRolePolicyDocument: document });
    await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: trust({ ...TRUST, Principal: { AWS: ACCOUNT } }) });
    const gone = trust({ ...TRUST, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/nobody` } });
    await assert.rejects(iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: gone }), refused("MalformedPolicyDocumentException"));
  });

  test("a role with policies stays, and so does one that an instance profile has", async () => {
    const RoleName = await newRole([{ Effect: "Allow", Action: "s3:*", Resource: "*" }]);
    await assert.rejects(iam.deleteRole({ RoleName }), refused("DeleteConflictException"));
    await iam.deleteRolePolicy({ RoleName, PolicyName: "own" });
    const InstanceProfileName = RoleName;
    await iam.createInstanceProfile({ InstanceProfileName });
    await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName });
    await assert.rejects(iam.deleteRole({ RoleName }), refused("DeleteConflictException"));
    await assert.rejects(iam.deleteInstanceProfile({ InstanceProfileName }), refused("DeleteConflictException"));
    await iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName });
    const again = iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName });
    await assert.rejects(again, refused("NoSuchEntityException"));
    await iam.deleteInstanceProfile({ InstanceProfileName });
    await iam.deleteRole({ RoleName });
  });
});

describe("the simulation of policies", () => {
  test("what is not allowed is denied, and an explicit denial outweighs what is allowed", async () => {
    const role = await newRole([
      { Effect: "Allow", Action: ["ec2:Describe*", "S3:get?bject"], Resource: "*" },
      { Effect: "Deny", Action: "ec2:DescribeVpcs", Resource: "*" },
    ]);
    assert.deepEqual(await verdicts(role, ["ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:CreateVpc", "s3:GetObject"]), [
      "ec2:DescribeSubnets allowed",
      "ec2:DescribeVpcs explicitDeny",
      "ec2:CreateVpc implicitDeny",
      "s3:GetObject allowed",
    ]);
  });

  test("resources and their opposites count", async () => {
    const role = await newRole([
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::a/*" },
      { Effect: "Allow", NotAction: ["iam:*", "s3:*"], NotResource: "arn:aws:sqs:*" },
    ]);
    const of = (action: string, arn: string) => verdicts(role, [action], { ResourceArns: [arn] });
    assert.deepEqual(await of("s3:GetObject", "arn:aws:s3:::a/b/c"), ["s3:GetObject allowed"]);
    assert.deepEqual(await of("s3:GetObject", "arn:aws:s3:::b/c"), ["s3:GetObject implicitDeny"]);
    assert.deepEqual(await of("ec2:RunInstances", "*"), ["ec2:RunInstances allowed"]);
    assert.deepEqual(await of("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:q"), ["sqs:SendMessage implicitDeny"]);
    assert.deepEqual(await of("iam:PassRole", "*"), ["iam:PassRole implicitDeny"]);
  });

  test("conditions ask the context, and what it does not tell is named", async () => {
    const role = await newRole([
      { Effect: "Allow", Action: "*", Resource: "*", Condition: { StringEquals: { "aws:RequestedRegion": ["eu-west-1", "eu-west-2"] } } },
    ]);
    const inRegion = (region: string) =>
      verdicts(role, ["ec2:CreateVpc"], {
        ContextEntries: [{ ContextKeyName: "aws:RequestedRegion", ContextKeyValues: [region], ContextKeyType: "string" }],
      });
    assert.deepEqual(await inRegion("eu-west-2"), ["ec2:CreateVpc allowed"]);
    assert.deepEqual(await inRegion("us-east-1"), ["ec2:CreateVpc implicitDeny"]);
    const PolicySourceArn = `arn:aws:iam::${ACCOUNT}:role/${role}`;
    const untold = await iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames: ["ec2:CreateVpc"] });
    assert.deepEqual(untold.EvaluationResults?.[0]?.MissingContextValues, ["aws:RequestedRegion"]);
    assert.equal(untold.EvaluationResults?.[0]?.EvalDecision, "implicitDeny");
  });

  test("managed policies count, and a boundary limits them", async () => {
    const RoleName = await newRole();
    await iam.attachRolePolicy({ RoleName, PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" });
    assert.deepEqual(await verdicts(RoleName, ["ec2:CreateVpc"]), ["ec2:CreateVpc allowed"]);
    await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" });
    assert.deepEqual(await verdicts(RoleName, ["ec2:CreateVpc", "s3:GetObject"]), ["ec2:CreateVpc implicitDeny", "s3:GetObject allowed"]);
  });

  test("a user's groups count", async () => {
    const UserName = freshProject("user");
    await iam.createUser({ UserName });
    const user = `arn:aws:iam::${ACCOUNT}:user/${UserName}`;
    assert.deepEqual(await verdicts(user, ["s3:GetObject"]), ["s3:GetObject implicitDeny"]);
    await iam.createGroup({ GroupName: UserName });
    await iam.attachGroupPolicy({ GroupName: UserName, PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" });
    await iam.addUserToGroup({ GroupName: UserName, UserName });
    assert.deepEqual(await verdicts(user, ["s3:GetObject"]), ["s3:GetObject allowed"]);
  });

  test("who calls the sandbox may do everything, and somebody who does not exist is not found", async () => {
    const { STS } = await import("@aws-sdk/client-sts");
    const { Arn = "" } = await new STS(await clientSettings()).getCallerIdentity({});
    assert.deepEqual(await verdicts(Arn, ["iam:CreateRole", "ec2:RunInstances"]), ["iam:CreateRole allowed", "ec2:RunInstances allowed"]);
    await assert.rejects(verdicts("nobody-at-all", ["s3:GetObject"]), refused("NoSuchEntityException"));
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/some/session`;
    await assert.rejects(verdicts(session, ["s3:GetObject"]), refused("InvalidInputException"));
  });

  test("answers come in pages", async () => {
    const role = await newRole();
    const ActionNames = Array.from({ length: 120 }, (_, index) => `ec2:Action${index}`);
    const PolicySourceArn = `arn:aws:iam::${ACCOUNT}:role/${role}`;
    const first = await iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames });
    assert.deepEqual([first.EvaluationResults?.length, first.IsTruncated], [100, true]);
    const second = await iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames, Marker: first.Marker });
    assert.deepEqual([second.EvaluationResults?.length, second.IsTruncated], [20, false]);
  });
});
