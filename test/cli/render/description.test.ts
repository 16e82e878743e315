import { test } from "node:test";
import { kinds } from "../../../reconcilers/index.ts";
import { createStyle } from "../../../src/cli/io.ts";
import { type Description, renderDescription } from "../../../src/cli/render/description.ts";
import { memberTexts } from "../../../src/cli/render/member-texts.ts";
import { LIFECYCLE_DEFAULTS } from "../../../src/core/resource.ts";
import { assertGolden } from "../golden.ts";

const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "0.0.0.0/0" };
const drifted: Description = {
  key: "SecurityGroup/backend.instances",
  apiVersion: "ec2.aws/v1",
  kind: "SecurityGroup",
  metadata: { name: "backend.instances", uid: "u1", generation: 2 },
  spec: { groupName: "beacon-prod-backend", ingress: [ssh, { ...ssh, fromPort: 80, toPort: 81 }] },
  lifecycle: {
    ...LIFECYCLE_DEFAULTS,
    deletion: "protect",
    drift: "report",
    driftIntervalMs: 300_000,
    knownDrift: [{ path: "tags.Team", until: "2026-12-31T23:59:59.999Z", reason: "a migration" }],
  },
  status: {
    id: "sg-0a1b2c",
    ready: true,
    reason: "Synced",
    message: "ready",
    conditions: [
      { type: "Ready", status: true, reason: "Synced", message: "", since: "2026-11-23T14:03:10.000Z" },
      { type: "Stalled", status: false, reason: "Synced", message: "", since: "2026-11-23T14:03:10.000Z" },
    ],
    observed: { groupId: "sg-0a1b2c" },
  },
  declaredAt: "manifests/backend.yaml:7:1",
  change: {
    key: "SecurityGroup/backend.instances",
    kind: "ec2.aws/v1 SecurityGroup",
    action: "update",
    id: "sg-0a1b2c",
    differences: [{ path: "ingress", field: "ingress", cause: "drift", immutable: false, removed: [ssh] }],
    leftAlone: [],
    dependents: [],
    retires: [],
    resolves: false,
  },
  notes: [],
  events: [
    { at: "2026-11-23T14:02:58.000Z", resource: "SecurityGroup/backend.instances", type: "Drifted", message: "ingress" },
    { at: "2026-11-23T14:03:01.000Z", resource: "SecurityGroup/backend.instances", type: "Corrected", message: "revoked 1 rule" },
  ],
  dependsOn: ["VPC/main", "SecurityGroup/backend.alb"],
  neededBy: ["LaunchTemplate/backend.main"],
};
const { lifecycle: _lifecycle, change: _change, declaredAt: _declaredAt, ...rest } = drifted;
const missing: Description = {
  ...rest,
  metadata: { name: "backend.instances" },
  spec: {},
  status: { ready: false, reason: "Missing", message: "sg-0a1b2c is gone from AWS", conditions: [], observed: {} },
  events: [],
  dependsOn: [],
  neededBy: [],
};

for (const [name, description] of Object.entries({ drifted, missing })) {
  test(`describe/${name}`, () => {
    assertGolden(
      `describe/${name}.txt`,
      renderDescription(description, { style: createStyle(false), verbose: false, texts: memberTexts(kinds) }),
    );
  });
}
