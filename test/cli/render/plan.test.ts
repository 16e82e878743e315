import { test } from "node:test";
import { kinds } from "../../../reconcilers/index.ts";
import { createStyle } from "../../../src/cli/io.ts";
import { renderMarkdown } from "../../../src/cli/render/markdown.ts";
import { memberTexts } from "../../../src/cli/render/member-texts.ts";
import { type PlanFacts, renderPlan } from "../../../src/cli/render/plan.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { Change, Plan } from "../../../src/core/plan.ts";
import { unknown } from "../../../src/core/unknown.ts";
import { assertGolden } from "../golden.ts";

const facts: PlanFacts = {
  stack: { project: "beacon", environment: "prod" },
  region: "ap-northeast-2",
  accountId: "123456789012",
  revision: 7,
  resources: 72,
  calls: 61,
  elapsedMs: 1102,
};

function change(key: Change["key"], action: Change["action"], more: Partial<Change> = {}): Change {
  return { key, kind: "ec2.aws/v1 VPC", action, differences: [], leftAlone: [], dependents: [], retires: [], resolves: false, ...more };
}

function plan(changes: readonly Change[], more: Partial<Plan> = {}): Plan {
  return { changes, outputs: [], newer: [], consents: { delete: 0, replace: 0, missing: 0 }, digest: "7f3a91c2", ...more };
}

const scalar = (path: string, before: Json | undefined, after: Json | undefined, cause: "pending" | "drift" | "unknown" = "pending") => ({
  path,
  field: path.split(".")[0] as string,
  cause,
  immutable: false,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});

const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "0.0.0.0/0" };
const policy = (action: string) => ({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: [action], Resource: "*" },
    { Effect: "Deny", Action: ["s3:*"], Resource: "*" },
  ],
});

const rateLimit = (priority: number, rateBasedStatement: JsonObject) => ({
  name: `RateLimit${priority}`,
  priority,
  action: { block: {} },
  statement: { rateBasedStatement },
});

const create = change("VPC/main", "create", { desired: { cidrBlock: "10.0.0.0/16", tags: { Name: "beacon-prod-vpc" } } });
const subnet = change("Subnet/public-1", "create", { desired: { vpcId: unknown("vpc.main.vpcId"), cidrBlock: "10.0.1.0/24", empty: "" } });

