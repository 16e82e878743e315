import type { Filter, InternetGateway } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { EC2_CONSISTENCY_MS, ec2, ec2Finders, ec2Tags, filter, interfaceText, tagSpecifications } from "../../src/kind/ec2.ts";
import { defineKind } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";

const spec = z.strictObject({
  vpcId: field(z.string().min(1).optional(), { doc: "The VPC it is attached to.", unset: null, ref: "ec2.aws/v1 VPC.vpcId" }),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  internetGatewayId: field(z.string(), { doc: "The ID of the internet gateway." }),
  ownerId: field(z.string(), { doc: "The account that owns it." }),
});

export const internetGateway = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "InternetGateway",
  doc: "The way between a VPC and the internet.",
  shortNames: ["igw"],
  spec,
  status,
  id: "internetGatewayId",
  identity: { by: "tag", consistencyMs: EC2_CONSISTENCY_MS, surplusIsSafe: true },
  deviations: ["The attachment to a VPC is the field `vpcId`."],
  errors: {
    notFound: ["InvalidInternetGatewayID.NotFound"],
    wait: ["DependencyViolation"],
    propagating: ["InvalidVpcID.NotFound"],
  },
  list: {
    operations: ["ec2:DescribeInternetGateways"],
    run: async (aws, scope) => {
      const describe = (Filters: Filter[]) => aws.pages(ec2, "DescribeInternetGateways", { Filters, MaxResults: 1000 }, "InternetGateways");
      const finders = ec2Finders<InternetGateway>(describe, "internet-gateway-id", (object) => object.InternetGatewayId);
      const found = await listInScope(scope, finders);
      return found.map((object) => ({
        id: String(object.InternetGatewayId),
        values: valuesOf(object),
        tags: fromTagList(object.Tags),
      }));
    },
  },
  create: {
    operations: ["ec2:CreateInternetGateway"],
    run: async (aws, desired) => {
      const answer = await aws.write(ec2, "CreateInternetGateway", {
        TagSpecifications: tagSpecifications("internet-gateway", desired.tags),
      });
      const created = answer.InternetGateway ?? {};
      return { id: String(created.InternetGatewayId), values: { ...valuesOf(created), tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      // A gateway that moves is detached first, and attached on the next round.
      fields: ["vpcId"],
      operations: ["ec2:AttachInternetGateway", "ec2:DetachInternetGateway"],
      run: async (aws, { id, changes }) => {
        const { before, after } = changes.vpcId ?? {};
        if (typeof before === "string") {
          await detach(aws, id, before);
          return { values: { vpcId: undefined } };
        }
        await aws.write(ec2, "AttachInternetGateway", { InternetGatewayId: id, VpcId: after as string });
        return { values: { vpcId: after as string } };
      },
    },
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DetachInternetGateway", "ec2:DeleteInternetGateway"],
    run: async (aws, { id, observed }) => {
      // AWS refuses to delete an attached gateway, and a detached one that is being deleted is of no use to anybody.
      if (typeof observed.vpcId === "string") await detach(aws, id, observed.vpcId);
      await aws.write(ec2, "DeleteInternetGateway", { InternetGatewayId: id });
    },
  },
  explainBlocked: { operations: ["ec2:DescribeNetworkInterfaces"], run: (aws, { observed }) => mappedAddress(aws, observed.vpcId) },
});

async function detach(aws: Writer, id: string, vpcId: string): Promise<void> {
  try {
    await aws.write(ec2, "DetachInternetGateway", { InternetGatewayId: id, VpcId: vpcId });
  } catch (error) {
    if (!isNamed(error, ["Gateway.NotAttached"])) throw error;
  }
}

function valuesOf(object: InternetGateway): JsonObject {
  const attached = object.Attachments?.find(({ State }) => !String(State).startsWith("detach"));
  return defined({
    internetGatewayId: object.InternetGatewayId,
    vpcId: attached?.VpcId,
    ownerId: object.OwnerId,
    tags: fromTagList(object.Tags),
  });
}

// AWS keeps a gateway attached while anything in the VPC has a public address.
async function mappedAddress(aws: Reader, vpcId: JsonObject[string]): Promise<string | undefined> {
  if (typeof vpcId !== "string") return undefined;
  const query = { Filters: [filter("vpc-id", [vpcId])], MaxResults: 1000 };
  const interfaces = await aws.pages(ec2, "DescribeNetworkInterfaces", query, "NetworkInterfaces");
  const mapped = interfaces.find((found) => found.Association?.PublicIp);
  return mapped && `public address ${mapped.Association?.PublicIp} of ${interfaceText(mapped)}`;
}
