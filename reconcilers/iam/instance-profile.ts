import type { InstanceProfile } from "@aws-sdk/client-iam";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { BUSY, iam, iamName, iamTags, listByName, NOT_FOUND, path, roleName, tagFindings, tagList } from "../../src/kind/iam.ts";
import { defineKind, type Remote } from "../../src/kind/kind.ts";
import { defined, unlessNamed } from "../../src/kind/listing.ts";

const spec = z.strictObject({
  instanceProfileName: field(iamName(128).optional(), { doc: "Unique in the account; derived when absent.", immutable: true }),
  path: field(path().optional(), { doc: "Where it stands in the account's tree of names; / when absent.", immutable: true }),
  role: field(roleName().optional(), {
    doc: "The name of the role that its instances take on.",
    unset: null,
    ref: "iam.aws/v1 Role.roleName",
  }),
  tags: tags(),
});

const status = z.strictObject({
  instanceProfileName: field(z.string(), { doc: "The name of the instance profile." }),
  arn: field(z.string(), { doc: "The ARN of the instance profile." }),
  instanceProfileId: field(z.string(), { doc: "A unique ID: a profile of the same name that is made later has another." }),
});

export const instanceProfile = defineKind({
  apiVersion: "iam.aws/v1",
  kind: "InstanceProfile",
  doc: "Hands a role to EC2 instances.",
  spec,
  status,
  id: "instanceProfileName",
  identity: {
    by: "name",
    key: ["instanceProfileName"],
    name: { field: "instanceProfileName", maxLength: 128 },
    nameIsInterface: true,
  },
  deviations: [
    "`role`, which AWS adds by a call of its own, is a field here.",
    "IAM finds nothing by tag: a profile that neither a manifest nor a record names is not known as an orphan.",
  ],
  errors: { notFound: NOT_FOUND, exists: ["EntityAlreadyExistsException"], wait: ["DeleteConflictException", ...BUSY] },
  list: {
    operations: ["iam:GetInstanceProfile"],
    run: (aws, scope) => listByName(scope, "instanceProfileName", (name) => read(aws, name)),
  },
  create: {
    operations: ["iam:CreateInstanceProfile"],
    run: async (aws, desired) => {
      const InstanceProfileName = desired.instanceProfileName as string;
      const answer = await aws.write(iam, "CreateInstanceProfile", {
        InstanceProfileName,
        Path: desired.path,
        Tags: tagList(desired.tags),
      });
      const values = valuesOf({ InstanceProfileName, ...answer.InstanceProfile } as InstanceProfile);
      return { id: InstanceProfileName, values: { ...values, tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      // A profile has one role at most: the old one leaves first, and the new one comes on the next round.
      fields: ["role"],
      operations: ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:GetInstanceProfile"],
      run: async (aws, { id, changes }) => {
        const { before, after } = changes.role ?? {};
        if (typeof before === "string") {
          await removeRole(aws, id, before);
          return { values: { role: undefined } };
        }
        try {
          await aws.write(iam, "AddRoleToInstanceProfile", { InstanceProfileName: id, RoleName: String(after) });
          return { values: { role: String(after) } };
        } catch (error) {
          // It has one already: look which.
          if (!isNamed(error, ["LimitExceededException", "EntityAlreadyExistsException"])) throw error;
          return { values: { role: undefined, ...(await read(aws, id))?.values } };
        }
      },
    },
    iamTags(
      ["iam:TagInstanceProfile", "iam:UntagInstanceProfile"],
      (aws, InstanceProfileName, Tags) => aws.write(iam, "TagInstanceProfile", { InstanceProfileName, Tags }),
      (aws, InstanceProfileName, TagKeys) => aws.write(iam, "UntagInstanceProfile", { InstanceProfileName, TagKeys }),
    ),
  ],
  delete: {
    operations: ["iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"],
    run: async (aws, { id, observed }) => {
      if (typeof observed.role === "string") await removeRole(aws, id, observed.role);
      await aws.write(iam, "DeleteInstanceProfile", { InstanceProfileName: id });
    },
  },
  ready: ({ arn }) =>
    arn === undefined || arn.startsWith("arn:")
      ? { state: "ready" }
      : { state: "waiting", why: "IAM does not know the instance profile everywhere yet" },
  check: (resources) => resources.flatMap((resource) => [...tagFindings(resource)]),
});

async function read(aws: Reader, InstanceProfileName: string): Promise<Remote | undefined> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(iam, "GetInstanceProfile", { InstanceProfileName }));
  const found = answer?.InstanceProfile;
  if (!found) return undefined;
  const own = fromTagList(found.Tags);
  return { id: InstanceProfileName, values: { ...valuesOf(found), tags: own }, tags: own };
}

function valuesOf(found: InstanceProfile): JsonObject {
  return defined({
    instanceProfileName: found.InstanceProfileName,
    arn: found.Arn,
    instanceProfileId: found.InstanceProfileId,
    path: found.Path,
    role: found.Roles?.[0]?.RoleName,
  });
}

async function removeRole(aws: Writer, InstanceProfileName: string, RoleName: string): Promise<void> {
  await unlessNamed(NOT_FOUND, aws.write(iam, "RemoveRoleFromInstanceProfile", { InstanceProfileName, RoleName }));
}
