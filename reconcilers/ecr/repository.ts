import type { Repository } from "@aws-sdk/client-ecr";
import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import { type Reader, service, type Writer } from "../../src/aws/service.ts";
import { fromTagList, type Tags, toTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { type CheckFinding, type Condemned, defineKind, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { type Batched, batched, defined, listInScope, picked, unlessNamed } from "../../src/kind/listing.ts";
import { policyDocument, policyOf, policyOut } from "../../src/kind/policy.ts";
import { arn } from "../../src/kind/schemas.ts";
import { taggedResources } from "../../src/kind/tagging.ts";
import { fieldUpdater, tagsUpdater } from "../../src/kind/updaters.ts";

const ecr = service("ecr", "ECRClient", () => import("@aws-sdk/client-ecr"));

const NOT_FOUND = ["RepositoryNotFoundException"];
// "repositoryNames: at most 100" (ECR API Reference, DescribeRepositories).
const NAMES_MAX = 100;
// The largest page of repositories, and of images.
const PAGE = 1000;

type Mutability = "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";
type Filter = { readonly filterType: "WILDCARD"; readonly filter: string };

const spec = z.strictObject({
  repositoryName: field(
    z
      .string()
      .min(2)
      .max(256)
      .regex(/^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/)
      .optional(),
    { doc: "Unique in the account and region; slashes make groups. Derived when absent.", immutable: true },
  ),
  imageTagMutability: field(z.enum(["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"]).optional(), {
    doc: "Whether a tag may be moved to another image.",
    unset: "MUTABLE",
  }),
  imageTagMutabilityExclusionFilters: field(
    z
      .array(
        z.strictObject({
          filterType: field(z.enum(["WILDCARD"]), { doc: "Always WILDCARD: * stands for any text." }),
          filter: field(
            z
              .string()
              .min(1)
              .max(128)
              .regex(/^[0-9a-zA-Z._*-]+$/),
            { doc: "The tags to which the opposite applies." },
          ),
        }),
      )
      .max(5)
      .optional(),
    { doc: "With ..._WITH_EXCLUSION: the tags that are excluded.", compare: "set", unset: [], text: ({ filter }) => String(filter) },
  ),
  imageScanningConfiguration: field(
    z.strictObject({ scanOnPush: field(z.boolean(), { doc: "Whether an image is scanned when it is pushed." }) }).optional(),
    { doc: "The scanning of images, where the registry's own configuration does not rule.", unset: { scanOnPush: false } },
  ),
  encryptionConfiguration: field(
    z
      .strictObject({
        encryptionType: field(z.enum(["AES256", "KMS", "KMS_DSSE"]), { doc: "Whether S3's own keys or a KMS key encrypts." }),
        kmsKey: field(arn("kms").optional(), { doc: "The ARN of the KMS key; the account's aws/ecr key when absent." }),
      })
      .optional(),
    { doc: "Encryption at rest; AES256 when absent.", immutable: true },
  ),
  lifecyclePolicy: field(lifecyclePolicy().optional(), {
    doc: "Which images expire: a map in ECR's own words, or JSON text.",
    compare: "json",
    unset: null,
  }),
  // "RepositoryPolicyText: at most 10240 characters" (ECR API Reference).
  repositoryPolicy: field(policyDocument({ of: "resource", bytesMax: 10_240 }).optional(), {
    doc: "Who else may pull and push: an IAM policy.",
    compare: "iam-policy",
    unset: null,
  }),
  tags: tags(),
});

const status = z.strictObject({
  repositoryName: field(z.string(), { doc: "The name of the repository." }),
  repositoryArn: field(z.string(), { doc: "The ARN of the repository." }),
  repositoryUri: field(z.string(), { doc: "What images are pushed to and pulled from." }),
  registryId: field(z.string(), { doc: "The account whose registry it is in." }),
});

export const repository = defineKind({
  apiVersion: "ecr.aws/v1",
  kind: "Repository",
  doc: "A place for container images.",
  shortNames: ["repo"],
  spec,
  status,
  id: "repositoryName",
  identity: {
    by: "name",
    key: ["repositoryName"],
    name: { field: "repositoryName", maxLength: 256, lowerCase: true },
    nameIsInterface: true,
  },
  stateful: true,
  deviations: [
    "Lifecycle and repository policies, calls of their own at AWS, are fields here.",
    "Keys are named by their ARNs, because that is how AWS answers.",
    "A repository with images is not deleted, unless `lifecycle.deletion` is `force`.",
    "Repositories in other accounts' registries (`registryId`) are not supported.",
  ],
  errors: {
    notFound: NOT_FOUND,
    exists: ["RepositoryAlreadyExistsException"],
    // What ECR says of a principal that was just made.
    propagating: ["InvalidParameterException: invalid repository policy"],
  },
  list: {
    operations: [
      "tag:GetResources",
      "ecr:DescribeRepositories",
      "ecr:ListTagsForResource",
      "ecr:GetLifecyclePolicy",
      "ecr:GetRepositoryPolicy",
    ],
    run: list,
  },
  create: {
    operations: ["ecr:CreateRepository"],
    run: async (aws, desired) => {
      const repositoryName = desired.repositoryName as string;
      const own = desired.tags ?? {};
      const { imageTagMutability, imageTagMutabilityExclusionFilters, imageScanningConfiguration, encryptionConfiguration } = desired;
      const answer = await aws.write(ecr, "CreateRepository", {
        repositoryName,
        imageTagMutability,
        ...excluding(imageTagMutabilityExclusionFilters ?? []),
        imageScanningConfiguration,
        encryptionConfiguration,
        ...(Object.keys(own).length > 0 ? { tags: toTagList(own) } : {}),
      });
      const values = valuesOf({ repositoryName, ...answer.repository });
      return { id: repositoryName, values: { ...values, tags: own } };
    },
  },
  updates: [
    {
      fields: ["imageTagMutability", "imageTagMutabilityExclusionFilters"],
      operations: ["ecr:PutImageTagMutability"],
      run: async (aws, { id, observed, changes }) => {
        const now = (name: string) => changes[name]?.after ?? observed[name];
        const imageTagMutability = (now("imageTagMutability") ?? "MUTABLE") as Mutability;
        const filters = isExcluding(imageTagMutability) ? ((now("imageTagMutabilityExclusionFilters") ?? []) as unknown as Filter[]) : [];
        await aws.write(ecr, "PutImageTagMutability", { repositoryName: id, imageTagMutability, ...excluding(filters) });
        return { values: { imageTagMutability, imageTagMutabilityExclusionFilters: filters as unknown as Json } };
      },
    },
    fieldUpdater("imageScanningConfiguration", ["ecr:PutImageScanningConfiguration"], (aws, { id }, value) =>
      aws.write(ecr, "PutImageScanningConfiguration", {
        repositoryName: id,
        imageScanningConfiguration: { scanOnPush: isObject(value) && value.scanOnPush === true },
      }),
    ),
    fieldUpdater("lifecyclePolicy", ["ecr:PutLifecyclePolicy", "ecr:DeleteLifecyclePolicy"], (aws, { id }, policy) =>
      policy === null
        ? unlessNamed(["LifecyclePolicyNotFoundException"], aws.write(ecr, "DeleteLifecyclePolicy", { repositoryName: id }))
        : aws.write(ecr, "PutLifecyclePolicy", { repositoryName: id, lifecyclePolicyText: policyOut(policy) }),
    ),
    fieldUpdater("repositoryPolicy", ["ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy"], (aws, { id }, policy) =>
      policy === null
        ? unlessNamed(["RepositoryPolicyNotFoundException"], aws.write(ecr, "DeleteRepositoryPolicy", { repositoryName: id }))
        : aws.write(ecr, "SetRepositoryPolicy", { repositoryName: id, policyText: policyOut(policy) }),
    ),
    tagsUpdater({
      operations: ["ecr:TagResource", "ecr:UntagResource"],
      set: (aws, { observed }, set) =>
        aws.write(ecr, "TagResource", { resourceArn: observed.repositoryArn as string, tags: toTagList(set) }),
      remove: (aws, { observed }, tagKeys) => aws.write(ecr, "UntagResource", { resourceArn: observed.repositoryArn as string, tagKeys }),
    }),
  ],
  delete: { operations: ["ecr:DeleteRepository", "ecr:ListImages"], run: remove },
  check: (resources) => resources.flatMap((resource) => [...mutabilityFindings(resource)]),
});

async function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  const known = new Map<string, Tags>();
  const found = await listInScope<Repository>(scope, {
    id: ({ repositoryName }) => repositoryName,
    byTags: async (wanted) => {
      const tagged = await taggedResources(aws, "ecr:repository", wanted);
      for (const [resource, own] of tagged) known.set(nameOf(resource), own);
      return batched([...tagged.keys()].map(nameOf), named(aws));
    },
    byIds: (ids) => batched(ids, named(aws)),
    byNames: (names) =>
      picked(
        names.map(({ repositoryName }) => String(repositoryName)),
        named(aws),
      ),
    matches: ({ repositoryName }, name) => repositoryName === name.repositoryName,
  });
  return Promise.all(found.map((one) => remote(aws, one, scope.fields, known.get(String(one.repositoryName)))));
}

/** `arn:aws:ecr:REGION:ACCOUNT:repository/NAME`. */
function nameOf(resource: string): string {
  return resource.slice(resource.indexOf("/") + 1);
}

/** How repositories are found by their names. */
function named(aws: Reader): Batched<Repository> {
  const pages = (request: { repositoryNames?: string[]; maxResults?: number }) =>
    aws.pages(ecr, "DescribeRepositories", request, "repositories");
  return {
    size: NAMES_MAX,
    notFound: NOT_FOUND,
    some: (repositoryNames) => pages({ repositoryNames }),
    all: () => pages({ maxResults: PAGE }),
    key: ({ repositoryName }) => repositoryName,
  };
}

async function remote(aws: Reader, found: Repository, fields: Scope["fields"], known: Tags | undefined): Promise<Remote> {
  const [id, resourceArn] = [String(found.repositoryName), String(found.repositoryArn)];
  const [own, ...policies] = await Promise.all([
    // A repository that was just made is not yet among the tagged resources: it is asked itself.
    known ?? tagsOf(aws, resourceArn),
    fields.has("lifecyclePolicy") ? lifecycleOf(aws, id) : {},
    fields.has("repositoryPolicy") ? policyOfRepository(aws, id) : {},
  ]);
  return { id, values: { ...valuesOf(found), ...Object.assign({}, ...policies), tags: own }, tags: own };
}

async function tagsOf(aws: Reader, resourceArn: string): Promise<Tags> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(ecr, "ListTagsForResource", { resourceArn }));
  return fromTagList(answer?.tags);
}

