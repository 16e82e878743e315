import assert from "node:assert/strict";
import { test } from "node:test";
import { createStyle } from "../../../src/cli/io.ts";
import { type Aftermath, exitCodeFor, renderReport } from "../../../src/cli/render/report.ts";
import type { Result, RunReport } from "../../../src/engine/types.ts";
import { assertGolden } from "../golden.ts";

function result(key: Result["key"], outcome: Result["outcome"], message = "", more: Partial<Result> = {}): Result {
  return { key, action: "create", outcome, message, ...more };
}

const report = (results: readonly Result[], more: Partial<RunReport> = {}): RunReport => ({
  results,
  outputs: {},
  nextSteps: [],
  interrupted: false,
  ...more,
});

const cases: readonly { name: string; why: string; report: RunReport; exitCode: number; aftermath?: Aftermath }[] = [
  {
    name: "done",
    why: "counts by what was done, and the outputs",
    report: report([result("VPC/main", "done"), result("Subnet/a", "done"), result("EIP/nat", "done", "", { action: "none" })], {
      outputs: {
        vpcId: "vpc-1",
        publicSubnetIds: ["subnet-1", "subnet-2"],
        backend: null,
        arns: { a: `arn:${"x".repeat(130)}`, b: "arn:b" },
        none: {},
      },
    }),
    exitCode: 0,
  },
  {
    name: "aftermath",
    why: "the outputs that are marked and have a value, how to see the rest, and what is to be done now",
    report: report([result("VPC/main", "done")], {
      outputs: {
        vpcId: "vpc-1",
        urls: { frontend: "https://shop.example.com", backend: null },
        tables: { a: null },
        lab: null,
        arns: ["a", "b"],
      },
    }),
    exitCode: 0,
    aftermath: {
      summary: ["urls", "tables", "lab"],
      outputsCommand: "beaconctl outputs --env prod",
      nextSteps: ["Update the domain's name servers", "Check that it is healthy: beaconctl health --env prod"],
    },
  },
  { name: "nothing", why: "nothing to do", report: report([result("VPC/main", "done", "", { action: "none" })]), exitCode: 0 },
  {
    name: "failed",
    why: "what failed stands first with its reason, and what was skipped for it",
    report: report([
      result("VPC/main", "done"),
      result("NatGateway/main", "failed", "AWS says: limit exceeded. Ask for more, or delete one", { reason: "Refused" }),
      result("RouteTable/private", "skipped", "after NatGateway/main"),
    ]),
    exitCode: 6,
  },
  {
    name: "waiting",
    why: "still waiting",
    report: report([result("NatGateway/main", "waiting", "pending", { reason: "Provisioning" })]),
    exitCode: 7,
  },
  {
    name: "interrupted",
    why: "what was not done, and that the next run goes on",
    report: report([result("VPC/main", "done"), result("Subnet/a", "interrupted", "not begun")], { interrupted: true }),
    exitCode: 130,
  },
];

for (const { name, why, report: value, exitCode, aftermath } of cases) {
  test(`report/${name}: ${why}`, () => {
    assertGolden(`report/${name}.txt`, renderReport(value, { calls: 118, elapsedMs: 12_345 }, createStyle(false), aftermath));
    assert.equal(exitCodeFor(value), exitCode);
  });
}
