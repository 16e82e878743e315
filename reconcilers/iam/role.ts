import type { Role } from "@aws-sdk/client-iam";
import { z } from "zod";
import { AwsError } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import {
  BUSY,
  iam,
  iamName,
  iamTags,
  listByName,
  NOT_FOUND,
  path,
  policyArn,
  roleName,
  tagFindings,
  tagList,
  withArns,
} from "../../src/kind/iam.ts";
import {
  type CheckFinding,
  type Condemned,
  defineKind,
  type Readiness,
  type Remote,
  type Scope,
  type StaticResource,
} from "../../src/kind/kind.ts";
import { defined, unlessNamed } from "../../src/kind/listing.ts";
import { policyDocument, policyOf, policyOut } from "../../src/kind/policy.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";

// "policyDocumentType: at most 131072 characters" (IAM API Reference); quotas are lower, and some can be raised.
const DOCUMENT_BYTES_MAX = 131_072;
// "Sum of the sizes of a role's inline policies: 10,240 characters; whitespace is not counted" (IAM and STS quotas).
const INLINE_CHARACTERS_MAX = 10_240;
const SESSION_SECONDS = 3600;

const spec = z.strictObject({
  roleName: field(roleName().optional(), { doc: "Unique in the account, whatever its path; derived when absent.", immutable: true }),
  path: field(path().optional(), { doc: "Where it stands in the account's tree of names; / when absent.", immutable: true }),
  assumeRolePolicyDocument: field(policyDocument({ of: "trust", bytesMax: DOCUMENT_BYTES_MAX }), {
    doc: "Who may take the role on: an IAM policy.",
    compare: "iam-policy",
  }),
  description: field(
    z
      .string()
      .max(1000)
      .regex(/^[\t\n\r\u0020-\u007e\u00a1-\u00ff]*$/)
      .optional(),
    { doc: "What the role is for.", unset: "" },
  ),
  maxSessionDuration: field(z.int().min(SESSION_SECONDS).max(43_200).optional(), {
    doc: "How long a session may last, in seconds.",
    unset: SESSION_SECONDS,
  }),
  permissionsBoundary: field(policyArn().optional(), { doc: "The managed policy that limits what the role may do.", unset: null }),
  policies: field(
    z
      .array(
        z.strictObject({
          policyName: field(iamName(128), { doc: "Unique in the role." }),
          policyDocument: field(policyDocument({ of: "identity", bytesMax: DOCUMENT_BYTES_MAX }), {
            doc: "What the role may do.",
            compare: "iam-policy",
          }),
        }),
      )
      .optional(),
    { doc: "Its inline policies, and no others: what the role may do.", compare: { keyed: "policyName" }, unset: [] },
  ),
  managedPolicyArns: field(z.array(policyArn()).optional(), {
    doc: "The managed policies that are attached to it, and no others.",
    compare: "set",
    unset: [],
  }),
  tags: tags(),
});

const status = z.strictObject({
  roleName: field(z.string(), { doc: "The name of the role." }),
  arn: field(z.string(), { doc: "The ARN of the role." }),
  roleId: field(z.string(), { doc: "A unique ID: a role of the same name that is made later has another." }),
});

