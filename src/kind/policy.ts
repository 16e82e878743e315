/** IAM policy documents: roles, tables, buckets and repositories have them, in manifests as maps in IAM's own words or as JSON text. */

import { z } from "zod";
import { isObject, type Json, type JsonObject } from "../core/json.ts";

/** Whose document it is, which says what its statements hold, and how large AWS takes it. */
export type PolicyRules = {
  /** `identity`: what somebody may do; `trust`: who may take on a role; `resource`: who may do what with one thing. */
  readonly of: "identity" | "trust" | "resource";
  readonly bytesMax: number;
};

/** "The policy document can contain" characters U+0009, U+000A, U+000D and U+0020 to U+00FF (IAM API Reference, policyDocumentType). */
const IAM_TEXT = /^[\t\n\r\u0020-\u00ff]+$/;

// IAM user guide, "Grammar of the IAM JSON policy language".
const DOCUMENT_MEMBERS = ["Version", "Id", "Statement"];
const STATEMENT_MEMBERS = [
  ...["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"],
] as const;
const VERSIONS = ["2012-10-17", "2008-10-17"];

/** A policy document, as a map or as JSON text. */
export function policyDocument(rules: PolicyRules): z.ZodAny {
  return z.any().superRefine((value, context) => {
    for (const { path, message } of findings(value, rules)) context.addIssue({ code: "custom", path: [...path], message });
  });
}

/** A policy as AWS is sent it, whether the manifest has it as text or as a map. */
export function policyOut(policy: unknown): string | undefined {
  return policy === undefined || typeof policy === "string" ? policy : JSON.stringify(policy);
}

/** A policy as AWS answers: JSON, which IAM encodes for URLs. What cannot be read stays the text it is. */
export function policyOf(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  return parsed(text) ?? parsed(decoded(text)) ?? text;
}

type Finding = { readonly path: readonly (string | number)[]; readonly message: string };

function* findings(value: unknown, { of, bytesMax }: PolicyRules): Generator<Finding> {
  const document = typeof value === "string" ? parsed(value) : value;
  if (!isObject(document)) {
    yield { path: [], message: "must be a policy: a map, or JSON text" };
    return;
  }
  const text = policyOut(value) as string;
  const size = Buffer.byteLength(text);
  if (size > bytesMax) yield { path: [], message: `must have at most ${bytesMax} bytes as JSON, but has ${size}` };
  if (of !== "resource" && !IAM_TEXT.test(text)) yield { path: [], message: "may hold characters of Latin-1 only" };
  for (const finding of documentFindings(document, of)) yield typeof value === "string" ? { ...finding, path: [] } : finding;
}

function* documentFindings(document: JsonObject, of: PolicyRules["of"]): Generator<Finding> {
  yield* strangeMembers(document, DOCUMENT_MEMBERS, []);
  const { Version: version, Statement: statement } = document;
  if (typeof version === "string" && !VERSIONS.includes(version)) {
    yield { path: ["Version"], message: `must be one of ${VERSIONS.join(", ")}: it is the language's version` };
  }
  if (statement === undefined) yield { path: ["Statement"], message: "is missing" };
  const statements = Array.isArray(statement) ? statement : [];
  for (const [index, one] of statements.entries()) yield* statementFindings(one, of, ["Statement", index]);
  if (isObject(statement)) yield* statementFindings(statement, of, ["Statement"]);
}

function* statementFindings(statement: Json, of: PolicyRules["of"], path: Finding["path"]): Generator<Finding> {
  // What AWS has yet to choose may be a whole statement.
  if (!isObject(statement) || "$expr" in statement) return;
  yield* strangeMembers(statement, STATEMENT_MEMBERS, path);
  const { Effect: effect } = statement;
  if (typeof effect === "string" && effect !== "Allow" && effect !== "Deny") {
    yield { path: [...path, "Effect"], message: "must be Allow or Deny" };
  }
  if (effect === undefined) yield { path: [...path, "Effect"], message: "is missing" };
  yield* oneOf(statement, "Action", path);
  if (of === "identity") {
    yield* oneOf(statement, "Resource", path);
    yield* noneOf(statement, "Principal", path, "says what its owner may do, and to whom it belongs is not said in it");
  } else yield* oneOf(statement, "Principal", path);
  if (of === "trust") yield* noneOf(statement, "Resource", path, "is about the role itself");
}

/** IAM's members come with a twin that says the opposite; one of both must be there. */
function* oneOf(statement: JsonObject, name: string, path: Finding["path"]): Generator<Finding> {
  const given = [name, `Not${name}`].filter((member) => statement[member] !== undefined);
  if (given.length === 0) yield { path: [...path, name], message: "is missing" };
  if (given.length === 2) yield { path: [...path, `Not${name}`], message: `cannot stand beside \`${name}\`` };
}

function* noneOf(statement: JsonObject, name: string, path: Finding["path"], why: string): Generator<Finding> {
  for (const member of [name, `Not${name}`]) {
    if (statement[member] !== undefined) yield { path: [...path, member], message: `cannot be given: the policy ${why}` };
  }
}

function* strangeMembers(members: JsonObject, known: readonly string[], path: Finding["path"]): Generator<Finding> {
  for (const name of Object.keys(members)) {
    if (known.includes(name)) continue;
    const meant = known.find((other) => other.toLowerCase() === name.toLowerCase());
    const message = meant ? `is IAM's \`${meant}\`: policies keep IAM's capitals` : "is no part of a policy";
    yield { path: [...path, name], message };
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
