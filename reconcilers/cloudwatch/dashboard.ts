import type { DashboardValidationMessage, GetDashboardOutput } from "@aws-sdk/client-cloudwatch";
import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { type Tags, toTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json } from "../../src/core/json.ts";
import { cloudwatch, cloudwatchTags, listNamed, NOT_FOUND, tagsOf } from "../../src/kind/cloudwatch.ts";
import { defineKind, type Remote, type Scope } from "../../src/kind/kind.ts";
import { defined, unlessNamed } from "../../src/kind/listing.ts";
import { optional } from "../../src/kind/schemas.ts";

/** The widgets, as a map or as JSON text. */
const body = z
  .any()
  .refine((value) => isMap(value) || (typeof value === "string" && isMap(parsed(value))), "must be a map, or JSON text of one");

const spec = z.strictObject({
  dashboardName: optional(
    z
      .string()
      .min(1)
      .max(255)
      .regex(/^[A-Za-z0-9_-]+$/),
    "Unique in the account, whatever the region; derived when absent.",
    { immutable: true },
  ),
  dashboardBody: field(body, {
    doc: "Its widgets: a map as CloudWatch's dashboard body structure has it, or JSON text.",
    compare: "json",
  }),
  tags: tags(),
});

const status = z.strictObject({
  dashboardName: field(z.string(), { doc: "The name of the dashboard." }),
  dashboardArn: field(z.string(), { doc: "The ARN of the dashboard." }),
});

export const dashboard = defineKind({
  apiVersion: "cloudwatch.aws/v1",
  kind: "Dashboard",
  doc: "Graphs of metrics, alarms and texts on one page of the CloudWatch console.",
  spec,
  status,
  id: "dashboardName",
  identity: { by: "name", key: ["dashboardName"], upsert: true, name: { field: "dashboardName", maxLength: 255 } },
  deviations: [
    "`dashboardBody` may be a map; AWS's API has text.",
    "What CloudWatch only warns of is told as an error, once: the dashboard is there all the same.",
  ],
  errors: { notFound: NOT_FOUND, wait: ["ConflictException", "ConcurrentModificationException"] },
  list: { operations: ["tag:GetResources", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"], run: list },
  create: {
    operations: ["cloudwatch:PutDashboard", "cloudwatch:GetDashboard"],
    run: async (aws, { dashboardName, dashboardBody, tags: own = {} }) => {
      const id = dashboardName as string;
      await put(aws, id, dashboardBody, own);
      // The answer is empty, and the tags' calls need the ARN.
      const found = await get(aws, id);
      return {
        id,
        values: { ...defined({ dashboardBody: dashboardBody as Json, dashboardArn: found?.DashboardArn }), dashboardName: id, tags: own },
      };
    },
  },
  updates: [
    {
      fields: ["dashboardBody"],
      operations: ["cloudwatch:PutDashboard"],
      run: async (aws, { id, desired: { dashboardBody } }) => {
        await put(aws, id, dashboardBody);
        return { values: { dashboardBody: dashboardBody as Json } };
      },
    },
    cloudwatchTags("dashboardArn"),
  ],
  delete: {
    operations: ["cloudwatch:DeleteDashboards"],
    run: async (aws, { id }) => void (await aws.write(cloudwatch, "DeleteDashboards", { DashboardNames: [id] })),
  },
  ready: ({ dashboardArn }) =>
    dashboardArn === undefined ? { state: "waiting", why: "AWS does not show the dashboard yet" } : { state: "ready" },
});

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends the whole dashboard. AWS takes tags only where there is none yet. */
async function put(aws: Writer, DashboardName: string, dashboardBody: unknown, own: Tags = {}): Promise<void> {
  const DashboardBody = typeof dashboardBody === "string" ? dashboardBody : JSON.stringify(dashboardBody);
  const Tags = Object.keys(own).length > 0 ? toTagList(own) : undefined;
  try {
    const answer = await aws.write(cloudwatch, "PutDashboard", { DashboardName, DashboardBody, Tags });
    if (answer.DashboardValidationMessages?.length) throw invalid(answer.DashboardValidationMessages);
  } catch (error) {
    const { dashboardValidationMessages: messages } =
      (error as { cause?: { dashboardValidationMessages?: DashboardValidationMessage[] } }).cause ?? {};
    throw isNamed(error, INVALID) && messages?.length ? invalid(messages, error) : error;
  }
}

const INVALID = ["DashboardInvalidInputError", "InvalidParameterInput"];

/** What CloudWatch says of the body, place by place. */
function invalid(messages: readonly DashboardValidationMessage[], cause?: AwsError): AwsError {
  const texts = messages.map(({ DataPath, Message }) => [DataPath, Message].filter(Boolean).join(": "));
  const details = { operation: "cloudwatch:PutDashboard", verdict: "refused", ...(cause ? { cause } : {}) } as const;
  return new AwsError("DashboardInvalidInputError", texts.join("; "), details);
}

function list(aws: Reader, scope: Scope): Promise<readonly Remote[]> {
  return listNamed(aws, scope, {
    mark: ":dashboard/",
    nameField: "dashboardName",
    nameOf,
    remotes: (names, known) => getAll(aws, names, known),
  });
}

/** `arn:aws:cloudwatch::ACCOUNT:dashboard/NAME`. */
function nameOf(arn: string): string {
  return arn.slice(arn.indexOf("/") + 1);
}

async function getAll(aws: Reader, names: readonly string[], known: ReadonlyMap<string, Tags>): Promise<readonly Remote[]> {
  const found = await Promise.all([...new Set(names)].map((name) => remote(aws, name, known)));
  return found.filter((object) => object !== undefined);
}

async function remote(aws: Reader, id: string, known: ReadonlyMap<string, Tags>): Promise<Remote | undefined> {
  const found = await get(aws, id);
  if (!found) return undefined;
  const arn = String(found.DashboardArn);
  const own = known.get(arn) ?? (await tagsOf(aws, arn));
  const text = found.DashboardBody ?? "";
  const dashboardBody = (parsed(text) ?? text) as Json;
  return { id, values: { dashboardName: id, dashboardArn: arn, dashboardBody, tags: own }, tags: own };
}

async function get(aws: Reader, DashboardName: string): Promise<GetDashboardOutput | undefined> {
  return await unlessNamed(NOT_FOUND, aws.read(cloudwatch, "GetDashboard", { DashboardName }));
}
