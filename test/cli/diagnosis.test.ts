/** What doctor makes of what it found: tables of its pure parts, and how they look. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Simulated } from "../../src/aws/simulation.ts";
import { type Finding, NODE_MAJOR_MIN, nodeFinding, simulatedFinding, tableStanding } from "../../src/cli/diagnosis.ts";
import { createStyle } from "../../src/cli/io.ts";
import { findingLines, findingSummary } from "../../src/cli/render/findings.ts";
import type { StateTable } from "../../src/cli/services.ts";
import { assertGolden } from "./golden.ts";

test("the oldest Node.js is the one that the package asks for", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { engines: { node: string } };
  assert.equal(engines.node, `>=${NODE_MAJOR_MIN}`);
  assert.equal(nodeFinding(`${NODE_MAJOR_MIN}.0.0`).state, "well");
  assert.equal(nodeFinding("20.11.1").state, "wrong");
});

const tables: readonly { why: string; table: Partial<StateTable>; sandbox?: boolean; state: Finding["state"]; next?: string }[] = [
  { why: "as it should be", table: {}, state: "well" },
  { why: "not made yet", table: { state: "absent" }, state: "wrong", next: "bootstrap" },
  { why: "not made yet, in a sandbox", table: { state: "absent" }, sandbox: true, state: "open" },
  { why: "being made", table: { state: "preparing" }, state: "wrong", next: "bootstrap waits for it" },
  { why: "anybody may delete it", table: { wrong: ["it may be deleted"] }, state: "wrong", next: "bootstrap puts it right" },
  { why: "another's", table: { state: "foreign" }, state: "wrong", next: "name another with BEACON_STATE_TABLE" },
];

for (const { why, table, sandbox = false, state, next } of tables) {
  test(`the state table: ${why}`, () => {
    const found = tableStanding(
      { name: "beacon-state", state: "ready", wrong: [], ...table },
      { region: "eu-west-1", sandbox },
      "bootstrap",
    );
    assert.deepEqual([found.state, found.next], [state, next]);
  });
}

const denied = (action: string, why = "not allowed", unsure = false) => ({ action, resource: "*", why, unsure });
const impossible = (why: Extract<Simulated, { impossible: string }>["impossible"]): Simulated => ({
  impossible: why,
  principal: "arn:aws:iam::111122223333:role/deploy",
  message: "",
});

const simulations: readonly {
  why: string;
  simulated: Simulated;
  state: Finding["state"];
  text: RegExp;
  details?: readonly string[];
  next?: RegExp;
}[] = [
  { why: "all allowed", simulated: { actions: 57, denied: [] }, state: "well", text: /^all 57 actions/ },
  {
    why: "some denied: what depends on conditions is not among them",
    simulated: {
      actions: 57,
      denied: [
        denied("ec2:CreateVpc"),
        denied("ec2:CreateTags", "depends on aws:RequestTag/x", true),
        { ...denied("dynamodb:PutItem", "explicitly"), resource: "arn:aws:dynamodb:eu-west-1:1:table/beacon-state" },
      ],
    },
    state: "wrong",
    text: /^2 of 57 actions would be denied$/,
    details: ["ec2:CreateVpc", "dynamodb:PutItem on table/beacon-state (explicitly)"],
    next: /beaconctl iam-policy --env prod/,
  },
  {
    why: "some depend on conditions alone",
    simulated: { actions: 2, denied: [denied("ec2:CreateTags", "depends on aws:RequestTag/x", true)] },
    state: "open",
    text: /^1 of 2 actions cannot be told$/,
    details: ["ec2:CreateTags (depends on aws:RequestTag/x)"],
  },
  { why: "the root user", simulated: impossible("root"), state: "well", text: /root user/ },
  {
    why: "simulation denied",
    simulated: impossible("denied"),
    state: "open",
    text: /may not simulate/,
    next: /allow iam:SimulatePrincipalPolicy .*role\/deploy/,
  },
  { why: "no simulation here", simulated: impossible("unsupported"), state: "open", text: /cannot be simulated here/ },
  {
    why: "nobody IAM knows",
    simulated: impossible("unknown principal"),
    state: "open",
    text: /IAM knows no policies of/,
    next: /iam-policy/,
  },
];

for (const { why, simulated, state, text, details, next } of simulations) {
  test(`permissions: ${why}`, () => {
    const found = simulatedFinding(simulated, "prod");
    assert.equal(found.state, state);
    assert.match(found.text, text);
    assert.deepEqual(found.details, details);
    if (next) assert.match(found.next ?? "", next);
  });
}

const findings: readonly Finding[] = [
  { name: "node", state: "well", text: "26.10.0" },
  { name: "python", state: "open", text: "none was found", next: "install Python 3.11" },
  { name: "state table", state: "wrong", text: "beacon-state is not in eu-west-1", next: "beaconctl bootstrap --env prod" },
  {
    name: "permissions",
    state: "wrong",
    text: "6 of 57 actions would be denied",
    details: ["a:A", "a:B", "a:C", "a:D", "a:E", "a:F"],
    next: "grant them",
  },
];

test("one line per finding, aligned, with what to do; many details are cut, and -v has them all", () => {
  const style = createStyle(false);
  const text = [...findingLines(findings, style, { verbose: false }), "", findingSummary(findings, style)].join("\n");
  assertGolden("doctor/findings.txt", text);
  assert.match(findingLines(findings, style, { verbose: true }).join("\n"), /a:A, a:B, a:C, a:D, a:E, a:F →/);
  assert.equal(findingSummary(findings.slice(0, 1), style), "Nothing is missing.");
  assert.equal(findingSummary(findings.slice(0, 2), style), "Nothing is missing, as far as can be told: 1 check left open.");
});
