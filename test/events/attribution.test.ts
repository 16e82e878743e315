import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attributionOf } from "../../src/events/attribution.ts";
import type { ApiEvent } from "../../src/events/event.ts";
import { AT, AT_MS, call, kindNamed, OUTSIDER, OWN_AGENT, record } from "./scene.ts";

const GROUP = "sg-0123456789abcdef0";
const VPC = "vpc-0123456789abcdef0";
const subject = { kind: kindNamed("SecurityGroup"), record: record("SecurityGroup/web", { id: GROUP }) };
const drift = { key: "SecurityGroup/web", path: "ingress", since: AT_MS + 60_000, after: AT_MS - 60_000 } as const;

/** `seconds` after {@link AT}. */
const at = (seconds: number, eventName: string, more: object = {}): ApiEvent =>
  call("ec2", eventName, { groupId: GROUP }, { eventTime: new Date(AT_MS + seconds * 1000).toISOString(), ...more });

test("it says who, from where, with what, by which call and when", () => {
  assert.deepEqual(attributionOf(drift, subject, [at(0, "AuthorizeSecurityGroupIngress")]), {
    principal: OUTSIDER,
    sourceIp: "192.0.2.7",
    userAgent: "aws-cli/2.30",
    action: "ec2:AuthorizeSecurityGroupIngress",
    at: AT,
    via: "event",
  });
});

const INGRESS = "AuthorizeSecurityGroupIngress";
const ROWS: { why: string; path?: string; events: readonly ApiEvent[]; seconds: number | undefined }[] = [
  { why: "no call", events: [], seconds: undefined },
  { why: "the latest of several", events: [at(1, INGRESS), at(9, INGRESS), at(5, INGRESS)], seconds: 9 },
  { why: "none after the drift was seen", events: [at(1, INGRESS), at(90, INGRESS)], seconds: 1 },
  { why: "one just after, by another clock", events: [at(64, INGRESS)], seconds: 64 },
  { why: "none before the last look that saw no drift", events: [at(-90, INGRESS)], seconds: undefined },
  { why: "none of BEACON's", events: [at(1, INGRESS), at(9, INGRESS, { userAgent: OWN_AGENT })], seconds: 1 },
  { why: "none that was refused", events: [at(1, INGRESS), at(9, INGRESS, { errorCode: "AccessDenied" })], seconds: 1 },
  {
    why: "none on another object",
    events: [at(1, INGRESS, { requestParameters: { groupId: "sg-00000000000000000" } })],
    seconds: undefined,
  },
  { why: "the one that changes the field", events: [at(1, INGRESS), at(9, "CreateTags")], seconds: 1 },
  {
    why: "one that BEACON does not know, before one that changes another field",
    events: [at(1, "ModifySecurityGroupRules"), at(9, "CreateTags")],
    seconds: 1,
  },
  { why: "the field's own before one that BEACON does not know", events: [at(1, INGRESS), at(9, "ModifySecurityGroupRules")], seconds: 1 },
  { why: "tags, where these differ", path: "tags.Owner", events: [at(1, "CreateTags"), at(9, INGRESS)], seconds: 1 },
  { why: "the deletion, where the object is gone", path: "", events: [at(1, "DeleteSecurityGroup"), at(9, INGRESS)], seconds: 1 },
  { why: "a call that fits ill, where there is no other", events: [at(1, "CreateTags")], seconds: 1 },
];

describe("a drift is laid to", () => {
  for (const { why, path = "ingress", events, seconds } of ROWS) {
    test(why, () => {
      const found = attributionOf({ ...drift, path }, subject, events);
      assert.equal(found && (Date.parse(found.at) - AT_MS) / 1000, seconds);
    });
  }
});

test("a call that names the object outweighs one that names what it stands in", () => {
  const kind = kindNamed("LoadBalancer");
  const id = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1";
  const balancer = { kind, record: record("LoadBalancer/web", { id, observed: { vpcId: VPC } }) };
  const seen = { key: "LoadBalancer/web", path: "attributes", since: AT_MS + 60_000 } as const;
  const ofVpc = call("ec2", "ModifyVpcAttribute", { vpcId: VPC });
  const ofBalancer = call("elasticloadbalancing", "AddTags", { resourceArns: [id] }, { eventTime: new Date(AT_MS - 9000).toISOString() });
  assert.equal(attributionOf(seen, balancer, [ofVpc])?.action, "ec2:ModifyVpcAttribute");
  assert.equal(attributionOf(seen, balancer, [ofVpc, ofBalancer])?.action, "elasticloadbalancing:AddTags");
});