async function lifecycleOf(aws: Reader, repositoryName: string): Promise<JsonObject> {
  const none = [...NOT_FOUND, "LifecyclePolicyNotFoundException"];
  const answer = await unlessNamed(none, aws.read(ecr, "GetLifecyclePolicy", { repositoryName }));
  return defined({ lifecyclePolicy: policyOf(answer?.lifecyclePolicyText) });
}

async function policyOfRepository(aws: Reader, repositoryName: string): Promise<JsonObject> {
  const none = [...NOT_FOUND, "RepositoryPolicyNotFoundException"];
  const answer = await unlessNamed(none, aws.read(ecr, "GetRepositoryPolicy", { repositoryName }));
  return defined({ repositoryPolicy: policyOf(answer?.policyText) });
}

function valuesOf(found: Repository): JsonObject {
  const { encryptionConfiguration: encryption, imageTagMutabilityExclusionFilters: filters } = found;
  return defined({
    repositoryName: found.repositoryName,
    repositoryArn: found.repositoryArn,
    repositoryUri: found.repositoryUri,
    registryId: found.registryId,
    imageTagMutability: found.imageTagMutability ?? "MUTABLE",
    imageTagMutabilityExclusionFilters: (filters ?? []).map(({ filterType, filter }) => defined({ filterType, filter })),
    imageScanningConfiguration: { scanOnPush: found.imageScanningConfiguration?.scanOnPush ?? false },
    encryptionConfiguration: defined({ encryptionType: encryption?.encryptionType ?? "AES256", kmsKey: encryption?.kmsKey }),
  });
}

