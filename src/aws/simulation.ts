/**
 * Whether a principal may do what a policy allows, by IAM's own simulation.
 *
 * It asks for exactly what the policy's statements say, resources and conditions included. Not promised: the simulation knows
 * no policies of resources, and none that came with a session.
 */

import type { ContextEntry, EvaluationResult } from "@aws-sdk/client-iam";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { AwsError, isNamed } from "./errors.ts";
import { type OperationName, type Reader, service } from "./service.ts";

const iam = service("iam", "IAMClient", () => import("@aws-sdk/client-iam"));

/** What {@link simulate} may call. */
export const SIMULATION_OPERATIONS = Object.freeze([
  "iam:SimulatePrincipalPolicy",
  "iam:GetRole",
] as const satisfies readonly OperationName[]);

// A page has 100 results at most; requests this long stay far below any limit of their size.
const BATCH = 50;

/** One question to the simulation. */
export type Simulation = {
  readonly actions: readonly string[];
  /** Absent: any. */
  readonly resource?: string;
  readonly context: readonly ContextEntry[];
};

/** An action that would be denied, and why. `unsure`: it depends on conditions that only the call itself meets. */
export type Denied = { readonly action: string; readonly resource: string; readonly why: string; readonly unsure: boolean };

/** What the simulation came to; `impossible` says why there is none. */
export type Simulated =
  | { readonly actions: number; readonly denied: readonly Denied[] }
  | { readonly impossible: "root" | "denied" | "unsupported" | "unknown principal"; readonly principal: string; readonly message: string };

/** The questions that a policy's statements come to, in batches. `region` stands for any in their conditions. */
export function simulationsOf(policy: JsonObject, region: string): readonly Simulation[] {
  const statements = Array.isArray(policy.Statement) ? policy.Statement.filter(isObject) : [];
  return statements.flatMap(({ Action, Resource, Condition }) => {
    const actions = texts(Action);
    const resource = typeof Resource === "string" && Resource !== "*" ? { resource: Resource } : {};
    const context = contextOf(Condition, region);
    return batches(actions).map((batch) => ({ actions: batch, ...resource, context }));
  });
}

/** Asks for every question at once. Throws `AwsError` for what is no answer. */
export async function simulate(aws: Reader, caller: string, questions: readonly Simulation[]): Promise<Simulated> {
  const principal = principalOf(caller);
  // "You cannot attach identity-based policies to the root user" (IAM user guide): it may do everything, and cannot be simulated.
  if (/:root$/.test(principal)) return { impossible: "root", principal, message: "" };
  try {
    return await ask(aws, principal, questions);
  } catch (error) {
    if (isNamed(error, ["NoSuchEntityException"])) return askByName(aws, principal, questions);
    return impossible(error, principal);
  }
}

/** The user or role whose policies count: of a session, the role it is of. */
export function principalOf(caller: string): string {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(caller) ?? [];
  return role === undefined ? caller : `arn:${partition}:iam::${account}:role/${role}`;
}

// A session's ARN leaves out the role's path, which only IAM knows.
async function askByName(aws: Reader, principal: string, questions: readonly Simulation[]): Promise<Simulated> {
  const [, name] = /:role\/([^/]+)$/.exec(principal) ?? [];
  if (name === undefined) return { impossible: "unknown principal", principal, message: "" };
  try {
    const { Role } = await aws.read(iam, "GetRole", { RoleName: name });
    return await ask(aws, Role?.Arn ?? principal, questions);
  } catch (error) {
    return impossible(error, principal);
  }
}

async function ask(aws: Reader, principal: string, questions: readonly Simulation[]): Promise<Simulated> {
  const answers = await Promise.all(questions.map((question) => askOne(aws, principal, question)));
  return { actions: answers.flat().length, denied: answers.flat().flatMap(deniedOf) };
}

function askOne(aws: Reader, principal: string, { actions, resource, context }: Simulation): Promise<readonly EvaluationResult[]> {
  const request = {
    PolicySourceArn: principal,
    ActionNames: [...actions],
    ...(resource === undefined ? {} : { ResourceArns: [resource] }),
    ...(context.length > 0 ? { ContextEntries: [...context] } : {}),
  };
  return aws.pages(iam, "SimulatePrincipalPolicy", request, "EvaluationResults");
}

/** Pure. */
export function deniedOf(result: EvaluationResult): readonly Denied[] {
  const { EvalActionName: action = "", EvalResourceName: resource = "*", EvalDecision, MissingContextValues = [] } = result;
  if (EvalDecision === "allowed") return [];
  const unsure = EvalDecision === "implicitDeny" && MissingContextValues.length > 0;
  return [{ action, resource, why: unsure ? `depends on ${MissingContextValues.join(", ")}` : reasonOf(result), unsure }];
}

function reasonOf({ EvalDecision, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail }: EvaluationResult): string {
  if (OrganizationsDecisionDetail?.AllowedByOrganizations === false) return "by the organization";
  if (PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false) return "by the permissions boundary";
  return EvalDecision === "explicitDeny" ? "explicitly" : "not allowed";
}

function impossible(error: unknown, principal: string): Simulated {
  if (!(error instanceof AwsError)) throw error;
  const { message, status } = error;
  const is = (...names: readonly string[]): boolean => isNamed(error, names);
  if (is("AccessDenied", "AccessDeniedException")) return { impossible: "denied", principal, message };
  if (is("NotImplemented", "InvalidAction") || status === 501) return { impossible: "unsupported", principal, message };
  if (is("NoSuchEntityException", "InvalidInputException")) return { impossible: "unknown principal", principal, message };
  throw error;
}

/** Each condition met: the first value that it takes, with a wildcard in it standing for the region. */
function contextOf(condition: Json | undefined, region: string): readonly ContextEntry[] {
  const keys = isObject(condition) ? Object.values(condition).filter(isObject) : [];
  return keys.flatMap((members) =>
    Object.entries(members).flatMap(([key, value]) => {
      const [first] = texts(value);
      return first === undefined
        ? []
        : [{ ContextKeyName: key, ContextKeyValues: [first.replace("*", region)], ContextKeyType: "string" as const }];
    }),
  );
}

function texts(value: Json | undefined): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
}

function batches(actions: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(actions.length / BATCH) }, (_, index) => actions.slice(index * BATCH, (index + 1) * BATCH));
}
