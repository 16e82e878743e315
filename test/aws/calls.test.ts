import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounter } from "../../src/aws/calls.ts";

test("calls, retries, throttles and other failures are counted by operation, in its order", () => {
  const counter = new CallCounter();
  counter.sent("ec2:DescribeVpcs", { mutating: false, retry: false });
  counter.sent("ec2:CreateVpc", { mutating: true, retry: false });
  counter.failed("ec2:CreateVpc", { throttled: true });
  counter.sent("ec2:CreateVpc", { mutating: true, retry: true });
  counter.failed("ec2:DeleteVpc", { throttled: true });
  counter.failed("ec2:DescribeVpcs", { throttled: false });
  assert.deepEqual(counter.counts(), [
    { operation: "ec2:CreateVpc", mutating: true, calls: 2, retries: 1, throttles: 1, failures: 0 },
    { operation: "ec2:DescribeVpcs", mutating: false, calls: 1, retries: 0, throttles: 0, failures: 1 },
  ]);
});
