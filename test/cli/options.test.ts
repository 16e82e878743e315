import assert from "node:assert/strict";
import { test } from "node:test";
import { awsOptions, commonOptions, flagArity, hoistOptions, sourceOptions } from "../../src/cli/options.ts";

const arity = flagArity([...sourceOptions, ...awsOptions, ...commonOptions]);

const cases: readonly { why: string; args: readonly string[]; expected: readonly string[] }[] = [
  { why: "nothing before the command", args: ["diff", "--env", "prod"], expected: ["diff", "--env", "prod"] },
  { why: "an option with a value moves with it", args: ["--env", "prod", "diff", "-v"], expected: ["diff", "--env", "prod", "-v"] },
  { why: "a value after = too", args: ["--env=prod", "diff"], expected: ["diff", "--env=prod"] },
  {
    why: "a flag takes no value with it",
    args: ["--sandbox", "-f", "x", "apply", "VPC/a"],
    expected: ["apply", "--sandbox", "-f", "x", "VPC/a"],
  },
  { why: "an unknown option is left for the error", args: ["--evn", "prod", "diff"], expected: ["--evn", "prod", "diff"] },
  { why: "no command at all", args: ["--no-color"], expected: ["--no-color"] },
];

for (const { why, args, expected } of cases) {
  test(`hoist: ${why}`, () => assert.deepEqual(hoistOptions(args, arity), expected));
}
