import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, AwsCall } from "./aws-call.ts";
import { newHider, stateDelayer, withoutItems } from "./rewriting.ts";

const call = (operation: string, body = ""): AwsCall => ({
  name: `ec2:${operation}`,
  service: "ec2",
  operation,
  mutating: !operation.startsWith("Describe"),
  protocol: "ec2",
  body,
});
const answer = (text: string): Answer => ({ status: 200, headers: {}, body: Buffer.from(text) });

test("a state that is delayed by time counts from the last create", () => {
  let now = 0;
  const delay = stateDelayer({ type: "delayState", from: "ready", to: "busy", ms: 10 }, () => now);
  const read = () => delay(call("DescribeX"), answer("ready")).body.toString();
  assert.equal(read(), "busy");
  now = 10;
  assert.equal(read(), "ready");
  assert.equal(delay(call("CreateX"), answer("ready")).body.toString(), "busy");
  now = 19;
  assert.equal(read(), "busy");
  now = 20;
  assert.equal(read(), "ready");
});

test("reads that do not show the state are not counted", () => {
  const delay = stateDelayer({ type: "delayState", from: "ready", to: "busy", reads: 1 }, () => 0);
  delay(call("DescribeX"), answer("nothing"));
  assert.equal(delay(call("DescribeX"), answer("ready")).body.toString(), "busy");
  assert.equal(delay(call("DescribeX"), answer("ready")).body.toString(), "ready");
});

test("what is hidden appears when its time has come", () => {
  let now = 0;
  const hide = newHider(10, () => now);
  const vpcs = "<set><item><vpcId>vpc-1</vpcId></item><item><vpcId>vpc-2</vpcId></item></set>";
  hide(call("CreateVpc"), answer("<vpc><vpcId>vpc-2</vpcId></vpc>"));
  now = 9;
  assert.equal(hide(call("DescribeVpcs"), answer(vpcs)).body.toString(), "<set><item><vpcId>vpc-1</vpcId></item></set>");
  assert.equal(hide(call("DescribeVpcs", "Action=DescribeVpcs&Filter.1.Value.1=vpc-2"), answer(vpcs)).status, 200);
  assert.equal(hide(call("DescribeVpcs", "Action=DescribeVpcs&VpcId.1=vpc-2"), answer(vpcs)).status, 400);
  now = 10;
  assert.equal(hide(call("DescribeVpcs"), answer(vpcs)).body.toString(), vpcs);
});

test("only outermost items are dropped, whole", () => {
  const text = "<a><item>x<item>y</item></item><item>z</item></a>";
  assert.equal(
    withoutItems(text, (item) => item.includes("x")),
    "<a><item>z</item></a>",
  );
  assert.equal(
    withoutItems(text, () => false),
    text,
  );
});
