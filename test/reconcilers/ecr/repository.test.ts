import assert from "node:assert/strict";
import { test } from "node:test";
import type { ECR } from "@aws-sdk/client-ecr";
import { repository } from "../../../reconcilers/ecr/repository.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StaticResource } from "../../../src/kind/kind.ts";
import { clientSettings } from "../../support/sandbox.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, seen, settle } from "../support.ts";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const nameFor = (bench: Bench, name: string) => `${bench.stack}/${name}`;

async function plainClient(): Promise<ECR> {
  const { ECR: Client } = await import("@aws-sdk/client-ecr");
  return new Client(await clientSettings());
}

const lifecyclePolicy = {
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
      action: { type: "expire" },
    },
  ],
};
const repositoryPolicy = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "111122223333" }, Action: ["ecr:BatchGetImage"] }],
};

test("a repository is changed in every field, and unset again", async () => {
  const bench = await benchFor(repository);
  const base = { repositoryName: nameFor(bench, "web"), tags: { Name: "web", Gone: "soon" } };
  const made = await make(bench, base);
  const found = await assertHolds(bench, made);
  assert.match(
    String(found.values.repositoryUri),
    new RegExp(`^\\d{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/${base.repositoryName}$`),
  );
  assert.deepEqual(found.values.encryptionConfiguration, { encryptionType: "AES256" });
  const wanted = {
    ...base,
    imageTagMutability: "MUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "release-*" }],
    imageScanningConfiguration: { scanOnPush: true },
    lifecyclePolicy,
    repositoryPolicy: JSON.stringify(repositoryPolicy),
    tags: { Name: "site" },
  };
  const changed = await settle(bench, found, wanted, base);
  assert.equal(changed.effects, 6, "tag mutability in one call, scanning, two policies, tags set and removed");
  const [now] = await seen(bench, made.id);
  assert.deepEqual([now?.values.lifecyclePolicy, now?.values.repositoryPolicy], [lifecyclePolicy, repositoryPolicy]);
  assert.equal((await settle(bench, now ?? made, { ...wanted, lifecyclePolicy: JSON.stringify(lifecyclePolicy) }, wanted)).effects, 0);
  const back = await settle(bench, changed, { repositoryName: base.repositoryName, tags: { Name: "site" } }, wanted);
  const after = (await assertHolds(bench, back)).values;
  assert.deepEqual(
    [
      after.imageTagMutability,
      after.imageTagMutabilityExclusionFilters,
      after.imageScanningConfiguration,
      after.lifecyclePolicy,
      after.repositoryPolicy,
    ],
    ["MUTABLE", [], { scanOnPush: false }, undefined, undefined],
  );
  await removeAll(bench, back);
});

test("a look at what the stack owns costs two calls, and tags of a repository that the index does not know yet one more", async () => {
  const bench = await benchFor(repository);
  const made = await Promise.all(["a", "b", "c"].map((name) => make(bench, { repositoryName: nameFor(bench, name) })));
  const calls = () => Object.fromEntries(bench.session.calls().map(({ operation, calls: count }) => [operation, count]));
  const found = await ownedBy(bench, { fields: new Set(["tags"]) });
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  assert.deepEqual(
    [calls()["tag:GetResources"], calls()["ecr:DescribeRepositories"], calls()["ecr:ListTagsForResource"]],
    [1, 1, undefined],
  );
  const [byId] = await repository.list.run(bench.reader, { ids: [String(made[0]?.id)], names: [], fields: new Set() });
  assert.equal(byId?.tags?.["beacon:stack"], bench.stack);
  assert.equal(calls()["ecr:ListTagsForResource"], 1);
  await removeAll(bench, ...made);
});