export const role = defineKind({
  apiVersion: "iam.aws/v1",
  kind: "Role",
  doc: "An identity that services and people take on, with what it may do.",
  spec,
  status,
  id: "roleName",
  identity: { by: "name", key: ["roleName"], name: { field: "roleName", maxLength: 64 }, nameIsInterface: true },
  deviations: [
    "Inline and attached policies, calls of their own at AWS, are fields here; `policies` holds the inline ones.",
    "IAM finds nothing by tag: a role that neither a manifest nor a record names is not known as an orphan.",
    "A role that an instance profile has is deleted once the profile lets go of it, or with `lifecycle.deletion: force`.",
  ],
  errors: {
    notFound: NOT_FOUND,
    exists: ["EntityAlreadyExistsException"],
    wait: ["DeleteConflictException", ...BUSY],
    // A principal that was just made is not known everywhere yet.
    propagating: ["MalformedPolicyDocumentException: invalid principal"],
  },
  list: { operations: ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"], run: list },
  create: {
    operations: ["iam:CreateRole"],
    run: async (aws, desired) => {
      const answer = await aws.write(iam, "CreateRole", {
        RoleName: desired.roleName as string,
        Path: desired.path,
        AssumeRolePolicyDocument: policyOut(desired.assumeRolePolicyDocument) as string,
        Description: desired.description,
        MaxSessionDuration: desired.maxSessionDuration,
        PermissionsBoundary: desired.permissionsBoundary,
        Tags: tagList(desired.tags),
      });
      const created = { RoleName: desired.roleName, Description: desired.description, ...answer.Role };
      const values = {
        ...valuesOf(created as Role),
        ...defined({ permissionsBoundary: desired.permissionsBoundary }),
        assumeRolePolicyDocument: desired.assumeRolePolicyDocument as Json,
      };
      return { id: String(created.RoleName), values: { ...values, policies: [], managedPolicyArns: [], tags: desired.tags ?? {} } };
    },
  },
  updates: [
    fieldUpdater("assumeRolePolicyDocument", ["iam:UpdateAssumeRolePolicy"], (aws, { id }, policy) =>
      aws.write(iam, "UpdateAssumeRolePolicy", { RoleName: id, PolicyDocument: policyOut(policy) as string }),
    ),
    {
      // One call changes both, and what it does not name may be lost.
      fields: ["description", "maxSessionDuration"],
      operations: ["iam:UpdateRole"],
      run: async (aws, { id, observed, changes }) => {
        const description = String(changes.description?.after ?? observed.description ?? "");
        const maxSessionDuration = Number(changes.maxSessionDuration?.after ?? observed.maxSessionDuration ?? SESSION_SECONDS);
        await aws.write(iam, "UpdateRole", { RoleName: id, Description: description, MaxSessionDuration: maxSessionDuration });
        return { values: { description, maxSessionDuration } };
      },
    },
    fieldUpdater(
      "permissionsBoundary",
      ["iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"],
      (aws, { id }, PermissionsBoundary) =>
        PermissionsBoundary === null
          ? aws.write(iam, "DeleteRolePermissionsBoundary", { RoleName: id })
          : aws.write(iam, "PutRolePermissionsBoundary", { RoleName: id, PermissionsBoundary: String(PermissionsBoundary) }),
    ),
    {
      // New and changed ones first; those that go do so on later rounds.
      fields: ["policies"],
      operations: ["iam:PutRolePolicy", "iam:DeleteRolePolicy"],
      run: async (aws, { id, changes }) => {
        const { before, added = [], changed = [], removed = [] } = changes.policies ?? {};
        const present = Array.isArray(before) ? (before as InlinePolicy[]) : [];
        const others = ({ policyName }: InlinePolicy) => present.filter((policy) => policy.policyName !== policyName);
        const [next] = [...added, ...changed.map(({ after }) => after)] as InlinePolicy[];
        if (next) {
          const PolicyDocument = policyOut(next.policyDocument) as string;
          await aws.write(iam, "PutRolePolicy", { RoleName: id, PolicyName: next.policyName, PolicyDocument });
          return { values: { policies: [...others(next), next] } };
        }
        const [gone] = removed as readonly InlinePolicy[] as readonly [InlinePolicy];
        await deletePolicy(aws, id, gone.policyName);
        return { values: { policies: others(gone) } };
      },
    },
    {
      fields: ["managedPolicyArns"],
      operations: ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
      run: async (aws, { id, changes }) => {
        const { before, added = [], removed = [] } = changes.managedPolicyArns ?? {};
        const present = Array.isArray(before) ? before : [];
        const [next] = added;
        if (next !== undefined) {
          await aws.write(iam, "AttachRolePolicy", { RoleName: id, PolicyArn: String(next) });
          return { values: { managedPolicyArns: [...present, next] } };
        }
        const [gone] = removed;
        await detachPolicy(aws, id, String(gone));
        return { values: { managedPolicyArns: present.filter((arn) => arn !== gone) } };
      },
    },
    iamTags(
      ["iam:TagRole", "iam:UntagRole"],
      (aws, RoleName, Tags) => aws.write(iam, "TagRole", { RoleName, Tags }),
      (aws, RoleName, TagKeys) => aws.write(iam, "UntagRole", { RoleName, TagKeys }),
    ),
  ],
  delete: {
    operations: [
      "iam:DeleteRole",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
      "iam:ListAttachedRolePolicies",
      "iam:RemoveRoleFromInstanceProfile",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
    ],
    run: remove,
  },
  ready,
  explainBlocked: {
    operations: ["iam:ListInstanceProfilesForRole"],
    run: async (aws, { id }) => {
      const [profile] = await profilesOf(aws, id);
      return profile && `instance profile ${profile}`;
    },
  },
  check: (resources) => resources.flatMap((resource) => [...tagFindings(resource), ...sizeFindings(resource)]),
});

type InlinePolicy = { readonly policyName: string; readonly policyDocument: Json };

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const found = await listByName(scope, "roleName", (name) => read(aws, name, scope.fields));
  // Roles may trust each other.
  const arns = new Map(found.map(({ values }) => [String(values.roleId), String(values.arn)]));
  return found.map((remote) => {
    const trust = remote.values.assumeRolePolicyDocument;
    return { ...remote, values: { ...remote.values, ...(trust === undefined ? {} : { assumeRolePolicyDocument: withArns(trust, arns) }) } };
  });
}

