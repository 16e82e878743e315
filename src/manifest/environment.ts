/** The Environments: where a project is brought about, and under which rules. */

import { z } from "zod";
import type { EnvironmentSettings } from "../core/compiled.ts";
import { durationSchema, milliseconds } from "../core/duration.ts";
import { field } from "../core/field.ts";
import { objectShape } from "../core/shape.ts";
import { readPlain } from "./check-value.ts";
import type { Documents, OwnDocument } from "./documents.ts";
import { driftModeSchema } from "./drift.ts";
import { OWN } from "./envelope.ts";
import { type MapNode, member } from "./node.ts";
import type { Problems } from "./problems.ts";

const approvalModeSchema = z.enum(["auto", "manual"]);
const ALLOWED = ["replace", "delete"] as const;

const approvalSchema = z
  .strictObject({
    mode: field(approvalModeSchema.optional(), { doc: "`auto` (the default): it does; `manual`: a person approves every change." }),
    allow: field(z.array(z.enum(ALLOWED)).optional(), {
      doc: "With auto: what a change may do without a person's approval, beside creating and updating.",
    }),
  })
  .refine(({ mode, allow = [] }) => mode !== "manual" || allow.length === 0, {
    path: ["allow"],
    message: "is for mode auto: with manual a person approves every change",
  });

const driftDefaultsSchema = z.strictObject({
  mode: field(driftModeSchema.optional(), { doc: "`correct` it (the default), only `report` it, or `ignore` it." }),
  interval: field(durationSchema.optional(), { doc: "How often the controller looks for it; as its --interval says by default." }),
  // Once is a correction; a hundred in a row are nobody's patience.
  contestedAfter: field(z.int().min(2).max(100).optional(), {
    doc: "So many corrections of the same change, each undone at once, and the controller leaves the resource to a person; 5 by default.",
  }),
});

const environmentSchema = z.strictObject({
  default: field(z.boolean().optional(), { doc: "Chosen when neither --env nor BEACON_ENV names one." }),
  region: field(
    z
      .string()
      .regex(/^[a-z0-9-]+$/, "must be a region such as eu-central-1")
      .optional(),
    { doc: "Its region; --region, AWS_REGION or the profile's by default." },
  ),
  accountId: field(
    z
      .string()
      .regex(/^\d{12}$/, "must be the 12 digits of an account")
      .optional(),
    { doc: "Any other account is refused; the sandbox is exempt." },
  ),
  roleArn: field(
    z
      .string()
      .regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, "must be the ARN of a role")
      .optional(),
    { doc: "The role in which AWS is called." },
  ),
  confirm: field(
    z
      .strictObject({
        apply: field(z.string().min(1).optional(), { doc: "Before an apply." }),
        delete: field(z.string().min(1).optional(), { doc: "Before a delete." }),
      })
      .optional(),
    { doc: "Phrases that must be typed, or given with --confirm." },
  ),
  drift: field(driftDefaultsSchema.optional(), { doc: "What is done about drift of resources that say nothing themselves." }),
  approval: field(z.union([approvalModeSchema, approvalSchema]).optional(), {
    doc: "Whether a controller accepts a valid change of the manifests it watches by itself: a mode, or also what else it may accept.",
  }),
  parameters: field(z.record(z.string(), z.any()).optional(), { doc: "Values of the project's parameters." }),
});

/** What an Environment is called, and how it is described. */
export const ENVIRONMENT = Object.freeze({
  apiVersion: OWN,
  name: "Environment",
  doc: "Where a project is brought about, with which parameters, and what may happen there without a person.",
  spec: objectShape(environmentSchema),
});

/** An Environment, and the parameters it gives. */
export type EnvironmentDeclaration = {
  readonly settings: EnvironmentSettings;
  readonly isDefault: boolean;
  readonly parameters: MapNode | undefined;
};

/** Reads an Environment; undefined when it has problems. */
export function readEnvironment(document: OwnDocument, problems: Problems): EnvironmentDeclaration | undefined {
  const { name, spec } = document;
  const read = spec ? readPlain(environmentSchema, { node: spec, label: `Environment/${name}`, problems }) : {};
  if (!read) return undefined;
  const { region, accountId, roleArn, confirm = {}, drift: { mode = "correct", interval, contestedAfter } = {}, approval } = read;
  const settings = {
    name,
    ...(region === undefined ? {} : { region }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(roleArn === undefined ? {} : { roleArn }),
    confirm: dropUndefined(confirm),
    drift: {
      mode,
      ...(interval === undefined ? {} : { intervalMs: milliseconds(interval) }),
      ...(contestedAfter === undefined ? {} : { contestedAfter }),
    },
    approval: approvalOf(approval),
  } as EnvironmentSettings;
  const parameters = member(spec, "parameters");
  return { settings, isDefault: read.default ?? false, parameters: parameters?.type === "map" ? parameters : undefined };
}

function approvalOf(said: z.infer<typeof approvalModeSchema> | z.infer<typeof approvalSchema> = {}): EnvironmentSettings["approval"] {
  const { mode = "auto", allow = [] } = typeof said === "string" ? { mode: said } : said;
  return { mode, allow: { replace: allow.includes("replace"), delete: allow.includes("delete") } };
}

function dropUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

/** Reads every Environment. More than one default is a problem. */
export function readEnvironments({ environments }: Documents, problems: Problems): ReadonlyMap<string, EnvironmentDeclaration> {
  const read = new Map<string, EnvironmentDeclaration>();
  let first: string | undefined;
  for (const [name, document] of environments) {
    const declaration = readEnvironment(document, problems);
    if (declaration) read.set(name, declaration);
    if (declaration?.isDefault && first !== undefined) {
      problems.add(document.place, `both Environment/${first} and Environment/${name} are marked as default`);
    }
    if (declaration?.isDefault) first ??= name;
  }
  return read;
}
