import type { DescribeImagesRequest, Filter, Image } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { type Reader, service } from "../../src/aws/service.ts";
import { field } from "../../src/core/field.ts";
import { canonical } from "../../src/core/json.ts";
import { ec2 } from "../../src/kind/ec2.ts";
import { defineLookup } from "../../src/kind/kind.ts";

const ssm = service("ssm", "SSMClient", () => import("@aws-sdk/client-ssm"));

const values = () => z.array(z.string().min(1)).min(1).max(200);

const members = z.strictObject({
  owners: field(values().optional(), { doc: "Only images of these accounts; also `amazon`, `aws-marketplace` or `self`." }),
  name: field(z.string().min(1).optional(), { doc: "Only images of this name; `*` and `?` stand for any characters and for one." }),
  architecture: field(z.enum(["i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"]).optional(), { doc: "Only for this processor." }),
  virtualizationType: field(z.enum(["hvm", "paravirtual"]).optional(), { doc: "Only with this virtualization." }),
  rootDeviceType: field(z.enum(["ebs", "instance-store"]).optional(), { doc: "Only with this type of root device." }),
  imageIds: field(values().optional(), { doc: "Only of these images." }),
  executableUsers: field(values().optional(), { doc: "Only images that these accounts may launch; also `self` or `all`." }),
  filters: field(z.record(z.string().min(1), values()).optional(), {
    doc: "Further filters of DescribeImages by name, such as `tag:Team`; their values may have `*` and `?`, too.",
  }),
  includeDeprecated: field(z.boolean().optional(), { doc: "Also images that are deprecated." }),
  ssmParameter: field(z.string().min(1).max(2048).regex(/^\//, "must begin with a slash").optional(), {
    doc: "Instead of all others: the public parameter that names the image.",
  }),
});

// A lookup's spec is known before any call, so that its members can be held against each other here.
const spec = members.superRefine(({ ssmParameter, includeDeprecated: _alone, ...others }, context) => {
  const given = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const add = (message: string, path: string[] = []) => context.addIssue({ code: "custom", message, path });
  if (ssmParameter !== undefined && given.length > 0) add(`says which image it is: leave ${given.join(", ")} out`, ["ssmParameter"]);
  if (ssmParameter === undefined && given.length === 0) add("must say which image: give `owners` and `name`, or `ssmParameter`");
});

const status = z.strictObject({
  imageId: field(z.string(), { doc: "The ID of the newest image that was asked for." }),
  name: field(z.string().optional(), { doc: "Its name." }),
  description: field(z.string().optional(), { doc: "What it is." }),
  creationDate: field(z.string().optional(), { doc: "When it was made." }),
  deprecationTime: field(z.string().optional(), { doc: "When it is deprecated." }),
  ownerId: field(z.string().optional(), { doc: "The account that owns it." }),
  architecture: field(z.string().optional(), { doc: "Its processor." }),
  platformDetails: field(z.string().optional(), { doc: "Its platform, as it is billed." }),
  virtualizationType: field(z.string().optional(), { doc: "Its virtualization." }),
  rootDeviceName: field(z.string().optional(), { doc: "The device of its root volume, such as /dev/xvda." }),
  rootDeviceType: field(z.string().optional(), { doc: "ebs or instance-store." }),
  bootMode: field(z.string().optional(), { doc: "How it is booted." }),
  imageLocation: field(z.string().optional(), { doc: "Where it is kept." }),
});

type Wanted = z.infer<typeof spec>;

export const image = defineLookup({
  apiVersion: "ec2.aws/v1",
  kind: "Image",
  doc: "A machine image (AMI): the newest that fits, or the one that a public parameter names.",
  shortNames: ["ami"],
  spec,
  status,
  resolve: {
    operations: ["ec2:DescribeImages", "ssm:GetParameter"],
    run: async (aws, wanted) => {
      const { ssmParameter } = wanted;
      return statusOf(ssmParameter === undefined ? await newest(aws, wanted) : await named(aws, ssmParameter));
    },
  },
});

async function newest(aws: Reader, wanted: Wanted): Promise<Image> {
  const images = await aws.pages(ec2, "DescribeImages", { ...requestOf(wanted), MaxResults: PAGE }, "Images");
  const [first] = images.toSorted(byAge);
  if (!first) throw new Error(`there is no image for ${canonical({ ...wanted })} in this region`);
  return first;
}

// The API's largest page.
const PAGE = 1000;

function requestOf(wanted: Wanted): DescribeImagesRequest {
  const named: [string, readonly string[] | undefined][] = [
    ["name", wanted.name === undefined ? undefined : [wanted.name]],
    ["architecture", wanted.architecture && [wanted.architecture]],
    ["virtualization-type", wanted.virtualizationType && [wanted.virtualizationType]],
    ["root-device-type", wanted.rootDeviceType && [wanted.rootDeviceType]],
    // A filter does not fail where an id no longer exists, and has pages.
    ["image-id", wanted.imageIds],
    ...Object.entries(wanted.filters ?? {}),
  ];
  const given = named.flatMap(([Name, Values]): Filter[] => (Values ? [{ Name, Values: [...Values] }] : []));
  // An image that is pending, or failed, cannot be launched.
  const isStated = given.some(({ Name }) => Name === "state");
  const Filters = given.length === 0 || isStated ? given : [...given, { Name: "state", Values: ["available"] }];
  return {
    Owners: wanted.owners,
    ExecutableUsers: wanted.executableUsers,
    IncludeDeprecated: wanted.includeDeprecated,
    Filters: Filters.length > 0 ? Filters : undefined,
  };
}

// ISO 8601 sorts as text. Of two that were made in the same moment, the later name is the later version.
function byAge(left: Image, right: Image): number {
  const key = ({ CreationDate = "", Name = "", ImageId = "" }: Image) => [CreationDate, Name, ImageId];
  const [one, other] = [key(left), key(right)];
  const index = one.findIndex((part, at) => part !== other[at]);
  return index < 0 ? 0 : (one[index] as string) > (other[index] as string) ? -1 : 1;
}

async function named(aws: Reader, ssmParameter: string): Promise<Image> {
  const answer = await aws.read(ssm, "GetParameter", { Name: ssmParameter });
  const imageId = answer.Parameter?.Value ?? "";
  if (!/^ami-[0-9a-z]+$/.test(imageId)) throw new Error(`the parameter ${ssmParameter} holds no image ID, but ${imageId.slice(0, 80)}`);
  const images = await aws.pages(ec2, "DescribeImages", { Filters: [{ Name: "image-id", Values: [imageId] }], MaxResults: PAGE }, "Images");
  return images[0] ?? { ImageId: imageId };
}

function statusOf(found: Image): z.infer<typeof status> {
  return {
    imageId: String(found.ImageId),
    name: found.Name,
    description: found.Description,
    creationDate: found.CreationDate,
    deprecationTime: found.DeprecationTime,
    ownerId: found.OwnerId,
    architecture: found.Architecture,
    platformDetails: found.PlatformDetails,
    virtualizationType: found.VirtualizationType,
    rootDeviceName: found.RootDeviceName,
    rootDeviceType: found.RootDeviceType,
    bootMode: found.BootMode,
    imageLocation: found.ImageLocation,
  };
}