// Each row is one golden file under test/golden/plan.
const cases: readonly { name: string; why: string; plan: Plan; verbose?: true; facts?: PlanFacts }[] = [
  { name: "empty", why: "nothing differs", plan: plan([change("VPC/main", "none")]) },
  { name: "create", why: "the first apply: fields are counted", plan: plan([create, subnet]), facts: { ...facts, revision: 0 } },
  { name: "create-verbose", why: "-v shows each field, and where unknown values come from", plan: plan([create, subnet]), verbose: true },
  {
    name: "update",
    why: "scalars, a field that leaves, one that comes, and mixed causes are told apart",
    plan: plan([
      change("LogGroup/dynamodb-vectors", "update", { differences: [scalar("retentionInDays", 14, 30)] }),
      change("VPC/main", "update", {
        differences: [
          scalar("tags.Name", "beacon", "beacon-prod-vpc", "drift"),
          scalar("enableDnsHostnames", false, true),
          scalar("tags.Old", "x", undefined),
        ],
      }),
      change("EIP/nat", "update", { differences: [scalar("tags.Owner", undefined, "beacon-team", "unknown")] }),
    ]),
  },
  {
    name: "set-drift",
    why: "of a set, the members and what will happen to them",
    plan: plan([
      change("SecurityGroup/alb", "update", {
        kind: "ec2.aws/v1 SecurityGroup",
        differences: [
          { ...scalar("ingress", [ssh], [], "drift"), removed: [ssh], added: [{ ...ssh, fromPort: 443, toPort: 443 }] },
          {
            ...scalar("egress", [], []),
            added: [
              { ipProtocol: "-1", referencedGroupId: unknown("securityGroup.app.groupId") },
              { ipProtocol: "udp", fromPort: 1024, toPort: 2048, cidrIpv6: "::/0", description: "games" },
              { ipProtocol: "icmp", fromPort: 8, toPort: -1, prefixListId: "pl-1" },
            ],
          },
        ],
      }),
      change("RouteTable/private", "update", {
        kind: "ec2.aws/v1 RouteTable",
        differences: [
          {
            ...scalar("routes", [], []),
            added: [{ destinationCidrBlock: "0.0.0.0/0", natGatewayId: unknown("natGateway.main.natGatewayId") }],
            removed: [{ destinationCidrBlock: "10.1.0.0/16", gatewayId: "igw-1" }],
          },
        ],
      }),
      change("Table/main", "update", {
        differences: [
          { ...scalar("globalSecondaryIndexes", [], []), changed: [{ before: { port: 1, d: "a" }, after: { port: 1, d: "b" } }] },
        ],
      }),
    ]),
  },
  {
    name: "deep-change",
    why: "of a member whose own words stay the same, the places inside it that change",
    plan: plan([
      change("WebACL/main", "update", {
        kind: "wafv2.aws/v1 WebACL",
        differences: [
          {
            ...scalar("rules", [], []),
            changed: [
              {
                before: rateLimit(1, { limit: 1000, aggregateKeyType: "IP" }),
                after: rateLimit(1, { limit: 500, aggregateKeyType: "FORWARDED_IP" }),
              },
              { before: rateLimit(2, { limit: 1000 }), after: rateLimit(3, { limit: 500 }) },
            ],
          },
        ],
      }),
    ]),
  },
  {
    name: "document",
    why: "of a document, the changed lines with their neighbours",
    plan: plan([
      change("Role/app", "update", { differences: [scalar("assumeRolePolicy", policy("sts:AssumeRole"), policy("sts:TagSession"))] }),
      change("Dashboard/main", "update", {
        differences: [scalar("body", JSON.stringify(policy("a:B")), JSON.stringify(policy("a:C")), "drift")],
      }),
    ]),
  },
  {
    name: "replace",
    why: "the field that forces it, the order, the dependents that follow, and what goes",
    plan: plan([
      change("TargetGroup/main", "replace", {
        order: "createFirst",
        differences: [{ ...scalar("port", 5000, 8080), immutable: true }],
        dependents: ["Listener/https", "AutoScalingGroup/main"],
        retires: ["tg-1"],
      }),
      change("LogGroup/app", "replace", { order: "deleteFirst", differences: [] }),
    ]),
  },
  {
    name: "rest",
    why: "delete, adopt, move, forget, blocked, vanished, resolving, left alone, outputs and newer lookups",
    plan: plan(
      [
        change("Subnet/old", "delete", { id: "subnet-1" }),
        change("VPC/shared", "adopt", { id: "vpc-2" }),
        change("VPC/new-name", "move", { id: "vpc-3", movedFrom: "VPC/old-name" }),
        change("Bucket/data", "forget", { id: "data" }),
        change("Table/main", "blocked", {
          blocked: { reason: "Protected", message: "unprotect it first: beaconctl unprotect Table/main" },
        }),
        change("EIP/nat", "create", { vanished: "eipalloc-1", desired: { domain: "vpc" }, resolves: true }),
        change("AutoScalingGroup/main", "none", {
          leftAlone: [
            { path: "desiredCapacity", before: 6, after: 4, why: "createOnly" },
            { path: "tags.CostCenter", before: "7", why: "foreign" },
            { path: "maxSize", before: 9, after: 8, why: "ignored" },
          ],
        }),
      ],
      {
        outputs: [{ name: "vpcId", before: "vpc-1", after: unknown("vpc.main.vpcId") }],
        newer: [{ key: "AMI/ubuntu", message: "ami-2 of today is newer than the pinned ami-1" }],
      },
    ),
  },
];

for (const { name, why, plan: value, verbose, facts: own } of cases) {
  test(`plan/${name}: ${why}`, () => {
    assertGolden(
      `plan/${name}.txt`,
      renderPlan(value, own ?? facts, { style: createStyle(false), verbose: verbose ?? false, texts: memberTexts(kinds) }),
    );
  });
}

test("plan/markdown: a table for a review, and the whole plan folded below it", () => {
  const blocked = change("Table/a", "blocked", { blocked: { reason: "Protected", message: "unprotect it | first" } });
  const updated = change("LogGroup/app", "update", {
    differences: [scalar("retentionInDays", 14, 30), scalar("tags.Name", "a", "b", "drift")],
  });
  assertGolden("plan/markdown.md", renderMarkdown(plan([create, updated, blocked, change("EIP/a", "none")]), facts, memberTexts(kinds)));
});
