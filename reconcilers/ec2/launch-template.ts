import { randomUUID } from "node:crypto";
import type { LaunchTemplate, LaunchTemplateVersion } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { canonical, digest, equal, isObject, type JsonObject } from "../../src/core/json.ts";
import { holdsUnknown } from "../../src/core/unknown.ts";
import { ec2, ec2Tags, filter, inChunks, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type Effect, type Scope, type StaticResource, type Target } from "../../src/kind/kind.ts";
import { dataOf, dataOut, descriptionOf, isOurs, normal } from "../../src/kind/launch-template.ts";
import { type LaunchTemplateData, launchTemplateData } from "../../src/kind/launch-template-schemas.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { launchTemplateName } from "../../src/kind/schemas.ts";

const VERSIONS_KEPT = 5;

const spec = z.strictObject({
  launchTemplateName: field(launchTemplateName().optional(), { doc: "Unique in the region; derived when absent.", immutable: true }),
  launchTemplateData: field(launchTemplateData(), {
    doc: "What it launches: the content of its default version, and of its latest.",
    whole: true,
  }),
  versionsKept: field(z.int().min(2).max(5000).optional(), {
    doc: `How many versions are kept; older ones that BEACON made are deleted. ${VERSIONS_KEPT} when absent.`,
    setting: true,
  }),
  tags: tags({ anyCharacter: true }),
});

const renewedBy = ["launchTemplateData"];

const status = z.strictObject({
  launchTemplateId: field(z.string(), { doc: "The ID of the launch template." }),
  launchTemplateName: field(z.string().optional(), { doc: "The name of the launch template." }),
  latestVersionNumber: field(z.int().optional(), { doc: "The number of its newest version.", renewedBy }),
  defaultVersionNumber: field(z.int().optional(), { doc: "The number of its default version.", renewedBy }),
  versionDescriptions: field(z.record(z.string(), z.string()).optional(), {
    doc: "The descriptions of its versions by number; those BEACON makes are `beacon:` and the hash of their content.",
  }),
});

const NOT_FOUND = ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException"];

export const launchTemplate = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "LaunchTemplate",
  doc: "What instances are launched from: image, type, network, user data. Every change is a new version, and the default one.",
  shortNames: ["lt"],
  spec,
  status,
  id: "launchTemplateId",
  identity: { by: "name", key: ["launchTemplateName"], name: { field: "launchTemplateName", maxLength: 128 } },
  deviations: [
    "`launchTemplateData` is written whole: what it does not name is not set, whatever an earlier version had.",
    "`userData` is plain text, and Base64 at AWS; `tagSpecifications` is a map by type of resource, then by tag.",
    "A version's description is the hash of its content. The newest version with the wanted content is used again; else a new one is made, because groups may follow `$Latest`.",
    "The default version and the latest have the manifest's content. Versions beyond `versionsKept` that BEACON made are deleted, never the default or the latest one: a group that names a number itself should not name an old one.",
    "Elastic graphics and inference accelerators (both retired), secondary interfaces, ENA Express, single IPv6 addresses and prefixes, and `spotOptions.validUntil` are not supported.",
  ],
  errors: {
    // A version that is gone makes the template worth another look, like a template that is.
    notFound: [...NOT_FOUND, "InvalidLaunchTemplateId.VersionNotFound"],
    exists: ["InvalidLaunchTemplateName.AlreadyExistsException"],
  },
  list: { operations: ["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"], run: list },
  create: {
    operations: ["ec2:CreateLaunchTemplate"],
    run: async (aws, desired, { token }) => {
      const data = desired.launchTemplateData as JsonObject;
      const answer = await aws.write(ec2, "CreateLaunchTemplate", {
        ClientToken: token,
        LaunchTemplateName: desired.launchTemplateName as string,
        VersionDescription: descriptionOf(data),
        LaunchTemplateData: dataOut(desired.launchTemplateData),
        TagSpecifications: tagSpecifications("launch-template", desired.tags),
      });
      const { LaunchTemplateId, LaunchTemplateName = desired.launchTemplateName } = answer.LaunchTemplate ?? {};
      const made = { launchTemplateName: LaunchTemplateName, latestVersionNumber: 1, defaultVersionNumber: 1 };
      const known = { launchTemplateData: data, versionDescriptions: { 1: descriptionOf(data) }, tags: desired.tags ?? {} };
      return { id: String(LaunchTemplateId), values: { launchTemplateId: String(LaunchTemplateId), ...defined(made), ...known } };
    },
  },
  updates: [
    {
      // A new version, then the default, then, on a third round, what is too old.
      fields: ["launchTemplateData"],
      operations: ["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:DeleteLaunchTemplateVersions"],
      run: (aws, target) => {
        const state = stateOf(target.observed, target.desired as JsonObject);
        if (!state.isLatest) return newVersion(aws, target, state);
        return state.isDefault ? deleteVersions(aws, target, state) : makeDefault(aws, target, state);
      },
    },
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DeleteLaunchTemplate"],
    run: async (aws, { id }) => void (await aws.write(ec2, "DeleteLaunchTemplate", { LaunchTemplateId: id })),
  },
  comparable: (observed, desired) => {
    if (!isObject(desired.launchTemplateData) || holdsUnknown(desired.launchTemplateData)) return observed;
    const { isLatest, isDefault, surplus } = stateOf(observed, desired);
    if (!isLatest) return observed;
    const wrong = {
      ...(isDefault ? {} : { defaultVersion: observed.defaultVersionNumber }),
      ...(surplus.length > 0 ? { oldVersions: surplus } : {}),
    };
    return { ...observed, launchTemplateData: { ...desired.launchTemplateData, ...wrong } };
  },
  check: (resources) => resources.flatMap((resource) => [...dataFindings(resource)]),
});

