import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounter } from "../../src/aws/calls.ts";

test("calls, retries and throttles are counted by operation, in its order", () => {
  const counter = new CallCounter();
  counter.sent("ec2:DescribeVpcs", { mutating: false, retry: false });
  counter.sent("ec2:CreateVpc", { mutating: true, retry: false });
  counter.throttled("ec2:CreateVpc");
  counter.sent("ec2:CreateVpc", { mutating: true, retry: true });
  counter.throttled("ec2:DeleteVpc");
  assert.deepEqual(counter.counts(), [
    { operation: "ec2:CreateVpc", mutating: true, calls: 2, retries: 1, throttles: 1 },
    { operation: "ec2:DescribeVpcs", mutating: false, calls: 1, retries: 0, throttles: 0 },
  ]);
});
