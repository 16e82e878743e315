/** The policy for all kinds is one that IAM takes, and names actions that exist. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import {
  actionsOf,
  BOOTSTRAP_OPERATIONS,
  CONTROLLER_OPERATIONS,
  EVENTS_BOOTSTRAP_OPERATIONS,
  iamPolicy,
  STATE_OPERATIONS,
} from "../../src/aws/permissions.ts";
import { isMutating, type OperationName } from "../../src/aws/service.ts";
import { operationsOf } from "../../src/kind/operations.ts";
import { loadKindModels, loadModels, operationExists } from "./model.ts";

// "The total aggregate policy size of a role's inline policies can't exceed 10,240 characters", whitespace not counted (IAM and STS
// quotas). A managed policy takes 6,144, which the kinds of most stacks keep to.
const POLICY_CHARACTERS_MAX = 10_240;

type Statement = {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
};

const operations = [...kinds.values()].flatMap(operationsOf);
const policy = iamPolicy(operations, { stateTable: "beacon-state", accountId: "111122223333", region: "ap-northeast-2" });
const statements = policy.Statement as unknown as readonly Statement[];

before(() => Promise.all([loadKindModels(kinds), loadModels("sts", "kms", "cognito-idp", "sqs", "events", "cloudtrail")]));

test("the policy for all kinds fits into one role", () => {
  assert.ok(JSON.stringify(policy).length <= POLICY_CHARACTERS_MAX, `${JSON.stringify(policy).length} characters`);
});

test("every statement is whole: a name of its own, sorted actions without doubles, a resource", () => {
  assert.equal(new Set(statements.map(({ Sid }) => Sid)).size, statements.length);
  for (const { Sid, Effect, Action, Resource } of statements) {
    assert.match(Sid, /^[A-Za-z0-9]+$/);
    assert.equal(Effect, "Allow");
    assert.deepEqual(Action, [...new Set(Action)].sort());
    for (const one of [Resource].flat()) assert.match(one, /^(\*|arn:aws:s3:::\*|arn:aws:([a-z]+:ap-northeast-2|iam:):111122223333:.+)$/);
  }
});

// Permissions without an operation of their name (Service Authorization Reference).
const NO_OPERATIONS: ReadonlySet<string> = new Set([
  "iam:PassRole",
  "logs:CreateLogDelivery",
  "logs:DeleteLogDelivery",
  ...["Create", "Delete", "Describe"].map((verb) => `elasticloadbalancing:${verb}WebACLAssociation`),
  "elasticloadbalancing:GetLoadBalancerWebACL",
  "elasticloadbalancing:SetWebACL",
  ...["GetEncryptionConfiguration", "PutEncryptionConfiguration", "GetLifecycleConfiguration", "PutLifecycleConfiguration"].map(ofS3),
  ...["GetAccelerateConfiguration", "PutAccelerateConfiguration", "GetReplicationConfiguration", "PutReplicationConfiguration"].map(ofS3),
  ...["GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "GetBucketObjectLockConfiguration"].map(ofS3),
  ...["PutBucketObjectLockConfiguration", "GetBucketCORS", "PutBucketCORS", "ListBucket", "ListBucketVersions"].map(ofS3),
  ...["DeleteObjectVersion", "TagResource"].map(ofS3),
]);

function ofS3(name: string): string {
  return `s3:${name}`;
}

test("every action is an operation of AWS's, or a permission that is none", () => {
  const actions = statements.flatMap(({ Action }) => Action) as OperationName[];
  assert.deepEqual(
    actions.filter((action) => !operationExists(action) && !NO_OPERATIONS.has(action)),
    [],
  );
});

test("every operation that a kind declares exists, and all that it needs is allowed", () => {
  const own: OperationName[] = [
    ...[...STATE_OPERATIONS, ...BOOTSTRAP_OPERATIONS],
    ...[...EVENTS_BOOTSTRAP_OPERATIONS, ...CONTROLLER_OPERATIONS],
  ];
  assert.deepEqual(
    [...operations, ...own].filter((operation) => !operationExists(operation)),
    [],
  );
  const allowed = new Set(statements.flatMap(({ Action }) => Action));
  assert.deepEqual(
    operations.flatMap(actionsOf).filter((action) => !allowed.has(action)),
    [],
  );
});

test("a kind's looks are read by name", () => {
  const looks = [...kinds.values()].flatMap((kind) => (kind.lookup ? kind.resolve.operations : kind.list.operations));
  assert.deepEqual(looks.filter(isMutating), []);
});