type LatestState = {
  readonly description: string;
  readonly latest: number;
  /** Whether the newest version has the wanted content. */
  readonly isLatest: boolean;
  /** Whether it is the default version. */
  readonly isDefault: boolean;
  /** Versions of our making that are beyond the limit. */
  readonly surplus: readonly number[];
};

/** Versions never change: one whose description is the content's hash has it. Others are compared by what they hold. */
function stateOf(observed: JsonObject, { launchTemplateData: wanted, versionsKept }: JsonObject): LatestState {
  const description = descriptionOf(wanted as JsonObject);
  const [latest, standard] = [Number(observed.latestVersionNumber ?? 0), Number(observed.defaultVersionNumber ?? 0)];
  const descriptions = (observed.versionDescriptions ?? {}) as Record<string, string>;
  const isSame = isObject(observed.launchTemplateData) && equal(normal(observed.launchTemplateData), normal(wanted as JsonObject));
  const numbers = Object.keys(descriptions).map(Number);
  const old = numbers.toSorted((left, right) => right - left).slice(typeof versionsKept === "number" ? versionsKept : VERSIONS_KEPT);
  return {
    description,
    latest,
    isLatest: descriptions[latest] === description || isSame,
    isDefault: standard === latest,
    surplus: old.filter((number) => number !== latest && number !== standard && isOurs(descriptions[number])),
  };
}

type Versioned = Target<{ readonly launchTemplateData: LaunchTemplateData }>;

async function newVersion(aws: Writer, { id, desired, observed }: Versioned, { description, latest }: LatestState): Promise<Effect> {
  const data = desired.launchTemplateData;
  const answer = await aws.write(ec2, "CreateLaunchTemplateVersion", {
    // The same for every send of the same change: one whose answer was lost, and which no look shows yet, is not made twice.
    ClientToken: digest({ id, description, latest }),
    LaunchTemplateId: id,
    VersionDescription: description,
    LaunchTemplateData: dataOut(data),
  });
  const number = answer.LaunchTemplateVersion?.VersionNumber ?? latest + 1;
  const versionDescriptions = { ...(observed.versionDescriptions as JsonObject | undefined), [number]: description };
  return { values: { launchTemplateData: data as JsonObject, latestVersionNumber: number, versionDescriptions } };
}

async function makeDefault(aws: Writer, { id }: Versioned, { latest }: LatestState): Promise<Effect> {
  // It can be sent any number of times; by an earlier token AWS would only say what it once did.
  const request = { ClientToken: randomUUID(), LaunchTemplateId: id, DefaultVersion: String(latest) };
  await aws.write(ec2, "ModifyLaunchTemplate", request);
  return { values: { defaultVersionNumber: latest } };
}

// "You can specify up to 200 launch template version numbers" (DeleteLaunchTemplateVersions).
const DELETED_MAX = 200;
const GONE = "launchTemplateVersionDoesNotExist";

async function deleteVersions(aws: Writer, { id, observed }: Versioned, { surplus }: LatestState): Promise<Effect> {
  const Versions = surplus.slice(0, DELETED_MAX).map(String);
  const answer = await aws.write(ec2, "DeleteLaunchTemplateVersions", { LaunchTemplateId: id, Versions });
  const kept = (answer.UnsuccessfullyDeletedLaunchTemplateVersions ?? []).filter(({ ResponseError }) => ResponseError?.Code !== GONE);
  const still = new Set(kept.map(({ VersionNumber }) => String(VersionNumber)));
  const left = Object.entries((observed.versionDescriptions ?? {}) as JsonObject).filter(
    ([number]) => !Versions.includes(number) || still.has(number),
  );
  return { values: { versionDescriptions: Object.fromEntries(left) } };
}