/** ECR deletes an empty repository, and another with all its images only if it is told to. */
async function remove(aws: Writer, { id: repositoryName, force }: Condemned): Promise<void> {
  try {
    await aws.write(ecr, "DeleteRepository", { repositoryName, ...(force ? { force } : {}) });
  } catch (error) {
    if (!isNamed(error, ["RepositoryNotEmptyException"])) throw error;
    const { imageIds = [], nextToken } = await aws.read(ecr, "ListImages", { repositoryName, maxResults: PAGE });
    const count = new Set(imageIds.map(({ imageDigest }) => imageDigest)).size;
    const images = `${nextToken ? "more than " : ""}${count} ${count === 1 ? "image" : "images"}`;
    const message = `${repositoryName} holds ${images}: delete them, or set lifecycle.deletion: force and apply before it is deleted`;
    throw new AwsError(error.name, message, { operation: error.operation, verdict: "refused", cause: error });
  }
}

/** AWS refuses an empty list where it takes none at all. */
function excluding(filters: readonly Filter[]): { imageTagMutabilityExclusionFilters?: Filter[] } {
  return filters.length > 0 ? { imageTagMutabilityExclusionFilters: [...filters] } : {};
}

function isExcluding(mutability: unknown): boolean {
  return typeof mutability === "string" && mutability.endsWith("_WITH_EXCLUSION");
}

function* mutabilityFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const { imageTagMutability: mutability, imageTagMutabilityExclusionFilters } = declared;
  const isEmpty = Array.isArray(imageTagMutabilityExclusionFilters) && imageTagMutabilityExclusionFilters.length === 0;
  const filters = isEmpty ? undefined : imageTagMutabilityExclusionFilters;
  if (isExcluding(mutability) && filters === undefined) {
    const message = `${key} excludes tags, and names none`;
    yield { resource: key, field: "imageTagMutability", message, hint: "set `imageTagMutabilityExclusionFilters`" };
  }
  if (filters !== undefined && !isExcluding(mutability) && (mutability === undefined || typeof mutability === "string")) {
    const message = `${key} names tags to exclude, which ${mutability ?? "MUTABLE"} does not do`;
    const hint = "set `imageTagMutability` to MUTABLE_WITH_EXCLUSION or IMMUTABLE_WITH_EXCLUSION";
    yield { resource: key, field: "imageTagMutabilityExclusionFilters", message, hint };
  }
}

// ECR API Reference, LifecyclePolicyText; and user guide, "Lifecycle policy properties".
const LIFECYCLE_CHARACTERS = { min: 100, max: 30_720 };

/** A lifecycle policy, as a map or as JSON text. */
function lifecyclePolicy(): z.ZodAny {
  return z.any().superRefine((value, context) => {
    const document = typeof value === "string" ? policyOf(value) : value;
    const issue = (message: string, ...path: (string | number)[]) =>
      context.addIssue({ code: "custom", path: typeof value === "string" ? [] : path, message });
    if (!isObject(document)) return issue("must be a lifecycle policy: a map, or JSON text");
    const { rules } = document;
    if (rules === undefined) return issue("is missing", "rules");
    if (Array.isArray(rules) && rules.length === 0) return issue("must have a rule", "rules");
    for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
      const members = isObject(rule) && !("$expr" in rule) ? ["rulePriority", "selection", "action"] : [];
      for (const name of members) if ((rule as JsonObject)[name] === undefined) issue("is missing", "rules", index, name);
    }
    const { length } = policyOut(value) as string;
    const { min, max } = LIFECYCLE_CHARACTERS;
    if (length < min || length > max) issue(`must have ${min} to ${max} characters as JSON, but has ${length}`);
  });
}
