/** What a policy document in a manifest may say, and how one is read back from AWS. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/core/json.ts";
import { type PolicyRules, policyDocument, policyOf, policyOut } from "../../src/kind/policy.ts";

type Row = { readonly why: string; readonly of: PolicyRules["of"]; readonly value: Json; readonly findings: readonly string[] };

const allow = { Effect: "Allow", Action: "s3:GetObject" };
const trust = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };

const ROWS: readonly Row[] = [
  { why: "one statement needs no list", of: "identity", value: { Statement: { ...allow, Resource: "*" } }, findings: [] },
  { why: "JSON text is a policy", of: "trust", value: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }), findings: [] },
  { why: "other text is none", of: "trust", value: "allow", findings: [": must be a policy: a map, or JSON text"] },
  { why: "a list is none", of: "identity", value: [allow], findings: [": must be a policy: a map, or JSON text"] },
  {
    why: "IAM's capitals are kept",
    of: "identity",
    value: { statement: [], Statement: [{ effect: "Allow", action: "a:B", Action: "a:B", Effect: "Allow", Resource: "*" }] },
    findings: [
      "statement: is IAM's `Statement`: policies keep IAM's capitals",
      "Statement.0.effect: is IAM's `Effect`: policies keep IAM's capitals",
      "Statement.0.action: is IAM's `Action`: policies keep IAM's capitals",
    ],
  },
  {
    why: "what must be there, is",
    of: "identity",
    value: { Statement: [{}] },
    findings: ["Statement.0.Effect: is missing", "Statement.0.Action: is missing", "Statement.0.Resource: is missing"],
  },
  { why: "a policy without statements", of: "resource", value: { Version: "2012-10-17" }, findings: ["Statement: is missing"] },
  {
    why: "an effect and a version are what IAM knows",
    of: "identity",
    value: { Version: "2024-01-01", Statement: [{ ...allow, Effect: "allow", Resource: "*" }] },
    findings: ["Version: must be one of 2012-10-17, 2008-10-17: it is the language's version", "Statement.0.Effect: must be Allow or Deny"],
  },
  {
    why: "a policy of somebody names nobody",
    of: "identity",
    value: { Statement: [{ ...allow, Resource: "*", Principal: "*" }] },
    findings: ["Statement.0.Principal: cannot be given: the policy says what its owner may do, and to whom it belongs is not said in it"],
  },
  {
    why: "a trust policy is about the role",
    of: "trust",
    value: { Statement: [{ ...trust, Resource: "*" }] },
    findings: ["Statement.0.Resource: cannot be given: the policy is about the role itself"],
  },
  { why: "a trust policy says whom", of: "trust", value: { Statement: [allow] }, findings: ["Statement.0.Principal: is missing"] },
  {
    why: "a member and its opposite exclude each other",
    of: "identity",
    value: { Statement: [{ ...allow, Resource: "*", NotAction: "s3:*" }] },
    findings: ["Statement.0.NotAction: cannot stand beside `Action`"],
  },
  {
    why: "an expression stands for what it will be",
    of: "identity",
    value: { Statement: [{ $expr: "local.statement" }, { ...allow, Resource: { $expr: "table.main.tableArn" } }] },
    findings: [],
  },
  {
    why: "IAM stores Latin-1",
    of: "identity",
    value: { Statement: [{ ...allow, Resource: "arn:aws:s3:::日本" }] },
    findings: [": may hold characters of Latin-1 only"],
  },
  {
    why: "a policy has a size",
    of: "resource",
    value: { Statement: [{ ...allow, Principal: "*", Resource: "x".repeat(500) }] },
    findings: [": must have at most 500 bytes as JSON, but has 588"],
  },
];

for (const { why, of, value, findings } of ROWS) {
  test(why, () => {
    const issues = policyDocument({ of, bytesMax: 500 }).safeParse(value).error?.issues ?? [];
    assert.deepEqual(
      issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
      findings,
    );
  });
}

test("a policy is read back from JSON, whether it is encoded for URLs or not", () => {
  const document = { Statement: [{ Effect: "Allow", Resource: "arn:aws:s3:::a%20b/${aws:username}" }] };
  const text = policyOut(document) as string;
  assert.deepEqual(policyOf(text), document);
  assert.deepEqual(policyOf(encodeURIComponent(text)), document);
  assert.equal(policyOf("100 %"), "100 %");
  assert.equal(policyOf(undefined), undefined);
});