test("names that no longer exist do not hide the others", async () => {
  const bench = await benchFor(repository);
  const made = await make(bench, { repositoryName: nameFor(bench, "here") });
  const ids = ["gone-1", "gone-2", made.id, "gone-3", "gone-4"];
  assert.deepEqual(
    (await seen(bench, ...ids)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, made);
});

test("names go out in batches of a hundred", async () => {
  const asked: number[] = [];
  const pages = async (_service: unknown, _operation: string, { repositoryNames }: { repositoryNames: string[] }) => {
    asked.push(repositoryNames.length);
    return repositoryNames.map((repositoryName) => ({ repositoryName, repositoryArn: `arn:aws:ecr:r:1:repository/${repositoryName}` }));
  };
  const ids = Array.from({ length: 230 }, (_, index) => `name-${index}`);
  const found = await repository.list.run({ pages, read: async () => ({ tags: [] }) } as never, { ids, names: [], fields: new Set() });
  assert.deepEqual([asked, found.length], [[100, 100, 30], 230]);
});

test("a repository with images stays, and says how many, unless all is to go", async () => {
  const [bench, ecr] = [await benchFor(repository), await plainClient()];
  const made = await make(bench, { repositoryName: nameFor(bench, "full") });
  for (const layer of ["1", "2"]) {
    const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers: [{ digest: `sha256:${layer.repeat(64)}` }] });
    await ecr.putImage({ repositoryName: made.id, imageManifest, imageTag: `v${layer}` });
  }
  const deletion = repository.delete.run(bench.writer, { id: made.id, observed: made.values });
  await assert.rejects(deletion, (error: AwsError) => {
    assert.ok(error instanceof AwsError && error.verdict === "refused");
    assert.match(error.message, /holds 2 images: delete them, or set lifecycle\.deletion: force/);
    return true;
  });
  assert.ok(![...repository.errors.wait, ...repository.errors.notFound].includes("RepositoryNotEmptyException"), "nothing waits for it");
  assert.equal((await seen(bench, made.id)).length, 1);
  await repository.delete.run(bench.writer, { id: made.id, observed: made.values, force: true });
  assert.deepEqual(await seen(bench, made.id), []);
});

test("a derived name has no capitals", () => {
  const { identity } = repository;
  assert.equal(identity.by === "name" && identity.name?.lowerCase, true);
});

const rows: readonly { readonly why: string; readonly spec: JsonObject; readonly fields: readonly string[] }[] = [
  { why: "tags that are excluded are named", spec: { imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" }, fields: ["imageTagMutability"] },
  {
    why: "tags are excluded from something",
    spec: { imageTagMutability: "IMMUTABLE", imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "a*" }] },
    fields: ["imageTagMutabilityExclusionFilters"],
  },
  {
    why: "what is not known yet is passed over",
    spec: {
      imageTagMutability: { $unknown: "repository.other.imageTagMutability" },
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "a*" }],
    },
    fields: [],
  },
];

for (const { why, spec, fields } of rows) {
  const resource: StaticResource = { key: "Repository/a", spec, refersTo: () => undefined, spanOf: () => undefined };
  test(why, () =>
    assert.deepEqual(
      repository.check?.([resource]).map(({ field }) => field),
      fields,
    ),
  );
}

const policies: readonly { readonly why: string; readonly policy: unknown; readonly paths: readonly string[] }[] = [
  { why: "a lifecycle policy may be a map", policy: lifecyclePolicy, paths: [] },
  { why: "or JSON text", policy: JSON.stringify(lifecyclePolicy), paths: [] },
  { why: "and nothing else", policy: "keep ten", paths: ["lifecyclePolicy"] },
  { why: "it has rules", policy: { rules: [] }, paths: ["lifecyclePolicy.rules"] },
  {
    why: "a rule has a priority, a selection and an action",
    policy: { rules: [{ description: "x".repeat(100) }] },
    paths: ["lifecyclePolicy.rules.0.rulePriority", "lifecyclePolicy.rules.0.selection", "lifecyclePolicy.rules.0.action"],
  },
];

for (const { why, policy, paths } of policies) {
  test(why, () => {
    const issues = repository.specSchema.safeParse({ lifecyclePolicy: policy }).error?.issues ?? [];
    assert.deepEqual(
      issues.map(({ path }) => path.join(".")),
      paths,
    );
  });
}