async function read(aws: Reader, RoleName: string, fields: Scope["fields"]): Promise<Remote | undefined> {
  // Not beside the rest: what is still to be made costs one call.
  const answer = await unlessNamed(NOT_FOUND, aws.read(iam, "GetRole", { RoleName }));
  if (!answer?.Role) return undefined;
  const [policies, managedPolicyArns] = await Promise.all([
    fields.has("policies") ? inlinePolicies(aws, RoleName) : undefined,
    fields.has("managedPolicyArns") ? attachedPolicies(aws, RoleName) : undefined,
  ]);
  const own = fromTagList(answer.Role.Tags);
  return { id: RoleName, values: { ...valuesOf(answer.Role), ...defined({ policies, managedPolicyArns }), tags: own }, tags: own };
}

async function inlinePolicies(aws: Reader, RoleName: string): Promise<InlinePolicy[]> {
  const documents = await Promise.all(
    (await inlineNames(aws, RoleName)).map(async (PolicyName) => {
      const answer = await unlessNamed(NOT_FOUND, aws.read(iam, "GetRolePolicy", { RoleName, PolicyName }));
      return { policyName: PolicyName, policyDocument: policyOf(answer?.PolicyDocument) };
    }),
  );
  return documents.filter((policy): policy is InlinePolicy => policy.policyDocument !== undefined);
}

async function inlineNames(aws: Reader, RoleName: string): Promise<readonly string[]> {
  return (await unlessNamed(NOT_FOUND, aws.pages(iam, "ListRolePolicies", { RoleName }, "PolicyNames"))) ?? [];
}

async function attachedPolicies(aws: Reader, RoleName: string): Promise<string[]> {
  const found = await unlessNamed(NOT_FOUND, aws.pages(iam, "ListAttachedRolePolicies", { RoleName }, "AttachedPolicies"));
  return (found ?? []).map(({ PolicyArn }) => String(PolicyArn));
}

async function profilesOf(aws: Reader, RoleName: string): Promise<string[]> {
  const found = await unlessNamed(NOT_FOUND, aws.pages(iam, "ListInstanceProfilesForRole", { RoleName }, "InstanceProfiles"));
  return (found ?? []).map(({ InstanceProfileName }) => String(InstanceProfileName));
}

function valuesOf(found: Role): JsonObject {
  return {
    ...defined({
      roleName: found.RoleName,
      arn: found.Arn,
      roleId: found.RoleId,
      path: found.Path,
      assumeRolePolicyDocument: policyOf(found.AssumeRolePolicyDocument),
      permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
    }),
    description: found.Description ?? "",
    maxSessionDuration: found.MaxSessionDuration ?? SESSION_SECONDS,
  };
}

/** AWS deletes a role without policies that no instance profile has; its policies go only where nothing else keeps it. */
async function remove(aws: Writer, { id, force }: Condemned): Promise<void> {
  const [profiles, inline, attached] = await Promise.all([profilesOf(aws, id), inlineNames(aws, id), attachedPolicies(aws, id)]);
  const [profile] = profiles;
  if (profile !== undefined && !force) {
    const message = `the instance profile ${profile} has the role ${id}`;
    throw new AwsError("DeleteConflict", message, { operation: "iam:DeleteRole", verdict: "refused" });
  }
  for (const InstanceProfileName of profiles) {
    await unlessNamed(NOT_FOUND, aws.write(iam, "RemoveRoleFromInstanceProfile", { InstanceProfileName, RoleName: id }));
  }
  for (const name of inline) await deletePolicy(aws, id, name);
  for (const arn of attached) await detachPolicy(aws, id, arn);
  await aws.write(iam, "DeleteRole", { RoleName: id });
}

async function deletePolicy(aws: Writer, RoleName: string, PolicyName: string): Promise<void> {
  await unlessNamed(NOT_FOUND, aws.write(iam, "DeleteRolePolicy", { RoleName, PolicyName }));
}

async function detachPolicy(aws: Writer, RoleName: string, PolicyArn: string): Promise<void> {
  await unlessNamed(NOT_FOUND, aws.write(iam, "DetachRolePolicy", { RoleName, PolicyArn }));
}

function ready({ arn, roleId }: { arn?: string | undefined; roleId?: string | undefined }): Readiness {
  if (arn === undefined || arn.startsWith("arn:")) return { state: "ready" };
  return { state: "waiting", why: `IAM shows the role by its ID, ${roleId ?? arn}, until it is known everywhere` };
}

function* sizeFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const documents = Array.isArray(declared.policies) ? declared.policies.map((policy) => isObject(policy) && policy.policyDocument) : [];
  const size = documents.reduce<number>((sum, document) => sum + (policyOut(document || null) ?? "").replaceAll(/\s/g, "").length, 0);
  if (size <= INLINE_CHARACTERS_MAX) return;
  const message = `the inline policies of ${key} have ${size} characters; IAM takes ${INLINE_CHARACTERS_MAX}`;
  yield { resource: key, field: "policies", message, hint: "make one a managed policy, and name it in `managedPolicyArns`" };
}