async function list(aws: Reader, scope: Scope) {
  const found = await listInScope<LaunchTemplate>(scope, {
    id: (object) => object.LaunchTemplateId,
    byTags: (wanted) => describe(aws, { Filters: Object.entries(wanted).map(([key, value]) => filter(`tag:${key}`, [value])) }),
    byIds: (ids) => byIds(aws, ids),
    byNames: (names) =>
      inChunks(
        names.map(({ launchTemplateName }) => String(launchTemplateName)),
        NAMES_MAX,
        (some) => describe(aws, { Filters: [filter("launch-template-name", some)] }),
      ),
    matches: (object, { launchTemplateName }) => object.LaunchTemplateName === launchTemplateName,
  });
  return Promise.all(
    found.map(async (object) => {
      const versions = scope.fields.has("launchTemplateData") ? await versionsOf(aws, String(object.LaunchTemplateId)) : [];
      return { id: String(object.LaunchTemplateId), values: valuesOf(object, versions), tags: fromTagList(object.Tags) };
    }),
  );
}

const NAMES_MAX = 200;

type Asked = { readonly Filters?: ReturnType<typeof filter>[]; readonly LaunchTemplateIds?: string[] };

function describe(aws: Reader, asked: Asked): Promise<LaunchTemplate[]> {
  return aws.pages(ec2, "DescribeLaunchTemplates", asked, "LaunchTemplates");
}

// There is no filter for ids, and one that no longer exists fails the whole call: then each is asked for by itself.
async function byIds(aws: Reader, ids: readonly string[]): Promise<LaunchTemplate[]> {
  try {
    return await describe(aws, { LaunchTemplateIds: [...ids] });
  } catch (error) {
    if (!isNamed(error, NOT_FOUND)) throw error;
    const one = async (id: string) => (await unlessNamed(NOT_FOUND, describe(aws, { LaunchTemplateIds: [id] }))) ?? [];
    return ids.length === 1 ? [] : (await Promise.all(ids.map(one))).flat();
  }
}

/** All versions: one call says which content is the latest, which the default, and what is too old. */
async function versionsOf(aws: Reader, id: string): Promise<LaunchTemplateVersion[]> {
  const asked = { LaunchTemplateId: id, MaxResults: 200 };
  const found = await unlessNamed(NOT_FOUND, aws.pages(ec2, "DescribeLaunchTemplateVersions", asked, "LaunchTemplateVersions"));
  return (found ?? []).toSorted((left, right) => (right.VersionNumber ?? 0) - (left.VersionNumber ?? 0));
}

function valuesOf(object: LaunchTemplate, versions: readonly LaunchTemplateVersion[]): JsonObject {
  const [latest] = versions;
  const known = latest && {
    launchTemplateData: dataOf(latest.LaunchTemplateData),
    versionDescriptions: Object.fromEntries(versions.map((version) => [version.VersionNumber, version.VersionDescription ?? ""])),
  };
  return defined({
    launchTemplateId: object.LaunchTemplateId,
    launchTemplateName: object.LaunchTemplateName,
    latestVersionNumber: latest?.VersionNumber ?? object.LatestVersionNumber,
    defaultVersionNumber: versions.find(({ DefaultVersion }) => DefaultVersion)?.VersionNumber ?? object.DefaultVersionNumber,
    tags: fromTagList(object.Tags),
    ...known,
  });
}

function* dataFindings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const data = declared.launchTemplateData;
  if (!isObject(data)) return;
  const at = (member: string) => ({ resource: key, field: `launchTemplateData.${member}` });
  for (const [one, other] of TOGETHER_REFUSED) {
    if (data[one] !== undefined && data[other] !== undefined) {
      yield { ...at(other), message: `${key} has \`${one}\` and \`${other}\`; AWS takes one of them` };
    }
  }
  const profile = data.iamInstanceProfile;
  if (isObject(profile) && Object.values(profile).filter((value) => value !== undefined).length !== 1) {
    yield { ...at("iamInstanceProfile"), message: `the instance profile of ${key} is given by \`name\` or by \`arn\`` };
  }
  if (canonical(data) === "{}") yield { ...at(""), field: "launchTemplateData", message: `${key} says nothing of what it launches` };
}

// EC2 API Reference, RequestLaunchTemplateData: "If you specify ..., you can't specify ...".
const TOGETHER_REFUSED = [
  ["instanceType", "instanceRequirements"],
  ["networkInterfaces", "securityGroupIds"],
  ["networkInterfaces", "securityGroups"],
] as const;
